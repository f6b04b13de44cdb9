//! The program in a terminal of its own: prompts, questions, bars, and what stands on the screen.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[allow(dead_code, reason = "each test program uses its own part")]
mod screen;
#[path = "../support/mod.rs"]
mod support;

mod data;
mod interrupts;
mod progress;
mod prompts;
mod questions;
