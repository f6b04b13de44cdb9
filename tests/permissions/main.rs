//! The permissions that the manual prints: with exactly these a verb works, and without any one of them it does not, or
//! says what is missing from its outcome.
//!
//! The policies come from the program (`s3seal generate policies`); the sandbox enforces them as IAM does.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod locks;
mod policies;
mod scenario;
mod words;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use policies::{Part, Printed, printed};
use scenario::{Expected, Scenario};

/// Tries all policies whose names begin so, a few at once.
fn try_all(beginning: &str) {
    let mut all = printed(beginning);
    // The sandbox is no AWS: there s3seal asks a scratch object first. See `on_aws_no_scratch_object_is_needed`.
    all.retain(|policy| {
        !policy.name.contains(".update-in-place.") || policy.name.contains("+scratch-object")
    });
    assert!(!all.is_empty(), "no policy is called {beginning}…");
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(policy) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = tried(policy);
                    wrong.lock().unwrap().extend(found);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a verb with its policy and without each part of it; returns what is not as it should be.
fn tried(policy: &Printed) -> Vec<String> {
    let scenario = Scenario::of(&policy.name);
    let mut wrong = Vec::new();
    let whole = scenario.run(|places| policy.json(places, None));
    if whole.code != 0 || whole.is_lessened() {
        wrong.push(format!("{}: with its policy: exit {}: {}", policy.name, whole.code, whole.text));
    }
    for part in policy.parts() {
        let expected = scenario.expected(&part);
        if let Expected::NotSeenHere = expected {
            continue;
        }
        let ended = scenario.run(|places| policy.json(places, Some(&part)));
        let Part { sid, action } = &part;
        if !expected.fits(&ended, action) {
            let name = &policy.name;
            wrong.push(format!("{name}: without {action} on {sid}: exit {}: {}", ended.code, ended.text));
        }
    }
    wrong
}

/// Without a scratch object nothing can be tried here: the policy is the other one's, without that object.
#[test]
fn on_aws_no_scratch_object_is_needed() {
    let all = printed("rotate.update-in-place.");
    let named = |name: &str| {
        let policy = all.iter().find(|policy| policy.name == name).unwrap();
        let parts = policy.parts().into_iter().filter(|part| part.sid != "ScratchObjects");
        parts.map(|Part { sid, action }| (sid, action)).collect::<Vec<_>>()
    };
    let plain = "rotate.update-in-place.sse-s3.sse-kms";
    assert_eq!(named(plain), named(&format!("{plain}+scratch-object")));
    let plain = "rotate.update-in-place.sse-kms.sse-kms";
    let mut with = named(&format!("{plain}+scratch-object+recursive"));
    with.retain(|(sid, _)| sid != "Listing");
    assert_eq!(named(plain), with);
}

/// What is to be removed after a failure, and may not be, is named.
#[test]
fn an_upload_that_may_not_be_aborted_is_named() {
    let all = printed("put.sse-s3+parts");
    let scenario = Scenario::of(&all[0].name);
    let abort = Part { sid: "Objects".to_owned(), action: "s3:AbortMultipartUpload".to_owned() };
    for (without, left) in [(None, 0), (Some(&abort), 1)] {
        let (ended, uploads) = scenario.fail_in_parts(|places| all[0].json(places, without));
        assert_eq!((ended.code, uploads), (1, left), "{}", ended.text);
        assert_eq!(ended.text.contains("s3seal cleanup s3://bench/db/o"), left == 1, "{}", ended.text);
    }
}

#[test]
fn put_needs_what_its_policies_allow() {
    try_all("put.");
}

#[test]
fn get_needs_what_its_policies_allow() {
    try_all("get.");
}

#[test]
fn inspect_shows_all_with_its_policies_and_says_what_is_missing() {
    try_all("inspect.");
}

#[test]
fn an_update_in_place_needs_what_its_policies_allow() {
    try_all("rotate.update-in-place.");
}

#[test]
fn a_server_copy_needs_what_its_policies_allow() {
    try_all("rotate.server-copy.");
}

#[test]
fn a_rewrap_needs_what_its_policies_allow() {
    try_all("rotate.rewrap.");
}

#[test]
fn a_re_encryption_needs_what_its_policies_allow() {
    try_all("rotate.re-encrypt.");
}

#[test]
fn a_batch_job_needs_what_its_policies_allow() {
    try_all("rotate.batch");
}

#[test]
fn a_cleanup_needs_what_its_policies_allow() {
    try_all("cleanup");
}
