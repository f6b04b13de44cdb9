//! `s3seal cleanup`: what it finds, what stays, and that nothing goes but what was listed.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod records;
mod transfers;

use s3seal_sandbox::{Fault, Gate, Kind};
use support::keys::KnownKey;
use support::{BUCKET, Bench, Ended, PART, PATIENCE, bytes};

const SCRATCH: &str = "p/.s3seal-scratch-0123456789abcdef";
const TWO_DAYS: i64 = 2 * 24 * 3600;
const ALL: &str = "cleanup s3://bench/p/ --older-than 0s --yes";

/// A bench with a key.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("key", KnownKey::new(1).hex().as_bytes());
    bench
}

/// Leaves an upload of two parts, as a `put` does that may not abort it; returns what that said, and the id.
fn leave_upload(bench: &Bench, key: &str) -> (Ended, String) {
    bench.write("large", &bytes(3 * PART));
    bench.sandbox.fault(Fault::on("UploadPart", Kind::status(400, "Odd", "no")).skip(2));
    bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "no")));
    let target = format!("s3://bench/{key}");
    let line = ["put", "large", target.as_str(), "--part-size", "5MiB", "--jobs", "1"];
    let ended = bench.s3seal(line).run().exits(1);
    let uploads = bench.sandbox.s3().uploads();
    let left = uploads.iter().find(|upload| upload.key == key).unwrap();
    assert_eq!(left.parts.len(), 2);
    (ended, left.upload_id.clone())
}

/// Leaves an instruction file whose object is gone.
fn leave_instruction_file(bench: &Bench, key: &str) {
    bench.write("small", b"text");
    bench.run(&format!("put small s3://bench/{key} --key key --instruction-file")).ok();
    let version = bench.object(key).version_id;
    bench.sandbox.s3().try_delete(BUCKET, key, &version, false).unwrap();
}

fn uploads(bench: &Bench) -> Vec<String> {
    bench.sandbox.s3().uploads().into_iter().map(|upload| upload.key).collect()
}

#[test]
fn an_upload_is_listed_with_who_when_and_size_and_aborted() {
    let bench = bench();
    let (_, id) = leave_upload(&bench, "p/large");
    let named = format!("upload of s3://bench/p/large (id {id}): begun 20");
    let ended = bench.run(ALL).ok();
    ended.says(&[&named, " by ", "10 MiB in 2 parts", "removed: 1 leftover, 10 MiB"]);
    assert_eq!(uploads(&bench), [""; 0]);
    bench.run(ALL).ok().says(&["nothing to remove below s3://bench/p/"]);
}

#[test]
fn the_command_that_a_put_names_aborts_what_it_left() {
    let bench = bench();
    leave_upload(&bench, "p/other");
    let (ended, id) = leave_upload(&bench, "p/a b");
    let command = format!("(id {id}) was not aborted, and its parts stay stored until it is: ");
    let (_, command) = ended.stderr.split_once(&command).expect("it is named");
    let line = format!("{} --yes", command.lines().next().unwrap());
    let shell = format!("PATH={}:$PATH; {line}", env!("CARGO_BIN_EXE_s3seal").trim_end_matches("/s3seal"));
    bench.program("sh", ["-c", &shell]).run().ok();
    assert_eq!(uploads(&bench), ["p/other"]);
}

#[test]
fn what_is_younger_than_a_day_stays_and_goes_two_days_later() {
    let bench = bench();
    leave_upload(&bench, "p/large");
    leave_instruction_file(&bench, "p/o");
    bench.sandbox.s3().put_plain(BUCKET, SCRATCH, b"tried");
    let kept = "nothing to remove below s3://bench/p/, 3 kept (-v names them)";
    bench.run("cleanup s3://bench/p/ --yes").ok().says(&[kept]);
    assert_eq!(bench.requests("DeleteObject").len(), 0);
    assert_eq!(uploads(&bench).len(), 1);
    bench.run("cleanup s3://bench/p/ --yes -v").ok().says(&[
        "kept: upload of s3://bench/p/large",
        "kept: instruction file s3://bench/p/o.instruction",
        "kept: scratch object",
        "younger than the limit",
    ]);
    // By the server's clock: this machine's does not say how old something in S3 is.
    bench.sandbox.s3().set_clock_ahead(TWO_DAYS);
    bench.run("cleanup s3://bench/p/ --older-than 3d --yes").ok().says(&["3 kept"]);
    bench.run("cleanup s3://bench/p/ --yes").ok().says(&["removed: 3 leftovers, 10 MiB"]);
    bench.assert_keys(&[]);
    assert_eq!(uploads(&bench), [""; 0]);
}

