//! Many objects: rows in each format, filters, versions, expectations, failures, strange keys, an end on the way.

use s3seal_sandbox::{Fault, Gate, Kind};
use serde_json::{Value, json};

use crate::canned::Canned;
use crate::support::{BUCKET, Bench, PATIENCE};
use crate::{key, rows};

/// A bucket with an object of each kind.
fn mixed() -> Bench {
    let bench = Bench::new();
    bench.write("source", b"text");
    key(&bench, "k", 1);
    bench.run("put source s3://bench/db/kms -e sse-kms --kms-key alias/backup").ok();
    bench.run("put source s3://bench/db/c -e sse-c --sse-c-key k").ok();
    bench.run("put source s3://bench/db/client -e client --key k").ok();
    bench.run("put source s3://bench/other/s3 -e sse-s3").ok();
    bench.sandbox.s3().put_plain(BUCKET, "other/old", b"old text");
    bench
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["key"].as_str().unwrap()).collect()
}

#[test]
fn rows_come_in_order_and_sum_up() {
    let bench = mixed();
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench").ok());
    assert_eq!(names(&found), ["db/c", "db/client", "db/kms", "other/old", "other/s3"]);
    let modes: Vec<&Value> = found.iter().map(|row| &row["encryption"]["mode"]).collect();
    assert_eq!(modes, ["sse-c", "client", "sse-kms", "none", "sse-s3"]);
    assert_eq!((&sum["objects"], &sum["complete"]), (&json!(5), &json!(true)));
    assert_eq!(sum["stored_bytes"], 4 + 20 + 4 + 8 + 4);
    assert_eq!(sum["groups"].as_array().unwrap().len(), 5);
    let (found, sum) =
        rows(&bench.run("inspect --format ndjson s3://bench/db/ --exclude * --include *s --include c*").ok());
    assert_eq!(names(&found), ["db/c", "db/client", "db/kms"]);
    assert_eq!(sum["objects"], 3);
    let (found, _) =
        rows(&bench.run("inspect --format ndjson s3://bench/db/ s3://bench/other/s3 --include kms").ok());
    assert_eq!(names(&found), ["db/kms", "other/s3"]);
}

#[test]
fn each_format_holds_the_same() {
    let bench = mixed();
    let json = bench.run("inspect s3://bench --format json").ok().json();
    assert_eq!((&json["schema_version"], &json["summary"]["objects"]), (&json!(1), &json!(5)));
    assert_eq!(json["objects"].as_array().unwrap().len(), 5);
    assert_eq!(json["buckets"][0]["bucket"], "bench");
    let csv = bench.run("inspect s3://bench --format csv").ok();
    let mut reader = csv::Reader::from_reader(csv.stdout.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let uris: Vec<&str> = records.iter().map(|record| &record[0]).collect();
    assert_eq!(uris[0], "s3://bench/db/c");
    assert_eq!((records.len(), reader.headers().unwrap().len()), (5, 15));
    assert!(csv.stderr.contains("5 objects"), "{}", csv.stderr);
    let table = String::from_utf8(bench.run("inspect s3://bench --format table").ok().stdout).unwrap();
    for shown in ["MODE", "sse-c     key not given", "5 objects, 40 B", "alias/backup  ", "SSE-S3"] {
        assert!(table.contains(shown), "{shown}\n{table}");
    }
    let flag = bench.run("inspect s3://bench --json").ok();
    assert_eq!(flag.documents().len(), 1 + 5 + 1);
}

#[test]
fn people_and_pipes_get_the_table_unless_another_format_is_asked_for() {
    let bench = mixed();
    let text = |line: &str| String::from_utf8(bench.run(line).ok().stdout).unwrap();
    assert!(text("inspect s3://bench/").contains("\nMODE "));
    assert!(text("inspect s3://bench/db/kms").starts_with("s3://bench/db/kms\n"));
    assert_eq!(bench.run("inspect s3://bench/ --json").ok().documents().len(), 1 + 5 + 1);
    assert_eq!(bench.run("inspect s3://bench/db/kms --json").ok().json()["key"], "db/kms");
}

#[test]
fn a_summary_alone_has_the_same_sums_in_each_format() {
    let bench = mixed();
    let run = |flags: &str| bench.run(&format!("inspect s3://bench --summary {flags}"));
    let (_, whole) = rows(&bench.run("inspect --json s3://bench/").ok());
    for flags in ["--json", "--format ndjson", "--format json", "-q --format ndjson"] {
        let found = run(flags).ok().documents();
        assert_eq!((found.len(), &found[0]["summary"]), (1, &whole), "{flags}");
    }
    let table = String::from_utf8(run("").ok().stdout).unwrap();
    assert!(table.contains("5 objects, 40 B") && !table.contains("OBJECT"), "{table}");
    assert!(!table.contains("s3://"), "neither objects nor the bucket's settings: {table}");
    let csv = run("--format csv").ok();
    csv.says(&["5 objects, 40 B"]);
    let csv = String::from_utf8(run("--format csv -q").ok().stdout).unwrap();
    let mut lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.remove(0), "mode,encryption_key,objects,stored_bytes");
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines.contains(&"none,,1,8") && lines.contains(&"sse-c,key not given,1,4"), "{csv}");
    let one = String::from_utf8(bench.run("inspect s3://bench/db/kms --summary").ok().stdout).unwrap();
    assert!(one.ends_with("1 object, 4 B\n"), "{one}");
    let failing = run("--expect sse-s3").exits(8);
    assert!(String::from_utf8(failing.stdout).unwrap().contains("s3://bench/other/old: none"));
}

