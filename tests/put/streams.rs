//! Sources that do not hold still: files that change while they are read, streams that come in pieces.

use std::fs::OpenOptions;
use std::io::Write;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, assert_same, bytes};

/// Starts an upload of one job, holds its first part, lets `change` act, and goes on.
fn while_the_first_part_is_held(bench: &Bench, change: impl FnOnce()) -> crate::support::Ended {
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("CreateMultipartUpload", Kind::Pause(gate.clone())));
    let line = "put source s3://bench/object --part-size 5MiB -j 1";
    let running = bench.start(line);
    assert!(held.wait(1, PATIENCE));
    change();
    gate.open();
    running.end()
}

#[test]
fn a_file_that_grows_while_it_is_read_is_not_stored() {
    let bench = Bench::new();
    let path = bench.write("source", &bytes(4 * PART));
    let ended = while_the_first_part_is_held(&bench, || {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    });
    ended.exits(1).says(&["source changed while it was being read", "nothing was stored"]);
    bench.assert_keys(&[]);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_not_stored() {
    for rest in [3 * PART as u64, 2 * PART as u64 + 7] {
        let bench = Bench::new();
        let path = bench.write("source", &bytes(4 * PART));
        let ended = while_the_first_part_is_held(&bench, || {
            OpenOptions::new().write(true).open(&path).unwrap().set_len(rest).unwrap();
        });
        ended.exits(1).says(&["source changed while it was being read"]);
        bench.assert_keys(&[]);
        bench.assert_tidy(&["source"]);
    }
}

#[test]
fn a_stream_may_come_in_small_pieces() {
    let bench = Bench::new();
    let content = bytes(PART + 77);
    let line = "put - s3://bench/object --part-size 5MiB";
    let mut running = bench.s3seal(line.split(' ')).start_with_input();
    for piece in content.chunks(4099) {
        running.stdin.as_mut().unwrap().write_all(piece).unwrap();
    }
    running.end().ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
}

#[test]
fn the_parts_of_a_stream_are_sent_while_it_still_comes() {
    let bench = Bench::new();
    let line = "put - s3://bench/object --part-size 5MiB";
    let mut running = bench.s3seal(line.split(' ')).start_with_input();
    running.stdin.as_mut().unwrap().write_all(&bytes(2 * PART)).unwrap();
    assert!(bench.sandbox.wait_for_answer("UploadPart", 1, PATIENCE), "nothing is sent before the end");
    running.stdin.as_mut().unwrap().write_all(b"and the end").unwrap();
    running.end().ok();
    let expected = [bytes(2 * PART).as_slice(), b"and the end"].concat();
    assert_same(&bench.object("object").plaintext.unwrap(), &expected, "stored");
}

#[test]
fn a_stream_longer_than_expected_still_fits() {
    let bench = Bench::new();
    let content = bytes(3 * PART + 5);
    let line = "put - s3://bench/object --part-size 5MiB --expected-size 1000";
    bench.s3seal(line.split(' ')).input(&content).run().ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
}

#[test]
fn parts_are_made_to_fit_the_expected_size() {
    // Half of the 10,000 parts must hold what is expected.
    let bench = Bench::new();
    let content = bytes(13 * 1024 * 1024);
    let line = "put - s3://bench/object --part-size 5MiB --expected-size 30GiB";
    bench.s3seal(line.split(' ')).input(&content).run().ok();
    let sizes: Vec<_> = bench
        .requests("UploadPart")
        .iter()
        .map(|part| part.header("content-length").unwrap().to_owned())
        .collect();
    assert_eq!(sizes.len(), 2, "{sizes:?}");
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
}

#[test]
fn a_stream_without_end_in_sight_goes_in_growing_parts() {
    // The first 64 parts have the size asked for; after them it doubles.
    let bench = Bench::new();
    let content = bytes(67 * PART);
    let line = "put - s3://bench/object --part-size 5MiB --checksum crc32";
    bench.s3seal(line.split(' ')).input(&content).run().ok();
    let object = bench.object("object");
    assert_eq!(object.part_count, 66);
    assert_same(&object.plaintext.unwrap(), &content, "stored");
}

#[test]
fn a_named_pipe_is_a_source_of_unknown_length() {
    let bench = Bench::new();
    let pipe = bench.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let running = bench.start("put pipe s3://bench/object --part-size 5MiB");
    // In a thread: it waits for ever for a reader that never comes.
    std::thread::spawn(move || std::fs::write(pipe, bytes(PART + 1)));
    running.end().ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &bytes(PART + 1), "stored");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_whose_length_nobody_knows_before_is_read_to_its_end() {
    let bench = Bench::new();
    bench.run("keygen k.key").ok();
    for key in ["", " --key k.key"] {
        bench.run(&format!("put /proc/version s3://bench/object{key}")).ok();
        bench.run(&format!("get s3://bench/object copy{key}")).ok();
        assert_eq!(bench.read("copy"), std::fs::read("/proc/version").unwrap());
    }
}

#[test]
fn a_closed_standard_input_is_no_empty_object() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "backup", b"old");
    let script = format!("exec {} put - s3://bench/backup <&-", env!("CARGO_BIN_EXE_s3seal"));
    let ended = bench.program("sh", ["-c", &script]).run();
    ended.exits(2).says(&["standard input is closed", "s3seal put - s3://bench/backup </dev/null"]);
    assert_eq!(bench.object("backup").plaintext.unwrap(), b"old");
}

#[test]
fn standard_input_from_the_null_device_is_an_empty_object() {
    let bench = Bench::new();
    for (flags, code) in [("--fail-if-empty", 8), ("", 0)] {
        let script =
            format!("exec {} put - s3://bench/object {flags} </dev/null", env!("CARGO_BIN_EXE_s3seal"));
        bench.program("sh", ["-c", &script]).run().exits(code);
    }
    assert_eq!(bench.object("object").size, 0);
}
