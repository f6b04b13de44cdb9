//! Objects beyond 5 GiB, which S3 copies only in parts: the same as smaller ones, and nothing left behind.
//!
//! Their bytes are a hole in the sandbox: every request is the real one, and nobody stores gigabytes.

use s3seal_sandbox::s3::{ObjectView, SseView};
use s3seal_sandbox::{Fault, Gate, Kind, Recorded};

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench, PATIENCE};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, rsa, stored};

/// A little more than one request copies.
const LEN: u64 = (5 << 30) + 1000;
/// Parts of 256 MiB, and one of what is left.
const PARTS: usize = 21;
/// What belongs to an object.
const MARKS: &str = "--metadata owner=me --tag team=red --storage-class STANDARD_IA --acl public-read --content-type \
    text/x-large --cache-control no-cache --content-encoding gzip --content-disposition inline --content-language de";

/// An object of [`LEN`] bytes, stored with these flags.
fn large(flags: &str) -> Bench {
    let bench = bench();
    stored(&bench, 1000, flags);
    bench.sandbox.s3().set_hole(BUCKET, "o", LEN);
    bench.sandbox.clear_requests();
    bench
}

/// Fails unless S3 was told to copy every byte to its place, once, and no byte went another way.
#[track_caller]
fn assert_copied_in_parts(bench: &Bench) {
    let mut parts: Vec<(usize, String)> =
        bench.requests("UploadPartCopy").iter().map(|part| (number(part), range(part))).collect();
    parts.sort();
    let size: usize = 256 << 20;
    let firsts = (0..LEN).step_by(size);
    let expected: Vec<(usize, String)> = (1..)
        .zip(firsts)
        .map(|(part, first)| (part, format!("bytes={first}-{}", LEN.min(first + size as u64) - 1)))
        .collect();
    assert_eq!(expected.len(), PARTS);
    assert_eq!(parts, expected);
    for other in ["GetObject", "PutObject", "UploadPart", "CopyObject"] {
        assert_eq!(bench.requests(other).len(), 0, "{other}");
    }
    let object = bench.object("o");
    assert_eq!((object.size, object.part_count), (LEN, PARTS));
}

fn number(part: &Recorded) -> usize {
    part.parameter("partNumber").unwrap().parse().unwrap()
}

fn range(part: &Recorded) -> String {
    part.header("x-amz-copy-source-range").unwrap().to_owned()
}

/// Fails unless everything about it that is not encryption is as it was.
#[track_caller]
fn assert_same_marks(before: &ObjectView, after: &ObjectView) {
    let marks = |object: &ObjectView| {
        let ObjectView { tags, content_type, cache_control, content_encoding, .. } = object.clone();
        let ObjectView { content_disposition, content_language, storage_class, .. } = object.clone();
        let headers = [content_type, cache_control, content_encoding, content_disposition, content_language];
        (tags, headers, storage_class, object.checksum.clone(), object.checksum_type)
    };
    assert_eq!(marks(after), marks(before));
}

/// Fails unless the upload was told who may read the object: an ACL is not among the things that a view shows again.
#[track_caller]
fn assert_everyone_may_read(bench: &Bench) {
    let create = &bench.requests("CreateMultipartUpload")[0];
    assert!(create.header("x-amz-grant-read").is_some_and(|to| to.contains("AllUsers")));
}

#[test]
fn a_server_copy_in_parts_changes_the_encryption_and_nothing_else() {
    for algorithm in ["crc64nvme", "crc32"] {
        let bench = large(&format!("-e sse-s3 {MARKS} --checksum {algorithm}"));
        let before = bench.object("o");
        let line = format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --yes --json");
        let told = bench.run(&line).ok().json();
        assert_eq!(
            (told["strategy"].as_str(), told["checksum_compared"].as_bool()),
            (Some("server-copy"), Some(true))
        );
        assert_copied_in_parts(&bench);
        let after = bench.object("o");
        assert!(matches!(after.sse, SseView::SseKms { .. }));
        assert_eq!(after.metadata, before.metadata);
        assert_same_marks(&before, &after);
        assert_everyone_may_read(&bench);
        // The whole is compared by S3 itself, and every part is bound to what was seen.
        let complete = &bench.requests("CompleteMultipartUpload")[0];
        assert_eq!(complete.header(&format!("x-amz-checksum-{algorithm}")), before.checksum.as_deref());
        assert_eq!(complete.header("if-match"), Some(format!("\"{}\"", before.etag).as_str()));
        for part in bench.requests("UploadPartCopy") {
            let etag = part.header("x-amz-copy-source-if-match").unwrap();
            assert_eq!(etag.trim_matches('"'), before.etag);
        }
        assert_no_traces(&bench);
        assert_eq!(bench.run(&line).ok().json()["strategy"], "none");
    }
}

#[test]
fn a_customer_key_is_replaced_in_parts_and_a_wrong_one_refused() {
    let bench = large("-e sse-c --sse-c-key a.key");
    let before = bench.object("o").etag;
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --from-sse-c-key c.key --yes")).exits(5);
    assert!(bench.requests("CreateMultipartUpload").is_empty());
    assert_eq!(bench.object("o").etag, before);
    bench.sandbox.clear_requests();
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --from-sse-c-key a.key --yes")).ok();
    let [old, new] = [1, 2].map(|seed| KnownKey::new(seed).md5());
    for part in bench.requests("UploadPartCopy") {
        let md5 = |prefix: &str| {
            part.header(&format!("{prefix}server-side-encryption-customer-key-md5")).map(str::to_owned)
        };
        assert_eq!(md5("x-amz-copy-source-"), Some(old.clone()));
        assert_eq!(md5("x-amz-"), Some(new.clone()));
    }
    let object = bench.object("o");
    assert!(matches!(object.sse, SseView::SseC { ref key_md5 } if *key_md5 == new));
    assert_eq!((object.size, object.part_count), (LEN, PARTS));
    assert_no_traces(&bench);
}

