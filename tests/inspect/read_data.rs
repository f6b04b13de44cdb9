//! `inspect --read-data`, the test of a restore: all of the data is read, decrypted and verified, and nothing is kept.

use s3seal_sandbox::{Fault, Gate, Kind};
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench, PATIENCE, bytes};
use crate::{key, rows};

const RESTORE: &str = "inspect --read-data s3://bench/db/ --key k --sse-c-key k --kms-key alias/backup";

/// What no summary, row or message may contain.
const CONTENT: &[u8] = b"the content of the backup";

/// An object of each kind, and one that S3 keeps no checksum of.
fn mixed() -> Bench {
    let bench = Bench::new();
    bench.write("source", CONTENT);
    key(&bench, "k", 1);
    key(&bench, "wrong", 2);
    for (name, flags) in [
        ("s3", "-e sse-s3"),
        ("kms", "-e sse-kms --kms-key alias/backup"),
        ("c", "--sse-c-key k"),
        ("local", "--key k"),
        ("stream", "--key k --format esdk"),
        ("beside", "--key k --instruction-file"),
        ("wrapped", "-e client --kms-key alias/backup --context app=db"),
    ] {
        bench.run(&format!("put source s3://bench/db/{name} {flags}")).ok();
    }
    bench.sandbox.s3().put_plain(BUCKET, "db/old", CONTENT);
    bench
}

/// The documents of the rows by the names of their objects.
fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    let uri = format!("s3://bench/db/{name}");
    rows.iter().find(|row| row["uri"] == uri).unwrap_or_else(|| panic!("no row of {name}"))
}

/// Changes the stored bytes of an object without a change of its checksum.
fn tamper(bench: &Bench, key: &str) {
    bench.sandbox.s3().tamper_body(BUCKET, key, |body| body[3] ^= 1);
}

#[test]
fn everything_is_read_and_each_row_says_what_verified_it() {
    let bench = mixed();
    let (found, sum) = rows(&bench.run(&format!("{RESTORE} --format ndjson")).exits(9));
    assert_eq!(row(&found, "wrapped")["record"], "failed", "its context was not given");
    bench.run("put source s3://bench/db/wrapped -e client --kms-key alias/backup").ok();
    assert_eq!((&sum["data"]["objects"], &sum["failed"]), (&json!(8), &json!(1)));

    let (found, sum) = rows(&bench.run(&format!("{RESTORE} --format ndjson")).ok());
    for (name, by) in [
        ("s3", json!(["crc64nvme"])),
        ("kms", json!(["crc64nvme"])),
        ("c", json!(["crc64nvme"])),
        ("local", json!(["tag", "crc64nvme"])),
        ("stream", json!(["tag", "crc64nvme"])),
        ("beside", json!(["tag", "crc64nvme"])),
        ("wrapped", json!(["tag", "crc64nvme"])),
        ("old", json!([])),
    ] {
        let row = row(&found, name);
        let data = &row["data"];
        assert_eq!((&data["verified_by"], &data["bytes"]), (&by, &json!(CONTENT.len())), "{name}");
        let is_client = by[0] == "tag";
        assert_eq!(data["opened_by"].is_object() && data["intact"] == true, is_client, "{name}");
        assert_eq!(row["client"]["state"] == "opened", is_client, "{name}: {}", row["client"]);
        assert_eq!(row["bytes"], CONTENT.len(), "{name}");
    }
    assert_eq!(row(&found, "beside.instruction")["client"]["state"], "instruction_file");
    assert!(row(&found, "old")["data"]["reason"].as_str().unwrap().contains("keeps no checksum"));
    let data = &sum["data"];
    assert_eq!((&data["objects"], &data["of_objects"]), (&json!(9), &json!(9)));
    assert_eq!((&data["not_verifiable"], &data["sample"]), (&json!(1), &json!(null)));
    assert_eq!(sum["claimed_client"], 0);
}

