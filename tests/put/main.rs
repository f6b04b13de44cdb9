//! `s3seal put` of the real binary: what is stored, what was sent for it, what is refused.
//!
//! Trouble on the line, signals and keys that do not fit have test programs of their own.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod checksums;
mod commands;
mod conditions;
mod echo;
mod headers;
mod locks;
mod modes;
mod on_disk;
mod settings;
mod streams;
