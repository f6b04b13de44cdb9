//! `inspect --manifest`: a place compared with what was stored there, from listings and checksums alone.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use s3seal_sandbox::{Fault, Gate, Kind};

use crate::key;
use crate::support::{BUCKET, Bench, Ended, PART, PATIENCE, bytes};

const COMPARE: &str = "inspect s3://bench/p/ --manifest m";

/// Files, as they were stored with these flags, and their manifest.
fn stored(flags: &str) -> Bench {
    let bench = Bench::new();
    key(&bench, "key", 7);
    fs::create_dir_all(bench.path("tree/deep")).unwrap();
    for (name, len) in [("a", 10), ("a-b", 20), ("deep/c", 30), ("z", 40)] {
        bench.write(&format!("tree/{name}"), &bytes(len));
    }
    bench.run(&format!("put -r tree s3://bench/p/ --manifest m {flags}")).ok();
    bench.sandbox.clear_requests();
    bench
}

/// The states by name, and the sum.
fn states(ended: &Ended) -> (BTreeMap<String, String>, Value) {
    let mut all = ended.documents();
    let sum = all.pop().unwrap()["summary"].take();
    let state = |row: Value| {
        let name = row["uri"].as_str().unwrap().strip_prefix("s3://bench/p/").unwrap().to_owned();
        let reason = row["reason"].as_str().map_or(String::new(), |why| format!(": {why}"));
        (name, format!("{}{reason}", row["state"].as_str().unwrap_or("failed")))
    };
    (all.into_iter().map(state).collect(), sum)
}

fn operations(bench: &Bench) -> Vec<String> {
    let all = bench.sandbox.requests().into_iter().map(|request| request.operation).collect();
    bench.sandbox.clear_requests();
    all
}

#[test]
fn what_is_as_it_was_stored_takes_a_listing_and_no_other_request_in_every_mode() {
    for flags in [
        "",
        "-e sse-kms --kms-key alias/backup",
        "--sse-c-key key",
        "--key key",
        "--key key --instruction-file",
        "--key key --format esdk",
    ] {
        let bench = stored(flags);
        let table = String::from_utf8(bench.run(COMPARE).ok().stdout).unwrap();
        assert!(table.contains("4 the same by size and ETag"), "{table}");
        assert_eq!(operations(&bench), ["ListObjectsV2"], "{flags}");
        bench.run(&format!("{COMPARE} -q")).ok().writes_nothing();
    }
}

#[test]
fn what_is_missing_changed_and_extra_is_named_and_the_exit_code_is_8() {
    for flags in ["", "--key key"] {
        let bench = stored(flags);
        bench.write("other", &bytes(21)[1..]);
        bench.write("longer", &bytes(31));
        for (file, to) in [("other", "a-b"), ("longer", "deep/c"), ("other", "new")] {
            bench.run(&format!("put {file} s3://bench/p/{to} {flags}")).ok();
        }
        let version = bench.object("p/z").version_id;
        bench.sandbox.s3().try_delete(BUCKET, "p/z", &version, false).unwrap();
        bench.sandbox.clear_requests();
        let ended = bench
            .run(&format!("{COMPARE} --json"))
            .exits(8)
            .says(&["4 of 5 objects are not as in the manifest: 1 missing, 2 changed, 1 extra"]);
        let (states, sum) = states(&ended);
        assert_eq!(operations(&bench), ["ListObjectsV2", "HeadObject"], "only what has the same size");
        let added = if flags.is_empty() { 0 } else { 16 };
        let length = format!("changed: {} B, not {} B", 31 + added, 30 + added);
        assert_eq!(states["deep/c"], length);
        let named = |name: &str| states[name].as_str();
        assert_eq!(
            [named("a"), named("a-b"), named("new"), named("z")],
            ["same", "changed: another crc64nvme", "extra", "missing"]
        );
        let counts = ["objects", "same_by_etag", "same_by_checksum", "missing", "changed", "extra", "failed"];
        assert_eq!(counts.map(|name| sum[name].as_u64().unwrap()), [5, 1, 0, 1, 2, 1, 0]);
        assert_eq!((&sum["complete"], &sum["manifest_target"]), (&json!(true), &json!("s3://bench/p/")));
    }
}

#[test]
fn a_copy_with_other_etags_is_the_same_by_its_checksums() {
    let bench = stored("-e sse-s3");
    bench.run("rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --yes").ok();
    bench.sandbox.clear_requests();
    let ended = bench.run(COMPARE).ok();
    let table = String::from_utf8(ended.stdout).unwrap();
    assert!(table.contains("4 the same by size and checksum"), "{table}");
    assert_eq!(bench.requests("HeadObject").len(), 4);
    bench.sandbox.fault(Fault::on("HeadObject", Kind::status(403, "", "")).always());
    bench.sandbox.fault(Fault::on("GetObject", Kind::status(403, "AccessDenied", "no")).always());
    let ended =
        bench.run(&format!("{COMPARE} --json")).exits(9).says(&["4 of 4 objects could not be compared"]);
    let (states, sum) = states(&ended);
    assert!(states.values().all(|state| state == "failed") && sum["failed"] == 4, "{states:?}");
}