#[test]
fn only_an_instruction_file_without_its_object_is_removed() {
    let bench = bench();
    leave_instruction_file(&bench, "p/gone");
    // Between an object and its instruction file may stand others.
    for key in ["p/here", "p/here-too"] {
        bench.run(&format!("put small s3://bench/{key} --key key --instruction-file")).ok();
    }
    bench.sandbox.s3().put_plain(BUCKET, "p/no-such.instruction", b"{\"a\":\"text of somebody's\"}");
    bench.run(ALL).ok().says(&["p/gone.instruction: written 20", "s3://bench/p/gone does not exist"]);
    bench.assert_keys(&[
        "p/here",
        "p/here-too",
        "p/here-too.instruction",
        "p/here.instruction",
        "p/no-such.instruction",
    ]);
    bench.run("get s3://bench/p/here got --key key").ok();
}

#[test]
fn an_instruction_file_whose_object_a_listing_hides_stays_unless_s3_says_that_there_is_none() {
    let bench = bench();
    bench.write("small", b"text");
    bench.run("put small s3://bench/p/o --key key --instruction-file").ok();
    let hides = Kind::tamper(|_, answer| {
        let text = answer.text();
        let shown: Vec<_> = text.split("<Contents>").filter(|entry| !entry.contains("o</Key>")).collect();
        answer.set_body(shown.join("<Contents>"));
    });
    bench.sandbox.fault(Fault::on("ListObjectsV2", hides).always());
    bench.run(ALL).ok().says(&["nothing to remove below s3://bench/p/"]);
    for (status, code) in [(403, "AccessDenied"), (400, "Odd")] {
        let refused = Fault::on("HeadObject", Kind::status(status, code, "no"));
        bench.sandbox.fault(refused.times(2));
        let kept = "kept: instruction file s3://bench/p/o.instruction";
        bench.run(&format!("{ALL} -v")).ok().says(&[kept, "whether it is needed could not be seen: "]);
    }
    bench.assert_keys(&["p/o", "p/o.instruction"]);
}

#[test]
fn an_instruction_file_that_somebody_writes_meanwhile_stays() {
    let bench = bench();
    leave_instruction_file(&bench, "p/o");
    let write = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "p/o.instruction", b"new"));
    bench.sandbox.fault(Fault::on("DeleteObject", write));
    bench.run(ALL).ok().says(&["kept: instruction file", "it has changed since it was found"]);
    assert_eq!(bench.object("p/o.instruction").plaintext.unwrap(), b"new");
}

#[test]
fn an_instruction_file_whose_object_comes_back_meanwhile_stays() {
    let bench = bench();
    leave_instruction_file(&bench, "p/o");
    let write = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "p/o", b"restored"));
    // The first is to find the file, the second is just before the removal.
    bench.sandbox.fault(Fault::on("HeadObject", write).skip(1));
    bench.run(ALL).ok().says(&["kept: instruction file", "it has changed since it was found"]);
    bench.assert_keys(&["p/o", "p/o.instruction"]);
}

