//! `install.sh` into a prefix of its own: what it lays down, again, and away.
//!
//! The script is the front door; a file it forgets to remove or to replace shows only on someone else's machine.
//! Not here: building (it is given the program under test) and the demo, which needs the sandbox program: `.ci/run` has both.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const ALWAYS: [&str; 7] = [
    "bin/s3seal",
    "share/bash-completion/completions/s3seal",
    "share/fish/vendor_completions.d/s3seal.fish",
    "share/man/man1/s3seal.1",
    "share/man/man7/s3seal-security.7",
    "share/s3seal/installed",
    "share/zsh/site-functions/_s3seal",
];

/// The script with a home of its own and the program under test instead of a build.
fn install(home: &Path, arguments: &[&str]) -> Output {
    let built = Path::new(env!("CARGO_BIN_EXE_s3seal")).parent().unwrap();
    script(home).arg("--from").arg(built).args(arguments).output().unwrap()
}

fn script(home: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh"));
    command.env("HOME", home).current_dir(home);
    command
}

fn succeeds(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
}

/// Every file below the folder, relative to it, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_home_gets_program_pages_and_completions() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let prefix = home.path().join(".local");
    let found = files(&prefix);
    for wanted in ALWAYS {
        assert!(found.contains(&wanted.into()), "{wanted} is missing");
    }
    let version = Command::new(prefix.join("bin/s3seal")).arg("--version").output().unwrap();
    succeeds(&version);
}

#[test]
fn every_man_page_of_the_checkout_is_installed() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let checkout = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man"));
    for section in ["1", "7"] {
        let is_in = |page: &&PathBuf| page.extension().is_some_and(|end| end == section);
        let pages: Vec<_> = checkout.iter().filter(is_in).cloned().collect();
        assert!(pages.len() > 1, "there are pages to install in section {section}");
        assert_eq!(files(&home.path().join(format!(".local/share/man/man{section}"))), pages);
    }
}

#[test]
fn a_prefix_with_a_space_works_relative_to_here() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &["--prefix", "my tools"]));
    assert!(home.path().join("my tools/bin/s3seal").exists());
}

#[test]
fn installing_again_changes_nothing_but_outdated_files() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    let prefix = home.path().join(".local");
    let before = files(&prefix);
    // As if an earlier version had had one page more.
    fs::write(prefix.join("share/man/man1/s3seal-gone.1"), "").unwrap();
    let record = prefix.join("share/s3seal/installed");
    let mut listed = fs::read_to_string(&record).unwrap();
    listed.push_str("f share/man/man1/s3seal-gone.1\n");
    fs::write(&record, listed).unwrap();

    succeeds(&install(home.path(), &[]));
    assert_eq!(files(&prefix), before);
}

#[test]
fn uninstalling_removes_what_was_installed_and_nothing_else() {
    let home = TempDir::new().unwrap();
    let prefix = home.path().join(".local");
    fs::create_dir_all(prefix.join("share/man/man1")).unwrap();
    fs::write(prefix.join("share/man/man1/other.1"), "").unwrap();
    succeeds(&install(home.path(), &[]));

    succeeds(&script(home.path()).arg("--uninstall").output().unwrap());
    assert_eq!(files(&prefix), [PathBuf::from("share/man/man1/other.1")]);
    assert!(!prefix.join("bin").exists(), "a directory it made is gone");
}

#[test]
fn uninstalling_leaves_a_fresh_home_empty() {
    let home = TempDir::new().unwrap();
    succeeds(&install(home.path(), &[]));
    succeeds(&install(home.path(), &[]));
    succeeds(&script(home.path()).arg("--uninstall").output().unwrap());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn uninstalling_what_is_not_there_says_so() {
    let home = TempDir::new().unwrap();
    let output = script(home.path()).arg("--uninstall").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing is installed"));
}

#[test]
fn a_record_that_leads_out_of_the_prefix_is_refused() {
    let home = TempDir::new().unwrap();
    fs::create_dir_all(home.path().join(".local/share/s3seal")).unwrap();
    fs::write(home.path().join("precious"), "").unwrap();
    let record = home.path().join(".local/share/s3seal/installed");
    fs::write(record, "f ../precious\n").unwrap();

    let output = script(home.path()).arg("--uninstall").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(home.path().join("precious").exists());
}

#[test]
fn without_cargo_the_message_says_what_is_needed() {
    let home = TempDir::new().unwrap();
    // All that the script needs up to there, so that no cargo of this machine is found.
    symlink("/usr/bin/dirname", home.path().join("dirname")).unwrap();
    let output = script(home.path()).env("PATH", home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cargo is not on PATH"));
}

#[test]
fn wrong_use_exits_with_2() {
    let home = TempDir::new().unwrap();
    for wrong in [&["--frob"][..], &["--prefix"], &["--demo", "--uninstall"]] {
        let output = script(home.path()).args(wrong).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