#[test]
fn objects_in_parts_and_under_a_customers_key_are_compared_by_checksum_with_their_key() {
    let bench = stored("--sse-c-key key");
    bench.write("tree/large", &bytes(2 * PART));
    bench.run("put -r tree s3://bench/p/ --manifest m --sse-c-key key --part-size 5MiB").ok();
    // Stored again, each has another ETag.
    bench.run("put -r tree s3://bench/p/ --sse-c-key key --part-size 6MiB").ok();
    bench.run(COMPARE).exits(9).says(&["5 of 5 objects could not be compared"]);
    let table = String::from_utf8(bench.run(&format!("{COMPARE} --sse-c-key key")).ok().stdout).unwrap();
    assert!(table.contains("5 the same by size and checksum"), "{table}");
}

#[test]
fn another_place_is_compared_by_the_names_in_it() {
    let bench = stored("");
    bench.run("put -r tree s3://bench/copy/").ok();
    bench.run("inspect s3://bench/copy/ --manifest m").ok();
    bench.run("inspect s3://bench/ --manifest m -q").exits(8).says(&["4 missing", "8 extra"]);
    bench.run("inspect s3://bench/p/ --manifest m --include a*").ok();
    bench.run("inspect s3://bench/none/ --manifest m --include nothing").exits(3);
}

#[test]
fn a_version_that_was_replaced_is_changed_and_the_recorded_one_is_named() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    fs::create_dir(bench.path("tree")).unwrap();
    bench.write("tree/a", b"as it was");
    bench.run("put -r tree s3://bench/p/ --manifest m").ok();
    let version = bench.object("p/a").version_id;
    bench.write("other", b"encrypted");
    bench.run("put other s3://bench/p/a").ok();
    let ended = bench.run(&format!("{COMPARE} --json")).exits(8);
    let row = ended.documents().remove(0);
    assert_eq!((&row["state"], &row["expected"]["version_id"]), (&json!("changed"), &json!(version)));
    bench.run(&format!("get s3://bench/p/a back --version-id {version}")).ok();
    assert_eq!(bench.read("back"), b"as it was");
    // Deleted, it is missing, though its versions are there.
    bench.write("tree/b", b"stays");
    bench.run("put -r tree s3://bench/p/ --manifest m").ok();
    bench.run(COMPARE).ok();
    fs::remove_file(bench.path("tree/a")).unwrap();
    bench.run("put -r tree s3://bench/p/ --update --delete --max-delete 1 --yes").ok();
    bench.run(&format!("get s3://bench/p/a again --version-id {version}")).ok();
    bench.run(COMPARE).exits(8).says(&["1 of 2 objects are not as in the manifest: 1 missing\n"]);
}

#[test]
fn instruction_files_are_expected_where_the_manifest_knows_of_them_and_never_extra() {
    let bench = stored("--key key --instruction-file");
    let version = bench.object("p/a.instruction").version_id;
    bench.sandbox.s3().try_delete(BUCKET, "p/a.instruction", &version, false).unwrap();
    let ended = bench.run(&format!("{COMPARE} --json --only-unexpected")).exits(8);
    let (states, sum) = states(&ended);
    assert_eq!(states, [("a.instruction".to_owned(), "missing".to_owned())].into());
    assert_eq!(sum["same_by_name"], 3);
    // Of objects that only a listing has shown nobody knows.
    let bench = stored("--key key --instruction-file");
    bench.sandbox.s3().set_clock_ahead(60);
    bench.run("put -r tree s3://bench/p/ --key key --instruction-file").ok();
    bench.sandbox.s3().set_clock_ahead(0);
    bench.run("put -r tree s3://bench/p/ --key key --update --manifest m").ok().says(&["4 unchanged"]);
    bench.run(COMPARE).ok();
    let bench = stored("--key key");
    bench.sandbox.s3().put_plain(BUCKET, "p/a.instruction", b"not one of ours");
    bench.run(COMPARE).exits(8).says(&["1 extra"]);
}

