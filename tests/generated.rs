//! What is checked in as generated is what the program generates.
//!
//! After a change of the command line: `s3seal generate completions completions && s3seal generate man man`.
//! After a change of a page in `man/*.7.md`: `S3SEAL_WRITE=1 cargo test --test generated`.
//! After a change of what `--json` prints: `S3SEAL_WRITE=1 cargo test --lib schema` (beside the types, in `cli/document.rs`).

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        // Section 7 of the manual is made of Markdown, and the schema of types: not of the command line.
        .filter(|path| path.extension().is_none_or(|end| end != "md" && end != "7" && end != "json"))
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
fn a_page_that_a_full_disk_does_not_take_whole_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let kept = [("man", "s3seal-get.1"), ("completions", "s3seal.bash"), ("policies", "get.sse-kms.json")];
    for (what, name) in kept {
        let (directory, old) = (folder.path().join(what), "of an older version");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join(name), old).unwrap();
        // A limit on a file's size fails as a full disk does.
        let script = "ulimit -f 0; exec \"$@\"";
        let mut shell = Command::new("bash");
        let shell = shell.args(["-c", script, "bash", env!("CARGO_BIN_EXE_s3seal"), "generate", what]);
        let ended = shell.arg(&directory).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("cannot write"), "{said}");
        let names: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [name], "{what}");
        assert_eq!(fs::read_to_string(directory.join(name)).unwrap(), old, "{what}");
    }
}

/// A source in which each block that is named as a policy (`json put.sse-kms`) holds that policy.
fn with_policies(path: &Path) -> String {
    const BEGIN: &str = "```json ";
    let source = fs::read_to_string(path).unwrap();
    if !source.contains(BEGIN) {
        return source;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_s3seal"));
    let made = program.args(["generate", "policies"]).arg(folder.path()).status();
    assert!(made.unwrap().success());
    let mut blocks = source.split(BEGIN);
    let mut current = blocks.next().unwrap().to_owned();
    for block in blocks {
        let (name, rest) = block.split_once('\n').unwrap();
        let (_, after) = rest.split_once("```").unwrap();
        let policy = fs::read_to_string(folder.path().join(format!("{name}.json")))
            .unwrap_or_else(|error| panic!("no policy is called {name}: {error}"));
        current.extend([BEGIN, name, "\n", &policy, "```", after]);
    }
    if std::env::var_os("S3SEAL_WRITE").is_some() {
        fs::write(path, &current).unwrap();
    }
    let name = path.display();
    assert!(
        fs::read_to_string(path).unwrap() == current,
        "{name} is out of date: S3SEAL_WRITE=1 cargo test --test generated"
    );
    current
}

/// The sources of section 7: what each is, and where its page goes.
fn manual() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let found: Vec<_> = sources.map(|path| (with_policies(&path), path.with_extension(""))).collect();
    assert!(found.len() >= 4, "the sources of the manual were not found");
    found
}

#[test]
fn pages_of_section_7_are_those_of_their_sources() {
    for (source, path) in manual() {
        let title = path.file_stem().unwrap().to_str().unwrap().to_uppercase();
        let page = mandown::convert(&source, &title, 7);
        if std::env::var_os("S3SEAL_WRITE").is_some() {
            fs::write(&path, &page).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == page,
            "{} is out of date: S3SEAL_WRITE=1 cargo test --test generated",
            path.display()
        );
    }
}

/// Whether a word in the table of threats is the name of a test: those are sentences.
fn is_test_name(word: &str) -> bool {
    word.matches('_').count() >= 3 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[test]
fn every_test_that_the_security_page_names_exists() {
    fn code(folder: &Path, all: &mut String) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                code(&path, all);
            } else if path.extension().is_some_and(|end| end == "rs") {
                all.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests"] {
        code(&root.join(folder), &mut all);
    }
    let page = fs::read_to_string(root.join("man/s3seal-security.7.md")).unwrap();
    let table = page.split_once("# THREATS AND TESTS").unwrap().1;
    let named: Vec<&str> = table.split('`').filter(|word| is_test_name(word)).collect();
    assert!(named.len() > 40, "{} tests are named", named.len());
    for name in named {
        assert!(all.contains(&format!("fn {name}(")), "no test is called {name}");
    }
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
