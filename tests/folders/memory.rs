//! Many large files together take no more room than one.

use std::sync::Barrier;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::keys::KnownKey;
use crate::support::{Bench, PART, PATIENCE, bytes};
use crate::{assert_same_tree, write};

/// Two parts: what one run may take more than another.
const SLACK: u64 = 2 * 5 * 1024;

/// The largest resident size in KiB that a run has had when its `last` request of an operation arrives.
fn peak(bench: &Bench, line: &str, operation: &str, last: usize) -> u64 {
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).skip(last - 1));
    let running = bench.start_measured(line);
    assert!(held.wait(1, PATIENCE), "{line}");
    let peak = running.peak_memory();
    gate.open();
    running.end().ok();
    peak
}

#[test]
fn many_large_files_take_no_more_than_one() {
    let bench = Bench::new();
    // More objects than requests may be under way at once.
    let flags = "--part-size 5MiB";
    write(&bench.path("large"), &bytes(40 * PART));
    for number in 0..20 {
        write(&bench.path(&format!("tree/{number}")), &bytes(2 * PART));
    }
    // As many parts of the one as fit into memory are there together, however fast each is taken.
    let together = Barrier::new(8);
    let meet = Kind::then(move || {
        together.wait();
    });
    bench.sandbox.fault(Fault::on("UploadPart", meet).times(8));
    let one = peak(&bench, &format!("put large s3://bench/large {flags}"), "CompleteMultipartUpload", 1);
    let many = peak(&bench, &format!("put -r tree s3://bench/p/ {flags}"), "CompleteMultipartUpload", 20);
    assert!(many < one + SLACK, "up: {many} KiB for many, {one} KiB for one");
    // One alone goes to its place in the file as it comes and takes even less; this is what is promised.
    let promised = (40 + 8 * 5) * 1024;
    let many = peak(&bench, &format!("get -r s3://bench/p/ copy {flags}"), "GetObject", 40);
    assert!(many < promised, "down: {many} KiB for many");
    assert_same_tree(&bench, "copy");
}

#[test]
fn many_small_files_take_little_more_than_one() {
    let bench = Bench::new();
    bench.write("key", KnownKey::new(1).hex().as_bytes());
    write(&bench.path("small"), &bytes(64 * 1024));
    for number in 0..300 {
        write(&bench.path(&format!("tree/{number}")), &bytes(64 * 1024));
    }
    for flags in ["", "-e client --key key", "-e client --format esdk --key key"] {
        let one = peak(&bench, &format!("put small s3://bench/small {flags}"), "PutObject", 1);
        let many = peak(&bench, &format!("put -r tree s3://bench/p/ {flags}"), "PutObject", 300);
        // Far less than a part for each of those that go at once.
        assert!(many < one + 50 * 1024, "{flags}: {many} KiB for many, {one} KiB for one");
    }
}
