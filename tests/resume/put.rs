//! Uploads: only the parts that S3 does not have are sent.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use s3seal_sandbox::{Fault, Gate, Kind, hostile};

use crate::support::{BUCKET, Bench, PART, PATIENCE, assert_same, at_once, bytes, write_private};
use crate::{SIZE, bench, records};

const MODES: [(&str, &str); 4] = [
    ("", ""),
    ("-e sse-s3 --checksum sha256", ""),
    ("-e sse-kms --kms-key alias/backup --context a=b", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
];
const CLIENT: [(&str, &str); 2] =
    [("-e client --key key", "--key key"), ("-e client --key key --format esdk", "--key key")];
pub const FILES: [&str; 3] = ["key", "other.key", "source"];

pub fn line(mode: &str) -> String {
    format!("put source s3://bench/object {mode} --part-size 5MiB -j 1")
}

/// Ends a run at its request after `skip` parts, and returns how many parts S3 has then.
pub fn cut_off(bench: &Bench, line: &str, skip: usize, signal: &str) -> usize {
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).skip(skip).times(99));
    let running = bench.s3seal(line.split_whitespace()).start();
    assert!(held.wait(1, PATIENCE), "no part {skip}");
    running.signal(signal);
    let ended = running.end();
    if signal == "TERM" {
        ended.exits(143).says(&["are kept: run the same command again to go on"]);
    }
    bench.sandbox.clear_faults();
    let parts = bench.sandbox.s3().uploads()[0].parts.len();
    bench.sandbox.clear_requests();
    parts
}

pub fn sent(bench: &Bench) -> usize {
    bench.requests("UploadPart").iter().map(|part| usize::try_from(part.bytes_in).unwrap()).sum()
}

pub fn is_whole(bench: &Bench, get: &str, content: &[u8]) {
    bench.run(&format!("get s3://bench/object copy {get}")).ok();
    assert_same(&bench.read("copy"), content, "object");
    fs::remove_file(bench.path("copy")).unwrap();
    assert!(records(bench).is_empty(), "records left behind");
    bench.assert_tidy(&FILES);
}

#[test]
fn the_same_command_sends_only_what_s3_does_not_have() {
    at_once(&MODES, |&(mode, get)| {
        for skip in [0, 1, 3, 4] {
            for signal in ["KILL", "TERM"] {
                let bench = bench();
                let line = line(mode).replace("-j 1", "-j 2");
                let had = cut_off(&bench, &line, skip, signal);
                bench.run(&line).ok();
                assert!(
                    sent(&bench) <= SIZE - had.min(4) * PART + 2 * PART,
                    "{mode} {skip}: {} sent",
                    sent(&bench)
                );
                assert_eq!(bench.requests("CreateMultipartUpload").len(), 0, "{mode} {skip}");
                is_whole(&bench, get, &bytes(SIZE));
            }
        }
    });
}

#[test]
fn an_upload_goes_on_after_all_parts_were_sent() {
    at_once(&MODES, |&(mode, get)| {
        for kind in [Kind::Pause(Gate::new()), Kind::PauseAnswer(Gate::new())] {
            let bench = bench();
            let is_done = matches!(kind, Kind::PauseAnswer(_));
            let held = bench.sandbox.fault(Fault::on("CompleteMultipartUpload", kind));
            let running = bench.s3seal(line(mode).split_whitespace()).start();
            assert!(held.wait(1, PATIENCE));
            running.signal("KILL");
            running.end();
            bench.sandbox.clear_faults();
            bench.sandbox.clear_requests();
            bench.run(&line(mode)).ok();
            // What is stored already is stored once more: nobody knows that it was this upload.
            assert_eq!(sent(&bench), if is_done { SIZE } else { 0 }, "{mode}");
            is_whole(&bench, get, &bytes(SIZE));
        }
    });
}

