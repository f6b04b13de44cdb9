//! Servers that drop metadata while an envelope is replaced: the old one and the new one are in the error and in the
//! journal, and the journal stays.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use s3seal_sandbox::{Fault, Kind};
use serde_json::Value;

use crate::support::{BUCKET, Bench, PATIENCE};
use crate::{OBJECT, assert_no_traces, assert_opens, bench, rsa, stored};

/// Once an operation on [`OBJECT`] is done, the object has no metadata.
fn drops(bench: &Bench, operation: &str) {
    let sandbox = Arc::downgrade(&bench.sandbox);
    let drop_all = move || {
        let sandbox = sandbox.upgrade().unwrap();
        for key in sandbox.s3().keys(BUCKET).iter().filter(|key| !key.ends_with(".instruction")) {
            sandbox.s3().set_metadata(BUCKET, key, BTreeMap::new());
        }
    };
    bench.sandbox.fault(Fault::on(operation, Kind::ThenAnswer(Arc::new(drop_all))).always());
}

#[track_caller]
fn told(stderr: &str) -> Value {
    let line = stderr.lines().find_map(|line| line.trim_start().strip_prefix("envelope: "));
    serde_json::from_str(line.unwrap_or_else(|| panic!("no envelope: {stderr}"))).unwrap()
}

fn journals(bench: &Bench) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(bench.home().join(".local/state/s3seal"));
    folder.map_or_else(|_| Vec::new(), |folder| folder.map(|entry| entry.unwrap().path()).collect())
}

/// The envelopes of the one journal, in their order.
#[track_caller]
fn noted(bench: &Bench) -> Vec<Value> {
    let journals = journals(bench);
    assert_eq!(journals.len(), 1, "{journals:?}");
    let text = std::fs::read_to_string(&journals[0]).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| line.get("envelope").cloned()).collect()
}

fn restore(bench: &Bench, envelope: &Value) {
    let metadata = serde_json::from_value(envelope["metadata"].clone()).unwrap();
    bench.sandbox.s3().set_metadata(BUCKET, "o", metadata);
}

const REWRAP: &str = "--rewrap --key b.key --from-key a.key";

#[test]
fn a_rewrap_whose_envelope_is_dropped_is_told_with_the_old_one_and_the_new_one() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e client --key a.key");
    drops(&bench, "CopyObject");
    let line = format!("rotate {OBJECT} {REWRAP} --yes");
    let ended = bench.run(&line).exits(6).says(&[
        "s3://bench/o is stored without the envelope that was sent",
        "cannot be decrypted without it",
        "hint: keep the envelope",
        "aws s3 cp",
        "the journal ",
    ]);
    assert!(!ended.stderr.contains("delete-object"), "{}", ended.stderr);
    let told = told(&ended.stderr);
    bench.sandbox.clear_faults();
    bench.run(&format!("get {OBJECT} target --key b.key")).exits(5);
    let noted_first = noted(&bench);
    assert_eq!(noted_first.len(), 1);
    for which in ["object", "old", "new"] {
        assert_eq!(noted_first[0][which], told[which], "{which}");
    }
    // The same command has nothing to rewrap, and does not throw away what the first one knew.
    bench.run(&line).exits(2);
    assert_eq!(noted(&bench), noted_first);
    restore(&bench, &told["old"]);
    assert_opens(&bench, "--key a.key", &content);
    restore(&bench, &told["new"]);
    assert_opens(&bench, "--key b.key", &content);
    bench.run(&line).ok();
    assert_no_traces(&bench);
}

#[test]
fn a_reseal_whose_envelope_is_dropped_is_told_also_where_nobody_can_open_it() {
    for (flags, opens) in [
        ("-e client --new-data-key --key b.key --from-key a.key", "--key b.key"),
        ("-e client --new-data-key --public-key new.pem --from-key a.key", "--private-key old.pem"),
        ("-e client --new-data-key --key b.key --from-key a.key --part-size 5MiB", "--key b.key"),
    ] {
        let bench = bench();
        rsa(&bench);
        let len = if flags.contains("part-size") { 6 << 20 } else { 3000 };
        let content = stored(&bench, len, "-e client --key a.key --part-size 5MiB");
        drops(&bench, "PutObject");
        drops(&bench, "CompleteMultipartUpload");
        let line = format!("rotate {OBJECT} {flags} --yes");
        let ended = bench.run(&line).exits(6).says(&["without the envelope that was sent", "the journal "]);
        let told = told(&ended.stderr);
        bench.sandbox.clear_faults();
        assert_eq!(noted(&bench)[0]["new"], told["new"]);
        restore(&bench, &told["new"]);
        assert_opens(&bench, opens, &content);
    }
}

#[test]
fn what_was_encrypted_and_lost_its_envelope_is_not_encrypted_again() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e sse-s3");
    drops(&bench, "PutObject");
    let line = format!("rotate {OBJECT} -e client --key b.key --yes");
    bench.run(&line).exits(6);
    bench.sandbox.clear_faults();
    let before = (bench.object("o").etag, noted(&bench));
    bench.run(&line).exits(2).says(&["envelope", "journal"]);
    assert_eq!((bench.object("o").etag, noted(&bench)), before);
    restore(&bench, &before.1[0]["new"]);
    assert_opens(&bench, "--key b.key", &content);
}

