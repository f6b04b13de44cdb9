//! AES-CBC, which old clients wrote: nothing says how long the plaintext is before it is read to its padding.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, assert_same};

/// An object of the AWS SDK for Java with its key, and its plaintext.
fn object() -> (Bench, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/s3ec/positive/javasdk1-v1eo-aes-meta-4096.json");
    let vector: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let bench = Bench::new();
    bench.write("key", vector["key"]["hex"].as_str().unwrap().as_bytes());
    let body = BASE64_STANDARD.decode(vector["body_base64"].as_str().unwrap()).unwrap();
    let metadata: BTreeMap<String, String> =
        serde_json::from_value(vector["object_metadata"].clone()).unwrap();
    bench.sandbox.s3().put_plain(BUCKET, "object", &body);
    bench.sandbox.s3().set_metadata(BUCKET, "object", metadata);
    let get = "get s3://bench/object plain --key key --allow-legacy unauthenticated";
    bench.run(get).ok().says(&["NOT AUTHENTICATED"]);
    let plain = bench.read("plain");
    assert_eq!((plain.len(), body.len()), (4096, 4112));
    (bench, plain)
}

#[test]
fn a_range_is_never_counted_from_an_end_that_is_not_known() {
    let (bench, plain) = object();
    let range = |range: &str| {
        let line = ["get", "s3://bench/object", "-", "--key", "key", "--allow-legacy", "unauthenticated"];
        bench.s3seal(line.into_iter().chain(["--range", range])).run()
    };
    for (asked, from, to) in
        [("0-9", 0, 10), ("4090-", 4090, 4096), ("4080-4095", 4080, 4096), ("17-5000", 17, 4096)]
    {
        assert_same(&range(asked).ok().stdout, &plain[from..to], asked);
    }
    for suffix in ["-5", "-20", "-4100"] {
        range(suffix).exits(2).writes_nothing().says(&["shows only when it is read whole"]);
    }
    for beyond in ["4096-", "4100-4105", "4110-"] {
        range(beyond).exits(1).writes_nothing().says(&["has 4096 bytes"]);
    }
}

#[test]
fn what_nothing_authenticates_is_not_rotated_to_a_key_that_would_unless_that_is_said() {
    let (bench, plain) = object();
    bench.write("new", KnownKey::new(2).hex().as_bytes());
    let rotate = "rotate s3://bench/object -e client --key new --from-key key --allow-legacy unauthenticated";
    for asked in ["--yes", "--dry-run"] {
        let told = bench.run(&format!("{rotate} {asked}")).exits(2);
        told.says(&["nothing authenticates its content", "--seal-plaintext"]);
    }
    assert!(bench.object("object").metadata.contains_key("x-amz-key"), "it has changed");
    bench.run(&format!("{rotate} --yes --seal-plaintext")).ok();
    bench.run("get s3://bench/object plain --key new").ok();
    assert_same(&bench.read("plain"), &plain, "the object");
}
