//! Object Lock: what is asked for is sent, enforced, and seen afterwards; a server that ignores it is caught.

use std::time::{SystemTime, UNIX_EPOCH};

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Kind};
use serde_json::Value;

use crate::support::{BUCKET, Bench, PART, bytes, key};

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const HOLD: &str = "x-amz-object-lock-legal-hold";
const FLAGS: &str = "--lock-mode compliance --retain-until 2100-01-31 --legal-hold";

/// With a bucket whose objects can be locked, a source of two parts and a small one.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.sandbox.s3().set_object_lock(BUCKET);
    bench.write("key", &key(7));
    bench.write("large", &bytes(2 * PART));
    bench.write("small", &bytes(100));
    bench
}

#[track_caller]
fn assert_locked(bench: &Bench, key: &str) {
    let object = bench.object(key);
    assert_eq!(object.lock_mode.as_deref(), Some("COMPLIANCE"), "{key}");
    assert_eq!(object.lock_until.unwrap().unix_timestamp(), 4_105_036_800, "{key}");
    assert!(object.legal_hold, "{key}");
    for bypass in [false, true] {
        let deleted = bench.sandbox.s3().try_delete(BUCKET, key, &object.version_id, bypass);
        assert!(deleted.unwrap_err().contains("protected by object lock"), "{key}");
    }
}

#[test]
fn every_source_and_mode_is_locked_whole_and_in_parts() {
    let bench = bench();
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("folder/a", b"a");
    bench.write("folder/b", b"b");
    for (number, mode) in ["", "-e sse-s3", "--sse-c-key key", "--key key"].into_iter().enumerate() {
        for source in ["small", "large"] {
            let name = format!("{source}-{number}");
            let words = &["s3://bench/", "COMPLIANCE until 2100-01-31T00:00:00Z and legal hold"];
            let line = format!("put {source} s3://bench/{name} {mode} {FLAGS} --part-size 5MiB");
            bench.run(&line).ok().says(words);
            assert_locked(&bench, &name);
        }
    }
    bench.s3seal(format!("put - s3://bench/stream {FLAGS}").split(' ')).input(b"text").run().ok();
    bench.run(&format!("put -r folder s3://bench/many/ {FLAGS}")).ok();
    for name in ["stream", "many/a", "many/b"] {
        assert_locked(&bench, name);
    }
}

#[test]
fn the_headers_are_on_the_request_that_makes_the_object() {
    let bench = bench();
    bench.run(&format!("put small s3://bench/small {FLAGS}")).ok();
    bench.run(&format!("put large s3://bench/large {FLAGS} --part-size 5MiB")).ok();
    for request in bench.sandbox.requests() {
        let makes = ["PutObject", "CreateMultipartUpload"].contains(&request.operation.as_str());
        for (name, value) in [(MODE, "COMPLIANCE"), (UNTIL, "2100-01-31T00:00:00Z"), (HOLD, "ON")] {
            assert_eq!(request.header(name), makes.then_some(value), "{}", request.operation);
        }
    }
}

#[test]
fn days_count_from_now() {
    let bench = bench();
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let before = now();
    bench.run("put small s3://bench/k --lock-mode governance --retain-until 30d").ok();
    let until = bench.object("k").lock_until.unwrap().unix_timestamp();
    assert!((before..=now()).contains(&(until - 30 * 86_400)), "{until}");
    assert_eq!(bench.object("k").lock_mode.as_deref(), Some("GOVERNANCE"));
}

#[test]
fn a_legal_hold_needs_no_date_and_another_put_makes_a_version_beside_it() {
    let bench = bench();
    bench.run("put small s3://bench/k --legal-hold").ok();
    let held = bench.object("k").version_id;
    bench.run("put large s3://bench/k").ok();
    assert!(!bench.object("k").legal_hold);
    assert!(bench.sandbox.s3().try_delete(BUCKET, "k", &held, true).is_err());
    bench.run(&format!("get s3://bench/k copy --version-id {held}")).ok();
    assert_eq!(bench.read("copy"), bytes(100));
}

