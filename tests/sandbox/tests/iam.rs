//! The user's policy: what it allows, and how S3 and KMS refuse the rest, each by action and resource.

mod bed;

use bed::{Bed, KEY, customer, done, kms, one, refused};
use serde_json::{Value, json};

const USER: &str = "arn:aws:iam::111122223333:user/sandbox";

/// Gives the user these actions, each on its resource.
fn allow(bed: &Bed, allowed: &[(&str, &str)]) {
    let statements: Vec<Value> = allowed
        .iter()
        .map(|(action, resource)| json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
        .collect();
    bed.sandbox.user().set_policy(&json!({ "Version": "2012-10-17", "Statement": statements }).to_string());
}

/// S3's text for what no policy allows.
fn not_allowed(action: &str, resource: &str) -> String {
    format!(
        "User: {USER} is not authorized to perform: {action} on resource: \"{resource}\" because no identity-based \
         policy allows the {action} action"
    )
}

#[test]
fn what_no_policy_allows_is_denied_by_name() {
    let bed = Bed::new();
    done(&bed.put("p/k", &[], b"bytes"));
    allow(&bed, &[("s3:Get*", "arn:aws:s3:::bed/p/*")]);
    done(&bed.get("p/k", &[]));
    refused(
        &bed.put("p/k", &[], b"x"),
        403,
        "AccessDenied",
        &not_allowed("s3:PutObject", "arn:aws:s3:::bed/p/k"),
    );
    refused(&bed.get("q", &[]), 403, "AccessDenied", &not_allowed("s3:GetObject", "arn:aws:s3:::bed/q"));
    assert_eq!(bed.head("q", &[]).status, Some(403));
    let asked = bed.sandbox.user().asked();
    assert!(asked.iter().any(|one| one.action == "s3:PutObject" && !one.allowed), "{asked:?}");
    bed.sandbox.user().clear_policy();
    done(&bed.put("p/k", &[], b"x"));
}

#[test]
fn only_who_may_list_is_told_that_an_object_does_not_exist() {
    let bed = Bed::new();
    allow(&bed, &[("s3:GetObject", "arn:aws:s3:::bed/*")]);
    refused(&bed.get("k", &[]), 403, "AccessDenied", &not_allowed("s3:ListBucket", "arn:aws:s3:::bed"));
    assert_eq!(bed.head("k", &[]).status, Some(403));
    allow(&bed, &[("s3:GetObject", "arn:aws:s3:::bed/*"), ("s3:ListBucket", "arn:aws:s3:::bed")]);
    refused(&bed.get("k", &[]), 404, "NoSuchKey", "The specified key does not exist.");
}

#[test]
fn what_is_written_along_takes_its_own_action() {
    let bed = Bed::new();
    let objects = "arn:aws:s3:::bed/*";
    allow(&bed, &[("s3:PutObject", objects)]);
    for (header, value, action) in [
        ("x-amz-tagging", "a=b", "s3:PutObjectTagging"),
        ("x-amz-acl", "private", "s3:PutObjectAcl"),
        ("x-amz-object-lock-legal-hold", "ON", "s3:PutObjectLegalHold"),
    ] {
        let denied = not_allowed(action, "arn:aws:s3:::bed/k");
        refused(&bed.put("k", &one(header, value), b"x"), 403, "AccessDenied", &denied);
    }
    bed.sandbox.user().clear_policy();
    done(&bed.put("k", &one("x-amz-tagging", "a=b"), b"x"));
    allow(&bed, &[("s3:PutObject", objects), ("s3:GetObject", objects), ("s3:PutObjectTagging", objects)]);
    let copy = one("x-amz-copy-source", "bed/k");
    let denied = not_allowed("s3:GetObjectTagging", "arn:aws:s3:::bed/k");
    refused(&bed.put("c", &copy, b""), 403, "AccessDenied", &denied);
    let deletes = bed.ask("DELETE", "k", &one("if-match", "*"), b"");
    refused(&deletes, 403, "AccessDenied", &not_allowed("s3:DeleteObject", "arn:aws:s3:::bed/k"));
}

#[test]
fn kms_is_asked_on_behalf_of_the_caller_of_s3() {
    let bed = Bed::new();
    let key = bed.sandbox.kms().create_key().to_string();
    let objects = "arn:aws:s3:::bed/*";
    allow(&bed, &[("s3:*", objects), ("kms:GenerateDataKey", &key)]);
    done(&bed.put("k", &kms(&key), b"x"));
    let denied = format!(
        "User: {USER} is not authorized to perform: kms:Decrypt on resource: {key} because no identity-based policy \
         allows the kms:Decrypt action"
    );
    refused(&bed.get("k", &[]), 403, "AccessDenied", &denied);
    let (status, answer) = bed.client.kms("DescribeKey", &json!({ "KeyId": key }));
    assert_eq!((status, &answer["__type"]), (400, &json!("AccessDeniedException")));
    // A customer's key is no key of KMS.
    done(&bed.put("c", &customer(&KEY), b"x"));
    done(&bed.get("c", &customer(&KEY)));
}

#[test]
fn a_policy_may_allow_the_listing_of_a_prefix_only() {
    let bed = Bed::new();
    bed.sandbox.user().set_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::bed", "Condition": {"StringLike": {"s3:prefix": "p/*"}}}}"#,
    );
    done(&bed.ask("GET", "?list-type=2&prefix=p%2F", &[], b""));
    for wider in ["?list-type=2", "?list-type=2&prefix=q%2F"] {
        let denied = not_allowed("s3:ListBucket", "arn:aws:s3:::bed");
        refused(&bed.ask("GET", wider, &[], b""), 403, "AccessDenied", &denied);
    }
}
