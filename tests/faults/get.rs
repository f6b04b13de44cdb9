//! Trouble while an object comes down: at the look, and in any range.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{Bench, PART, assert_same, at_once, bytes, key};

const SIZE: usize = 2 * PART + 10;
/// How to put and how to get.
const MODES: [(&str, &str); 3] = [
    ("-e sse-s3", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
    ("-e client --key key", "--key key"),
];

/// A stored object, an old file where it is to go, and how many GETs come before those of the ranges: what a look takes
/// differs from mode to mode.
fn stored((put, get): (&str, &str)) -> (Bench, usize) {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(SIZE));
    bench.run(&format!("put source s3://bench/object {put} --part-size 5MiB")).ok();
    bench.run(&format!("get s3://bench/object copy {get} --part-size 5MiB -j 1")).ok();
    let first = format!("bytes=0-{}", PART - 1);
    let gets = bench.requests("GetObject");
    let before = gets.iter().position(|request| request.header("range") == Some(first.as_str())).unwrap();
    bench.write("copy", b"old");
    bench.sandbox.clear_requests();
    (bench, before)
}

/// A fault that strikes the look, and one that strikes the second range.
fn faults(kind: &Kind, before: usize) -> [Fault; 2] {
    [Fault::on("HeadObject", kind.clone()), Fault::on("GetObject", kind.clone()).skip(before + 1)]
}

fn overcomes(kind: &Kind, flags: &str) {
    at_once(&MODES, |&(put, get)| {
        let (bench, before) = stored((put, get));
        for fault in faults(kind, before) {
            let operation = fault.operation.clone();
            let struck = bench.sandbox.fault(fault);
            bench.run(&format!("get s3://bench/object copy {get} --part-size 5MiB {flags}")).ok();
            assert_same(&bench.read("copy"), &bytes(SIZE), &operation);
            assert_eq!(struck.count(), 1, "{operation} {put}");
            bench.write("copy", b"old");
        }
        bench.assert_tidy(&["copy", "key", "source"]);
    });
}

/// What is said at the look and at a range.
fn gives_up(kind: &Kind, flags: &str, words: [&str; 2]) {
    at_once(&MODES, |&(put, get)| {
        let (bench, before) = stored((put, get));
        for (fault, words) in faults(kind, before).into_iter().zip(words) {
            bench.sandbox.fault(fault.times(999));
            let line = format!(
                "get s3://bench/object copy {get} --part-size 5MiB --max-attempts 2 --no-resume {flags}"
            );
            bench.run(&line).exits(7).says(&["s3://bench/object", "run the same command again", words]);
            bench.sandbox.clear_faults();
            assert_eq!(bench.read("copy"), b"old", "{put}");
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    });
}

#[test]
fn a_reset_is_overcome() {
    overcomes(&Kind::ResetBefore, "");
}

#[test]
fn a_lost_answer_is_overcome() {
    overcomes(&Kind::DropAnswer, "");
}

#[test]
fn a_request_to_slow_down_is_obeyed() {
    overcomes(&Kind::slow_down(), "");
}

#[test]
fn an_internal_error_is_overcome() {
    overcomes(&Kind::internal_error(), "");
}

#[test]
fn a_stall_is_overcome() {
    overcomes(&Kind::StallBeforeResponse, "--read-timeout 1s");
}

#[test]
fn a_reset_that_does_not_go_away_is_told() {
    gives_up(&Kind::ResetBefore, "", ["the connection broke"; 2]);
}

#[test]
fn a_request_to_slow_down_that_does_not_go_away_is_told() {
    // HEAD has no body that could name the reason.
    gives_up(&Kind::slow_down(), "", ["the service failed each time", "the service still asks to slow down"]);
}

#[test]
fn a_stall_that_does_not_go_away_is_told() {
    gives_up(&Kind::StallBeforeResponse, "--read-timeout 1s", ["did not answer in time"; 2]);
}

#[test]
fn a_range_that_breaks_off_is_fetched_on_from_there() {
    for (put, get) in MODES {
        for (kind, flags) in [
            (Kind::CutResponse(1_000_000), ""),
            (Kind::ResetAfter(1_000_000), ""),
            (Kind::StallResponse(1_000_000), "--read-timeout 1s"),
        ] {
            let (bench, before) = stored((put, get));
            let struck = bench.sandbox.fault(Fault::on("GetObject", kind).skip(before));
            bench.run(&format!("get s3://bench/object copy {get} --part-size 5MiB -j 1 {flags}")).ok();
            assert_eq!(struck.count(), 1);
            assert_same(&bench.read("copy"), &bytes(SIZE), put);
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    }
}

#[test]
fn the_beginning_of_a_message_that_breaks_off_is_fetched_on_from_there() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(100_000));
    bench.run("put source s3://bench/object -e client --key key --format esdk").ok();
    for kind in [Kind::CutResponse(1000), Kind::ResetAfter(1000)] {
        let struck = bench.sandbox.fault(Fault::on("GetObject", kind));
        bench.run("get s3://bench/object copy --key key").ok();
        assert_eq!(struck.count(), 1);
        assert_same(&bench.read("copy"), &bytes(100_000), "copy");
    }
}

