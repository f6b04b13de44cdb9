//! The rules in force for a place, and where they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use s3seal_sandbox::{Fault, Kind};

use crate::support::Bench;
use crate::{Checks, FAILED, OK, WARNING, doctor, program};

const RULES: &str = r#"
[[rule]]
match = "s3://bench/p/"
encrypt = "sse-kms"
kms-key = "alias/backup"
must-encrypt = ["client", "sse-kms"]

[[rule]]
match = "s3://bench/q/"
encrypt = "sse-s3"
"#;

/// Runs `doctor` with a configuration file.
fn ruled(bench: &Bench, rules: &str, words: &str) -> Checks {
    let config = bench.home().join("config.toml");
    fs::write(&config, rules).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    Checks::of(program(bench, words).with("S3SEAL_CONFIG", &config).run())
}

#[test]
fn what_a_rule_does_not_permit_is_in_the_way() {
    let bench = Bench::new();
    ruled(&bench, RULES, "").exits(0).has("rule", OK, "met by SSE-KMS");
    let checks = ruled(&bench, RULES, "-e sse-s3").exits(8);
    checks.has("rule", FAILED, "demands client-side or SSE-KMS, not SSE-S3");
    checks.is_mended_by("rule", FAILED, "use the encryption that is demanded");
    // What is only read is not compared: get does that, object by object.
    ruled(&bench, RULES, "-e sse-s3 --for get").exits(0);
    let demands = |modes: &str| format!("[[rule]]\nmatch = \"s3://bench/\"\nmust-encrypt = [{modes}]\n");
    let default = "the bucket's default encryption, SSE-S3";
    ruled(&bench, &demands("\"sse-s3\""), "").exits(0).has("rule", OK, &format!("met by {default}"));
    ruled(&bench, &demands("\"sse-kms\""), "").exits(8).has("rule", FAILED, &format!("not {default}"));
    bench.sandbox.fault(Fault::on("GetBucketEncryption", Kind::status(403, "AccessDenied", "no")));
    ruled(&bench, &demands("\"sse-kms\""), "").exits(0).has("rule", WARNING, "not compared");
}

#[test]
fn a_kms_key_that_a_rule_does_not_permit_is_in_the_way() {
    let bench = Bench::new();
    let keys = |account: &str| {
        format!("[[rule]]\nmatch = \"s3://bench/\"\nkms-keys = [\"arn:aws:kms:*:{account}:key/*\"]\n")
    };
    let words = "-e sse-kms --kms-key alias/backup";
    ruled(&bench, &keys("111122223333"), words).exits(0).has("rule", OK, "met by SSE-KMS");
    ruled(&bench, &keys("999988887777"), words).exits(8).has("rule", FAILED, "demands a key");
}

#[test]
fn the_rule_for_the_place_is_named_with_where_it_stands() {
    let bench = Bench::new();
    let at = format!("{}:2 (s3://bench/p/)", bench.home().join("config.toml").display());
    let checks = ruled(&bench, RULES, "").exits(0);
    checks.has("rule", OK, &at);
    checks.has("rule", OK, "encrypts with sse-kms, demands client or sse-kms");
    ruled(&bench, RULES, "--override-rules").exits(0).has("rule", WARNING, "set aside by --override-rules");
    doctor(&bench, "").has("rule", OK, "none for s3://bench/p/");
}

#[test]
fn a_private_key_of_a_rule_is_for_verbs_that_decrypt() {
    let bench = Bench::new();
    let keys = format!("{}/tests/keys", env!("CARGO_MANIFEST_DIR"));
    for name in ["rsa_a.pem", "rsa_a.pub.pem"] {
        bench.write(name, &fs::read(format!("{keys}/{name}")).unwrap());
    }
    let [private, public] = ["rsa_a.pem", "rsa_a.pub.pem"].map(|name| bench.path(name));
    let rule = format!(
        "[[rule]]\nmatch = \"s3://bench/p/\"\npublic-key = \"{}\"\nprivate-key = \"{}\"\n",
        public.display(),
        private.display()
    );
    for (words, kind, other) in [
        ("", "RSA public key", "RSA private key"),
        ("--for put", "RSA public key", "RSA private key"),
        ("--for rotate --from sse-s3", "RSA public key", "RSA private key"),
        ("--for get", "RSA private key", "passphrase"),
        ("--for inspect", "RSA private key", "passphrase"),
    ] {
        let checks = ruled(&bench, &rule, words).exits(0);
        checks.has("key", OK, kind);
        let keys = checks.all("key");
        assert!(!keys.iter().any(|key| key["seen"].to_string().contains(other)), "{words}: {keys:?}");
    }
    // One that is typed is still answered.
    let ended = program(&bench, "--private-key rsa_a.pem").run();
    ended.exits(2).says(&["--private-key decrypts; it cannot encrypt"]);
}

#[test]
fn a_rule_for_an_object_of_the_places_name_is_worth_a_look() {
    let bench = Bench::new();
    let rule = |place: &str| format!("[[rule]]\nmatch = \"{place}\"\nmust-encrypt = [\"client\"]\n");
    let checks = ruled(&bench, &rule("s3://bench/p"), "").exits(0);
    checks.has("rule", WARNING, "is for the object s3://bench/p, not for s3://bench/p/");
    ruled(&bench, &rule("s3://bench/q"), "").exits(0).has("rule", OK, "none for s3://bench/p/");
}

#[test]
fn before_a_get_the_newest_object_is_compared_with_the_rules() {
    let bench = Bench::new();
    let rules = "[[rule]]\nmatch = \"s3://bench/p/\"\nmust-encrypt = [\"sse-kms\"]\n";
    bench.write("source", b"text");
    bench.run("put source s3://bench/p/a -e sse-kms").ok();
    ruled(&bench, rules, "--for get").exits(0);
    bench.run("put source s3://bench/p/b -e sse-s3").ok();
    let checks = ruled(&bench, rules, "--for get").exits(8);
    checks.has("newest_object", FAILED, "s3://bench/p/b: the rule at");
    ruled(&bench, rules, "--for get --override-rules").exits(0);
}
