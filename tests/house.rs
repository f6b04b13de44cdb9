//! The house keeps its order: who imports whom, where outside crates may be, how large files get.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::collections::{BTreeMap, BTreeSet};
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

const VOCABULARY: [&str; 14] = [
    "byte_size",
    "checksum",
    "defaults",
    "encryption",
    "error",
    "keys",
    "limits",
    "location",
    "meter",
    "object",
    "pattern",
    "rules",
    "s3_limits",
    "transfer_options",
];

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
    ("glob", &["pattern"]),
    ("http_body", &["aws"]),
    ("hyper", &["aws"]),
    ("pem_rfc7468", &["seal"]),
    ("percent_encoding", &["aws"]),
    ("rustls", &["aws"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
    ("close_fds", &["cli"]),
    ("console", &["cli"]),
    ("crc_fast", &["checksum"]),
    ("csv", &["aws", "cli"]),
    ("dialoguer", &["cli"]),
    ("flate2", &["aws"]),
    ("indicatif", &["cli"]),
    ("md5", &["aws", "keys"]),
    ("mime_guess", &["object"]),
    ("parquet", &["aws"]),
    ("rpassword", &["cli"]),
    ("rustix", &["cli", "commands", "transfer"]),
    ("sha1", &["checksum"]),
    ("snap", &["aws"]),
    ("strsim", &["cli"]),
    ("subtle", &["seal", "transfer"]),
    ("tempfile", &["transfer"]),
    ("toml", &["cli"]),
    ("x509_cert", &["aws"]),
    ("tokio", &["aws", "transfer", "commands", "cli"]),
    ("tower_service", &["aws"]),
    ("walkdir", &["transfer"]),
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

/// A file without the module of tests at its end.
fn before_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// Code without comments and without the tests at a file's end.
fn code(text: &str) -> String {
    before_tests(text)
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The texts between quotes in code, without its comments.
fn literals(code: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), code);
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let from = &rest[at..];
        rest = if from.starts_with("//") {
            from.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(text) = from.strip_prefix('"') {
            let is_raw = rest[..at].ends_with("r#");
            let mut escaped = false;
            let end = if is_raw {
                text.find("\"#")
            } else {
                text.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                })
            };
            let (text, after) = text.split_at(end.unwrap());
            found.push(text);
            &after[1..]
        } else if from.starts_with("'\"'") || from.starts_with("'\\'") {
            // A quote, or an escape, as a character.
            &from[3..]
        } else {
            &from[1..]
        };
    }
    found
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
            let to: String = import
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            let fine = to == here || VOCABULARY.contains(&to.as_str()) || allowed.contains(&to.as_str());
            assert!(fine, "{}: {here} must not import {to}", path.display());
        }
    }
}

/// Flags are the command line's: below it, an error says what is so, and the hint in `cli` names the flag.
#[test]
fn no_text_below_the_command_line_names_a_flag() {
    for (path, text) in sources() {
        if room(&path) == "cli" {
            continue;
        }
        for literal in literals(before_tests(&text)) {
            let mut words = literal.split(|c: char| c.is_whitespace() || "`'(".contains(c));
            let flag = words.find(|word| {
                word.strip_prefix("--").is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
            });
            assert_eq!(flag, None, "{}: \"{literal}\"", path.display());
        }
    }
}

