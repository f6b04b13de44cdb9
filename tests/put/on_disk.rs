//! Large files: the parts that do not fit into memory stay on disk until they are sent.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::thread;
use std::time::{Duration, SystemTime};

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{Bench, PART, PATIENCE, assert_same, bytes, key};

/// Parts under way from the start where the service is far; half of them fit into memory.
const UNDER_WAY: usize = 16;

/// A service that is far: its first answer takes long.
fn far_away() -> Bench {
    let bench = Bench::new();
    let late = Kind::then(|| thread::sleep(Duration::from_millis(50)));
    bench.sandbox.fault(Fault::on("CreateMultipartUpload", late).always());
    bench
}

#[test]
fn more_parts_are_under_way_than_fit_into_memory() {
    let bench = far_away();
    let content = bytes(20 * 8 * 1024 * 1024);
    bench.write("source", &content);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).always());
    let running = bench.start_measured("put source s3://bench/object");
    assert!(held.wait(UNDER_WAY, PATIENCE), "{} of {UNDER_WAY}", held.count());
    let taken = running.peak_memory();
    assert!(taken < 104 * 1024, "{taken} KiB");
    gate.open();
    running.end().ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
}

#[test]
fn a_part_on_disk_is_read_again_for_each_attempt() {
    let bench = far_away();
    let content = bytes(UNDER_WAY * PART + 7);
    bench.write("source", &content);
    let parts = [
        (10, Kind::internal_error()),
        (12, Kind::slow_down()),
        (14, Kind::ResetBefore),
        (16, Kind::DropAnswer),
        (17, Kind::internal_error()),
    ];
    let again = parts.len();
    for (number, kind) in parts {
        bench.sandbox.fault(Fault::on("UploadPart", kind).only(&format!("partNumber={number}&")));
    }
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
    let sent = bench.requests("UploadPart").len();
    assert_eq!(sent, UNDER_WAY + 1 + again);
    bench.assert_tidy(&["source"]);
}

#[test]
fn a_file_that_is_renamed_linked_or_protected_while_it_is_sent_is_stored() {
    let bench = far_away();
    let content = bytes(UNDER_WAY * PART);
    let path = bench.write("source", &content);
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).always());
    let running = bench.start("put source s3://bench/object --part-size 5MiB");
    assert!(held.wait(UNDER_WAY, PATIENCE), "{} of {UNDER_WAY}", held.count());
    fs::rename(&path, bench.path("source.1")).unwrap();
    fs::hard_link(bench.path("source.1"), bench.path("source.2")).unwrap();
    fs::set_permissions(bench.path("source.1"), fs::Permissions::from_mode(0o400)).unwrap();
    gate.open();
    running.end().ok();
    assert_same(&bench.object("object").plaintext.unwrap(), &content, "stored");
    bench.assert_tidy(&["source.1", "source.2"]);
}

#[test]
fn a_file_that_is_written_or_cut_while_it_is_sent_is_not_stored() {
    for (is_cut, is_compared) in [(false, true), (true, true), (false, false)] {
        let bench = far_away();
        if !is_compared {
            bench.sandbox.s3().lie(Lie::IgnoreChecksums);
        }
        let path = bench.write("source", &bytes(UNDER_WAY * PART));
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).always());
        let running = bench.start("put source s3://bench/object --part-size 5MiB");
        assert!(held.wait(UNDER_WAY, PATIENCE), "{} of {UNDER_WAY}", held.count());
        let file = fs::File::options().write(true).open(&path).unwrap();
        if is_cut {
            file.set_len(10 * PART as u64).unwrap();
        } else {
            file.write_all_at(b"other", (15 * PART) as u64 - 5).unwrap();
        }
        gate.open();
        running.end().exits(1).says(&["source changed while it was being read: something else wrote to it"]);
        bench.assert_keys(&[]);
        bench.assert_tidy(&["source"]);
    }
}

#[test]
fn a_file_that_is_written_while_it_is_read_is_not_stored_as_a_mixture() {
    for flags in ["", "--key key"] {
        let bench = Bench::new();
        bench.write("key", &key(7));
        bench.write("source", &bytes(2 * PART + 7));
        let file = File::options().write(true).open(bench.path("source")).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
        let writes = Kind::then(move || file.write_all_at(b"new", PART as u64 + 1).unwrap());
        bench.sandbox.fault(Fault::on("CreateMultipartUpload", writes));
        let ended = bench.run(&format!("put source s3://bench/object --part-size 5MiB {flags}"));
        ended.exits(1).writes_nothing().says(&["something else wrote to it"]);
        bench.assert_keys(&[]);
        bench.assert_tidy(&["key", "source"]);
    }
}
