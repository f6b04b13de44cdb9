//! What the manual says of permissions in words, beside its policies.

use serde_json::{Value, json};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench};

const OBJECTS: &str = "arn:aws:s3:::bench/*";
const THE_BUCKET: &str = "arn:aws:s3:::bench";

/// A bench with a key file and a source.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.key", KnownKey::new(1).hex().as_bytes());
    bench.write("small", b"content");
    bench
}

/// Gives the user these actions and no others.
fn allow(bench: &Bench, allowed: &[(&str, &str)]) {
    let statement = |(action, resource): &(&str, &str)| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let statements: Vec<Value> = allowed.iter().map(statement).collect();
    bench.sandbox.user().set_policy(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string());
}

#[test]
fn a_plan_needs_only_what_reads() {
    let bench = bench();
    let key = bench.sandbox.kms().create_key().to_string();
    bench.run(&format!("put small s3://bench/o -e sse-kms --kms-key {key}")).ok();
    allow(&bench, &[("s3:GetObject", OBJECTS), ("s3:ListBucket", THE_BUCKET), ("kms:Decrypt", &key)]);
    bench.run("rotate s3://bench/ -e sse-s3 --dry-run").ok();
    bench.run("rotate s3://bench/o --key a.key --dry-run").ok();
}

#[test]
fn a_put_that_replaces_nothing_needs_no_permission_to_look() {
    let bench = bench();
    allow(&bench, &[("s3:PutObject", OBJECTS)]);
    bench.run("put small s3://bench/o --no-clobber").ok();
    bench.run("put small s3://bench/o --no-clobber").exits(8);
}

#[test]
fn an_audit_of_all_versions_needs_two_actions() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put small s3://bench/o -e sse-kms --kms-key alias/backup").ok();
    allow(&bench, &[("s3:ListBucketVersions", THE_BUCKET), ("s3:GetObjectVersion", OBJECTS)]);
    let audit = "inspect -q s3://bench/ --all-versions --only-unexpected --format csv --expect";
    bench.run(&format!("{audit} sse-kms")).ok();
    bench.run(&format!("{audit} client")).exits(8);
}

#[test]
fn what_does_not_exist_is_told_apart_only_with_the_permission_to_list() {
    let bench = bench();
    allow(&bench, &[("s3:GetObject", OBJECTS)]);
    bench.run("get s3://bench/o target").exits(4);
    allow(&bench, &[("s3:GetObject", OBJECTS), ("s3:ListBucket", THE_BUCKET)]);
    bench.run("get s3://bench/o target").exits(3);
}
