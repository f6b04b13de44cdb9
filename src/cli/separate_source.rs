//! Detects a passphrase source typed as a separate argument, where it would be taken for a file or an address.

use std::ffi::OsString;

use super::document::Command;
use super::sanitize::shell_word;
use crate::keys;

const FLAGS: [&str; 2] = ["--passphrase", "--from-passphrase"];

/// Returns the answer to a command line in which `--passphrase` stands alone before what can only be its source.
pub(super) fn answer(argv: &[OsString]) -> Option<String> {
    let words: Vec<&str> = argv.iter().skip(1).map_while(|word| word.to_str()).collect();
    let words: Vec<&str> = words.into_iter().take_while(|word| *word != "--").collect();
    let verb = words.iter().find_map(|word| Command::named(word))?;
    words.windows(2).enumerate().find_map(|(at, pair)| {
        let flag = FLAGS.into_iter().find(|flag| *flag == pair[0])?;
        let source = pair[1];
        let may_be_place = match verb {
            _ if is_source(source) => false,
            _ if source.starts_with('-') || source.starts_with("s3://") => true,
            // Files come before the address.
            Command::Put => words[at + 2..].iter().any(|word| word.starts_with("s3://")),
            // Taken for the file to write, the file with the passphrase would be replaced, or named after it.
            _ => false,
        };
        (!may_be_place).then(|| {
            let shown = if may_be_shown(source) { shell_word(source) } else { "SOURCE".into() };
            format!("{flag} takes its source after `=`: type `{flag}={shown}`, or {flag} last to be asked")
        })
    })
}

fn is_source(word: &str) -> bool {
    word == "prompt" || ["file:", "fileb:", "env:", "fd:", "cmd:"].iter().any(|form| word.starts_with(form))
}

/// Whether a word cannot be a secret: neither the passphrase itself nor a command, which may hold one.
fn may_be_shown(word: &str) -> bool {
    let place = word.split_once(':').map_or(word, |(_, place)| place);
    is_source(word) && !word.starts_with("cmd:") && !keys::looks_like_key(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<String> {
        answer(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_source_after_a_blank_is_answered() {
        for (line, typed) in [
            ("s3seal put a s3://bkt/k --passphrase file:x", "--passphrase=file:x"),
            ("s3seal put a --passphrase env:P s3://bkt/k", "--passphrase=env:P"),
            ("s3seal get s3://bkt/k --passphrase prompt", "--passphrase=prompt"),
            ("s3seal put a s3://bkt/k --passphrase hunter2 -q", "--passphrase=SOURCE"),
            ("s3seal get s3://bkt/k --passphrase hunter2", "--passphrase=SOURCE"),
            ("s3seal inspect --passphrase hunter2 s3://bkt/k", "--passphrase=SOURCE"),
            ("s3seal get s3://bkt/k --passphrase cmd:x", "--passphrase=SOURCE"),
            ("s3seal rotate s3://bkt/k --key k --from-passphrase file:x", "--from-passphrase=file:x"),
        ] {
            let said = said(line).unwrap_or_else(|| panic!("accepted: {line}"));
            assert!(said.contains(&format!("type `{typed}`")), "{line}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_place_after_the_option_stays_one() {
        for line in [
            "s3seal put --passphrase a s3://bkt/k",
            "s3seal put a --passphrase s3://bkt/k",
            "s3seal get --passphrase s3://bkt/k out",
            "s3seal get s3://bkt/k --passphrase -q",
            "s3seal get s3://bkt/k --passphrase -",
            "s3seal put --passphrase --from-command s3://bkt/k -- a --passphrase env:P",
            "s3seal get s3://bkt/k --passphrase=file:x",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
    }
}