#[test]
fn documents_and_inspect_show_the_lock() {
    let bench = bench();
    let lock = serde_json::json!({
        "mode": "COMPLIANCE", "retain_until": "2100-01-31T00:00:00Z", "legal_hold": true
    });
    let stored = bench.run(&format!("put small s3://bench/k {FLAGS} --json")).ok().json();
    assert_eq!(stored["object_lock"], lock);
    assert_eq!(stored["lock_check"], serde_json::json!({ "verified": true, "reason": null }));
    assert_eq!(bench.run("inspect s3://bench/k --format json").ok().json()["object_lock"], lock);
    let plain = bench.run("put small s3://bench/plain --json").ok().json();
    assert_eq!((&plain["object_lock"], &plain["lock_check"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_server_that_ignores_locks_is_caught_and_the_first_object_ends_a_run() {
    let bench = bench();
    bench.sandbox.s3().lie(Lie::IgnoreLocks);
    for source in ["small", "large"] {
        bench.run(&format!("put {source} s3://bench/k {FLAGS} --part-size 5MiB")).exits(6).says(&[
            "s3://bench/k is not locked as asked: asked for COMPLIANCE until 2100-01-31T00:00:00Z and legal hold, the \
             answer says no lock",
            "s3://bench/k is stored now, with no lock",
            &format!("--bucket bench --key k --version-id {}", bench.object("k").version_id),
        ]);
    }
    std::fs::create_dir(bench.path("folder")).unwrap();
    for number in 0..20 {
        bench.write(&format!("folder/{number}"), b"text");
    }
    let ended = bench.run(&format!("put -r folder s3://bench/many/ {FLAGS}"));
    ended.exits(6).says(&[
        "1 object is stored otherwise",
        "this server does not lock objects",
        "remove it: aws",
    ]);
    let stored = bench.sandbox.s3().keys(BUCKET).into_iter().filter(|key| key.starts_with("many/"));
    assert_eq!(stored.count(), 1);
}

#[test]
fn another_lock_than_the_one_asked_for_is_caught() {
    let bench = bench();
    let another = bench.meanwhile(|sandbox| sandbox.s3().set_locked(BUCKET, "k"));
    bench.sandbox.fault(Fault::on("GetObjectRetention", another));
    bench
        .run(&format!("put small s3://bench/k {FLAGS}"))
        .exits(6)
        .says(&["the answer says GOVERNANCE until"]);
}

#[test]
fn a_lock_that_may_not_be_read_is_said_to_be_unverified() {
    let bench = bench();
    let allow = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Resource": "*",
        "Action": ["s3:PutObject", "s3:PutObjectRetention", "s3:PutObjectLegalHold"]}}"#;
    bench.sandbox.user().set_policy(allow);
    bench.run(&format!("put small s3://bench/k {FLAGS}")).exits(4).says(&[
        "lock not verified (s3:GetObjectRetention is not allowed)",
        "s3://bench/k is stored, but its lock is not verified",
        "a policy must allow s3:GetObjectRetention on arn:aws:s3:::bench/k",
    ]);
    assert_locked(&bench, "k");
    std::fs::create_dir(bench.path("folder")).unwrap();
    bench.write("folder/a", b"a");
    bench.write("folder/b", b"b");
    let ended = bench.run(&format!("put -r folder s3://bench/many/ {FLAGS}")).exits(4);
    ended.says(&["stored: 2 files", "s3://bench/many/"]);
    assert_locked(&bench, "many/a");
    assert_locked(&bench, "many/b");
}

#[test]
fn a_bucket_without_object_lock_is_refused_before_anything_is_stored() {
    let bench = Bench::new();
    bench.write("large", &bytes(2 * PART));
    std::fs::create_dir(bench.path("folder")).unwrap();
    for number in 0..20 {
        bench.write(&format!("folder/{number}"), b"text");
    }
    for line in ["put large s3://bench/k --part-size 5MiB", "put -r folder s3://bench/many/"] {
        bench.run(&format!("{line} {FLAGS}")).exits(2).says(&[
            "the bucket bench: Object Lock is not enabled, so nothing can be locked",
            "aws s3api put-object-lock-configuration --bucket bench --object-lock-configuration \
             ObjectLockEnabled=Enabled",
        ]);
    }
    bench.assert_keys(&[]);
    bench.assert_tidy(&["folder", "large"]);
}

#[test]
fn an_instruction_file_is_locked_like_its_object() {
    let bench = bench();
    bench.run(&format!("put small s3://bench/k --key key --instruction-file {FLAGS}")).ok();
    assert_locked(&bench, "k");
    assert_locked(&bench, "k.instruction");
}

#[test]
fn an_object_stays_readable_if_the_one_that_was_to_replace_it_fails_after_its_locked_file() {
    let bench = bench();
    bench.run("put small s3://bench/k --key key --instruction-file").ok();
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("CompleteMultipartUpload", denied));
    bench
        .run(&format!("put large s3://bench/k --key key --instruction-file {FLAGS} --part-size 1GiB"))
        .exits(4);
    bench.run("get s3://bench/k copy --key key").ok();
    assert_eq!(bench.read("copy"), bytes(100));
}
