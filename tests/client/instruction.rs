//! The envelope in a file beside the object.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use s3seal_sandbox::s3::SseView;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, PART, PATIENCE, assert_same, bytes};

const FORMATS: [(&str, &str); 2] = [("--format s3ec", ""), ("--format s3ec-v2", "--allow-legacy v2")];

fn sealed(format: &str, size: usize) -> Bench {
    let bench = Bench::new();
    bench.write("key", &KnownKey::new(1).0);
    bench.write("source", &bytes(size));
    put(&bench, "object", format);
    bench
}

fn put(bench: &Bench, key: &str, format: &str) {
    let flags = "-e client --key key --instruction-file --part-size 5MiB";
    bench.run(&format!("put source s3://bench/{key} {flags} {format}")).ok();
}

fn instruction(bench: &Bench, key: &str) -> serde_json::Value {
    let file = bench.object(&format!("{key}.instruction")).plaintext.unwrap();
    serde_json::from_slice(&file).unwrap()
}

/// A fault that strikes the write of an object, and not that of its instruction file, which replaces one if it is `before`.
fn object(before: bool, kind: Kind) -> Fault {
    if before { Fault::on("CompleteMultipartUpload", kind) } else { Fault::on("PutObject", kind).skip(1) }
}

#[track_caller]
fn is_refused(bench: &Bench, flags: &str, codes: &[i32]) {
    bench.write("copy", b"old");
    for target in ["copy", "-"] {
        let ended = bench.run(&format!("get s3://bench/object {target} --key key {flags}"));
        assert!(codes.contains(&ended.code().unwrap()), "{:?} {}", ended.code(), ended.stderr);
        ended.writes_nothing();
    }
    assert_eq!(bench.read("copy"), b"old");
    bench.assert_tidy(&["copy", "key", "source"]);
}

#[test]
fn an_object_with_its_envelope_beside_it_comes_back() {
    for (format, get) in FORMATS {
        for size in [0, 1000, PART + 1] {
            let bench = sealed(format, size);
            bench.assert_keys(&["object", "object.instruction"]);
            bench.run(&format!("get s3://bench/object copy --key key {get}")).ok();
            assert_same(&bench.read("copy"), &bytes(size), format);
        }
    }
}

#[test]
fn the_newer_format_keeps_its_commitment_on_the_object_and_only_the_wrapped_key_beside_it() {
    let bench = sealed("--format s3ec", 1000);
    let on_object: Vec<_> = bench
        .object("object")
        .metadata
        .into_keys()
        .filter(|name| name != "x-amz-unencrypted-content-length" && name != "mtime")
        .collect();
    assert_eq!(on_object, ["x-amz-c", "x-amz-d", "x-amz-i"]);
    let beside = instruction(&bench, "object");
    let names: Vec<_> = beside.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["x-amz-3", "x-amz-m", "x-amz-w"]);
    assert!(beside["x-amz-m"].is_string(), "JSON in a string");
}

#[test]
fn the_older_format_keeps_everything_beside_the_object() {
    let bench = sealed("--format s3ec-v2", 1000);
    let on_object = bench.object("object").metadata;
    let expected = ["mtime", "x-amz-unencrypted-content-length"];
    assert!(on_object.keys().all(|name| expected.contains(&name.as_str())), "{on_object:?}");
    let beside = instruction(&bench, "object");
    for name in
        ["x-amz-key-v2", "x-amz-iv", "x-amz-cek-alg", "x-amz-wrap-alg", "x-amz-tag-len", "x-amz-matdesc"]
    {
        assert!(beside[name].is_string(), "{name}: {beside}");
    }
}

#[test]
fn the_file_is_written_before_the_object_exists_and_encrypted_as_it_is() {
    let bench = sealed("--at-rest sse-kms:alias/backup", PART + 1);
    let names: Vec<_> = bench.sandbox.requests().into_iter().map(|request| request.operation).collect();
    let place = |name: &str| names.iter().position(|found| found == name).unwrap();
    assert!(place("PutObject") < place("CompleteMultipartUpload"));
    assert!(matches!(bench.object("object.instruction").sse, SseView::SseKms { .. }));
}

