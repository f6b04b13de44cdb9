//! kill -9 at every request of every way: the object opens with the old key or the new one, and the same command ends the
//! job without a trace.

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{ALIAS, Bench, PATIENCE};
use crate::{OBJECT, assert_no_traces, bench, stored};

/// Stored as, rotated with, opens before, opens after, bytes.
const WAYS: [(&str, &str, &str, &str, usize); 8] = [
    (
        "-e sse-c --sse-c-key a.key",
        "-e sse-c --sse-c-key b.key --from-sse-c-key a.key",
        "--sse-c-key a.key",
        "--sse-c-key b.key",
        1000,
    ),
    ("-e client --key a.key", "--rewrap --key b.key --from-key a.key", "--key a.key", "--key b.key", 1000),
    (
        "-e client --key a.key --instruction-file",
        "--rewrap --key b.key --from-key a.key",
        "--key a.key",
        "--key b.key",
        1000,
    ),
    ("-e sse-s3", "-e client --key b.key", "", "--key b.key", 6 << 20),
    ("-e client --key a.key", "-e sse-s3 --from-key a.key", "--key a.key", "", 6 << 20),
    ("-e sse-s3", "-e sse-kms --kms-key ALIAS --update-in-place", "", "", 1000),
    ("-e client --key a.key --instruction-file", "-e sse-s3 --from-key a.key", "--key a.key", "", 1000),
    (
        "-e client --key a.key --instruction-file",
        "-e client --new-data-key --key b.key --from-key a.key",
        "--key a.key",
        "--key b.key",
        1000,
    ),
];

/// The objects of one way at one step.
struct Case {
    bench: Bench,
    content: Vec<u8>,
    line: String,
}

fn case(way: usize) -> Case {
    let (stored_as, flags, .., len) = WAYS[way];
    let bench = bench();
    let content = stored(&bench, len, stored_as);
    bench.sandbox.clear_requests();
    let flags = flags.replace("ALIAS", ALIAS);
    Case { bench, content, line: format!("rotate {OBJECT} {flags} --part-size 5MiB --jobs 1 --yes") }
}

impl Case {
    fn opens(&self, flags: &str) -> bool {
        self.bench.run(&format!("get {OBJECT} target {flags}")).code() == Some(0)
            && self.bench.read("target") == self.content
    }
}

/// Kills at every request, before it is done and after it is done; there are as many as in a run that is left alone.
fn survives(way: usize) {
    let (_, _, old, new, _) = WAYS[way];
    let whole = case(way);
    whole.bench.run(&whole.line).ok();
    let steps = whole.bench.sandbox.requests().len();
    assert!(steps > 2, "no request was seen");
    for step in 0..steps {
        for done in [false, true] {
            let case = case(way);
            let bench = &case.bench;
            let gate = Gate::new();
            let kind = if done { Kind::PauseAnswer(gate) } else { Kind::Pause(gate) };
            let struck = bench.sandbox.fault(Fault::on("*", kind).skip(step));
            let running = bench.start(&case.line);
            assert!(struck.wait(1, PATIENCE), "there was no request {step}");
            running.signal("KILL");
            running.end();
            bench.sandbox.clear_faults();
            let at = format!("request {step} of {steps}, done: {done}");
            assert!(case.opens(old) || case.opens(new), "lost at {at}");
            bench.run(&case.line).ok();
            assert!(case.opens(new), "not finished after {at}");
            assert_no_traces(bench);
        }
    }
}

#[test]
fn a_server_copy_survives() {
    survives(0);
}

#[test]
fn a_rewrap_survives() {
    survives(1);
}

#[test]
fn a_rewrap_beside_survives() {
    survives(2);
}

#[test]
fn a_reseal_to_client_side_survives() {
    survives(3);
}

#[test]
fn a_reseal_to_server_side_survives() {
    survives(4);
}

#[test]
fn an_update_in_place_survives() {
    survives(5);
}

#[test]
fn leaving_an_instruction_file_survives() {
    survives(6);
}

#[test]
fn an_envelope_that_moves_into_the_metadata_survives() {
    survives(7);
}
