//! A server that does not keep the metadata of what it stores, or mixes them up: an envelope that is gone is told with the
//! envelope, so that nothing is lost.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3seal_sandbox::{Answer, Fault, Kind, Sandbox, hostile};
use serde_json::Value;

use crate::support::keys::KnownKey;
use crate::support::schema::document;
use crate::support::{BUCKET, Bench, PART, assert_same, bytes};

type Metadata = BTreeMap<String, String>;

fn bench(len: usize) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(len));
    bench
}

/// Once an operation is done, all objects have the metadata that `change` makes of theirs.
fn changes(bench: &Bench, operation: &str, change: impl Fn(Metadata) -> Metadata + Send + Sync + 'static) {
    let sandbox = Arc::downgrade(&bench.sandbox);
    let change_all = move |sandbox: &Sandbox| {
        for key in sandbox.s3().keys(BUCKET) {
            let metadata = sandbox.s3().object(BUCKET, &key).unwrap().metadata;
            sandbox.s3().set_metadata(BUCKET, &key, change(metadata));
        }
    };
    let kind = Kind::ThenAnswer(Arc::new(move || change_all(&sandbox.upgrade().unwrap())));
    bench.sandbox.fault(Fault::on(operation, kind).always());
}

fn drops(bench: &Bench, operation: &str) {
    changes(bench, operation, |_| Metadata::new());
}

/// The envelope on the line that begins with this word.
#[track_caller]
fn envelope(stderr: &str) -> Value {
    let line = stderr.lines().find_map(|line| line.trim_start().strip_prefix("envelope: "));
    serde_json::from_str(line.unwrap_or_else(|| panic!("no envelope: {stderr}"))).unwrap()
}

fn metadata(envelope: &Value) -> Metadata {
    serde_json::from_value(envelope["metadata"].clone()).unwrap()
}

#[test]
fn put_tells_an_envelope_that_the_server_dropped_and_with_it_the_object_opens() {
    for (flags, len, operation) in [
        ("", 100, "PutObject"),
        ("--part-size 5MiB", PART + 1, "CompleteMultipartUpload"),
        ("--format s3ec-v2", 100, "PutObject"),
        ("--instruction-file", 100, "PutObject"),
    ] {
        let bench = bench(len);
        drops(&bench, operation);
        let ended = bench.run(&format!("put source s3://{BUCKET}/a/b -e client --key key {flags}")).exits(6);
        let ended = ended.writes_nothing().says(&[
            "s3://bench/a/b is stored without the envelope that was sent",
            "the server dropped x-amz-",
            "cannot be decrypted without it",
            "hint: keep the envelope",
            "aws s3api delete-object --bucket bench --key a/b",
        ]);
        let told = envelope(&ended.stderr);
        assert_eq!(told["object"], "s3://bench/a/b");
        assert_eq!(told["old"], Value::Null);
        bench.sandbox.clear_faults();
        let code = bench.run("get s3://bench/a/b copy --key key --allow-legacy v2").code();
        assert!(matches!(code, Some(5 | 6)), "opened without its envelope: {code:?}");
        bench.sandbox.s3().set_metadata(BUCKET, "a/b", metadata(&told["new"]));
        let file = &told["new"]["instruction_file"];
        if flags == "--instruction-file" {
            assert_eq!(file["uri"], "s3://bench/a/b.instruction");
            let stored = bench.object("a/b.instruction").plaintext.unwrap();
            assert_eq!(file["content"].as_str().unwrap().as_bytes(), stored);
        } else {
            assert_eq!(*file, Value::Null);
        }
        bench.run("get s3://bench/a/b copy --key key --allow-legacy v2").ok();
        assert_same(&bench.read("copy"), &bytes(len), flags);
    }
}

#[test]
fn put_tells_an_envelope_that_the_server_mixed_up() {
    let bench = bench(100);
    bench.run(&format!("put source s3://{BUCKET}/other -e client --key key")).ok();
    let others = bench.object("other").metadata;
    changes(&bench, "PutObject", move |_| others.clone());
    let ended = bench.run(&format!("put source s3://{BUCKET}/o -e client --key key")).exits(6);
    let told = envelope(&ended.says(&["the server changed x-amz-3, x-amz-d, x-amz-i"]).stderr);
    bench.sandbox.clear_faults();
    bench.run("get s3://bench/o copy --key key").exits(6);
    bench.sandbox.s3().set_metadata(BUCKET, "o", metadata(&told["new"]));
    bench.run("get s3://bench/o copy --key key").ok();
}

#[test]
fn put_says_of_an_object_that_brings_its_envelope_along_that_it_still_opens() {
    let bench = bench(100);
    drops(&bench, "PutObject");
    let line = format!("put source s3://{BUCKET}/o -e client --format esdk --key key");
    bench.run(&line).exits(6).says(&[
        "s3://bench/o is stored without the metadata that was sent",
        "the server dropped s3seal-format, s3seal-recipients",
        "can still be decrypted",
        "aws s3api delete-object --bucket bench --key o",
    ]);
    bench.run("get s3://bench/o copy --key key").ok();
}

