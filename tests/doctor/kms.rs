//! The KMS keys that a verb uses: their state, their region and account, and what the user may do with them.

use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::s3::DefaultEncryption;
use s3seal_sandbox::{Answer, Fault, Kind};
use serde_json::json;

use crate::support::{ALIAS, BUCKET, Bench, key};
use crate::{Checks, FAILED, OK, WARNING, doctor, program};

const S3: &str = "-e sse-kms --kms-key alias/backup";
const OURS: &str = "-e client --kms-key alias/backup";

#[test]
fn a_key_that_can_be_used_is_named_with_what_it_allows_and_is_not_used() {
    let bench = Bench::new();
    let arn = bench.sandbox.kms().key_arn(ALIAS);
    let allowed = |words: &str| {
        let checks = doctor(&bench, words).exits(0);
        checks.has("kms_key", OK, &format!("alias/backup is {arn}, enabled"));
        checks.has("kms_permissions", OK, "alias/backup allows ")["seen"].as_str().unwrap().to_owned()
    };
    for (words, actions) in [
        ("", "kms:GenerateDataKey, kms:Decrypt"),
        ("--for get", "kms:Decrypt"),
        ("--for inspect", "kms:Decrypt"),
        ("--for rotate", "kms:GenerateDataKey, kms:Decrypt, kms:Encrypt, kms:ReEncrypt*"),
    ] {
        let seen = allowed(&format!("{S3} {words}"));
        assert_eq!(seen, format!("alias/backup allows {actions}"), "{words}");
    }
    assert_eq!(allowed(OURS), "alias/backup allows kms:GenerateDataKey");
    allowed("-e dsse-kms --kms-key alias/backup");
    // The key of the ciphertext at rest is another one.
    let at_rest = format!("{OURS} --at-rest sse-kms:{arn}");
    doctor(&bench, &at_rest).exits(0).has("kms_key", OK, &format!("{arn}, enabled"));
    let uses = bench.sandbox.kms().uses();
    assert!(uses.iter().all(|used| used.action == KmsAction::DescribeKey), "{uses:?}");
}

#[test]
fn a_key_in_a_state_without_use_is_in_the_way() {
    let bench = Bench::new();
    let kms = bench.sandbox.kms();
    let arn = kms.key_arn(ALIAS);
    kms.disable(ALIAS);
    for words in [S3, OURS] {
        let checks = doctor(&bench, words).exits(5);
        checks.has("kms_key", FAILED, "is disabled");
        checks.is_mended_by("kms_key", FAILED, &format!("aws kms enable-key --key-id {arn}"));
    }
    kms.schedule_deletion(ALIAS);
    let checks = doctor(&bench, S3).exits(5);
    checks.has("kms_key", FAILED, "is pending deletion, on 2");
    checks.is_mended_by("kms_key", FAILED, "aws kms cancel-key-deletion --key-id");
    kms.await_import(ALIAS);
    let checks = doctor(&bench, S3).exits(5);
    checks.has("kms_key", FAILED, "has no key material yet");
    checks.is_mended_by("kms_key", FAILED, "aws kms get-parameters-for-import --key-id");
    kms.enable(ALIAS);
    doctor(&bench, S3).exits(0);
    kms.delete_now(ALIAS);
    let checks = doctor(&bench, S3).exits(5);
    checks.has("kms_key", FAILED, "AWS KMS does not know the key");
}

