//! Downloads: only what is not on disk is fetched, in every format, and nothing unverified ever gets the name.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use s3seal::checksum::Algorithm;
use s3seal_sandbox::{Fault, Gate, Kind};

use crate::support::{BUCKET, Bench, PART, PATIENCE, assert_same, at_once, bytes};
use crate::{SIZE, bench, records, store_cbc, wrap_aes};

/// In place of flags for `put`: as old clients stored it.
const CBC: &str = "s3ec-v1";
pub const MODES: [(&str, &str); 8] = [
    ("", ""),
    ("-e sse-c --sse-c-key key", "--sse-c-key key"),
    ("-e client --key key", "--key key"),
    ("-e client --key key --format esdk", "--key key"),
    ("-e client --key key --format esdk --frame-length 4096", "--key key"),
    // Checksums that take the bytes in their order.
    ("--checksum sha256 --part-size 5MiB", ""),
    ("--checksum sha1 --part-size 50MiB", ""),
    (CBC, "--key key --allow-legacy unauthenticated"),
];
pub const FILES: [&str; 4] = ["copy", "key", "other.key", "source"];

pub fn line(get: &str) -> String {
    format!("get s3://bench/object copy {get} --part-size 5MiB -j 1")
}

/// A stored object, and an old file where it is to go.
pub fn stored(put: &str) -> Bench {
    let bench = bench();
    store(&bench, put);
    bench.write("copy", b"old");
    bench
}

pub fn store(bench: &Bench, put: &str) {
    if put == CBC {
        store_cbc(bench, &wrap_aes());
    } else {
        bench.run(&format!("put source s3://bench/object {put}")).ok();
    }
}

/// A fault that strikes from a range on, counted from 0. What is found out about the object takes GETs of its own: as
/// many as in a run that is left alone.
fn at_range(bench: &Bench, line: &str, kind: Kind, range: usize) -> Fault {
    bench.sandbox.clear_requests();
    bench.run(&format!("{line} --no-resume")).ok();
    let gets = bench.requests("GetObject");
    let before = gets.iter().position(|get| get.bytes_out >= PART as u64).unwrap();
    bench.write("copy", b"old");
    bench.sandbox.clear_requests();
    Fault::on("GetObject", kind).skip(range + before).always()
}

/// Ends a run in the middle of its range `range`, counted from 0.
pub fn cut_off(bench: &Bench, line: &str, range: usize, signal: &str) {
    let held = bench.sandbox.fault(at_range(bench, line, Kind::StallResponse(1_000_000), range));
    let running = bench.s3seal(line.split_whitespace()).start();
    assert!(held.wait(1, PATIENCE), "no range {range}");
    // What came before is written as well as received: the line for it is in the record.
    let written = |bench: &Bench| {
        records(bench).first().map_or(0, |record| fs::read_to_string(record).unwrap().lines().count())
    };
    let began = Instant::now();
    while written(bench) < 1 + range {
        assert!(began.elapsed() < PATIENCE, "{line}: {} lines", written(bench));
        std::thread::yield_now();
    }
    running.signal(signal);
    let ended = running.end();
    if signal == "TERM" {
        ended.exits(143).says(&["is kept: run the same command again to go on, or remove it: rm "]);
    }
    bench.sandbox.clear_faults();
    bench.sandbox.clear_requests();
    assert_eq!(bench.read("copy"), b"old");
}

/// The temporary files.
pub fn left(bench: &Bench) -> Vec<PathBuf> {
    bench.names().iter().filter(|name| name.starts_with(".copy")).map(|name| bench.path(name)).collect()
}

