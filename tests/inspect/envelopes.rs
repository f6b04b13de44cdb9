//! Client-side formats: those that s3seal writes, and those of the vectors that other writers made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench};
use crate::{key, rows};

#[test]
fn what_s3seal_writes_is_told_with_the_key_that_opens_it() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.write("pass", b"a passphrase of some length");
    key(&bench, "k", 1);
    key(&bench, "other", 2);
    for (name, flags, format, kind, place) in [
        ("aes", "--key k", "s3ec", "aes", "metadata"),
        ("v2", "--key k --format s3ec-v2", "s3ec-v2", "aes", "metadata"),
        ("file", "--key k --instruction-file", "s3ec", "aes", "instruction_file"),
        ("kms", "--kms-key alias/backup --context app=db", "s3ec", "kms", "metadata"),
        ("pass", "--passphrase=file:pass", "s3ec", "passphrase", "metadata"),
        ("esdk", "--key k --format esdk", "esdk", "aes", "object"),
    ] {
        bench.run(&format!("put source s3://bench/{name} -e client {flags}")).ok();
        let look = format!("inspect --format ndjson s3://bench/{name} --allow-legacy v2");
        let found = bench.run(&format!("{look} --key other --key k")).ok().json();
        let client = &found["client"];
        assert_eq!(
            (&found["encryption"]["mode"], &found["encryption"]["at_rest"]),
            (&json!("client"), &json!("sse-s3")),
            "{name}"
        );
        assert_eq!(
            (&found["encryption"]["format"], &client["envelope_in"]),
            (&json!(format), &json!(place)),
            "{name}"
        );
        assert_eq!(client["recipients"][0]["kind"], kind, "{name}");
        assert_eq!(client["key_committing"], format != "s3ec-v2", "{name}");
        assert_eq!(client["legacy"].is_null(), format != "s3ec-v2", "{name}");
        assert_eq!(found["bytes"], 4, "{name}");
        let opens = if kind == "aes" { json!(true) } else { client["key_given_opens"].clone() };
        assert_eq!(client["key_given_opens"], opens, "{name}");
        if kind == "aes" {
            let found = bench.run(&format!("{look} --key other")).ok().json();
            assert_eq!(found["client"]["key_given_opens"], false, "{name}");
            assert_eq!(client["recipients"][0]["key_fingerprint"].as_str().unwrap().len(), 16, "{name}");
        }
    }
    let v2 = bench.run("inspect --format ndjson s3://bench/v2 --key k").ok().json();
    assert_eq!(v2["client"]["key_given_opens"], Value::Null, "not tried unless allowed");
    let kms = bench.run("inspect --format ndjson s3://bench/kms").ok().json();
    assert_eq!(kms["client"]["encryption_context"]["app"], "db");
    let pass = bench.run("inspect --format ndjson s3://bench/pass --passphrase=file:pass").ok().json();
    assert_eq!(pass["client"]["key_given_opens"], true);
    assert!(
        pass["client"]["recipients"][0]["passphrase"]
            .as_str()
            .unwrap()
            .starts_with("$argon2id$v=19$m=65536,t=3,p=4$")
    );
    bench.run("inspect s3://bench/aes --expect client:s3ec").ok();
    bench.run("inspect s3://bench/v2 --expect client:s3ec").exits(8);
}

#[test]
fn what_a_key_shows_to_be_changed_is_no_claim() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    bench.run("put source s3://bench/object -e client --key k").ok();
    let mut metadata = bench.object("object").metadata;
    let commitment = metadata.get_mut("x-amz-d").unwrap();
    let other = if commitment.starts_with('A') { "B" } else { "A" };
    commitment.replace_range(..1, other);
    bench.sandbox.s3().set_metadata(BUCKET, "object", metadata);
    let claimed = bench.run("inspect --json s3://bench/object").ok().json();
    assert_eq!(claimed["client"]["state"], "claimed");
    let shown = bench.run("inspect --json s3://bench/object --key k").ok().json();
    assert_eq!(shown["client"]["state"], "broken", "{shown}");
    bench.run("inspect s3://bench/object --key k --expect client").exits(8);
}

#[test]
fn that_the_instruction_file_is_missing_is_not_said_of_the_object() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    bench.run("put source s3://bench/p/object -e client --key k --instruction-file").ok();
    bench.sandbox.s3().try_delete(BUCKET, "p/object.instruction", "null", false).unwrap();
    let ended = bench.run("inspect s3://bench/p/ --read-data --key k").exits(9);
    assert!(ended.stdout.windows(16).any(|text| text == b"instruction file"), "{}", ended.stderr);
}

