//! `put -r --manifest`: what is written about what was stored, where, and when nothing is.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, bytes, key};
use crate::write;

fn tree() -> Bench {
    let bench = Bench::new();
    bench.write("key", &key(7));
    for (name, len) in [("a", 3), ("deep/ä\n", 1000), ("z", 0)] {
        write(&bench.path("tree").join(name), &bytes(len));
    }
    bench
}

/// The head of a manifest and its objects by their names; fails if it is not whole.
fn read(text: &[u8]) -> (Value, BTreeMap<String, Value>) {
    let mut lines: Vec<Value> = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect();
    let (head, end) = (lines.remove(0), lines.pop().unwrap());
    assert_eq!((&head["record"], &head["manifest_version"]), (&json!("manifest"), &json!(1)));
    assert_eq!(end, json!({ "record": "end", "objects": lines.len() }));
    let named = |line: Value| (line["name"].as_str().unwrap().to_owned(), line);
    (head, lines.into_iter().map(named).collect())
}

#[test]
fn a_manifest_has_each_object_as_it_was_stored_in_each_mode() {
    for (flags, mode, format, added) in [
        ("", "sse-s3", None, 0),
        ("-e sse-kms --kms-key alias/backup", "sse-kms", None, 0),
        ("--sse-c-key key", "sse-c", None, 0),
        ("--key key", "client", Some("s3ec"), 16),
        ("-e client --kms-key alias/backup --instruction-file", "client", Some("s3ec"), 16),
    ] {
        let bench = tree();
        bench.sandbox.s3().set_versioning(BUCKET);
        bench.write("m", b"an older one");
        let ended = bench.run(&format!("put -r tree s3://bench/p/ --manifest m {flags}")).ok();
        ended.says(&["stored: 3 files", "manifest m"]);
        let (head, objects) = read(&bench.read("m"));
        assert_eq!(head["target"], "s3://bench/p/");
        assert!(head["created"].as_str().unwrap().starts_with("20"));
        assert_eq!(objects.keys().collect::<Vec<_>>(), ["a", "deep/ä\n", "z"]);
        for (name, entry) in &objects {
            let key = format!("p/{name}");
            let customer = flags.contains("sse-c").then(|| crate::support::key(7));
            let object = match customer {
                Some(customer) => bench.sandbox.s3().object_with_key(BUCKET, &key, &customer).unwrap(),
                None => bench.object(&key),
            };
            assert_eq!(entry["version_id"], object.version_id);
            assert_eq!(entry["mode"], mode, "{flags}");
            assert_eq!(entry["format"], json!(format));
            assert_eq!(entry["instruction_file"], flags.contains("--instruction-file"));
            assert_eq!(entry["checksum"]["algorithm"], "crc64nvme");
            let len = fs::metadata(bench.path("tree").join(name)).unwrap().len();
            assert_eq!((&entry["bytes"], &entry["stored_bytes"]), (&json!(len), &json!(len + added)));
            assert!(!entry["etag"].as_str().unwrap().contains('"'));
        }
    }
}

#[test]
fn with_update_what_stays_is_in_it_too_from_the_listing() {
    let bench = tree();
    bench.sandbox.s3().set_clock_ahead(60);
    bench.run("put -r tree s3://bench/p/ --key key").ok();
    bench.sandbox.s3().set_clock_ahead(0);
    bench.sandbox.clear_requests();
    write(&bench.path("tree/new"), b"new");
    bench
        .run("put -r tree s3://bench/p/ --key key --update --manifest m")
        .ok()
        .says(&["3 unchanged", "manifest m"]);
    let asked = bench.sandbox.requests().into_iter().map(|request| request.operation);
    assert_eq!(asked.collect::<Vec<_>>(), ["ListObjectsV2", "PutObject", "HeadObject"]);
    let (_, objects) = read(&bench.read("m"));
    assert_eq!(objects.len(), 4);
    assert_eq!((&objects["a"]["bytes"], &objects["a"]["stored_bytes"]), (&json!(3), &json!(19)));
    assert_eq!((&objects["a"]["checksum"], &objects["a"]["mode"]), (&Value::Null, &Value::Null));
    assert_eq!(objects["new"]["mode"], "client");
    bench.run("inspect s3://bench/p/ --manifest m").ok();
}

