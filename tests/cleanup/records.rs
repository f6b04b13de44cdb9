//! What this machine knows of runs: journals, and the uploads that they name.

use std::fs;
use std::path::PathBuf;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, Running, assert_same, bytes};
use crate::{ALL, bench, uploads};

const ROTATE: &str = "rotate s3://bench/p/ -e client --key key --part-size 5MiB --jobs 1 --yes";

fn journals(bench: &Bench) -> Vec<PathBuf> {
    let folder = fs::read_dir(bench.home().join(".local/state/s3seal"));
    folder.map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect())
}

/// Kills a rotation while it uploads a part, and looks in between.
fn killed_rotation(bench: &Bench, look: impl FnOnce()) {
    bench.sandbox.s3().put_plain(BUCKET, "p/a", b"small");
    bench.sandbox.s3().put_plain(BUCKET, "p/large", &bytes(2 * PART));
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(1).always());
    let running = bench.start(ROTATE);
    assert!(held.wait(1, PATIENCE));
    look();
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
}

#[test]
fn what_a_rotation_at_work_has_stays_however_old() {
    let bench = bench();
    killed_rotation(&bench, || {
        let ended = bench.run(&format!("{ALL} -v")).ok();
        ended.says(&[
            "kept: upload of s3://bench/p/large",
            "kept: journal ",
            "another run is at work with it",
        ]);
        assert_eq!(uploads(&bench), ["p/large"]);
        assert_eq!(journals(&bench).len(), 1);
    });
}

#[test]
fn of_a_rotation_that_was_killed_the_upload_goes_and_the_journal_that_goes_on_stays() {
    let bench = bench();
    killed_rotation(&bench, || {});
    let journal = journals(&bench).remove(0);
    let kept = format!("kept: journal {}", journal.display());
    let ended = bench.run(ALL).ok();
    let of = format!("of the rotation with journal {}", journal.display());
    ended.says(&[&of, "5 MiB in 1 part", "removed: 1 leftover", &kept, "run the same rotate command again"]);
    assert_eq!(uploads(&bench), [""; 0]);
    assert_eq!(journals(&bench), [journal]);
    bench.run(ROTATE).ok();
    assert!(journals(&bench).is_empty());
    bench.run("get s3://bench/p/large got --key key").ok();
}

/// Puts that hold their upload while the sandbox pauses the first part: also those with which no run can go on.
const PUTS: [&str; 4] = ["source", "source --no-resume", "source --key key", "-"];

/// Starts one of them, and waits until its first part is on its way.
fn put_at_work(bench: &Bench, words: &str, gate: &Gate) -> Running {
    if !bench.path("source").exists() {
        bench.write("source", &bytes(2 * PART));
    }
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).always());
    let line = format!("put {words} s3://bench/p/large --part-size 5MiB");
    let running = bench.s3seal(line.split_whitespace()).input(&bytes(2 * PART)).start();
    assert!(held.wait(1, PATIENCE));
    running
}

/// A put whose upload is left behind, and can be gone on with.
fn killed_put(bench: &Bench, words: &str) {
    let running = put_at_work(bench, words, &Gate::new());
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
}

