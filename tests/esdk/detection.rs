//! How an object is known to be in this format, and what others wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sha2::{Digest as _, Sha256};

use super::stored::{FRAME, SEAL, Stored, bench};
use crate::support::{BUCKET, Bench, assert_same, key};

/// A bench with a message of the official clients in its bucket, and the AES key that opens it.
pub fn with_vector(id: &str) -> (Bench, serde_json::Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/esdk");
    let json = |path: &Path| serde_json::from_slice::<serde_json::Value>(&fs::read(path).unwrap()).unwrap();
    let about = json(&folder.join(format!("positive/{id}.json")));
    let keys = json(&folder.join("keys.json"));
    let key = keys[about["decrypt_keys"][0].as_str().unwrap()]["key"].as_str().unwrap().to_owned();
    let bench = bench();
    bench.write("theirs", &BASE64_STANDARD.decode(key).unwrap());
    let sealed = fs::read(folder.join(format!("positive/{id}.bin"))).unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "object", &sealed);
    (bench, about)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn a_marker_names_the_format_and_who_can_open() {
    let bench = bench();
    bench.write("source", b"text");
    bench
        .run(&format!("put source s3://bench/object {SEAL} --public-key rsa_a.pub.pem --metadata mine=1"))
        .ok();
    let metadata = bench.object("object").metadata;
    assert_eq!(metadata["s3seal-format"], "esdk");
    assert_eq!(metadata["mine"], "1");
    let recipients = &metadata["s3seal-recipients"];
    // The fingerprint of an AES key is that of its bytes.
    assert!(recipients.starts_with(&format!("aes:{},rsa:", &sha256(&key(7))[..16])), "{recipients}");
}

#[test]
fn without_its_marker_it_is_known_by_its_first_bytes_if_keys_are_given() {
    let stored = Stored::new(FRAME + 5);
    stored.spoil(|_| ());
    assert_eq!(stored.bench.object("object").metadata, BTreeMap::new());
    let ended = stored.bench.run("get s3://bench/object - --key key").ok();
    assert_same(&ended.stdout, &stored.plain, "plain");
    stored.bench.run("get s3://bench/object - --key other").exits(5).writes_nothing();
    // Nobody who gives no key says that it is sealed.
    let ended = stored.bench.run("get s3://bench/object -").ok();
    assert_same(&ended.stdout, &stored.sealed, "as it is");
}

#[test]
fn a_message_put_as_it_is_comes_back_opened() {
    let stored = Stored::new(FRAME + 5);
    stored.bench.run("get s3://bench/object message --raw").ok();
    stored.bench.run("put message s3://bench/again").ok();
    let ended = stored.bench.run("get s3://bench/again - --key key").ok();
    assert_same(&ended.stdout, &stored.plain, "plain");
}

#[test]
fn raw_hands_out_the_stored_bytes() {
    let stored = Stored::new(2 * FRAME);
    for keys in ["", "--key key", "--key other"] {
        let ended = stored.bench.run(&format!("get s3://bench/object - --raw {keys}"));
        if keys.is_empty() {
            assert_same(&ended.ok().stdout, &stored.sealed, "raw");
        } else if ended.code() == Some(0) {
            assert_same(&ended.stdout, &stored.sealed, "raw");
        } else {
            ended.writes_nothing();
        }
    }
    let ended = stored.bench.run("get s3://bench/object - --raw --range 3-9").ok();
    assert_same(&ended.stdout, &stored.sealed[3..10], "a part of the stored bytes");
}

#[test]
fn a_plain_object_that_only_begins_like_a_message_is_not_taken_for_one_without_a_key() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "object", b"\x02\x04\x78 but no message");
    assert_eq!(bench.run("get s3://bench/object -").ok().stdout, b"\x02\x04\x78 but no message");
    bench.run("get s3://bench/object - --key key").exits(6).writes_nothing();
}

#[test]
fn a_marker_on_what_is_no_message_is_refused() {
    let bench = bench();
    for body in [&b"plain text"[..], b"", b"\x02\x04"] {
        bench.sandbox.s3().put_plain(BUCKET, "object", body);
        let metadata = BTreeMap::from([("s3seal-format".to_owned(), "esdk".to_owned())]);
        bench.sandbox.s3().set_metadata(BUCKET, "object", metadata);
        bench.run("get s3://bench/object - --key key").exits(6).writes_nothing();
    }
}

