//! A reader of standard output that does not read: transfers go on, and a signal ends the program.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, bytes, schema};

/// So many small files have more rows than a pipe holds.
const FILES: usize = 400;

/// A folder of small files with names of the same length.
fn small_files(bench: &Bench) -> Vec<String> {
    std::fs::create_dir(bench.path("many")).unwrap();
    let names: Vec<_> = (0..FILES).map(|number| format!("{number:03}-{}", "n".repeat(150))).collect();
    for name in &names {
        bench.write(&format!("many/{name}"), name.as_bytes());
    }
    names
}

/// Waits until a pipe takes nothing more.
fn fills(writer: &PipeWriter) {
    let (began, at_once) = (Instant::now(), Timespec { tv_sec: 0, tv_nsec: 0 });
    loop {
        let mut asked = [PollFd::new(writer, PollFlags::OUT)];
        if poll(&mut asked, Some(&at_once)).unwrap() == 0 {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "the pipe never fills");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The pipe for standard output, and a writing end of it to ask whether it is full.
fn pipe() -> (PipeReader, PipeWriter, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let asked = writer.try_clone().unwrap();
    (reader, writer, asked)
}

fn lines(reader: PipeReader) -> Vec<String> {
    BufReader::new(reader).lines().map(Result::unwrap).collect()
}

#[test]
fn a_signal_ends_a_put_whose_rows_nobody_reads_and_leaves_no_upload() {
    let bench = Bench::new();
    small_files(&bench);
    bench.write("many/0-large", &bytes(3 * PART));
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).always());
    let (reader, writer, asked) = pipe();
    let line = "put -r many s3://bench/ --json --part-size 5MiB --no-resume";
    let running = bench.s3seal(line.split(' ')).output(writer).start();
    assert!(held.wait(1, PATIENCE));
    fills(&asked);
    running.signal("TERM");
    running.end().exits(143);
    bench.sandbox.clear_faults();
    assert_eq!(bench.sandbox.s3().uploads(), []);
    drop((reader, asked));
}

#[test]
fn a_signal_ends_a_put_whose_messages_nobody_reads_and_leaves_no_upload() {
    for threads in ["1", "4"] {
        let bench = Bench::new();
        small_files(&bench);
        bench.write("many/0-large", &bytes(3 * PART));
        let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).always());
        let (reader, writer, asked) = pipe();
        let line = "put -r many s3://bench/ -vv --part-size 5MiB --no-resume --progress plain";
        let shell = ["-c", "exec \"$@\" 2>&1", "sh", env!("CARGO_BIN_EXE_s3seal")];
        let program = bench.program("sh", shell.into_iter().chain(line.split(' ')));
        let running = program.with("TOKIO_WORKER_THREADS", threads).output(writer).start();
        assert!(held.wait(1, PATIENCE));
        fills(&asked);
        running.signal("TERM");
        running.end().exits(143);
        bench.sandbox.clear_faults();
        assert_eq!(bench.sandbox.s3().uploads(), []);
        drop((reader, asked));
    }
}

#[test]
fn a_signal_ends_an_inspect_whose_rows_nobody_reads() {
    let bench = Bench::new();
    for number in 0..FILES {
        bench.sandbox.s3().put_plain(BUCKET, &format!("{number:03}-{}", "n".repeat(150)), b"x");
    }
    for format in ["ndjson", "csv", "table"] {
        let (reader, writer, asked) = pipe();
        let line = format!("inspect s3://bench/ --format {format}");
        let running = bench.s3seal(line.split(' ')).output(writer).start();
        fills(&asked);
        running.signal("INT");
        running.end().exits(130);
        drop((reader, asked));
    }
}

#[test]
fn a_signal_ends_a_rotation_whose_rows_nobody_reads() {
    let bench = Bench::new();
    for number in 0..FILES {
        bench.sandbox.s3().put_plain(BUCKET, &format!("{number:03}-{}", "n".repeat(150)), b"x");
    }
    let (reader, writer, asked) = pipe();
    let line = "rotate s3://bench/ -e sse-kms --kms-key alias/backup --yes --json";
    let running = bench.s3seal(line.split(' ')).output(writer).start();
    fills(&asked);
    running.signal("TERM");
    running.end().exits(143);
    drop((reader, asked));
}

#[test]
fn transfers_go_on_while_nobody_reads_the_rows_and_none_is_lost() {
    let bench = Bench::new();
    let mut names = small_files(&bench);
    bench.write("many/0-large", &bytes(3 * PART));
    names.push("0-large".to_owned());
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).always());
    let (mut reader, writer, asked) = pipe();
    let line = "put -r many s3://bench/ --json --part-size 5MiB --no-resume";
    let running = bench.s3seal(line.split(' ')).output(writer).start();
    assert!(held.wait(1, PATIENCE));
    fills(&asked);
    gate.open();
    assert!(bench.sandbox.wait_for_answer("CompleteMultipartUpload", 1, PATIENCE), "it stands still");
    drop(asked);
    // A few bytes at a time, as a slow reader takes them.
    let reading = thread::spawn(move || {
        let (mut all, mut some) = (Vec::new(), [0; 100]);
        loop {
            match reader.read(&mut some).unwrap() {
                0 => return String::from_utf8(all).unwrap(),
                len => all.extend_from_slice(&some[..len]),
            }
        }
    });
    running.end().ok();
    let documents = schema::documents(&reading.join().unwrap());
    let (summary, rows) = documents.split_last().unwrap();
    assert_eq!(summary["summary"]["objects"], FILES + 1, "{summary}");
    let uris: Vec<_> = rows.iter().map(|row| row["uri"].as_str().unwrap().to_owned()).collect();
    let expected: BTreeSet<_> = names.iter().map(|name| format!("s3://bench/{name}")).collect();
    assert_eq!(uris.len(), expected.len());
    assert_eq!(uris.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn rows_that_are_read_late_are_in_the_order_of_the_keys() {
    let bench = Bench::new();
    let keys: Vec<_> = (0..FILES).map(|number| format!("{number:03}-{}", "n".repeat(150))).collect();
    for key in &keys {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    let (reader, writer, asked) = pipe();
    let running = bench.s3seal(["inspect", "s3://bench/", "--format", "csv"]).output(writer).start();
    fills(&asked);
    drop(asked);
    let reading = thread::spawn(move || lines(reader));
    running.end().ok();
    let rows = reading.join().unwrap();
    let found: Vec<_> = rows[1..].iter().map(|row| row.split(',').next().unwrap()).collect();
    let expected: Vec<_> = keys.iter().map(|key| format!("s3://bench/{key}")).collect();
    assert_eq!(found, expected);
}