/// The bytes that are recorded as written.
fn recorded(bench: &Bench) -> u64 {
    let text = fs::read_to_string(&records(bench)[0]).unwrap();
    let pieces = text.lines().skip(1).map_while(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    pieces.map(|piece| piece["end"].as_u64().unwrap() - piece["start"].as_u64().unwrap()).sum()
}

pub fn fetched(bench: &Bench) -> usize {
    bench.requests("GetObject").iter().map(|get| usize::try_from(get.bytes_out).unwrap()).sum()
}

pub fn is_whole(bench: &Bench) {
    assert_same(&bench.read("copy"), &bytes(SIZE), "file");
    assert!(records(bench).is_empty(), "records left behind");
    bench.assert_tidy(&FILES);
}

#[test]
fn the_same_command_fetches_only_what_is_not_on_disk() {
    at_once(&MODES, |&(put, get)| {
        for (range, signal) in [(1, "KILL"), (3, "KILL"), (4, "TERM")] {
            let bench = stored(put);
            cut_off(&bench, &line(get), range, signal);
            assert_eq!(left(&bench).len(), 1, "{put}");
            let mode = fs::metadata(&left(&bench)[0]).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            bench.run(&line(get)).ok();
            // The range that was under way, what a frame adds, and a header.
            assert!(
                fetched(&bench) <= SIZE + SIZE / 20 - range * PART + PART,
                "{put} {range}: {}",
                fetched(&bench)
            );
            is_whole(&bench);
        }
    });
}

#[test]
fn a_download_that_the_network_gave_up_goes_on() {
    at_once(&MODES, |&(put, get)| {
        let bench = stored(put);
        bench.sandbox.fault(at_range(&bench, &line(get), Kind::ResetBefore, 3));
        let ended = bench.run(&format!("{} --max-attempts 1", line(get)));
        ended.exits(7).says(&["run the same command again", "is kept"]);
        bench.sandbox.clear_faults();
        bench.sandbox.clear_requests();
        bench.run(&line(get)).ok();
        assert!(fetched(&bench) < SIZE - PART, "{put}: {}", fetched(&bench));
        is_whole(&bench);
    });
}

#[test]
fn what_arrived_of_a_range_is_kept_though_the_rest_did_not() {
    let (part, parts) = (8 << 20, 5);
    let bench = bench();
    let content = bytes(part * parts);
    bench.sandbox.s3().put_plain(BUCKET, "object", &content);
    let line = "get s3://bench/object copy -j 1 --max-attempts 1";
    bench.sandbox.fault(Fault::on("GetObject", Kind::CutResponse(part as u64 + 1_000_000)));
    bench.sandbox.fault(Fault::on("GetObject", Kind::ResetBefore).skip(1).always());
    bench.run(line).exits(7).says(&["run the same command again", "is kept"]);
    let cut = bench.requests("GetObject")[0].header("range").unwrap().to_owned();
    let end: usize = cut.rsplit('-').next().unwrap().parse().unwrap();
    assert!(end > part + 1_000_000, "{cut}");
    bench.sandbox.clear_faults();
    bench.sandbox.clear_requests();
    bench.run(line).ok();
    assert!(fetched(&bench) <= content.len() - part - 500_000, "{}", fetched(&bench));
    assert_same(&bench.read("copy"), &content, "file");
}

#[test]
fn what_came_behind_a_range_that_did_not_is_kept_too() {
    at_once(&[MODES[0], MODES[3], MODES[4]], |&(put, get)| {
        let bench = stored(put);
        let line = format!("get s3://bench/object copy {get} --part-size 5MiB -j 2");
        let held = bench.sandbox.fault(at_range(&bench, &line, Kind::StallResponse(0), 0).times(1));
        let running = bench.s3seal(line.split_whitespace()).start();
        assert!(held.wait(1, PATIENCE));
        let began = Instant::now();
        while recorded(&bench) < (SIZE - PART) as u64 {
            assert!(began.elapsed() < PATIENCE, "{put}: {} bytes", recorded(&bench));
            std::thread::yield_now();
        }
        running.signal("KILL");
        running.end();
        bench.sandbox.clear_faults();
        bench.sandbox.clear_requests();
        bench.run(&line).ok();
        assert!(fetched(&bench) < 2 * PART, "{put}: {}", fetched(&bench));
        is_whole(&bench);
    });
}

#[test]
fn no_resume_starts_anew_and_leaves_nothing() {
    let bench = stored("");
    cut_off(&bench, &line(""), 3, "KILL");
    bench.run(&format!("{} --no-resume", line(""))).ok();
    assert_eq!(fetched(&bench), SIZE);
    is_whole(&bench);
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(Gate::new())).skip(2).always());
    let running = bench.start(&format!("{} --no-resume", line("")));
    assert!(held.wait(1, PATIENCE));
    running.signal("TERM");
    running.end().exits(143);
    is_whole(&bench);
}

#[test]
fn a_download_that_lacked_only_its_name_gets_it() {
    at_once(&MODES, |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 4, "KILL");
        // As if the process had ended between the last byte and the new name.
        let record = records(&bench).remove(0);
        let text = fs::read_to_string(&record).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let start = lines.last().unwrap()["end"].as_u64().unwrap();
        let rest = bytes(SIZE).split_off(usize::try_from(start).unwrap());
        let missing = serde_json::json!({ "start": start, "end": SIZE, "sum": Algorithm::Crc64Nvme.sum(&rest).base64() });
        fs::write(&record, format!("{text}{missing}\n")).unwrap();
        fs::write(left(&bench).remove(0), bytes(SIZE)).unwrap();
        bench.run(&line(get)).ok();
        // What tells that it is whole is at the end of the object: a tag, or in esdk the last frame, of up to 64 KiB.
        let most = if put.ends_with("esdk") { 10_000 + (64 << 10) } else { 10_000 };
        assert!(fetched(&bench) < most, "{put}: {}", fetched(&bench));
        if put.contains("esdk") {
            let end = format!("-{}", bench.object("object").plaintext.unwrap().len() - 1);
            let gets = bench.requests("GetObject");
            assert!(gets.iter().any(|get| get.header("range").unwrap().ends_with(&end)), "no final frame");
        }
        is_whole(&bench);
    });
}

