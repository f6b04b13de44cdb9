//! Trouble in the middle: what fails is named, the rest is done, and nothing half stays.

use std::fs;
use std::path::Path;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, Program, assert_same, bytes, key};
use crate::{assert_same_tree, tree, write};

fn denied() -> Kind {
    Kind::status(403, "AccessDenied", "Access Denied")
}

/// Names of temporary files anywhere below.
fn temporary(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut found = temporary(&entry.path());
            found.extend(name.contains(".s3seal-").then_some(name));
            found
        })
        .collect()
}

#[test]
fn one_refused_write_is_named_and_the_others_are_done() {
    let bench = Bench::new();
    tree(&bench);
    bench.sandbox.fault(Fault::on("PutObject", denied()).only("plain.txt").times(9));
    let ended = bench.run("put -r tree s3://bench/p/").exits(9);
    ended.says(&["failed: tree/plain.txt: access to s3://bench/p/plain.txt is denied", "1 of 11 objects"]);
    assert_eq!(bench.sandbox.s3().keys(BUCKET).len(), 10);
    bench.sandbox.clear_faults();
    bench.run("put -r tree s3://bench/p/ --no-clobber").ok().says(&["stored: 1 file", "10 skipped"]);
}

#[test]
fn one_refused_read_is_named_and_the_others_are_done() {
    let bench = Bench::new();
    tree(&bench);
    bench.run("put -r tree s3://bench/p/").ok();
    bench.sandbox.fault(Fault::on("GetObject", denied()).only("plain.txt").times(9));
    let ended = bench.run("get -r s3://bench/p/ copy").exits(9);
    ended.says(&["access to s3://bench/p/plain.txt is denied", "1 of 11 objects were not fetched"]);
    bench.sandbox.clear_faults();
    bench.run("get -r s3://bench/p/ copy --no-clobber").ok().says(&["fetched: 1 object", "10 skipped"]);
    assert_same_tree(&bench, "copy");
}

#[test]
fn a_changed_byte_fails_its_object_alone() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    tree(&bench);
    for (up, down) in [("", ""), ("-e client --key key", "--key key")] {
        bench.run(&format!("put -r tree s3://bench/p/ {up}")).ok();
        bench.sandbox.s3().tamper_body(BUCKET, "p/plain.txt", |body| body[3] ^= 1);
        let ended = bench.run(&format!("get -r s3://bench/p/ copy {down}")).exits(9);
        ended.says(&["s3://bench/p/plain.txt cannot be trusted", "1 of 11 objects were not fetched"]);
        assert!(!bench.path("copy/plain.txt").exists());
        assert_eq!(temporary(&bench.files()), [""; 0]);
        fs::remove_dir_all(bench.path("copy")).unwrap();
    }
}

#[test]
fn an_answer_that_breaks_off_is_fetched_on() {
    let bench = Bench::new();
    write(&bench.path("tree/a"), &bytes(PART));
    bench.run("put -r tree s3://bench/p/").ok();
    for kind in
        [Kind::CutResponse(1_000_000), Kind::ResetAfter(1_000_000), Kind::slow_down(), Kind::ResetBefore]
    {
        bench.sandbox.fault(Fault::on("GetObject", kind));
        bench.run("get -r s3://bench/p/ copy").ok();
        assert_same_tree(&bench, "copy");
    }
}

#[test]
fn a_flipped_byte_on_the_way_is_not_let_through() {
    let bench = Bench::new();
    write(&bench.path("tree/a"), &bytes(100_000));
    bench.run("put -r tree s3://bench/p/").ok();
    bench.sandbox.fault(Fault::on("GetObject", Kind::FlipResponseByte(70_000)).times(99));
    bench.run("get -r s3://bench/p/ copy").exits(9).says(&["cannot be trusted"]);
    assert!(!bench.path("copy/a").exists());
}

