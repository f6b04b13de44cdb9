//! What this machine knows of puts and gets that did not end: their records, and the temporary files of gets.

use std::fs;
use std::path::PathBuf;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, bytes};
use crate::{ALL, bench};

const JOURNAL: &str = "{\"journal\":{\"version\":2,\"rotation\":\"r\",\"at\":1}}\n";
const GET: &str = "get s3://bench/p/large copy --part-size 5MiB --jobs 1";

fn records(bench: &Bench) -> Vec<PathBuf> {
    let folder = fs::read_dir(bench.home().join(".local/state/s3seal"));
    let mut records: Vec<_> =
        folder.map_or_else(|_| Vec::new(), |entries| entries.map(|entry| entry.unwrap().path()).collect());
    records.sort();
    records
}

fn temporary(bench: &Bench) -> Vec<PathBuf> {
    bench.names().iter().filter(|name| name.starts_with(".copy")).map(|name| bench.path(name)).collect()
}

/// Kills a get while its second range comes, and looks in between.
fn killed_get(bench: &Bench, look: impl FnOnce()) {
    bench.sandbox.s3().put_plain(crate::BUCKET, "p/large", &bytes(3 * PART));
    let stalled = Fault::on("GetObject", Kind::Pause(Gate::new())).skip(1).always();
    let held = bench.sandbox.fault(stalled);
    let running = bench.start(GET);
    assert!(held.wait(1, PATIENCE));
    look();
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
}

/// The record of a get that was killed, as text, and its temporary file.
fn left(bench: &Bench) -> (PathBuf, String, PathBuf) {
    killed_get(bench, || {});
    let (record, file) = (records(bench).remove(0), temporary(bench).remove(0));
    let text = fs::read_to_string(&record).unwrap();
    (record, text, file)
}

#[test]
fn of_a_get_that_was_killed_the_record_and_the_temporary_file_go_and_the_get_starts_anew() {
    let bench = bench();
    let (record, _, file) = left(&bench);
    bench.run("cleanup s3://bench/p/ --yes -v").ok().says(&["kept: record ", "younger than the limit"]);
    bench.run("cleanup s3://bench/q/ --older-than 0s --yes").ok().says(&["nothing to remove"]);
    bench.run("cleanup s3://bench/p/other --older-than 0s --yes").ok().says(&["nothing to remove"]);
    let dry = bench.run("cleanup s3://bench/p/ --older-than 0s --dry-run --json").ok().documents().remove(0);
    assert_eq!((&dry["kind"], &dry["state"]), (&"record".into(), &"found".into()));
    assert_eq!(dry["uri"], "s3://bench/p/large");
    assert_eq!(dry["file"], *record.to_string_lossy());
    assert_eq!(dry["temporary_file"], *fs::canonicalize(&file).unwrap().to_string_lossy());
    assert!(dry["bytes"].as_u64().unwrap() >= PART as u64);
    assert!(record.exists() && file.exists());
    let ended = bench.run(ALL).ok();
    ended.says(&[
        "of a get of s3://bench/p/large that did not end",
        "with the temporary file",
        "removed: 1 leftover",
    ]);
    bench.assert_tidy(&["key"]);
    bench.run(GET).ok();
    assert_eq!(bench.read("copy"), bytes(3 * PART));
    bench.assert_tidy(&["copy", "key"]);
}

#[test]
fn what_a_get_at_work_has_stays_however_old() {
    let bench = bench();
    killed_get(&bench, || {
        let ended = bench.run(&format!("{ALL} -v")).ok();
        ended.says(&["kept: record ", "another run is at work with it"]);
        assert_eq!((records(&bench).len(), temporary(&bench).len()), (1, 1));
    });
    bench.run(GET).ok();
    bench.assert_tidy(&["copy", "key"]);
}

#[test]
fn of_a_put_that_was_killed_the_record_goes_with_its_upload() {
    let bench = bench();
    bench.write("source", &bytes(3 * PART));
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(1).always());
    let running = bench.start("put source s3://bench/p/large --part-size 5MiB --jobs 1");
    assert!(held.wait(1, PATIENCE));
    let at_work = bench.run(&format!("{ALL} -v")).ok();
    at_work.says(&["kept: upload of s3://bench/p/large", "kept: record ", "2 kept"]);
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    let ended = bench.run(ALL).ok();
    ended.says(&["of a put to s3://bench/p/large that did not end", "removed: 2 leftovers"]);
    bench.assert_tidy(&["key", "source"]);
}

