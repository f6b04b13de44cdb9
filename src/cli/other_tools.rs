//! Recognizes the commands and options of other tools, and says what to type instead.
//!
//! This runs only after clap has refused a command line. The line is translated as a whole, and the translation is
//! suggested if s3seal accepts it; otherwise the answer explains the one word that was refused.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};

mod options;

use options::{Takes, foreign_option, mode};

use super::Cli;
use super::sanitize::shell_word;
use crate::pattern::has_wildcard;

/// Returns what to tell somebody whose command line has words of another tool; `None` if the refused word is of none.
pub(super) fn answer(error: &clap::Error, argv: &[OsString]) -> Option<String> {
    let refused = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    let words: Vec<&str> = argv.iter().skip(1).map(|word| word.to_str()).collect::<Option<_>>()?;
    match error.kind() {
        ErrorKind::InvalidSubcommand => command_answer(refused(ContextKind::InvalidSubcommand)?, &words),
        ErrorKind::UnknownArgument => {
            let name = refused(ContextKind::InvalidArg)?;
            let option = foreign_option(name)?;
            let whole = translated(&words).map(|line| format!("type `{line}`"));
            Some(format!("no option {name}: {}", whole.unwrap_or_else(|| option.answer.to_owned())))
        }
        ErrorKind::InvalidValue => {
            let (argument, value) = (refused(ContextKind::InvalidArg)?, refused(ContextKind::InvalidValue)?);
            let ours = mode(value).filter(|_| argument.starts_with("--encrypt") && !value.is_empty())?;
            let whole = translated(&words).unwrap_or_else(|| format!("-e {ours}"));
            Some(format!("{value} is not a mode: type `{whole}`"))
        }
        _ => None,
    }
}

/// Removes clap's tips that lead astray: to pass a mistyped option as a value after `--`, and the names of hidden commands.
pub(super) fn remove_misleading_tips(error: &mut clap::Error) {
    let hidden = |name: &String| Cli::command().find_subcommand(name).is_some_and(clap::Command::is_hide_set);
    if let Some(ContextValue::Strings(names)) = error.remove(ContextKind::SuggestedSubcommand) {
        let names: Vec<_> = names.into_iter().filter(|name| !hidden(name)).collect();
        if !names.is_empty() {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(names));
        }
    }
    if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        let tips: Vec<_> = tips.into_iter().filter(|tip| !tip.to_string().starts_with("to pass ")).collect();
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
}

fn command_answer(word: &str, words: &[&str]) -> Option<String> {
    let instead = match word {
        "cp" | "copy" | "sync" | "mv" | "s3" | "s3api" | "cat" | "upload" | "download" | "encrypt"
        | "decrypt" | "ls" => {
            "`s3seal put` stores, `s3seal get` fetches, `s3seal inspect` shows what is stored"
        }
        "rm" | "rb" | "delete" => {
            "s3seal deletes no objects; `aws s3 rm` does. `s3seal cleanup` removes what broken runs left"
        }
        "mb" => "s3seal creates no buckets; `aws s3 mb` does",
        "version" => "`s3seal --version` prints it",
        _ => return None,
    };
    let line = CommandLine::read(words);
    let elsewhere = line.as_ref().is_some_and(|line| {
        line.places.len() > 1 && line.places.iter().all(|place| place.starts_with("s3://"))
    });
    let instead = match word {
        "cp" | "copy" | "sync" | "mv" if elsewhere => {
            "s3seal copies nothing from place to place; `aws s3 cp` does"
        }
        "encrypt" => "`s3seal put FILE s3://BUCKET/KEY` encrypts a file into S3",
        "decrypt" => "`s3seal get s3://BUCKET/KEY FILE` decrypts an object from S3",
        _ => instead,
    };
    let Some((command, translation)) = line.and_then(|line| Some((line.command()?, line.translation()?)))
    else {
        return Some(format!("no command {word}: {instead}"));
    };
    Some(format!("no command {word}: `{translation}` {}", command.does))
}

