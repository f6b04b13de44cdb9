//! `s3seal get` of the real binary: what arrives, what stays as it was, what is refused.
//!
//! Trouble on the line, signals and client-side formats have test programs of their own.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod conditions;
mod proof;
mod ranges;
mod round_trips;
mod targets;