#[test]
fn what_a_put_at_work_has_stays_however_old() {
    for words in PUTS {
        let bench = bench();
        let gate = Gate::new();
        let running = put_at_work(&bench, words, &gate);
        let ended = bench.run(&format!("{ALL} -v")).ok();
        ended.says(&[
            "kept: upload of s3://bench/p/large",
            "kept: record ",
            "another run is at work with it",
            "2 kept",
        ]);
        assert_eq!(uploads(&bench), ["p/large"], "{words}");
        gate.open();
        running.end().ok();
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn of_any_put_that_was_killed_the_record_goes_with_its_upload() {
    for words in PUTS {
        let bench = bench();
        killed_put(&bench, words);
        assert_eq!(journals(&bench).len(), 1, "{words}");
        let ended = bench.run(ALL).ok();
        ended.says(&["of a put to s3://bench/p/large that did not end", "removed: 2 leftovers"]);
        bench.assert_tidy(&["key", "source"]);
    }
}

#[test]
fn with_an_upload_that_is_sealed_here_no_run_goes_on() {
    let bench = bench();
    killed_put(&bench, "source --key key");
    let before = bench.sandbox.s3().uploads().remove(0);
    bench.sandbox.clear_requests();
    bench.run("put source s3://bench/p/large --key key --part-size 5MiB").ok();
    assert_eq!(bench.requests("CreateMultipartUpload").len(), 1);
    let aborts = bench.requests("AbortMultipartUpload");
    assert!(aborts.len() == 1 && aborts[0].query.contains(&before.upload_id), "the one of the run before");
    assert!(bench.sandbox.s3().uploads().is_empty());
    bench.run("get s3://bench/p/large got --key key").ok();
    assert_same(&bench.read("got"), &bytes(2 * PART), "object");
}

#[test]
fn an_upload_with_which_a_put_goes_on_after_it_was_found_stays() {
    let bench = bench();
    killed_put(&bench, "source");
    // The uploads and records are looked at before the objects are listed.
    let listing = Gate::new();
    let looking = bench.sandbox.fault(Fault::on("ListObjectsV2", Kind::Pause(listing.clone())));
    let cleanup = bench.start(ALL);
    assert!(looking.wait(1, PATIENCE));
    let gate = Gate::new();
    let running = put_at_work(&bench, "source", &gate);
    listing.open();
    cleanup.end().ok().says(&[
        "kept: upload of s3://bench/p/large",
        "kept: record ",
        "it has changed since it was found",
    ]);
    assert_eq!(bench.requests("CreateMultipartUpload").len(), 1);
    gate.open();
    running.end().ok();
    bench.assert_tidy(&["key", "source"]);
    bench.run("get s3://bench/p/large got").ok();
}

/// Holds the removal of as many other uploads as are removed at once, so that the one of the killed put has its turn later.
fn removing_others(bench: &Bench, gate: &Gate) -> Running {
    for number in 0..AT_ONCE {
        bench.sandbox.s3().begin_upload(BUCKET, &format!("p/a{number}"));
    }
    let held = bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::Pause(gate.clone())).always());
    let cleanup = bench.start(ALL);
    assert!(held.wait(AT_ONCE, PATIENCE));
    cleanup
}

const AT_ONCE: usize = 32;

#[test]
fn an_upload_with_which_a_put_goes_on_while_others_are_removed_stays() {
    let bench = bench();
    killed_put(&bench, "source");
    let removal = Gate::new();
    let cleanup = removing_others(&bench, &removal);
    let gate = Gate::new();
    let running = put_at_work(&bench, "source", &gate);
    removal.open();
    let ended = cleanup.end().ok();
    ended.says(&["kept: upload of s3://bench/p/large", "kept: record ", "removed: 32 leftovers"]);
    assert_eq!(uploads(&bench), ["p/large"]);
    gate.open();
    running.end().ok();
    bench.run("get s3://bench/p/large got").ok();
}

#[test]
fn with_an_upload_that_is_being_removed_no_put_goes_on() {
    let bench = bench();
    killed_put(&bench, "source");
    let removal = Gate::new();
    let held = bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::Pause(removal.clone())));
    let cleanup = bench.start(ALL);
    assert!(held.wait(1, PATIENCE));
    bench.run("put source s3://bench/p/large --part-size 5MiB").exits(8);
    removal.open();
    cleanup.end().ok().says(&["removed: 2 leftovers"]);
    assert_eq!(uploads(&bench), [""; 0]);
    bench.run("put source s3://bench/p/large --part-size 5MiB").ok();
}

#[test]
fn the_upload_that_a_killed_put_could_go_on_with_goes_and_the_put_starts_anew() {
    let bench = bench();
    killed_put(&bench, "source");
    bench.run(ALL).ok().says(&["removed: 2 leftovers"]);
    assert_eq!(uploads(&bench), [""; 0]);
    bench.run("put source s3://bench/p/large --part-size 5MiB").ok();
    bench.run("get s3://bench/p/large got").ok();
    assert!(journals(&bench).is_empty());
}

