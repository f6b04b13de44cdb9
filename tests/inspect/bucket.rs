//! A bucket's own facts, and rights on them that are missing.

use s3seal_sandbox::{Fault, Kind};
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench};

fn facts(bench: &Bench) -> Value {
    bench.run("inspect --format ndjson s3://bench --bucket-only").ok().documents().remove(0)
}

#[test]
fn a_new_bucket() {
    let bench = Bench::new();
    let found = facts(&bench);
    assert_eq!(
        (&found["record"], &found["bucket"], &found["region"]),
        (&json!("bucket"), &json!("bench"), &json!("us-east-1"))
    );
    assert_eq!(found["default_encryption"]["mode"], "sse-s3");
    assert_eq!(
        (&found["policy"], &found["versioning"], &found["incomplete_uploads"]),
        (&json!(null), &json!(null), &json!(null))
    );
}

#[test]
fn what_is_set_is_told() {
    let bench = Bench::new();
    bench.sandbox.s3().block_sse_c(BUCKET);
    bench.sandbox.s3().set_versioning(BUCKET);
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::bench", "arn:aws:s3:::bench/*"],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }, {
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bench/*",
        "Condition": { "StringNotEquals": { "s3:x-amz-server-side-encryption": "aws:kms" } },
    }] });
    bench.sandbox.s3().set_policy(BUCKET, &policy.to_string());
    let found = facts(&bench);
    assert_eq!(found["default_encryption"]["blocked"], json!(["SSE-C"]));
    assert_eq!(found["versioning"], "Enabled");
    assert_eq!(found["policy"]["requires_tls"], "all");
    assert_eq!(found["policy"]["required_encryption"], json!(["aws:kms"]));
    let page =
        String::from_utf8(bench.run("inspect s3://bench --bucket-only --format table").ok().stdout).unwrap();
    for shown in
        ["SSE-C", "requires TLS", "writes must request aws:kms", "enabled", "common policy statements"]
    {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
}

#[test]
fn each_right_that_is_missing_hides_one_fact_only() {
    let operations = [
        ("HeadBucket", "region", "s3:ListBucket"),
        ("GetBucketEncryption", "default_encryption", "s3:GetEncryptionConfiguration"),
        ("GetBucketPolicy", "policy", "s3:GetBucketPolicy"),
        ("GetBucketVersioning", "versioning", "s3:GetBucketVersioning"),
        ("GetBucketLifecycleConfiguration", "incomplete_uploads", "s3:GetLifecycleConfiguration"),
    ];
    let bench = Bench::new();
    for (operation, fact, action) in operations {
        bench.sandbox.clear_faults();
        let struck =
            bench.sandbox.fault(Fault::on(operation, Kind::status(403, "AccessDenied", "Access Denied")));
        let found = facts(&bench);
        assert_eq!(struck.count(), 1, "{operation}");
        for (_, other, _) in operations {
            let hidden = found[other]["access_denied"].as_str();
            assert_eq!(hidden, (other == fact).then_some(action), "{operation}: {found}");
        }
    }
}

#[test]
fn who_is_nobody_sees_an_error_and_not_a_page_of_refusals() {
    let bench = Bench::new();
    let program = bench.s3seal(["inspect", "s3://bench", "--bucket-only"]);
    program.with("AWS_SECRET_ACCESS_KEY", "wrong").run().exits(4).writes_nothing();
}
