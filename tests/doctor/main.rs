//! `s3seal doctor`: each check is seen as it should be and otherwise, and nothing is written.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod bucket;
mod kms;
mod leftovers;
mod local_keys;
mod network;
mod output;
mod permissions;
mod policy;
mod rules;
mod write_test;

use serde_json::Value;
use support::{Bench, Ended, Program};

/// The states of a check.
const OK: &str = "ok";
const WARNING: &str = "warning";
const FAILED: &str = "failed";

/// Runs `doctor` on the bench's prefix with more words, and takes its documents.
fn doctor(bench: &Bench, words: &str) -> Checks {
    Checks::of(program(bench, words).run())
}

fn program(bench: &Bench, words: &str) -> Program {
    let line = format!("doctor s3://bench/p/ --json {words}");
    bench.s3seal(line.split_whitespace())
}

/// What `doctor` found.
struct Checks {
    ended: Ended,
    documents: Vec<Value>,
}

impl Checks {
    fn of(ended: Ended) -> Self {
        let documents = ended.documents();
        Self { ended, documents }
    }

    /// All checks of a name.
    fn all(&self, name: &str) -> Vec<&Value> {
        self.documents.iter().filter(|document| document["check"] == name).collect()
    }

    /// Fails unless a check of this name has this state, and what was seen contains the words.
    #[track_caller]
    fn has(&self, name: &str, state: &str, words: &str) -> &Value {
        let found = self.all(name);
        let is_it = |check: &&Value| {
            check["state"] == state && format!("{} {}", check["seen"], check["causes"]).contains(words)
        };
        let check = found.iter().find(|check| is_it(check));
        check
            .unwrap_or_else(|| panic!("no {name} is {state} with {words}: {found:#?}\n{}", self.ended.stderr))
    }

    /// Fails unless some check of this name has this state and a remedy with these words.
    #[track_caller]
    fn is_mended_by(&self, name: &str, state: &str, words: &str) {
        let found = self.all(name);
        let mends = |check: &&Value| check["state"] == state && check["remedies"].to_string().contains(words);
        assert!(found.iter().any(mends), "nothing mends {name} with {words}: {found:#?}");
    }

    /// Fails unless the run left with this code.
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        let failed: Vec<_> = self.documents.iter().filter(|document| document["state"] == FAILED).collect();
        assert_eq!(self.ended.code(), Some(code), "{failed:#?}\n{}", self.ended.stderr);
        self
    }
}
