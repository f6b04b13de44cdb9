//! Completes values of arguments that this machine knows: words, files, environment variables and profiles.
//!
//! `remote` completes names that are in S3.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::{Arg, ValueHint};

use super::{Candidate, Wanted};
use crate::aws;
use crate::commands::rotate::preserve::Loss;

/// How an S3 URI begins.
pub(super) const S3: &str = "s3://";

/// The AWS regions that have S3 ("Amazon S3 endpoints and quotas", AWS General Reference).
const REGIONS: [&str; 38] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

const KEY_SOURCES: [(&str, &str); 5] = [
    ("file:", "a file that nobody else may read"),
    ("env:", "an environment variable"),
    ("fd:", "an open file descriptor"),
    ("cmd:", "the standard output of a command"),
    ("prompt", "typed at the terminal"),
];

const AT_REST: [(&str, &str); 3] = [
    ("sse-s3", "S3 encrypts with a key of its own"),
    ("sse-kms", "S3 encrypts with a key in AWS KMS"),
    ("dsse-kms", "S3 encrypts twice with a key in AWS KMS"),
];

const EXPECTATIONS: [(&str, &str); 11] = [
    ("encrypted", "encrypted in any way"),
    ("sse-s3", "by S3, with a key of its own"),
    ("sse-kms", "by S3 with a key in AWS KMS"),
    ("dsse-kms", "the same, twice"),
    ("sse-c", "by S3 with a key that it does not keep"),
    ("client", "before it was stored"),
    ("client:s3ec", "the same, in this format"),
    ("client:s3ec-v2", "the same, in this format"),
    ("client:s3ec-v1", "the same, in this format"),
    ("client:esdk", "the same, in this format"),
    ("rules", "as rules demand, or else the bucket"),
];

const SELECTORS: [(&str, &str); 7] = [
    ("sse-s3", "in this mode"),
    ("sse-kms", "in this mode"),
    ("dsse-kms", "in this mode"),
    ("sse-c", "in this mode"),
    ("client", "in this mode"),
    ("key:", "under the key with this fingerprint"),
    ("kms:", "under this KMS key"),
];

const SHARES: [(&str, &str); 4] = [
    ("1%", "one of each 100"),
    ("5%", "one of each 20"),
    ("10%", "one of each 10"),
    ("50%", "every other one"),
];

/// What a value is, where clap does not know it.
enum Kind {
    /// A place in S3, and nothing else.
    S3,
    /// A file, a directory, or a place in S3.
    LocalOrS3,
    KeySource,
    Path {
        only_directories: bool,
    },
    Words(Vec<(&'static str, &'static str)>),
    Profile,
    ConfigProfile,
    Other,
}

fn kind(arg: &Arg) -> Kind {
    let is_positional = arg.is_positional();
    let alone = |words: &[&'static str]| Kind::Words(words.iter().map(|word| (*word, "")).collect());
    match arg.get_long() {
        Some("profile") => return Kind::Profile,
        Some("config-profile") => return Kind::ConfigProfile,
        Some("region") => return alone(&REGIONS),
        Some("storage-class") => return alone(aws::storage_classes()),
        Some("at-rest") => return Kind::Words(AT_REST.to_vec()),
        Some("expect") => return Kind::Words(EXPECTATIONS.to_vec()),
        Some("sample") => return Kind::Words(SHARES.to_vec()),
        Some("only") => return Kind::Words(SELECTORS.to_vec()),
        Some("accept-loss") => return alone(&Loss::ALL.map(Loss::as_str)),
        _ => {}
    }
    match (
        arg.get_value_names().and_then(|names| names.first()).map(clap::builder::Str::as_str),
        arg.get_value_hint(),
    ) {
        (Some(name), _) if name.starts_with(S3) => Kind::S3,
        (Some("SOURCE"), _) if !is_positional => Kind::KeySource,
        (Some("SOURCE"), _) => Kind::LocalOrS3,
        (_, ValueHint::DirPath) => Kind::Path { only_directories: true },
        (_, ValueHint::AnyPath | ValueHint::FilePath | ValueHint::CommandWithArguments) => {
            Kind::Path { only_directories: false }
        }
        _ => Kind::Other,
    }
}

/// What may stand at a place.
#[derive(Default)]
pub(super) struct Values {
    pub(super) candidates: Vec<Candidate>,
    /// Whether it may be a file that only the shell can name, such as `$HOME/file`.
    pub(super) may_be_path: bool,
    /// Where else values are.
    pub(super) elsewhere: Option<Elsewhere>,
}

/// Where values are that this file does not look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Elsewhere {
    S3,
    /// Profiles of the AWS configuration files.
    AwsProfiles,
    /// Profiles of our own configuration files.
    ConfigProfiles,
}

/// Finds the values that begin with what is typed.
pub(super) fn of(arg: &Arg, typed: &str) -> Values {
    let mut values = Values::default();
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let shown = possible.iter().filter(|value| !value.is_hide_set());
        let described = shown.map(|value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            Candidate::new(value.get_name(), help)
        });
        values.candidates = described.filter(|one| one.value.starts_with(typed)).collect();
        return values;
    }
    match kind(arg) {
        Kind::S3 | Kind::LocalOrS3 if typed.starts_with(S3) => values.elsewhere = Some(Elsewhere::S3),
        Kind::S3 => values.candidates = words(&[(S3, "")], typed),
        Kind::LocalOrS3 => {
            values.candidates = words(&[(S3, "")], typed);
            values.add_paths("", typed, false);
        }
        Kind::KeySource => values.add_sources(typed),
        Kind::Path { only_directories } => values.add_paths("", typed, only_directories),
        Kind::Words(known) => values.candidates = words(&known, typed),
        Kind::Profile => values.elsewhere = Some(Elsewhere::AwsProfiles),
        Kind::ConfigProfile => values.elsewhere = Some(Elsewhere::ConfigProfiles),
        Kind::Other => {}
    }
    values
}

