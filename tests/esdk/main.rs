//! The AWS Encryption SDK's format through the real binary: streams, recipients, proof frame by frame, ranges.
//!
//! The format's own laws and vectors have test programs of their own; here it is what leaves the program that counts.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod contexts;
mod detection;
mod limits;
mod ranges;
mod recipients;
mod round_trips;
mod stored;
mod tampering;