/// A journal as a killed rotation leaves it, with these lines after the first.
fn journal(bench: &Bench, name: &str, lines: &[&str]) -> PathBuf {
    let folder = bench.home().join(".local/state/s3seal");
    fs::create_dir_all(&folder).unwrap();
    let endpoint = bench.sandbox.endpoint();
    let first = format!(r#"{{"journal":{{"version":2,"rotation":"r","endpoint":"{endpoint}","at":1}}}}"#);
    let path = folder.join(format!("rotate-{name}.ndjson"));
    fs::write(&path, [&[first.as_str()], lines].concat().join("\n") + "\n").unwrap();
    path
}

const DONE: &str = r#"{"done":{"object":"s3://bench/p/o","version_id":null,"etag":"\"1\""}}"#;

#[test]
fn a_journal_of_the_place_goes_and_others_stay() {
    let bench = bench();
    let done = journal(&bench, "done", &[DONE]);
    let empty = journal(&bench, "empty", &[]);
    let elsewhere = r#"{"done":{"object":"s3://bench/q/o","version_id":null,"etag":"\"1\""}}"#;
    let mixed = journal(&bench, "mixed", &[DONE, elsewhere]);
    let folder = done.parent().unwrap();
    let other = folder.join("rotate-other.ndjson");
    fs::write(&other, "not one of ours\n").unwrap();
    fs::write(folder.join("notes"), "text\n").unwrap();
    bench.run("cleanup s3://bench/p/ --yes -v").ok().says(&["kept: journal", "younger than the limit"]);
    let ended = bench.run(ALL).ok();
    let named = format!("journal {}: last written 20", done.display());
    ended.says(&[&named, "knows of 1 object done", "removed: 2 leftovers"]);
    assert!(!done.exists() && !empty.exists());
    assert!(mixed.exists() && other.exists() && folder.join("notes").exists());
    bench.run("cleanup s3://bench --older-than 0s --yes").ok();
    assert!(!mixed.exists());
}

#[test]
fn a_journal_of_another_server_stays_and_so_does_one_that_names_none() {
    let (bench, other) = (bench(), bench());
    let path = journal(&bench, "1", &[DONE]);
    let text = fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let of_aws = path.with_file_name("rotate-2.ndjson");
    let first = first.replace(&format!(r#""endpoint":"{}","#, bench.sandbox.endpoint()), "");
    fs::write(&of_aws, format!("{first}\n{rest}")).unwrap();
    let at = |bench: &Bench, home: &Bench| bench.s3seal(ALL.split(' ')).with("HOME", home.home()).run().ok();
    at(&other, &bench);
    assert!(path.exists() && of_aws.exists());
    at(&bench, &bench).says(&["removed: 1 leftover"]);
    assert!(!path.exists() && of_aws.exists());
}

#[test]
fn a_journal_that_is_needed_stays() {
    let bench = bench();
    let envelope = r#"{"envelope":{"object":"s3://bench/p/o","old":null,"new":null}}"#;
    let file = r#"{"beside":{"object":"s3://bench/p/o","etag":"\"1\"","file_etag":"\"2\""}}"#;
    let refused = r#"{"refused":{"object":"s3://bench/p/o"}}"#;
    let (envelope_open, file_open) = (journal(&bench, "1", &[envelope]), journal(&bench, "2", &[file]));
    let ended = [journal(&bench, "3", &[envelope, refused]), journal(&bench, "4", &[envelope, file, DONE])];
    bench.run(ALL).ok().says(&["its rotation must go on", "removed: 2 leftovers"]);
    assert!(envelope_open.exists() && file_open.exists());
    assert!(ended.iter().all(|path| !path.exists()));
}

#[test]
fn a_journal_that_is_a_link_is_not_followed() {
    let bench = bench();
    let path = journal(&bench, "1", &[DONE]);
    let elsewhere = bench.write("precious", &fs::read(&path).unwrap());
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    bench.run(ALL).ok();
    assert!(elsewhere.exists() && path.is_symlink());
}
