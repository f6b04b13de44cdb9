//! `s3seal complete`: prints the possible completions at the cursor. Only the scripts in `completions` call it.
//!
//! The scripts pass the line unchanged. clap's own completers do not split it as readline does, and see only the value
//! that is completed, not the flags that say how to reach S3.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::iter;

use clap::{Command, CommandFactory};

use super::Cli;
use super::config::{Config, Flags};
use super::sanitize::harmful;
use super::unhidden::unhidden;
use crate::aws;

mod line;
mod place;
mod remote;
mod values;

use line::{Shell, Word};
use place::Wanted;
pub(crate) use remote::VARIABLE;
use values::Elsewhere;

/// readline's `COMP_TYPE` where it only lists what is possible.
const LIST: &str = "63";

/// A line in a shell, and where in it the cursor is.
pub(super) struct Question {
    shell: Shell,
    words: Vec<Word>,
    /// The index of the word at the cursor.
    cursor: usize,
    /// Whether candidates are only to be listed, so that they may be short.
    is_list: bool,
}

/// Something that may stand at the cursor: the whole word.
struct Candidate {
    value: String,
    help: String,
}

impl Candidate {
    fn new(value: impl Into<String>, help: impl Into<String>) -> Self {
        Self { value: value.into(), help: help.into() }
    }

    /// What a list shows: the last name of a path.
    fn shown(&self) -> &str {
        let folder = self.value.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
        &self.value[folder..]
    }
}

/// Reads a question: `s3seal complete SHELL BEFORE AFTER [WORD-BREAKS TYPE]`, the line before and after the cursor.
pub(super) fn question(argv: &[OsString]) -> Option<Question> {
    let argv: Vec<_> = argv.iter().map(|word| word.to_string_lossy()).collect();
    let [_, verb, shell, before, after, readline @ ..] = argv.as_slice() else { return None };
    let shell = shell.parse().ok().filter(|_| verb == "complete")?;
    let breaks = readline.first().map_or("", |breaks| breaks);
    let mut words = line::words(before, shell, breaks);
    let is_list = readline.get(1).is_some_and(|kind| kind == LIST);
    if words.len() < 2 {
        // The program itself is not whole yet.
        return Some(Question { shell, words: Vec::new(), cursor: 0, is_list });
    }
    // What stands before the program is another's: variables, or a program such as sudo.
    let program = words.iter().position(|word| word.text.rsplit('/').next() == Some("s3seal"));
    words.drain(..=program.unwrap_or(0).min(words.len().saturating_sub(2)));
    let cursor = words.len() - 1;
    let rest_of_word = after.find(char::is_whitespace).unwrap_or(after.len());
    words.extend(line::words(&after[rest_of_word..], shell, breaks));
    Some(Question { shell, words, cursor, is_list })
}

impl Question {
    /// Writes to standard output `files`, if what stands there may also be a file, or `none`; then a line for each
    /// candidate: the text to insert, and behind tabs for zsh what a list shows, and the help.
    pub(super) async fn answer(self) {
        let mut program = unhidden(&Cli::command());
        program.build();
        let (candidates, may_be_path) = self.candidates(&program).await;
        let first = if may_be_path { "files" } else { "none" };
        let lines = iter::once(first.to_owned()).chain(self.lines(&candidates)).collect::<Vec<_>>();
        // Nobody is left to tell if the shell does not read it.
        let _ = writeln!(io::stdout(), "{}", lines.join("\n"));
    }

    async fn candidates(&self, program: &Command) -> (Vec<Candidate>, bool) {
        if self.words.is_empty() {
            return (Vec::new(), false);
        }
        let place = place::find(program, &self.words, self.cursor);
        let Wanted::Value { arg, before, typed } = place.wanted else {
            return (values::names(place.command, place.wanted, &self.words[self.cursor].text), false);
        };
        let mut values = values::of(arg, typed);
        let names: Vec<String> = match values.elsewhere {
            None => Vec::new(),
            Some(Elsewhere::S3) => {
                values.candidates = remote::places(typed, &place.given).await;
                Vec::new()
            }
            Some(Elsewhere::AwsProfiles) => aws::profile_names().await,
            // A file with an error has none to offer.
            Some(Elsewhere::ConfigProfiles) => {
                let config = Config::load(&Flags::of(program)).unwrap_or_default();
                let names: BTreeSet<_> = config.profiles().map(|profile| profile.name.clone()).collect();
                names.into_iter().collect()
            }
        };
        let names = names.into_iter().filter(|name| name.starts_with(typed));
        values.candidates.extend(names.map(|name| Candidate::new(name, "")));
        for candidate in &mut values.candidates {
            candidate.value.insert_str(0, before);
        }
        (values.candidates, values.may_be_path)
    }

    /// A name that cannot be shown cannot be chosen either.
    fn lines(&self, candidates: &[Candidate]) -> Vec<String> {
        let fit: Vec<_> = candidates.iter().filter(|one| !one.value.contains(harmful)).collect();
        if self.is_list && fit.len() > 1 {
            return fit.iter().map(|one| one.shown().to_owned()).collect();
        }
        let width = fit.iter().map(|one| one.shown().chars().count()).max().unwrap_or_default();
        fit.into_iter().map(|one| self.line(one, width)).collect()
    }

    /// The line for a candidate; `width` is that of the widest in a list.
    fn line(&self, candidate: &Candidate, width: usize) -> String {
        let word = &self.words[self.cursor];
        let text = match self.shell {
            Shell::Bash => candidate.value.get(word.start..).unwrap_or_default(),
            // A quote that the shell opened before the word stays there.
            Shell::Zsh if word.quote.is_some() => candidate.value.get(word.start..).unwrap_or_default(),
            Shell::Zsh | Shell::Fish => &candidate.value,
        };
        let tilde = if word.has_tilde && text.starts_with('~') { "~" } else { "" };
        let text = format!("{tilde}{}", line::quoted(&text[tilde.len()..], word.quote, self.shell));
        let (help, shown) = (candidate.help.lines().next().unwrap_or_default(), candidate.shown());
        match self.shell {
            Shell::Bash => text,
            Shell::Fish => format!("{text}\t{help}"),
            Shell::Zsh if help.is_empty() => format!("{text}\t{shown}"),
            Shell::Zsh => format!("{text}\t{shown:width$}  -- {help}"),
        }
    }
}