#[test]
fn swapped_files_are_refused() {
    for (format, get) in FORMATS {
        let bench = sealed(format, 1000);
        put(&bench, "other", format);
        let others = bench.object("other.instruction").plaintext.unwrap();
        bench.sandbox.s3().put_plain(BUCKET, "object.instruction", &others);
        is_refused(&bench, get, &[6]);
    }
}

#[test]
fn a_file_that_is_gone_is_asked_for() {
    let bench = sealed("--format s3ec", 1000);
    bench.sandbox.s3().put_plain(BUCKET, "else", b"");
    let metadata = bench.object("object").metadata;
    let body = bench.object("object").plaintext.unwrap();
    let alone = Bench::new();
    alone.write("key", &KnownKey::new(1).0);
    alone.write("source", b"");
    alone.sandbox.s3().put_plain(BUCKET, "object", &body);
    alone.sandbox.s3().set_metadata(BUCKET, "object", metadata);
    alone
        .run("get s3://bench/object - --key key")
        .exits(3)
        .says(&["the instruction file s3://bench/object.instruction"]);
    is_refused(&alone, "", &[3]);
}

#[test]
fn a_file_that_is_none_is_refused() {
    let bench = sealed("--format s3ec", 1000);
    let honest = instruction(&bench, "object");
    let mut repeating = honest.clone();
    repeating["x-amz-c"] = "115".into();
    let mut lacking = honest.clone();
    lacking.as_object_mut().unwrap().remove("x-amz-3");
    let too_large = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    let deep = "[".repeat(60_000);
    let files = [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        &honest.to_string()[1..],
        &repeating.to_string(),
        &lacking.to_string(),
        &too_large,
        &deep,
    ];
    for file in files {
        bench.sandbox.s3().put_plain(BUCKET, "object.instruction", file.as_bytes());
        // What is larger than any such file has a code of its own.
        is_refused(&bench, "", &[1, 5, 6]);
    }
    bench.sandbox.s3().put_plain(BUCKET, "object.instruction", honest.to_string().as_bytes());
    bench.run("get s3://bench/object copy --key key").ok();
}

#[test]
fn what_an_envelope_beside_its_object_lacks_is_named() {
    let bench = sealed("--format s3ec", 1000);
    let (honest, metadata) = (instruction(&bench, "object"), bench.object("object").metadata);
    let get = "get s3://bench/object - --key key";
    for (name, value, says) in [
        ("x-amz-w", "".into(), "no value for x-amz-w"),
        ("x-amz-w", "03".into(), "x-amz-w names an unknown algorithm, '03'"),
        ("x-amz-3", 5.into(), "its instruction file's x-amz-3 is a number instead of a text"),
    ] {
        let mut file = honest.clone();
        file[name] = value;
        bench.sandbox.s3().put_plain(BUCKET, "object.instruction", file.to_string().as_bytes());
        bench.run(get).exits(6).says(&[says]);
    }
    bench.sandbox.s3().put_plain(BUCKET, "object.instruction", honest.to_string().as_bytes());
    let mut emptied = metadata;
    emptied.insert("x-amz-c".to_owned(), String::new());
    bench.sandbox.s3().set_metadata(BUCKET, "object", emptied.clone());
    bench.run(get).exits(6).says(&["no value for x-amz-c"]);
    for name in ["x-amz-c", "x-amz-d", "x-amz-i"] {
        emptied.insert(name.to_owned(), String::new());
    }
    bench.sandbox.s3().set_metadata(BUCKET, "object", emptied);
    bench.run(get).exits(6).says(&["needs x-amz-c, x-amz-d, x-amz-i in the object's metadata"]);
    let old = sealed("--format s3ec-v2", 1000);
    let mut file = instruction(&old, "object");
    file["x-amz-tag-len"] = "".into();
    old.sandbox.s3().put_plain(BUCKET, "object.instruction", file.to_string().as_bytes());
    old.run(&format!("{get} --allow-legacy v2")).exits(6).says(&["no value for x-amz-tag-len"]);
}

