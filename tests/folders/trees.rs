//! A tree of odd names, up and down again in every mode.

use crate::support::keys::KnownKey;
use crate::support::{ALIAS, Bench};
use crate::{ODD, assert_same_tree, tree};

/// Up, down.
const MODES: [(&str, &str); 9] = [
    ("", ""),
    ("-e sse-s3", "-e sse-s3"),
    ("-e sse-kms --kms-key ALIAS --context a=b", "-e sse-kms"),
    ("-e dsse-kms --kms-key ALIAS", ""),
    ("-e sse-c --sse-c-key a.key", "--sse-c-key b.key --sse-c-key a.key"),
    ("-e client --key a.key", "--key b.key --key a.key"),
    ("-e client --key a.key --instruction-file", "--key a.key"),
    ("-e client --format esdk --kms-key ALIAS", "--kms-key ALIAS"),
    ("-e client --format esdk --key a.key --frame-length 4096", "--key a.key"),
];

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.key", KnownKey::new(1).hex().as_bytes());
    bench.write("b.key", KnownKey::new(2).hex().as_bytes());
    bench.write("pw", b"correct horse battery");
    tree(&bench);
    bench
}

#[test]
fn every_mode_brings_a_tree_back() {
    let bench = bench();
    for (number, (up, down)) in MODES.iter().enumerate() {
        let (up, down) = (up.replace("ALIAS", ALIAS), down.replace("ALIAS", ALIAS));
        let prefix = format!("s3://bench/{number}/");
        bench.run(&format!("put -r tree {prefix} {up}")).ok().says(&["stored: 11 files, "]);
        bench.run(&format!("get -r {prefix} copy-{number} {down}")).ok().says(&["fetched: 11 objects, "]);
        assert_same_tree(&bench, &format!("copy-{number}"));
    }
    let mut keys: Vec<String> = ODD.iter().map(|name| format!("0/{name}")).collect();
    keys.push("0/empty".to_owned());
    keys.sort();
    let stored: Vec<String> =
        bench.sandbox.s3().keys("bench").into_iter().filter(|key| key.starts_with("0/")).collect();
    assert_eq!(stored, keys);
}

#[test]
fn a_passphrase_is_derived_once_and_each_object_has_a_data_key_of_its_own() {
    let bench = bench();
    bench.run("put -r tree s3://bench/p/ -e client --passphrase=pw").ok();
    let envelopes: Vec<_> = ODD.iter().map(|name| bench.object(&format!("p/{name}")).metadata).collect();
    let all = |name: &str| {
        let mut values: Vec<String> = envelopes.iter().map(|envelope| envelope[name].clone()).collect();
        values.sort();
        values.dedup();
        values.len()
    };
    assert_eq!(all("x-amz-m"), 1, "one salt");
    assert_eq!(all("x-amz-3"), ODD.len(), "wrapped data keys");
    assert_eq!(all("x-amz-i"), ODD.len(), "message ids");
    bench.run("get -r s3://bench/p/ copy --passphrase=pw").ok();
    assert_same_tree(&bench, "copy");
}

#[test]
fn each_object_has_a_data_key_of_kms() {
    let bench = bench();
    bench.run(&format!("put -r tree s3://bench/ -e client --kms-key {ALIAS}")).ok();
    assert_eq!(bench.requests("kms:GenerateDataKey").len(), ODD.len() + 1);
    bench.run(&format!("get -r s3://bench copy --kms-key {ALIAS}")).ok();
    assert_same_tree(&bench, "copy");
}

#[test]
fn a_small_object_takes_one_request_and_a_large_one_its_ranges() {
    let bench = bench();
    crate::write(&bench.path("tree/large"), &crate::support::bytes(3 * crate::support::PART));
    bench.run("put -r tree s3://bench/p/ --part-size 5MiB").ok();
    bench.sandbox.clear_requests();
    bench.run("get -r s3://bench/p/ copy --part-size 5MiB").ok();
    assert_same_tree(&bench, "copy");
    assert_eq!(bench.requests("HeadObject").len(), 1);
    assert_eq!(bench.requests("GetObject").len(), ODD.len() + 1 + 3);
}

#[test]
fn the_key_of_sse_c_goes_with_every_request_of_a_large_object_among_small_ones() {
    let bench = bench();
    crate::write(&bench.path("tree/large"), &crate::support::bytes(3 * crate::support::PART));
    bench.run("put -r tree s3://bench/p/ -e sse-c --sse-c-key a.key --part-size 5MiB").ok();
    bench.run("get -r s3://bench/p/ copy --sse-c-key a.key --part-size 5MiB").ok();
    assert_same_tree(&bench, "copy");
    bench
        .run("get -r s3://bench/p/ other --sse-c-key b.key")
        .exits(9)
        .says(&["12 of 12 objects were not fetched"]);
    bench.run("get -r s3://bench/p/ other").exits(9).says(&["needs its key"]);
    assert!(!bench.path("other").exists());
}
