//! What is checked in as generated is what the program generates.
//!
//! After a change of the command line: `s3seal generate completions completions && s3seal generate man man`.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        // The manual's section 7 is written by hand.
        .filter(|path| path.extension().is_none_or(|end| end != "md"))
        .map(|path| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn is_current(what: &str) {
    let fresh = tempfile::tempdir().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_s3seal")).args(["generate", what]).arg(fresh.path()).status();
    assert!(made.unwrap().success());
    let (fresh, kept) = (files(fresh.path()), files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(what)));
    assert_eq!(fresh.keys().collect::<Vec<_>>(), kept.keys().collect::<Vec<_>>());
    for (name, text) in &fresh {
        assert!(kept[name] == *text, "{what}/{name} is out of date: run `s3seal generate {what} {what}`");
        assert!(!text.contains("generate"), "{what}/{name} shows what is hidden");
    }
}

#[test]
fn completions_are_current() {
    is_current("completions");
}

#[test]
fn man_pages_are_current() {
    is_current("man");
}

#[test]
fn man_pages_hold_every_exit_code_and_key_source() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal.1")).unwrap();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "129", "130", "141", "143"] {
        assert!(page.contains(&format!(".TP\n\\fB{code}\\fR\n")), "exit code {code}");
    }
    for form in ["file:PATH", "env:NAME", "fd:N", "cmd:COMMAND", "prompt"] {
        assert!(page.contains(&format!("\\fB{form}\\fR")), "{form}");
    }
}