#[test]
fn the_first_dropped_envelope_ends_a_rotation_of_many() {
    let bench = bench();
    bench.write("source", b"text");
    for number in 0..20 {
        bench.run(&format!("put source s3://{BUCKET}/p/{number:02} -e client --key a.key")).ok();
    }
    let sandbox = Arc::downgrade(&bench.sandbox);
    let drop_copied = move || {
        let sandbox = sandbox.upgrade().unwrap();
        let copies = sandbox.requests().into_iter().filter(|one| one.operation == "CopyObject");
        for key in copies.map(|one| one.path.trim_start_matches("/bench/").to_owned()) {
            sandbox.s3().set_metadata(BUCKET, &key, BTreeMap::new());
        }
    };
    bench.sandbox.fault(Fault::on("CopyObject", Kind::ThenAnswer(Arc::new(drop_copied))).always());
    let ended = bench.run(&format!("rotate s3://{BUCKET}/p/ {REWRAP} --yes")).exits(6);
    assert_eq!(bench.requests("CopyObject").len(), 1, "{}", ended.stderr);
    let told = told(&ended.says(&["no further object was started"]).stderr);
    assert!(told["old"]["metadata"]["x-amz-3"].is_string());
}

#[test]
fn an_instruction_file_with_other_content_than_was_sent_is_told_with_both() {
    for flags in [REWRAP, "--rewrap --public-key new.pem --from-key a.key"] {
        let bench = bench();
        rsa(&bench);
        let content = stored(&bench, 3000, "-e client --key a.key --instruction-file");
        let old = bench.object("o.instruction").plaintext.unwrap();
        let spoils = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "o.instruction", b"{}"));
        bench.sandbox.fault(Fault::on("HeadObject", spoils).skip(1));
        let ended = bench.run(&format!("rotate {OBJECT} {flags} --yes")).exits(6);
        let told = told(&ended.says(&["the server changed the instruction file"]).stderr);
        let file = &told["old"]["instruction_file"];
        assert_eq!(file["uri"], "s3://bench/o.instruction");
        assert_eq!(file["content"].as_str().unwrap().as_bytes(), old);
        assert_eq!(noted(&bench)[0]["new"], told["new"]);
        bench.sandbox.s3().put_plain(BUCKET, "o.instruction", file["content"].as_str().unwrap().as_bytes());
        assert_opens(&bench, "--key a.key", &content);
    }
}

#[test]
fn an_envelope_that_is_lost_without_anybody_seeing_it_stands_in_the_journal() {
    let bench = bench();
    let content = stored(&bench, 3000, "-e client --key a.key");
    drops(&bench, "CopyObject");
    let stalled = bench.sandbox.fault(Fault::on("CopyObject", Kind::StallBeforeResponse));
    let running = bench.start(&format!("rotate {OBJECT} {REWRAP} --yes --read-timeout 600s"));
    assert!(stalled.wait(1, PATIENCE));
    assert!(!bench.object("o").metadata.contains_key("x-amz-3"), "the server drops it");
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    bench.run(&format!("rotate {OBJECT} {REWRAP} --yes")).exits(2);
    restore(&bench, &noted(&bench)[0]["old"]);
    assert_opens(&bench, "--key a.key", &content);
}

/// A rotation to a server-side mode that was killed before it replaced [`OBJECT`], of whose metadata nothing shows that it
/// has an instruction file; then somebody has copied its ciphertext onto itself. Returns the plaintext.
fn copied_after_a_kill(bench: &Bench, line: &str) -> Vec<u8> {
    let flags = "-e client --key a.key --instruction-file --format s3ec-v2 --part-size 5MiB";
    let content = stored(bench, 6 << 20, flags);
    bench.sandbox.s3().set_metadata(BUCKET, "o", BTreeMap::new());
    let pause = Kind::Pause(s3seal_sandbox::Gate::new());
    let struck = bench.sandbox.fault(Fault::on("UploadPart", pause).always());
    let running = bench.start(line);
    assert!(struck.wait(1, PATIENCE), "there was no upload");
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
    let before = bench.object("o");
    bench.sandbox.s3().put_plain(BUCKET, "o", &before.plaintext.unwrap());
    assert_ne!(bench.object("o").etag, before.etag);
    content
}

const TO_SERVER: [&str; 2] = ["-e sse-s3", "-e sse-kms --kms-key alias/backup"];

#[test]
fn an_instruction_file_stays_if_its_object_was_only_copied_since_a_kill() {
    for to in TO_SERVER {
        let bench = bench();
        let line =
            format!("rotate {OBJECT} {to} --from-key a.key --allow-legacy v2 --part-size 5MiB -j 1 --yes");
        let content = copied_after_a_kill(&bench, &line);
        bench.run(&line).ok().says(&["re-encrypted"]);
        assert_opens(&bench, "", &content);
        bench.assert_keys(&["o"]);
        assert_no_traces(&bench);
    }
}

#[test]
fn ciphertext_without_its_instruction_file_is_not_taken_for_what_was_decrypted() {
    for to in TO_SERVER {
        let bench = bench();
        let line =
            format!("rotate {OBJECT} {to} --from-key a.key --allow-legacy v2 --part-size 5MiB -j 1 --yes");
        let content = copied_after_a_kill(&bench, &line);
        let file = bench.object("o.instruction");
        bench.sandbox.s3().try_delete(BUCKET, "o.instruction", &file.version_id, false).unwrap();
        let before = bench.object("o").etag;
        bench.run(&line).exits(2).says(&["its envelope is gone", "restore the envelope from the journal"]);
        assert_eq!(bench.object("o").etag, before);
        let envelope = &noted(&bench)[0]["old"]["instruction_file"];
        let kept = envelope["content"].as_str().unwrap().as_bytes();
        bench.sandbox.s3().put_plain(BUCKET, "o.instruction", kept);
        bench.run(&line).ok();
        assert_opens(&bench, "", &content);
        assert_no_traces(&bench);
    }
}
