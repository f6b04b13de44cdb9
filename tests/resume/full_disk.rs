//! A disk that is full: that of the target, or that of the records. A limit on a file's size fails as a full disk does, and
//! needs no disk.

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, Program, assert_same, at_once, bytes};
use crate::{SIZE, bench, get, put, records};

/// The program, which cannot make a file longer than `limit` KiB (or `unlimited`).
fn limited(bench: &Bench, limit: &str, line: &str) -> Program {
    let script = format!("ulimit -S -f {limit}; exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
    bench.program("bash", ["-c", &script])
}

#[test]
fn a_disk_that_fills_up_keeps_nothing_that_fills_it() {
    let bench = get::stored("");
    let line = get::line("");
    let ended = limited(&bench, "20000", &line).run().exits(1);
    ended.says(&[
        "error: cannot write ",
        "/copy",
        "hint: the file system or `ulimit -f` allows no larger file",
    ]);
    assert!(records(&bench).is_empty());
    bench.assert_tidy(&get::FILES);
    bench.run(&line).ok();
    get::is_whole(&bench);
}

#[test]
fn a_download_that_goes_on_into_a_full_disk_keeps_nothing_that_fills_it() {
    let modes = [get::MODES[0], get::MODES[2], get::MODES[3]];
    at_once(&modes, |&(put, flags)| {
        for signal in ["KILL", "TERM"] {
            let bench = get::stored(put);
            let line = get::line(flags);
            get::cut_off(&bench, &line, 3, signal);
            // There is room for what is on disk, and not for the next range.
            limited(&bench, "20000", &line).run().exits(1).says(&["error: cannot write ", "/copy"]);
            assert!(get::fetched(&bench) < SIZE - 2 * PART, "{put}: it did not go on");
            assert_same(&bench.read("copy"), b"old", put);
            assert!(records(&bench).is_empty(), "{put}");
            bench.assert_tidy(&get::FILES);
            bench.run(&line).ok();
            get::is_whole(&bench);
        }
    });
}

#[test]
fn an_upload_that_goes_on_keeps_its_record_where_the_disk_of_the_records_is_full() {
    let bench = bench();
    let line = put::line("");
    assert_eq!(put::cut_off(&bench, &line, 3, "KILL"), 3);
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(1).times(99));
    let running = limited(&bench, "0", &line).start();
    assert!(held.wait(1, PATIENCE));
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    bench.sandbox.clear_requests();
    limited(&bench, "0", &line).run().ok();
    assert_eq!(put::sent(&bench), SIZE - 4 * PART, "only the last part");
    put::is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn an_upload_without_room_for_its_record_works_and_is_aborted_if_it_fails() {
    let bench = bench();
    let line = put::line("");
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(2).times(99));
    let running = limited(&bench, "0", &line).start();
    assert!(held.wait(1, PATIENCE));
    running.signal("TERM");
    let ended = running.end().exits(143);
    assert!(!ended.stderr.contains("kept"), "{}", ended.stderr);
    bench.sandbox.clear_faults();
    assert!(records(&bench).is_empty());
    bench.assert_tidy(&put::FILES);
    limited(&bench, "0", &line).run().ok();
    put::is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn an_upload_that_cannot_be_recorded_once_it_is_created_is_aborted() {
    let bench = bench();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("CreateMultipartUpload", Kind::Pause(gate.clone())));
    let running = limited(&bench, "unlimited", &put::line("")).start();
    assert!(held.wait(1, PATIENCE));
    // The record is on disk, without the id of the upload.
    assert_eq!(records(&bench).len(), 1);
    let pid = Pid::from_raw(running.pid.cast_signed());
    prlimit(pid, Resource::Fsize, Rlimit { current: Some(0), maximum: None }).unwrap();
    gate.open();
    running.end().exits(1).says(&["error: cannot write ", ".local/state/s3seal/put-"]);
    assert_eq!(bench.requests("AbortMultipartUpload").len(), 1);
    bench.assert_tidy(&put::FILES);
    bench.run(&put::line("")).ok();
    put::is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn a_key_that_cannot_be_written_leaves_no_empty_file() {
    let bench = Bench::new();
    limited(&bench, "0", "keygen key").run().exits(1).says(&["error: cannot write key"]);
    bench.assert_tidy(&[]);
}
