//! `s3seal` in the hands of a server that means harm, or is none of S3's: a test per behaviour and verb.
//!
//! What such a server can do, and how to add to it, is in `s3seal_sandbox::hostile`. Nothing that it says may bring out a
//! key, take more memory than there is, or pass for success.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod customer_key;
mod endless;
mod envelopes;
mod foreign_keys;
mod ignored_mode;
mod inventory;
mod key_service;
mod listings;
mod not_understood;
mod other_servers;
mod redirects;
mod slow;
mod swapped;
