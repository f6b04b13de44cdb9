//! To standard output nothing unverified goes: what is small is held, what is large comes in two passes.

use s3seal_sandbox::{Fault, Kind};

use crate::support::{BUCKET, Bench, assert_same, bytes, key};

const MIB: usize = 1024 * 1024;
/// More than is held in memory, with the tag.
const LARGE: usize = 64 * MIB + 1;
/// What one request brings, unless it shares the end of the object with others.
const RANGE: usize = 8 * MIB;

fn sealed(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(size));
    bench.run("put source s3://bench/object -e client --key key").ok();
    bench.sandbox.clear_requests();
    bench
}

fn ranges(size: usize) -> usize {
    (size + 16).div_ceil(RANGE)
}

#[test]
fn what_fits_into_memory_is_fetched_once() {
    let bench = sealed(64 * MIB - 16);
    let ended = bench.run("get s3://bench/object - --key key -j 8").ok();
    assert_same(&ended.stdout, &bytes(64 * MIB - 16), "standard output");
    assert_eq!(bench.requests("GetObject").len(), ranges(64 * MIB - 16));
}

#[test]
fn what_does_not_is_proven_in_a_first_pass_and_released_in_a_second() {
    let bench = sealed(LARGE);
    let ended = bench.run("get s3://bench/object - --key key -j 8").ok();
    assert_same(&ended.stdout, &bytes(LARGE), "standard output");
    assert_eq!(bench.requests("GetObject").len(), 2 * ranges(LARGE));
    // Into a file one pass is enough.
    bench.sandbox.clear_requests();
    bench.run("get s3://bench/object copy --key key -j 8").ok();
    assert_eq!(bench.requests("GetObject").len(), ranges(LARGE));
}

#[test]
fn what_is_changed_is_refused_in_the_first_pass() {
    let bench = sealed(LARGE);
    for place in [0, LARGE / 2, LARGE + 15] {
        let (range, offset) = (place / RANGE, (place % RANGE) as u64);
        let struck = bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(offset)).skip(range));
        bench.run("get s3://bench/object - --key key -j 1").exits(6).writes_nothing();
        assert_eq!(struck.count(), 1, "{place}");
    }
}

#[test]
fn a_byte_that_changes_between_the_passes_is_caught_and_not_released() {
    let bench = sealed(LARGE);
    let content = bytes(LARGE);
    for range in [0, 4, ranges(LARGE) - 1] {
        let fault = Fault::on("GetObject", Kind::FlipResponseByte(5)).skip(ranges(LARGE) + range);
        let struck = bench.sandbox.fault(fault);
        let ended = bench.run("get s3://bench/object - --key key -j 1").exits(6);
        assert_eq!(struck.count(), 1);
        // What was the same the second time has gone out, up to the range that was not; of what came last, as many
        // bytes as a tag has are kept back, for they might be one.
        let (least, most) = ((range * RANGE).saturating_sub(16), range * RANGE);
        assert!((least..=most).contains(&ended.stdout.len()), "{} bytes released", ended.stdout.len());
        assert!(content.starts_with(&ended.stdout), "other bytes released");
        ended.says(&["the server sent other bytes the second time"]);
    }
}

#[test]
fn an_object_that_is_replaced_between_the_passes_is_not_mixed_in() {
    let bench = sealed(LARGE);
    let act = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "object", &vec![0; LARGE + 16]));
    bench.sandbox.fault(Fault::on("GetObject", act).skip(ranges(LARGE)));
    bench.run("get s3://bench/object - --key key -j 1").exits(8).writes_nothing();
}

#[test]
fn unverified_bytes_go_out_at_once_if_that_is_asked_for() {
    let bench = sealed(LARGE);
    let ended = bench.run("get s3://bench/object - --key key --unverified -j 8").ok();
    assert_same(&ended.stdout, &bytes(LARGE), "standard output");
    assert_eq!(bench.requests("GetObject").len(), ranges(LARGE));
    bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(5)).skip(ranges(LARGE) - 1));
    let ended = bench.run("get s3://bench/object - --key key --unverified -j 1").exits(6);
    assert!(!ended.stdout.is_empty(), "that is what unverified means");
}