#[test]
fn each_format_has_the_same_objects() {
    let bench = stored("");
    bench.sandbox.s3().put_plain(BUCKET, "p/new", b"=1");
    let table = String::from_utf8(bench.run(COMPARE).exits(8).stdout).unwrap();
    for line in [
        "STATE",
        "same",
        "extra           2 B  s3://bench/p/new",
        "Not as in the manifest:\n  s3://bench/p/new: extra",
    ] {
        assert!(table.contains(line), "{table}");
    }
    let csv = String::from_utf8(bench.run(&format!("{COMPARE} --format csv")).exits(8).stdout).unwrap();
    assert_eq!(csv.lines().count(), 6);
    assert!(csv.contains("s3://bench/p/new,extra,,,2,"), "{csv}");
    let json = bench.run(&format!("{COMPARE} --format json")).exits(8).json();
    assert_eq!((&json["record"], json["objects"].as_array().unwrap().len()), (&json!("comparison"), 5));
    assert_eq!(json["summary"]["extra"], 1);
    let summary = bench.run(&format!("{COMPARE} --summary")).exits(8);
    assert!(
        String::from_utf8(summary.stdout)
            .unwrap()
            .starts_with("5 objects compared with the manifest: 4 the same")
    );
    let quiet = bench.run(&format!("{COMPARE} -q")).exits(8).writes_nothing();
    quiet.says(&["s3://bench/p/new: extra"]);
}

#[test]
fn a_manifest_that_is_broken_cut_off_or_foreign_is_refused_before_anything_is_compared() {
    let bench = stored("");
    let whole = String::from_utf8(bench.read("m")).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for (text, code, why) in [
        (String::new(), 6, "not a manifest of s3seal"),
        ("a,b\n".to_owned(), 6, "not a manifest of s3seal"),
        (whole[..whole.len() - 1].to_owned(), 6, "line 6: the line was cut off"),
        (lines[..5].concat(), 6, "the line that ends a manifest is missing"),
        (lines[..4].concat() + lines[5], 6, "says that it has 4 objects, and it has 3"),
        (whole.clone() + lines[1], 6, "line 7: it comes after the end"),
        (whole.replace("\"name\"", "\"nam\""), 6, "line 2: missing field `name`"),
        (whole.replace("\"manifest_version\":1", "\"manifest_version\":9"), 2, "version 9"),
        (lines[0].to_owned() + &"x".repeat(20_000), 6, "line 2: the line is too long"),
    ] {
        bench.write("m", text.as_bytes());
        let refused = bench.run(COMPARE).exits(code).says(&[why]).writes_nothing();
        assert!(code != 6 || refused.stderr.contains("hint: nothing was compared"), "{}", refused.stderr);
    }
    bench.run("inspect s3://bench/p/ --manifest none").exits(3).says(&["none"]);
    bench.run("inspect s3://bench/p/ --manifest tree").exits(1);
}

