//! Answers without end, or far too long: they are given up after little, at once, and take no memory.

use std::collections::HashSet;
use std::time::Duration;

use s3seal_sandbox::{Answer, Fault, Kind, Struck, hostile};

use crate::support::keys::KnownKey;
use crate::support::{Bench, Ended, PART, bytes};

/// The program reads 8 MiB of an answer at most; the rest is what the sockets between server and client may hold, which the
/// kernel sizes by load.
const MUCH: u64 = (8 + 32) * 1024 * 1024;
/// What the program may take of memory in all, in KiB: code, threads and buffers need less than a third of it.
const ROOM: u64 = 1024 * 1024;

const TOO_LONG: &str =
    "the server sent an answer that was not understood: it is longer than any answer from S3 or KMS";

const PUT: &str = "put source s3://bench/new --part-size 5MiB";
const PUT_KMS: &str = "put source s3://bench/new -e client --kms-key alias/backup";
const GET: &str = "get s3://bench/object copy --key key";
const INSPECT: &str = "inspect s3://bench/object --key key";
const LIST: &str = "inspect s3://bench/";
const ROTATE: &str = "rotate s3://bench/object -e client --rewrap --key other --from-key key --yes";

fn bench(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("other", &KnownKey::new(2).0);
    bench.write("source", &bytes(size));
    bench.run("put source s3://bench/object -e client --key key --part-size 5MiB").ok();
    bench.sandbox.clear_requests();
    bench
}

fn always(bench: &Bench, operation: &str, kind: Kind) -> Struck {
    bench.sandbox.fault(Fault::on(operation, kind).always())
}

