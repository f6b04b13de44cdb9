//! `--files-from`: the names come from a list.

use crate::support::Bench;
use crate::write;

fn bench() -> Bench {
    let bench = Bench::new();
    for name in ["a", "b/c", "b/d", "new\nline", "-dash"] {
        write(&bench.path(&format!("tree/{name}")), name.as_bytes());
    }
    bench
}

#[test]
fn only_what_is_named_is_stored_and_what_is_not_there_is_a_failure() {
    let bench = bench();
    bench.write("list", b"./b/c\n\na\nb/c\n");
    bench.run("put -r tree s3://bench/p/ --files-from list").ok().says(&["stored: 2 files"]);
    bench.assert_keys(&["p/a", "p/b/c"]);
    bench.write("list", b"-dash\nmissing\nb\n");
    let ended = bench.run("put -r tree s3://bench/p/ --files-from list -v").exits(9);
    ended.says(&[
        "failed: tree/missing",
        "does not exist",
        "failed: tree/b: is a directory",
        "stored: 1 file",
    ]);
    bench.assert_keys(&["p/-dash", "p/a", "p/b/c"]);
}

#[test]
fn names_come_from_standard_input_and_end_with_nul() {
    let bench = bench();
    let line = ["put", "-r", "tree", "s3://bench/p/", "--files-from", "-", "-0"];
    bench.s3seal(line).input(b"./new\nline\0b/d\0").run().ok();
    bench.assert_keys(&["p/b/d", "p/new\nline"]);
    let line = ["get", "-r", "s3://bench/p/", "copy", "--files-from", "-", "-0"];
    bench.s3seal(line).input(b"new\nline\0").run().ok();
    assert_eq!(bench.read("copy/new\nline"), b"new\nline");
    assert!(!bench.path("copy/b").exists());
}

#[test]
fn only_what_is_named_is_fetched_without_a_listing() {
    let bench = bench();
    bench.run("put -r tree s3://bench/p/").ok();
    bench.sandbox.clear_requests();
    bench.write("list", b"b/c\nmissing\n");
    let ended = bench.run("get -r s3://bench/p/ copy --files-from list").exits(9);
    ended.says(&["s3://bench/p/missing does not exist", "fetched: 1 object"]);
    assert_eq!(bench.requests("ListObjectsV2").len(), 0);
    bench.program("diff", ["-r", "tree/b/c", "copy/b/c"]).run().ok();
    assert!(!bench.path("copy/a").exists());
}

#[test]
fn with_update_the_names_are_compared_with_a_listing() {
    let bench = bench();
    bench.sandbox.s3().set_clock_ahead(-300);
    bench.run("put -r tree s3://bench/p/").ok();
    bench.write("list", b"a\nb/d\nmissing\n");
    bench.run("get -r s3://bench/p/ copy --files-from list --update").exits(9).says(&["fetched: 2 objects"]);
    bench.sandbox.clear_requests();
    let ended = bench.run("get -r s3://bench/p/ copy --files-from list --update").exits(9);
    ended.says(&["s3://bench/p/missing does not exist", "2 unchanged"]);
    bench
        .run("put -r copy s3://bench/p/ --files-from list --update")
        .exits(9)
        .says(&["failed: copy/missing"]);
}

#[test]
fn with_an_empty_list_there_is_nothing_to_do() {
    let bench = bench();
    bench.write("list", b"\n");
    bench.run("put -r tree s3://bench/p/ --files-from list").ok().says(&["stored: 0 files"]);
    bench.run("get -r s3://bench/p/ copy --files-from list").ok().says(&["fetched: 0 objects"]);
    bench.assert_keys(&[]);
}

#[test]
fn a_list_that_leads_out_of_the_directory_is_refused_before_anything_happens() {
    let bench = bench();
    for name in ["../secret", "/etc/passwd", "b/../../x"] {
        bench.write("list", format!("a\n{name}\n").as_bytes());
        for line in ["put -r tree s3://bench/p/", "get -r s3://bench/p/ copy"] {
            let ended = bench.run(&format!("{line} --files-from list")).exits(2);
            ended.says(&["--files-from: name 2 in list is no path of a file below a directory"]);
        }
    }
    bench.run("put -r tree s3://bench/p/ --files-from nowhere").exits(3).says(&["nowhere does not exist"]);
    assert_eq!(bench.sandbox.requests().len(), 0);
}

#[test]
fn a_directory_that_is_named_is_a_failure() {
    let bench = bench();
    bench.write("names", b"b\na\n");
    write(&bench.path("tree/b/c"), b"c");
    let ended = bench.run("put -r tree s3://bench/p/ --files-from names --manifest m").exits(9);
    ended.says(&["tree/b", "is a directory, not a file", "no manifest m"]);
}
