//! Signals while an object goes up: the upload is aborted, the old object stays.

use std::io::Write;
use std::time::{Duration, Instant};

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, Running, at_once, bytes, key};

/// Signals by name, with the exit code of each.
const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];
/// More than the two steps of cleaning up after a signal take on any machine, and half of what they may take after an error.
const BOUND: Duration = Duration::from_secs(30);

/// More than a pipe holds: once it is written, the program has read some of it.
const PIPE: usize = 1024 * 1024;

/// A request at which an upload can be held, and the size that takes it there.
const PHASES: [(&str, usize); 5] = [
    ("HeadObject", 1000),
    ("PutObject", 1000),
    ("CreateMultipartUpload", 2 * PART),
    ("UploadPart", 3 * PART),
    ("CompleteMultipartUpload", 2 * PART),
];

fn bench(size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(size));
    bench.sandbox.s3().put_plain(BUCKET, "object", b"old");
    bench
}

/// Sends the signal and waits for the end; the held request goes on only if that is wanted.
fn interrupt(running: Running, signal: &str, code: i32) {
    let began = Instant::now();
    running.signal(signal);
    running.end_with_open_input().exits(code).writes_nothing().says(&["interrupted by SIG", signal]);
    assert!(began.elapsed() < BOUND, "{signal}: {:?}", began.elapsed());
}

#[test]
fn a_signal_in_any_phase_of_a_file_ends_it_without_a_trace() {
    at_once(&PHASES, |&(operation, size)| {
        for (signal, code) in SIGNALS {
            let bench = bench(size);
            let gate = Gate::new();
            let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).times(99));
            // Only the look at a condition asks for the head.
            let flags = if operation == "HeadObject" { "--no-clobber" } else { "-e client --key key" };
            let running = bench.start(&format!("put source s3://bench/object {flags} --part-size 5MiB"));
            assert!(held.wait(1, PATIENCE), "{operation}");
            if operation == "CreateMultipartUpload" {
                // Its answer is waited for: without the id nothing could be aborted.
                let began = Instant::now();
                running.signal(signal);
                gate.open();
                running.end().exits(code);
                assert!(began.elapsed() < BOUND);
            } else {
                interrupt(running, signal, code);
            }
            bench.sandbox.clear_faults();
            assert_eq!(bench.object("object").plaintext.unwrap(), b"old", "{operation} {signal}");
            bench.assert_keys(&["object"]);
            bench.assert_tidy(&["key", "source"]);
        }
    });
}