#[test]
fn each_format_says_what_verified_an_object() {
    let bench = mixed();
    let flags = "--exclude wrapped";
    let text = |line: &str| String::from_utf8(bench.run(&format!("{line} {flags}")).ok().stdout).unwrap();
    let table = text(RESTORE);
    for shown in [
        "SIZE  VERIFIED BY     OBJECT",
        "  crc64nvme       s3://bench/db/kms",
        "  tag, crc64nvme  s3://bench/db/local",
        "  not verifiable  s3://bench/db/old",
        "; 7 read and verified (",
        ", 1 read that nothing can verify",
    ] {
        assert!(table.contains(shown), "{shown}\n{table}");
    }
    let csv = text(&format!("{RESTORE} --format csv"));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap().iter().next_back(), Some("verified_by"));
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let by = |name: &str| {
        let record = records.iter().find(|record| record[0].ends_with(name)).unwrap();
        record.iter().next_back().unwrap().to_owned()
    };
    assert_eq!([by("/kms"), by("/local"), by("/old")], ["crc64nvme", "tag crc64nvme", "none"]);
    let json = bench.run(&format!("{RESTORE} {flags} --format json")).ok().json();
    assert_eq!(json["objects"].as_array().unwrap().len(), 8);
    assert_eq!(json["summary"]["data"]["not_verifiable"], 1);
    assert!(text(&format!("{RESTORE} --summary")).contains("; 7 read and verified ("));
    text(&format!("{RESTORE} --report page.html"));
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert!(page.contains("7 read and verified ("), "{page}");
    // Without reading there is no such thing.
    let (found, sum) = rows(&bench.run("inspect s3://bench/db/ --format ndjson").ok());
    assert!(found.iter().all(|row| row["data"].is_null()) && sum["data"].is_null());
}

#[test]
fn one_object_is_a_page_with_a_line_about_its_data() {
    let bench = mixed();
    let page = |line: &str| String::from_utf8(bench.run(line).ok().stdout).unwrap();
    let shown = page("inspect --read-data s3://bench/db/local --key k");
    assert!(shown.contains("data          25 B read, verified by tag, crc64nvme"), "{shown}");
    assert!(shown.contains("authenticated: encrypted by a holder of this key"), "{shown}");
    let shown = page("inspect --read-data s3://bench/db/old");
    assert!(
        shown.contains("data          25 B read, nothing can verify it (S3 keeps no checksum"),
        "{shown}"
    );
    let shown = page("inspect --read-data s3://bench/db/wrapped --kms-key alias/backup --context app=db");
    assert!(shown.contains("opened with KMS key arn:aws:kms:"), "{shown}");
    let json = bench.run("inspect --read-data s3://bench/db/c --sse-c-key k --json").ok().json();
    assert_eq!(json["data"]["verified_by"], json!(["crc64nvme"]));
}

#[test]
fn a_failure_of_one_object_has_its_own_exit_code() {
    let bench = mixed();
    for (name, flags, code) in [
        ("local", "", 5),
        ("local", "--key wrong", 5),
        ("stream", "--key wrong", 5),
        ("c", "", 5),
        ("c", "--sse-c-key wrong", 5),
        ("wrapped", "", 5),
        ("none", "", 3),
        // It would not be the object that was meant.
        ("s3", "--key k", 5),
    ] {
        let ended = bench.run(&format!("inspect --read-data s3://bench/db/{name} {flags}"));
        ended.exits(code).writes_nothing().says(&[&format!("s3://bench/db/{name}")]);
    }
    for (name, flags) in [("local", "--key k"), ("stream", "--key k"), ("s3", ""), ("c", "--sse-c-key k")] {
        tamper(&bench, &format!("db/{name}"));
        let line = format!("inspect --read-data s3://bench/db/{name} {flags}");
        bench.run(&line).exits(6).writes_nothing().says(&["cannot be trusted"]);
        // What is not read looks well.
        bench.run(&line.replace("--read-data ", "")).ok();
    }
}