#[test]
fn put_has_the_envelope_in_its_document_too() {
    let bench = bench(100);
    drops(&bench, "PutObject");
    let ended = bench.run(&format!("put source s3://{BUCKET}/o -e client --key key --json")).exits(6);
    let document = document(&ended.writes_nothing().stderr);
    let told = &document["error"]["envelope"];
    assert_eq!(told["object"], "s3://bench/o");
    assert!(told["new"]["metadata"]["x-amz-3"].is_string(), "{document}");
    assert_eq!(document["error"]["exit_code"], 6);
}

#[test]
fn put_of_many_ends_with_the_first_envelope_that_the_server_dropped() {
    for json in [false, true] {
        let bench = bench(1);
        std::fs::create_dir(bench.path("tree")).unwrap();
        for number in 0..40 {
            bench.write(&format!("tree/{number:02}"), b"text");
        }
        drops(&bench, "PutObject");
        let flags = if json { "--json" } else { "" };
        let ended = bench.run(&format!("put -r tree s3://{BUCKET}/p/ -e client --key key {flags}")).exits(6);
        let keys = bench.sandbox.s3().keys(BUCKET);
        assert_eq!(keys.len(), 1, "{}", ended.stderr);
        let removal = format!("aws s3api delete-object --bucket bench --key {}", keys[0]);
        let told = if json {
            let rows = ended.documents();
            assert_eq!(rows.last().unwrap()["summary"]["stored_otherwise"], 1);
            assert!(rows[0]["remove"].as_str().unwrap().starts_with(&removal), "{rows:?}");
            rows[0]["error"]["envelope"].clone()
        } else {
            assert!(ended.stderr.contains(&removal) && ended.stderr.contains("no further file was started"));
            assert!(!ended.stderr.contains("--no-clobber"), "{}", ended.stderr);
            envelope(&ended.stderr)
        };
        assert_eq!(told["object"], format!("s3://bench/{}", keys[0]));
        bench.sandbox.s3().set_metadata(BUCKET, &keys[0], metadata(&told["new"]));
        bench.run(&format!("get s3://bench/{} copy --key key", keys[0])).ok();
    }
}

#[test]
fn put_says_so_if_the_envelope_cannot_be_seen_and_has_stored_the_object_all_the_same() {
    for kind in
        [Kind::status(403, "AccessDenied", ""), Kind::internal_error(), Kind::status(404, "NoSuchKey", "")]
    {
        let bench = bench(100);
        bench.sandbox.fault(Fault::on("HeadObject", kind).always());
        let line = format!("put source s3://{BUCKET}/o -e client --key key --max-attempts 1");
        bench.run(&line).ok().says(&["envelope not verified ("]);
        let document = bench.run(&format!("{line} --json")).ok().json();
        assert_eq!(document["envelope_check"]["verified"], false);
        assert!(document["envelope_check"]["reason"].is_string());
        bench.sandbox.clear_faults();
        bench.run("get s3://bench/o copy --key key").ok();
    }
}

#[test]
fn put_looks_once_at_what_is_client_side_and_not_at_all_at_the_rest() {
    let bench = bench(100);
    for (flags, looks) in
        [("-e sse-s3", 0), ("-e client --key key", 1), ("-e client --format esdk --key key", 1)]
    {
        bench.sandbox.clear_requests();
        let document = bench.run(&format!("put source s3://{BUCKET}/o {flags} --json")).ok().json();
        assert_eq!(bench.requests("HeadObject").len(), looks, "{flags}");
        let verified = if looks == 0 { Value::Null } else { true.into() };
        assert_eq!(document["envelope_check"]["verified"], verified, "{flags}");
    }
}

#[test]
fn put_is_not_told_to_have_lost_an_envelope_that_somebody_has_replaced_since() {
    let bench = bench(100);
    let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o", b"newer"));
    bench.sandbox.fault(Fault::on("HeadObject", overwrite));
    let ended = bench.run(&format!("put source s3://{BUCKET}/o -e client --key key")).ok();
    ended.says(&["envelope not verified (", "another object"]);
}

/// Ways of a server that answers as if it had stored an instruction file.
fn keeps_no_instruction_file(bench: &Bench, way: &str) {
    let kind = if way == "dropped" {
        Kind::answer(|_| Answer::new(200).header("etag", "\"0123456789abcdef0123456789abcdef\""))
    } else {
        let sandbox = Arc::downgrade(&bench.sandbox);
        Kind::ThenAnswer(Arc::new(move || {
            sandbox.upgrade().unwrap().s3().put_plain(BUCKET, "a/b.instruction", b"{}");
        }))
    };
    bench.sandbox.fault(Fault::on("PutObject", kind).only(".instruction").always());
}