#[test]
fn the_encryption_of_another_object_is_not_taken_for_that_of_an_upload_that_went_on() {
    for mode in ["-e sse-s3", "-e sse-kms --kms-key alias/backup"] {
        let bench = bench();
        let held = bench.sandbox.fault(Fault::on("CompleteMultipartUpload", Kind::Pause(Gate::new())));
        let running = bench.start(&line(mode));
        assert!(held.wait(1, PATIENCE));
        running.signal("KILL");
        running.end();
        bench.sandbox.clear_faults();
        bench.sandbox.clear_requests();
        // All parts are there, and the end does not name the mode, so a HEAD is asked: of what somebody else has stored.
        let silent = hostile::drops_headers("x-amz-server-side-encryption");
        bench.sandbox.fault(Fault::on("CompleteMultipartUpload", silent));
        let newer = bench.meanwhile(|sandbox| sandbox.s3().put_plain(BUCKET, "object", b"newer"));
        bench.sandbox.fault(Fault::on("HeadObject", newer));
        let ended = bench.run(&line(mode)).exits(8).writes_nothing();
        let ended =
            ended.says(&["s3://bench/object is not the object expected", "somebody wrote it meanwhile"]);
        assert!(!ended.stderr.contains("delete-object"), "{}", ended.stderr);
        assert_eq!(sent(&bench), 0, "{mode}");
        assert!(records(&bench).is_empty(), "records left behind");
        bench.assert_tidy(&FILES);
    }
}

#[test]
fn an_upload_that_the_network_gave_up_goes_on() {
    let bench = bench();
    bench.sandbox.fault(Fault::on("UploadPart", Kind::ResetBefore).only("partNumber=3&").always());
    let ended = bench.run(&format!("{} --max-attempts 1", line("")));
    ended.exits(7).says(&["run the same command again", "are kept"]);
    bench.sandbox.clear_faults();
    bench.sandbox.clear_requests();
    bench.run(&line("")).ok();
    assert_eq!(sent(&bench), SIZE - 2 * PART);
    is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn another_source_plan_or_wish_starts_anew_and_aborts_the_old_upload() {
    let changed = bytes(SIZE + 1);
    let cases: [(&str, &[u8]); 6] = [
        ("put source s3://bench/object --part-size 5MiB", &changed),
        ("put source s3://bench/object --part-size 6MiB", &[]),
        ("put source s3://bench/object --part-size 5MiB -e sse-s3", &[]),
        ("put source s3://bench/object --part-size 5MiB --metadata a=b", &[]),
        ("put source s3://bench/object --part-size 5MiB --checksum crc32", &[]),
        ("put source s3://bench/object --part-size 5MiB --no-resume", &[]),
    ];
    at_once(&cases, |&(again, content)| {
        let bench = bench();
        assert_eq!(cut_off(&bench, &line(""), 3, "KILL"), 3);
        if !content.is_empty() {
            bench.write("source", content);
        }
        bench.run(again).ok();
        assert_eq!(bench.requests("AbortMultipartUpload").len(), 1, "{again}");
        let content = if content.is_empty() { bytes(SIZE) } else { content.to_vec() };
        assert_eq!(sent(&bench), content.len(), "{again}");
        is_whole(&bench, "", &content);
    });
}

#[test]
fn a_source_that_only_looks_the_same_is_compared() {
    // Other bytes, and the times of before; only the time of the change cannot be set.
    let bench = bench();
    assert_eq!(cut_off(&bench, &line(""), 3, "KILL"), 3);
    let mut content = bytes(SIZE);
    content[PART + 1] ^= 1;
    fs::write(bench.path("source"), &content).unwrap();
    let record = records(&bench).remove(0);
    let text = fs::read_to_string(&record).unwrap();
    let identity = |text: &str| text[text.find("\"options\":").unwrap()..].to_owned();
    // A record of the changed file, as if nothing had shown the change.
    cut_off_other(&bench);
    let new = records(&bench).into_iter().find(|path| *path != record).unwrap();
    let forged = text.replace(&identity(&text), &identity(&fs::read_to_string(&new).unwrap()));
    fs::write(&record, forged).unwrap();
    fs::remove_file(new).unwrap();
    bench.sandbox.clear_requests();
    bench.run(&line("")).ok();
    assert_eq!(sent(&bench), SIZE - 2 * PART, "the part that differs, and those that are missing");
    bench.run("get s3://bench/object copy").ok();
    assert_same(&bench.read("copy"), &content, "object");
}

/// Leaves a record of the source for another target.
fn cut_off_other(bench: &Bench) {
    let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(Gate::new())).times(99));
    let running = bench.start("put source s3://bench/other --part-size 5MiB");
    assert!(held.wait(1, PATIENCE));
    running.signal("KILL");
    running.end();
    bench.sandbox.clear_faults();
}

