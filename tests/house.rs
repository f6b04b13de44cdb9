//! The house keeps its order: who imports whom, where outside crates may be, how large files get.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms and what each may import of the others, beside the vocabulary and itself.
const ROOMS: [(&str, &[&str]); 5] = [
    ("cli", &["commands", "transfer", "aws", "seal"]),
    ("commands", &["transfer", "aws", "seal"]),
    ("transfer", &["aws", "seal"]),
    ("aws", &[]),
    ("seal", &[]),
];

const VOCABULARY: [&str; 8] =
    ["checksum", "encryption", "error", "keys", "location", "object", "pattern", "tuning"];

/// Outside crates and the rooms that may know them.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("aws_config", &["aws"]),
    ("aws_credential_types", &["aws"]),
    ("aws_runtime", &["aws"]),
    ("aws_sdk_", &["aws"]),
    ("aws_smithy_", &["aws"]),
    ("aws_types", &["aws"]),
    ("aes_gcm", &["seal"]),
    ("argon2", &["seal"]),
    ("aws_lc_", &["seal"]),
    ("hkdf", &["seal"]),
    ("http_body_util", &["aws"]),
    ("pem_rfc7468", &["seal"]),
    ("rustls", &["aws"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("csv", &["aws", "cli"]),
    ("flate2", &["aws"]),
    ("parquet", &["aws"]),
    ("rustix", &["cli", "commands", "transfer"]),
    ("tempfile", &["transfer"]),
    ("tokio", &["transfer", "commands", "cli", "main"]),
];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The room that a file is in: the first name below `src`.
fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments and without the tests at a file's end.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn rooms_import_inwards_only() {
    for (path, text) in sources() {
        let here = room(&path);
        if here == "lib" {
            continue;
        }
        let allowed = ROOMS.iter().find(|(name, _)| *name == here).map_or(&[][..], |(_, allowed)| allowed);
        for import in code(&text).split("crate::").skip(1) {
            let to: String = import.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let fine = to == here || VOCABULARY.contains(&to.as_str()) || allowed.contains(&to.as_str());
            assert!(fine, "{}: {here} must not import {to}", path.display());
        }
    }
}

#[test]
fn outside_crates_keep_to_their_rooms() {
    for (path, text) in sources() {
        let here = room(&path);
        let code = code(&text);
        for (name, rooms) in OUTSIDE {
            let used = code.lines().any(|line| {
                let line = line.trim_start();
                line.starts_with(&format!("use {name}"))
                    || line.contains(&format!(" {name}::"))
                    || line.contains(&format!("({name}::"))
            });
            assert!(
                !used || rooms.contains(&here.as_str()),
                "{}: {name} belongs in {rooms:?}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_stands_where_the_cipher_librarys_c_interface_is_used() {
    for (path, text) in sources() {
        let allowed = path.ends_with("seal/gcm.rs") || path.ends_with("seal/wrap/oaep.rs");
        assert!(allowed || !code(&text).contains("unsafe "), "{}: unsafe", path.display());
    }
}

/// The type that `aws::sse` takes is made where the flag is read, and nowhere else: no other key is ever sent.
#[test]
fn sse_c_keys_are_made_where_their_flag_is_read() {
    let makes = |(path, text): &(PathBuf, String)| {
        code(text).contains("CustomerKey::recognise").then(|| path.file_name().unwrap().to_owned())
    };
    let made: Vec<_> = sources().iter().filter_map(makes).collect();
    assert_eq!(made, ["key_source.rs"]);
}

#[test]
fn files_stay_small_and_say_what_they_are_for() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        let without_tests = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(without_tests <= 420, "{}: {without_tests} lines", path.display());
        assert!(lines <= 620, "{}: {lines} lines with its tests", path.display());
        assert!(text.starts_with("//! "), "{}: no head that says what it is for", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            !["util", "utils", "common", "helper", "helpers", "manager"].contains(&name),
            "{}",
            path.display()
        );
    }
}