#[test]
fn a_rewrap_in_parts_replaces_the_envelope_and_keeps_all_else() {
    let bench = bench();
    rsa(&bench);
    let content = stored(&bench, 1000, &format!("-e client --key a.key --at-rest sse-kms {MARKS}"));
    let sealed = bench.object("o").plaintext.unwrap();
    bench.sandbox.s3().set_hole(BUCKET, "o", LEN);
    bench.sandbox.clear_requests();
    let before = bench.object("o");
    let told = bench
        .run(&format!("rotate {OBJECT} --rewrap --public-key new.pem --from-key a.key --yes --json"))
        .ok()
        .json();
    assert_eq!(told["strategy"], "rewrap");
    assert_copied_in_parts(&bench);
    let after = bench.object("o");
    assert_same_marks(&before, &after);
    assert_everyone_may_read(&bench);
    assert_eq!(after.sse, before.sse);
    assert_eq!(after.metadata["owner"], "me");
    assert_ne!(after.metadata, before.metadata);
    assert_no_traces(&bench);
    // With the sealed bytes back in their place, the new envelope opens them, and the old key does not.
    let back = sealed.clone();
    bench.sandbox.s3().tamper_body(BUCKET, "o", move |bytes| *bytes = back);
    bench.sandbox.s3().set_checksum_of(BUCKET, "o", &sealed);
    assert_opens(&bench, "--private-key old.pem", &content);
    bench.run(&format!("get {OBJECT} - --key a.key")).exits(5);
}

#[test]
fn a_sum_over_parts_gives_way_to_one_over_other_parts() {
    let bench = bench();
    stored(&bench, 6 << 20, "-e sse-s3 --checksum sha256 --part-size 5MiB");
    bench.sandbox.s3().set_hole(BUCKET, "o", LEN);
    bench.run(&format!("rotate {OBJECT} -e sse-kms --kms-key {ALIAS} --yes")).ok();
    let checksum = bench.object("o").checksum.unwrap();
    assert!(checksum.ends_with(&format!("-{PARTS}")), "{checksum}");
}

#[test]
fn killed_at_its_worst_moments_it_is_readable_and_the_same_command_ends_it() {
    let line = format!("rotate {OBJECT} -e sse-c --sse-c-key b.key --from-sse-c-key a.key --yes");
    let moments = [
        ("CreateMultipartUpload", 0),
        ("UploadPartCopy", 0),
        ("UploadPartCopy", 11),
        ("CompleteMultipartUpload", 0),
    ];
    for (operation, skip) in moments {
        for done in [false, true] {
            let bench = large("-e sse-c --sse-c-key a.key");
            let gate = Gate::new();
            let kind = if done { Kind::PauseAnswer(gate) } else { Kind::Pause(gate) };
            let struck = bench.sandbox.fault(Fault::on(operation, kind).skip(skip));
            let running = bench.start(&line);
            assert!(struck.wait(1, PATIENCE), "no {operation}");
            running.signal("KILL");
            running.end();
            bench.sandbox.clear_faults();
            let at = format!("{operation} {skip}, done: {done}");
            let readable =
                |key| bench.run(&format!("get {OBJECT} - --sse-c-key {key} --range 0-99")).code() == Some(0);
            assert!(readable("a.key") || readable("b.key"), "lost at {at}");
            bench.run(&line).ok();
            assert!(readable("b.key"), "not finished after {at}");
            assert_eq!(bench.object("o").size, LEN, "{at}");
            assert_no_traces(&bench);
        }
    }
}

#[test]
fn a_newer_object_stays_whenever_it_comes() {
    for (operation, skip) in [("UploadPartCopy", 5), ("CompleteMultipartUpload", 0)] {
        let bench = large("-e sse-s3");
        let overwrite = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o", b"newer"));
        bench.sandbox.fault(Fault::on(operation, overwrite).skip(skip));
        bench
            .run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes"))
            .exits(8)
            .says(&["has changed"]);
        assert_eq!(bench.object("o").plaintext.as_deref(), Some(&b"newer"[..]), "{operation}");
        assert_no_traces(&bench);
    }
}

#[test]
fn a_part_that_fails_is_tried_again_and_one_that_keeps_failing_leaves_nothing() {
    let line = format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes --max-attempts 3");
    for (kind, times, exit) in [
        (Kind::internal_error(), 1, 0),
        (Kind::slow_down(), 2, 0),
        (Kind::DropAnswer, 1, 0),
        (Kind::internal_error(), 99, 7),
        (Kind::status(412, "PreconditionFailed", "At least one of the pre-conditions did not hold"), 1, 8),
        (Kind::status(403, "AccessDenied", "Access Denied"), 1, 4),
    ] {
        let bench = large("-e sse-s3");
        let before = bench.object("o").etag;
        bench.sandbox.fault(Fault::on("UploadPartCopy", kind).only("partNumber=7").times(times));
        bench.run(&line).exits(exit);
        let object = bench.object("o");
        if exit == 0 {
            assert_eq!((object.size, object.part_count), (LEN, PARTS));
        } else {
            assert_eq!(object.etag, before);
        }
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn an_answer_that_says_the_parts_are_joined_may_get_lost() {
    let bench = large("-e sse-s3");
    bench.sandbox.fault(Fault::on("CompleteMultipartUpload", Kind::DropAnswer));
    bench.run(&format!("rotate {OBJECT} -e sse-c --sse-c-key a.key --yes")).ok();
    let object = bench.object("o");
    assert_eq!((object.size, object.part_count), (LEN, PARTS));
    assert_no_traces(&bench);
}
