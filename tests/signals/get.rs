//! Signals while an object comes down: the old file stays, nothing lies beside it.

use std::io::Read;
use std::time::{Duration, Instant};

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, at_once, bytes, key};

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];
/// More than any machine needs, and too little for a wait that only the network ends.
const BOUND: Duration = Duration::from_secs(30);

fn stored() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(3 * PART));
    bench.run("put source s3://bench/object -e client --key key --part-size 5MiB").ok();
    bench.write("copy", b"old");
    bench
}

#[test]
fn a_signal_in_any_phase_leaves_the_old_file_and_nothing_beside_it() {
    // At the look, at the first range, at the last one.
    at_once(&[("HeadObject", 0), ("GetObject", 0), ("GetObject", 2)], |&(operation, skip)| {
        for (signal, code) in SIGNALS {
            let bench = stored();
            let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(Gate::new())).skip(skip));
            let running =
                bench.start("get s3://bench/object copy --key key --part-size 5MiB -j 1 --no-resume");
            assert!(held.wait(1, PATIENCE));
            let began = Instant::now();
            running.signal(signal);
            running.end().exits(code).says(&["interrupted by SIG", signal]);
            assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
            assert_eq!(bench.read("copy"), b"old");
            bench.assert_tidy(&["copy", "key", "source"]);
        }
    });
}

#[test]
fn a_signal_in_the_middle_of_a_range_leaves_nothing() {
    let bench = stored();
    let stalled = bench.sandbox.fault(Fault::on("GetObject", Kind::StallResponse(1_000_000)).always());
    // One at a time: of many at once, each range may end before the place where it stalls.
    let running = bench.start("get s3://bench/object copy --key key --part-size 5MiB -j 1 --no-resume");
    assert!(stalled.wait(1, PATIENCE));
    running.signal("TERM");
    running.end().exits(143);
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn a_signal_while_nobody_reads_standard_output_ends_it() {
    let bench = Bench::new();
    bench.write("source", &bytes(4 * PART));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    for (signal, code) in SIGNALS {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let running =
            bench.s3seal("get s3://bench/object - --part-size 5MiB".split(' ')).output(writer).start();
        // One byte has come; the rest of the part does not fit into the pipe, so the write blocks.
        reader.read_exact(&mut [0]).unwrap();
        let began = Instant::now();
        running.signal(signal);
        running.end().exits(code);
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        drop(reader);
    }
}

#[test]
fn a_sealed_object_that_is_held_back_is_not_released_by_a_signal() {
    let bench = stored();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(Gate::new())).skip(2));
    let running = bench.start("get s3://bench/object - --key key --part-size 5MiB -j 1");
    assert!(held.wait(1, PATIENCE));
    running.signal("INT");
    running.end().exits(130).writes_nothing();
}