/// Returns the command line in s3seal's words, if s3seal accepts it.
fn translated(words: &[&str]) -> Option<String> {
    CommandLine::read(words)?.translation()
}

/// A command line taken apart.
struct CommandLine<'a> {
    verb: &'a str,
    places: Vec<&'a str>,
    /// Options as typed, each with its value.
    options: Vec<(&'a str, Option<&'a str>)>,
}

/// A command of s3seal that does what another tool's does.
struct Command {
    verb: &'static str,
    /// What it does, after the command.
    does: &'static str,
    /// What follows the places.
    then: &'static [&'static str],
}

impl<'a> CommandLine<'a> {
    /// Takes a command line apart; `None` if an option is of no tool that is known here.
    fn read(words: &[&'a str]) -> Option<Self> {
        let own = Cli::command();
        let mut words = words.iter().copied().peekable();
        let mut line = Self { verb: "", places: Vec::new(), options: Vec::new() };
        while let Some(word) = words.next() {
            if word == "--" {
                return None;
            }
            if !word.starts_with('-') || word == "-" {
                match line.verb {
                    "" | "s3" | "s3api" => line.verb = word,
                    _ => line.places.push(word),
                }
                continue;
            }
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let takes = foreign_option(name).map(|option| option.takes).or_else(|| takes(&own, name))?;
            let next = |value: &&str| match takes {
                Takes::Nothing => false,
                Takes::Value => true,
                // `--sse` is followed by a mode, or by a place.
                Takes::OptionalValue => mode(value).is_some() && !value.is_empty(),
            };
            let value = attached.or_else(|| words.next_if(next));
            line.options.push((name, value));
        }
        Some(line)
    }

    fn given(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    fn is_recursive(&self) -> bool {
        ["-r", "--recursive"].into_iter().any(|name| self.given(name))
    }

    /// Returns the command of s3seal that does what this one does elsewhere.
    fn command(&self) -> Option<Command> {
        let in_s3 = |place: &str| place.starts_with("s3://");
        let (from, to) = match self.places.as_slice() {
            [] => return None,
            [one] => (in_s3(one), None),
            [from @ .., to] => (from.iter().all(|place| in_s3(place)), Some(in_s3(to))),
        };
        let command = |verb, does, then| Some(Command { verb, does, then });
        let many = self.is_recursive();
        match (self.verb, from, to) {
            ("sync", false, Some(true)) => {
                command("put", "stores what has changed in a directory", &["-r", "--update"])
            }
            ("sync", true, Some(false)) => {
                command("get", "fetches what has changed under a prefix", &["-r", "--update"])
            }
            ("cp" | "copy" | "mv" | "upload" | "encrypt", false, Some(true)) if many => {
                command("put", "stores a directory", &[])
            }
            ("mv", false, Some(true)) => command("put", "stores a file, which stays where it is", &[]),
            ("mv", true, Some(false)) => command("get", "fetches an object, which stays where it is", &[]),
            ("cp" | "copy" | "upload" | "encrypt", false, Some(true)) => command("put", "stores a file", &[]),
            ("cp" | "copy" | "download" | "decrypt", true, Some(false)) if many => {
                command("get", "fetches everything under a prefix", &[])
            }
            ("cp" | "copy" | "download" | "decrypt", true, Some(false))
            | ("download" | "decrypt", true, None) => command("get", "fetches an object", &[]),
            ("cp" | "copy", true, Some(true)) if self.places[0] == self.places[1] => {
                command("rotate", "changes the encryption of what is stored", &[])
            }
            ("cat", true, None) => command("get", "writes an object to standard output", &["-"]),
            ("ls", true, None) => command("inspect", "shows what is stored and how it is encrypted", &[]),
            _ => None,
        }
    }

    fn translation(&self) -> Option<String> {
        let own = ["put", "get", "inspect", "rotate", "keygen", "doctor", "cleanup"]
            .into_iter()
            .find(|verb| *verb == self.verb);
        let (verb, then) = match own {
            Some(verb) => (verb, &[][..]),
            None => self.command().map(|command| (command.verb, command.then))?,
        };
        let mut places = self.places.clone();
        if verb == "rotate" && own.is_none() {
            places.truncate(1);
        }
        let is_many = self.verb == "sync" || own.is_none() && verb != "inspect" && self.is_recursive();
        let place = |place: &str| {
            let (is_address, is_whole) = (place.starts_with("s3://"), place.ends_with('/'));
            let slash = if is_many && is_address && !is_whole && !has_wildcard(place) { "/" } else { "" };
            format!("{place}{slash}")
        };
        let mut line: Vec<String> = vec!["s3seal".into(), verb.into()];
        line.extend(places.into_iter().map(place));
        line.extend(then.iter().copied().map(str::to_owned));
        for (name, value) in &self.options {
            match foreign_option(name).filter(|_| takes_in(verb, name).is_none()) {
                Some(option) => line.extend((option.translate)(verb, value.unwrap_or_default())?),
                None => line.extend(own_option(name, *value)),
            }
        }
        // Without its key, the translation would store what was to be encrypted with SSE-C otherwise.
        let sse_c = ["--sse-c", "--sse-customer-algorithm"].into_iter().any(|name| self.given(name));
        if sse_c && !self.given("--sse-c-key") {
            return None;
        }
        let kms = ["--sse-kms-key-id", "--ssekms-key-id"].into_iter().any(|name| self.given(name));
        if kms && !line.iter().any(|word| word == "-e") {
            line.extend(["-e".into(), "sse-kms".into()]);
        }
        Cli::try_parse_from(&line)
            .is_ok()
            .then(|| line.iter().map(|word| shell_word(word).to_string()).collect::<Vec<_>>().join(" "))
    }
}

/// Repeats an option of ours, with the spellings of AWS in its value replaced.
fn own_option(name: &str, value: Option<&str>) -> Vec<String> {
    let value = match (name, value) {
        ("-e" | "--encrypt", Some(value)) => Some(mode(value).unwrap_or(value)),
        ("--sse-c-key", Some(value)) => Some(value.strip_prefix("fileb://").unwrap_or(value)),
        (_, value) => value,
    };
    match value {
        Some(value) if name == "--passphrase" || name == "--request-payer" => {
            vec![format!("{name}={value}")]
        }
        value => [Some(name), value].into_iter().flatten().map(str::to_owned).collect(),
    }
}

/// What an option of any verb of ours takes.
fn takes(cli: &clap::Command, name: &str) -> Option<Takes> {
    std::iter::once(cli).chain(cli.get_subcommands()).find_map(|command| option(command, name))
}

/// What an option takes, if `verb` has it.
fn takes_in(verb: &str, name: &str) -> Option<Takes> {
    let cli = Cli::command();
    option(&cli, name).or_else(|| option(cli.find_subcommand(verb)?, name))
}

fn option(command: &clap::Command, name: &str) -> Option<Takes> {
    let found = command.get_arguments().find(|argument| match name.strip_prefix("--") {
        Some(long) => argument.get_long() == Some(long),
        None => argument
            .get_short()
            .is_some_and(|short| name.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))),
    })?;
    if !found.get_action().takes_values() {
        return Some(Takes::Nothing);
    }
    // A value that may be left out is given with `=` only, so the next word is not it.
    Some(if found.is_require_equals_set() { Takes::Nothing } else { Takes::Value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<String> {
        let argv: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&argv).err().unwrap_or_else(|| panic!("accepted: {line}"));
        answer(&error, &argv)
    }

    #[test]
    fn a_command_of_another_tool_is_answered_with_the_whole_line() {
        for (typed, expected) in [
            ("s3seal cp a s3://bkt/k", "no command cp: `s3seal put a s3://bkt/k` stores a file"),
            ("s3seal cp s3://bkt/k a", "no command cp: `s3seal get s3://bkt/k a` fetches an object"),
            ("s3seal s3 cp s3://bkt/k -", "no command s3: `s3seal get s3://bkt/k -` fetches an object"),
            (
                "s3seal sync dir s3://bkt/p/",
                "no command sync: `s3seal put dir s3://bkt/p/ -r --update` stores what has changed in a directory",
            ),
            (
                "s3seal sync dir s3://bkt/p",
                "no command sync: `s3seal put dir s3://bkt/p/ -r --update` stores what has changed in a directory",
            ),
            (
                "s3seal cp -r s3://bkt/p dir",
                "no command cp: `s3seal get s3://bkt/p/ dir -r` fetches everything under a prefix",
            ),
            (
                "s3seal cp -r s3://bkt/p* dir",
                "no command cp: `s3seal get 's3://bkt/p*' dir -r` fetches everything under a prefix",
            ),
            (
                "s3seal cat s3://bkt/k",
                "no command cat: `s3seal get s3://bkt/k -` writes an object to standard output",
            ),
            (
                "s3seal cp a s3://bkt/k --sse aws:kms --sse-kms-key-id alias/x --no-progress",
                "no command cp: `s3seal put a s3://bkt/k -e sse-kms --kms-key alias/x --progress never` stores a file",
            ),
            (
                "s3seal cp a s3://bkt/k --sse-c AES256 --sse-c-key fileb://k.bin",
                "no command cp: `s3seal put a s3://bkt/k --sse-c-key k.bin` stores a file",
            ),
            (
                "s3seal cp s3://bkt/p/ s3://bkt/p/ --recursive --sse aws:kms --sse-kms-key-id alias/x",
                "no command cp: `s3seal rotate s3://bkt/p/ -e sse-kms --kms-key alias/x` changes the encryption of what \
                 is stored",
            ),
        ] {
            assert_eq!(said(typed).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn an_option_of_another_tool_is_answered_with_the_whole_line_if_that_is_sure() {
        for (typed, expected) in [
            (
                "s3seal put a s3://bkt/k --sse aws:kms",
                "no option --sse: type `s3seal put a s3://bkt/k -e sse-kms`",
            ),
            ("s3seal put a s3://bkt/k --sse", "no option --sse: type `s3seal put a s3://bkt/k -e sse-s3`"),
            (
                "s3seal put a s3://bkt/k -e AES256",
                "AES256 is not a mode: type `s3seal put a s3://bkt/k -e sse-s3`",
            ),
            (
                "s3seal put a s3://bkt/k --sse-kms-key-id alias/x",
                "no option --sse-kms-key-id: type `s3seal put a s3://bkt/k --kms-key alias/x -e sse-kms`",
            ),
            (
                "s3seal put a s3://bkt/k --output json",
                "no option --output: type `s3seal put a s3://bkt/k --json`",
            ),
            (
                "s3seal put a s3://bkt/k --output text",
                "no option --output: `--json` writes the outcome as JSON; `inspect --format` chooses between table, \
                 json, ndjson and csv",
            ),
            ("s3seal put a s3://bkt/k --force", "no option --force: type `s3seal put a s3://bkt/k`"),
            (
                "s3seal inspect s3://bkt/p/ --recursive",
                "no option --recursive: type `s3seal inspect s3://bkt/p/`",
            ),
            ("s3seal put a s3://bkt/k --sse-c", "no option --sse-c: `--sse-c-key FILE` encrypts with SSE-C"),
        ] {
            assert_eq!(said(typed).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn a_word_of_no_other_tool_is_left_to_the_parser() {
        for typed in
            ["s3seal putt a s3://bkt/k", "s3seal put a s3://bkt/k --frob", "s3seal put a s3://bkt/k -e sse"]
        {
            assert_eq!(said(typed), None, "{typed}");
        }
    }
}
