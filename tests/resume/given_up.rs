//! What an earlier run has begun and this one does not go on with: it is given up, and nothing of it stays unnamed.

use std::fs;

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{PATIENCE, assert_same, at_once, bytes};
use crate::{SIZE, bench, get, put, records};

#[test]
fn a_put_that_cannot_go_on_aborts_the_upload_of_one_that_could() {
    let cases = [
        ("-e client --key key --part-size 5MiB", "--key key"),
        ("-e client --key key --part-size 50MiB", "--key key"),
        ("--part-size 50MiB", ""),
    ];
    at_once(&cases, |&(again, get)| {
        let bench = bench();
        assert_eq!(put::cut_off(&bench, &put::line(""), 3, "KILL"), 3);
        bench.run(&format!("put source s3://bench/object {again}")).ok();
        assert_eq!(bench.requests("AbortMultipartUpload").len(), 1, "{again}");
        put::is_whole(&bench, get, &bytes(SIZE));
    });
}

#[test]
fn a_get_that_cannot_go_on_removes_the_file_of_one_that_could() {
    let cases = [("--part-size 50MiB", SIZE), ("--part-size 5MiB --range 0-20000000", 20_000_001)];
    at_once(&cases, |&(again, len)| {
        let bench = get::stored("");
        get::cut_off(&bench, &get::line(""), 3, "KILL");
        bench.run(&format!("get s3://bench/object copy {again}")).ok();
        assert_same(&bench.read("copy"), &bytes(SIZE)[..len], again);
        assert!(records(&bench).is_empty(), "{again}");
        bench.assert_tidy(&get::FILES);
    });
}

#[test]
fn a_source_that_shrinks_before_its_first_part_is_read_aborts_the_upload() {
    let bench = bench();
    assert_eq!(put::cut_off(&bench, &put::line(""), 3, "KILL"), 3);
    // The file is open when its upload is looked for, and nothing of it is read.
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("ListParts", Kind::Pause(gate.clone())));
    let running = bench.start(&put::line(""));
    assert!(held.wait(1, PATIENCE));
    fs::File::options().write(true).open(bench.path("source")).unwrap().set_len(100).unwrap();
    gate.open();
    running.end().exits(1).says(&["source changed while it was being read"]);
    assert_eq!(bench.requests("AbortMultipartUpload").len(), 1);
    assert!(records(&bench).is_empty());
    bench.assert_tidy(&put::FILES);
}

#[test]
fn an_earlier_upload_that_cannot_be_aborted_is_named() {
    let bench = bench();
    assert_eq!(put::cut_off(&bench, &put::line(""), 3, "KILL"), 3);
    let id = bench.sandbox.s3().uploads()[0].upload_id.clone();
    bench.sandbox.fault(
        Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "Access Denied")).always(),
    );
    let ended = bench.run("put source s3://bench/object --part-size 5MiB --metadata a=b").ok();
    ended.says(&[&format!("an upload of s3://bench/object (id {id}) was not aborted"), "cleanup"]);
}

#[test]
fn a_get_whose_file_cannot_be_made_leaves_no_record() {
    let bench = get::stored("");
    fs::create_dir(bench.path("d")).unwrap();
    let folder = bench.path("d");
    bench.sandbox.fault(Fault::on("HeadObject", Kind::then(move || fs::remove_dir(&folder).unwrap())));
    let line = get::line("").replace(" copy ", " d/copy ");
    bench.run(&line).exits(3).says(&["error: cannot write next to d/copy"]);
    assert!(records(&bench).is_empty(), "{:?}", records(&bench));
    bench.assert_tidy(&get::FILES);
}
