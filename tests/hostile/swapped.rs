//! A store that hands out something else than it showed: another object, another envelope, other bytes.

use std::fs;

use s3seal_sandbox::{Fault, Kind, Struck};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, PART, assert_same, bytes};

/// Ways to store, and to get what is stored so.
const MODES: [(&str, &str); 5] = [
    ("-e sse-s3", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
    ("-e client --key key", "--key key"),
    ("-e client --key key --instruction-file", "--key key"),
    ("-e client --key key --format esdk", "--key key"),
];

fn bench(size: usize, put: &str) -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(size));
    bench.run(&format!("put source s3://bench/object {put} --part-size 5MiB")).ok();
    bench.write("copy", b"old");
    bench
}

fn ranges_of_another_etag(bench: &Bench) -> Struck {
    let kind = Kind::tamper(|asked, answer| {
        if asked.header("range").is_some() && answer.status == 206 {
            answer.set("etag", "\"0123456789abcdef0123456789abcdef\"");
        }
    });
    bench.sandbox.fault(Fault::on("GetObject", kind).only("/object").always())
}

#[test]
fn get_takes_no_range_with_another_etag() {
    for (put, get) in MODES {
        let bench = bench(PART + 1, put);
        let struck = ranges_of_another_etag(&bench);
        for target in ["copy", "-"] {
            bench
                .run(&format!("get s3://bench/object {target} {get} --part-size 5MiB"))
                .exits(8)
                .writes_nothing()
                .says(&["s3://bench/object is not the object expected"]);
        }
        assert!(struck.count() >= 2, "{put}");
        assert_same(&bench.read("copy"), b"old", put);
        bench.assert_tidy(&["copy", "key", "source"]);
    }
}

#[test]
fn rotate_takes_no_range_with_another_etag() {
    for (put, from) in [("-e sse-s3", "--seal-plaintext"), ("-e client --key key", "--from-key key")] {
        let bench = bench(1000, put);
        bench.write("new", &KnownKey::new(2).0);
        let before = bench.object("object").stored;
        let struck = ranges_of_another_etag(&bench);
        let line = format!("rotate s3://bench/object -e client --key new --new-data-key {from} --yes");
        bench.run(&line).exits(8).says(&["s3://bench/object is not the object expected"]);
        assert!(struck.count() >= 1, "{put}");
        assert_same(&bench.object("object").stored, &before, put);
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn inspect_takes_no_beginning_with_another_etag() {
    let bench = bench(100, "-e client --key key --format esdk");
    let struck = ranges_of_another_etag(&bench);
    bench.run("inspect s3://bench/object --key key").exits(8).says(&["is not the object expected"]);
    assert_eq!(struck.count(), 1);
}

/// Stores a second object over the first; GET then brings the bytes of the first with all that it says of the second.
fn older_bytes_under_the_newer_etag(size: usize, put: &str) -> (Bench, Struck) {
    let bench = bench(size, put);
    // In SSE-C the store could know them too: it was sent the key once.
    let key = KnownKey::new(1).0;
    let older = bench.sandbox.s3().object_with_key(BUCKET, "object", &key).unwrap().plaintext.unwrap();
    let mut newer = bytes(size);
    newer.reverse();
    bench.write("source", &newer);
    bench.run(&format!("put source s3://bench/object {put} --part-size 5MiB")).ok();
    let kind = Kind::tamper(move |asked, answer| {
        if answer.status != 200 && answer.status != 206 || !asked.path.ends_with("/object") {
            return;
        }
        let range = asked.header("range").map(|range| {
            let (from, to) = range.trim_start_matches("bytes=").split_once('-').unwrap();
            from.parse().unwrap()..to.parse::<usize>().unwrap() + 1
        });
        answer.set_body(older[range.unwrap_or(0..older.len())].to_vec());
    });
    let struck = bench.sandbox.fault(Fault::on("GetObject", kind).always());
    (bench, struck)
}

#[test]
fn get_refuses_the_bytes_of_an_older_object_under_the_etag_of_the_newer() {
    for (put, get) in MODES {
        let (bench, struck) = older_bytes_under_the_newer_etag(PART + 1, put);
        let line = format!("get s3://bench/object copy {get} --part-size 5MiB");
        bench.run(&line).exits(6).writes_nothing().says(&["s3://bench/object"]);
        assert!(struck.count() > 0, "{put}");
        assert_same(&bench.read("copy"), b"old", put);
        bench.assert_tidy(&["copy", "key", "source"]);
    }
}

#[test]
fn get_lets_none_of_the_bytes_of_an_older_client_side_object_into_a_pipe() {
    // A message of the Encryption SDK has all in its bytes, so an older one is whole: S3's checksum tells it at the end.
    for (put, get) in &MODES[2..4] {
        let (bench, struck) = older_bytes_under_the_newer_etag(1000, put);
        let line = format!("get s3://bench/object - {get} --part-size 5MiB");
        bench.run(&line).exits(6).writes_nothing().says(&["s3://bench/object"]);
        assert!(struck.count() > 0, "{put}");
    }
}

/// How many files `get -r` has made.
fn written(bench: &Bench) -> usize {
    fs::read_dir(bench.path("folder")).map_or(0, Iterator::count)
}

#[test]
fn get_of_many_refuses_the_bytes_of_an_older_object_under_the_etag_of_the_newer() {
    for (put, get) in MODES {
        let (bench, struck) = older_bytes_under_the_newer_etag(100, put);
        bench.run(&format!("get -r s3://bench/ folder {get}")).exits(9).says(&["failed: s3://bench/object"]);
        assert!(struck.count() > 0, "{put}");
        assert_eq!(written(&bench), 0, "{put}");
    }
}

#[test]
fn rotate_seals_no_bytes_of_an_older_object_under_the_etag_of_the_newer() {
    for (put, from) in [
        ("-e sse-s3", "--seal-plaintext"),
        ("-e client --key key", "--from-key key"),
        ("-e client --key key --format esdk", "--from-key key"),
    ] {
        let (bench, struck) = older_bytes_under_the_newer_etag(1000, put);
        bench.write("new", &KnownKey::new(2).0);
        let before = bench.object("object").etag;
        let line = format!("rotate s3://bench/object -e client --key new --new-data-key {from} --yes");
        bench.run(&line).exits(6).says(&["s3://bench/object"]);
        assert!(struck.count() > 0, "{put}");
        assert_eq!(bench.object("object").etag, before, "{put}");
        assert_eq!(bench.sandbox.s3().uploads(), [], "{put}");
    }
}

#[test]
fn get_of_many_writes_nothing_under_the_envelope_of_another_object() {
    for flags in ["", "--instruction-file", "--format s3ec-v2"] {
        let bench = bench(100, &format!("-e client --key key {flags}"));
        bench.run(&format!("put source s3://bench/other -e client --key key {flags}")).ok();
        let s3 = bench.sandbox.s3();
        if flags == "--instruction-file" {
            let file = bench.object("other.instruction").plaintext.unwrap();
            s3.put_plain(BUCKET, "object.instruction", &file);
        } else {
            s3.set_metadata(BUCKET, "object", bench.object("other").metadata);
        }
        let line = "get -r s3://bench/ folder --key key --include object --allow-legacy v2";
        bench.run(line).exits(9).says(&["failed: s3://bench/object"]);
        assert_eq!(written(&bench), 0, "{flags}");
    }
}