/// The help prints defaults from `src/defaults.rs`, so that no text can differ from what the program does.
#[test]
fn no_help_repeats_the_number_of_a_default() {
    for (path, text) in sources().iter().filter(|(path, _)| room(path) == "cli") {
        for words in ["default: ", "default is "] {
            let mut after = before_tests(text).split(words).skip(1);
            let number = after.find(|after| after.starts_with(|c: char| c.is_ascii_digit()));
            assert_eq!(number, None, "{}: print the constant", path.display());
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
    assert_eq!(made, ["key_reader.rs"]);
}

#[test]
fn files_stay_small_and_say_what_they_are_for() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        let without_tests = before_tests(&text).lines().count();
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

/// The modules of the crate by their paths, such as `aws::connection`, with their code; the root is the empty path.
fn modules() -> BTreeMap<String, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let module = |path: &Path| {
        let below = path.strip_prefix(&src).unwrap().with_extension("");
        let names: Vec<&str> = below.iter().map(|name| name.to_str().unwrap()).collect();
        if names == ["lib"] { String::new() } else { names.join("::") }
    };
    sources().iter().map(|(path, text)| (module(path), code(text))).collect()
}

/// The paths that a `use` names, one by one: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn single_paths(tree: &str, found: &mut Vec<String>) {
    let Some((before, rest)) = tree.split_once('{') else {
        found
            .push(tree.split(" as ").next().unwrap_or_default().trim().trim_end_matches("::self").to_owned());
        return;
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    single_paths(&format!("{}{}", before.trim(), inner[start..at].trim()), found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// What code names by a path: in `pub use`, and in all other places.
fn named(code: &str) -> (Vec<String>, Vec<String>) {
    let (mut reexported, mut named) = (Vec::new(), Vec::new());
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let is_use =
            |line: &str| line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ");
        let Some(line) = statement.lines().find(|line| is_use(line.trim_start())) else {
            rest.push_str(statement);
            continue;
        };
        let (before, tree) = statement.split_at(statement.find(line).unwrap());
        let (visibility, tree) = tree.trim_end_matches(';').split_once("use ").unwrap();
        single_paths(tree, if visibility.trim().is_empty() { &mut named } else { &mut reexported });
        rest.push_str(before);
    }
    let paths = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    named.extend(paths.filter(|path| path.contains("::")).map(str::to_owned));
    (reexported, named)
}

/// The module that a path means, seen from the module `here`; nothing for what is no module of the crate. What a module
/// re-exports of its children, as `reexported` says of each module, is the child's.
fn target(here: &str, path: &str, reexported: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let child = |of: &str, name: &str| if of.is_empty() { name.to_owned() } else { format!("{of}::{name}") };
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    let (mut at, mut rest) = match first {
        "crate" => (String::new(), rest),
        "self" => (here.to_owned(), rest),
        "super" => (parent(here), rest),
        name if reexported.contains_key(&child(here, name)) => (here.to_owned(), path),
        _ => return None,
    };
    while let Some((name, after)) =
        Some(rest.split_once("::").unwrap_or((rest, ""))).filter(|_| !rest.is_empty())
    {
        let next = if name == "super" { parent(&at) } else { child(&at, name) };
        if !reexported.contains_key(&next) {
            let origin = reexported[&at].iter().find(|path| path.rsplit("::").next() == Some(name));
            return origin.and_then(|path| target(&at, path, reexported)).or(Some(at));
        }
        (at, rest) = (next, after);
    }
    Some(at)
}

fn parent(module: &str) -> String {
    module.rsplit_once("::").map_or_else(String::new, |(parent, _)| parent.to_owned())
}

/// Which modules each one imports.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules();
    let reexported: BTreeMap<_, _> =
        modules.iter().map(|(path, code)| (path.clone(), named(code).0)).collect();
    let of = |here: &String, code: &String| {
        let found = named(code).1;
        let found = found.iter().filter_map(|path| target(here, path, &reexported));
        found
            .filter(|module| !(module.is_empty() || format!("{here}::").starts_with(&format!("{module}::"))))
            .collect()
    };
    modules.iter().map(|(here, code)| (here.clone(), of(here, code))).collect()
}

/// Follows imports from the last module of `way`, and returns the way round if there is one.
fn circle(
    way: &mut Vec<String>,
    imports: &BTreeMap<String, BTreeSet<String>>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    let here = way.last()?.clone();
    for next in imports.get(&here)? {
        if let Some(start) = way.iter().position(|module| module == next) {
            return Some(way[start..].to_vec());
        }
        if !done.contains(next) {
            way.push(next.clone());
            if let Some(found) = circle(way, imports, done) {
                return Some(found);
            }
            way.pop();
        }
    }
    done.insert(here);
    None
}

/// Whoever wants to understand a file reads what it imports, and is never led back to it. A re-export of a child is the
/// child's own name for this. A file may use what the module file that it is a part of defines (`seal::s3ec::kdf` what
/// `seal::s3ec` defines), for the two are read together; brothers may not use each other in a circle.
#[test]
fn no_file_is_imported_by_what_it_imports() {
    let imports = imports();
    let are = |here: &str, other: &str| imports[here].contains(other);
    assert!(are("commands::get", "aws::connection"), "a re-export was not followed");
    assert!(
        are("aws::custom_endpoints", "aws::options") && are("cli", "cli::exit"),
        "imports were not found"
    );
    let mut done = BTreeSet::new();
    for module in imports.keys() {
        let found = circle(&mut vec![module.clone()], &imports, &mut done);
        assert_eq!(found, None, "each of these imports the next one, and the last one the first");
    }
}

#[test]
fn texts_are_found_between_their_quotes_only() {
    let code = r##"f("a\"b", '"', "s3://c"); // "d"
        let x: &'a str = r#"e"f"#; g(b'"', '\'', "h")"##;
    assert_eq!(literals(code), [r#"a\"b"#, "s3://c", r#"e"f"#, "h"]);
}

#[test]
fn what_code_names_is_found_in_every_form() {
    let code = "pub use child::Item;\nuse crate::a::{self, b::C, d::{E, F as G}};\npub(crate) use super::x::Y;\n\
                fn f() { crate::a::g(super::h::I::J, other::k()) }";
    let (reexported, named) = named(code);
    assert_eq!(reexported, ["child::Item", "super::x::Y"]);
    assert_eq!(
        named,
        [
            "crate::a",
            "crate::a::b::C",
            "crate::a::d::E",
            "crate::a::d::F",
            "crate::a::g",
            "super::h::I::J",
            "other::k"
        ]
    );
}