#[test]
fn an_upload_that_is_gone_starts_anew() {
    let bench = bench();
    assert_eq!(cut_off(&bench, &line(""), 3, "KILL"), 3);
    bench.sandbox.fault(Fault::on("ListParts", Kind::status(404, "NoSuchUpload", "It is gone.")));
    bench.run(&line("")).ok();
    assert_eq!(sent(&bench), SIZE);
    bench.run("get s3://bench/object copy").ok();
    assert_same(&bench.read("copy"), &bytes(SIZE), "object");
}

#[test]
fn an_upload_that_somebody_else_aborts_is_said_to_be_so() {
    let bench = bench();
    for operation in ["UploadPart", "CompleteMultipartUpload"] {
        bench.sandbox.fault(Fault::on(operation, Kind::status(404, "NoSuchUpload", "It is gone.")));
        let ended = bench.run(&line("")).exits(8);
        let ended = ended
            .says(&["error: somebody else has aborted the upload of s3://bench/object; nothing was stored"]);
        ended.says(&["run the same command again to store it"]);
    }
    bench.run(&line("")).ok();
}

#[test]
fn a_record_that_is_cut_short_or_forged_does_no_harm() {
    let bench = bench();
    assert_eq!(cut_off(&bench, &line(""), 3, "KILL"), 3);
    let record = records(&bench).remove(0);
    let whole = fs::read_to_string(&record).unwrap();
    for text in
        ["", "{", &whole[..whole.len() / 2], "[]\n", &whole.replace("s3://bench/object", "s3://bench/else")]
    {
        write_private(&record, text.as_bytes());
        bench.sandbox.clear_requests();
        bench.run(&line("")).ok();
        assert_eq!(sent(&bench), SIZE, "{text}");
        assert_eq!(bench.requests("AbortMultipartUpload").len(), 0, "{text}");
        assert!(records(&bench).is_empty());
    }
}

#[test]
fn a_second_run_leaves_the_first_alone() {
    at_once(&[MODES[0], CLIENT[0], CLIENT[1]], |&(mode, get)| {
        let bench = bench();
        let gate = Gate::new();
        let held = bench.sandbox.fault(Fault::on("UploadPart", Kind::Pause(gate.clone())).skip(1).times(99));
        let running = bench.s3seal(line(mode).split_whitespace()).start();
        assert!(held.wait(1, PATIENCE));
        bench.run(&line(mode)).exits(8).says(&["locked by another run"]);
        gate.open();
        running.end().ok();
        is_whole(&bench, get, &bytes(SIZE));
    });
}

#[test]
fn a_client_side_upload_starts_anew_and_nothing_of_the_first_is_left() {
    at_once(&CLIENT, |&(mode, get)| {
        let bench = bench();
        assert_eq!(cut_off(&bench, &line(mode), 3, "KILL"), 3);
        let left = bench.sandbox.s3().uploads().remove(0).upload_id;
        bench.run(&line(mode)).ok();
        let aborts = bench.requests("AbortMultipartUpload");
        assert_eq!(aborts.len(), 1, "{mode}");
        assert!(aborts[0].query.contains(&left));
        assert!(sent(&bench) >= SIZE, "{mode}: parts of another data key were used");
        is_whole(&bench, get, &bytes(SIZE));
    });
}

