//! KMS behind S3, and KMS itself: denied, disabled, waiting for deletion, unknown, elsewhere.

use s3seal_sandbox::kms::KmsAction;

use crate::support::{ALIAS, Bench, PART, bytes};

/// A bench with an object under the key behind the alias, and that key's ARN.
fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.write("source", b"text");
    let arn = bench.sandbox.kms().create_key_with_alias("alias/mine").0;
    bench.run("put source s3://bench/server -e sse-kms --kms-key alias/mine").ok();
    bench.run("put source s3://bench/client -e client --kms-key alias/mine").ok();
    (bench, arn)
}

const PUTS: [&str; 3] = [
    "put source s3://bench/new -e sse-kms --kms-key alias/mine",
    "put source s3://bench/new -e dsse-kms --kms-key alias/mine",
    "put source s3://bench/new -e client --kms-key alias/mine",
];
const GETS: [&str; 2] = ["get s3://bench/server copy", "get s3://bench/client copy --kms-key alias/mine"];

fn nothing_is_written(bench: &Bench) {
    bench.assert_keys(&["client", "server"]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_denied_write_names_the_action_and_the_key() {
    let (bench, arn) = bench();
    bench.sandbox.kms().deny(KmsAction::GenerateDataKey, None);
    for line in PUTS {
        bench.run(line).exits(4).says(&[
            "was refused: AWS KMS denies kms:GenerateDataKey on",
            &arn,
            "cause: AccessDenied",
            &format!("hint: allow kms:GenerateDataKey on {arn}"),
        ]);
    }
    nothing_is_written(&bench);
}

#[test]
fn a_kms_that_is_not_there_is_told_with_the_flag_that_names_it() {
    let (bench, _) = bench();
    let line = "put source s3://bench/new -e client --kms-key alias/mine --max-attempts 1";
    let ended = bench.run(&format!("{line} --kms-endpoint-url https://127.0.0.1:1")).exits(7);
    assert!(!ended.stderr.contains("check --endpoint-url"), "{}", ended.stderr);
    ended.says(&["hint: check --kms-endpoint-url, AWS_ENDPOINT_URL_KMS and --region"]);
    nothing_is_written(&bench);
}

#[test]
fn a_denied_read_names_the_action_and_the_key() {
    let (bench, arn) = bench();
    bench.sandbox.kms().deny(KmsAction::Decrypt, Some(&arn));
    for line in GETS {
        bench.run(line).exits(4).writes_nothing().says(&[
            &format!("was refused: AWS KMS denies kms:Decrypt on {arn}"),
            &format!("hint: allow kms:Decrypt on {arn}"),
        ]);
    }
    nothing_is_written(&bench);
}

#[test]
fn an_upload_in_parts_needs_decrypt_too_and_says_so() {
    let (bench, arn) = bench();
    bench.write("source", &bytes(PART + 1));
    bench.sandbox.kms().deny(KmsAction::Decrypt, Some(&arn));
    let ended = bench.run("put source s3://bench/new -e sse-kms --kms-key alias/mine --part-size 5MiB");
    ended.exits(4).says(&[
        &format!("AWS KMS denies kms:Decrypt on {arn}"),
        "writing takes kms:GenerateDataKey, and in parts kms:Decrypt too",
    ]);
    nothing_is_written(&bench);
}

#[test]
fn a_disabled_key_is_told_with_how_to_enable_it() {
    let (bench, arn) = bench();
    bench.sandbox.kms().disable(&arn);
    for line in PUTS.iter().chain(&GETS) {
        let ended = bench.run(line).exits(5).writes_nothing().says(&[
            &format!("the KMS key {arn} is disabled"),
            &format!("hint: `aws kms enable-key --key-id {arn}"),
        ]);
        assert!(!ended.stderr.contains("cannot open"), "{line}: {}", ended.stderr);
    }
    nothing_is_written(&bench);
}

#[test]
fn a_key_that_waits_for_its_deletion_is_told_with_how_to_keep_it() {
    let (bench, arn) = bench();
    bench.sandbox.kms().schedule_deletion(&arn);
    for line in PUTS.iter().chain(&GETS) {
        bench.run(line).exits(5).writes_nothing().says(&[
            &format!("the KMS key {arn} is pending deletion"),
            &format!("hint: `aws kms cancel-key-deletion --key-id {arn}"),
        ]);
    }
    nothing_is_written(&bench);
}

#[test]
fn a_key_that_is_gone_is_told_as_unknown() {
    let (bench, arn) = bench();
    bench.sandbox.kms().delete_now(&arn);
    bench.run(GETS[0]).exits(5).says(&[&format!("AWS KMS does not know the key {arn}")]);
    nothing_is_written(&bench);
}

#[test]
fn an_unknown_key_is_named() {
    let (bench, arn) = bench();
    let account = "arn:aws:kms:us-east-1:111122223333";
    let unknown = [
        "11111111-2222-3333-4444-555555555555".to_owned(),
        "alias/nothing".to_owned(),
        format!("{account}:key/11111111-2222-3333-4444-555555555555"),
        arn.replace("us-east-1", "us-west-2"),
    ];
    for mode in ["sse-kms", "dsse-kms", "client"] {
        for key in &unknown {
            let ended = bench.run(&format!("put source s3://bench/new -e {mode} --kms-key {key}"));
            ended.exits(5).says(&["AWS KMS does not know the key", "check --kms-key and --region"]);
        }
    }
    nothing_is_written(&bench);
}

#[test]
fn the_refusal_of_a_part_aborts_the_upload() {
    let (bench, arn) = bench();
    bench.write("source", &bytes(3 * PART));
    let disable = {
        let arn = arn.clone();
        bench.meanwhile(move |sandbox| sandbox.kms().disable(&arn))
    };
    bench.sandbox.fault(s3seal_sandbox::Fault::on("UploadPart", disable).skip(1));
    let ended = bench.run("put source s3://bench/new -e sse-kms --kms-key alias/mine --part-size 5MiB -j 1");
    ended.exits(5).says(&[&format!("the KMS key {arn} is disabled")]);
    nothing_is_written(&bench);
}

#[test]
fn another_account_s_alias_is_said_to_need_its_arn() {
    let (bench, _) = bench();
    bench
        .run("put source s3://bench/new -e sse-kms --kms-key alias/theirs")
        .exits(5)
        .says(&["name another account's key by its ARN"]);
    bench.run(&format!("put source s3://bench/new -e sse-kms --kms-key {ALIAS}")).ok();
}
