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
mod many;
mod nothing;
mod one;
mod size;

use serde_json::Value;

use support::{Bench, Ended};

/// Writes a key file and returns it.
fn key(bench: &Bench, name: &str, seed: u8) -> support::keys::KnownKey {
    let key = support::keys::KnownKey::new(seed);
    bench.write(name, key.hex().as_bytes());
    key
}

/// Every line of standard output as a JSON document.
fn lines(ended: &Ended) -> Vec<Value> {
    let text = String::from_utf8(ended.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The documents about objects, and the sum.
fn rows(ended: &Ended) -> (Vec<Value>, Value) {
    let mut all = lines(ended);
    let sum = all.pop().unwrap();
    assert_eq!(sum["record"], "summary");
    (all.into_iter().filter(|row| row["record"] == "object").collect(), sum)
}