#[test]
fn what_cannot_go_on_keeps_nothing() {
    for (line, operation) in [
        ("put source s3://bench/object -e client --key key --part-size 5MiB", "UploadPart"),
        ("put source s3://bench/object --part-size 5MiB --no-resume", "UploadPart"),
        ("put source s3://bench/object --part-size 50MiB", "PutObject"),
    ] {
        let bench = bench();
        let held = bench.sandbox.fault(Fault::on(operation, Kind::Pause(Gate::new())).times(99));
        let running = bench.start(line);
        assert!(held.wait(1, PATIENCE));
        running.signal("TERM");
        let ended = running.end().exits(143);
        assert!(!ended.stderr.contains("kept"), "{}", ended.stderr);
        bench.sandbox.clear_faults();
        assert!(records(&bench).is_empty(), "{line}");
        bench.assert_tidy(&FILES);
    }
}

#[test]
fn a_state_directory_that_cannot_be_written_stops_nothing() {
    let bench = bench();
    fs::write(bench.home().join(".local"), b"a file in the way").unwrap();
    bench.run(&line("")).ok();
    fs::remove_file(bench.home().join(".local")).unwrap();
    is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn the_large_file_of_a_directory_goes_on() {
    let bench = bench();
    fs::create_dir(bench.path("tree")).unwrap();
    fs::rename(bench.path("source"), bench.path("tree/large")).unwrap();
    fs::write(bench.path("tree/small"), b"small").unwrap();
    let line = "put -r tree s3://bench/t/ --part-size 5MiB -j 1";
    let had = cut_off(&bench, line, 3, "KILL");
    bench.run(line).ok();
    assert!(sent(&bench) <= SIZE - had * PART + PART);
    bench.run("get s3://bench/t/large copy").ok();
    assert_same(&bench.read("copy"), &bytes(SIZE), "object");
    assert!(records(&bench).is_empty());
}

#[test]
fn days_of_a_lock_count_from_the_run_that_began_the_upload() {
    let bench = bench();
    bench.sandbox.s3().set_object_lock(BUCKET);
    let line = format!("{} --lock-mode compliance --retain-until 30d", line(""));
    cut_off(&bench, &line, 3, "KILL");
    let first = retention(&bench);
    // The clock shows another second.
    while now() + 30 * 86_400 <= first {
        std::thread::yield_now();
    }
    let stored = bench.run(&format!("{line} --json")).ok().json();
    assert!(sent(&bench) < SIZE - PART, "it did not go on");
    let until = bench.object("object").lock_until.unwrap().unix_timestamp();
    assert_eq!(until, first);
    let found = bench.run("inspect s3://bench/object --format json").ok().json();
    assert_eq!(stored["object_lock"], found["object_lock"], "the date that holds is said");
    is_whole(&bench, "", &bytes(SIZE));
}

#[test]
fn an_upload_whose_lock_would_end_a_day_too_early_or_was_asked_for_in_other_words_starts_anew() {
    let days = "--lock-mode governance --retain-until 30d";
    for (age, again) in [
        (86_400, days),
        (0, "--lock-mode governance --retain-until 31d"),
        (0, "--lock-mode compliance --retain-until 30d"),
        (0, "--lock-mode governance --retain-until 2100-01-31"),
        (0, ""),
    ] {
        let bench = bench();
        bench.sandbox.s3().set_object_lock(BUCKET);
        cut_off(&bench, &format!("{} {days}", line("")), 3, "KILL");
        let record = records(&bench).remove(0);
        let text = fs::read_to_string(&record).unwrap();
        let first = retention(&bench);
        fs::write(&record, text.replace(&first.to_string(), &(first - age).to_string())).unwrap();
        bench.run(&format!("{} {again}", line(""))).ok();
        assert_eq!(sent(&bench), SIZE, "{again}");
        assert_eq!(bench.requests("AbortMultipartUpload").len(), 1, "{again}");
        is_whole(&bench, "", &bytes(SIZE));
    }
}

/// The end of the retention in the record.
fn retention(bench: &Bench) -> i64 {
    let text = fs::read_to_string(records(bench).remove(0)).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["retain_until"].as_i64().unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}