fn vectors(folder: &str) -> Vec<(PathBuf, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder);
    let mut found: Vec<(PathBuf, Value)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| (path.clone(), serde_json::from_slice(&fs::read(path).unwrap()).unwrap()))
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(found.len() > 10);
    found
}

fn map(value: &Value) -> BTreeMap<String, String> {
    value
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn the_vectors_of_the_s3_encryption_client_are_told_right() {
    let bench = Bench::new();
    let mut expected = BTreeMap::new();
    for (path, vector) in vectors("s3ec/positive") {
        let Some(body) = vector["body_base64"].as_str() else { continue };
        let key = path.file_stem().unwrap().to_str().unwrap();
        bench.sandbox.s3().put_plain(BUCKET, key, &BASE64_STANDARD.decode(body).unwrap());
        bench.sandbox.s3().set_metadata(BUCKET, key, map(&vector["object_metadata"]));
        for (suffix, file) in vector["instruction_files"].as_object().into_iter().flatten() {
            let content = file["content"].as_str().unwrap();
            bench.sandbox.s3().put_plain(BUCKET, &format!("{key}{suffix}"), content.as_bytes());
        }
        expected.insert(format!("s3://bench/{key}"), vector);
    }
    let ended = bench
        .run("inspect --format ndjson s3://bench/ --deep --exclude *.instruction --exclude *.partner")
        .ok();
    let (found, _) = rows(&ended);
    let found: BTreeMap<&str, &Value> = found.iter().map(|row| (row["uri"].as_str().unwrap(), row)).collect();
    for (uri, vector) in &expected {
        let Some(row) = found.get(uri.as_str()) else { panic!("{uri} is not among the rows") };
        let client = &row["client"];
        if client["state"] != "claimed" && !vector["instruction_files"][".instruction"].is_object() {
            continue; // Its instruction file has a name that must be given.
        }
        let format = match vector["format"].as_str().unwrap() {
            "V1" => "s3ec-v1",
            "V2" => "s3ec-v2",
            _ => "s3ec",
        };
        assert_eq!(row["encryption"]["format"], format, "{uri}: {row}");
        let in_file = vector["storage"] == "instruction-file";
        assert_eq!(client["envelope_in"] == "instruction_file", in_file, "{uri}");
        let cbc = vector["content_alg"].as_str().unwrap().contains("CBC");
        assert_eq!(client["authenticated_encryption"], !cbc, "{uri}");
        assert_eq!(client["key_committing"], format == "s3ec", "{uri}");
        let wrap = vector["wrap_alg"].as_str().unwrap();
        let kind = match wrap {
            "AES" | "AES/GCM" | "AESWrap" => "aes",
            "kms" | "kms+context" => "kms",
            _ => "rsa",
        };
        assert_eq!(client["recipients"][0]["kind"], kind, "{uri}");
        let plain = row["bytes"].as_u64();
        assert!(cbc || plain == vector["plaintext"]["length"].as_u64(), "{uri}: {plain:?}");
    }
}

#[test]
fn tampered_envelopes_are_findings_and_no_crash() {
    let bench = Bench::new();
    for (path, vector) in vectors("s3ec/negative") {
        let key = path.file_stem().unwrap().to_str().unwrap();
        bench.sandbox.s3().put_plain(BUCKET, key, b"sixteen bytes or more");
        bench.sandbox.s3().set_metadata(BUCKET, key, map(&vector["object_metadata"]));
    }
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench/").ok());
    assert_eq!(sum["failed"], 0);
    let broken = |key: &str| {
        let row = found.iter().find(|row| row["key"] == key).unwrap_or_else(|| panic!("{key}"));
        (row["client"]["state"].clone(), row["encryption"]["mode"].clone())
    };
    assert_eq!(broken("neg-v2-aes-edk-badb64"), (json!("broken"), json!("none")));
    assert_eq!(broken("neg-v2-aes-v1key-added"), (json!("broken"), json!("none")));
    assert_eq!(broken("neg-plain-object"), (json!(null), json!("none")));
    bench.run("inspect s3://bench/neg-v2-aes-edk-badb64 --expect client").exits(8);
}

#[test]
fn messages_of_other_writers_are_known_by_their_first_bytes_when_asked() {
    let bench = Bench::new();
    let mut count = 0;
    for (path, vector) in vectors("esdk/positive") {
        let message = fs::read(path.with_extension("bin")).unwrap();
        let key = path.file_stem().unwrap().to_str().unwrap().to_owned();
        bench.sandbox.s3().put_plain(BUCKET, &key, &message);
        let found = bench.run(&format!("inspect --format ndjson s3://bench/{key}")).ok().json();
        let client = &found["client"];
        assert_eq!(
            (&found["encryption"]["mode"], &found["encryption"]["format"]),
            (&json!("client"), &json!("esdk")),
            "{key}"
        );
        if let Some(edks) = vector["edks"].as_array() {
            assert_eq!(client["recipients"].as_array().unwrap().len(), edks.len(), "{key}");
        }
        if let Some(framed) = vector["framed"].as_bool() {
            assert_eq!(client["frame_bytes"].is_null(), !framed, "{key}");
        }
        count += 1;
    }
    let modes = |flags: &str| {
        rows(&bench.run(&format!("inspect --format ndjson s3://bench/ {flags}")).ok()).1["groups"].clone()
    };
    assert_eq!(modes("")[0]["mode"], "none", "unasked, nothing but metadata is looked at");
    let deep = modes("--deep");
    let sum: u64 = deep
        .as_array()
        .unwrap()
        .iter()
        .filter(|share| share["mode"] == "client")
        .map(|share| share["objects"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, count);
}

#[test]
fn what_was_not_decrypted_is_called_a_claim() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    key(&bench, "other", 2);
    bench.run("put source s3://bench/sealed -e client --key k").ok();
    // What another program stores as plain text with our marker.
    bench.sandbox.s3().put_plain(BUCKET, "fake", b"text");
    let marker = BTreeMap::from([("s3seal-format".to_owned(), "esdk".to_owned())]);
    bench.sandbox.s3().set_metadata(BUCKET, "fake", marker);
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench/ --expect client").ok());
    assert!(found.iter().all(|row| row["client"]["state"] == "claimed"), "{found:?}");
    assert_eq!(sum["claimed_client"], 2);
    let table = bench.run("inspect s3://bench/ --format table").ok();
    assert!(String::from_utf8_lossy(&table.stdout).contains("2 claimed to be client-side, not decrypted"));
    bench.run("inspect s3://bench/ --report page.html").ok();
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert!(page.contains("Claimed to be client-side, not decrypted: 2."), "{page}");
    for (line, expected) in [
        ("inspect s3://bench/ --format csv", vec!["claimed", "claimed"]),
        ("inspect s3://bench/sealed --key k --format csv", vec!["opened"]),
        // Keys are tried on many objects as on one, and a forged marker shows itself.
        ("inspect s3://bench/ --key k --format csv", vec!["broken", "opened"]),
        ("inspect s3://bench/ --key other --format csv", vec!["broken", "claimed"]),
    ] {
        let table = bench.run(line).ok();
        let mut reader = csv::Reader::from_reader(table.stdout.as_slice());
        let column = reader.headers().unwrap().iter().position(|name| name == "client").unwrap();
        let states: Vec<String> = reader.records().map(|row| row.unwrap()[column].to_owned()).collect();
        assert_eq!(states, expected, "{line}");
    }
    let opened = bench.run("inspect --format ndjson s3://bench/sealed --key k").ok().json();
    assert_eq!(opened["client"]["state"], "opened");
}

#[test]
fn an_instruction_file_of_another_name_is_read_if_it_is_named() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    bench.run("put source s3://bench/object -e client --key k --instruction-file").ok();
    let file = bench.object("object.instruction").plaintext.unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "object.partner", &file);
    bench.sandbox.s3().put_plain(BUCKET, "object.instruction", b"{}");
    for suffix in ["partner", ".partner"] {
        let look = format!("inspect --format ndjson s3://bench/object --key k --instruction-suffix {suffix}");
        assert_eq!(bench.run(&look).ok().json()["client"]["state"], "opened", "{suffix}");
    }
}

#[test]
fn instruction_files_belong_to_what_is_client_side_if_they_are_what_they_say() {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    for format in ["s3ec", "s3ec-v2"] {
        bench
            .run(&format!(
                "put source s3://bench/{format} -e client --key k --instruction-file --format {format}"
            ))
            .ok();
    }
    let (found, _) = rows(&bench.run("inspect --format ndjson s3://bench/ --deep --expect client").ok());
    let files = found.iter().filter(|row| row["client"]["state"] == "instruction_file").count();
    assert_eq!((found.len(), files), (4, 2));
    // A marker is no proof: what is marked and holds anything else is as plain as it is.
    for body in [&b"secret plain text"[..], br#"{"x-amz-3":"AAAA","more":"plain text"}"#, b"{}"] {
        bench.sandbox.s3().put_plain(BUCKET, "marked.instruction", body);
        let marker = BTreeMap::from([("x-amz-crypto-instr-file".to_owned(), String::new())]);
        bench.sandbox.s3().set_metadata(BUCKET, "marked.instruction", marker);
        bench.run("inspect s3://bench/ --deep --expect client").exits(8);
    }
}