#[test]
fn a_name_that_comes_twice_is_refused_where_it_comes_and_what_was_compared_is_not_denied() {
    let bench = stored("");
    let text = String::from_utf8(bench.read("m")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[5] = r#"{"record":"end","objects":5}"#;
    let last = lines.iter().position(|line| line.contains(r#""name":"z""#)).unwrap();
    lines.insert(last, lines[last]);
    bench.write("m", (lines.join("\n") + "\n").as_bytes());
    let refused =
        bench.run(COMPARE).exits(6).says(&["it has z twice", "what comes after it was not compared"]);
    assert!(!refused.stderr.contains("nothing was compared"), "{}", refused.stderr);
    assert!(String::from_utf8(refused.stdout).unwrap().contains("same           10 B  s3://bench/p/a\n"));
}

#[test]
fn a_signal_ends_the_wait_for_a_manifest_that_nobody_writes() {
    let bench = Bench::new();
    bench.program("mkfifo", ["m"]).run().ok();
    let running = bench.start(COMPARE);
    running.catches_signals();
    running.signal("TERM");
    running.end().exits(143);
}

#[test]
fn what_a_listing_alone_put_into_the_manifest_has_no_checksum_there_and_a_copy_of_it_counts_as_changed() {
    let bench = stored("-e sse-s3");
    bench.sandbox.s3().set_clock_ahead(60);
    bench.run("put -r tree s3://bench/p/ -e sse-s3").ok();
    bench.sandbox.s3().set_clock_ahead(0);
    bench.run("put -r tree s3://bench/p/ -e sse-s3 --update --manifest m").ok().says(&["4 unchanged"]);
    bench.run("rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --yes").ok();
    let ended = bench.run(COMPARE).exits(8).says(&["4 changed"]);
    let table = String::from_utf8(ended.stdout).unwrap();
    assert!(table.contains("a: another ETag, and the manifest has no checksum of it"), "{table}");
    let row = bench.run(&format!("{COMPARE} --json")).exits(8).documents().remove(0);
    assert_eq!((&row["state"], &row["expected"]["checksum"]), (&json!("changed"), &Value::Null));
    // A run without --update writes their checksums.
    bench.run("put -r tree s3://bench/p/ -e sse-s3 --manifest m").ok();
    bench.run("rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --yes").ok();
    bench.run(COMPARE).ok();
}

#[test]
fn a_manifest_of_many_names_in_any_order_is_compared_in_little_memory_and_with_few_open_files() {
    let bench = Bench::new();
    let count = 200_000;
    let head =
        json!({ "record": "manifest", "manifest_version": 1, "target": "s3://bench/p/", "created": null });
    let mut lines = vec![head];
    for number in 0..count {
        let name = format!("{:06}-{}", (number * 7919) % count, "x".repeat(400));
        lines.push(json!({ "record": "object", "name": name, "stored_bytes": 1 }));
    }
    lines.push(json!({ "record": "end", "objects": count }));
    let text: String = lines.into_iter().map(|line| line.to_string() + "\n").collect();
    bench.write("m", text.as_bytes());
    bench.sandbox.s3().put_plain(BUCKET, "p/0", b"x");
    let gate = Gate::new();
    let paused = bench.sandbox.fault(Fault::on("ListObjectsV2", Kind::Pause(gate.clone())));
    let running = bench.start_measured(&format!("{COMPARE} --summary"));
    assert!(paused.wait(1, PATIENCE));
    // Read as a whole it takes more than three times its length.
    let peak = running.peak_memory();
    assert!(peak * 1024 < text.len() as u64 * 3 / 2, "{peak} KiB for {} bytes", text.len());
    let files = fs::read_dir(format!("/proc/{}/fd", running.pid)).unwrap().map(|file| file.unwrap().path());
    let runs = files
        .filter_map(|file| fs::read_link(file).ok())
        .filter(|to| to.to_string_lossy().ends_with("(deleted)"));
    let runs = runs.count();
    assert!((1..=2 * text.len() / (32 << 20)).contains(&runs), "{runs} open files");
    gate.open();
    let ended = running.end().exits(8);
    ended.says(&["200001 of 200001 objects are not as in the manifest: 200000 missing, 1 extra"]);
}

#[test]
fn sha256_tells_a_copy_from_a_forgery_unless_it_has_other_parts() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tree")).unwrap();
    bench.write("tree/small", &bytes(10));
    bench.write("tree/large", &bytes(2 * PART));
    let put = "put -r tree s3://bench/p/ -e sse-s3 --checksum sha256";
    bench.run(&format!("{put} --manifest m --part-size 5MiB")).ok();
    for again in
        [&format!("{put} --part-size 6MiB"), "rotate s3://bench/p/ -e sse-kms --kms-key alias/backup --yes"]
    {
        bench.run(again).ok();
        let (states, _) = states(&bench.run(&format!("{COMPARE} --json")).exits(8));
        assert_eq!(states["small"], "same", "{again}");
        assert_eq!(states["large"], "changed: another ETag, and a checksum of other parts", "{again}");
    }
    bench.write("tree/small", &bytes(11)[1..]);
    bench.run(put).ok();
    let (states, _) = states(&bench.run(&format!("{COMPARE} --json")).exits(8));
    assert_eq!(states["small"], "changed: another sha256");
}

#[test]
fn an_object_that_was_forged_does_not_open_or_is_not_in_the_mode_client() {
    let read = "inspect s3://bench/p/ --read-data --key key --expect client";
    let bench = stored("--key key");
    bench.run(read).ok();
    let metadata = bench.object("p/a").metadata;
    bench.sandbox.s3().put_plain(BUCKET, "p/a", &bytes(26));
    bench.run(read).exits(8).says(&["1 of 4 objects are not client"]);
    bench.sandbox.s3().set_metadata(BUCKET, "p/a", metadata);
    bench.run(read).exits(9).says(&["1 of 4 objects could not be read and verified"]);
}

#[test]
fn what_has_a_key_that_no_manifest_can_have_is_extra() {
    let bench = stored("");
    // It stands where its bytes do: its first one is the largest there is.
    for (hidden, before) in [("%FF%FEevil", "</ListBucketResult>"), ("b%FF", "deep")] {
        let adds = Kind::tamper(move |_, answer| {
            let entry = format!("<Contents><Key>p/{hidden}</Key><Size>7</Size><ETag>\"x\"</ETag></Contents>");
            let text = answer.text();
            let end = text.find(before).unwrap();
            let place = if before.starts_with('<') { end } else { text[..end].rfind("<Contents>").unwrap() };
            answer.set_body(format!("{}{entry}{}", &text[..place], &text[place..]));
        });
        let added = bench.sandbox.fault(Fault::on("ListObjectsV2", adds));
        let ended = bench.run(&format!("{COMPARE} --json")).exits(8).says(&["1 extra"]);
        let (states, sum) = states(&ended);
        assert_eq!((states[hidden].as_str(), &sum["same_by_etag"]), ("extra", &json!(4)), "{states:?}");
        assert_eq!(added.count(), 1);
    }
}