#[test]
fn in_a_bucket_with_versions_a_scratch_object_goes_for_good_and_an_instruction_file_is_hidden() {
    let bench = bench();
    bench.sandbox.s3().set_versioning(BUCKET);
    leave_instruction_file(&bench, "p/o");
    bench.sandbox.s3().put_plain(BUCKET, SCRATCH, b"tried");
    bench.run(ALL).ok().says(&["removed: 2 leftovers, 5 B"]);
    bench.assert_keys(&[]);
    assert_eq!(bench.sandbox.s3().versions(BUCKET, SCRATCH), []);
    let file = bench.sandbox.s3().versions(BUCKET, "p/o.instruction");
    assert_eq!(file.iter().map(|version| version.delete_marker).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn nothing_goes_outside_the_address() {
    let bench = bench();
    for key in ["o", "p/o", "p2/o"] {
        leave_upload(&bench, key);
        leave_instruction_file(&bench, key);
    }
    for key in [".s3seal-scratch-0123456789abcdef", SCRATCH, "p/.s3seal-scratch-mine"] {
        bench.sandbox.s3().put_plain(BUCKET, key, b"tried");
    }
    bench.run(ALL).ok().says(&["removed: 3 leftovers"]);
    let left =
        [".s3seal-scratch-0123456789abcdef", "o.instruction", "p/.s3seal-scratch-mine", "p2/o.instruction"];
    bench.assert_keys(&left);
    let mut uploads_left = uploads(&bench);
    uploads_left.sort();
    assert_eq!(uploads_left, ["o", "p2/o"]);
    bench.run("cleanup s3://bench/o --older-than 0s --yes").ok().says(&["removed: 2 leftovers"]);
    bench.assert_keys(&[left[0], left[2], left[3]]);
    assert_eq!(uploads(&bench), ["p2/o"]);
}

#[test]
fn a_dry_run_lists_and_removes_nothing() {
    let bench = bench();
    let (_, id) = leave_upload(&bench, "p/large");
    leave_instruction_file(&bench, "p/o");
    bench.sandbox.clear_requests();
    let dry = "cleanup s3://bench/p/ --older-than 0s --dry-run";
    bench.run(dry).ok().says(&["upload of s3://bench/p/large", "would remove: 2 leftovers, 10 MiB"]);
    let documents = bench.run(&format!("{dry} --json")).ok().documents();
    assert_eq!(documents.len(), 3);
    let (upload, file) = (&documents[0], &documents[1]);
    assert_eq!((&upload["record"], &upload["kind"]), (&"leftover".into(), &"upload".into()));
    assert_eq!((&upload["state"], &upload["upload_id"]), (&"found".into(), &id.into()));
    assert_eq!((&upload["uri"], &upload["bytes"]), (&"s3://bench/p/large".into(), &(2 * PART).into()));
    assert!(upload["initiator"].is_string() && upload["created"].is_string());
    assert_eq!(file["kind"], "instruction_file");
    assert_eq!(file["uri"], "s3://bench/p/o.instruction");
    assert_eq!(documents[2]["summary"]["found"], 2);
    assert!(bench.requests("AbortMultipartUpload").is_empty() && bench.requests("DeleteObject").is_empty());
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_removed() {
    let bench = bench();
    leave_upload(&bench, "p/large");
    let ended = bench.run("cleanup s3://bench/p/ --older-than 0s").exits(2);
    ended.says(&["there is no terminal to ask at", "--yes"]);
    assert_eq!(uploads(&bench).len(), 1);
}

#[test]
fn what_cannot_be_removed_is_named_and_the_others_go() {
    let bench = bench();
    leave_upload(&bench, "p/large");
    bench.sandbox.s3().put_plain(BUCKET, SCRATCH, b"tried");
    for json in [false, true] {
        bench.sandbox.fault(Fault::on("AbortMultipartUpload", Kind::status(403, "AccessDenied", "no")));
        let ended = bench.run(&format!("{ALL} {}", if json { "--json" } else { "" })).exits(9);
        if json {
            let failed = &ended.documents()[0];
            assert_eq!((&failed["state"], &failed["kind"]), (&"failed".into(), &"upload".into()));
            assert!(failed["error"]["message"].as_str().unwrap().contains("denied"), "{failed}");
        } else {
            ended.says(&["failed: upload of s3://bench/p/large", "1 of 2 leftovers were not removed"]);
        }
        bench.assert_keys(&[]);
    }
}

#[test]
fn a_signal_while_something_is_removed_does_not_wait_for_the_answer() {
    for (operation, left) in [
        ("AbortMultipartUpload", "p/large"),
        ("DeleteObject", "p/o.instruction"),
        ("DeleteObject", SCRATCH),
        ("HeadObject", SCRATCH),
    ] {
        let bench = bench();
        match left {
            "p/large" => drop(leave_upload(&bench, left)),
            SCRATCH => bench.sandbox.s3().put_plain(BUCKET, SCRATCH, b"tried"),
            _ => leave_instruction_file(&bench, "p/o"),
        }
        let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(Gate::new())).always());
        let running = bench.start(ALL);
        assert!(held.wait(1, PATIENCE), "{operation}");
        running.signal("INT");
        running.end().exits(130).says(&["interrupted by SIGINT"]);
        bench.sandbox.clear_faults();
        bench.run(ALL).ok().says(&["removed: 1 leftover"]);
    }
}

#[test]
fn uploads_beyond_the_first_page_are_found() {
    let bench = bench();
    for number in 0..1001 {
        bench.sandbox.s3().begin_upload(BUCKET, &format!("p/{}", number % 7));
    }
    bench.run(ALL).ok().says(&["removed: 1,001 leftovers, 0 B"]);
    assert_eq!(bench.requests("ListMultipartUploads").len(), 2);
    assert_eq!(uploads(&bench), [""; 0]);
}

#[test]
fn a_bucket_that_does_not_exist_is_no_clean_one() {
    let bench = bench();
    bench.run("cleanup s3://none-such/ --yes").exits(3).says(&["none-such"]);
}
