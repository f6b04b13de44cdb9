//! Audits from S3 Inventory reports that other libraries made, beside audits of the objects themselves.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use s3seal_sandbox::Config;

use crate::support::Bench;
use crate::{key, rows};

fn report(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect/inventory").join(format)
}

/// The bucket of the reports, with the objects that `make_inventory.py` names.
fn bench() -> Bench {
    let bench = Bench::with(Config {
        kms_aliases: vec!["alias/backup".to_owned()],
        ..Config::with_buckets(["demo", "reports"])
    });
    key(&bench, "k", 1);
    let put = |name: &str, len: usize, flags: &[&str]| {
        bench.write("source", &vec![7; len]);
        let target = format!("s3://demo/{name}");
        bench.s3seal(["put", "source", &target, "-q"].into_iter().chain(flags.iter().copied())).run().ok();
    };
    put("db/a.sql", 3000, &["-e", "sse-kms", "--kms-key", "alias/backup", "--bucket-key"]);
    put("db/b.sql", 2000, &["-e", "dsse-kms", "--kms-key", "alias/backup"]);
    put("db/c.sql", 1000, &["-e", "sse-c", "--sse-c-key", "k"]);
    put("/lead", 30, &["-e", "sse-s3"]);
    put("odd\nkey,\"x\" \u{1b}[2J", 20, &["-e", "sse-s3"]);
    put("größe 1+1.bin", 10, &["-e", "sse-s3"]);
    for number in 0..40 {
        put(&format!("many/{number:03}"), number, &["-e", "sse-s3"]);
    }
    bench.sandbox.s3().put_plain("demo", "old/plain.txt", &[7; 500]);
    bench
}

/// Stores a report, after a change to its manifest.
fn store(bench: &Bench, format: &str, change: impl Fn(String) -> String) {
    for entry in fs::read_dir(report(format)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = fs::read(&path).unwrap();
        let key = match name.as_str() {
            "manifest.json" => {
                bytes = change(String::from_utf8(bytes).unwrap()).into_bytes();
                "manifest.json".to_owned()
            }
            name => format!("reports/demo/all/data/{name}"),
        };
        bench.write("source", &bytes);
        bench.run(&format!("put source s3://reports/{key} -q")).ok();
    }
}

/// Objects and bytes by mode, whatever the keys.
fn by_mode(sum: &Value) -> BTreeMap<String, (u64, u64)> {
    let mut modes = BTreeMap::new();
    for share in sum["groups"].as_array().unwrap() {
        let amount: &mut (u64, u64) = modes.entry(share["mode"].as_str().unwrap().to_owned()).or_default();
        amount.0 += share["objects"].as_u64().unwrap();
        amount.1 += share["stored_bytes"].as_u64().unwrap();
    }
    modes
}