#[test]
fn a_manifest_in_s3_is_stored_as_the_objects_are_and_meets_their_rules() {
    let bench = tree();
    bench.sandbox.s3().create_bucket("other");
    let ended = bench.run("put -r tree s3://bench/p/ --key key --manifest s3://other/m.ndjson --json").ok();
    let summary = ended.documents().pop().unwrap();
    assert_eq!(summary["summary"]["objects"], 3);
    assert_eq!(summary["summary"]["manifest"], "s3://other/m.ndjson");
    bench.run("get s3://other/m.ndjson m --key key").ok();
    assert_eq!(read(&bench.read("m")).1.len(), 3);
    bench.run("inspect s3://bench/p/ --manifest s3://other/m.ndjson --key key").ok();
    bench.run("inspect s3://bench/p/ --manifest s3://other/m.ndjson").exits(5);
    bench.run("inspect s3://bench/p/ --manifest s3://other/none --key key").exits(3);

    let rule = "[[rule]]\nmatch = \"s3://other/\"\nmust-encrypt = \"sse-kms\"\n";
    let config = bench.write("config.toml", rule.as_bytes());
    let line = "put -r tree s3://bench/p/ -e sse-s3 --manifest s3://other/m";
    bench.sandbox.clear_requests();
    let program = bench.s3seal(line.split(' ')).with("S3SEAL_CONFIG", &config);
    program.run().exits(8).says(&["s3://other/m"]);
    assert_eq!(bench.requests("PutObject").len(), 0);
}

#[test]
fn a_run_in_which_a_file_fails_leaves_the_old_manifest() {
    let bench = tree();
    bench.write("m", b"an older one");
    bench.sandbox.fault(Fault::on("PutObject", Kind::status(403, "AccessDenied", "no")));
    let ended = bench.run("put -r tree s3://bench/p/ --manifest m --jobs 1").exits(9);
    let ended = ended.says(&["2 files", "no manifest m: not everything is stored"]);
    ended
        .says(&["hint: each of them is named above; the same command with --update continues with the rest"]);
    assert_eq!(bench.read("m"), b"an older one");
    assert_eq!(bench.names(), ["key", "m", "tree"]);
    let ended = bench.run("put -r tree s3://bench/p/ --manifest m --jobs 1 --update --json").ok();
    assert_eq!(ended.documents().pop().unwrap()["summary"]["manifest"], "m");
}

#[test]
fn a_run_that_is_stopped_leaves_no_manifest() {
    let bench = tree();
    write(&bench.path("tree/large"), &bytes(2 * PART));
    for (signal, code) in [("INT", Some(130)), ("KILL", None)] {
        let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).always());
        let running = bench.start("put -r tree s3://bench/p/ --manifest m --part-size 5MiB");
        assert!(held.wait(1, PATIENCE));
        running.signal(signal);
        let ended = running.end();
        assert_eq!(ended.code(), code);
        assert!(signal == "KILL" || ended.stderr.contains("with --update continues"), "{}", ended.stderr);
        assert!(!bench.path("m").exists());
        bench.sandbox.clear_faults();
    }
}

#[test]
fn a_manifest_that_cannot_be_written_is_an_error_before_anything_is_stored_or_at_its_end() {
    let bench = tree();
    bench.run("put -r tree s3://bench/p/ --manifest none/m").exits(3).says(&["none"]);
    bench.assert_keys(&[]);
    let bucket = bench.run("put -r tree s3://bench/p/ --manifest s3://nowhere/m").exits(3);
    bucket.says(&["nowhere", "stored: 3 files", "no manifest s3://nowhere/m"]);
}