#[test]
fn a_file_of_another_name_is_read_if_it_is_named() {
    let bench = sealed("--format s3ec", 1000);
    let file = bench.object("object.instruction").plaintext.unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "object.partner", &file);
    bench.sandbox.s3().put_plain(BUCKET, "object.instruction", b"{}");
    bench.run("get s3://bench/object copy --key key").exits(6);
    for suffix in ["partner", ".partner"] {
        bench.run(&format!("get s3://bench/object copy --key key --instruction-suffix {suffix}")).ok();
        assert_same(&bench.read("copy"), &bytes(1000), suffix);
    }
}

#[test]
fn a_file_that_was_written_for_an_object_that_did_not_come_to_be_is_taken_back() {
    for before in [false, true] {
        let bench = Bench::new();
        bench.write("key", &KnownKey::new(1).0);
        bench.write("source", &bytes(1000));
        if before {
            put(&bench, "object", "");
        }
        let file = || bench.sandbox.s3().object(BUCKET, "object.instruction").and_then(|file| file.plaintext);
        let was = file();
        let denied = Kind::status(403, "AccessDenied", "Access Denied");
        bench.sandbox.fault(object(before, denied));
        bench.run("put source s3://bench/object -e client --key key --instruction-file").exits(4);
        assert_eq!(file(), was, "there before: {before}");
    }
}

#[test]
fn a_file_that_somebody_else_has_written_meanwhile_is_not_taken_back() {
    for before in [false, true] {
        let bench = Bench::new();
        bench.write("key", &KnownKey::new(1).0);
        bench.write("source", &bytes(1000));
        if before {
            put(&bench, "object", "");
        }
        // At the last moment: after s3seal has found its own file there.
        let overwrite =
            || bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "object.instruction", b"theirs"));
        let denied = Kind::status(403, "AccessDenied", "Access Denied");
        bench.sandbox.fault(object(before, denied));
        bench.sandbox.fault(Fault::on("DeleteObject", overwrite()).only("object.instruction"));
        bench.sandbox.fault(Fault::on("PutObject", overwrite()).only("object.instruction").skip(1));
        bench.run("put source s3://bench/object -e client --key key --instruction-file").exits(4);
        let file = bench.object("object.instruction").plaintext;
        assert_eq!(file.as_deref(), Some(&b"theirs"[..]), "there before: {before}");
    }
}

#[test]
fn the_object_that_is_there_can_be_opened_while_another_one_is_sent() {
    let bench = sealed("", 1000);
    let line = "put source s3://bench/object -e client --key key --instruction-file";
    bench.write("source", b"new");
    let gate = Gate::new();
    let struck = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())));
    let putting = bench.start(line);
    assert!(struck.wait(1, PATIENCE), "it was not sent in parts");
    bench.run("get s3://bench/object copy --key key").ok();
    assert_same(&bench.read("copy"), &bytes(1000), "before");
    gate.open();
    putting.end().ok();
    bench.run("get s3://bench/object copy --key key").ok();
    assert_eq!(bench.read("copy"), b"new");
}

#[test]
fn an_instruction_file_that_cannot_be_put_back_is_printed_with_the_command_that_writes_it() {
    let bench = sealed("", 1000);
    let line = "put source s3://bench/object -e client --key key --instruction-file";
    let before = instruction(&bench, "object");
    let denied = || Kind::status(403, "AccessDenied", "no");
    bench.sandbox.fault(Fault::on("CompleteMultipartUpload", denied()));
    bench.sandbox.fault(Fault::on("PutObject", denied()).only("object.instruction").skip(1).always());
    bench.write("source", b"new");
    let ended = bench.run(line).exits(4);
    let ended = ended.says(&[
        "s3://bench/object.instruction was replaced, but not its object, which cannot be opened until",
        "| aws s3 cp - s3://bench/object.instruction",
    ]);
    let printed = ended.stderr.clone();
    let printed = printed.split("printf %s '").nth(1).unwrap().split("' |").next().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(printed).unwrap(), before);
}