#[test]
fn quiet_prints_errors_alone_and_data_only_where_it_is_asked_for() {
    let bench = mixed();
    for line in
        ["inspect -q s3://bench", "inspect -q s3://bench/db/kms", "inspect -q s3://bench --bucket-only"]
    {
        let ended = bench.run(line).ok().writes_nothing();
        assert_eq!(ended.stderr, "", "{line}");
    }
    let wrong = bench.run("inspect -q s3://bench/ --expect sse-s3").exits(8).writes_nothing();
    wrong.says(&["not as expected:", "s3://bench/other/old: none", "3 of 5 objects are not sse-s3"]);
    bench.run("inspect -q s3://bench/none").exits(3).writes_nothing().says(&["does not exist"]);
    let csv = bench.run("inspect -q s3://bench/ --format csv").ok();
    assert_eq!((csv.stderr.as_str(), csv.stdout.split(|byte| *byte == b'\n').count()), ("", 1 + 5 + 1));
    assert_eq!(bench.run("inspect -q s3://bench/ --json").ok().documents().len(), 1 + 5 + 1);
    let wrong = bench.run("inspect s3://bench/ --expect sse-s3 --json").exits(8);
    let document: serde_json::Value = serde_json::from_str(&wrong.stderr).unwrap();
    assert_eq!(document["error"]["exit_code"], 8);
    assert_eq!(wrong.documents().last().unwrap()["summary"]["unexpected"], 3);
}

#[test]
fn a_listing_of_many_pages_is_whole() {
    let bench = Bench::new();
    for number in 0..1_203 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("many/{number:05}"), b"x");
    }
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench/many/").ok());
    assert_eq!((found.len(), &sum["objects"]), (1_203, &json!(1_203)));
    assert!(names(&found).is_sorted());
    assert_eq!(bench.requests("ListObjectsV2").len(), 2);
    bench.sandbox.s3().set_versioning(BUCKET);
    let (found, _) = rows(&bench.run("inspect --format ndjson s3://bench/many/ --all-versions").ok());
    assert_eq!(found.len(), 1_203);
}

#[test]
fn all_versions_are_looked_at_when_asked() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.sandbox.s3().put_plain(BUCKET, "k", b"before versions");
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.run("put source s3://bench/k -e sse-kms --kms-key alias/backup").ok();
    let (found, _) = rows(&bench.run("inspect --format ndjson s3://bench/").ok());
    assert_eq!(found.len(), 1);
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench/ --all-versions").ok());
    let latest: Vec<&Value> = found.iter().map(|row| &row["is_latest"]).collect();
    assert_eq!(latest, [true, false]);
    assert_eq!(found[1]["encryption"]["mode"], "none");
    assert_eq!(sum["objects"], 2);
    bench.run("inspect s3://bench/ --expect encrypted").ok();
    bench
        .run("inspect s3://bench/ --expect encrypted --all-versions -q")
        .exits(8)
        .says(&["(version null): none"]);
}

#[test]
fn a_version_that_a_server_does_not_show_is_not_left_out() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.write("source", b"text");
    for key in ["a", "b"] {
        bench.run(&format!("put source s3://bench/{key}")).ok();
    }
    bench.sandbox.fault(Fault::on("HeadObject", Kind::status(405, "", "")).only("/b").always());
    let ended = bench.run("inspect s3://bench/ --all-versions --expect encrypted -q").exits(9);
    ended.says(&["s3://bench/b"]);
}

