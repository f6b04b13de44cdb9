//! The keys of this machine: their files, what they are, and whether they open what is there already.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, Bench, CUSTOMER_KEY};
use crate::{Checks, FAILED, OK, WARNING, doctor};

/// A bench with two keys, the halves of two RSA keys, two passphrases and something to store.
fn bench() -> Bench {
    let bench = Bench::hostile();
    for (name, seed) in [("a.key", 1), ("b.key", 2)] {
        bench.write(name, KnownKey::new(seed).hex().as_bytes());
    }
    for name in ["rsa_a.pem", "rsa_a.pub.pem", "rsa_b.pem"] {
        let path = format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        bench.write(name, &fs::read(path).unwrap());
    }
    bench.write("a.words", b"correct horse battery staple");
    bench.write("b.words", b"another passphrase altogether");
    bench.write("small", b"content");
    bench
}

/// The fingerprint that `keygen --show` prints.
fn fingerprint(bench: &Bench, key: &str) -> String {
    let ended = bench.run(&format!("keygen --show {key} --json")).ok();
    ended.json()["key_fingerprint"].as_str().unwrap().to_owned()
}

fn set_mode(bench: &Bench, name: &str, mode: u32) {
    fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_is_named_by_its_kind_and_fingerprint_and_its_file_by_mode_and_owner() {
    let bench = bench();
    let seen =
        |words: &str| doctor(&bench, words).exits(0).has("key", OK, "")["seen"].as_str().unwrap().to_owned();
    let print = fingerprint(&bench, "a.key");
    assert_eq!(seen("--key a.key"), format!("a.key: 256-bit key, fingerprint {print}, mode 0600, yours"));
    let md5 = KnownKey::new(1).md5();
    assert_eq!(
        seen("--sse-c-key a.key"),
        format!("a.key: 256-bit key for S3, fingerprint {print}, MD5 {md5}, mode 0600, yours")
    );
    let print = fingerprint(&bench, "rsa_a.pem");
    assert_eq!(
        seen("--public-key rsa_a.pub.pem"),
        format!("rsa_a.pub.pem: RSA public key, fingerprint {print}, mode 0600, yours")
    );
    assert_eq!(
        seen("--private-key rsa_a.pem --for get"),
        format!("rsa_a.pem: RSA private key, fingerprint {print}, mode 0600, yours")
    );
    assert_eq!(seen("--passphrase=a.words"), "a.words: passphrase, mode 0600, yours");
    let from_command = seen("--key cmd:cat<a.key");
    assert!(from_command.starts_with("the key command: 256-bit key, "), "{from_command}");
}

#[test]
fn a_key_that_cannot_be_used_is_in_the_way_and_the_other_checks_go_on() {
    let bench = bench();
    let failed = |words: &str, seen: &str, remedy: &str| {
        let checks = doctor(&bench, words).exits(5);
        checks.has("key", FAILED, seen);
        if !remedy.is_empty() {
            checks.is_mended_by("key", FAILED, remedy);
        }
        checks.has("bucket", OK, "");
    };
    failed("--key none.key", "cannot read none.key", "");
    failed("--key env:NOT_SET", "the environment variable NOT_SET is not set", "");
    failed("--key small", "7 bytes", "s3seal keygen FILE");
    failed("--private-key a.key --for get", "a.key", "");
    bench.write("weak.key", &[7; 32]);
    failed("--key weak.key", "is not random", "--allow-weak-key");
    doctor(&bench, "--key weak.key --allow-weak-key").exits(0).has("key", OK, "fingerprint");
    set_mode(&bench, "a.key", 0o640);
    failed("--key a.key", "other users can access a.key (mode 0640)", "chmod 600 a.key");
    let checks = doctor(&bench, "--key a.key --allow-open-key-file").exits(0);
    checks.has("key", WARNING, "mode 0640, yours: other users can access it");
    set_mode(&bench, "rsa_a.pub.pem", 0o644);
    doctor(&bench, "--public-key rsa_a.pub.pem").exits(0).has("key", OK, "mode 0644");
    set_mode(&bench, "rsa_a.pub.pem", 0o666);
    failed(
        "--public-key rsa_a.pub.pem",
        "other users can change rsa_a.pub.pem (mode 0666)",
        "chmod go-w rsa_a.pub.pem",
    );
    let checks = doctor(&bench, "--public-key rsa_a.pub.pem --allow-open-key-file").exits(0);
    checks.has("key", WARNING, "mode 0666, yours: other users can change it");
}

#[test]
fn keys_are_tried_on_the_newest_object_that_needs_one() {
    let bench = bench();
    for (stored, right, wrong) in [
        ("--key a.key", "--key a.key", "--key b.key"),
        ("--key a.key --format esdk", "--key a.key", "--key b.key"),
        ("--key a.key --instruction-file", "--key a.key", "--key b.key"),
        ("--public-key rsa_a.pub.pem", "--private-key rsa_a.pem", "--private-key rsa_b.pem"),
        ("--passphrase=a.words", "--passphrase=a.words", "--passphrase=b.words"),
        ("--sse-c-key a.key", "--sse-c-key a.key --write-test", "--sse-c-key b.key --write-test"),
    ] {
        bench.run(&format!("put small s3://bench/p/o {stored}")).ok();
        bench.run("put small s3://bench/p/z -e sse-s3").ok();
        for verb in ["get", "inspect", "rotate"] {
            // In a rotation the bare names are those of new keys.
            let of_verb = |keys: &str| match verb {
                "rotate" => format!("-e sse-s3 --for rotate {}", keys.replacen("--", "--from-", 1)),
                verb => format!("{keys} --for {verb}"),
            };
            let checks = doctor(&bench, &of_verb(right)).exits(0);
            checks.has("newest_object", OK, "s3://bench/p/o opens with the ");
            checks.has("key", OK, "mode 0600");
            let checks = doctor(&bench, &of_verb(wrong)).exits(5);
            checks.has("newest_object", FAILED, "s3://bench/p/o does not open with the keys given");
            checks.is_mended_by("newest_object", FAILED, "s3seal inspect s3://bench/p/o");
        }
    }
    // What is put may have another key.
    bench.run("put small s3://bench/p/o --key a.key").ok();
    doctor(&bench, "--key a.key").exits(0).has("newest_object", OK, &fingerprint(&bench, "a.key"));
    doctor(&bench, "--key b.key").exits(0).has(
        "newest_object",
        WARNING,
        "has another key than the one given",
    );
}

#[test]
fn an_object_that_needs_a_key_which_was_not_given_is_named() {
    let bench = bench();
    for (stored, needs) in [
        ("--key a.key", "an AES key"),
        ("--key a.key --format esdk", "an AES key"),
        ("--key a.key --instruction-file", "a key of its own"),
        ("--public-key rsa_a.pub.pem", "an RSA private key"),
        ("--passphrase=a.words", "a passphrase"),
        ("--sse-c-key a.key", "an SSE-C key"),
    ] {
        bench.run(&format!("put small s3://bench/p/o {stored}")).ok();
        for words in ["--for get", "--for rotate -e sse-s3", "--for rotate --key a.key"] {
            let checks = doctor(&bench, words).exits(0);
            checks.has(
                "newest_object",
                WARNING,
                &format!("s3://bench/p/o needs {needs}, and none was given"),
            );
        }
    }
    bench.run(&format!("put small s3://bench/p/o -e client --kms-key {ALIAS}")).ok();
    doctor(&bench, "--for get").exits(0).has("newest_object", OK, "none of the newest");
}

#[test]
fn an_old_key_that_cannot_be_read_is_in_the_way_of_a_rotation() {
    let bench = bench();
    let checks = doctor(&bench, "--for rotate -e sse-s3 --from-key none.key").exits(5);
    checks.has("key", FAILED, "--from-key: cannot read none.key");
    let checks = doctor(&bench, "--for rotate -e sse-s3 --from-key a.key --from-passphrase=a.words").exits(0);
    checks.has("key", OK, "a.key: old 256-bit key, fingerprint");
    checks.has("key", OK, "a.words: old passphrase");
}

#[test]
fn where_nothing_needs_a_key_of_this_machine_none_is_tried() {
    let bench = bench();
    bench.run("put small s3://bench/p/o -e sse-s3").ok();
    bench.run("put small s3://bench/other --key b.key").ok();
    for words in ["--key a.key --for get", "--sse-c-key a.key --for get", "--sse-c-key a.key"] {
        let checks = doctor(&bench, words).exits(0);
        checks.has("newest_object", OK, "none of the newest needs a key of this machine");
    }
    bench.never_received(&KnownKey::new(1).0);
    for verb in ["put", "inspect"] {
        let checks = doctor(&bench, &format!("--for {verb}"));
        assert!(checks.all("newest_object").is_empty(), "without a key there is nothing to try");
    }
}

#[test]
fn a_key_goes_to_s3_only_with_the_write_test_for_an_object_in_sse_c_and_only_one_of_sse_c() {
    let bench = bench();
    bench.run("put small s3://bench/p/o --sse-c-key b.key").ok();
    bench.sandbox.clear_requests();
    doctor(&bench, "--key a.key --for get").exits(0).has(
        "newest_object",
        WARNING,
        "needs an SSE-C key, and none was given",
    );
    bench.never_received(&KnownKey::new(1).0);
    let checks = doctor(&bench, "--sse-c-key a.key --for get").exits(0);
    checks.has("newest_object", WARNING, "its key was not sent to S3 to try it");
    checks.is_mended_by("newest_object", WARNING, "--write-test tries it");
    bench.never_received(&KnownKey::new(1).0);
    let checks = doctor(&bench, "--sse-c-key a.key --for get --write-test").exits(5);
    checks.has("newest_object", FAILED, "does not open");
    let carriers: Vec<_> = bench.sandbox.requests();
    let carriers = carriers.iter().filter(|request| request.header(CUSTOMER_KEY).is_some());
    assert!(carriers.into_iter().all(|request| request.over_tls));
}

#[test]
fn objects_that_may_not_be_listed_or_seen_are_not_known() {
    let bench = bench();
    bench.run("put small s3://bench/p/o --key a.key").ok();
    let allow = |action: &str| {
        bench.sandbox.user().set_policy(&format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}}}"#
        ));
    };
    allow("s3:GetObject");
    let checks = doctor(&bench, "--key a.key");
    checks.has("newest_object", WARNING, "not looked for: s3:ListBucket is denied");
    checks.is_mended_by("newest_object", WARNING, "s3:ListBucket");
    allow("s3:ListBucket");
    doctor(&bench, "--key a.key").has("newest_object", WARNING, "HeadObject");
}

#[test]
fn the_memory_that_a_passphrase_takes_is_compared_with_what_there_is() {
    let bench = bench();
    doctor(&bench, "--passphrase=a.words").exits(0).has(
        "passphrase_memory",
        OK,
        "a passphrase takes 64 MiB, and ",
    );
    assert!(doctor(&bench, "--key a.key").all("passphrase_memory").is_empty());
    // How much address space the program itself takes is not known, so the limit comes down until it is too low.
    let with_limit = |mib: u32| {
        let line = format!(
            "ulimit -v {}; exec {} doctor s3://bench/p/ --json --passphrase=a.words",
            mib * 1024,
            env!("CARGO_BIN_EXE_s3seal")
        );
        bench.program("sh", ["-c", &line]).run()
    };
    let failed = (1..=128).rev().map(|step| with_limit(step * 24)).find(|ended| {
        let text = String::from_utf8_lossy(&ended.stdout);
        text.contains("passphrase_memory") && ended.code() == Some(5)
    });
    let checks = Checks::of(failed.expect("a limit that is too low"));
    checks.has("passphrase_memory", FAILED, "this process (ulimit -v) has");
    checks.is_mended_by("passphrase_memory", FAILED, "s3seal keygen FILE");
}
