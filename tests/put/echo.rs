//! A server that does not do what was asked is caught by its answer, and the message says what is now stored.

use s3seal_sandbox::s3::{Lie, SseView};

use crate::support::schema::document;
use crate::support::{ALIAS, BUCKET, Bench, PART, bytes, key};

const MODES: [(&str, &str); 4] = [
    ("-e sse-s3", "SSE-S3"),
    ("-e sse-kms --kms-key alias/backup", "SSE-KMS"),
    ("-e dsse-kms --kms-key alias/backup", "DSSE-KMS"),
    ("-e sse-c --sse-c-key key", "SSE-C"),
];

fn bench(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(7));
    bench.write("source", &bytes(size));
    bench
}

#[test]
fn a_server_that_ignores_the_mode_is_told_with_how_to_remove_what_it_stored() {
    let bench = bench(100);
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    for (flags, title) in MODES {
        let ended = bench.run(&format!("put source s3://bench/a/b {flags}"));
        ended.exits(6).writes_nothing().says(&[
            "s3://bench/a/b is not encrypted as asked",
            &format!("asked for {title}"),
            "the answer says no encryption",
            "is stored now, as no encryption",
            "aws s3api delete-object --bucket bench --key a/b",
        ]);
        assert_eq!(bench.object("a/b").sse, SseView::None, "the lie was not told");
    }
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn an_upload_in_parts_is_aborted_before_such_a_server_stores_anything() {
    for lie in [Lie::IgnoreSse, Lie::WrongSse] {
        let bench = bench(2 * PART);
        bench.sandbox.s3().lie(lie);
        for (flags, title) in MODES {
            let ended = bench.run(&format!("put source s3://bench/object {flags} --part-size 5MiB"));
            ended
                .exits(6)
                .says(&[&format!("asked for {title}"), "nothing is stored: the upload was aborted"]);
            bench.assert_keys(&[]);
            bench.assert_tidy(&["key", "source"]);
        }
        assert!(bench.requests("CompleteMultipartUpload").is_empty());
        assert_eq!(bench.requests("AbortMultipartUpload").len(), MODES.len());
    }
}

#[test]
fn a_server_that_answers_with_another_mode_is_not_believed() {
    let bench = bench(100);
    bench.sandbox.s3().lie(Lie::WrongSse);
    for (flags, title) in MODES {
        let ended = bench.run(&format!("put source s3://bench/object {flags}"));
        ended.exits(6).says(&[&format!("asked for {title}"), "remove it: aws s3api delete-object"]);
    }
}

#[test]
fn the_version_that_was_stored_is_named_where_versions_are_kept() {
    let bench = bench(100);
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    let ended = bench.run("put source s3://bench/object -e sse-s3").exits(6);
    let version = &bench.sandbox.s3().versions(BUCKET, "object")[0].id;
    ended.says(&[&format!("--version-id {version}")]);
}

#[test]
fn the_command_in_the_hint_goes_to_the_same_server() {
    let bench = bench(100);
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    let endpoint = bench.sandbox.endpoint();
    let line = format!("put source s3://bench/object -e sse-s3 --endpoint-url {endpoint} --region us-east-1");
    bench.run(&line).exits(6).says(&[&format!("--region us-east-1 --endpoint-url {endpoint}")]);
}

#[test]
fn another_kms_key_than_the_one_asked_for_is_not_accepted() {
    // The alias resolves to one key; naming the other one's id must not be satisfied by it.
    let bench = bench(100);
    let other = bench.sandbox.kms().create_key();
    bench.run(&format!("put source s3://bench/object -e sse-kms --kms-key {other}")).ok().says(&[&other.0]);
    bench.run(&format!("put source s3://bench/object -e sse-kms --kms-key {ALIAS}")).ok();
    bench.sandbox.s3().lie(Lie::WrongSse);
    bench.run(&format!("put source s3://bench/object -e sse-kms --kms-key {other}")).exits(6);
}

#[test]
fn without_a_mode_a_server_without_encryption_is_told_as_such() {
    let bench = bench(100);
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    bench.run("put source s3://bench/object").ok().says(&["no encryption"]);
}

#[test]
fn json_holds_the_error_too() {
    let bench = bench(100);
    bench.sandbox.s3().lie(Lie::IgnoreSse);
    let ended = bench.run("put source s3://bench/object -e sse-s3 --json").exits(6).writes_nothing();
    let json = document(&ended.stderr);
    assert_eq!((&json["command"], &json["record"]), (&"put".into(), &"error".into()));
    assert_eq!(json["error"]["exit_code"], 6);
    assert!(json["error"]["message"].as_str().unwrap().contains("not encrypted as asked"));
}

#[test]
#[cfg(target_os = "linux")]
fn where_the_document_cannot_be_written_the_error_says_that_the_object_is_stored() {
    let bench = bench(100);
    for (line, done) in [
        ("put source s3://bench/object", "s3://bench/object: "),
        ("get s3://bench/object copy", "copy: from "),
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let words = line.split_whitespace().chain(["--json"]);
        let ended = bench.s3seal(words).output(full).run().exits(1);
        let json = document(&ended.stderr);
        assert!(json["error"]["message"].as_str().unwrap().contains("standard output"), "{json}");
        let hint = json["error"]["hints"][0].as_str().unwrap();
        assert!(hint.starts_with(&format!("it is done all the same: {done}")), "{hint}");
    }
    bench.assert_keys(&["object"]);
}
