//! Every mode's objects come back, whole, to a file and to standard output.

use crate::support::keys::KnownKey;
use crate::support::schema::document;
use crate::support::{BUCKET, Bench, PART, assert_same, bytes};

const SIZES: [usize; 6] = [0, 1, PART - 1, PART, PART + 1, 2 * PART + 12_345];

fn comes_back(put: &str, get: &str, title: &str) {
    let bench = Bench::new();
    bench.write("key", KnownKey::new(1).hex().as_bytes());
    for size in SIZES {
        let content = bytes(size);
        bench.write("source", &content);
        bench.run(&format!("put source s3://bench/folder/object {put} --part-size 5MiB")).ok();
        let line = format!("get s3://bench/folder/object copy {get} --part-size 5MiB");
        bench.run(&line).ok().writes_nothing().says(&[
            "copy: from s3://bench/folder/object",
            title,
            "verified",
        ]);
        assert_same(&bench.read("copy"), &content, "file");
        let ended = bench.run(&format!("get s3://bench/folder/object - {get} --part-size 5MiB")).ok();
        assert_same(&ended.stdout, &content, "standard output");
    }
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn sse_s3_comes_back() {
    comes_back("-e sse-s3", "", "SSE-S3");
}

#[test]
fn sse_kms_comes_back() {
    comes_back("-e sse-kms --kms-key alias/backup --context a=b", "", "SSE-KMS");
}

#[test]
fn dsse_kms_comes_back() {
    comes_back("-e dsse-kms --kms-key alias/backup", "", "DSSE-KMS");
}

#[test]
fn sse_c_comes_back() {
    comes_back("-e sse-c --sse-c-key key", "--sse-c-key key", "SSE-C");
}

#[test]
fn an_object_of_old_without_encryption_comes_back() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "old", b"from long ago");
    bench.run("get s3://bench/old").ok().says(&["no encryption"]);
    assert_eq!(bench.read("old"), b"from long ago");
}

#[test]
fn of_several_keys_the_right_one_is_found() {
    let bench = Bench::new();
    for (name, seed) in [("one", 1), ("two", 2), ("three", 3)] {
        bench.write(name, &KnownKey::new(seed).0);
    }
    bench.run("put three s3://bench/object -e sse-c --sse-c-key three").ok();
    bench.run("get s3://bench/object copy --sse-c-key one --sse-c-key two --sse-c-key three").ok();
    assert_eq!(bench.read("copy"), bench.read("three"));
    let refused = bench.run("get s3://bench/object other --sse-c-key one --sse-c-key two");
    refused.exits(5).says(&["none of the 2 keys given fits"]);
    bench.assert_tidy(&["copy", "one", "three", "two"]);
}

#[test]
fn json_tells_what_was_fetched() {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(1000));
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key").ok();
    let ended = bench.run("get s3://bench/object copy --sse-c-key key --json").ok();
    assert_eq!(ended.stderr, "");
    let json = ended.json();
    assert_eq!(json["command"], "get");
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["bytes"], 1000);
    assert_eq!(json["encryption"]["mode"], "sse-c");
    assert_eq!(json["encryption"]["customer_key_md5"], KnownKey::new(1).md5());
    assert_eq!(json["checksum"]["verified"], true);
    // The object has standard output; the document goes beside it.
    let ended = bench.run("get s3://bench/object - --sse-c-key key --json").ok();
    assert_same(&ended.stdout, &bytes(1000), "standard output");
    let json = document(&ended.stderr);
    assert_eq!(json["file"], serde_json::Value::Null);
}

#[test]
fn objects_of_others_with_parts_of_any_size_come_back() {
    // The ranges asked for have nothing to do with the parts it was stored in.
    let bench = Bench::new();
    let content = bytes(3 * PART + 99);
    bench.write("source", &content);
    bench.run("put source s3://bench/object --part-size 7MiB").ok();
    for flags in ["--part-size 5MiB -j 1", "--part-size 5MiB -j 2", "--part-size 6MiB -j 16", ""] {
        bench.run(&format!("get s3://bench/object copy {flags}")).ok();
        assert_same(&bench.read("copy"), &content, flags);
    }
}

#[test]
fn a_required_mode_is_held_against_what_is_found() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object -e sse-s3").ok();
    bench.run("get s3://bench/object copy -e sse-s3").ok();
    for mode in ["sse-kms", "dsse-kms", "client"] {
        let refused = bench.run(&format!("get s3://bench/object other -e {mode}"));
        refused.exits(8).says(&["is not", "but SSE-S3"]);
    }
    bench.assert_tidy(&["copy", "source"]);
}
