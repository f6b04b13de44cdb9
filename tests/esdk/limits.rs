//! What cannot be is refused before anything is sent.

use std::fs::File;

use super::stored::{SEAL, bench};

/// What one message of AES-GCM holds at most, in bytes (NIST SP 800-38D, section 5.2.1.1).
const GCM_LIMIT: u64 = (1 << 36) - 32;

#[test]
fn more_than_one_gcm_message_holds_is_refused_by_its_length() {
    let bench = bench();
    // No block of it is on the disk.
    File::create(bench.path("huge")).unwrap().set_len(GCM_LIMIT + 1).unwrap();
    for format in ["s3ec", "s3ec-v2"] {
        let ended = bench.run(&format!("put huge s3://bench/object -e client --format {format} --key key"));
        assert_ne!(ended.code(), Some(0));
        ended.says(&["64 GiB", "esdk"]);
    }
    assert_eq!(bench.sandbox.requests().len(), 0, "something was sent");
}

#[test]
fn frame_lengths_that_others_cannot_read_are_refused() {
    let bench = bench();
    bench.write("source", b"text");
    for length in ["0", "100", "4095", "65537", "4097", "32MiB", "17MiB"] {
        let ended = bench.run(&format!("put source s3://bench/object {SEAL} --frame-length {length}"));
        assert_ne!(ended.code(), Some(0), "{length}");
    }
    assert!(bench.sandbox.requests().is_empty(), "something was sent");
}

#[test]
fn an_object_with_more_frames_than_there_are_numbers_is_refused_or_gets_longer_ones() {
    let bench = bench();
    // 17 TiB in frames of 4 KiB are more than 2^32.
    let huge = File::create(bench.path("huge")).unwrap();
    if huge.set_len(17 << 40).is_ok() {
        let ended = bench.run(&format!("put huge s3://bench/object {SEAL} --frame-length 4096"));
        assert_ne!(ended.code(), Some(0));
        ended.says(&["frame"]);
        assert!(bench.sandbox.requests().is_empty(), "something was sent");
    }
}

#[test]
fn what_belongs_to_the_other_format_is_refused() {
    let bench = bench();
    bench.write("source", b"text");
    for line in [
        "--format esdk --key key --instruction-file",
        "--format s3ec --key key --frame-length 4096",
        "--format s3ec --key key --key-name a/b",
        "--format s3ec --key key --key other",
    ] {
        let ended = bench.run(&format!("put source s3://bench/object -e client {line}"));
        assert!(matches!(ended.code(), Some(1 | 2)), "{line}: {:?}", ended.code());
    }
    assert!(bench.sandbox.requests().is_empty(), "something was sent");
}