#[test]
fn one_bad_object_of_many_is_named_and_the_others_are_read() {
    let bench = mixed();
    tamper(&bench, "db/kms");
    tamper(&bench, "db/local");
    let line = format!("{RESTORE} --exclude wrapped");
    let ended = bench.run(&line).exits(9).says(&["2 of 8 objects could not be read and verified"]);
    let table = String::from_utf8(ended.stdout).unwrap();
    for shown in
        ["Not verified:\n", "  s3://bench/db/kms: ", "  s3://bench/db/local: ", "; 5 read and verified ("]
    {
        assert!(table.contains(shown), "{shown}\n{table}");
    }
    let (found, sum) = rows(&bench.run(&format!("{line} --json")).exits(9));
    assert_eq!(row(&found, "kms")["error"]["exit_code"], 6);
    assert_eq!((&sum["data"]["objects"], &sum["data"]["of_objects"]), (&json!(6), &json!(8)));
    let quiet = bench.run(&format!("{line} -q")).exits(9).writes_nothing();
    quiet.says(&["not verified:", "s3://bench/db/kms: ", "s3://bench/db/local: "]);
    // Named one by one they are many, too.
    let named = "inspect -q --read-data s3://bench/db/kms s3://bench/db/s3 s3://bench/db/none";
    bench.run(named).exits(9).says(&["s3://bench/db/kms", "s3://bench/db/none", "2 of 3 objects"]);
}

#[test]
fn an_instruction_file_that_is_missing_is_no_object_that_was_deleted() {
    let bench = mixed();
    let version = bench.object("db/beside.instruction").version_id;
    bench.sandbox.s3().try_delete(BUCKET, "db/beside.instruction", &version, false).unwrap();
    let (found, _) = rows(&bench.run(&format!("{RESTORE} --include beside* --json")).exits(9));
    assert_eq!(row(&found, "beside")["record"], "failed");
}

#[test]
fn a_wrong_key_fails_what_it_should_open_and_nothing_else() {
    let bench = mixed();
    let line = "inspect --read-data s3://bench/db/ --key wrong --sse-c-key wrong --exclude wrapped --json";
    let (found, sum) = rows(&bench.run(line).exits(9));
    for name in ["c", "local", "stream", "beside"] {
        assert_eq!(row(&found, name)["error"]["exit_code"], 5, "{name}");
    }
    assert_eq!((&sum["failed"], &sum["data"]["objects"]), (&json!(4), &json!(4)));
}

#[test]
fn older_versions_are_read_too() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    key(&bench, "k", 1);
    for content in [&b"one"[..], b"two two"] {
        bench.write("source", content);
        bench.run("put source s3://bench/db/k --key k").ok();
    }
    let line = "inspect --read-data s3://bench/db/ --key k --json";
    let (_, sum) = rows(&bench.run(&format!("{line} --all-versions")).ok());
    assert_eq!((&sum["data"]["objects"], &sum["data"]["bytes"]), (&json!(2), &json!(10)));
    let (_, sum) = rows(&bench.run(line).ok());
    assert_eq!((&sum["data"]["objects"], &sum["data"]["bytes"]), (&json!(1), &json!(7)));
}

#[test]
fn nothing_is_written_and_no_content_is_shown() {
    let bench = mixed();
    bench.run("put source s3://bench/db/wrapped -e client --kms-key alias/backup").ok();
    bench.sandbox.clear_requests();
    for flags in ["", "--format ndjson", "--format csv", "-vv", "--progress plain"] {
        let ended = bench.run(&format!("{RESTORE} {flags}")).ok();
        for stream in [ended.stdout.as_slice(), ended.stderr.as_bytes()] {
            assert!(!stream.windows(CONTENT.len()).any(|window| window == CONTENT), "{flags}");
        }
    }
    bench.assert_tidy(&["k", "source", "wrong"]);
    for request in bench.sandbox.requests() {
        let reads = ["Get", "Head", "List", "Describe", "Decrypt"]
            .iter()
            .any(|verb| request.operation.trim_start_matches("kms:").starts_with(verb));
        assert!(reads, "{}", request.operation);
    }
}

