//! `s3seal rotate` of the real binary: each way, a whole life, and what happens when it is stopped at its worst moment.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod at_once;
mod authenticity;
mod batch;
mod contexts;
mod crashes;
mod envelopes;
mod instruction_files;
mod journal;
mod life;
mod many;
mod metadata;
mod names;
mod nothing;
mod options;
mod parts;
mod plaintext;
mod signals;
mod verify;
mod ways;
mod witness;

use std::process::Command;

use support::keys::KnownKey;
use support::{Bench, bytes};

/// The object that most tests rotate.
const OBJECT: &str = "s3://bench/o";

/// A bench with three key files, an RSA pair, and a passphrase.
fn bench() -> Bench {
    let bench = Bench::new();
    for (name, seed) in [("a.key", 1), ("b.key", 2), ("c.key", 3)] {
        bench.write(name, KnownKey::new(seed).hex().as_bytes());
    }
    bench.write("pw", b"correct horse battery");
    bench
}

/// Makes an RSA pair with the system's own tool.
fn rsa(bench: &Bench) {
    let openssl = |arguments: &str| {
        let ran = Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(bench.files())
            .output()
            .expect("openssl is there");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        ran.stdout
    };
    let private = openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048");
    bench.write("old.pem", &private);
    let public = openssl("pkey -in old.pem -pubout");
    bench.write("new.pem", &public);
}

/// Stores `len` bytes at [`OBJECT`] with these flags; returns them.
fn stored(bench: &Bench, len: usize, flags: &str) -> Vec<u8> {
    let content = bytes(len);
    bench.write("source", &content);
    bench.run(&format!("put source {OBJECT} {flags}")).ok();
    content
}

/// Fails unless [`OBJECT`] opens with these flags and is `content`.
#[track_caller]
fn assert_opens(bench: &Bench, flags: &str, content: &[u8]) {
    bench.run(&format!("get {OBJECT} target {flags}")).ok();
    support::assert_same(&bench.read("target"), content, "the object");
}

/// Fails if an upload or a scratch object is left, or a journal.
#[track_caller]
fn assert_no_traces(bench: &Bench) {
    assert_eq!(bench.sandbox.s3().uploads(), [], "uploads left behind");
    let keys = bench.sandbox.s3().keys(support::BUCKET);
    assert!(keys.iter().all(|key| !key.contains("scratch")), "{keys:?}");
    let journals = std::fs::read_dir(bench.home().join(".local/state/s3seal"));
    let left = journals.map_or(0, Iterator::count);
    assert_eq!(left, 0, "journals left behind");
}
