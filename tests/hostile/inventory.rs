//! S3 Inventory reports of which a few bytes ask for much memory, or that say what no report says.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::endless::run;
use crate::support::{BUCKET, Bench, Ended};

const AUDIT: &str = "inspect --inventory s3://bench/manifest.json";
fn gzipped(pieces: &[&[u8]]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for piece in pieces {
        encoder.write_all(piece).unwrap();
    }
    encoder.finish().unwrap()
}

/// Audits a report of one data file, where there is little memory, after a change to its manifest.
fn audit(format: &str, schema: &str, data: &[u8], change: impl Fn(&mut Value)) -> Ended {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "data", data);
    let file = json!({ "key": "data", "size": data.len(), "MD5checksum": hex::encode(Md5::digest(data)) });
    let mut manifest = json!({
        "sourceBucket": "bkt", "fileFormat": format, "fileSchema": schema, "files": [file],
    });
    change(&mut manifest);
    bench.sandbox.s3().put_plain(BUCKET, "manifest.json", manifest.to_string().as_bytes());
    run(&bench, &format!("{AUDIT} --format ndjson"))
}

fn csv(text: &[&[u8]], change: impl Fn(&mut Value)) -> Ended {
    audit("CSV", "Bucket, Key, Size, EncryptionStatus", &gzipped(text), change)
}

#[test]
fn an_inventory_in_csv_with_a_key_that_is_longer_than_any_is_refused() {
    let row = |key: &[u8]| [&b"\"bkt\",\""[..], key, b"\",\"1\",\"SSE-S3\"\n"].concat();
    let good = csv(&[&row(&b"%C3%A4".repeat(512))], |_| {}).ok();
    assert!(String::from_utf8(good.stdout).unwrap().contains(&"ä".repeat(512)));
    // The longest key has 1,024 bytes; encoded it may have three times as many.
    csv(&[&row(&b"a".repeat(1025))], |_| {}).exits(6).says(&["not part of an S3 Inventory report"]);
    csv(&[&row(&b"%FF".repeat(1025))], |_| {}).exits(6).says(&["not part of an S3 Inventory report"]);
    let long = row(&vec![b'a'; 1_000_000]);
    csv(&[long.as_slice(); 3], |_| {}).exits(6).says(&["a record is too long"]);
}

#[test]
fn an_inventory_that_does_not_say_what_every_one_says_is_refused() {
    let row = b"\"bkt\",\"k\",\"1\",\"SSE-S3\"\n".as_slice();
    csv(&[row], |_| {}).ok();
    let no_checksum = |manifest: &mut Value| {
        manifest["files"][0].as_object_mut().unwrap().remove("MD5checksum");
    };
    csv(&[row], no_checksum).exits(6).says(&["not an S3 Inventory manifest", "MD5checksum"]);
    csv(&[b"\"bkt\",\"k\",\"many\",\"SSE-S3\"\n"], |_| {}).exits(6).says(&["a size is not a number"]);
    let many_fields = |manifest: &mut Value| {
        manifest["fileSchema"] = format!("EncryptionStatus{}", ",".repeat(1_000_000)).into();
    };
    csv(&[row], many_fields).exits(6).says(&["more fields than a report has"]);
}
