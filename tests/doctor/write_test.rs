//! `--write-test`: a scratch object in the mode asked, which is gone afterwards.

use std::fs;
use std::path::Path;

use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PATIENCE, key};
use crate::{Checks, FAILED, OK, WARNING, doctor, program};

#[test]
fn each_mode_is_tried_and_nothing_stays() {
    let bench = Bench::new();
    bench.write("key", &key(1));
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/rsa_a.pub.pem");
    bench.write("public.pem", &fs::read(pem).unwrap());
    bench.write("words", b"correct horse battery staple");
    let decrypted = "read, decrypted, compared and deleted";
    for (words, mode, read) in [
        ("", "SSE-S3", "read, compared and deleted"),
        ("-e sse-s3", "SSE-S3", "read, compared and deleted"),
        ("-e sse-kms --kms-key alias/backup", "SSE-KMS", "read, compared and deleted"),
        ("-e dsse-kms --kms-key alias/backup", "DSSE-KMS", "read, compared and deleted"),
        ("--sse-c-key key", "SSE-C", "read, compared and deleted"),
        ("--key key", "SSE-S3", decrypted),
        ("--key key --format s3ec-v2", "SSE-S3", decrypted),
        ("--key key --instruction-file", "SSE-S3", decrypted),
        ("--key key --format esdk --context a=b", "SSE-S3", decrypted),
        ("--passphrase=words", "SSE-S3", decrypted),
        ("--public-key public.pem", "SSE-S3", "read, compared and deleted"),
        ("-e client --kms-key alias/backup --context a=b", "SSE-S3", decrypted),
        ("-e client --kms-key alias/backup --bind-name", "SSE-S3", decrypted),
        ("-e client --kms-key alias/backup --format esdk", "SSE-S3", decrypted),
        ("--for rotate --key key --from sse-s3", "SSE-S3", decrypted),
    ] {
        let checks = doctor(&bench, &format!("{words} --write-test")).exits(0);
        let seen = checks.has("write_test", OK, &format!("stored in {mode}"))["seen"].to_string();
        assert!(seen.contains(&format!(", {read}")), "{words}: {seen}");
        bench.assert_keys(&[]);
    }
    bench.assert_tidy(&["key", "public.pem", "words"]);
}

#[test]
fn what_only_another_key_decrypts_is_not_decrypted_and_that_is_said() {
    let bench = Bench::new();
    for name in ["rsa_a.pem", "rsa_a.pub.pem", "rsa_b.pem"] {
        let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
        bench.write(name, &fs::read(pem).unwrap());
    }
    let public = "--public-key rsa_a.pub.pem --write-test";
    let checks = doctor(&bench, public).exits(0);
    checks.has("write_test", OK, "not decrypted: a public key only encrypts");
    checks.is_mended_by("write_test", OK, "--for get with --private-key SOURCE");
    let with = |private: &str| doctor(&bench, &format!("{public} --for get --private-key {private}"));
    with("rsa_a.pem").exits(0).has("write_test", OK, "read, decrypted, compared and deleted");
    with("rsa_b.pem").exits(5).has("write_test", FAILED, "wrong key");
    // Who may encrypt with a key of KMS need not be one who may decrypt with it, unless that is what is to work.
    bench.sandbox.kms().deny(KmsAction::Decrypt, None);
    let kms = "-e client --kms-key alias/backup --write-test";
    doctor(&bench, kms).exits(0).has("write_test", OK, "compared and deleted; not decrypted: ");
    doctor(&bench, &format!("{kms} --for get")).exits(4).has("write_test", FAILED, "kms:Decrypt");
    bench.assert_keys(&[]);
}

#[test]
fn an_envelope_that_does_not_come_back_is_not_taken_for_one_that_does() {
    let bench = Bench::new();
    bench.write("key", &key(1));
    let other = Kind::tamper(|_, answer| answer.remove("x-amz-meta-x-amz-i"));
    bench.sandbox.fault(Fault::on("HeadObject", other).skip(1).always());
    let checks = doctor(&bench, "--key key --write-test").exits(6);
    checks.has("write_test", FAILED, "");
    bench.assert_keys(&[]);
}

