//! Several may open one object; nobody else may.

use super::stored::{SEAL, Stored, bench, message};
use crate::support::{ALIAS, key};

#[test]
fn any_one_of_several_recipients_opens() {
    let bench = bench();
    bench.write("second", &key(9));
    bench.write("source", b"for five");
    let other = bench.sandbox.kms().create_key().0;
    bench
        .run(&format!(
            "put source s3://bench/object {SEAL} --key second --public-key rsa_a.pub.pem --kms-key {ALIAS} \
             --kms-key {other} --passphrase=file:phrase"
        ))
        .ok();
    assert_eq!(message(&bench.object("object").plaintext.unwrap()).edks().len(), 6);
    for keys in [
        "--key key",
        "--key second",
        "--private-key rsa_a.pem",
        &format!("--kms-key {ALIAS}"),
        &format!("--kms-key {other}"),
        "--kms-discovery --kms-account 111122223333",
        "--passphrase=file:phrase",
        "--key other --key second",
        "--key other --private-key rsa_b.pem --passphrase=file:phrase",
    ] {
        assert_eq!(bench.run(&format!("get s3://bench/object - {keys}")).ok().stdout, b"for five", "{keys}");
    }
    let stranger = bench.sandbox.kms().create_key().0;
    for keys in ["--key other", "--private-key rsa_b.pem", &format!("--kms-key {stranger}")] {
        bench.run(&format!("get s3://bench/object - {keys}")).exits(5).writes_nothing();
    }
}

#[test]
fn another_key_is_refused_before_any_byte() {
    let stored = Stored::new(100);
    stored.bench.run("get s3://bench/object - --key other").exits(5).writes_nothing();
    stored.bench.run("get s3://bench/object copy --key other").exits(5);
    stored.bench.run("get s3://bench/object - --private-key rsa_a.pem").exits(5).writes_nothing();
    stored.bench.run("get s3://bench/object -").exits(5).writes_nothing();
    stored.bench.run(&format!("get s3://bench/object - --kms-key {ALIAS}")).exits(5).writes_nothing();
    stored.bench.assert_tidy(&[
        "key",
        "other",
        "phrase",
        "rsa_a.pem",
        "rsa_a.pub.pem",
        "rsa_b.pem",
        "source",
    ]);
}

#[test]
fn another_passphrase_is_refused() {
    let bench = bench();
    bench.write("source", b"text");
    bench.write("wrong", b"incorrect horse\n");
    bench.run("put source s3://bench/object -e client --format esdk --passphrase=file:phrase").ok();
    bench.run("get s3://bench/object - --passphrase=file:wrong").exits(5).writes_nothing();
}

#[test]
fn kms_keys_that_may_not_be_used_are_told() {
    let bench = bench();
    bench.write("source", b"text");
    let arn = bench.sandbox.kms().create_key().0;
    bench.run(&format!("put source s3://bench/object -e client --format esdk --kms-key {arn}")).ok();
    bench.sandbox.kms().disable(&arn);
    bench
        .run(&format!("get s3://bench/object - --kms-key {arn}"))
        .exits(5)
        .writes_nothing()
        .says(&["disabled"]);
    bench.sandbox.kms().enable(&arn);
    bench.sandbox.kms().deny(s3seal_sandbox::kms::KmsAction::Decrypt, None);
    bench.run(&format!("get s3://bench/object - --kms-key {arn}")).exits(4).writes_nothing();
}

#[test]
fn the_names_of_raw_keys_are_those_given_or_their_fingerprints() {
    let bench = bench();
    bench.write("source", b"text");
    let ended = bench.run(&format!("put source s3://bench/object {SEAL} --json")).ok();
    let print = ended.json()["key"].as_str().map(str::to_owned);
    let names = ended.json()["key_names"].clone();
    let edk = message(&bench.object("object").plaintext.unwrap()).edks()[0].clone();
    assert_eq!(names, serde_json::json!([format!("{}/{}", edk.provider(), edk.name())]), "{print:?}");
    assert_eq!(edk.provider(), "s3seal");
    bench.run(&format!("put source s3://bench/object {SEAL} --key-name team/backup-2026")).ok();
    let edk = message(&bench.object("object").plaintext.unwrap()).edks()[0].clone();
    assert_eq!((edk.provider().as_str(), edk.name().as_str()), ("team", "backup-2026"));
    bench.run("get s3://bench/object - --key key").ok();
}

#[test]
fn no_key_leaves_the_program() {
    let bench = bench();
    let key = crate::support::keys::KnownKey::new(3);
    bench.write("known", key.hex().as_bytes());
    bench.write("source", b"text");
    let ended = bench.run("put source s3://bench/object -e client --format esdk --key known -vv").ok();
    assert_eq!(key.found_in(ended.stderr.as_bytes()), None);
    let ended = bench.run("get s3://bench/object - --key known -vv").ok();
    assert_eq!(key.found_in(ended.stderr.as_bytes()), None);
    for request in bench.sandbox.requests() {
        assert_eq!(key.found_in(format!("{request:?}").as_bytes()), None);
    }
    assert_eq!(key.found_in(&bench.object("object").plaintext.unwrap()), None);
}
