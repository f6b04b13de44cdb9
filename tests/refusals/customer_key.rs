//! SSE-C: keys that are wrong, missing, needless, malformed, or not wanted by the bucket.

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, CUSTOMER_KEY, PART, bytes};

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("other", &KnownKey::new(2).0);
    bench.write("source", b"text");
    bench.run("put source s3://bench/object -e sse-c --sse-c-key key").ok();
    bench.run("put source s3://bench/plain -e sse-s3").ok();
    bench
}

#[test]
fn a_wrong_key_is_told_as_such() {
    let bench = bench();
    let ended = bench.run("get s3://bench/object copy --sse-c-key other");
    ended.exits(5).writes_nothing().says(&[
        "error: cannot open s3://bench/object: the key given is not the one it was encrypted with",
        "cause: AccessDenied: Requests specifying Server Side Encryption with Customer provided keys must provide \
         the correct secret key.",
        "hint: pass the key it was stored with: --sse-c-key SOURCE",
    ]);
    bench.assert_tidy(&["key", "other", "source"]);
}

#[test]
fn a_missing_key_is_asked_for() {
    let bench = bench();
    bench.run("get s3://bench/object copy").exits(5).writes_nothing().says(&[
        "error: s3://bench/object is encrypted with SSE-C and needs its key",
        "hint: pass the key it was stored with: --sse-c-key SOURCE",
    ]);
    bench.assert_tidy(&["key", "other", "source"]);
}

#[test]
fn a_key_for_an_object_that_has_none_is_not_ignored() {
    let bench = bench();
    bench.run("get s3://bench/plain copy --sse-c-key key").exits(5).writes_nothing().says(&[
        "error: cannot open s3://bench/plain: a key was given, but the object is stored with SSE-S3",
        "hint: s3://bench/plain opens without it: leave out the key",
    ]);
    bench.assert_tidy(&["key", "other", "source"]);
}

#[test]
fn a_key_is_not_sent_for_an_object_that_has_none() {
    let bench = bench();
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/plain copy --sse-c-key key").exits(5);
    assert!(bench.sandbox.requests().iter().all(|request| request.header(CUSTOMER_KEY).is_none()));
}

#[test]
fn a_bucket_that_blocks_sse_c_is_told_with_what_goes_instead() {
    let bench = bench();
    bench.sandbox.s3().block_sse_c(BUCKET);
    for size in [10, PART + 1] {
        bench.write("source", &bytes(size));
        let ended = bench.run("put source s3://bench/new -e sse-c --sse-c-key key --part-size 5MiB");
        ended.exits(4).says(&[
            "error: s3://bench/new was refused: the bucket blocks SSE-C",
            "this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys",
            "hint: another mode goes without a change: --key with the same key (client-side), -e sse-kms or -e sse-s3",
            "aws s3api put-bucket-encryption --bucket bench",
            "\"BlockedEncryptionTypes\":{\"EncryptionType\":[\"NONE\"]}",
        ]);
        bench.assert_keys(&["object", "plain"]);
        bench.assert_tidy(&["key", "other", "source"]);
    }
    bench.run("get s3://bench/object copy --sse-c-key key").ok();
}

#[test]
fn what_goes_instead_where_sse_c_is_blocked_really_goes() {
    let bench = bench();
    bench.sandbox.s3().block_sse_c(BUCKET);
    bench.run("put source s3://bench/new -e client --key key").ok();
    bench.run("put source s3://bench/new -e sse-kms").ok();
    bench.run("put source s3://bench/new -e sse-s3").ok();
}

#[test]
fn a_key_of_another_length_is_refused_before_anything_is_sent() {
    let bench = bench();
    bench.sandbox.clear_requests();
    for content in [&b""[..], &[1; 31], &[1; 33], b"this is not a key", &[b'A'; 1000]] {
        bench.write("bad", content);
        let ended = bench.run("put source s3://bench/new -e sse-c --sse-c-key bad").exits(5);
        ended.says(&["--sse-c-key: bad", "make one with `s3seal keygen FILE`"]);
        // To open, a new key is of no use.
        let ended =
            bench.run("get s3://bench/object copy --sse-c-key bad").exits(5).says(&["--sse-c-key: bad"]);
        assert!(!ended.stderr.contains("keygen"), "{}", ended.stderr);
    }
    // What other programs seal with may be shorter; S3 takes 256 bits.
    bench.write("bad", &[1; 16]);
    bench.run("put source s3://bench/new -e sse-c --sse-c-key bad").exits(5).says(&["--sse-c-key: bad"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn a_key_file_that_others_can_read_is_refused_unless_that_is_accepted() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        std::fs::set_permissions(bench.path("key"), std::fs::Permissions::from_mode(mode)).unwrap();
        let ended = bench.run("put source s3://bench/new -e sse-c --sse-c-key key").exits(5);
        ended.says(&["--sse-c-key: other users can access key", "chmod 600 key", "--allow-open-key-file"]);
        bench.run("get s3://bench/object copy --sse-c-key key").exits(5);
        bench.run("put source s3://bench/object -e sse-c --sse-c-key key --allow-open-key-file").ok();
        bench.run("get s3://bench/object copy --sse-c-key key --allow-open-key-file").ok();
    }
}

#[test]
fn a_wrong_key_is_not_sent_with_one_request_after_another() {
    // One look without the key, one with it, and the reasons: no range was ever asked for with the wrong one.
    let bench = bench();
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/object copy --sse-c-key other").exits(5);
    let with_key =
        bench.sandbox.requests().into_iter().filter(|request| request.header(CUSTOMER_KEY).is_some());
    assert!(with_key.count() <= 2);
}