/// Runs a command line where there is little memory.
pub fn run(bench: &Bench, line: &str) -> Ended {
    let script = format!("ulimit -v {ROOM} && exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
    bench.program("sh", ["-c", script.as_str()]).on_two_processors().run()
}

/// Runs a command line where there is little memory; fails if it took more of any answer than it may.
#[track_caller]
fn is_told(bench: &Bench, line: &str, code: i32, words: &[&str]) {
    run(bench, line).exits(code).says(words);
    for request in bench.sandbox.requests() {
        assert!(request.bytes_out <= MUCH, "{line}: {} took {}", request.operation, request.bytes_out);
    }
}

#[test]
fn an_error_without_end_is_given_up_at_once_by_every_verb() {
    for status in [400, 403, 500, 503] {
        let bench = bench(2 * PART);
        for (operation, line) in [
            ("CreateMultipartUpload", PUT),
            ("UploadPart", PUT),
            ("CompleteMultipartUpload", PUT),
            ("kms:GenerateDataKey", PUT_KMS),
            ("GetObject", GET),
            ("ListObjectsV2", LIST),
        ] {
            let kind = hostile::endless(status, "<Error><Code>Odd</Code>", "<More>and more</More>");
            let struck = always(&bench, operation, kind);
            is_told(&bench, line, 6, &[TOO_LONG]);
            // Parts go at once, and each is asked for once.
            if operation == "GetObject" {
                let asked = bench.requests(operation);
                let ranges: HashSet<_> = asked.iter().map(|request| request.header("range")).collect();
                assert_eq!(ranges.len(), asked.len(), "{status}: {ranges:?}");
            } else {
                assert!((1..=2).contains(&struck.count()), "{operation} {status}: {}", struck.count());
            }
            bench.sandbox.clear_faults();
        }
        bench.assert_keys(&["object"]);
        assert_eq!(bench.sandbox.s3().uploads(), []);
    }
}

#[test]
fn a_refusal_of_head_whose_reason_has_no_end_is_given_up() {
    let bench = bench(100);
    for line in [GET, INSPECT, ROTATE] {
        always(&bench, "HeadObject", hostile::refuses_bare(400));
        always(&bench, "GetObject", hostile::endless(400, "<Error>", "<Code>Odd</Code>"));
        is_told(&bench, line, 6, &[TOO_LONG]);
        bench.sandbox.clear_faults();
    }
}

#[test]
fn a_document_without_end_is_given_up_by_every_verb() {
    let bench = bench(2 * PART);
    for (operation, line, beginning, pattern) in [
        ("ListObjectsV2", LIST, "<ListBucketResult>", "<Contents/>"),
        ("ListObjectsV2", LIST, "", " "),
        ("ListObjectsV2", "get -r s3://bench/ there", "<ListBucketResult>", "<Contents/>"),
        ("CreateMultipartUpload", PUT, "<InitiateMultipartUploadResult>", "<UploadId>1</UploadId>"),
        ("CompleteMultipartUpload", PUT, "", "\n"),
        ("CopyObject", ROTATE, "<CopyObjectResult>", "<ETag>1</ETag>"),
        ("kms:GenerateDataKey", PUT_KMS, "{", "\"KeyId\":\"1\","),
    ] {
        let struck = always(&bench, operation, hostile::endless(200, beginning, pattern));
        is_told(&bench, line, 6, &[TOO_LONG]);
        assert_eq!(struck.count(), 1, "{operation}");
        bench.sandbox.clear_faults();
    }
    bench.assert_keys(&["object"]);
    assert_eq!(bench.sandbox.s3().uploads(), []);
}

#[test]
fn a_page_of_a_listing_with_far_too_many_entries_is_not_understood() {
    let bench = bench(100);
    for line in [LIST, "get -r s3://bench/ there -q"] {
        // As long as a document may be, so it is read, and takes as much memory as it can.
        let kind = Kind::answer(|_| {
            let entries = "<Contents/>".repeat(8 * 1024 * 1024 / 11 - 10);
            Answer::new(200).xml(&format!("<ListBucketResult>{entries}</ListBucketResult>"))
        });
        let struck = always(&bench, "ListObjectsV2", kind);
        is_told(&bench, line, 6, &["not understood: a page of the listing has", "entries"]);
        assert_eq!(struck.count(), 1);
        bench.sandbox.clear_faults();
    }
}

#[test]
fn facts_about_a_bucket_without_end_are_given_up() {
    let bench = bench(1);
    for operation in ["GetBucketEncryption", "GetBucketPolicy", "GetBucketVersioning"] {
        let struck = always(&bench, operation, hostile::endless(200, "<Odd>", "<More/>"));
        is_told(&bench, "inspect s3://bench", 0, &[]);
        assert_eq!(struck.count(), 1);
        bench.sandbox.clear_faults();
    }
}

#[test]
fn an_object_that_is_longer_than_head_says_is_cut_off() {
    let bench = bench(100);
    for kind in [
        hostile::endless(200, "", "more"),
        // It claims to be the range.
        Kind::tamper(|_, answer| {
            let kept = |name: &str| name == "content-range" || name == "etag";
            let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| kept(name)).cloned().collect();
            *answer = Answer { headers, ..Answer::new(206).endless("", "more") };
        }),
    ] {
        for line in [GET, "get s3://bench/object - --key key"] {
            always(&bench, "GetObject", kind.clone());
            is_told(&bench, line, 6, &[]);
            bench.sandbox.clear_faults();
        }
    }
    assert_eq!(bench.names(), ["key", "other", "source"]);
}

#[test]
fn an_object_without_a_length_is_not_taken_for_an_empty_one() {
    let bench = bench(100);
    for line in [GET, INSPECT] {
        always(&bench, "HeadObject", hostile::drops_header("content-length"));
        is_told(&bench, line, 6, &["not understood: it has no ETag or no length"]);
        bench.sandbox.clear_faults();
    }
    assert_eq!(bench.names(), ["key", "other", "source"]);
}

#[test]
fn an_object_of_impossible_length_takes_neither_memory_nor_disk() {
    let bench = bench(100);
    bench.run("put source s3://bench/plain").ok();
    for line in
        [GET, "get s3://bench/plain copy", "get s3://bench/plain -", "get s3://bench/object - --key key"]
    {
        let kind = hostile::replaces_header("content-length", "9223372036854775807");
        always(&bench, "HeadObject", kind);
        let ended = run(&bench, &format!("{line} --max-attempts 1"));
        assert!(matches!(ended.code(), Some(1 | 6 | 7)), "{line}: {:?} {}", ended.status, ended.stderr);
        bench.sandbox.clear_faults();
    }
    assert_eq!(bench.names(), ["key", "other", "source"]);
}