#[test]
fn a_message_in_base64_is_told() {
    let stored = Stored::new(10);
    let text = BASE64_STANDARD.encode(&stored.sealed);
    stored.spoil(|sealed| *sealed = text.into_bytes());
    let ended = stored.bench.run("get s3://bench/object - --key key").exits(2);
    ended.writes_nothing().says(&["written in base64; decode it first"]);
}

#[test]
fn messages_of_the_first_version_open_only_when_allowed() {
    for id in
        ["s0178-4096-3frames", "s0114-128-300", "s0078-128-300", "s0178-nonframed-5000", "s0378-4096-frame"]
    {
        let (bench, about) = with_vector(id);
        let ended = bench.run("get s3://bench/object - --key theirs");
        assert_ne!(ended.code(), Some(0), "{id}");
        ended.writes_nothing().says(&["--allow-legacy v2"]);
        let ended = bench.run("get s3://bench/object - --key theirs --allow-legacy v2").ok();
        assert_eq!(sha256(&ended.stdout), about["plaintext_sha256"], "{id}");
    }
}

#[test]
fn an_empty_final_frame_is_proven_and_its_checksum_compared() {
    let (bench, about) = with_vector("ref-s0478-empty-final");
    let sealed = bench.object("object").plaintext.unwrap();
    bench.write("sealed", &sealed);
    bench.run("put sealed s3://bench/object").ok();
    let found = bench.run("get s3://bench/object copy --key theirs --json").ok().json();
    assert_eq!(found["checksum"]["verified"], true, "{found}");
    assert_eq!(sha256(&bench.read("copy")), about["plaintext_sha256"]);
    fs::remove_file(bench.path("copy")).unwrap();
    let final_frame = sealed.len() - 40;
    for place in final_frame..sealed.len() {
        let mut spoilt = sealed.clone();
        spoilt[place] ^= 1;
        bench.sandbox.s3().put_plain(BUCKET, "object", &spoilt);
        bench.run("get s3://bench/object copy --key theirs").exits(6);
        assert!(!bench.names().contains(&"copy".to_owned()), "byte {place}");
    }
}

#[test]
fn signed_messages_open_and_no_range_of_them() {
    for id in ["s0578-4096-0", "s0578-4096-1", "s0578-4096-3frames", "s0578-4096-1MiB"] {
        let (bench, about) = with_vector(id);
        let ended = bench.run("get s3://bench/object - --key theirs").ok();
        assert_eq!(sha256(&ended.stdout), about["plaintext_sha256"], "{id}");
        let ended = bench.run("get s3://bench/object - --key theirs --range 0-0");
        assert_ne!(ended.code(), Some(0), "{id}");
        ended.writes_nothing().says(&["signature"]);
    }
}

#[test]
fn the_final_frame_of_a_signed_message_waits_for_the_signature() {
    for (id, proven) in [("s0578-4096-1", 0), ("s0578-4096-frame-1", 0), ("s0578-4096-frame+1", 4096)] {
        let (bench, about) = with_vector(id);
        let sealed = bench.object("object").plaintext.unwrap();
        let plain = bench.run("get s3://bench/object - --key theirs").ok().stdout;
        let end = usize::try_from(about["frames"].as_array().unwrap().last().unwrap()[1].as_u64().unwrap())
            .unwrap();
        let mut spoilt = vec![sealed[..end].to_vec(), sealed[..sealed.len() - 1].to_vec()];
        for place in [end, end + 10, sealed.len() - 1] {
            spoilt.push(sealed.clone());
            spoilt.last_mut().unwrap()[place] ^= 1;
        }
        for spoilt in spoilt {
            bench.sandbox.s3().put_plain(BUCKET, "object", &spoilt);
            let ended = bench.run("get s3://bench/object - --key theirs").exits(6);
            assert_same(&ended.stdout, &plain[..proven], &format!("{id}: all but the final frame"));
            bench.run("get s3://bench/object copy --key theirs").exits(6);
            assert!(!bench.names().contains(&"copy".to_owned()));
        }
    }
}