#[test]
fn put_reports_an_instruction_file_that_the_server_did_not_keep_and_with_it_the_object_opens() {
    for (way, flags, len) in [
        ("dropped", "", 100),
        ("dropped", "--part-size 5MiB", PART + 1),
        ("dropped", "--format s3ec-v2", 100),
        ("changed", "", 100),
    ] {
        let bench = bench(len);
        keeps_no_instruction_file(&bench, way);
        let line = format!("put source s3://{BUCKET}/a/b --key key --instruction-file {flags}");
        let ended = bench.run(&line).exits(6).writes_nothing().says(&[
            "s3://bench/a/b is stored without the envelope that was sent",
            &format!("the server {way} the instruction file s3://bench/a/b.instruction"),
            "hint: keep the envelope",
            "to write the instruction file again: printf",
            "aws s3api delete-object --bucket bench --key a/b",
        ]);
        bench.sandbox.clear_faults();
        let file = &envelope(&ended.stderr)["new"]["instruction_file"];
        assert_eq!(file["uri"], "s3://bench/a/b.instruction");
        let content = file["content"].as_str().unwrap();
        bench.sandbox.s3().put_plain(BUCKET, "a/b.instruction", content.as_bytes());
        bench.run("get s3://bench/a/b copy --key key --allow-legacy v2").ok();
        assert_same(&bench.read("copy"), &bytes(len), flags);
    }
}

#[test]
fn put_of_many_ends_with_the_first_instruction_file_that_the_server_did_not_keep() {
    let bench = bench(1);
    std::fs::create_dir(bench.path("tree")).unwrap();
    for number in 0..40 {
        bench.write(&format!("tree/{number:02}"), b"text");
    }
    keeps_no_instruction_file(&bench, "dropped");
    let ended = bench.run(&format!("put -r tree s3://{BUCKET}/p/ --key key --instruction-file")).exits(6);
    ended.says(&["the server dropped the instruction file s3://bench/p/", "no further file was started"]);
    assert_eq!(bench.sandbox.s3().keys(BUCKET).len(), 1);
}

#[test]
fn put_says_so_if_the_instruction_file_cannot_be_read_back() {
    let bench = bench(100);
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    bench.sandbox.fault(Fault::on("GetObject", denied).only(".instruction").skip(2).always());
    let line = format!("put source s3://{BUCKET}/o --key key --instruction-file");
    bench.run(&line).ok().says(&["envelope not verified (s3:GetObject is not allowed)"]);
    bench.sandbox.clear_faults();
    bench.run("get s3://bench/o copy --key key").ok();
}

#[test]
fn put_reads_an_instruction_file_twice_before_and_once_after_it_is_written() {
    let bench = bench(100);
    let document =
        bench.run(&format!("put source s3://{BUCKET}/o --key key --instruction-file --json")).ok().json();
    assert_eq!(document["envelope_check"]["verified"], true);
    let reads = bench.requests("GetObject");
    assert_eq!(reads.iter().filter(|read| read.path.ends_with("/o.instruction")).count(), 3);
}

#[test]
fn put_is_not_told_to_have_lost_an_instruction_file_that_came_with_another_object() {
    let bench = bench(100);
    let overwrite = bench.meanwhile(|sandbox| {
        sandbox.s3().put_plain(BUCKET, "o.instruction", b"{}");
        sandbox.s3().put_plain(BUCKET, "o", b"newer");
    });
    bench.sandbox.fault(Fault::on("GetObject", overwrite).only(".instruction").skip(2));
    let ended = bench.run(&format!("put source s3://{BUCKET}/o --key key --instruction-file")).ok();
    ended.says(&["envelope not verified (", "another object"]);
}

#[test]
fn put_stores_no_object_if_its_instruction_file_is_not_at_rest_as_asked() {
    for (len, flags) in [(100, ""), (PART + 1, "--part-size 5MiB")] {
        let bench = bench(len);
        let silent = hostile::drops_headers("x-amz-server-side-encryption");
        bench.sandbox.fault(Fault::on("PutObject", silent).only(".instruction").always());
        let line =
            format!("put source s3://{BUCKET}/o --key key --instruction-file --at-rest sse-s3 {flags}");
        bench.run(&line).exits(6).writes_nothing().says(&["is not encrypted as asked", "SSE-S3"]);
        bench.assert_keys(&[]);
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn put_reads_an_instruction_file_whose_answer_has_no_etag_before_it_stores_the_object() {
    let bench = bench(100);
    let line = format!("put source s3://{BUCKET}/o --key key --instruction-file");
    bench.sandbox.fault(Fault::on("PutObject", hostile::drops_header("etag")).only(".instruction").always());
    bench.run(&line).ok();
    bench.run("get s3://bench/o copy --key key").ok();
    bench.sandbox.clear_faults();
    let nothing = Kind::answer(|_| Answer::new(200));
    bench.sandbox.fault(Fault::on("PutObject", nothing).only("n.instruction").always());
    bench.run(&line.replace("/o", "/n")).exits(6).says(&["s3://bench/n.instruction", "it has no ETag"]);
    bench.assert_keys(&["o", "o.instruction"]);
}
