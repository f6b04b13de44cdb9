//! An answer that is not one of S3's: another document, a web page, nothing at all. It is exit 6 and said to be so, it is
//! never taken for success, and an upload that it hides is found and aborted.

use s3seal_sandbox::{Fault, Gate, Kind, Struck, hostile};

use crate::support::keys::KnownKey;
use crate::support::{Bench, PART, PATIENCE, assert_same, bytes};

const NOT_UNDERSTOOD: &str = "the server sent an answer that was not understood";

fn bench(size: usize) -> Bench {
    let bench = Bench::hostile();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(size));
    bench
}

fn always(bench: &Bench, operation: &str, kind: Kind) -> Struck {
    bench.sandbox.fault(Fault::on(operation, kind).always())
}

/// Puts in parts in the face of an answer to one operation; it must be told, and nothing must be left.
#[track_caller]
fn put_in_parts_is_told(operation: &str, kind: Kind) {
    let bench = bench(2 * PART);
    let struck = always(&bench, operation, kind);
    let ended = bench.run("put source s3://bench/object --part-size 5MiB");
    ended.exits(6).writes_nothing().says(&[NOT_UNDERSTOOD, "s3://bench/object", "--endpoint-url"]);
    assert!(struck.count() > 0, "{operation}");
    bench.assert_keys(&[]);
    bench.assert_tidy(&["key", "source"]);
}

/// Another root, as rclone's server gives it.
fn names_another_root() -> Kind {
    Kind::tamper(|_, answer| {
        let text = answer.text().replace("InitiateMultipartUploadResult", "InitiateMultipartUpload");
        answer.set_body(text);
    })
}

#[test]
fn put_aborts_an_upload_whose_start_was_answered_with_another_document() {
    put_in_parts_is_told("CreateMultipartUpload", names_another_root());
}

#[test]
fn put_aborts_an_upload_whose_start_was_answered_with_nothing() {
    put_in_parts_is_told("CreateMultipartUpload", hostile::answers_xml_instead(""));
}

#[test]
fn put_aborts_an_upload_whose_start_was_answered_without_an_id() {
    let xml = "<InitiateMultipartUploadResult><Bucket>bench</Bucket></InitiateMultipartUploadResult>";
    put_in_parts_is_told("CreateMultipartUpload", hostile::answers_xml_instead(xml));
    let xml = "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>";
    put_in_parts_is_told("CreateMultipartUpload", hostile::answers_xml_instead(xml));
}

#[test]
fn put_tells_a_web_page_in_place_of_an_upload() {
    put_in_parts_is_told("CreateMultipartUpload", hostile::answers_a_web_page());
}

#[test]
fn put_aborts_an_upload_whose_parts_were_answered_without_an_etag() {
    put_in_parts_is_told("UploadPart", hostile::drops_header("etag"));
    put_in_parts_is_told("UploadPart", hostile::empties_etag());
}

#[test]
fn put_aborts_an_upload_whose_end_was_answered_with_a_web_page() {
    put_in_parts_is_told("CompleteMultipartUpload", hostile::answers_a_web_page());
}

#[test]
fn an_upload_that_somebody_else_began_before_is_left_alone() {
    let bench = bench(2 * PART);
    let line = "put source s3://bench/object --part-size 5MiB";
    bench.sandbox.s3().set_clock_ahead(-30);
    bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).always());
    // Of another file, so that no record of this machine knows it.
    bench.write("other", &bytes(2 * PART));
    let other = bench.start("put other s3://bench/object --part-size 5MiB");
    assert!(bench.sandbox.wait_for("UploadPart", 1, PATIENCE));
    other.signal("KILL");
    bench.sandbox.clear_faults();
    bench.sandbox.s3().set_clock_ahead(0);
    let before = bench.sandbox.s3().uploads();
    assert_eq!(before.len(), 1);
    always(&bench, "CreateMultipartUpload", names_another_root());
    bench.run(line).exits(6).says(&[NOT_UNDERSTOOD, "the upload that it started was found and aborted"]);
    assert_eq!(bench.sandbox.s3().uploads(), before);
}

#[test]
fn an_upload_whose_start_was_not_understood_is_found_behind_a_page_of_earlier_ones() {
    let bench = bench(2 * PART);
    bench.sandbox.s3().set_clock_ahead(-30);
    for _ in 0..1000 {
        bench.sandbox.s3().begin_upload("bench", "object");
    }
    bench.sandbox.s3().set_clock_ahead(0);
    let before = bench.sandbox.s3().uploads();
    always(&bench, "CreateMultipartUpload", names_another_root());
    let ended = bench.run("put source s3://bench/object --part-size 5MiB").exits(6);
    ended.says(&[NOT_UNDERSTOOD, "the upload that it started was found and aborted"]);
    assert_eq!(bench.sandbox.s3().uploads(), before);
}

