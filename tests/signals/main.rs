//! INT, TERM and HUP in each phase of put and get, and a reader that leaves, or does not read.
//!
//! Each signal is sent when the sandbox has seen the program reach the phase, and holds it there.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod get;
mod put;
mod reader;
mod slow_reader;
