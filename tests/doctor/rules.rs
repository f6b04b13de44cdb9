//! The rules in force for a place, and where they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Bench;
use crate::{Checks, OK, WARNING, program};

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

#[test]
fn the_rule_for_the_place_is_named_with_where_it_stands() {
    let bench = Bench::new();
    let config = bench.home().join("config.toml");
    fs::write(&config, RULES).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).unwrap();
    let doctor = |words: &str| Checks::of(program(&bench, words).with("S3SEAL_CONFIG", &config).run());
    let checks = doctor("").exits(0);
    checks.has("rule", OK, &format!("{}:2 (s3://bench/p/)", config.display()));
    checks.has("rule", OK, "encrypts with sse-kms, demands client or sse-kms");
    assert_eq!(checks.all("rule").len(), 1);
    doctor("--override-rules").exits(0).has("rule", WARNING, "set aside by --override-rules");
    let elsewhere = program(&bench, "").run();
    Checks::of(elsewhere).has("rule", OK, "none for s3://bench/p/");
}
