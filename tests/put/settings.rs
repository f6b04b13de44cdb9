//! What is said about the object beside its bytes arrives, in one request and in parts.

use std::collections::BTreeMap;

use crate::support::{Bench, PART, bytes};

const SIZES: [usize; 2] = [10, PART + 1];

#[test]
fn metadata_tags_and_headers_are_kept() {
    let bench = Bench::new();
    for size in SIZES {
        bench.write("source", &bytes(size));
        let arguments = [
            "put",
            "source",
            "s3://bench/object",
            "--part-size",
            "5MiB",
            "--metadata",
            "Owner=a b",
            "--metadata",
            "empty=",
            "--tag",
            "team=a&b=c",
            "--tag",
            "größe=ü",
            "--content-type",
            "text/x-test",
            "--cache-control",
            "no-store",
            "--content-encoding",
            "gzip",
            "--content-disposition",
            "attachment; filename=\"a b\"",
            "--content-language",
            "de",
            "--storage-class",
            "STANDARD_IA",
            "--acl",
            "bucket-owner-full-control",
        ];
        bench.s3seal(arguments).run().ok();
        let object = bench.object("object");
        let expected = [("owner", "a b"), ("empty", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let mut metadata = object.metadata.clone();
        metadata.remove("mtime").expect("the file's modification time");
        assert_eq!(metadata, BTreeMap::from(expected));
        let mut tags = object.tags.clone();
        tags.sort();
        let expected = [("größe", "ü"), ("team", "a&b=c")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(tags, expected);
        assert_eq!(object.content_type.as_deref(), Some("text/x-test"));
        assert_eq!(object.cache_control.as_deref(), Some("no-store"));
        assert_eq!(object.content_encoding.as_deref(), Some("gzip"));
        assert_eq!(object.content_disposition.as_deref(), Some("attachment; filename=\"a b\""));
        assert_eq!(object.content_language.as_deref(), Some("de"));
        assert_eq!(object.storage_class.as_deref(), Some("STANDARD_IA"));
        assert_eq!(object.acl.as_deref(), Some("bucket-owner-full-control"));
    }
}

#[test]
fn the_content_type_is_guessed_from_the_name() {
    let bench = Bench::new();
    bench.write("page.html", b"<p>");
    bench.run("put page.html s3://bench/object").ok();
    assert_eq!(bench.object("object").content_type.as_deref(), Some("text/html"));
    bench.s3seal(["put", "-", "s3://bench/data.json"]).input(b"{}").run().ok();
    assert_eq!(bench.object("data.json").content_type.as_deref(), Some("application/json"));
}

#[test]
fn gzip_content_comes_back_as_it_was_stored() {
    let bench = Bench::new();
    bench.write("source", &bytes(1000));
    bench.run("put source s3://bench/object --content-encoding gzip").ok();
    bench.run("get s3://bench/object copy").ok();
    assert_eq!(bench.read("copy"), bytes(1000));
}

#[test]
fn versions_are_told() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning("bench");
    for size in SIZES {
        bench.write("source", &bytes(size));
        let json = bench.run("put source s3://bench/object --part-size 5MiB --json").ok().json();
        assert_eq!(json["version_id"], bench.object("object").version_id);
        assert_eq!(json["etag"], bench.object("object").etag);
        assert_eq!(json["bytes"], size);
        assert_eq!(json["stored_bytes"], size);
        assert_eq!(json["schema_version"], 1);
    }
}

#[test]
fn quiet_says_nothing_and_json_is_all_there_is_on_stdout() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let ended = bench.run("put source s3://bench/object -q").ok().writes_nothing();
    assert_eq!(ended.stderr, "");
    let ended = bench.run("put source s3://bench/object --json").ok();
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.json()["command"], "put");
}
