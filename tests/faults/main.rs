//! Trouble on the line, in each phase of put and get: the outcome is right, or an honest error.
//!
//! Whatever happens: no upload is left behind, no temporary file, and what was there before is still there.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod get;
mod key_service;
mod lost_answers;
mod outages;
mod put;
mod stalls;