#[test]
fn the_key_of_the_buckets_default_encryption_is_looked_at_where_it_counts() {
    let bench = Bench::new();
    let kms = bench.sandbox.kms();
    let arn = kms.key_arn(ALIAS);
    let default = |key: &str| {
        let default = DefaultEncryption::SseKms { key: Some(key.to_owned()), bucket_key: true };
        bench.sandbox.s3().set_default_encryption(BUCKET, default);
    };
    bench.write("key", &key(1));
    default(&arn);
    doctor(&bench, "").exits(0).has("kms_key", OK, &format!("{arn}, enabled"));
    kms.deny(KmsAction::DescribeKey, None);
    doctor(&bench, "").exits(0).has("kms_key", WARNING, "kms:DescribeKey is denied");
    kms.allow_all();
    kms.disable(ALIAS);
    // Client-side ciphertext is stored under it too.
    for words in ["", "-e client --key key"] {
        let checks = doctor(&bench, words).exits(5);
        checks.has("kms_key", FAILED, "is disabled");
    }
    for words in ["-e sse-s3", "-e client --key key --at-rest sse-s3", "--for get", "--for inspect"] {
        assert!(doctor(&bench, words).exits(0).all("kms_key").is_empty(), "{words}");
    }
    default("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    doctor(&bench, "").exits(5).has("kms_key", FAILED, "AWS KMS does not know the key");
    // Whatever it is, the user's own key is looked at.
    default("no name");
    let checks = doctor(&bench, "-e client --kms-key alias/nowhere").exits(5);
    checks.has("kms_key", WARNING, "has no name that KMS accepts");
    checks.has("kms_key", FAILED, "alias/nowhere");
}

#[test]
fn a_key_that_may_not_be_described_can_still_be_asked_for_permissions() {
    let bench = Bench::new();
    bench.sandbox.kms().deny(KmsAction::DescribeKey, None);
    let checks = doctor(&bench, S3).exits(0);
    checks.has("kms_key", WARNING, "kms:DescribeKey is denied");
    // Policies name a key by its ARN, which an alias does not show.
    checks.is_mended_by("kms_key", WARNING, "\"a policy must allow kms:DescribeKey on the key\"");
    let arn = bench.sandbox.kms().key_arn(ALIAS);
    let named = doctor(&bench, &format!("-e sse-kms --kms-key {arn}")).exits(0);
    named.is_mended_by("kms_key", WARNING, &format!(r#"\"Resource\":\"{arn}\""#));
    checks.has("kms_permissions", OK, "kms:GenerateDataKey");
    // A state that could not be seen shows in the dry run.
    bench.sandbox.kms().disable(ALIAS);
    doctor(&bench, S3).exits(5).has("kms_permissions", FAILED, "is disabled");
}

#[test]
fn what_is_denied_to_the_user_is_in_the_way_of_the_user_and_perhaps_of_s3() {
    let bench = Bench::new();
    let arn = bench.sandbox.kms().key_arn(ALIAS);
    for (verb, action, name) in [
        ("put", KmsAction::GenerateDataKey, "kms:GenerateDataKey"),
        ("get", KmsAction::Decrypt, "kms:Decrypt"),
        ("rotate", KmsAction::Decrypt, "kms:Decrypt"),
    ] {
        bench.sandbox.kms().deny(action, Some(&arn));
        let checks = doctor(&bench, &format!("{OURS} --for {verb}")).exits(4);
        checks.has("kms_permissions", FAILED, &format!("denies {name} on {arn}"));
        let checks = doctor(&bench, &format!("{S3} --for {verb}")).exits(0);
        checks.has("kms_permissions", WARNING, &format!("{name} on alias/backup is denied to you"));
        checks.is_mended_by("kms_permissions", WARNING, "kms:ViaService");
        checks.is_mended_by("kms_permissions", WARNING, &format!(r#"\"Resource\":\"{arn}\""#));
        bench.sandbox.kms().allow_all();
    }
    // Not every put is one in parts.
    bench.sandbox.kms().deny(KmsAction::Decrypt, Some(&arn));
    let checks = doctor(&bench, S3).exits(0);
    checks.has("kms_permissions", WARNING, "which is for uploads in parts");
    checks.has("kms_permissions", OK, "allows kms:GenerateDataKey");
}

#[test]
fn the_old_key_of_a_rotation_is_looked_at_too() {
    let bench = Bench::new();
    let old = bench.sandbox.kms().create_key().to_string();
    for (from, denied) in [("", WARNING), ("--from client", FAILED)] {
        let words = format!("{S3} --for rotate --from-kms-key {old} {from}");
        doctor(&bench, &words).exits(0).has("kms_permissions", OK, &format!("{old} allows kms:Decrypt"));
        bench.sandbox.kms().deny(KmsAction::Decrypt, Some(&old));
        doctor(&bench, &words).has("kms_permissions", denied, &format!("kms:Decrypt on {old}"));
        bench.sandbox.kms().allow_all();
    }
    bench.sandbox.kms().disable(&old);
    let checks = doctor(&bench, &format!("{S3} --for rotate --from-kms-key {old}")).exits(5);
    checks.has("kms_key", FAILED, "is disabled");
}

#[test]
fn the_policy_of_the_key_counts_too() {
    let bench = Bench::new();
    let arn = bench.sandbox.kms().key_arn(ALIAS);
    let policy = |principal: &str| {
        let statement = json!({ "Effect": "Allow", "Principal": { "AWS": principal },
                                "Action": ["kms:DescribeKey", "kms:GenerateDataKey"], "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
    };
    bench.sandbox.kms().set_key_policy(&arn, &policy("arn:aws:iam::111122223333:user/other"));
    doctor(&bench, OURS).exits(4).has("kms_permissions", FAILED, "no resource-based policy allows");
    bench.sandbox.kms().set_key_policy(&arn, &policy("arn:aws:iam::111122223333:user/sandbox"));
    doctor(&bench, OURS).exits(0).has("kms_permissions", OK, "kms:GenerateDataKey");
}

#[test]
fn a_key_of_another_region_is_in_the_way() {
    let bench = Bench::new();
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
    for mode in ["sse-kms", "client"] {
        let checks = doctor(&bench, &format!("-e {mode} --kms-key {arn}")).exits(5);
        checks.has("kms_key", FAILED, "is in eu-west-1");
        checks.is_mended_by("kms_key", FAILED, "--kms-key arn:aws:kms:us-east-1:111122223333:key/mrk-");
    }
    // An alias of that region is unknown here.
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/backup";
    doctor(&bench, &format!("-e sse-kms --kms-key {alias}")).exits(5).has("kms_key", FAILED, "does not know");
}

#[test]
fn a_key_of_another_account_is_named_as_one() {
    let bench = Bench::new();
    let seen = |account: &str| {
        let program = program(&bench, S3).with("AWS_ACCOUNT_ID", account);
        Checks::of(program.run()).exits(0).has("kms_key", OK, "enabled")["seen"].as_str().unwrap().to_owned()
    };
    assert!(seen("999999999999").contains("of the account 111122223333, not of yours (999999999999)"));
    assert!(!seen("111122223333").contains("not of yours"));
}

#[test]
fn a_key_of_another_account_must_allow_it_too() {
    let bench = Bench::new();
    let kms = bench.sandbox.kms();
    let arn = kms.create_key_in("999988887777").to_string();
    let words = format!("-e client --kms-key {arn}");
    let checks = doctor(&bench, &words).exits(4);
    checks.has("kms_key", WARNING, "kms:DescribeKey is denied");
    checks.has("kms_permissions", FAILED, "no resource-based policies allow access");
    let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "kms:*",
        "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Resource": "*" }] });
    kms.set_key_policy(&arn, &policy.to_string());
    let checks = doctor(&bench, &words).exits(0);
    checks.has("kms_key", OK, &format!("{arn}, enabled"));
    checks.has("kms_permissions", OK, "kms:GenerateDataKey");
}

#[test]
fn the_accounts_own_key_needs_no_permission() {
    let bench = Bench::new();
    bench.sandbox.user().set_policy(
        r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*", "kms:DescribeKey"],
            "Resource": "*"}}"#,
    );
    doctor(&bench, "-e sse-kms").exits(0).has("kms_key", OK, "alias/aws/s3 is arn:aws:kms:");
    let checks = doctor(&bench, "-e sse-kms --kms-key alias/aws/s3").exits(0);
    checks.has("kms_permissions", OK, "S3 may use it for everybody in its account");
    // Only S3 may: nothing is encrypted client-side with it.
    let checks = doctor(&bench, "-e client --kms-key alias/aws/s3").exits(4);
    checks.has("kms_permissions", FAILED, "kms:GenerateDataKey");
}

#[test]
fn a_kms_that_knows_no_dry_runs_tells_nothing() {
    let bench = Bench::new();
    let unknown = Kind::status(400, "ValidationException", "no such parameter");
    bench.sandbox.fault(Fault::on("kms:GenerateDataKey", unknown));
    let checks = doctor(&bench, OURS).exits(0);
    checks.has("kms_permissions", WARNING, "does not answer dry runs of kms:GenerateDataKey");
    // One that makes the request all the same has not said that it is allowed.
    let arn = bench.sandbox.kms().key_arn(ALIAS);
    let made = json!({ "KeyId": arn, "Plaintext": "c2VjcmV0", "CiphertextBlob": "AAAA" }).to_string();
    let made = Kind::answer(move |_| {
        Answer::new(200).header("content-type", "application/x-amz-json-1.1").body(made.clone())
    });
    bench.sandbox.fault(Fault::on("kms:GenerateDataKey", made));
    let checks = doctor(&bench, OURS).exits(0);
    let unknown = "is not known: this server does not know dry runs";
    checks.has("kms_permissions", WARNING, &format!("kms:GenerateDataKey {unknown}"));
    // Nor has one that misses the ciphertext said anything of the key.
    let missed = Kind::status(400, "InvalidCiphertextException", "");
    bench.sandbox.fault(Fault::on("kms:Decrypt", missed));
    let checks = doctor(&bench, &format!("{OURS} --for get")).exits(0);
    checks.has("kms_permissions", WARNING, &format!("kms:Decrypt {unknown}"));
}

#[test]
fn a_kms_that_is_not_there_is_in_the_way_of_the_user_alone() {
    let bench = Bench::new();
    let absent = "--kms-endpoint-url https://127.0.0.1:1 --max-attempts 1";
    doctor(&bench, &format!("{OURS} {absent}")).exits(7).has(
        "kms_key",
        FAILED,
        "no connection could be made",
    );
    doctor(&bench, &format!("{S3} {absent}")).exits(0).has("kms_key", WARNING, "does not answer");
}
