//! `s3seal inspect` against the sandbox: what it says of every kind of object, of buckets and of many.
//!
//! The inventory reports are made by `make_inventory.py`, beside this file.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod bucket;
mod canned;
mod envelopes;
mod inventory;
mod manifest;
mod many;
mod nothing;
mod one;
mod read_data;
mod report;
mod size;

use serde_json::Value;

use support::{Bench, Ended};

/// Writes a key file and returns it.
fn key(bench: &Bench, name: &str, seed: u8) -> support::keys::KnownKey {
    let key = support::keys::KnownKey::new(seed);
    bench.write(name, key.hex().as_bytes());
    key
}

/// The documents about objects, and the sum.
fn rows(ended: &Ended) -> (Vec<Value>, Value) {
    let mut all = ended.documents();
    let mut last = all.pop().unwrap();
    assert_eq!(last["record"], "summary");
    let is_row = |row: &Value| row["record"] == "object" || row["record"] == "failed";
    (all.into_iter().filter(is_row).collect(), last["summary"].take())
}