#[test]
fn put_tells_a_web_page_in_place_of_an_answer() {
    let bench = bench(100);
    for operation in ["PutObject", "*"] {
        let struck = always(&bench, operation, hostile::answers_a_web_page());
        for flags in ["", "-e sse-s3", "-e client --key key"] {
            bench.run(&format!("put source s3://bench/object {flags}")).exits(6).says(&[NOT_UNDERSTOOD]);
        }
        assert!(struck.count() >= 3);
        bench.sandbox.clear_faults();
    }
    bench.assert_keys(&[]);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn put_asks_head_for_an_etag_that_its_answer_left_empty() {
    for (size, operation) in [(100, "PutObject"), (2 * PART, "CompleteMultipartUpload")] {
        for kind in [hostile::empties_etag(), hostile::drops_header("etag")] {
            let bench = bench(size);
            let struck = always(&bench, operation, kind);
            let line = "put source s3://bench/object -e client --key key --part-size 5MiB --json";
            let etag = bench.run(line).ok().json()["etag"].as_str().unwrap().to_owned();
            assert_eq!(etag.trim_matches('"'), bench.object("object").etag, "{operation}");
            assert_eq!(struck.count(), 1);
            bench.run("get s3://bench/object copy --key key").ok();
            assert_same(&bench.read("copy"), &bytes(size), operation);
        }
    }
}

#[test]
fn get_and_inspect_tell_an_object_without_an_etag() {
    let bench = bench(100);
    bench.run("put source s3://bench/object").ok();
    for kind in [hostile::empties_etag(), hostile::drops_header("etag"), hostile::answers_a_web_page()] {
        always(&bench, "*", kind);
        for line in ["get s3://bench/object copy", "get s3://bench/object -", "inspect s3://bench/object"] {
            bench.run(line).exits(6).writes_nothing().says(&[NOT_UNDERSTOOD]);
        }
        bench.sandbox.clear_faults();
    }
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn listings_of_get_inspect_and_rotate_tell_another_document() {
    let bench = bench(100);
    bench.run("put source s3://bench/a/object").ok();
    for kind in [
        hostile::answers_a_web_page(),
        hostile::answers_xml(""),
        hostile::answers_xml("<Odd><Contents><Key>x</Key></Contents></Odd>"),
    ] {
        always(&bench, "ListObjectsV2", kind);
        for line in
            ["get -r s3://bench/a/ there", "inspect s3://bench/a/", "rotate s3://bench/a/ -e sse-s3 --yes"]
        {
            bench.run(line).exits(6).says(&[NOT_UNDERSTOOD]);
        }
        bench.sandbox.clear_faults();
    }
}

#[test]
fn rotate_does_not_take_another_document_for_a_copy() {
    let bench = bench(100);
    bench.run("put source s3://bench/object").ok();
    let before = bench.object("object");
    let line = "rotate s3://bench/object -e sse-kms --kms-key alias/backup --yes";
    for kind in [hostile::answers_a_web_page(), hostile::answers_xml("<Copied/>")] {
        always(&bench, "CopyObject", kind);
        bench.run(line).exits(6).says(&[NOT_UNDERSTOOD]);
        bench.sandbox.clear_faults();
    }
    // An answer that says nothing: HEAD says that nothing was done.
    always(&bench, "CopyObject", hostile::answers_xml(""));
    bench.run(line).exits(6).says(&["is not encrypted as asked"]);
    assert_eq!(bench.object("object").etag, before.etag);
}

#[test]
fn inspect_of_a_bucket_does_not_take_an_empty_answer_for_no_default_encryption() {
    let bench = bench(1);
    for kind in [hostile::answers_xml(""), hostile::answers_a_web_page(), hostile::answers_xml("<Odd/>")] {
        always(&bench, "GetBucketEncryption", kind);
        let ended = bench.run("inspect s3://bench --format json").ok();
        let text = String::from_utf8(ended.stdout).unwrap();
        assert!(text.contains("not understood"), "{text}");
        bench.sandbox.clear_faults();
    }
}

#[test]
fn kms_answers_that_are_not_understood_are_told_and_nothing_is_stored() {
    let bench = bench(100);
    for kind in [
        hostile::answers_a_web_page(),
        hostile::answers_xml(""),
        Kind::answer(|_| s3seal_sandbox::Answer::new(200).body("{\"KeyId\":")),
        Kind::answer(|_| s3seal_sandbox::Answer::new(200).body("{}")),
    ] {
        let struck = always(&bench, "kms:GenerateDataKey", kind);
        bench.run("put source s3://bench/object -e client --kms-key alias/backup").exits(6);
        assert_eq!(struck.count(), 1);
        bench.sandbox.clear_faults();
    }
    bench.assert_keys(&[]);
}
