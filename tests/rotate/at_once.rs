//! Two rotations of one object at once: the ciphertext stays, and with it the ETag that a write is bound to.

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PATIENCE, key};

const FIRST: &str = "rotate s3://bench/object --rewrap --from-key k1 --key k2 --yes";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    for (name, seed) in [("k1", 1), ("k2", 2), ("k3", 3)] {
        bench.write(name, &key(seed));
    }
    bench.run("put source s3://bench/object --key k1").ok();
    bench
}

#[test]
fn a_rewrap_does_not_undo_one_that_came_between() {
    let bench = bench();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObjectAcl", Kind::Pause(gate.clone())));
    let first = bench.start(FIRST);
    assert!(held.wait(1, PATIENCE));
    bench.run("rotate s3://bench/object --rewrap --from-key k1 --key k3 --yes").ok();
    gate.open();
    first.end().exits(8).says(&["is not the object expected: it has changed"]);
    assert_eq!(bench.run("get s3://bench/object - --key k3").ok().stdout, b"text");
}

#[test]
fn an_envelope_that_somebody_else_has_replaced_is_not_called_lost() {
    let bench = bench();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("CopyObject", Kind::PauseAnswer(gate.clone())));
    let first = bench.start(FIRST);
    assert!(held.wait(1, PATIENCE));
    bench.run("rotate s3://bench/object --rewrap --from-key k2 --key k3 --yes").ok();
    gate.open();
    let ended = first.end().exits(8).says(&["is not the object expected: it has changed"]);
    assert!(!ended.stderr.contains("without the envelope"), "{}", ended.stderr);
    assert_eq!(bench.run("get s3://bench/object - --key k3").ok().stdout, b"text");
}

#[test]
fn two_rewraps_with_the_same_new_key_at_once_are_both_a_success() {
    let bench = bench();
    let (before, after) = (Gate::new(), Gate::new());
    let held = bench.sandbox.fault(Fault::on("CopyObject", Kind::Pause(before.clone())));
    let first = bench.start(FIRST);
    assert!(held.wait(1, PATIENCE));
    let held = bench.sandbox.fault(Fault::on("CopyObject", Kind::PauseAnswer(after.clone())));
    let second = bench.start(&format!("{FIRST} --journal another"));
    assert!(held.wait(1, PATIENCE));
    before.open();
    first.end().ok();
    after.open();
    let ended = second.end().ok();
    assert!(!ended.stderr.contains("without the envelope"), "{}", ended.stderr);
    assert_eq!(bench.run("get s3://bench/object - --key k2").ok().stdout, b"text");
}

#[test]
fn an_envelope_of_the_new_key_around_another_data_key_is_called_lost() {
    let bench = bench();
    bench.run("put source s3://bench/other --key k2").ok();
    let envelope = bench.object("other").metadata;
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("CopyObject", Kind::PauseAnswer(gate.clone())));
    let first = bench.start(FIRST);
    assert!(held.wait(1, PATIENCE));
    bench.sandbox.s3().set_metadata(crate::support::BUCKET, "object", envelope);
    gate.open();
    first.end().exits(6).says(&["stored without the envelope"]);
}
