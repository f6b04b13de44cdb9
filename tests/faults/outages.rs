//! The server goes away in the middle, and comes back: the same process goes on, with the same bytes.

use std::collections::BTreeMap;
use std::sync::mpsc;

use s3seal_sandbox::{Fault, Kind, Struck};

use crate::support::{Bench, PART, PATIENCE, Program, assert_same, bytes, key};

const SIZE: usize = 6 * PART + 10;
/// Two attempts, if the environment had its way.
const FEW: (&str, &str) = ("AWS_MAX_ATTEMPTS", "2");

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("new", &key(6));
    bench.write("source", &bytes(SIZE));
    bench
}

/// Lets the server go at the request after `skip` of an operation.
fn leaves(bench: &Bench, operation: &str, skip: usize) -> mpsc::Receiver<Struck> {
    let (sender, gone) = mpsc::channel();
    let leave = bench.meanwhile(move |sandbox| drop(sender.send(sandbox.go_away())));
    bench.sandbox.fault(Fault::on(operation, leave).skip(skip));
    gone
}

/// Runs a program through an outage that lasts longer than the attempts that the environment allows.
fn outlasts(bench: &Bench, program: Program, operation: &str, skip: usize) -> String {
    let gone = leaves(bench, operation, skip);
    let running = program.with(FEW.0, FEW.1).start();
    let refused = gone.recv_timeout(PATIENCE).unwrap();
    // One of two requests has failed at least three times.
    assert!(refused.wait(5, PATIENCE));
    bench.sandbox.come_back();
    running.end().ok().stderr
}

const PUTS: [(&str, &str); 4] = [
    ("-e sse-s3", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
    ("-e client --key key", "--key key"),
    ("-e client --key key --format esdk", "--key key"),
];

#[test]
fn a_put_outlasts_an_outage_and_sends_the_same_bytes_again() {
    for (put, get) in PUTS {
        let bench = bench();
        let line = format!("put source s3://bench/object {put} --part-size 5MiB -j 2 --keep-trying 5m");
        outlasts(&bench, bench.s3seal(line.split(' ')), "UploadPart", 2);
        let mut sent = BTreeMap::new();
        for part in bench.requests("UploadPart") {
            let number = part.parameter("partNumber").unwrap().to_owned();
            let sum = part.header("x-amz-checksum-crc64nvme").unwrap().to_owned();
            assert_eq!(sent.entry(number).or_insert_with(|| sum.clone()), &sum, "{put}: a part changed");
        }
        assert_eq!((sent.len(), bench.requests("CreateMultipartUpload").len()), (7, 1), "{put}");
        bench.run(&format!("get s3://bench/object copy {get}")).ok();
        assert_same(&bench.read("copy"), &bytes(SIZE), put);
        bench.assert_tidy(&["copy", "key", "new", "source"]);
    }
}

#[test]
fn a_get_outlasts_an_outage() {
    for (put, get) in PUTS {
        for dest in ["copy", "-"] {
            let bench = bench();
            bench.run(&format!("put source s3://bench/object {put}")).ok();
            let line = format!("get s3://bench/object {dest} {get} --part-size 5MiB -j 2 --keep-trying 5m");
            let program = bench.s3seal(line.split_whitespace().collect::<Vec<_>>());
            let program = if dest == "-" {
                program.output(std::fs::File::create(bench.path("copy")).unwrap())
            } else {
                program
            };
            outlasts(&bench, program, "GetObject", 3);
            assert_same(&bench.read("copy"), &bytes(SIZE), put);
            bench.assert_tidy(&["copy", "key", "new", "source"]);
        }
    }
}

#[test]
fn a_rotation_outlasts_an_outage() {
    for (old, target, operation, get) in [
        (
            "-e client --key key",
            "-e client --key new --new-data-key --from-key key",
            "UploadPart",
            "--key new",
        ),
        ("-e sse-s3", "-e sse-c --sse-c-key new", "CopyObject", "--sse-c-key new"),
    ] {
        let bench = bench();
        bench.run(&format!("put source s3://bench/object {old}")).ok();
        bench.sandbox.clear_requests();
        let line = format!("rotate s3://bench/object {target} --yes --part-size 5MiB -j 2 --keep-trying 5m");
        outlasts(&bench, bench.s3seal(line.split(' ')), operation, 0);
        bench.run(&format!("get s3://bench/object copy {get}")).ok();
        assert_same(&bench.read("copy"), &bytes(SIZE), target);
        assert_eq!(bench.sandbox.s3().uploads(), [], "{target}");
    }
}

#[test]
fn an_outage_is_told_with_v() {
    let bench = bench();
    let line = "put source s3://bench/object --part-size 5MiB -j 2 --keep-trying 5m -v --progress plain";
    let gone = leaves(&bench, "UploadPart", 2);
    let running = bench.s3seal(line.split(' ')).start();
    let refused = gone.recv_timeout(PATIENCE).unwrap();
    // Longer than what is worth a word: the attempts alone are spaced by seconds.
    assert!(refused.wait(9, PATIENCE));
    bench.sandbox.come_back();
    running.end().ok().says(&["waiting for the network, since ", " UTC"]);
}

#[test]
fn an_outage_that_does_not_end_is_given_up_after_the_time_allowed() {
    for (line, operation) in [
        ("put source s3://bench/other --part-size 5MiB", "UploadPart"),
        ("get s3://bench/object copy --part-size 5MiB", "GetObject"),
        ("rotate s3://bench/object -e sse-c --sse-c-key new --yes", "CopyObject"),
    ] {
        let bench = bench();
        bench.run("put source s3://bench/object").ok();
        let _gone = leaves(&bench, operation, 0);
        bench
            .run(&format!("{line} --keep-trying 2s"))
            .exits(7)
            .says(&["error: ", "run the same command again"]);
        bench.sandbox.come_back();
        // The hint is true.
        bench.run(line).ok();
    }
}

#[test]
fn what_no_time_helps_ends_at_once() {
    let bench = bench();
    for (kind, code) in [
        (Kind::status(403, "AccessDenied", "No."), 4),
        (Kind::status(400, "InvalidArgument", "No."), 1),
        (Kind::status(404, "NoSuchBucket", "No."), 3),
    ] {
        bench.sandbox.clear_requests();
        bench.sandbox.fault(Fault::on("CreateMultipartUpload", kind).always());
        bench.run("put source s3://bench/object --part-size 5MiB --keep-trying 6h").exits(code);
        bench.sandbox.clear_faults();
        assert_eq!(bench.requests("CreateMultipartUpload").len(), 1);
    }
}

#[test]
fn a_request_to_slow_down_is_waited_for_longer_than_attempts_are_counted() {
    let bench = bench();
    let slow = bench.sandbox.fault(Fault::on("UploadPart", Kind::slow_down()).only("partNumber=3").times(3));
    let line = "put source s3://bench/object --part-size 5MiB --keep-trying 5m";
    bench.s3seal(line.split(' ')).with(FEW.0, FEW.1).run().ok();
    assert_eq!(slow.count(), 3);
    // The environment decides where the command line says nothing.
    bench.sandbox.fault(Fault::on("UploadPart", Kind::slow_down()).only("partNumber=3").always());
    let line = "put source s3://bench/object --part-size 5MiB";
    bench.s3seal(line.split(' ')).with(FEW.0, FEW.1).run().exits(7);
}
