//! The same command after the process was killed, interrupted or cut off: it goes on with what is there, and the result is
//! as if nothing had happened.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod get;
mod given_up;
mod kills;
mod put;

use support::{Bench, PART, bytes, key};

/// Almost five parts.
const SIZE: usize = 5 * PART - 77;

/// A bench with a source, keys, and a file of each for other content.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("other.key", &key(6));
    bench.write("source", &bytes(SIZE));
    bench
}

/// The records that are left.
fn records(bench: &Bench) -> Vec<std::path::PathBuf> {
    let folder = bench.home().join(".local/state/s3seal");
    std::fs::read_dir(folder)
        .map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
}