#[test]
fn what_would_meet_all_ends_it_at_once() {
    let bench = Bench::new();
    for number in 0..100 {
        write(&bench.path(&format!("tree/{number}")), b"x");
    }
    bench
        .run("put -r tree s3://no-such-bucket/p/ -j 4")
        .exits(3)
        .says(&["the bucket no-such-bucket does not exist"]);
    assert!(bench.requests("PutObject").len() <= 4, "{}", bench.requests("PutObject").len());
    let kind = Kind::status(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist.");
    bench.sandbox.fault(Fault::on("PutObject", kind).times(999));
    bench.sandbox.clear_requests();
    bench.run("put -r tree s3://bench/p/ -j 4").exits(4);
    assert!(bench.requests("PutObject").len() <= 4, "{}", bench.requests("PutObject").len());
}

#[test]
fn a_listing_that_breaks_off_ends_it_and_what_came_is_told() {
    let bench = Bench::new();
    for number in 0..1001 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:04}"), b"x");
    }
    bench.sandbox.fault(Fault::on("ListObjectsV2", denied()).skip(1).times(9));
    let ended = bench.run("get -r s3://bench/p/ copy").exits(4);
    ended.says(&["fetched: 1,000 objects", "s3:ListBucket", "the same command with --update"]);
}

#[test]
fn a_signal_leaves_no_upload_and_no_half_object() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::new();
        for name in ["a", "b", "c"] {
            write(&bench.path(&format!("tree/{name}")), &bytes(3 * PART));
        }
        write(&bench.path("tree/small"), b"x");
        // The last part of each, so that none of them is complete.
        let last = Fault::on("UploadPart", Kind::Pause(Gate::new())).only("partNumber=3").times(99);
        let held = bench.sandbox.fault(last);
        let running = bench.start("put -r tree s3://bench/p/ --part-size 5MiB --no-resume");
        assert!(held.wait(3, PATIENCE));
        running.signal(signal);
        running.end().exits(code).says(&["interrupted by SIG", "--update continues with the rest"]);
        bench.sandbox.clear_faults();
        assert_eq!(bench.sandbox.s3().uploads(), []);
        let keys = bench.sandbox.s3().keys(BUCKET);
        assert!(keys.is_empty() || keys == ["p/small"], "{keys:?}");
        bench.run("put -r tree s3://bench/p/ --part-size 5MiB --no-clobber").ok();
        assert_same(&bench.object("p/c").plaintext.unwrap(), &bytes(3 * PART), "c");
    }
}

#[test]
fn a_signal_while_objects_come_down_leaves_no_temporary_file() {
    let bench = Bench::new();
    write(&bench.path("tree/in/large"), &bytes(3 * PART));
    write(&bench.path("tree/small"), b"x");
    bench.run("put -r tree s3://bench/p/ --part-size 5MiB").ok();
    write(&bench.path("copy/small"), b"old");
    for (signal, code) in [("INT", 130), ("HUP", 129)] {
        let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(Gate::new())).skip(1).times(99));
        let running = bench.start("get -r s3://bench/p/ copy --part-size 5MiB --no-resume");
        assert!(held.wait(1, PATIENCE));
        running.signal(signal);
        running.end().exits(code);
        bench.sandbox.clear_faults();
        assert_eq!(temporary(&bench.files()), [""; 0]);
        assert!(!bench.path("copy/in/large").exists());
        let small = bench.read("copy/small");
        assert!(small == b"old" || small == b"x");
    }
    bench.run("get -r s3://bench/p/ copy").ok();
    assert_same_tree(&bench, "copy");
}

