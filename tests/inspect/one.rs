//! One object: each mode of S3's, keys that fit or not, rights that are missing, the page for people.

use s3seal_sandbox::kms::KmsAction;
use s3seal_sandbox::{Config, Fault, Kind};
use serde_json::json;

use crate::canned::Canned;
use crate::key;
use crate::support::keys::KnownKey;
use crate::support::{ALIAS, BUCKET, Bench};

fn denied() -> Kind {
    Kind::status(400, "AccessDeniedException", "User: u is not authorized to perform: kms:ListAliases")
}

fn page(bench: &Bench, line: &str) -> String {
    let ended = bench.run(&format!("inspect {line} --format table")).ok();
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn each_mode_of_s3_is_named_with_its_key() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/s3 -e sse-s3").ok();
    bench.run("put source s3://bench/kms -e sse-kms --kms-key alias/backup --bucket-key").ok();
    bench.run("put source s3://bench/dsse -e dsse-kms --kms-key alias/backup").ok();
    for (name, mode, bucket_key) in
        [("s3", "sse-s3", false), ("kms", "sse-kms", true), ("dsse", "dsse-kms", false)]
    {
        let found = bench.run(&format!("inspect --format ndjson s3://bench/{name}")).ok().json();
        assert_eq!((&found["encryption"]["mode"], &found["schema_version"]), (&json!(mode), &json!(1)));
        assert_eq!(found["encryption"]["bucket_key"], bucket_key);
        assert_eq!((&found["stored_bytes"], &found["bytes"]), (&json!(4), &json!(4)));
        assert_eq!(found["checksum"]["algorithm"], "crc64nvme");
        assert_eq!(found["client"], json!(null));
        if mode != "sse-s3" {
            assert!(found["encryption"]["kms_key"].as_str().unwrap().starts_with("arn:aws:kms:"));
            assert_eq!(found["kms"]["aliases"], json!([ALIAS]));
            assert_eq!(found["kms"]["metadata"]["state"], "Enabled");
            assert_eq!(found["kms"]["metadata"]["manager"], "CUSTOMER");
        }
    }
}

#[test]
fn an_object_of_old_is_not_encrypted_and_said_so() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "old", b"text");
    assert_eq!(bench.run("inspect --format ndjson s3://bench/old").ok().json()["encryption"]["mode"], "none");
    assert!(page(&bench, "s3://bench/old").contains("at rest       none"));
    bench.run("inspect s3://bench/old --expect encrypted").exits(8).says(&["is not encrypted but none"]);
}

#[test]
fn a_customer_key_fits_or_not_or_is_not_given() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let right = key(&bench, "right", 1);
    key(&bench, "wrong", 2);
    bench.run("put source s3://bench/k -e sse-c --sse-c-key right").ok();
    let state = |flags: &str| {
        let found = bench.run(&format!("inspect --format ndjson s3://bench/k {flags}")).ok().json();
        assert_eq!((&found["encryption"]["mode"], &found["stored_bytes"]), (&json!("sse-c"), &json!(4)));
        found
    };
    assert_eq!(state("")["customer_key"], json!({ "state": "not_given" }));
    assert_eq!(state("--sse-c-key wrong")["customer_key"], json!({ "state": "no_match", "tried": 1 }));
    let seen = state("--sse-c-key wrong --sse-c-key right");
    assert_eq!(seen["customer_key"]["state"], "matches");
    assert_eq!(seen["encryption"]["customer_key_md5"], right.md5());
    let print = seen["customer_key"]["key_fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(seen["encryption"]["key_fingerprint"], print);
    bench.run(&format!("inspect s3://bench/k --sse-c-key right --expect sse-c:{print}")).ok();
    bench.run(&format!("inspect s3://bench/k --sse-c-key right --expect sse-c:{}", right.md5())).ok();
    bench.run(&format!("inspect s3://bench/k --expect sse-c:{print}")).exits(8).says(&["key not given"]);
    assert!(page(&bench, "s3://bench/k").contains("no key given: --sse-c-key SOURCE"));
}

#[test]
fn keys_go_nowhere_but_into_the_requests_that_need_them() {
    let bench = Bench::new();
    bench.write("source", b"text");
    let known = key(&bench, "k", 1);
    bench.run("put source s3://bench/plain -e sse-s3").ok();
    bench.run("put source s3://bench/c -e sse-c --sse-c-key k").ok();
    bench.sandbox.clear_requests();
    let ended = bench.run("inspect s3://bench/ --sse-c-key k -vv").ok();
    assert_eq!(known.found_in(&ended.stdout), None);
    assert_eq!(known.found_in(ended.stderr.as_bytes()), None);
    for request in bench.sandbox.requests() {
        let carries = request.header("x-amz-server-side-encryption-customer-key").is_some();
        assert!(!carries || request.path == "/bench/c", "{request:?}");
    }
}