#[test]
fn a_sample_is_random_and_says_so() {
    let bench = Bench::new();
    for number in 0..100 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("db/{number:03}"), b"1234");
    }
    let sample = |flags: &str| {
        bench.sandbox.clear_requests();
        let line = format!("inspect --read-data s3://bench/db/ --format ndjson {flags}");
        let (found, sum) = rows(&bench.run(&line).ok());
        let names: Vec<String> = found.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
        // What is not in the sample costs nothing.
        assert_eq!(bench.requests("HeadObject").len(), names.len());
        assert_eq!((&sum["objects"], &sum["data"]["objects"]), (&json!(names.len()), &json!(names.len())));
        (names, sum["data"].clone())
    };
    let (first, sum) = sample("--sample 20%");
    assert_eq!((first.len(), &sum["of_objects"], &sum["sample"]), (20, &json!(100), &json!("20%")));
    assert_ne!(first, sample("--sample 20%").0, "another run reads others");
    assert!(first.is_sorted());
    assert_eq!(sample("--sample 0.5%").0.len(), 1, "never none");
    assert_eq!(sample("--sample 100%").0.len(), 100);
    let (chosen, sum) = sample("--sample 50% --include db/00* --include 00*");
    assert_eq!((chosen.len(), &sum["of_objects"]), (5, &json!(10)));
    let table = bench.run("inspect --read-data s3://bench/db/ --sample 5%").ok().stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains(", a random 5% of 100: another run reads others"), "{table}");
    // A progress that counts ahead knows the same sample: all of it is done in the end.
    let ended = bench.run("inspect --read-data s3://bench/db/ --sample 5% -q");
    ended.ok().writes_nothing();
}

#[test]
fn a_signal_ends_it_with_whole_rows_of_what_was_read() {
    let bench = mixed();
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).only("db/s3"));
    // One after the other, so that some are done before it.
    let running = bench.start(&format!("{RESTORE} --exclude wrapped --json -j 1"));
    assert!(held.wait(1, PATIENCE));
    running.signal("TERM");
    let (found, sum) = rows(&running.end().exits(143));
    gate.open();
    assert_eq!(sum["complete"], false);
    assert_eq!(found.len(), 6);
    assert!(found.iter().all(|row| row["record"] == "object"), "what was stopped did not fail");
}

/// The largest resident size in KiB when the `last` GET arrives.
fn peak(bench: &Bench, line: &str, last: usize) -> u64 {
    let gate = Gate::new();
    let held = bench.sandbox.fault(Fault::on("GetObject", Kind::Pause(gate.clone())).skip(last - 1));
    let running = bench.start_measured(line);
    assert!(held.wait(1, PATIENCE), "{line}");
    let peak = running.peak_memory();
    gate.open();
    running.end().ok();
    peak
}

#[test]
fn memory_is_bounded_by_the_requests_at_once_and_not_by_the_objects() {
    let bench = Bench::new();
    key(&bench, "k", 1);
    // Two ranges each.
    bench.write("source", &bytes(10 << 20));
    for number in 0..20 {
        bench.run(&format!("put source s3://bench/db/{number} --key k")).ok();
    }
    // What the program takes itself, and a range for each request with the buffers of its connection.
    bench.write("small", b"x");
    bench.run("put small s3://bench/one/small --key k").ok();
    let alone = peak(&bench, "inspect --read-data s3://bench/one/ --key k -j 2 -q", 1);
    bench.sandbox.clear_faults();
    assert!(alone < 48 * 1024, "{alone} KiB for one byte");
    let promised = alone + 2 * 12 * 1024;
    let taken = peak(&bench, "inspect --read-data s3://bench/db/ --key k -j 2 -q", 40);
    assert!(taken < promised, "{taken} KiB for 200 MiB, {alone} for one byte");
}
