//! A reader of standard output that leaves: quiet, and with the code that pipes know.

use std::io::Read;

use crate::support::{Bench, PART, bytes, key};

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let bench = Bench::new();
    bench.write("key", &key(5));
    bench.write("source", &bytes(3 * PART));
    for (put, get) in
        [("", ""), ("-e sse-c --sse-c-key key", "--sse-c-key key"), ("-e client --key key", "--key key")]
    {
        bench.run(&format!("put source s3://bench/object {put} --part-size 5MiB")).ok();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let line = format!("get s3://bench/object - {get} --part-size 5MiB");
        let running = bench.s3seal(line.split_whitespace()).output(writer).start();
        let mut first = [0; 1];
        reader.read_exact(&mut first).unwrap();
        drop(reader);
        let ended = running.end().exits(141);
        assert_eq!(ended.stderr, "", "{put}");
    }
}

#[test]
fn a_reader_that_leaves_before_the_first_byte_is_the_same() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/object").ok();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = bench.s3seal(["get", "s3://bench/object", "-"]).output(writer).run().exits(141);
    assert_eq!(ended.stderr, "");
}

#[test]
fn in_a_shell_head_ends_it_quietly() {
    let bench = Bench::new();
    bench.write("source", &bytes(3 * PART));
    bench.run("put source s3://bench/object --part-size 5MiB").ok();
    let script = format!(
        "{{ {} get s3://bench/object - --part-size 5MiB; echo $? >&2; }} | head -c1 >/dev/null",
        env!("CARGO_BIN_EXE_s3seal")
    );
    let ended = bench.program("sh", ["-c", &script]).run().ok();
    assert_eq!(ended.stderr, "141\n");
}

#[test]
fn a_reader_of_the_outcome_that_leaves_is_no_failure_of_the_upload() {
    // What is stored is stored; the code says that its document was not read.
    let bench = Bench::new();
    bench.write("source", b"text");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = bench.s3seal(["put", "source", "s3://bench/object", "--json"]).output(writer).run();
    ended.exits(141);
    assert_eq!(bench.object("object").plaintext.unwrap(), b"text");
}