fn words(known: &[(&str, &str)], typed: &str) -> Vec<Candidate> {
    let fitting = known.iter().filter(|(word, _)| word.starts_with(typed));
    fitting.map(|(word, help)| Candidate::new(*word, *help)).collect()
}

impl Values {
    fn add_sources(&mut self, typed: &str) {
        if let Some(path) = typed.strip_prefix("file:") {
            self.add_paths("file:", path, false);
        } else if let Some(name) = typed.strip_prefix("env:") {
            let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
            let mut names: Vec<_> = names.filter(|known| known.starts_with(name)).collect();
            names.sort_unstable();
            self.candidates.extend(names.iter().map(|name| Candidate::new(format!("env:{name}"), "")));
        } else {
            self.candidates = words(&KEY_SOURCES, typed);
            self.add_paths("", typed, false);
        }
    }

    /// Adds the files whose paths begin with `typed`; directories end in `/`.
    fn add_paths(&mut self, before: &str, typed: &str, only_directories: bool) {
        self.may_be_path = true;
        let (folder, begun) = typed.split_at(typed.rfind('/').map_or(0, |slash| slash + 1));
        let place = match (folder.strip_prefix("~/"), env::home_dir()) {
            (Some(below), Some(home)) => home.join(below),
            _ if folder.is_empty() => PathBuf::from("."),
            _ => PathBuf::from(folder),
        };
        let Ok(entries) = fs::read_dir(place) else { return };
        let mut paths = Vec::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !name.starts_with(begun) || (name.starts_with('.') && begun.is_empty()) {
                continue;
            }
            let is_directory = entry.path().is_dir();
            if is_directory || !only_directories {
                paths.push(format!("{before}{folder}{name}{}", if is_directory { "/" } else { "" }));
            }
        }
        paths.sort_unstable();
        self.candidates.extend(paths.into_iter().map(|path| Candidate::new(path, "")));
    }
}

/// The names of verbs or flags at a place that takes one.
pub(super) fn names(command: &clap::Command, wanted: Wanted<'_>, typed: &str) -> Vec<Candidate> {
    let help = |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    let verbs = command.get_subcommands().map(|verb| Candidate::new(verb.get_name(), help(verb.get_about())));
    let longs = command
        .get_arguments()
        .filter_map(|arg| Some(Candidate::new(format!("--{}", arg.get_long()?), help(arg.get_help()))));
    let shorts = command
        .get_arguments()
        .filter_map(|arg| Some(Candidate::new(format!("-{}", arg.get_short()?), help(arg.get_help()))));
    let all: Vec<_> = match wanted {
        Wanted::Verb => verbs.collect(),
        Wanted::Flag => longs.chain(shorts).collect(),
        Wanted::Value { .. } | Wanted::Unknown => Vec::new(),
    };
    all.into_iter().filter(|one| one.value.starts_with(typed)).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;
    use crate::cli::encryption_args::at_rest::AtRest;
    use crate::commands::inspect::expect::Expectation;
    use crate::commands::inspect::sample::Share;
    use crate::commands::rotate::selector::Selector;
    use crate::encryption::Mode;

    #[test]
    fn every_mode_is_offered() {
        for mode in Mode::ALL {
            let is = |(word, _): &(&str, &str)| *word == mode.as_str();
            assert!(EXPECTATIONS.iter().any(is) && SELECTORS.iter().any(is), "{mode}");
            let is_at_rest = mode.as_str().parse::<AtRest>().is_ok();
            assert_eq!(AT_REST.iter().any(is), is_at_rest, "{mode}");
        }
    }

    #[test]
    fn words_are_those_that_are_taken() {
        assert!(AT_REST.iter().all(|(word, _)| word.parse::<AtRest>().is_ok()));
        assert!(EXPECTATIONS.iter().all(|(word, _)| word.parse::<Expectation>().is_ok()));
        assert!(SHARES.iter().all(|(word, _)| word.parse::<Share>().is_ok()));
        for (word, _) in SELECTORS {
            let whole = if word.ends_with(':') { format!("{word}k-1") } else { word.to_owned() };
            assert!(whole.parse::<Selector>().is_ok(), "{word}");
        }
    }

    #[test]
    fn every_argument_with_values_to_offer_is_known() {
        let mut program = Cli::command();
        program.build();
        let found = |verb: &str, flag: &str| {
            let verb = program.find_subcommand(verb).unwrap();
            let arg = verb.get_arguments().find(|arg| arg.get_long() == Some(flag));
            let arg = arg.unwrap_or_else(|| panic!("no --{flag}"));
            let values = of(arg, "");
            !values.candidates.is_empty() || values.elsewhere.is_some()
        };
        for (verb, flags) in [
            (
                "put",
                &[
                    "encrypt",
                    "at-rest",
                    "format",
                    "storage-class",
                    "acl",
                    "lock-mode",
                    "checksum",
                    "progress",
                    "color",
                ][..],
            ),
            (
                "put",
                &[
                    "profile",
                    "config-profile",
                    "region",
                    "key",
                    "sse-c-key",
                    "public-key",
                    "passphrase",
                    "ca-bundle",
                ],
            ),
            ("inspect", &["expect", "format", "inventory", "report", "key", "allow-legacy", "sample"]),
            ("rotate", &["only", "accept-loss", "from-key", "batch-report", "journal"]),
            ("doctor", &["for", "encrypt", "policy", "with", "from"]),
        ] {
            for flag in flags {
                assert!(found(verb, flag), "{verb} --{flag}");
            }
        }
    }
}
