//! `-r` of the real binary: whole trees up and down, what is left out and why, and what happens in the middle.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod deletion;
mod faults;
mod files_from;
mod get;
mod hostile;
mod ignored_mode;
mod manifest;
mod memory;
mod put;
mod several;
mod times;
mod trees;
mod update;

use std::fs;
use std::path::Path;

use support::Bench;

/// Names that are files' names all the same.
const ODD: [&str; 10] = [
    "plain.txt",
    "with blanks and 'quotes'",
    "größe ☂ 日本",
    "new\nline",
    "-r",
    ".hidden",
    "deep/er/and/deeper/file",
    "deep/er.file",
    "percent%20+plus&and=?#",
    "back\\slash",
];

/// Writes a tree of odd names, each with its name as content, and an empty file.
fn tree(bench: &Bench) {
    for name in ODD {
        write(&bench.path("tree").join(name), name.as_bytes());
    }
    write(&bench.path("tree/empty"), b"");
}

fn write(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Fails unless `copy` holds the very files of `tree`.
#[track_caller]
fn assert_same_tree(bench: &Bench, copy: &str) {
    bench.program("diff", ["-r", "tree", copy]).run().ok();
}
