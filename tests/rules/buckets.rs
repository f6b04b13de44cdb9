//! `inspect --expect rules` where no rule is for an object: what the bucket itself asks for.

use s3seal_sandbox::s3::DefaultEncryption;
use s3seal_sandbox::{Fault, Kind};
use serde_json::json;

use crate::Ruled;
use crate::support::{ALIAS, BUCKET};

#[test]
fn without_a_rule_the_buckets_default_encryption_is_expected() {
    let ruled = Ruled::new("");
    ruled.run("put source s3://bench/object").ok();
    ruled.run("inspect s3://bench/object --expect rules").ok();
    let default = DefaultEncryption::SseKms { key: Some(ALIAS.to_owned()), bucket_key: false };
    ruled.bench.sandbox.s3().set_default_encryption(BUCKET, default);
    let arn = ruled.bench.sandbox.kms().key_arn(ALIAS);
    ruled.run("put source s3://bench/new").ok();
    ruled.run("put source s3://bench/own -e sse-kms").ok();
    let ended = ruled.run("inspect s3://bench/ --expect rules --format ndjson").exits(8);
    ended.says(&[
        "2 of 3 objects are not what is demanded",
        "demanded is SSE-KMS by the default encryption of bench",
        &format!("demanded is a key {arn} by the default encryption of bench"),
    ]);
    ruled.run("inspect s3://bench/new --expect rules").ok();
}

#[test]
fn a_policy_counts_before_the_default_encryption() {
    let ruled = Ruled::new("");
    ruled.run("put source s3://bench/object").ok();
    ruled.run("put source s3://bench/kms -e sse-kms").ok();
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bench/*",
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } },
    }] });
    ruled.bench.sandbox.s3().set_policy(BUCKET, &policy.to_string());
    let ended = ruled.run("inspect s3://bench/object --expect rules").exits(8);
    ended.says(&["is not what is demanded but sse-s3"]);
    ruled.run("inspect s3://bench/kms --expect rules").ok();
}

#[test]
fn a_rule_counts_before_its_bucket() {
    let ruled = Ruled::new("[[rule]]\nmatch = \"s3://bench/db/\"\nmust-encrypt = \"client\"\n");
    ruled.run("put source s3://bench/db/object --key key").ok();
    ruled.run("put source s3://bench/object").ok();
    ruled.run("inspect s3://bench/ --expect rules").ok();
    ruled.run("put source s3://bench/object -e sse-kms").ok();
    let ended = ruled.run("inspect s3://bench/ --expect rules --format ndjson").exits(8);
    ended.says(&["s3://bench/object"]);
}

#[test]
fn what_cannot_be_read_of_a_bucket_is_not_taken_for_met() {
    let ruled = Ruled::new("");
    ruled.run("put source s3://bench/object").ok();
    ruled
        .bench
        .sandbox
        .fault(Fault::on("GetBucketEncryption", Kind::status(403, "AccessDenied", "Access Denied")));
    let ended = ruled.run("inspect s3://bench/object --expect rules").exits(4);
    ended.says(&["s3:GetEncryptionConfiguration"]);
}