#[test]
fn the_checksum_is_compared_where_nothing_on_disk_could_be_used() {
    at_once(&MODES[2..4], |&(put, get)| {
        for (spoilt, is_verified) in [(&[5, PART + 5, 2 * PART + 5][..], true), (&[PART + 5], false)] {
            let bench = stored(put);
            cut_off(&bench, &line(get), 3, "KILL");
            let file = left(&bench).remove(0);
            let mut content = fs::read(&file).unwrap();
            for at in spoilt {
                content[*at] ^= 1;
            }
            fs::write(&file, content).unwrap();
            let found = bench.run(&format!("{} --json", line(get))).ok().json();
            assert_eq!(found["checksum"]["verified"], is_verified, "{put} {spoilt:?}: {found}");
            is_whole(&bench);
        }
    });
}

#[test]
fn a_checksum_that_takes_the_bytes_in_their_order_is_compared_over_what_is_on_disk_too() {
    at_once(&MODES[5..7], |&(put, get)| {
        let bench = stored(put);
        cut_off(&bench, &line(get), 3, "KILL");
        let found = bench.run(&format!("{} --json", line(get))).ok().json();
        assert_eq!(found["checksum"]["verified"], true, "{put}: {found}");
        assert!(fetched(&bench) < SIZE - 2 * PART, "{put}: {}", fetched(&bench));
        is_whole(&bench);
    });
}

#[test]
fn a_second_run_leaves_the_first_alone() {
    let bench = stored("");
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).skip(1).always());
    let running = bench.start(&line(""));
    assert!(held.wait(1, PATIENCE));
    bench.run(&line("")).exits(8).says(&["locked by another run"]);
    gate.open();
    running.end().ok();
    is_whole(&bench);
}

#[test]
fn bytes_that_are_tampered_with_are_not_kept() {
    at_once(&[MODES[0], MODES[3], MODES[4]], |&(put, get)| {
        let bench = stored(put);
        bench.sandbox.s3().tamper_body(BUCKET, "object", |body| body[3 * PART] ^= 1);
        if put.is_empty() {
            // S3 would notice; a server that lies does not.
            return;
        }
        bench.run(&line(get)).exits(6);
        assert_eq!(bench.read("copy"), b"old");
        assert!(records(&bench).is_empty());
        bench.assert_tidy(&FILES);
    });
}

#[test]
fn what_is_small_or_goes_to_a_stream_keeps_nothing() {
    for line in [
        "get s3://bench/object copy --part-size 50MiB",
        "get s3://bench/object - --part-size 5MiB",
        "get s3://bench/object copy --range 0-20000000 --part-size 5MiB",
    ] {
        let bench = stored("");
        let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(Gate::new())).always());
        let running = bench.start(line);
        assert!(held.wait(1, PATIENCE));
        running.signal("TERM");
        let ended = running.end().exits(143);
        assert!(!ended.stderr.contains("kept"), "{}", ended.stderr);
        assert!(records(&bench).is_empty(), "{line}");
        bench.assert_tidy(&FILES);
    }
}

#[test]
fn the_large_object_of_a_prefix_goes_on() {
    let bench = bench();
    bench.run("put source s3://bench/p/large").ok();
    bench.write("little", b"small");
    bench.run("put little s3://bench/p/small").ok();
    let line = "get -r s3://bench/p/ folder --part-size 5MiB -j 1";
    bench.sandbox.fault(Fault::on("GetObject", Kind::ResetBefore).only("large").skip(2).always());
    bench.run(&format!("{line} --max-attempts 1")).exits(9).says(&["is kept"]);
    bench.sandbox.clear_faults();
    bench.sandbox.clear_requests();
    bench.run(line).ok();
    assert!(fetched(&bench) < SIZE - PART);
    assert_same(&bench.read("folder/large"), &bytes(SIZE), "file");
    assert!(records(&bench).is_empty());
    assert_eq!(fs::read_dir(bench.path("folder")).unwrap().count(), 2);
}

#[test]
fn where_going_on_would_show_whether_the_key_fits_nothing_is_kept() {
    let bench = bench();
    let keys = format!("{}/tests/keys", env!("CARGO_MANIFEST_DIR"));
    store_cbc(&bench, &format!("pkeyutl -encrypt -pubin -inkey {keys}/rsa_a.pub.pem"));
    // One key fits, and the other does not: both runs are alike.
    for key in ["rsa_a.pem", "rsa_b.pem"] {
        bench.write("private.pem", &fs::read(format!("{keys}/{key}")).unwrap());
        let line = line("--private-key private.pem --allow-legacy unauthenticated");
        let held =
            bench.sandbox.fault(Fault::on("GetObject", Kind::StallResponse(1_000_000)).skip(3).always());
        let running = bench.s3seal(line.split_whitespace()).start();
        assert!(held.wait(1, PATIENCE));
        running.signal("TERM");
        let ended = running.end().exits(143);
        assert!(!ended.stderr.contains("is kept"), "{key}: {}", ended.stderr);
        bench.sandbox.clear_faults();
        assert!(records(&bench).is_empty(), "{key}");
        bench.assert_tidy(&["key", "other.key", "private.pem", "source"]);
    }
}