#[test]
fn a_signal_while_the_start_gets_no_answer_does_not_wait_for_ever() {
    let bench = bench(2 * PART);
    let held = bench.sandbox.fault(Fault::on("CreateMultipartUpload", Kind::Pause(Gate::new())).always());
    let running = bench.start("put source s3://bench/object --part-size 5MiB");
    assert!(held.wait(1, PATIENCE));
    let began = Instant::now();
    running.signal("TERM");
    let command = "s3seal cleanup s3://bench/object --older-than 0s";
    running.end().exits(143).says(&["may have been left behind", command]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn a_signal_while_parts_are_sent_aborts_what_has_arrived() {
    for (signal, code) in SIGNALS {
        let bench = bench(4 * PART);
        let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(2).times(99));
        let running = bench.start("put source s3://bench/object --part-size 5MiB -j 1 --no-resume");
        assert!(held.wait(1, PATIENCE));
        assert_eq!(bench.sandbox.s3().uploads()[0].parts.len(), 2);
        interrupt(running, signal, code);
        assert_eq!(bench.requests("AbortMultipartUpload").len(), 1);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn a_signal_while_standard_input_blocks_ends_it_without_a_trace() {
    // Before the first byte; within what will be one request; within an upload in parts.
    at_once(&[0, PIPE + 1, 2 * PART + PIPE + 1], |&written| {
        for (signal, code) in SIGNALS {
            let bench = bench(0);
            let line = "put - s3://bench/object -e sse-c --sse-c-key key --part-size 5MiB";
            let mut running = bench.s3seal(line.split(' ')).start_with_input();
            let mut stdin = running.stdin.take().unwrap();
            stdin.write_all(&bytes(written)).unwrap();
            if written > PART {
                assert!(bench.sandbox.wait_for_answer("UploadPart", 2, PATIENCE));
            } else {
                running.catches_signals();
            }
            interrupt(running, signal, code);
            drop(stdin);
            assert_eq!(bench.object("object").plaintext.unwrap(), b"old", "{written} {signal}");
            bench.assert_tidy(&["key", "source"]);
        }
    });
}

#[test]
fn a_signal_during_a_command_ends_the_command_too() {
    let bench = bench(0);
    let script = "echo $$ > pid; head -c 12000000 /dev/zero; exec sleep 100";
    let line =
        ["put", "--from-command", "s3://bench/object", "--part-size", "5MiB", "--", "sh", "-c", script];
    let running = bench.s3seal(line).start();
    assert!(bench.sandbox.wait_for_answer("UploadPart", 2, PATIENCE));
    interrupt(running, "TERM", 143);
    let pid = String::from_utf8(bench.read("pid")).unwrap();
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
    assert!(!command.contains("sleep"), "still running");
    bench.assert_tidy(&["key", "pid", "source"]);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let bench = bench(2 * PART);
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).times(99));
    let aborting = bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::Pause(Gate::new())));
    let running = bench.start("put source s3://bench/object --part-size 5MiB --no-resume");
    assert!(held.wait(1, PATIENCE));
    running.signal("INT");
    assert!(aborting.wait(1, PATIENCE));
    running.signal("TERM");
    let ended = running.end().exits(143);
    let id = &bench.sandbox.s3().uploads()[0].upload_id;
    assert_eq!(ended.stderr.lines().count(), 1, "it has no time to say more: {}", ended.stderr);
    ended.says(&[id, "s3seal cleanup s3://bench/object --older-than 0s"]);
}

#[test]
fn an_abort_without_an_answer_is_not_waited_for_beyond_the_bound() {
    let bench = bench(2 * PART);
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).times(99));
    bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::Pause(Gate::new())).times(99));
    let running = bench.start("put source s3://bench/object --part-size 5MiB --no-resume");
    assert!(held.wait(1, PATIENCE));
    let began = Instant::now();
    running.signal("INT");
    let id = &bench.sandbox.s3().uploads()[0].upload_id;
    let command = "s3seal cleanup s3://bench/object --older-than 0s";
    running.end().exits(130).says(&["interrupted by SIGINT", id, "was not aborted", command]);
    assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
}

#[test]
fn a_signal_between_two_attempts_is_not_slept_through() {
    let bench = bench(1000);
    bench.sandbox.fault(Fault::on("PutObject", Kind::slow_down()).times(999));
    let running = bench.start("put source s3://bench/object --max-attempts 1000");
    assert!(bench.sandbox.wait_for_answer("PutObject", 3, PATIENCE));
    interrupt(running, "TERM", 143);
}

#[test]
fn an_instruction_file_goes_back_to_what_it_was() {
    for before in [true, false] {
        let bench = Bench::new();
        bench.write("key", &key(5));
        bench.write("old", b"old");
        bench.write("source", &bytes(1000));
        if before {
            bench.run("put old s3://bench/object -e client --key key --instruction-file").ok();
        }
        // When the file is written, and its object is not.
        let pause = Kind::Pause(Gate::new());
        let held = bench.sandbox.fault(if before {
            Fault::on("CompleteMultipartUpload", pause)
        } else {
            Fault::on("PutObject", pause).skip(1)
        });
        let running = bench.start("put source s3://bench/object -e client --key key --instruction-file");
        assert!(held.wait(1, PATIENCE));
        interrupt(running, "INT", 130);
        if before {
            assert_eq!(bench.run("get s3://bench/object - --key key").ok().stdout, b"old");
        } else {
            bench.assert_keys(&[]);
        }
    }
}

#[test]
fn nohup_keeps_a_hang_up_away() {
    let bench = bench(1000);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(gate.clone())));
    let script = format!("trap '' HUP; exec {} put source s3://bench/object", env!("CARGO_BIN_EXE_s3seal"));
    let running = bench.program("sh", ["-c", &script]).start();
    assert!(held.wait(1, PATIENCE));
    running.signal("HUP");
    gate.open();
    running.end().ok();
}
