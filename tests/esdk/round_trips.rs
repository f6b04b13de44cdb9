//! What went in comes out, by every kind of key and at every size that is a border.

use super::stored::{FRAME, SEAL, Stored, bench, message};
use crate::support::{ALIAS, BUCKET, Bench, PART, assert_same, bytes};

/// Empty, a byte, around a frame, around a part in plain bytes, and around one in sealed bytes.
const SIZES: [usize; 11] = [
    0,
    1,
    FRAME - 1,
    FRAME,
    FRAME + 1,
    PART - 1,
    PART,
    PART + 1,
    PART - 80 * 32 - 250,
    2 * PART - 3,
    2 * PART + 12_345,
];

fn comes_back(bench: &Bench, seal: &str, open: &str, sizes: &[usize]) {
    for &size in sizes {
        let content = bytes(size);
        bench.write("source", &content);
        let put = format!("put source s3://bench/object -e client --format esdk --part-size 5MiB {seal}");
        bench.run(&put).ok();
        let stored = bench.object("object").plaintext.unwrap();
        assert!(size < 16 || !crate::support::keys::holds(&stored, &content[size - 16..]), "stored as it is");
        let get = format!("get s3://bench/object copy --part-size 5MiB {open}");
        bench.run(&get).ok().writes_nothing().says(&["verified"]);
        assert_same(&bench.read("copy"), &content, "file");
        let ended = bench.run(&format!("get s3://bench/object - --part-size 5MiB {open}")).ok();
        assert_same(&ended.stdout, &content, "standard output");
    }
    assert_eq!(bench.sandbox.s3().uploads(), []);
}

#[test]
fn by_an_aes_key() {
    comes_back(&bench(), "--key key", "--key key", &SIZES);
}

#[test]
fn by_an_rsa_key() {
    comes_back(&bench(), "--public-key rsa_a.pub.pem", "--private-key rsa_a.pem", &[0, FRAME + 1]);
}

#[test]
fn by_a_kms_key() {
    let bench = bench();
    let any = "--kms-discovery --kms-account 111122223333";
    comes_back(&bench, &format!("--kms-key {ALIAS}"), any, &[0, FRAME + 1, PART + 1]);
    comes_back(&bench, &format!("--kms-key {ALIAS}"), &format!("--kms-key {ALIAS}"), &[FRAME]);
    let arn = bench.sandbox.kms().create_key().0;
    comes_back(&bench, &format!("--kms-key {arn}"), &format!("--kms-key {arn}"), &[FRAME]);
}

#[test]
fn by_a_passphrase() {
    comes_back(&bench(), "--passphrase=file:phrase", "--passphrase=file:phrase", &[0, FRAME + 1]);
}

#[test]
fn frames_of_other_lengths_come_back() {
    for (frame, sizes) in [(4096, [4095, 4096, 4097, PART + 1]), (1 << 20, [1, 1 << 20, (1 << 20) + 1, PART])]
    {
        comes_back(&bench(), &format!("--key key --frame-length {frame}"), "--key key", &sizes);
    }
}

#[test]
fn a_stream_of_unknown_length_takes_this_format_by_itself() {
    let bench = bench();
    for size in SIZES {
        let content = bytes(size);
        let line = "put - s3://bench/object -e client --key key --part-size 5MiB";
        let ended = bench.s3seal(line.split(' ')).input(&content).run().ok();
        ended.says(&["esdk"]);
        let ended = bench.run("get s3://bench/object - --key key --part-size 5MiB").ok();
        assert_same(&ended.stdout, &content, "standard output");
    }
    bench.write("source", b"text");
    bench.run("put source s3://bench/object -e client --key key").ok().says(&["s3ec"]);
}

#[test]
fn no_two_objects_have_a_message_id_or_a_wrapped_key_in_common() {
    let (one, two) = (Stored::new(10), Stored::new(10));
    let (one, two) = (message(&one.sealed), message(&two.sealed));
    assert_ne!(one.id(), two.id());
    assert_ne!(one.edks(), two.edks());
}

#[test]
fn an_existing_file_stays_until_all_of_the_new_one_is_proven() {
    let stored = Stored::new(3 * FRAME);
    stored.bench.write("copy", b"old");
    let last = stored.frame_at(3).end - 1;
    stored.spoil(|sealed| sealed[last] ^= 1);
    stored.bench.run("get s3://bench/object copy --key key").exits(6);
    assert_eq!(stored.bench.read("copy"), b"old");
    assert!(stored.bench.names().iter().all(|name| !name.contains("tmp")), "{:?}", stored.bench.names());
}

#[test]
fn what_s3_does_to_the_sealed_bytes_is_told_apart() {
    let bench = bench();
    bench.write("source", b"text");
    bench.run(&format!("put source s3://bench/object {SEAL} --at-rest sse-kms:{ALIAS}")).ok();
    assert!(matches!(bench.object("object").sse, s3seal_sandbox::s3::SseView::SseKms { .. }));
    assert_eq!(bench.run("get s3://bench/object - --key key").ok().stdout, b"text");
    assert!(bench.sandbox.s3().object(BUCKET, "object.instruction").is_none());
}