#[test]
fn an_instruction_file_without_end_is_given_up() {
    let bench = bench(1);
    bench.run("put source s3://bench/beside -e client --key key --instruction-file").ok();
    let kind = hostile::endless(200, "{\"x-amz-iv\":\"", "AAAA");
    bench.sandbox.fault(Fault::on("GetObject", kind).only(".instruction").always());
    is_told(&bench, "get s3://bench/beside copy --key key", 6, &["beside.instruction"]);
    assert_eq!(bench.names(), ["key", "other", "source"]);
}

#[test]
fn headers_without_measure_are_not_understood() {
    let bench = bench(100);
    for (count, len) in [(50, 20_000), (500, 10)] {
        for (operation, line) in
            [("HeadObject", GET), ("GetObject", GET), ("HeadObject", INSPECT), ("HeadObject", ROTATE)]
        {
            let struck = always(&bench, operation, hostile::adds_headers(count, len));
            is_told(&bench, line, 6, &["the server sent an answer that was not understood"]);
            assert!(struck.count() <= 2, "{line}: {}", struck.count());
            bench.sandbox.clear_faults();
        }
    }
    for (operation, line) in [("PutObject", "put source s3://bench/new"), ("CopyObject", ROTATE)] {
        let struck = always(&bench, operation, hostile::adds_headers(50, 20_000));
        is_told(&bench, line, 6, &["the server sent an answer that was not understood"]);
        assert_eq!(struck.count(), 1);
    }
}

#[test]
fn an_error_that_never_comes_to_its_end_is_given_up_in_time() {
    let bench = bench(2 * PART);
    for (operation, line) in [("CreateMultipartUpload", PUT), ("ListObjectsV2", LIST), ("GetObject", GET)] {
        for status in [400, 500] {
            always(&bench, operation, hostile::dripping(status, Duration::from_millis(50)));
            let line = format!("{line} --read-timeout 1s --max-attempts 1");
            is_told(&bench, &line, 7, &["the server did not answer in time"]);
            bench.sandbox.clear_faults();
        }
    }
    assert_eq!(bench.sandbox.s3().uploads(), []);
}

#[test]
fn a_list_of_parts_without_end_is_given_up() {
    let bench = bench(2 * PART);
    bench.run("put source s3://bench/composite --checksum sha256 --part-size 5MiB").ok();
    let list = Kind::answer(|asked| {
        let marker = asked.header("x-amz-part-number-marker").map_or(0, |text| text.parse().unwrap());
        let parts = "<Part><Size>1</Size></Part>".repeat(1000);
        let next: u64 = marker + 1000;
        Answer::new(200).xml(&format!(
            "<GetObjectAttributesResponse><ObjectParts><IsTruncated>true</IsTruncated>\
             <NextPartNumberMarker>{next}</NextPartNumberMarker>{parts}</ObjectParts></GetObjectAttributesResponse>"
        ))
    });
    let struck = always(&bench, "GetObjectAttributes", list);
    is_told(
        &bench,
        "get s3://bench/composite copy",
        0,
        &["checksum not compared", "it lists more parts than an object can have"],
    );
    assert!(struck.count() <= 12, "{}", struck.count());
}

#[test]
fn sizes_of_parts_whose_sum_is_beyond_all_numbers_are_not_those_of_the_object() {
    let bench = bench(2 * PART);
    bench.run("put source s3://bench/composite --checksum sha256 --part-size 5MiB").ok();
    // Counted with 64 bits, they make just the object's length.
    let sizes = [i64::MAX, i64::MAX, 2, i64::try_from(2 * PART).unwrap()];
    let parts = sizes.map(|size| format!("<Part><Size>{size}</Size></Part>")).concat();
    let list = Kind::answer(move |_| {
        Answer::new(200).xml(&format!(
            "<GetObjectAttributesResponse><ObjectParts><IsTruncated>false</IsTruncated>{parts}</ObjectParts>\
             </GetObjectAttributesResponse>"
        ))
    });
    let struck = always(&bench, "GetObjectAttributes", list);
    is_told(
        &bench,
        "get s3://bench/composite copy",
        0,
        &["checksum not compared", "the server does not list the sizes of the parts"],
    );
    assert_eq!(struck.count(), 1);
}
