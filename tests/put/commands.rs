//! A command's output is stored only if the command succeeds; an empty source only if that is allowed.

use crate::support::{Bench, PART, assert_same, bytes, key};

#[test]
fn the_output_of_a_command_is_stored() {
    let bench = Bench::new();
    for size in [0, 10, 2 * PART + 1] {
        bench.write("content", &bytes(size));
        let line = "put --from-command s3://bench/object --part-size 5MiB -- cat content";
        bench.run(line).ok().writes_nothing();
        assert_same(&bench.object("object").plaintext.unwrap(), &bytes(size), "stored");
    }
}

#[test]
fn a_failing_command_stores_nothing_whatever_it_wrote_before() {
    let bench = Bench::new();
    for size in [0, 10, PART, PART + 1, 2 * PART + 1] {
        bench.write("content", &bytes(size));
        let script = "cat content; exit 3";
        let flags =
            ["put", "--from-command", "s3://bench/object", "--part-size", "5MiB", "--", "sh", "-c", script];
        bench.s3seal(flags).run().exits(1).says(&["failed (exit status: 3); nothing was stored"]);
        bench.assert_keys(&[]);
        bench.assert_tidy(&["content"]);
    }
}

#[test]
fn a_command_that_a_signal_ends_stores_nothing() {
    let bench = Bench::new();
    let script = "head -c 6000000 /dev/zero; kill -s KILL $$";
    let flags =
        ["put", "--from-command", "s3://bench/object", "--part-size", "5MiB", "--", "sh", "-c", script];
    bench.s3seal(flags).run().exits(1).says(&["signal: 9", "nothing was stored"]);
    bench.assert_keys(&[]);
    bench.assert_tidy(&[]);
}

#[test]
fn a_command_that_does_not_exist_is_named() {
    let bench = Bench::new();
    bench
        .run("put --from-command s3://bench/object -- no-such-program --flag")
        .exits(3)
        .says(&["no-such-program"]);
    bench.assert_keys(&[]);
}

#[test]
fn a_failing_command_keeps_what_was_stored_before() {
    let bench = Bench::new();
    bench.write("source", b"old");
    bench.run("put source s3://bench/object").ok();
    bench.run("put --from-command s3://bench/object -- false").exits(1);
    assert_eq!(bench.object("object").plaintext.unwrap(), b"old");
}

#[test]
fn an_empty_source_is_refused_if_that_is_asked_for() {
    let bench = Bench::new();
    bench.write("empty", b"");
    bench.run("put empty s3://bench/object --fail-if-empty").exits(8).says(&["empty; nothing was stored"]);
    bench.s3seal(["put", "-", "s3://bench/object", "--fail-if-empty"]).input(b"").run().exits(8);
    bench.run("put --from-command s3://bench/object --fail-if-empty -- true").exits(8);
    bench.run("put --from-command s3://bench/object --fail-if-empty -- false").exits(1);
    bench.assert_keys(&[]);
    bench.s3seal(["put", "-", "s3://bench/object", "--fail-if-empty"]).input(b"x").run().ok();
    bench.run("put empty s3://bench/empty").ok();
    bench.assert_keys(&["empty", "object"]);
}

#[test]
fn an_empty_source_is_refused_also_before_it_is_sealed() {
    let bench = Bench::new();
    bench.write("key", &key(9));
    let flags = [
        "put",
        "-",
        "s3://bench/object",
        "--fail-if-empty",
        "-e",
        "client",
        "--format",
        "s3ec",
        "--key",
        "key",
    ];
    bench.s3seal(flags).input(b"").run().exits(8);
    bench.assert_keys(&[]);
}

#[test]
fn a_missing_file_and_a_directory_are_told_before_anything_is_sent() {
    let bench = Bench::new();
    bench.run("put nothing s3://bench/object").exits(3).says(&["nothing does not exist"]);
    bench.run("put . s3://bench/object").exits(2).says(&["is a directory"]);
    assert!(bench.sandbox.requests().is_empty());
}

#[test]
fn files_may_follow_two_dashes_and_a_command_needs_its_flag() {
    let bench = Bench::new();
    bench.write("-dash", b"text");
    bench.run("put -- -dash s3://bench/object").ok();
    assert_eq!(bench.object("object").plaintext.unwrap(), b"text");
    let ended = bench.run("put s3://bench/object -- echo").exits(2);
    ended.says(&["what follows -- is a command", "--from-command s3://BUCKET/KEY -- COMMAND"]);
}
