//! Client-side encryption end to end: round trips, and everything that must be refused on the way back.
//!
//! The format itself is held by its own vectors; here it is the program, the server and the files that are looked at.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod authenticity;
mod cbc;
mod fingerprints;
mod instruction;
mod modes;
mod names;
mod passes;
mod passphrases;
mod pkcs1;
mod round_trips;
mod tampering;
