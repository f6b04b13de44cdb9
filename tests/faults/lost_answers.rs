//! Done, but the client was not told: asked again, S3 refuses for the very reason that it was done.

use s3seal_sandbox::{Fault, Gate, Kind, hostile};

use crate::support::{BUCKET, Bench, PART, PATIENCE, assert_same, bytes, key};

const MODES: [&str; 4] =
    ["-e sse-s3", "-e sse-c --sse-c-key key", "-e client --key key", "-e sse-s3 --checksum sha256"];

fn bench(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(size));
    bench
}

fn is_stored(bench: &Bench, mode: &str) {
    let key = mode.find("--sse-c-key").or_else(|| mode.find("--key")).map_or("", |at| &mode[at..]);
    bench.run(&format!("get s3://bench/object copy {key}")).ok();
    assert_same(&bench.read("copy"), &bench.read("source"), mode);
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn the_lost_answer_to_one_request_is_made_up_for() {
    for mode in MODES {
        let bench = bench(1000);
        let struck = bench.sandbox.fault(Fault::on("PutObject", Kind::DropAnswer));
        bench.run(&format!("put source s3://bench/object {mode}")).ok();
        assert_eq!(struck.count(), 1);
        is_stored(&bench, mode);
    }
}

#[test]
fn the_lost_answer_to_one_request_is_made_up_for_also_if_nothing_may_be_replaced() {
    for mode in MODES {
        let bench = bench(1000);
        bench.sandbox.fault(Fault::on("PutObject", Kind::DropAnswer));
        bench.run(&format!("put source s3://bench/object {mode} --no-clobber")).ok();
        is_stored(&bench, mode);
    }
}

#[test]
fn the_lost_answer_to_one_request_is_made_up_for_also_if_one_object_may_be_replaced() {
    let bench = bench(1000);
    bench.sandbox.s3().put_plain(BUCKET, "object", b"old");
    let etag = bench.object("object").etag;
    bench.sandbox.fault(Fault::on("PutObject", Kind::DropAnswer));
    bench.run(&format!("put source s3://bench/object --if-match {etag}")).ok();
    is_stored(&bench, "");
}

#[test]
fn the_lost_answer_to_the_end_of_an_upload_is_made_up_for() {
    for mode in MODES {
        for flags in ["", "--no-clobber"] {
            let bench = bench(PART + 10);
            let struck = bench.sandbox.fault(Fault::on("CompleteMultipartUpload", Kind::DropAnswer));
            bench.run(&format!("put source s3://bench/object {mode} {flags} --part-size 5MiB")).ok();
            assert_eq!(struck.count(), 1);
            is_stored(&bench, mode);
        }
    }
}

#[test]
fn an_object_that_only_a_comparison_shows_to_be_ours_is_said_to_be_so() {
    for (size, last) in [(1000, "PutObject"), (PART + 10, "CompleteMultipartUpload")] {
        let bench = bench(size);
        let line = "put source s3://bench/object --no-clobber --part-size 5MiB";
        bench.sandbox.fault(Fault::on(last, Kind::DropAnswer));
        bench.run(line).ok().says(&["answer lost; found stored by comparing size and checksum"]);
        let line = "put source s3://bench/other --no-clobber --part-size 5MiB --json";
        bench.sandbox.fault(Fault::on(last, Kind::DropAnswer));
        assert_eq!(bench.run(line).ok().json()["found_by_comparison"], true);
        assert_eq!(bench.run("put source s3://bench/third --json").ok().json()["found_by_comparison"], false);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn the_same_bytes_of_somebody_else_leave_no_upload_when_our_own_answer_was_lost() {
    let bench = bench(PART + 10);
    let (gate, complete) = (Gate::new(), "CompleteMultipartUpload");
    let held = bench.sandbox.fault(Fault::on(complete, Kind::Pause(gate.clone())));
    bench.sandbox.fault(Fault::on(complete, Kind::DropAnswer));
    let ours = bench.start("put source s3://bench/object --no-clobber --part-size 5MiB");
    assert!(held.wait(1, PATIENCE));
    // Of another file: two puts of one file to one object do not run at once on the same machine.
    bench.write("theirs", &bench.read("source"));
    bench.run("put theirs s3://bench/object --part-size 5MiB").ok();
    gate.open();
    ours.end().ok().says(&["answer lost"]);
    bench.assert_tidy(&["key", "source", "theirs"]);
}

#[test]
fn a_lost_answer_does_not_pass_off_another_object_as_ours() {
    // Somebody else's object came first; that our own answer was lost does not make it ours.
    for (size, last) in [(1000, "PutObject"), (PART + 10, "CompleteMultipartUpload")] {
        let bench = bench(size);
        let theirs = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "object", b"theirs"));
        bench.sandbox.fault(Fault::on(last, theirs));
        bench.sandbox.fault(Fault::on(last, Kind::DropAnswer));
        bench.run("put source s3://bench/object --no-clobber --part-size 5MiB").exits(8);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"theirs");
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn the_lost_answer_to_a_part_is_made_up_for() {
    for mode in MODES {
        let bench = bench(PART + 10);
        bench.sandbox.fault(Fault::on("UploadPart", Kind::DropAnswer).times(2));
        bench.run(&format!("put source s3://bench/object {mode} --part-size 5MiB")).ok();
        is_stored(&bench, mode);
    }
}

#[test]
fn the_lost_answer_to_the_start_leaves_an_upload_that_only_the_server_knows() {
    // Its id never arrived, so nobody can abort it; the object itself is right.
    let bench = bench(PART + 10);
    for kind in [Kind::DropAnswer, Kind::CutResponse(20)] {
        bench.sandbox.fault(Fault::on("CreateMultipartUpload", kind));
        bench.run("put source s3://bench/object --part-size 5MiB").ok();
    }
    let left = bench.sandbox.s3().uploads();
    assert_eq!(left.len(), 2);
    assert!(left.iter().all(|upload| upload.parts.is_empty()));
    assert_same(&bench.object("object").plaintext.unwrap(), &bytes(PART + 10), "stored");
}

#[test]
fn a_cut_answer_to_the_end_of_an_upload_is_made_up_for() {
    for kind in [Kind::CutResponse(20), Kind::ResetAfter(20)] {
        let bench = bench(PART + 10);
        let struck = bench.sandbox.fault(Fault::on("CompleteMultipartUpload", kind));
        bench.run("put source s3://bench/object --part-size 5MiB").ok();
        assert_eq!(struck.count(), 1);
        is_stored(&bench, "");
    }
}

#[test]
fn the_lost_answer_to_an_abort_is_no_reason_to_leave_the_upload() {
    let bench = bench(PART + 10);
    bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "Odd", "An odd refusal.")).times(99));
    bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::ResetBefore));
    bench.run("put source s3://bench/object --part-size 5MiB").exits(1);
    bench.assert_tidy(&["key", "source"]);
}

