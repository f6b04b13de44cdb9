//! The permissions that a verb needs, from what the server answers to harmless questions.

use s3seal_sandbox::{Config, Fault, Kind};
use serde_json::json;

use crate::support::{BUCKET, Bench, key};
use crate::{FAILED, OK, WARNING, doctor};

/// Lets the user do these things and nothing else.
fn allow(bench: &Bench, actions: &[&str]) {
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
    bench.sandbox.user().set_policy(&policy.to_string());
}

#[test]
fn what_a_put_needs_is_allowed_or_denied() {
    let bench = Bench::new();
    let checks = doctor(&bench, "").exits(0);
    checks.has("permission", OK, "s3:PutObject");
    checks.has("permission", OK, "s3:AbortMultipartUpload");
    allow(&bench, &["s3:ListBucket", "s3:AbortMultipartUpload"]);
    let checks = doctor(&bench, "").exits(4);
    checks.has("permission", FAILED, "s3:PutObject is denied");
    let statement =
        r#"{\"Action\":\"s3:PutObject\",\"Effect\":\"Allow\",\"Resource\":\"arn:aws:s3:::bench/p/*\"}"#;
    checks.is_mended_by("permission", FAILED, statement);
    allow(&bench, &["s3:PutObject"]);
    let checks = doctor(&bench, "").exits(0);
    checks.has("permission", OK, "s3:PutObject");
    checks.has(
        "permission",
        WARNING,
        "s3:AbortMultipartUpload is denied, which an object of more than one part takes",
    );
    bench.assert_keys(&[]);
}

#[test]
fn of_an_access_point_that_is_named_by_its_alias_only_the_form_of_the_arn_is_shown() {
    let bench = Bench::new();
    let alias = "p-abcdefghijk-s3alias";
    bench.sandbox.s3().create_bucket(alias);
    allow(&bench, &["s3:ListBucket", "s3:AbortMultipartUpload"]);
    let ended = bench.run(&format!("doctor s3://{alias}/p/")).exits(4);
    let list =
        format!("list-access-points --account-id ACCOUNT --query \"AccessPointList[?Alias=='{alias}']");
    let ended = ended.says(&["policies name an access point by its ARN, not by its alias", &list]);
    let shown = String::from_utf8(ended.stdout).unwrap();
    let form = r#""Resource":"arn:aws:s3:us-east-1:ACCOUNT:accesspoint/NAME/object/p/*""#;
    assert!(shown.contains(form) && !shown.contains(&format!(":::{alias}")), "{shown}");
}

#[test]
fn what_a_get_needs_is_allowed_or_denied() {
    let bench = Bench::new();
    doctor(&bench, "--for get").exits(0).has("permission", OK, "s3:GetObject");
    // S3 names the action that an object which does not exist takes in addition.
    allow(&bench, &["s3:GetObject"]);
    let checks = doctor(&bench, "--for get").exits(0);
    checks.has("permission", OK, "s3:GetObject");
    checks.has("permission", WARNING, "s3:ListBucket is denied, which everything below a prefix takes");
    allow(&bench, &["s3:PutObject"]);
    doctor(&bench, "--for get").exits(4).has("permission", FAILED, "s3:GetObject is denied");
}

#[test]
fn what_inspect_and_rotate_need_is_allowed_or_denied() {
    let bench = Bench::new();
    for (verb, action) in
        [("inspect", "s3:ListBucket"), ("rotate", "s3:GetObjectAcl"), ("rotate", "s3:PutObject")]
    {
        let words = format!("--for {verb} -e sse-s3");
        bench.sandbox.user().clear_policy();
        doctor(&bench, &words).exits(0).has("permission", OK, action);
        allow(&bench, &["s3:GetObject"]);
        doctor(&bench, &words).exits(4).has("permission", FAILED, &format!("{action} is denied"));
    }
}

