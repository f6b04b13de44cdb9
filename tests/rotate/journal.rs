//! The journal is a memory, not an authority: who may write it, and what a line in it can make a run do.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::bench;
use crate::support::{BUCKET, Bench, PATIENCE, bytes};

const LINE: &str = "rotate s3://bench/p/ -e sse-c --sse-c-key b.key --journal j --yes";

fn append(bench: &Bench, lines: &[String]) {
    let mut journal = fs::File::options().append(true).open(bench.path("j")).unwrap();
    for line in lines {
        writeln!(journal, "{line}").unwrap();
    }
}

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Makes the journal one that has begun so many hours later.
fn begin_later(bench: &Bench, hours: i64) {
    let text = String::from_utf8(bench.read("j")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let (before, at) = first.rsplit_once(':').unwrap();
    let at: i64 = at.trim_end_matches('}').parse().unwrap();
    bench.write("j", format!("{before}:{}}}}}\n{rest}", at + hours * 3600).as_bytes());
}

#[test]
fn a_line_that_somebody_appends_deletes_no_object() {
    let bench = bench();
    let precious = ["precious", "precious.instruction", "p/1", "p/2", "p/.s3seal-scratch-"];
    for key in precious {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
    }
    bench.run(LINE).ok();
    let mut lines = Vec::new();
    for key in
        precious.iter().chain(&[".s3seal-scratch-0123456789abcdef", "q/.s3seal-scratch-0123456789abcdef"])
    {
        bench.sandbox.s3().put_plain(BUCKET, key, b"x");
        lines.push(format!(r#"{{"scratch":{{"object":"s3://bench/{key}"}}}}"#));
        let object = key.trim_end_matches(".instruction");
        let etag = bench.object(key).etag;
        lines.push(format!(
            r#"{{"beside":{{"object":"s3://bench/{object}","etag":"x","file_etag":"\"{etag}\""}}}}"#
        ));
    }
    append(&bench, &lines);
    let before = bench.sandbox.s3().keys(BUCKET);
    bench.sandbox.clear_requests();
    bench.run(LINE).ok();
    assert_eq!(bench.sandbox.s3().keys(BUCKET), before);
    assert!(bench.requests("DeleteObject").is_empty());
}

#[test]
fn a_line_that_somebody_appends_aborts_no_upload_but_one_of_this_rotation() {
    for (key, hours) in [("q/other", 0), ("p/older", 1)] {
        let bench = bench();
        bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
        bench.write("large", &bytes(6 << 20));
        let gate = Gate::new();
        let struck = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())));
        let putting = bench.start(&format!("put large s3://bench/{key} --part-size 5MiB --read-timeout 5m"));
        assert!(struck.wait(1, PATIENCE), "there was no upload");
        bench.run(LINE).ok();
        if hours > 0 {
            begin_later(&bench, hours);
        }
        let uploads = bench.sandbox.s3().uploads();
        let id = &uploads[0].upload_id;
        append(
            &bench,
            &[
                format!(r#"{{"upload":{{"object":"s3://bench/{key}","id":"{id}","at":0}}}}"#),
                format!(
                    r#"{{"begin":{{"object":"s3://bench/{key}","version_id":null,"etag":null,"way":"reseal","at":0}}}}"#
                ),
            ],
        );
        bench.run(LINE).ok();
        gate.open();
        putting.end().ok();
        assert_eq!(bench.object(key).size, 6 << 20);
    }
}

#[test]
fn an_upload_that_began_long_after_the_run_that_crashed_is_somebody_elses() {
    let bench = bench();
    bench.write("source", &bytes(1000));
    bench.run("put source s3://bench/p/1").ok();
    let line = "rotate s3://bench/p/ -e client --key a.key --journal j --yes";
    let struck = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(Gate::new())).only("p/1"));
    let running = bench.start(line);
    assert!(struck.wait(1, PATIENCE), "nothing was written");
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    let journal = fs::File::options().append(true).open(bench.path("j")).unwrap();
    journal.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
    let id = bench.sandbox.s3().begin_upload(BUCKET, "p/1");
    bench.run(line).ok().says(&["1 re-encrypted"]);
    let left: Vec<_> = bench.sandbox.s3().uploads().into_iter().map(|upload| upload.upload_id).collect();
    assert_eq!(left, [id]);
}

#[test]
fn an_object_that_was_rotated_back_is_rotated_again() {
    for flags in ["", "--instruction-file"] {
        let bench = bench();
        bench.write("source", &bytes(1000));
        bench.run(&format!("put source s3://bench/p/1 --key a.key {flags}")).ok();
        let forth = "rotate s3://bench/p/ --key b.key --from-key a.key --journal j --yes";
        bench.run(forth).ok().says(&["1 rewrapped"]);
        bench.run("rotate s3://bench/p/ --key a.key --from-key b.key --yes").ok().says(&["1 rewrapped"]);
        // Its ETag is the one that it had after the first run, too.
        bench.run(forth).ok().says(&["1 rewrapped"]);
        bench.run("get s3://bench/p/1 copy --key b.key").ok();
    }
}

#[test]
fn the_same_rotation_on_another_server_has_a_journal_of_its_own() {
    let (bench, other) = (bench(), bench());
    // An encryption context cannot be seen on an object: its journal stays.
    let rotate = "rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --context for=me --yes";
    for server in [&bench, &other, &bench] {
        server.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
        server.sandbox.clear_requests();
        let ended = server.s3seal(rotate.split(' ')).with("HOME", bench.home()).run().ok();
        ended.says(&["1 copied within S3"]);
        assert_eq!(server.requests("CopyObject").len(), 1);
    }
    let state = bench.home().join(".local/state/s3seal");
    assert_eq!(fs::read_dir(&state).unwrap().count(), 2);
    // One that the user names is not taken for the other server's.
    bench.run(LINE).ok();
    let line = LINE.replace("--journal j", &format!("--journal {}", bench.path("j").display()));
    other.run(&line).exits(2).says(&["it does not belong to this rotation"]);
}