/// S3's form of a failure after the status was sent: 200, and an error in the body.
const ERROR_IN_200: &str = "<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.\
                            </Message></Error>";

#[test]
fn an_error_inside_a_200_at_the_end_of_an_upload_is_tried_again() {
    let bench = bench(PART + 10);
    let fault = Fault::on("CompleteMultipartUpload", hostile::answers_xml(ERROR_IN_200));
    let struck = bench.sandbox.fault(fault);
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    assert_eq!(struck.count(), 1);
    is_stored(&bench, "");
}

#[test]
fn an_error_inside_a_200_each_time_is_a_service_that_failed() {
    let bench = bench(PART + 10);
    bench.sandbox.fault(Fault::on("CompleteMultipartUpload", hostile::answers_xml(ERROR_IN_200)).always());
    bench
        .run("put source s3://bench/object --part-size 5MiB --max-attempts 2 --no-resume")
        .exits(7)
        .says(&["the service failed each time"]);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn a_server_that_is_restarted_is_no_server_that_cannot_be_trusted() {
    for operation in [
        "PutObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "HeadObject",
        "GetObject",
    ] {
        let bench = bench(if operation == "PutObject" { 1000 } else { PART + 10 });
        let struck = bench.sandbox.fault(Fault::on(operation, Kind::HangUp));
        let stored = bench.run("put source s3://bench/object --part-size 5MiB").ok();
        bench.run("get s3://bench/object copy").ok();
        assert!(struck.count() > 0, "{operation}");
        assert_same(&bench.read("copy"), &bench.read("source"), operation);
        if operation == "CreateMultipartUpload" {
            stored.says(&["an upload of s3://bench/object may have been left behind"]);
        } else {
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    }
    let bench = bench(1000);
    bench.sandbox.fault(Fault::on("PutObject", Kind::HangUp).always());
    bench.run("put source s3://bench/object --max-attempts 2").exits(7).says(&["the connection broke"]);
}
