//! Completions in real shells: a person types, presses Tab and Enter, and the shell shows which words came of it.
//!
//! bash, zsh and fish are needed: a shell that is not there fails.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../terminal/screen.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod screen;
mod shell;
#[path = "../support/mod.rs"]
mod support;

mod local;
mod remote;