#[test]
fn a_forged_record_removes_no_file_that_a_get_would_not_have_left() {
    let bench = bench();
    let (record, text, file) = left(&bench);
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let inode = |path: &PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    // A file of the user's own, one that has taken the place of the temporary one, one with two names, one for others.
    let precious = bench.write("precious", b"precious");
    let named =
        text.replace(&name, "precious").replace(&inode(&file).to_string(), &inode(&precious).to_string());
    assert_ne!(named, text);
    fs::write(&record, named).unwrap();
    bench.run(ALL).ok();
    assert!(precious.exists() && file.exists() && !record.exists());

    fs::write(&record, &text).unwrap();
    fs::set_permissions(&record, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::hard_link(&file, bench.path("second")).unwrap();
    bench.run(ALL).ok();
    assert!(file.exists() && !record.exists(), "a file with two names");

    fs::remove_file(bench.path("second")).unwrap();
    fs::write(&record, &text).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    bench.run(ALL).ok();
    assert!(file.exists() && !record.exists(), "a file that others can read");

    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(&record, &text).unwrap();
    bench.run(ALL).ok();
    assert!(!file.exists() && !record.exists(), "the file that it was");
}

#[test]
fn a_record_that_is_cut_off_goes_and_one_of_another_version_or_behind_a_link_stays() {
    let bench = bench();
    let (record, text, file) = left(&bench);
    fs::write(&record, text.replace("\"version\":1", "\"version\":2")).unwrap();
    bench.run(ALL).ok().says(&["nothing to remove"]);
    assert!(record.exists() && file.exists());
    let elsewhere = bench.write("elsewhere", text.as_bytes());
    fs::remove_file(&record).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &record).unwrap();
    bench.run(ALL).ok().says(&["nothing to remove"]);
    assert!(record.is_symlink() && elsewhere.exists() && file.exists());
    fs::remove_file(&record).unwrap();
    fs::write(&record, &text[..20]).unwrap();
    bench.run(ALL).ok().says(&["cut off, and of no use", "removed: 1 leftover"]);
    assert!(!record.exists() && file.exists());
}

#[test]
fn a_record_that_is_not_this_user_s_own_stays_and_the_others_go() {
    let bench = bench();
    let (record, ..) = left(&bench);
    for name in ["put-1.json", "get-1.json", "rotate-1.ndjson"] {
        let path = record.with_file_name(name);
        fs::write(&path, if name == "rotate-1.ndjson" { JOURNAL } else { "{" }).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        // Only root may, for whom no file is closed.
        let _ = std::os::unix::fs::chown(&path, Some(60_000), None);
    }
    bench.run(ALL).ok().says(&["removed: 1 leftover"]);
    assert!(!record.exists());
    assert_eq!(records(&bench).len(), 3);
}

#[test]
fn a_record_of_another_server_with_a_bucket_of_the_same_name_stays() {
    let (bench, other) = (bench(), Bench::new());
    let (record, _, file) = left(&bench);
    other.sandbox.s3().put_plain(crate::BUCKET, "p/large", b"the other");
    let there = |line: &str| {
        let mut program = bench.s3seal(line.split_whitespace());
        program.envs(other.sandbox.env());
        program.run().ok()
    };
    there(ALL).says(&["nothing to remove"]);
    there(GET);
    assert_eq!(bench.read("copy"), b"the other");
    assert!(record.exists() && file.exists());
    bench.run(ALL).ok().says(&["with the temporary file", "removed: 1 leftover"]);
    assert!(!record.exists() && !file.exists());

    bench.write("source", &bytes(2 * PART));
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).always());
    let running = bench.start("put source s3://bench/p/large --part-size 5MiB");
    assert!(held.wait(1, PATIENCE));
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    there(ALL).says(&["nothing to remove"]);
    there("put source s3://bench/p/large --part-size 5MiB");
    bench.run(ALL).ok().says(&["removed: 2 leftovers"]);
}
