//! S3 Inventory reports of which a few bytes ask for much memory, or that say what no report says.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::endless::run;
use crate::support::{BUCKET, Bench, Ended};

const AUDIT: &str = "inspect --inventory s3://bench/manifest.json";
/// What fits into memory even a few times, and into no key.
const LONG: usize = 9 << 20;

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

fn parquet(data: &[u8]) -> Ended {
    audit("Parquet", "message s { required binary key; required binary encryption_status; }", data, |_| {})
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

/// A number as Thrift's compact protocol writes it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push(u8::try_from(number & 127).unwrap() | 128);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

/// A field of a structure: its type and its bytes.
type Field = (u8, Vec<u8>);

fn int(number: usize) -> Field {
    (5, varint(2 * number as u64))
}

fn long(number: usize) -> Field {
    (6, varint(2 * number as u64))
}

fn text(text: &str) -> Field {
    (8, [varint(text.len() as u64), text.as_bytes().to_vec()].concat())
}

/// Fewer than 15 items of one type.
fn list(items: Vec<Field>) -> Field {
    let head = u8::try_from(items.len()).unwrap() << 4 | items[0].0;
    (9, [vec![head], items.into_iter().map(|item| item.1).collect::<Vec<_>>().concat()].concat())
}

/// A structure of these numbered fields.
fn structure(fields: Vec<(u8, Field)>) -> Field {
    let (mut bytes, mut last) = (Vec::new(), 0);
    for (number, (kind, value)) in fields {
        bytes.push((number - last) << 4 | kind);
        bytes.extend(value);
        last = number;
    }
    bytes.push(0);
    (12, bytes)
}

/// A page of values in gzip: those of one column, or its dictionary.
fn page(is_dictionary: bool, values: usize, content: &[&[u8]]) -> Vec<u8> {
    let stored = gzipped(content);
    let len = content.iter().map(|piece| piece.len()).sum();
    let (kind, place, about) = if is_dictionary {
        (2, 7, vec![(1, int(values)), (2, int(0))])
    } else {
        (0, 5, vec![(1, int(values)), (2, int(0)), (3, int(3)), (4, int(3))])
    };
    let header = [(1, int(kind)), (2, int(len)), (3, int(stored.len())), (place, structure(about))];
    [structure(header.to_vec()).1, stored].concat()
}

/// A Parquet file with one row, and this column of keys.
fn file(keys: &[u8]) -> Vec<u8> {
    let status = page(false, 1, &[&6_u32.to_le_bytes(), b"SSE-S3"]);
    let (mut file, mut chunks) = (b"PAR1".to_vec(), Vec::new());
    for (name, pages) in [("key", keys), ("encryption_status", status.as_slice())] {
        let about = structure(vec![
            (1, int(6)),
            (2, list(vec![int(0)])),
            (3, list(vec![text(name)])),
            (4, int(2)),
            (5, long(1)),
            (6, long(pages.len())),
            (7, long(pages.len())),
            (9, long(file.len())),
        ]);
        chunks.push(structure(vec![(2, long(file.len())), (3, about)]));
        file.extend(pages);
    }
    let column = |name| structure(vec![(1, int(6)), (3, int(0)), (4, text(name))]);
    let root = structure(vec![(4, text("schema")), (5, int(2))]);
    let group = structure(vec![(1, list(chunks)), (2, long(file.len())), (3, long(1))]);
    let (_, metadata) = structure(vec![
        (1, int(1)),
        (2, list(vec![root, column("key"), column("encryption_status")])),
        (3, long(1)),
        (4, list(vec![group])),
    ]);
    file.extend(&metadata);
    file.extend(u32::try_from(metadata.len()).unwrap().to_le_bytes());
    file.extend(b"PAR1");
    file
}

fn key_of(len: usize) -> Vec<u8> {
    page(false, 1, &[&u32::try_from(len).unwrap().to_le_bytes(), &vec![b'k'; len]])
}

#[test]
fn an_inventory_in_parquet_of_which_a_few_bytes_become_many_is_refused() {
    let found = parquet(&file(&key_of(1024))).ok();
    assert!(String::from_utf8(found.stdout).unwrap().contains(&"k".repeat(1024)));
    parquet(&file(&key_of(1025))).exits(6).says(&["a value of the field Key is longer than any"]);
    parquet(&file(&key_of(LONG))).exits(6).says(&["a part of it is too long"]);
    // A dictionary that says to have more values than bytes, each of which takes memory.
    let key = page(false, 1, &[&1_u32.to_le_bytes(), b"k"]);
    let dictionary = page(true, 100_000_000, &[&1_u32.to_le_bytes(), b"k"]);
    parquet(&file(&[dictionary, key].concat())).exits(6).says(&["a part of it is too long"]);
    // Metadata that are longer than any.
    let mut long = file(&key_of(1));
    let metadata = vec![0; LONG];
    long.extend(&metadata);
    long.extend(u32::try_from(metadata.len()).unwrap().to_le_bytes());
    long.extend(b"PAR1");
    parquet(&long).exits(6).says(&["a part of it is too long"]);
}
