//! Which files are read, and which are refused.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::Ruled;
use crate::support::key;
use crate::support::keys::KnownKey;

const RULE: &str = "[[rule]]\nmatch = \"s3://bench/\"\nencrypt = \"sse-kms\"\n";

#[test]
fn an_unknown_setting_is_an_error_with_line_and_column_and_the_nearest_name() {
    let ruled = Ruled::new(&format!("{RULE}must-encrpyt = [\"client\"]\n"));
    ruled.run("put source s3://bench/object").exits(2).says(&[
        &format!("error: {}:1: must-encrpyt is not a setting of a rule", ruled.at(4)),
        "hint: the nearest name is must-encrypt",
    ]);
    ruled.assert_nothing_sent();
    let json = ruled.run("put source s3://bench/object --json").exits(2);
    let document: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!((&document["command"], &document["error"]["exit_code"]), (&"put".into(), &2.into()));
}

#[test]
fn help_and_what_needs_no_place_do_without_the_files() {
    let ruled = Ruled::new("this is no TOML");
    for line in ["--help", "put --help", "--version", "keygen new.key", "put --unknown"] {
        let ended = ruled.run(line);
        assert!(!ended.stderr.contains("config.toml"), "{line}: {}", ended.stderr);
    }
    ruled.run("get s3://bench/object").exits(2).says(&[&ruled.at(1)]);
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let ruled = Ruled::new(RULE);
    for mode in [0o664, 0o646, 0o622] {
        fs::set_permissions(&ruled.config, fs::Permissions::from_mode(mode)).unwrap();
        ruled.run("put source s3://bench/object").exits(2).says(&["other users can write", "chmod go-w"]);
    }
    ruled.assert_nothing_sent();
    fs::set_permissions(&ruled.config, fs::Permissions::from_mode(0o600)).unwrap();
    ruled.run("put source s3://bench/object").ok().says(&["SSE-KMS"]);
}

#[test]
fn a_key_in_the_file_is_refused_and_not_repeated() {
    let known = KnownKey(key(7));
    for setting in ["key", "sse-c-key", "passphrase"] {
        for value in [known.hex(), known.base64()] {
            let toml = format!("[[rule]]\nmatch = \"s3://other/\"\n{setting} = \"{value}\"\n");
            let ruled = Ruled::new(&toml);
            let ended = ruled.run("put source s3://bench/object").exits(2);
            let ended = ended.says(&[&ruled.at(3), "is a key, not the source of one", "make a new key"]);
            assert_eq!(known.found_in(ended.stderr.as_bytes()), None, "{}", ended.stderr);
            ruled.assert_nothing_sent();
        }
    }
}

#[test]
fn an_empty_variable_reads_no_file_and_a_missing_file_is_an_error() {
    let ruled = Ruled::new(RULE);
    ruled.program("put source s3://bench/object").with("S3SEAL_CONFIG", "").run().ok().says(&["SSE-S3"]);
    let missing = ruled.bench.path("missing.toml");
    let ended = ruled.program("put source s3://bench/object").with("S3SEAL_CONFIG", &missing).run();
    ended.exits(2).says(&["error: S3SEAL_CONFIG names", "which does not exist", "S3SEAL_CONFIG= reads none"]);
}

#[test]
fn a_file_that_a_link_does_not_lead_to_any_more_is_not_taken_for_none() {
    let ruled = Ruled::new(RULE);
    let own = ruled.bench.home().join(".config/s3seal");
    fs::create_dir_all(own.parent().unwrap()).unwrap();
    let run = || ruled.program("put source s3://bench/object").without("S3SEAL_CONFIG").run();
    // The folder, then the file in it.
    symlink("/nowhere", &own).unwrap();
    run().exits(2).says(&["/.config/s3seal is a link to nothing", "S3SEAL_CONFIG= reads none"]);
    fs::remove_file(&own).unwrap();
    fs::create_dir(&own).unwrap();
    symlink("../nothing.toml", own.join("config.toml")).unwrap();
    run().exits(2).says(&["/.config/s3seal/config.toml is a link to nothing"]);
    ruled.assert_nothing_sent();
}

#[test]
fn the_users_own_file_is_found_under_xdg_and_in_the_home_directory() {
    let ruled = Ruled::new(RULE);
    let run = |folder: &str, variable: &str, value: &std::path::Path| {
        let own = ruled.bench.home().join(folder).join("s3seal");
        fs::create_dir_all(&own).unwrap();
        fs::copy(&ruled.config, own.join("config.toml")).unwrap();
        let program = ruled.program("put source s3://bench/object").without("S3SEAL_CONFIG");
        let ended = program.with(variable, value).run().ok();
        fs::remove_dir_all(own).unwrap();
        ended.says(&["SSE-KMS", "s3seal/config.toml:1"])
    };
    run("xdg", "XDG_CONFIG_HOME", &ruled.bench.home().join("xdg"));
    run(".config", "HOME", &ruled.bench.home());
}