#[test]
fn a_rotation_needs_what_its_way_takes() {
    let bench = Bench::new();
    for (name, seed) in [("new.key", 1), ("old.key", 2)] {
        bench.write(name, &key(seed));
    }
    let tagging = |words: &str| {
        let checks = doctor(&bench, &format!("--for rotate {words}"));
        checks.has("permission", OK, "s3:GetObjectAcl");
        let all = checks.all("permission");
        let found = all.iter().find(|check| check["seen"].to_string().contains("s3:GetObjectTagging"));
        (found.unwrap()["state"].as_str().unwrap().to_owned(), all.len())
    };
    allow(&bench, &["s3:ListBucket", "s3:GetObject", "s3:GetObjectAcl", "s3:PutObject"]);
    // A new wrap of the same data key: only an object of many parts takes more.
    let (rewrap, _) = tagging("--key new.key --from-key old.key");
    assert_eq!(rewrap, WARNING);
    for words in [
        "--key new.key --format esdk --from-key old.key",
        "--key new.key --from sse-s3",
        "-e sse-s3 --from-key old.key",
        "-e sse-s3 --from client",
    ] {
        assert_eq!(tagging(words).0, FAILED, "{words}");
    }
    assert_eq!(tagging("-e sse-s3 --from sse-c").0, WARNING);
    let checks = doctor(&bench, "--for rotate -e sse-s3 --from-key old.key").exits(4);
    // On it the mode is proved before plaintext replaces ciphertext.
    checks.has("permission", WARNING, "s3:DeleteObject is not known");
}

#[test]
fn the_write_test_is_named_for_what_it_tries_and_was_not_asked_to() {
    let bench = Bench::new();
    bench.write("old.key", &key(1));
    let of = |words: &str, action: &str| {
        let checks = doctor(&bench, words);
        let all = checks.all("permission");
        let one = all.iter().find(|check| check["seen"].to_string().contains(action)).unwrap();
        assert_eq!(one["state"], WARNING, "{one}");
        one["remedies"].to_string().contains("--write-test")
    };
    let unclear = || Fault::on("GetObject", Kind::status(501, "NotImplemented", "no such call")).always();
    bench.sandbox.fault(unclear());
    assert!(of("--for get", "s3:GetObject"));
    assert!(!of("--for get --write-test", "s3:GetObject"));
    bench.sandbox.clear_faults();
    assert!(!of("--for rotate -e sse-s3 --from-key old.key", "s3:DeleteObject"));
}

#[test]
fn statements_name_a_bucket_with_the_part_of_aws_that_it_is_in() {
    let region = "cn-north-1".to_owned();
    let bench = Bench::with(Config { region, ..Config::with_buckets([BUCKET]) });
    allow(&bench, &["s3:PutObject"]);
    let checks = doctor(&bench, "--for get");
    checks.is_mended_by("permission", FAILED, r#"\"arn:aws-cn:s3:::bench/p/*\""#);
    checks.is_mended_by("versioning", WARNING, r#"\"arn:aws-cn:s3:::bench\""#);
    checks.is_mended_by("newest_object", WARNING, r#"\"arn:aws-cn:s3:::bench\""#);
    allow(&bench, &["s3:*"]);
    let checks = doctor(&bench, "--for get").exits(0);
    checks.is_mended_by("plain_http", WARNING, r#"\"arn:aws-cn:s3:::bench/*\""#);
}

#[test]
fn a_refusal_with_two_explanations_is_not_believed() {
    let bench = Bench::new();
    let denied = || Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("GetObject", denied()));
    doctor(&bench, "--for get").exits(4).has("permission", FAILED, "s3:GetObject is denied");
    bench.sandbox.fault(Fault::on("GetObject", denied()));
    bench.sandbox.fault(Fault::on("ListObjectsV2", denied()).always());
    let checks = doctor(&bench, "--for get").exits(0);
    checks.has("permission", WARNING, "s3:GetObject is not known: refused without a reason");
    checks.is_mended_by("permission", WARNING, "--write-test tries it");
}

#[test]
fn a_policy_that_looks_at_the_mode_leaves_the_question_open() {
    let bench = Bench::new();
    let condition = json!({ "Null": { "s3:x-amz-server-side-encryption": "true" } });
    let statement = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                            "Resource": "arn:aws:s3:::bench/*", "Condition": condition });
    let policy = json!({ "Version": "2012-10-17", "Statement": statement });
    bench.sandbox.s3().set_policy(BUCKET, &policy.to_string());
    let checks = doctor(&bench, "-e sse-s3").exits(0);
    checks.has("permission", WARNING, "denied to a question without a mode");
    doctor(&bench, "-e sse-s3 --write-test").exits(0).has("write_test", OK, "stored in SSE-S3");
}

#[test]
fn a_server_that_does_not_know_a_question_is_no_good_sign() {
    let bench = Bench::new();
    bench
        .sandbox
        .fault(Fault::on("CompleteMultipartUpload", Kind::status(501, "NotImplemented", "no such call")));
    doctor(&bench, "").exits(0).has("permission", WARNING, "this server does not answer the question");
}
