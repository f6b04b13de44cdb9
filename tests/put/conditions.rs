//! What is there stays if that was asked for: --no-clobber and --if-match, in one request and in parts.

use s3seal_sandbox::s3::Lie;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, Ended, PART, PATIENCE, Running, bytes, key};

const SIZES: [usize; 2] = [10, PART + 1];

fn old(bench: &Bench) -> String {
    bench.write("old", b"old");
    bench.run("put old s3://bench/object").ok();
    bench.object("object").etag
}

#[test]
fn no_clobber_keeps_what_is_there() {
    let bench = Bench::new();
    old(&bench);
    for size in SIZES {
        bench.write("new", &bytes(size));
        let ended = bench.run("put new s3://bench/object --no-clobber --part-size 5MiB");
        ended.exits(8).says(&["s3://bench/object already exists", "leave out --no-clobber"]);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"old");
        bench.assert_tidy(&["new", "old"]);
    }
}

#[test]
fn no_clobber_stores_what_is_not_there_yet() {
    let bench = Bench::new();
    for size in SIZES {
        bench.write("new", &bytes(size));
        bench.run(&format!("put new s3://bench/object-{size} --no-clobber --part-size 5MiB")).ok();
        assert_eq!(bench.object(&format!("object-{size}")).size, size as u64);
    }
    let [put, complete] = ["PutObject", "CompleteMultipartUpload"].map(|name| bench.requests(name).remove(0));
    assert_eq!([put.header("if-none-match"), complete.header("if-none-match")], [Some("*"); 2]);
}

#[test]
fn no_clobber_keeps_an_sse_c_object_whose_key_is_not_known() {
    let bench = Bench::new();
    bench.write("key", &key(7));
    bench.run("put key s3://bench/object -e sse-c --sse-c-key key").ok();
    bench.run("put key s3://bench/object --no-clobber").exits(8).says(&["already exists"]);
}

#[test]
fn no_clobber_keeps_what_appears_during_the_upload() {
    for (size, last) in SIZES.into_iter().zip(["PutObject", "CompleteMultipartUpload"]) {
        let bench = Bench::new();
        bench.write("new", &bytes(size));
        intrude(&bench, last);
        let ended = bench.run("put new s3://bench/object --no-clobber --part-size 5MiB");
        ended.exits(8).says(&["s3://bench/object already exists"]);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"theirs");
        bench.assert_tidy(&["new"]);
    }
}

#[test]
fn if_match_replaces_what_was_named_and_nothing_else() {
    let bench = Bench::new();
    for size in SIZES {
        let etag = old(&bench);
        bench.write("new", &bytes(size));
        let wrong = "0123456789abcdef0123456789abcdef";
        let ended = bench.run(&format!("put new s3://bench/object --if-match {wrong} --part-size 5MiB"));
        let ended = ended.exits(8);
        assert!(!ended.stderr.contains("the same command again"), "{}", ended.stderr);
        ended.says(&["is not the object expected", "`s3seal inspect s3://bench/object` shows", "--if-match"]);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"old");
        bench.assert_tidy(&["new", "old"]);
        bench.run(&format!("put new s3://bench/object --if-match {etag} --part-size 5MiB")).ok();
        assert_eq!(bench.object("object").size, size as u64);
    }
}

#[test]
fn if_match_keeps_what_somebody_writes_during_the_upload() {
    for (size, last) in SIZES.into_iter().zip(["PutObject", "CompleteMultipartUpload"]) {
        let bench = Bench::new();
        let etag = old(&bench);
        bench.write("new", &bytes(size));
        intrude(&bench, last);
        bench.run(&format!("put new s3://bench/object --if-match {etag} --part-size 5MiB")).exits(8);
        assert_eq!(bench.object("object").plaintext.unwrap(), b"theirs");
        bench.assert_tidy(&["new", "old"]);
    }
}

#[test]
fn if_match_of_nothing_stores_nothing() {
    let bench = Bench::new();
    bench.write("new", b"new");
    let ended = bench.run("put new s3://bench/object --if-match 0123456789abcdef0123456789abcdef");
    assert!([Some(3), Some(8)].contains(&ended.code()), "{:?}: {}", ended.code(), ended.stderr);
    bench.assert_keys(&[]);
}

#[test]
fn a_refused_condition_is_told_before_the_bytes_travel() {
    let bench = Bench::new();
    old(&bench);
    bench.sandbox.clear_requests();
    bench.write("new", &bytes(PART + 1));
    bench.run("put new s3://bench/object --no-clobber --part-size 5MiB").exits(8);
    let names: Vec<_> = bench.sandbox.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(names, ["HeadObject"]);
}

/// Lets somebody else write the object just before this operation.
fn intrude(bench: &Bench, operation: &str) {
    let act = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "object", b"theirs"));
    bench.sandbox.fault(Fault::on(operation, act));
}

#[test]
fn a_server_that_ignores_conditions_is_not_trusted_with_the_first_look_alone() {
    // What such a server does to a late intruder cannot be helped; what is there before is seen by the look.
    let bench = Bench::new();
    old(&bench);
    bench.sandbox.s3().lie(Lie::IgnoreConditions);
    bench.run("put old s3://bench/object --no-clobber").exits(8);
}

#[test]
fn of_two_that_store_the_same_bytes_where_nothing_is_yet_exactly_one_does() {
    for (size, last) in SIZES.into_iter().zip(["PutObject", "CompleteMultipartUpload"]) {
        let bench = Bench::new();
        // Two files: on one machine, two puts of one file to one object do not run at once.
        bench.write("new", &bytes(size));
        bench.write("same", &bytes(size));
        // Both have looked, and found nothing, before either writes.
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on(last, Kind::Pause(gate.clone())).times(2));
        let both = ["new", "same"]
            .map(|file| bench.start(&format!("put {file} s3://bench/object --no-clobber --part-size 5MiB")));
        assert!(held.wait(2, PATIENCE));
        gate.open();
        let mut ended = both.map(Running::end);
        ended.sort_by_key(Ended::code);
        let [stored, refused] = ended;
        stored.ok();
        refused.exits(8).says(&["s3://bench/object already exists"]);
        assert_eq!(bench.object("object").size, size as u64);
        bench.assert_tidy(&["new", "same"]);
    }
}

#[test]
fn what_somebody_else_has_stored_meanwhile_is_not_ours_also_if_it_is_the_same() {
    for (size, last) in SIZES.into_iter().zip(["PutObject", "CompleteMultipartUpload"]) {
        let bench = Bench::new();
        let etag = old(&bench);
        bench.write("new", &bytes(size));
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on(last, Kind::Pause(gate.clone())));
        let first = bench.start(&format!("put new s3://bench/object --if-match {etag} --part-size 5MiB"));
        assert!(held.wait(1, PATIENCE));
        bench.write("same", &bytes(size));
        bench.run("put same s3://bench/object --part-size 5MiB").ok();
        gate.open();
        first.end().exits(8).says(&["is not the object expected"]);
        bench.assert_tidy(&["new", "old", "same"]);
    }
}