/// Kills a put when it has replaced the instruction file, and not the object.
fn kill_between(bench: &Bench, line: &str) {
    let struck = bench.sandbox.fault(Fault::on("CompleteMultipartUpload", Kind::Pause(Gate::new())));
    let putting = bench.start(line);
    assert!(struck.wait(1, PATIENCE));
    putting.signal("KILL");
    putting.end();
    bench.sandbox.clear_faults();
}

/// What records of replaced instruction files there are.
fn kept(bench: &Bench) -> Vec<PathBuf> {
    let entries = fs::read_dir(bench.home().join(".local/state/s3seal")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("instruction-")).collect()
}

#[test]
fn an_object_whose_instruction_file_a_killed_put_has_replaced_can_be_opened_again() {
    for is_versioned in [false, true] {
        let bench = sealed("", 1000);
        if is_versioned {
            bench.sandbox.s3().set_versioning(BUCKET);
            put(&bench, "object", "");
        }
        let before = instruction(&bench, "object");
        let line = "put source s3://bench/object -e client --key key --instruction-file";
        bench.write("source", b"new");
        kill_between(&bench, line);
        kill_between(&bench, line);
        assert_ne!(instruction(&bench, "object"), before);
        let [record] = &kept(&bench)[..] else { panic!("{:?}", kept(&bench)) };
        assert_eq!(fs::metadata(record).unwrap().permissions().mode() & 0o777, 0o600);
        // Who may remove what broken runs left does not remove the only copy.
        bench.run("cleanup s3://bench/ --older-than 0s --yes").ok();
        assert_eq!(kept(&bench).len(), 1);
        // One that fails puts back the file of the object, and not the one that was there.
        let denied = Kind::status(403, "AccessDenied", "no");
        bench.sandbox.fault(Fault::on("CompleteMultipartUpload", denied));
        bench.run(line).exits(4);
        assert_eq!(instruction(&bench, "object"), before, "versioned: {is_versioned}");
        assert_eq!(kept(&bench), [] as [PathBuf; 0]);
        bench.run("get s3://bench/object copy --key key").ok();
        assert_same(&bench.read("copy"), &bytes(1000), "before");
    }
}

#[test]
fn a_put_after_a_killed_one_replaces_object_and_instruction_file() {
    let bench = sealed("", 1000);
    let line = "put source s3://bench/object -e client --key key --instruction-file";
    bench.write("source", b"new");
    kill_between(&bench, line);
    bench.run(line).ok();
    bench.run("get s3://bench/object copy --key key").ok();
    assert_eq!(bench.read("copy"), b"new");
    assert_eq!(kept(&bench), [] as [PathBuf; 0]);
}

#[test]
fn what_is_written_since_a_put_was_killed_is_put_back_and_not_what_it_replaced() {
    let bench = sealed("", 1000);
    let line = "put source s3://bench/object -e client --key key --instruction-file";
    bench.write("source", b"new");
    kill_between(&bench, line);
    // Somebody has made the object readable again, in another way.
    let file = r#"{"x-amz-3":"theirs"}"#;
    bench.sandbox.s3().put_plain(BUCKET, "object.instruction", file.as_bytes());
    let denied = Kind::status(403, "AccessDenied", "no");
    bench.sandbox.fault(Fault::on("CompleteMultipartUpload", denied));
    bench.run(line).exits(4);
    assert_eq!(bench.object("object.instruction").plaintext.unwrap(), file.as_bytes());
}
