//! A rotation under policies that may hide the lock of an object: HEAD does not say that it hides one.

use s3seal_sandbox::s3::ObjectView;

use crate::support::{BUCKET, Bench};
use crate::words::{OBJECTS, THE_BUCKET, allow, bench};

/// What a server copy needs in a bucket without versions.
const COPY: [(&str, &str); 4] = [
    ("s3:GetObject", OBJECTS),
    ("s3:GetObjectAcl", OBJECTS),
    ("s3:PutObject", OBJECTS),
    ("s3:ListBucket", THE_BUCKET),
];
const MAY_LOCK: [(&str, &str); 2] = [("s3:PutObjectRetention", OBJECTS), ("s3:PutObjectLegalHold", OBJECTS)];
const RETENTION: (&str, &str) = ("s3:GetObjectRetention", OBJECTS);
const HOLD: (&str, &str) = ("s3:GetObjectLegalHold", OBJECTS);
const BUCKET_LOCK: (&str, &str) = ("s3:GetBucketObjectLockConfiguration", THE_BUCKET);

const ROTATE: &str = "rotate s3://bench/o -e sse-kms --kms-key alias/backup --yes";

/// A bucket with Object Lock, and a locked object in it.
fn locked() -> Bench {
    let bench = bench();
    bench.sandbox.s3().set_object_lock(BUCKET);
    bench.run("put small s3://bench/o -e sse-s3 --lock-mode governance --retain-until 30d --legal-hold").ok();
    bench
}

fn is_locked(object: &ObjectView) -> bool {
    object.lock_mode.is_some() && object.lock_until.is_some() && object.legal_hold
}

fn allow_copy(bench: &Bench, more: &[(&str, &str)]) {
    let key = bench.sandbox.kms().key_arn("alias/backup");
    let of_key =
        [("kms:GenerateDataKey", key.as_str()), ("kms:Decrypt", key.as_str()), ("kms:DescribeKey", &key)];
    allow(bench, &[&COPY[..], &MAY_LOCK, more, &of_key].concat());
}

#[test]
fn a_lock_that_may_not_be_read_is_never_dropped_in_silence() {
    for (may_read, denied) in [
        (&[][..], "s3:GetObjectRetention"),
        (&[BUCKET_LOCK], "s3:GetObjectRetention"),
        (&[BUCKET_LOCK, HOLD], "s3:GetObjectRetention"),
        (&[RETENTION], "s3:GetObjectLegalHold"),
    ] {
        let bench = locked();
        let before = bench.object("o").version_id;
        allow_copy(&bench, may_read);
        let why = format!("its lock cannot be read: {denied} is not allowed");
        bench.run(ROTATE).exits(4).says(&[
            &why,
            &format!("a policy must allow {denied} on"),
            "--accept-loss lock",
        ]);
        assert_eq!(bench.object("o").version_id, before, "nothing was written");
        bench.run(&format!("{ROTATE} --accept-loss acl")).exits(4);
        bench.run(&format!("{ROTATE} --accept-loss lock")).ok();
        assert!(!is_locked(&bench.object("o")));
    }
}

#[test]
fn a_lock_that_may_be_read_goes_over() {
    let bench = locked();
    allow_copy(&bench, &[RETENTION, HOLD]);
    let before = bench.object("o").version_id;
    bench.run(ROTATE).ok();
    let after = bench.object("o");
    assert!(after.version_id != before && is_locked(&after));
}

#[test]
fn among_many_each_object_whose_lock_is_hidden_is_named_and_stays() {
    let bench = locked();
    allow_copy(&bench, &[]);
    let ended = bench.run("rotate s3://bench/ -e sse-kms --kms-key alias/backup --yes").exits(9);
    ended.says(&["failed: s3://bench/o was not changed", "its lock cannot be read", "--accept-loss lock"]);
}

#[test]
fn a_bucket_with_versions_is_asked_once_whether_it_has_object_lock_and_its_objects_are_not() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    for key in ["p/a", "p/b", "p/c"] {
        bench.run(&format!("put small s3://bench/{key} -e sse-s3")).ok();
    }
    let rotate = "rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --yes";
    allow_copy(&bench, &[]);
    bench.run(rotate).exits(9).says(&["its lock cannot be read"]);
    let single = rotate.replace("p/ ", "p/a ");
    bench.run(&single).exits(4).says(&[
        "if the bucket has no Object Lock, s3:GetBucketObjectLockConfiguration on arn:aws:s3:::bench is enough",
    ]);
    allow_copy(&bench, &[BUCKET_LOCK]);
    bench.sandbox.clear_requests();
    bench.run(rotate).ok();
    assert_eq!(bench.requests("GetObjectLockConfiguration").len(), 1);
    assert_eq!(bench.requests("GetObjectRetention").len(), 0);
}

#[test]
fn a_bucket_without_versions_is_not_asked() {
    let bench = bench();
    bench.run("put small s3://bench/o -e sse-s3").ok();
    allow_copy(&bench, &[]);
    bench.sandbox.clear_requests();
    bench.run(ROTATE).ok();
    assert_eq!(bench.requests("GetObjectLockConfiguration").len(), 0);
}