#[test]
fn killed_and_run_again_it_is_whole() {
    let bench = Bench::new();
    for number in 0..40 {
        write(&bench.path(&format!("tree/{number:02}")), format!("{number}").as_bytes());
    }
    let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(Gate::new())).skip(20).times(99));
    let running = bench.start("put -r tree s3://bench/p/");
    assert!(held.wait(1, PATIENCE));
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    bench.run("put -r tree s3://bench/p/ --no-clobber").ok();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(Gate::new())).skip(20).times(99));
    let running = bench.start("get -r s3://bench/p/ copy");
    assert!(held.wait(1, PATIENCE));
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    bench.run("get -r s3://bench/p/ copy --no-clobber").ok();
    // Whoever is killed cannot clear up.
    bench.program("diff", ["-r", "-x", ".*.s3seal-*", "tree", "copy"]).run().ok();
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_done() {
    let bench = Bench::new();
    for name in ["tree/a", "tree/b"] {
        write(&bench.path(name), b"x");
    }
    let gone = bench.path("tree/b");
    // Whoever runs the tests may read everything, so it goes away instead.
    bench.sandbox.fault(Fault::on("PutObject", Kind::then(move || drop(fs::remove_file(&gone)))).only("p/a"));
    let ended = bench.run("put -r tree s3://bench/p/ -j 1");
    assert!(bench.sandbox.s3().keys(BUCKET).contains(&"p/a".to_owned()));
    if bench.sandbox.s3().keys(BUCKET).len() == 1 {
        ended.exits(9).says(&["failed: tree/b does not exist"]);
    }
}

#[test]
fn no_more_objects_go_at_once_than_files_may_be_open() {
    let bench = Bench::new();
    for number in 0..200 {
        write(&bench.path(&format!("tree/{number}")), b"x");
    }
    for (operation, line) in
        [("PutObject", "put -r tree s3://bench/p/"), ("GetObject", "get -r s3://bench/p/ copy")]
    {
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(gate.clone())).always());
        let script = format!("ulimit -n 100; exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
        let running = bench.program("bash", ["-c", &script]).start();
        assert!(held.wait(16, PATIENCE), "{operation}");
        gate.open();
        running.end().ok();
    }
    assert_same_tree(&bench, "copy");
    // Where more are allowed than the limit says, it is raised.
    let held = bench.sandbox.fault(Fault::on("PutObject", Kind::Pause(Gate::new())).always());
    let script = format!("ulimit -S -n 100; exec {} put -r tree s3://bench/p/", env!("CARGO_BIN_EXE_s3seal"));
    let running = bench.program("bash", ["-c", &script]).start();
    assert!(held.wait(64, PATIENCE));
    running.signal("KILL");
    running.end();
}

#[test]
fn where_few_files_may_be_open_no_request_fails_for_want_of_a_connection() {
    let bench = Bench::new();
    for number in 0..80 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number}"), b"x");
    }
    for line in [
        "inspect s3://bench/p/ -vv",
        "inspect s3://bench/p/ -vv --read-data",
        "rotate s3://bench/p/ -vv -e sse-kms --kms-key alias/backup --yes",
    ] {
        let script = format!("ulimit -n 33; exec {} {line}", env!("CARGO_BIN_EXE_s3seal"));
        let ended = bench.program("bash", ["-c", &script]).run().ok();
        assert!(!ended.stderr.contains("no answer"), "{line}: {}", ended.stderr);
    }
}

#[test]
fn a_file_that_has_become_a_pipe_is_named_and_not_waited_for() {
    let bench = Bench::new();
    for name in ["tree/a", "tree/b", "tree/c"] {
        write(&bench.path(name), b"x");
    }
    let (files, pipe) = (bench.files(), bench.path("tree/b"));
    // Until the first object is stored in the mode that was asked for, the others wait.
    let replace = Kind::then(move || {
        fs::remove_file(&pipe).unwrap();
        Program::new("mkfifo", &files).arguments(["tree/b"]).run().ok();
    });
    bench.sandbox.fault(Fault::on("PutObject", replace).only("p/a"));
    let ended = bench.run("put -r tree s3://bench/p/ -e sse-s3").exits(9);
    ended.says(&["failed: tree/b: is no longer a regular file", "1 of 3 objects were not stored"]);
    bench.assert_keys(&["p/a", "p/c"]);
}