#[test]
fn all_versions_of_one_object_are_those_of_no_longer_key() {
    let bench = Bench::new();
    bench.sandbox.s3().set_versioning(BUCKET);
    bench.write("source", b"text");
    for line in ["v/f1", "v/f1 -e sse-kms", "v/f10", "v/f1/x"] {
        bench.run(&format!("put source s3://bench/{line}")).ok();
    }
    let line = "inspect --format ndjson --all-versions s3://bench/v/";
    let (found, sum) = rows(&bench.run(&format!("{line}f1")).ok());
    assert_eq!((names(&found), &sum["objects"]), (vec!["v/f1", "v/f1"], &json!(2)));
    assert_eq!(sum["filtered_out"], rows(&bench.run(line).ok()).1["filtered_out"]);
    bench.run(&format!("{line}f10 --expect sse-s3")).ok();
    bench.run(&format!("{line}f1 --expect sse-s3")).exits(8);
    bench.run(&format!("{line}f")).exits(3);
}

#[test]
fn quiet_names_each_object_that_is_not_as_expected() {
    let bench = Bench::new();
    for number in 0..25 {
        bench.sandbox.s3().put_plain(BUCKET, &format!("p/{number:02}"), b"x");
    }
    let ended = bench.run("inspect s3://bench/p/ --expect sse-kms -q").exits(8);
    let named = (0..25).map(|number| format!("s3://bench/p/{number:02}: none")).collect::<Vec<_>>();
    assert!(!ended.stderr.contains("more"), "{}", ended.stderr);
    ended.says(&named.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn nothing_is_as_expected_where_there_is_nothing() {
    let bench = Bench::new();
    let ended = bench.run("inspect s3://bench/none/ --expect sse-s3").exits(3);
    let table = String::from_utf8_lossy(&ended.stdout);
    assert!(table.contains("0 objects") && !table.contains("as expected"), "{table}");
}

#[test]
fn what_is_not_as_expected_is_listed_with_exit_8() {
    let bench = mixed();
    let ended = bench.run("inspect --format ndjson s3://bench/ --expect sse-kms --expect client").exits(8);
    let ended = ended.says(&[
        "3 of 5 objects are not sse-kms or client",
        "s3://bench/other/old: none",
        "s3://bench/db/c: sse-c (key not given)",
    ]);
    let (found, sum) = rows(&ended);
    assert_eq!(sum["unexpected"], 3);
    assert_eq!(sum["expected"], json!(["sse-kms", "client"]));
    assert_eq!(found.iter().filter(|row| row["as_expected"] == false).count(), 3);
    let (found, _) = rows(
        &bench
            .run("inspect --format ndjson s3://bench/ --expect sse-kms --expect client --only-unexpected")
            .exits(8),
    );
    assert_eq!(names(&found), ["db/c", "other/old", "other/s3"]);
    bench.run("inspect s3://bench/db/ --include kms --expect sse-kms:alias/backup").ok();
    let table = bench.run("inspect s3://bench/ --expect encrypted --format table").exits(8);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(
        table.contains("✗ none") && table.contains("✓ sse-s3") && table.contains("Not as expected:"),
        "{table}"
    );
}

#[test]
fn an_alias_that_leads_elsewhere_does_not_do() {
    let bench = mixed();
    bench.sandbox.kms().create_key_with_alias("alias/elsewhere");
    bench.run("inspect s3://bench/db/kms --expect sse-kms:alias/elsewhere").exits(8);
    bench.run("inspect s3://bench/db/kms --expect sse-kms:alias/unknown").exits(5);
}

#[test]
fn objects_that_cannot_be_looked_at_are_rows_with_exit_9() {
    let bench = mixed();
    let denied = Kind::status(403, "AccessDenied", "Access Denied");
    for operation in ["HeadObject", "GetObject"] {
        bench.sandbox.fault(Fault::on(operation, denied.clone()).only("db/kms").times(9));
    }
    let ended = bench
        .run("inspect --format ndjson s3://bench/")
        .exits(9)
        .says(&["1 of 5 objects could not be inspected", "s3://bench/db/kms"]);
    let (found, sum) = rows(&ended);
    let failed = found.iter().find(|row| row["error"].is_object()).unwrap();
    assert_eq!(failed["uri"], "s3://bench/db/kms");
    assert_eq!((&sum["objects"], &sum["failed"]), (&json!(4), &json!(1)));
    bench.run("inspect s3://bench/ --expect sse-s3 -q").exits(8).says(&["not inspected:"]);
}

#[test]
fn an_object_that_goes_meanwhile_is_no_failure() {
    let bench = mixed();
    for operation in ["HeadObject", "GetObject"] {
        let gone = Kind::status(404, "NoSuchKey", "The specified key does not exist.");
        bench.sandbox.fault(Fault::on(operation, gone).only("db/kms").times(9));
    }
    let (found, sum) = rows(&bench.run("inspect --format ndjson s3://bench/").ok());
    assert_eq!((found.len(), &sum["failed"]), (4, &json!(0)));
}

fn strange() -> Vec<String> {
    vec![
        "/leading".to_owned(),
        "../../etc/passwd".to_owned(),
        "a\nerror: b".to_owned(),
        "\u{1b}[2J\u{1b}]0;title\u{7}".to_owned(),
        "comma,\"quote\"".to_owned(),
        "=cmd()|'x'!A1".to_owned(),
        "%2F%ZZ+ +".to_owned(),
        "gpj.\u{202e}exe".to_owned(),
        "größe ☂ 日本".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "long".repeat(256),
    ]
}

#[test]
fn strange_keys_do_no_harm_in_any_format() {
    let bench = Bench::new();
    for key in strange() {
        bench.sandbox.s3().put_plain(BUCKET, &key, b"x");
    }
    let mut expected = strange();
    expected.sort();
    let (found, _) = rows(&bench.run("inspect --format ndjson s3://bench/").ok());
    let mut shown = names(&found);
    shown.sort_unstable();
    assert_eq!(shown, expected);
    let csv = bench.run("inspect s3://bench/ --format csv").ok();
    let mut uris: Vec<String> = csv::Reader::from_reader(csv.stdout.as_slice())
        .records()
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    uris.sort();
    let mut all: Vec<String> = expected.iter().map(|key| format!("s3://bench/{key}")).collect();
    all.sort();
    assert_eq!(uris, all);
    let paper = bench.path("report.html");
    let flags = format!("inspect s3://bench/ --format table --expect sse-s3 --report {}", paper.display());
    let table = bench.run(&flags).exits(8);
    let html = std::fs::read_to_string(paper).unwrap();
    for text in [String::from_utf8(table.stdout).unwrap(), html.clone()] {
        let harmful = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.contains(harmful), "{text:?}");
        assert!(!text.contains("\nerror: b"), "a key made a line of its own");
        assert!(text.contains(r"\u{1b}[2J") && text.contains("größe ☂ 日本"), "{text}");
    }
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
}

#[test]
fn keys_that_are_no_text_are_rows_that_say_so() {
    let server = Canned::new(|request| {
        if !request.contains("list-type=2") {
            return Canned::not_found();
        }
        Canned::xml(
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>\
             <Contents><Key>a%FF%1B</Key><Size>5</Size></Contents></ListBucketResult>",
        )
    });
    let bench = Bench::new();
    let line = format!("inspect --format ndjson s3://bench/x/ --endpoint-url {}", server.url());
    let ended = bench.run(&line).exits(9);
    let (found, _) = rows(&ended);
    assert_eq!(found[0]["uri"], "s3://bench/a%FF%1B");
    assert!(found[0]["error"]["message"].as_str().unwrap().contains("not valid UTF-8"));
}

#[test]
fn a_listing_without_an_end_is_not_followed_for_ever() {
    let server = Canned::new(|_| {
        Canned::xml(
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>\
             </ListBucketResult>",
        )
    });
    let bench = Bench::new();
    bench
        .run(&format!("inspect s3://bench/x/ --endpoint-url {}", server.url()))
        .exits(6)
        .says(&["its listing goes round in a circle"]);
}

#[test]
fn an_end_on_the_way_leaves_whole_lines() {
    for format in ["ndjson", "csv"] {
        let bench = Bench::new();
        for number in 0..300 {
            bench.sandbox.s3().put_plain(BUCKET, &format!("k{number:03}"), b"x");
        }
        let gate = Gate::new();
        bench.sandbox.fault(Fault::on("HeadObject", Kind::Pause(gate.clone())).skip(150).times(1000));
        let running = bench.start(&format!("inspect s3://bench/ --format {format} --jobs 4"));
        assert!(bench.sandbox.wait_for("HeadObject", 151, PATIENCE));
        running.signal("INT");
        let ended = running.end().exits(130);
        gate.open();
        let text = String::from_utf8(ended.stdout.clone()).unwrap();
        assert!(text.ends_with('\n'));
        if format == "csv" {
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let count = reader.records().map(Result::unwrap).count();
            assert!((1..=150).contains(&count), "{count}");
        } else {
            let (found, sum) = rows(&ended);
            assert_eq!(sum["complete"], false);
            assert_eq!(sum["objects"], found.len());
        }
    }
}

#[test]
fn nothing_but_reading_is_ever_asked() {
    let bench = mixed();
    bench.sandbox.clear_requests();
    bench.run("inspect s3://bench --deep --sse-c-key k --key k").ok();
    for name in ["db/kms", "db/c", "db/client", "other/old"] {
        bench.run(&format!("inspect s3://bench/{name} --sse-c-key k --key k")).ok();
    }
    for request in bench.sandbox.requests() {
        let reads = ["Get", "Head", "List", "Describe"]
            .iter()
            .any(|verb| request.operation.trim_start_matches("kms:").starts_with(verb));
        assert!(reads, "{}", request.operation);
    }
}