#[test]
fn only_what_is_missing_is_asked_for_again() {
    let (bench, _) = stored(MODES[0]);
    bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(1_000_000)));
    bench.run("get s3://bench/object copy --part-size 5MiB -j 1").ok();
    let ranges: Vec<_> =
        bench.requests("GetObject").iter().map(|get| get.header("range").unwrap().to_owned()).collect();
    assert_eq!(ranges.len(), 4, "{ranges:?}");
    assert_eq!(ranges[..2], [format!("bytes=0-{}", PART - 1), format!("bytes=1000000-{}", PART - 1)]);
}

#[test]
fn a_range_that_breaks_off_again_and_again_is_fetched_as_long_as_bytes_come() {
    // More often than a request is tried: each time there were some bytes.
    let (bench, _) = stored(MODES[0]);
    bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(700_000)).times(12));
    bench.run("get s3://bench/object copy --part-size 5MiB --max-attempts 2 -j 1").ok();
    assert_same(&bench.read("copy"), &bytes(SIZE), "file");
}

#[test]
fn a_range_that_never_gets_on_is_given_up() {
    let (bench, _) = stored(MODES[0]);
    bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(0)).times(999));
    let ended = bench.run("get s3://bench/object copy --part-size 5MiB --max-attempts 2 -j 1 --no-resume");
    ended.exits(7).says(&["the connection broke"]);
    assert!(bench.requests("GetObject").len() <= 4);
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn a_flipped_byte_is_not_written() {
    for (put, get) in MODES {
        for place in [0, PART as u64 - 1] {
            let (bench, before) = stored((put, get));
            let struck =
                bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(place)).skip(before));
            let ended = bench.run(&format!("get s3://bench/object copy {get} --part-size 5MiB -j 1"));
            ended.exits(6).says(&["s3://bench/object cannot be trusted"]);
            assert_eq!(struck.count(), 1);
            assert_eq!(bench.read("copy"), b"old");
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    }
}

#[test]
fn a_flipped_byte_of_a_sealed_object_does_not_reach_standard_output() {
    let (bench, _) = stored(MODES[2]);
    bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(17)).always());
    bench.run("get s3://bench/object - --key key --part-size 5MiB").exits(6).writes_nothing();
}

#[test]
fn a_stream_goes_on_where_it_broke_off() {
    for (put, get) in MODES {
        let (bench, before) = stored((put, get));
        bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(123_456)).skip(before).times(3));
        let ended = bench.run(&format!("get s3://bench/object - {get} --part-size 5MiB")).ok();
        assert_same(&ended.stdout, &bytes(SIZE), put);
    }
}
