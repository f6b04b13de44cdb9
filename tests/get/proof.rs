//! What comes down is compared with the checksum that S3 keeps; what differs is not handed out.

use crate::support::{BUCKET, Bench, PART, bytes, key};

/// An object of so many bytes, stored with this checksum, and an old file where it is to go.
fn stored(size: usize, algorithm: &str) -> Bench {
    let bench = Bench::new();
    bench.write("source", &bytes(size));
    bench.run(&format!("put source s3://bench/object --checksum {algorithm} --part-size 5MiB")).ok();
    bench.write("copy", b"old");
    bench
}

fn is_refused(bench: &Bench) {
    let ended = bench.run("get s3://bench/object copy --part-size 5MiB");
    ended.exits(6).says(&["s3://bench/object cannot be trusted", "no file was written", "--version-id"]);
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "source"]);
}

#[test]
fn a_changed_byte_is_seen_whatever_the_checksum() {
    for algorithm in ["crc64nvme", "crc32", "crc32c", "sha1", "sha256"] {
        for size in [1000, 2 * PART + 1] {
            let bench = stored(size, algorithm);
            for place in [0, size / 2, size - 1] {
                bench.sandbox.s3().tamper_body(BUCKET, "object", move |body| body[place] ^= 1);
                is_refused(&bench);
                bench.sandbox.s3().tamper_body(BUCKET, "object", move |body| body[place] ^= 1);
            }
            bench.run("get s3://bench/object copy --part-size 5MiB").ok();
        }
    }
}

#[test]
fn a_cut_or_a_longer_object_is_seen() {
    for size in [1000, PART + 1] {
        let bench = stored(size, "crc64nvme");
        bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body.truncate(body.len() - 1));
        is_refused(&bench);
        bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body.extend([0, 0]));
        is_refused(&bench);
    }
}

#[test]
fn bytes_that_were_swapped_are_seen() {
    let bench = stored(2 * PART, "sha256");
    bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body.rotate_left(PART));
    is_refused(&bench);
}

#[test]
fn a_changed_sse_c_object_is_seen() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(1000));
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key").ok();
    bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body[3] ^= 1);
    bench.run("get s3://bench/object copy --sse-c-key key").exits(6);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn a_checksum_of_other_bytes_is_seen() {
    let bench = stored(1000, "crc64nvme");
    bench.sandbox.s3().set_checksum_of(BUCKET, "object", b"other");
    is_refused(&bench);
}

#[test]
fn a_stream_that_is_not_what_was_stored_ends_in_failure() {
    let bench = stored(1000, "crc64nvme");
    bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body[3] ^= 1);
    bench.run("get s3://bench/object -").exits(6).says(&["s3://bench/object cannot be trusted"]);
}
