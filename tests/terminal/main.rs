//! The program in a terminal of its own: prompts, questions, bars, and what stands on the screen.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

mod screen;
#[path = "../support/mod.rs"]
mod support;

mod prompts;