#[test]
fn a_key_is_sent_only_by_the_write_test_of_the_mode_that_says_so() {
    let bench = Bench::hostile();
    bench.write("key", &key(1));
    doctor(&bench, "--sse-c-key key").exits(0);
    bench.never_received(&key(1));
    doctor(&bench, "--key key --write-test").exits(0);
    bench.never_received(&key(1));
}

#[test]
fn in_a_bucket_with_versions_nothing_stays_either() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.sandbox.clear_requests();
    doctor(&bench, "--write-test").exits(0).has("write_test", OK, "deleted");
    let put = &bench.requests("PutObject")[0];
    let key = put.path.trim_start_matches("/bench/").to_owned();
    assert!(key.starts_with("p/.s3seal-scratch-"), "{key}");
    assert_eq!(bench.sandbox.s3().versions(BUCKET, &key), []);
}

/// The versions and delete markers of the scratch object that was sent.
fn versions_of_scratch(bench: &Bench) -> usize {
    let puts = bench.requests("PutObject");
    assert!(!puts.is_empty());
    let keys = puts.iter().map(|put| put.path.trim_start_matches("/bench/"));
    keys.map(|key| bench.sandbox.s3().versions(BUCKET, key).len()).sum()
}

#[test]
fn in_a_bucket_with_versions_nothing_stays_after_a_failure() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    let unsaid = Kind::tamper(|_, answer| {
        answer.set("x-amz-server-side-encryption", "AES256");
        answer.remove("x-amz-version-id");
    });
    bench.sandbox.fault(Fault::on("PutObject", unsaid));
    doctor(&bench, "-e sse-kms --kms-key alias/backup --write-test").exits(6);
    assert_eq!(versions_of_scratch(&bench), 0);
}

#[test]
fn in_a_bucket_with_versions_nothing_stays_after_a_signal() {
    for is_stored in [false, true] {
        let bench = Bench::new();
        bench.sandbox.s3().set_versioning(BUCKET);
        let gate = Gate::new();
        let pause = if is_stored { Kind::PauseAnswer(gate.clone()) } else { Kind::Pause(gate.clone()) };
        let held = bench.sandbox.fault(Fault::on("PutObject", pause));
        let running = program(&bench, "--write-test").start();
        assert!(held.wait(1, PATIENCE));
        running.signal("TERM");
        running.end().exits(143);
        assert_eq!(versions_of_scratch(&bench), 0, "{is_stored}");
    }
}

#[test]
fn a_removal_without_an_answer_is_not_waited_for_after_a_signal() {
    // The write has no answer yet, or one that it does not trust.
    let unsaid = Kind::tamper(|_, answer| answer.set("x-amz-server-side-encryption", "AES256"));
    for (put, is_interrupted) in [(Kind::Pause(Gate::new()), true), (unsaid, false)] {
        let bench = Bench::new();
        let writing = bench.sandbox.fault(Fault::on("PutObject", put));
        let listing = Fault::on("ListObjectVersions", Kind::Pause(Gate::new())).always();
        let removing = bench.sandbox.fault(listing);
        let running = program(&bench, "-e sse-kms --kms-key alias/backup --write-test").start();
        assert!(writing.wait(1, PATIENCE));
        if is_interrupted {
            running.signal("TERM");
            running.end().exits(143);
        } else {
            assert!(removing.wait(1, PATIENCE));
            running.signal("TERM");
            let checks = Checks::of(running.end()).exits(6);
            checks.is_mended_by("write_test", FAILED, "s3seal cleanup s3://bench/p/.s3seal-scratch-");
        }
    }
}

#[test]
fn what_could_not_be_deleted_before_the_end_is_named_with_what_removes_it() {
    let bench = Bench::new();
    let removing = bench.sandbox.fault(Fault::on("DeleteObject", Kind::Pause(Gate::new())).always());
    let running = program(&bench, "--write-test").start();
    assert!(removing.wait(1, PATIENCE));
    running.signal("TERM");
    let checks = Checks::of(running.end());
    checks.has("write_test", WARNING, "not deleted: ");
    checks.is_mended_by("write_test", WARNING, "s3seal cleanup s3://bench/p/.s3seal-scratch-");
}