#[test]
fn the_state_of_a_kms_key_is_told_or_what_is_missing_to_see_it() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/k -e sse-kms --kms-key alias/backup").ok();
    assert!(page(&bench, "s3://bench/k").contains("alias/backup, enabled, managed by the customer"));
    bench.sandbox.kms().deny(KmsAction::DescribeKey, None);
    bench.sandbox.fault(Fault::on("kms:ListAliases", denied()));
    let seen = page(&bench, "s3://bench/k");
    assert!(seen.contains("access denied (kms:DescribeKey)"), "{seen}");
    assert!(seen.contains("access denied (kms:ListAliases)"), "{seen}");
    bench.sandbox.kms().allow_all();
    bench.sandbox.kms().schedule_deletion(ALIAS);
    assert!(page(&bench, "s3://bench/k").contains("pending deletion on 20"));
}

#[test]
fn without_the_right_on_the_kms_key_only_the_checksum_is_missing() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.run("put source s3://bench/k -e sse-kms --kms-key alias/backup").ok();
    bench.sandbox.kms().deny(KmsAction::Decrypt, None);
    let found = bench.run("inspect --format ndjson s3://bench/k").ok().json();
    assert_eq!((&found["encryption"]["mode"], &found["stored_bytes"]), (&json!("sse-kms"), &json!(4)));
    assert_eq!(found["checksum"], json!({ "access_denied": "kms:Decrypt" }));
    let seen = page(&bench, "s3://bench/k");
    assert!(seen.contains("checksum") && seen.contains("access denied (kms:Decrypt)"), "{seen}");
}

#[test]
fn a_client_side_object_under_a_kms_key_names_the_action_that_its_checksum_takes() {
    let bench = Bench::new();
    bench.write("source", b"text");
    bench.write("a.key", KnownKey::new(1).hex().as_bytes());
    bench.run("put source s3://bench/k --key a.key --at-rest sse-kms:alias/backup").ok();
    bench.sandbox.kms().deny(KmsAction::Decrypt, None);
    let found = bench.run("inspect --format ndjson s3://bench/k").ok().json();
    assert_eq!(found["client"]["state"], "claimed");
    assert_eq!(found["checksum"], json!({ "access_denied": "kms:Decrypt" }));
}

#[test]
fn what_the_future_brings_is_shown_as_it_is() {
    let server = Canned::new(|request| {
        let head = request.starts_with("HEAD ");
        let sse =
            "x-amz-server-side-encryption: aws:quantum\r\nx-amz-storage-class: GLASS\r\netag: \"1\"\r\n";
        if head { format!("HTTP/1.1 200 OK\r\n{sse}content-length: 5\r\n\r\n") } else { Canned::not_found() }
    });
    let bench = Bench::new();
    let ask = |flags: &str| {
        let line = format!("inspect s3://bench/k --endpoint-url {} {flags}", server.url());
        bench.s3seal(line.split_whitespace()).run()
    };
    let found = ask("--json").ok().json();
    assert_eq!(
        (&found["encryption"]["mode"], &found["storage_class"]),
        (&json!("aws:quantum"), &json!("GLASS"))
    );
    assert_eq!(found["transport"], json!({ "scheme": "http", "host": server.host(), "tls": null }));
    ask("--expect encrypted").ok();
    ask("--expect sse-kms").exits(8);
    let page = String::from_utf8(ask("").ok().stdout).unwrap();
    assert!(page.contains("aws:quantum (not known to this version of s3seal)"), "{page}");
    assert!(page.contains("plain HTTP"), "{page}");
}

#[test]
fn the_way_to_s3_is_told() {
    let bench = Bench::new();
    bench.sandbox.s3().put_plain(BUCKET, "k", b"");
    let found = bench.run("inspect --format ndjson s3://bench/k").ok().json();
    let tls = &found["transport"]["tls"];
    assert_eq!((&found["transport"]["scheme"], &tls["version"]), (&json!("https"), &json!("TLS 1.3")));
    assert!(tls["cipher_suite"].as_str().unwrap().starts_with("TLS_AES_"), "{tls}");
    assert!(tls["certificate_issuer"].as_str().unwrap().contains("sandbox"), "{tls}");
}

#[test]
fn what_is_not_there_and_what_is_not_allowed_are_errors() {
    let bench = Bench::with(Config { ..Config::with_buckets([BUCKET]) });
    bench.run("inspect s3://bench/none").exits(3).writes_nothing();
    bench.run("inspect s3://nosuchbucket/").exits(3).writes_nothing();
    bench.sandbox.s3().put_plain(BUCKET, "k", b"text");
    bench.sandbox.fault(Fault::on("HeadObject", Kind::status(403, "AccessDenied", "Access Denied")).times(9));
    bench.sandbox.fault(Fault::on("GetObject", Kind::status(403, "AccessDenied", "Access Denied")).times(9));
    bench.run("inspect s3://bench/k").exits(4).writes_nothing();
}

#[test]
fn a_page_says_all_at_once() {
    let bench = Bench::new();
    bench.write("source", &[7; 3000]);
    bench
        .run("put source s3://bench/k -e sse-s3 --tag a=1 --tag b=2 --storage-class STANDARD_IA --content-type text/x-y")
        .ok();
    let page = page(&bench, "s3://bench/k");
    for shown in [
        "s3://bench/k\n",
        "SSE-S3, AES-256",
        "2.9 KiB (3,000 bytes)",
        "crc64nvme",
        "(full object)",
        "STANDARD_IA",
        "text/x-y",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    assert!(!page.contains('\x1b'), "colours where there is no terminal");
}
