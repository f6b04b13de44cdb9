//! A key has one fingerprint, and every place that names the key says it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::authenticity::bench;
use crate::support::keys::KnownKey;
use crate::support::{Bench, Ended};

fn text(ended: &Ended) -> String {
    String::from_utf8(ended.stdout.clone()).unwrap() + &ended.stderr
}

/// The fingerprint of a key file, as `keygen --show` prints it.
fn shown(bench: &Bench, file: &str) -> String {
    let document = bench.run(&format!("keygen --show {file} --json")).ok().json();
    document["key_fingerprint"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_shown_from_each_source_and_in_each_form() {
    let bench = bench();
    let key = KnownKey::new(7);
    bench.write("hex", key.hex().as_bytes());
    bench.write("base64", format!("{}\n", key.base64()).as_bytes());
    bench.write("128", &key.0[..16]);
    let said = |file: &str| text(&bench.run(&format!("keygen --show {file}")).ok());
    let words =
        format!("256-bit key, fingerprint {}, as SSE-C key MD5 {}\n", shown(&bench, "key"), key.md5());
    for file in ["key", "hex", "base64", "file:key"] {
        assert_eq!(said(file), format!("{}: {words}", file.trim_start_matches("file:")));
    }
    let program = bench.s3seal(["keygen", "--show", "env:THE_KEY"]).with("THE_KEY", key.hex());
    assert_eq!(text(&program.run().ok()), format!("env:THE_KEY: {words}"));
    assert_eq!(said("cmd:cat<hex"), format!("the key command: {words}"));
    assert!(said("128").starts_with("128: 128-bit key, fingerprint "));
    // openssl pkey -in rsa_a.pem -pubout -outform DER | sha256sum
    assert_eq!(said("rsa_a.pem"), "rsa_a.pem: RSA private key, fingerprint ca7830de691804fd\n");
    assert_eq!(said("rsa_a.pub.pem"), "rsa_a.pub.pem: RSA public key, fingerprint ca7830de691804fd\n");
    let document = bench.run("keygen --show rsa_a.pub.pem --json").ok().json();
    assert_eq!(
        (&document["file"], &document["kind"], &document["customer_key_md5"]),
        (&json!("rsa_a.pub.pem"), &json!("rsa_public"), &Value::Null)
    );
    // The option stands before or after what it is about.
    assert_eq!(text(&bench.run("keygen key --show").ok()), said("key"));
    // A text with two readings is shown as both.
    bench.write("two", "ab".repeat(16).as_bytes());
    assert_eq!(bench.run("keygen --show two --json").ok().documents().len(), 2);
}

#[test]
fn a_key_is_shown_from_a_file_whose_name_is_not_utf_8() {
    let bench = bench();
    fs::copy(bench.path("key"), bench.path("").join(OsStr::from_bytes(b"k\xff"))).unwrap();
    let line = "exec \"$0\" keygen --show \"$(printf 'k\\377')\"";
    let said = text(&bench.program("sh", ["-c", line, env!("CARGO_BIN_EXE_s3seal")]).run().ok());
    assert!(said.contains(&shown(&bench, "key")), "{said}");
}

#[test]
fn what_cannot_be_shown_is_refused_with_what_to_do() {
    let bench = bench();
    let show = |file: &str| bench.run(&format!("keygen --show {file}")).exits(5).writes_nothing();
    show("missing.key").says(&["cannot read missing.key", "No such file"]);
    show("phrase").says(&["phrase: not a 256-bit key"]);
    fs::set_permissions(bench.path("key"), Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(bench.path("rsa_a.pem"), Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(bench.path("rsa_a.pub.pem"), Permissions::from_mode(0o644)).unwrap();
    show("key").says(&[
        "other users can access key (mode 0644)",
        "hint: chmod 600 key",
        "--allow-open-key-file",
    ]);
    show("rsa_a.pem").says(&["hint: chmod 600 rsa_a.pem"]);
    bench.run("keygen --show key --allow-open-key-file").ok();
    bench.run("keygen --show rsa_a.pub.pem").ok();
    bench.write("id", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNvbW1lbnQgb24gdGhlIGtleQ me");
    show("id").says(&["id is an SSH public key (Ed25519), not a 256-bit key or an RSA key in PEM"]);
}

#[test]
fn every_place_names_a_key_by_the_same_fingerprint() {
    let bench = bench();
    let (key, other, rsa) = (shown(&bench, "key"), shown(&bench, "other"), shown(&bench, "rsa_a.pem"));
    for (name, seals, opens, print) in [
        ("aes", "-e client --key key", "--key key", &key),
        ("esdk", "-e client --format esdk --key key", "--key key", &key),
        ("rsa", "-e client --public-key rsa_a.pub.pem", "--private-key rsa_a.pem", &rsa),
        ("ssec", "-e sse-c --sse-c-key key", "--sse-c-key key", &key),
    ] {
        let names = |line: &str| {
            let said = text(&bench.run(line).ok());
            assert!(said.contains(print.as_str()), "{line}: {said}");
        };
        let object = format!("s3://bench/{name}/o");
        names(&format!("put source {object} {seals}"));
        names(&format!("put source {object} {seals} --json"));
        names(&format!("get {object} copy {opens}"));
        for how in ["", "--json", "--format csv"] {
            names(&format!("inspect {object} {opens} {how}"));
            names(&format!("inspect s3://bench/{name}/ {opens} {how}"));
            names(&format!("inspect s3://bench/{name}/ {opens} {how} --summary"));
        }
        bench.run(&format!("inspect s3://bench/{name}/ {opens} --report page.html")).ok();
        assert!(String::from_utf8(bench.read("page.html")).unwrap().contains(print.as_str()), "{name}");
        if name == "aes" || name == "esdk" {
            let wrong = bench.run(&format!("get {object} copy --key other")).exits(5);
            wrong.says(&[&format!("pass the key with fingerprint {print}"), "`s3seal keygen --show FILE`"]);
        }
        let from = opens.replace("--", "--from-");
        let rotated =
            bench.run(&format!("rotate {object} --yes -e sse-c --sse-c-key other {from} --json")).ok();
        let rotated = rotated.json();
        assert_eq!(rotated["encryption"]["key_fingerprint"], other.as_str(), "{name}");
        assert_eq!(rotated["previous_encryption"]["key_fingerprint"], print.as_str(), "{name}");
        bench.run(&format!("inspect {object} --sse-c-key other --expect sse-c:{other}")).ok();
    }
}

#[test]
fn a_new_key_goes_to_the_file_that_the_flags_for_keys_would_name() {
    let bench = Bench::new();
    bench.run("keygen file:new.key").ok();
    bench.run("keygen --show file:new.key").ok();
    bench.run("keygen ~/home.key").ok();
    assert!(bench.home().join("home.key").is_file());
    for source in ["env:KEY", "fd:3", "cmd:true", "prompt", "-"] {
        bench.run(&format!("keygen {source}")).exits(2).says(&["is no file; a new key goes into one", "./"]);
    }
    assert_eq!(bench.names(), ["new.key"]);
}
