//! What S3 and KMS refuse, case by case: the message, what to do about it, and the exit code.
//!
//! The cases are those that Amazon S3 is known to answer; each has its own words because each has its own remedy.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod certificates;
mod customer_key;
mod kms;
mod place;
mod plain_http;
mod proxies;
mod wrong_keys;
