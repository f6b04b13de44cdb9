//! Objects written by the official clients, and tampered ones: each opens to the right bytes, or is refused.
//!
//! One named test for each, without a network.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "vectors/esdk.rs"]
mod esdk;
#[path = "vectors/s3ec.rs"]
mod s3ec;
