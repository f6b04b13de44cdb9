//! "Authenticated" means what it says: which key opened an object, and what that proves of who sealed it.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{ALIAS, Bench, key};

pub fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.write("key", &key(7));
    bench.write("other", &key(8));
    bench.write("phrase", b"correct horse battery staple");
    for name in ["rsa_a.pem", "rsa_a.pub.pem"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
        bench.write(name, &std::fs::read(from).unwrap());
    }
    bench
}

#[test]
fn the_outcome_says_which_key_opened_an_object_and_what_that_proves() {
    let bench = bench();
    for format in ["s3ec", "esdk"] {
        for (seals, opens, kind, words, authenticated) in [
            ("--key key", "--key other --key key", "aes", "encrypted by a holder of this key", true),
            (
                "--passphrase=file:phrase",
                "--passphrase=file:phrase",
                "passphrase",
                "encrypted by a holder of this passphrase",
                true,
            ),
            (
                &*format!("--kms-key {ALIAS}"),
                &*format!("--kms-key {ALIAS}"),
                "kms",
                "encrypted by a user of this KMS key",
                true,
            ),
            (
                "--public-key rsa_a.pub.pem",
                "--private-key rsa_a.pem",
                "rsa",
                "intact; anyone with the public key could have encrypted it",
                false,
            ),
        ] {
            bench.run(&format!("put source s3://bench/object -e client --format {format} {seals}")).ok();
            let get = format!("get s3://bench/object back {opens}");
            let said = bench.run(&get).ok().says(&[words]);
            assert_eq!(said.stderr.contains("authenticated"), authenticated, "{}", said.stderr);
            let document = bench.run(&format!("{get} --json")).ok().json();
            assert_eq!(document["authenticated"], authenticated, "{format} {seals}");
            assert_eq!(document["intact"], true, "{format} {seals}");
            assert_eq!(document["opened_by"]["kind"], kind, "{format} {seals}");
            let named = matches!(kind, "aes" | "rsa");
            assert_eq!(document["opened_by"]["key_fingerprint"].is_string(), named, "{format} {seals}");
        }
    }
}

#[test]
fn what_s3_decrypts_is_not_called_authenticated() {
    let bench = bench();
    for flags in ["", "-e sse-s3", "-e sse-kms", "-e dsse-kms"] {
        bench.run(&format!("put source s3://bench/object {flags}")).ok();
        let document = bench.run("get s3://bench/object back --json").ok().json();
        assert_eq!(document["authenticated"], false, "{flags}");
        assert_eq!((&document["opened_by"], &document["intact"]), (&Value::Null, &Value::Null), "{flags}");
        let said = bench.run("get s3://bench/object back").ok().stderr;
        assert!(!said.to_lowercase().contains("authenticated"), "{said}");
    }
}

#[test]
fn the_fingerprint_told_is_that_of_the_key_which_opened_it_and_not_the_one_noted() {
    let bench = bench();
    bench.run("put source s3://bench/object -e client --key key").ok();
    let mut metadata = bench.object("object").metadata;
    let noted = json!({ "s3seal-key": "0123456789abcdef" }).to_string();
    metadata.insert("x-amz-m".to_owned(), noted);
    bench.sandbox.s3().set_metadata(crate::support::BUCKET, "object", metadata);
    let document = bench.run("get s3://bench/object back --key key --json").ok().json();
    assert_ne!(document["opened_by"]["key_fingerprint"], "0123456789abcdef");
    assert_eq!(document["opened_by"]["key_fingerprint"], document["encryption"]["key_fingerprint"]);
}

#[test]
fn inspect_says_which_key_opens_an_object_and_that_it_read_no_bytes() {
    let bench = bench();
    for format in ["s3ec", "esdk"] {
        for (seals, opens, kind, words) in [
            ("--key key", "--key other --key key", "aes", "(content not read)"),
            (
                "--passphrase=file:phrase",
                "--passphrase=file:phrase",
                "passphrase",
                "opened with a passphrase",
            ),
            (
                "--public-key rsa_a.pub.pem",
                "--private-key rsa_a.pem",
                "rsa",
                "(content not read; anyone with the public key could have encrypted it)",
            ),
        ] {
            bench.run(&format!("put source s3://bench/object -e client --format {format} {seals}")).ok();
            let client =
                bench.run(&format!("inspect s3://bench/object {opens} --json")).ok().json()["client"].clone();
            assert_eq!(client["opened_by"]["kind"], kind, "{format} {seals}");
            assert_eq!(
                client["opened_by"]["key_fingerprint"].is_string(),
                kind != "passphrase",
                "{format} {seals}"
            );
            let page = bench.run(&format!("inspect s3://bench/object {opens} --format table")).ok();
            let page = String::from_utf8(page.stdout).unwrap();
            assert!(page.contains("opened with ") && page.contains(words), "{page}");
            let wrong = bench.run("inspect s3://bench/object --key other --json").ok().json();
            assert_eq!(wrong["client"]["opened_by"], Value::Null, "{format} {seals}");
        }
    }
}