#[test]
fn where_versions_may_not_be_listed_what_may_be_stored_is_deleted_all_the_same() {
    let bench = Bench::new();
    let other = Kind::tamper(|_, answer| answer.set("x-amz-server-side-encryption", "AES256"));
    bench.sandbox.fault(Fault::on("PutObject", other));
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("ListObjectVersions", denied).always());
    doctor(&bench, "-e sse-kms --kms-key alias/backup --write-test").exits(6);
    assert_eq!(bench.requests("ListObjectVersions").len(), 1);
    bench.assert_keys(&[]);
}

#[test]
fn what_a_put_would_end_with_is_what_the_test_ends_with() {
    let bench = Bench::new();
    bench.write("key", &key(1));
    bench.sandbox.s3().block_sse_c(BUCKET);
    let checks = doctor(&bench, "--sse-c-key key --write-test").exits(4);
    checks.has("write_test", FAILED, "the bucket blocks SSE-C");
    bench.sandbox.fault(Fault::on("PutObject", Kind::status(403, "AccessDenied", "Access Denied")));
    doctor(&bench, "--write-test").exits(4).has("write_test", FAILED, "denied (s3:PutObject)");
}

#[test]
fn a_server_that_stores_in_another_mode_is_not_to_be_trusted_and_nothing_stays() {
    let bench = Bench::new();
    let other = Kind::tamper(|_, answer| answer.set("x-amz-server-side-encryption", "AES256"));
    bench.sandbox.fault(Fault::on("PutObject", other));
    let checks = doctor(&bench, "-e sse-kms --kms-key alias/backup --write-test").exits(6);
    checks.has("write_test", FAILED, "is not encrypted as asked");
    bench.assert_keys(&[]);
}

#[test]
fn a_server_that_gives_other_bytes_is_not_to_be_trusted() {
    let bench = Bench::new();
    bench.sandbox.fault(
        Fault::on(
            "GetObject",
            Kind::tamper(|_, answer| {
                if answer.status == 200 {
                    answer.set_body("other bytes");
                }
            }),
        )
        .always(),
    );
    let checks = doctor(&bench, "--write-test").exits(6);
    checks.has("write_test", FAILED, "gives other bytes than it was sent");
    bench.assert_keys(&[]);
}

#[test]
fn a_scratch_object_that_cannot_be_deleted_is_named_with_what_removes_it() {
    let bench = Bench::new();
    bench
        .sandbox
        .fault(Fault::on("DeleteObject", Kind::status(403, "AccessDenied", "Access Denied")).always());
    let checks = doctor(&bench, "--write-test").exits(0);
    checks.has("write_test", WARNING, "stored, read and compared, but not deleted");
    checks.is_mended_by("write_test", WARNING, "s3seal cleanup s3://bench/p/.s3seal-scratch-");
    let left = bench.sandbox.s3().keys(BUCKET);
    assert_eq!(left.len(), 1);
    bench.sandbox.clear_faults();
    bench.run(&format!("cleanup s3://bench/{} --older-than 0s --yes", left[0])).ok();
    bench.assert_keys(&[]);
}

#[test]
fn a_rule_holds_for_the_scratch_object_too() {
    let bench = Bench::new();
    let config =
        bench.write("config.toml", b"[[rule]]\nmatch = \"s3://bench/\"\nmust-encrypt = [\"sse-kms\"]\n");
    let line = "doctor s3://bench/p/ --json -e sse-s3 --write-test";
    let ended = bench.s3seal(line.split(' ')).with("S3SEAL_CONFIG", &config).run();
    Checks::of(ended).exits(8).has("write_test", FAILED, "demands SSE-KMS, not SSE-S3");
    assert!(bench.requests("PutObject").is_empty());
}

#[test]
fn with_a_private_key_alone_there_is_nothing_to_store() {
    let bench = Bench::new();
    for name in ["rsa_a.pem", "rsa_a.pub.pem"] {
        let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
        bench.write(name, &fs::read(pem).unwrap());
    }
    let words = "--for get --private-key rsa_a.pem --write-test";
    let checks = doctor(&bench, words).exits(0);
    checks.has("write_test", WARNING, "a private key encrypts nothing; give the public key too");
    let both = doctor(&bench, &format!("{words} --public-key rsa_a.pub.pem")).exits(0);
    both.has("write_test", OK, "stored in SSE-S3, read, decrypted, compared and deleted");
    let none = doctor(&bench, "--key none.key --write-test").exits(5);
    none.has("write_test", WARNING, "its key cannot be read");
}
