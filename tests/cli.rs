//! The command line as people meet it: help, and every wrong use with its exact text and exit code.
//!
//! One small file for each, in `tests/cli`; `TRYCMD=overwrite cargo test --test cli` writes them anew after a change
//! of wording. No network: whatever is wrong must be found before any connection.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::process::{Command, Output};

fn s3seal(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s3seal"))
        .args(words)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("S3SEAL_CONFIG", "")
        .env("AWS_ENDPOINT_URL", "https://127.0.0.1:9")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn wrong_uses_are_told_in_these_words() {
    trycmd::TestCases::new()
        .env("HOME", "/nonexistent")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        // Should one of them be no wrong use after all, it gets no further than this machine.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("S3SEAL_CONFIG", "")
        .env("AWS_ENDPOINT_URL", "https://127.0.0.1:9")
        .case("tests/cli/*.toml");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("a key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key).unwrap();
    file.write_all(&[7; 32]).unwrap();
    let shown = key.to_str().unwrap();
    for mode in [0o644, 0o640, 0o660] {
        file.set_permissions(Permissions::from_mode(mode)).unwrap();
        let output = s3seal(&["put", "Cargo.toml", "s3://bkt/k", "-e", "sse-c", "--sse-c-key", shown]);
        let expected = format!(
            "error: --sse-c-key: other users can access {shown} (mode 0{mode:o})\n  hint: chmod 600 '{shown}'\n  \
             hint: or allow it with --allow-open-key-file\n"
        );
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(5));
    }
}

#[test]
fn a_public_key_file_that_others_can_change_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("rsa.pub.pem");
    fs::copy("tests/keys/rsa_a.pub.pem", &key).unwrap();
    let shown = key.to_str().unwrap();
    for mode in [0o664, 0o646, 0o622] {
        fs::set_permissions(&key, Permissions::from_mode(mode)).unwrap();
        let output = s3seal(&["put", "Cargo.toml", "s3://bkt/k", "-e", "client", "--public-key", shown]);
        let expected = format!(
            "error: --public-key: other users can change {shown} (mode 0{mode:o})\n  hint: chmod go-w {shown}\n  \
             hint: or allow it with --allow-open-key-file\n"
        );
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(5));
    }
    let allowed = s3seal(&["keygen", "--show", shown, "--allow-open-key-file"]);
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let closed = s3seal(&["keygen", "--show", shown]);
    for output in [allowed, closed] {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn a_new_key_is_closed_to_others_and_never_replaces_one() {
    let folder = tempfile::tempdir().unwrap();
    for form in ["base64", "hex", "raw"] {
        let key = folder.path().join(form);
        let shown = key.to_str().unwrap();
        let output = s3seal(&["keygen", "--form", form, shown, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600);
        let made = fs::read(&key).unwrap();
        let recognised = s3seal::keys::SymmetricKey::recognise(&made).unwrap();
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["key_fingerprint"], recognised.fingerprint().as_str());

        let again = s3seal(&["keygen", shown]);
        assert_eq!(again.status.code(), Some(8));
        assert_eq!(fs::read(&key).unwrap(), made);
    }
}

#[test]
fn a_new_key_can_be_read_by_its_owner_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    for umask in ["777", "377", "077", "000"] {
        let key = folder.path().join(umask);
        let script = format!("umask {umask}; exec \"$@\"");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_s3seal"), "keygen"]);
        assert!(shell.arg(&key).status().unwrap().success(), "{umask}");
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600, "{umask}");
    }
}

#[test]
fn a_closed_standard_output_is_no_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_s3seal"))
        .arg("keygen")
        .arg(folder.path().join("key"))
        .arg("--json")
        .stdout(writer)
        .status();
    assert_eq!(status.unwrap().code(), Some(141));
}