#[test]
fn a_report_sums_up_to_what_the_objects_do() {
    let bench = bench();
    let (objects, seen) = rows(&bench.run("inspect --format ndjson s3://demo").ok());
    let mut keys: Vec<&str> = objects.iter().map(|row| row["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    for format in ["csv", "parquet"] {
        store(&bench, format, |manifest| manifest);
        bench.sandbox.clear_requests();
        let ended = bench.run("inspect --format ndjson --inventory s3://reports/manifest.json").ok();
        let (reported, sum) = rows(&ended);
        assert_eq!(by_mode(&sum), by_mode(&seen), "{format}");
        assert_eq!(
            (&sum["objects"], &sum["stored_bytes"]),
            (&seen["objects"], &seen["stored_bytes"]),
            "{format}"
        );
        assert_eq!(sum["delete_markers"], 1, "{format}");
        let mut found: Vec<&str> = reported.iter().map(|row| row["key"].as_str().unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, keys, "{format}");
        let a = reported.iter().find(|row| row["key"] == "db/a.sql").unwrap();
        assert_eq!((&a["encryption"]["bucket_key"], &a["stored_bytes"]), (&json!(true), &json!(3000)));
        assert_eq!(a["last_modified"].as_str().unwrap()[..19], *"2026-10-01T01:00:00");
        let head = &ended.documents()[0];
        assert_eq!(
            (&head["record"], &head["created"]),
            (&json!("inventory"), &json!("2026-10-01T01:00:00Z"))
        );
        assert_eq!(head["not_covered"], json!(["keys", "client_side"]));
        assert!(
            bench.requests("HeadObject").iter().all(|request| request.path.starts_with("/reports/")),
            "{format}"
        );
        let versions = rows(
            &bench.run("inspect --format ndjson --inventory s3://reports/manifest.json --all-versions").ok(),
        )
        .1;
        assert_eq!(versions["objects"].as_u64().unwrap(), seen["objects"].as_u64().unwrap() + 1);
    }
}

#[test]
fn expectations_hold_for_reports_as_far_as_those_can_tell() {
    let bench = bench();
    store(&bench, "csv", |manifest| manifest);
    let line = "inspect --inventory s3://reports/manifest.json";
    let ended = bench.run(&format!("{line} --format ndjson --expect encrypted")).exits(8);
    assert_eq!(rows(&ended).1["unexpected_objects"][0]["name"], "s3://demo/old/plain.txt");
    bench.run(&format!("{line} --expect encrypted --exclude old/*")).ok();
    for cannot in ["client", "sse-kms:alias/backup", "sse-c:abc"] {
        bench
            .run(&format!("{line} --expect {cannot}"))
            .exits(2)
            .says(&["does not show", "hint:"])
            .writes_nothing();
    }
    let table = String::from_utf8(bench.run(line).ok().stdout).unwrap();
    assert!(table.contains("S3 Inventory of s3://demo") && table.contains("not shown"), "{table}");
}

#[test]
fn rules_do_not_count_for_a_report_and_that_is_said_once() {
    let bench = bench();
    store(&bench, "csv", |manifest| manifest);
    let config = bench.home().join("config.toml");
    let ruled = |rule: &str, flags: &str| {
        fs::write(&config, rule).unwrap();
        fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
        let line = format!("inspect --inventory s3://reports/manifest.json {flags}");
        let ended = bench.s3seal(line.split_whitespace()).with("S3SEAL_CONFIG", &config).run().ok();
        ended.stderr.matches("rules of configuration files do not count for an S3 Inventory report").count()
    };
    let demand = "[[rule]]\nmatch = \"s3://demo/db/\"\nmust-encrypt = \"client\"\n";
    assert_eq!(ruled(demand, "--expected-bucket-owner 111122223333 --report page.html"), 1);
    let page = String::from_utf8(bench.read("page.html")).unwrap();
    assert!(!page.contains("111122223333"), "of the objects' bucket nothing was asked: {page}");
    assert_eq!(ruled(demand, "--override-rules"), 0);
    assert_eq!(ruled(&demand.replace("demo", "other"), ""), 0);
}

#[test]
fn a_report_that_was_changed_is_refused() {
    let bench = bench();
    let line = "inspect --inventory s3://reports/manifest.json";
    store(&bench, "csv", |manifest| {
        let place = manifest.find("\"MD5checksum\": \"").unwrap() + 16;
        let other = if &manifest[place..=place] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &manifest[..place], &manifest[place + 1..])
    });
    bench.run(line).exits(6).says(&["not the file that the manifest describes"]);
    store(&bench, "csv", |manifest| manifest.replace("EncryptionStatus", "Other"));
    bench.run(line).exits(2).says(&["add the field EncryptionStatus"]);
    store(&bench, "csv", |_| "{}".to_owned());
    bench.run(line).exits(6).says(&["not an S3 Inventory manifest"]);
    store(&bench, "parquet", |manifest| manifest.replace("\"Parquet\"", "\"ORC\""));
    bench.run(line).exits(2).says(&["ORC"]);
    bench.run("inspect --inventory s3://reports/none.json").exits(3);
}
