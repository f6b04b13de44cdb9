//! An object may choose its KMS key only within accounts or keys that the command line names.

use crate::support::{ALIAS, Bench, Ended};

const OURS: &str = "--kms-discovery --kms-account 111122223333";
const OTHERS: &str = "--kms-discovery --kms-account 999988887777";

/// A bench with an object in each format under a key of account 111122223333, and that key's ARN.
fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.write("source", b"text");
    let arn = bench.sandbox.kms().create_key_with_alias("alias/mine").0;
    for format in ["s3ec", "s3ec-v2", "esdk"] {
        bench
            .run(&format!("put source s3://bench/{format} -e client --kms-key {arn} --format {format}"))
            .ok();
    }
    (bench, arn)
}

fn get(bench: &Bench, format: &str, flags: &str) -> Ended {
    bench.run(&format!("get s3://bench/{format} - --allow-legacy v2 {flags}"))
}

const FORMATS: [&str; 3] = ["s3ec", "s3ec-v2", "esdk"];

#[test]
fn discovery_alone_is_refused_before_anything_is_asked() {
    let (bench, _) = bench();
    bench.sandbox.clear_requests();
    let rotate = format!("rotate s3://bench/s3ec --rewrap --kms-key {ALIAS} --kms-discovery --yes");
    for (line, hint) in [
        ("get s3://bench/s3ec - --kms-discovery".to_owned(), "--kms-key ARN"),
        (format!("get s3://bench/s3ec - --kms-discovery --kms-key {ALIAS}"), "--kms-key ARN"),
        (rotate, "--from-kms-key ARN"),
    ] {
        let ended = bench.run(&line).exits(2).writes_nothing();
        ended.says(&["--kms-discovery alone would decrypt", "hint: add --kms-account ACCOUNT", hint]);
    }
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn an_object_chooses_within_the_accounts_named() {
    let (bench, arn) = bench();
    for format in FORMATS {
        for flags in [
            OURS.to_owned(),
            format!("{OTHERS} --kms-account 111122223333"),
            format!("--kms-discovery --kms-key {arn}"),
            format!("{OTHERS} --kms-key {arn}"),
        ] {
            let ended = get(&bench, format, &flags).ok();
            assert_eq!(ended.stdout, b"text");
            ended.says(&[&format!("data key under {arn}")]);
        }
    }
}

#[test]
fn an_object_under_another_account_s_key_does_not_open() {
    let (bench, arn) = bench();
    for format in FORMATS {
        bench.sandbox.clear_requests();
        let ended = get(&bench, format, OTHERS).exits(5).writes_nothing();
        ended.says(&[
            &format!("cannot open s3://bench/{format}: its data key is wrapped with {arn}"),
            "a KMS key of an account that is not allowed",
            "hint: add --kms-account 111122223333 if you trust that account",
        ]);
    }
    // Its message names the key: there is no need to ask for the data key.
    assert_eq!(bench.requests("kms:Decrypt").len(), 0);
}

#[test]
fn a_rotation_opens_within_the_accounts_named() {
    let (bench, arn) = bench();
    let rotate =
        |flags: &str| bench.run(&format!("rotate s3://bench/s3ec --rewrap --kms-key {ALIAS} {flags} --yes"));
    rotate(OTHERS).exits(5).says(&["not allowed"]);
    let ended = rotate(&format!("{OURS} --json")).ok();
    let key = ended.json()["encryption"]["wrapping_kms_keys"][0].as_str().unwrap().to_owned();
    assert!(key.starts_with("arn:aws:kms:us-east-1:111122223333:key/") && key != arn, "{key}");
    bench.run(&format!("get s3://bench/s3ec - --kms-key {ALIAS}")).ok().says(&[&key]);
}

#[test]
fn an_account_is_twelve_digits_and_goes_with_discovery() {
    let bench = Bench::new();
    bench.run("get s3://bench/o - --kms-discovery --kms-account 1111").exits(2).says(&["twelve digits"]);
    bench.run("get s3://bench/o - --kms-account 111122223333").exits(2).says(&["--kms-discovery"]);
}