#[test]
fn a_journal_is_its_owners_alone() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    bench.sandbox.s3().put_plain(BUCKET, "q/1", b"x");
    bench.run(LINE).ok();
    assert_eq!(mode(&bench.path("j")), 0o600);
    fs::set_permissions(bench.path("j"), fs::Permissions::from_mode(0o644)).unwrap();
    bench.run(LINE).ok();
    assert_eq!(mode(&bench.path("j")), 0o600, "one that others could read");
    // An encryption context cannot be seen on an object: its journal stays.
    let context = "-e sse-kms --kms-key alias/backup --context for=me --yes";
    bench.run(&format!("rotate s3://bench/q/ {context}")).ok();
    let state = bench.home().join(".local/state/s3seal");
    assert_eq!(mode(&state), 0o700);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).unwrap();
    bench.run(&format!("rotate s3://bench/q/ {context}")).ok();
    assert_eq!(mode(&state), 0o700, "one that others could read");
    let kept: Vec<_> = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(mode(&kept[0]), 0o600);
}

#[test]
fn a_journal_that_others_can_write_is_refused() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    bench.run(LINE).ok();
    for bits in [0o620, 0o602] {
        fs::set_permissions(bench.path("j"), fs::Permissions::from_mode(bits)).unwrap();
        bench
            .run(LINE)
            .exits(6)
            .says(&["the journal j cannot be trusted: other users can write to it", "--journal"]);
    }
}

#[test]
fn a_journal_that_is_a_link_or_no_file_is_refused() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    bench.write("precious", b"");
    symlink(bench.path("precious"), bench.path("j")).unwrap();
    bench.run(LINE).exits(6).says(&["the journal j cannot be trusted: it is a symbolic link"]);
    assert!(bench.read("precious").is_empty());
    fs::remove_file(bench.path("j")).unwrap();
    symlink("/dev/null", bench.path("j")).unwrap();
    bench.run(LINE).exits(6);
    bench
        .run(&LINE.replace("--journal j", "--journal /dev/null"))
        .exits(6)
        .says(&["it is not a regular file"]);
}

#[test]
fn a_second_run_of_the_same_rotation_is_told_that_the_first_is_at_work() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    let gate = Gate::new();
    let struck = bench.sandbox.fault(Fault::on("CopyObject", Kind::Pause(gate.clone())));
    let first = bench.start(LINE);
    assert!(struck.wait(1, PATIENCE), "there was no copy");
    bench.run(LINE).exits(8).says(&["is locked by another run", "run the same command again"]);
    gate.open();
    first.end().ok();
}

#[test]
fn a_line_that_does_not_fit_on_the_disk_spoils_no_other() {
    let bench = bench();
    for number in 1..=3 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number}"), b"x");
    }
    let pause = |key: &str| {
        let gate = Gate::new();
        let held = Fault::on("HeadObject", Kind::Pause(gate.clone())).only(key);
        (bench.sandbox.fault(held), gate)
    };
    let ((second, to_second), (third, to_third)) = (pause("p/2"), pause("p/3"));
    // A limit on a file's size fails as a full disk does, and needs no disk.
    let line = "rotate s3://bench/p/ -e client --key b.key --journal j --yes --jobs 1";
    let script = format!("trap '' XFSZ; exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
    let running = bench.program("bash", ["-c", &script]).start();
    let pid = Pid::from_raw(running.pid.cast_signed());
    let limit = |current| prlimit(pid, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    assert!(second.wait(1, PATIENCE));
    let begun = bench.read("j").len();
    limit(Some(begun as u64 + 20));
    to_second.open();
    assert!(third.wait(1, PATIENCE));
    limit(None);
    to_third.open();
    running.end().exits(9).says(&["cannot write the journal j", "1 of 3 objects"]);
    let text = String::from_utf8(bench.read("j")).unwrap();
    assert_eq!(text.as_bytes()[begun + 20], b'\n', "{text}");
    let lines: Vec<Option<serde_json::Value>> =
        text[begun + 21..].lines().map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines[0].as_ref().unwrap()["begin"]["object"], "s3://bench/p/3");
    assert!(lines.len() == 3 && lines.iter().all(Option::is_some), "{text}");
    bench.run(line).ok().says(&["1 re-encrypted"]);
}

#[test]
fn a_signal_while_a_long_journal_is_read_ends_the_run() {
    let bench = bench();
    bench.sandbox.s3().put_plain(BUCKET, "p/1", b"x");
    bench.run(LINE).ok();
    // Takes no room on the disk, and minutes to read.
    fs::File::options().append(true).open(bench.path("j")).unwrap().set_len(1 << 40).unwrap();
    let script = format!("ulimit -v 8000000; exec {} {LINE}", env!("CARGO_BIN_EXE_s3seal"));
    let running = bench.program("bash", ["-c", &script]).start();
    running.catches_signals();
    let opened = |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|path| path == bench.path("j"));
    let has_opened_it = || {
        let mut opens = fs::read_dir(format!("/proc/{}/fd", running.pid)).unwrap();
        opens.any(|entry| entry.is_ok_and(opened))
    };
    let began = Instant::now();
    while !has_opened_it() {
        assert!(began.elapsed() < PATIENCE, "it does not open the journal");
        thread::yield_now();
    }
    running.signal("INT");
    running.end().exits(130).says(&["interrupted by SIGINT"]);
}
