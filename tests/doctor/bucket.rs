//! The bucket's settings: default encryption, SSE-C, versions, policy, lifecycle.

use s3seal_sandbox::{Answer, Fault, Kind};
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench, key};
use crate::{FAILED, OK, WARNING, doctor};

/// Gives the bucket a policy of one statement that denies everybody something.
fn deny(bench: &Bench, action: &str, condition: &Value) {
    let statement = json!({ "Effect": "Deny", "Principal": "*", "Action": action,
                            "Resource": ["arn:aws:s3:::bench", "arn:aws:s3:::bench/*"], "Condition": condition });
    let policy = json!({ "Version": "2012-10-17", "Statement": statement });
    bench.sandbox.s3().set_policy(BUCKET, &policy.to_string());
}

#[test]
fn the_default_encryption_is_named() {
    let bench = Bench::new();
    doctor(&bench, "").exits(0).has("default_encryption", OK, "SSE-S3");
    bench.sandbox.fault(Fault::on("GetBucketEncryption", Kind::status(403, "AccessDenied", "no")));
    let checks = doctor(&bench, "").exits(0);
    checks.has("default_encryption", WARNING, "s3:GetEncryptionConfiguration is denied");
    checks.is_mended_by("default_encryption", WARNING, r#"\"Action\":\"s3:GetEncryptionConfiguration\""#);
    bench
        .sandbox
        .fault(Fault::on("GetBucketEncryption", Kind::status(501, "NotImplemented", "no such call")));
    doctor(&bench, "").exits(0).has("default_encryption", WARNING, "not known");
}

#[test]
fn a_bucket_that_blocks_sse_c_is_in_the_way_of_sse_c_alone() {
    let bench = Bench::new();
    bench.write("key", &key(1));
    doctor(&bench, "--sse-c-key key").exits(0).has("sse_c", OK, "not blocked");
    bench.sandbox.s3().block_sse_c(BUCKET);
    let checks = doctor(&bench, "--sse-c-key key").exits(4);
    checks.has("sse_c", FAILED, "the bucket bench blocks SSE-C");
    checks.is_mended_by("sse_c", FAILED, "aws s3api put-bucket-encryption --bucket bench");
    // Who may not see it learns it by trying.
    bench.sandbox.fault(Fault::on("GetBucketEncryption", Kind::status(403, "AccessDenied", "no")));
    let checks = doctor(&bench, "--sse-c-key key").exits(0);
    checks.has("sse_c", WARNING, "not known whether the bucket blocks SSE-C");
    checks.is_mended_by("sse_c", WARNING, "--write-test tries it");
    doctor(&bench, "").exits(0).has("sse_c", OK, "blocked, and not asked for");
    doctor(&bench, "--sse-c-key key --for get").exits(0).has("sse_c", OK, "blocked");
}

#[test]
fn a_bucket_without_versions_is_worth_a_look() {
    let bench = Bench::new();
    let checks = doctor(&bench, "").exits(0);
    checks.has("versioning", WARNING, "never enabled");
    checks.is_mended_by("versioning", WARNING, "aws s3api put-bucket-versioning --bucket bench");
    doctor(&bench, "--for get").exits(0).has("versioning", OK, "never enabled");
    bench.sandbox.s3().set_versioning(BUCKET);
    doctor(&bench, "").exits(0).has("versioning", OK, "enabled");
}

#[test]
fn a_policy_that_denies_plain_http_is_seen_and_one_that_does_not_is_worth_a_look() {
    let bench = Bench::hostile();
    let checks = doctor(&bench, "").exits(0);
    checks.has("plain_http", WARNING, "nothing seen in the bucket's policy denies it");
    checks.is_mended_by("plain_http", WARNING, "aws:SecureTransport");
    deny(&bench, "s3:*", &json!({ "Bool": { "aws:SecureTransport": "false" } }));
    doctor(&bench, "").exits(0).has("plain_http", OK, "denied");
    deny(&bench, "s3:PutObject", &json!({ "Bool": { "aws:SecureTransport": "false" } }));
    doctor(&bench, "").exits(0).has("plain_http", WARNING, "for some requests only");
    let http = format!("--endpoint-url {}", bench.sandbox.http_endpoint());
    doctor(&bench, &http).exits(4).has("plain_http", FAILED, "this endpoint is plain http");
}

#[test]
fn a_policy_that_denies_the_mode_is_in_the_way() {
    let bench = Bench::new();
    deny(
        &bench,
        "s3:PutObject",
        &json!({ "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } }),
    );
    doctor(&bench, "-e sse-s3").exits(4).has("policy", FAILED, "writes must request aws:kms, not SSE-S3");
    doctor(&bench, "-e sse-kms").exits(0).has("policy", OK, "denies writes in SSE-KMS");
    doctor(&bench, "").exits(0).has(
        "policy",
        WARNING,
        "it may deny those in the bucket's default encryption",
    );
    doctor(&bench, "").is_mended_by("policy", WARNING, "--write-test tries it");
    let tried = doctor(&bench, "--write-test");
    assert!(!format!("{:?}", tried.all("policy")).contains("--write-test"), "{:?}", tried.all("policy"));
    assert!(doctor(&bench, "-e sse-s3 --for get").exits(0).all("policy").is_empty());
}

#[test]
fn a_bucket_that_locks_each_new_object_is_worth_a_look() {
    let bench = Bench::new();
    doctor(&bench, "").exits(0).has("object_lock", OK, "not enabled");
    bench.sandbox.s3().set_object_lock(BUCKET);
    doctor(&bench, "").exits(0).has("object_lock", OK, "for what asks for a lock");
    let each = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
                <Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
    let answer = || Kind::answer(move |_| Answer::new(200).xml(each));
    bench.sandbox.fault(Fault::on("GetObjectLockConfiguration", answer()));
    let checks = doctor(&bench, "").exits(0);
    checks.has("object_lock", WARNING, "each new object is locked for 30 days (COMPLIANCE)");
    bench.sandbox.fault(Fault::on("GetObjectLockConfiguration", answer()));
    doctor(&bench, "--for get").exits(0).has("object_lock", OK, "locked for 30 days");
}

/// A lifecycle configuration that aborts incomplete uploads under a prefix.
fn aborts_below(prefix: &str) -> Kind {
    let xml = format!(
        "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>{prefix}</Prefix></Filter>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
         </Rule></LifecycleConfiguration>"
    );
    Kind::answer(move |_| Answer::new(200).xml(&xml))
}

#[test]
fn uploads_that_nothing_aborts_are_worth_a_look() {
    let bench = Bench::new();
    let checks = doctor(&bench, "").exits(0);
    checks.has("incomplete_uploads", WARNING, "no lifecycle rule aborts them");
    checks.is_mended_by("incomplete_uploads", WARNING, "put-bucket-lifecycle-configuration --bucket bench");
    bench.sandbox.fault(Fault::on("GetBucketLifecycleConfiguration", aborts_below("")));
    doctor(&bench, "").exits(0).has("incomplete_uploads", OK, "after 3 days");
    bench.sandbox.fault(Fault::on("GetBucketLifecycleConfiguration", aborts_below("tmp/")));
    doctor(&bench, "").exits(0).has("incomplete_uploads", WARNING, "in a part of the bucket only");
}
