//! Finds where in a command line the cursor is: which verb, and which of its arguments is being typed.
//!
//! The line is matched against the definition of the command line. It is unfinished, so nothing in it counts as an
//! error.

use clap::{Arg, Command};

use super::line::Word;

/// What is being typed.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// A verb.
    Verb,
    /// The name of a flag.
    Flag,
    /// A value; `before` it stand in the same word the flag and what joins them.
    Value { arg: &'a Arg, before: &'a str, typed: &'a str },
    /// Something of which nothing is known.
    Unknown,
}

/// The place of the cursor.
pub(super) struct Place<'a> {
    /// The verb, or the program.
    pub(super) command: &'a Command,
    pub(super) wanted: Wanted<'a>,
    /// The flags of the whole line but the one at the cursor, each with its value.
    pub(super) given: Vec<(&'a Arg, Option<&'a str>)>,
}

/// Reads the words after the program's name; that at the index `cursor` is the one being typed.
pub(super) fn find<'a>(program: &'a Command, words: &'a [Word], cursor: usize) -> Place<'a> {
    let mut place = Place { command: program, wanted: Wanted::Unknown, given: Vec::new() };
    let (mut open, mut positionals, mut only_positionals) = (None::<&Arg>, 0, false);
    for (index, word) in words.iter().enumerate() {
        let (text, is_here) = (word.text.as_str(), index == cursor);
        if let Some(arg) = open.take() {
            if is_here {
                place.wanted = Wanted::Value { arg, before: "", typed: text };
            } else {
                place.given.push((arg, Some(text)));
            }
        } else if only_positionals || !text.starts_with('-') || (text == "-" && !is_here) {
            if is_here {
                place.wanted = positional(place.command, positionals, only_positionals, text);
            } else if let Some(verb) = verb(place.command, positionals, text) {
                place.command = verb;
            } else {
                positionals += 1;
            }
        } else if is_here {
            place.wanted = flag_at_cursor(place.command, text);
        } else if text == "--" {
            only_positionals = true;
        } else if let Some((arg, _, value)) = flag(place.command, text) {
            if value.is_none() && needs_value(arg) {
                open = Some(arg);
            } else {
                place.given.push((arg, value));
            }
        }
    }
    place
}

fn verb<'a>(command: &'a Command, positionals: usize, text: &str) -> Option<&'a Command> {
    if positionals > 0 { None } else { command.find_subcommand(text) }
}

/// The positional argument after so many others; those after `--` are the last one's.
fn positional<'a>(command: &'a Command, number: usize, is_last: bool, typed: &'a str) -> Wanted<'a> {
    if command.has_subcommands() {
        return Wanted::Verb;
    }
    let mut fitting: Vec<&Arg> =
        command.get_positionals().filter(|arg| !arg.is_last_set() || is_last).collect();
    if is_last && let Some(last) = fitting.iter().find(|arg| arg.is_last_set()) {
        fitting = vec![last];
    }
    let repeated =
        || fitting.last().filter(|arg| arg.get_num_args().is_some_and(|count| count.max_values() > 1));
    match fitting.get(number).or_else(repeated) {
        Some(arg) => Wanted::Value { arg, before: "", typed },
        None => Wanted::Unknown,
    }
}

fn flag_at_cursor<'a>(command: &'a Command, text: &'a str) -> Wanted<'a> {
    match flag(command, text) {
        Some((arg, before, Some(typed))) => Wanted::Value { arg, before, typed },
        _ if text == "-" || text.starts_with("--") => Wanted::Flag,
        _ => Wanted::Unknown,
    }
}

/// The flag in a word, what stands before its value, and the value if the word holds one. Of several short flags it is the last.
fn flag<'a>(command: &'a Command, text: &'a str) -> Option<(&'a Arg, &'a str, Option<&'a str>)> {
    if let Some(long) = text.strip_prefix("--") {
        let name = long.split('=').next().unwrap_or_default();
        let arg = command.get_arguments().find(|arg| arg.get_long() == Some(name))?;
        let before = (name.len() < long.len()).then_some(name.len() + 3);
        return Some(match before {
            Some(end) => (arg, &text[..end], Some(&text[end..])),
            None => (arg, text, None),
        });
    }
    let mut last = None;
    for (at, c) in text.char_indices().skip(1) {
        let arg = command.get_arguments().find(|arg| arg.get_short() == Some(c))?;
        let end = at + c.len_utf8();
        if needs_value(arg) && end < text.len() {
            let end = end + usize::from(text[end..].starts_with('='));
            return Some((arg, &text[..end], Some(&text[end..])));
        }
        last = Some((arg, text, None));
    }
    last
}

/// Whether the next word is the flag's value: not if the value may be left out, for it is then joined by `=`.
fn needs_value(arg: &Arg) -> bool {
    arg.get_num_args().is_some_and(|count| count.min_values() > 0)
}

#[cfg(test)]
mod tests {
    use clap::{ArgAction, CommandFactory};

    use super::super::line::{self, Shell};
    use super::*;
    use crate::cli::Cli;

    /// The verb and the argument at the line's end, with what is typed of its value.
    fn at_end(line: &str) -> String {
        let mut program = Cli::command();
        program.build();
        let words = line::words(line, Shell::Bash, "");
        let place = find(&program, &words, words.len() - 1);
        let wanted = match place.wanted {
            Wanted::Verb => "verb".to_owned(),
            Wanted::Flag => "flag".to_owned(),
            Wanted::Unknown => "unknown".to_owned(),
            Wanted::Value { arg, before, typed } => format!("{}|{before}|{typed}", arg.get_id()),
        };
        format!("{} {wanted}", place.command.get_name())
    }

    #[test]
    fn the_argument_at_the_cursor_is_found() {
        for (line, expected) in [
            ("", "s3seal verb"),
            ("pu", "s3seal verb"),
            ("--profile get ", "s3seal verb"),
            ("--region=eu get ", "get places||"),
            ("get s3://b/k ", "get places||"),
            ("get s3://b/k dest ", "get places||"),
            ("get -r s3://b/", "get places||s3://b/"),
            ("put a b c", "put places||c"),
            ("put - s3", "put places||s3"),
            ("put --from-command s3://b/k -- pg_", "put command||pg_"),
            ("put --from-command s3://b/k -- pg_dump d", "put command||d"),
            ("put -e ss", "put mode||ss"),
            ("put -ess", "put mode|-e|ss"),
            ("put -re=ss", "put mode|-re=|ss"),
            ("put --encrypt=ss", "put mode|--encrypt=|ss"),
            ("put --context a=b ", "put places||"),
            ("put --key=file:a=b", "put key|--key=|file:a=b"),
            ("put --k", "put flag"),
            ("put -", "put flag"),
            ("put --bogus=x", "put flag"),
            ("get --request-payer s3://b/k ", "get places||"),
            ("get -- -x", "get places||-x"),
            ("help ", "help verb"),
        ] {
            assert_eq!(at_end(line), expected, "{line}");
        }
    }

    #[test]
    fn flags_of_the_whole_line_are_given() {
        let mut program = Cli::command();
        program.build();
        let words = line::words("--profile p get s3://b/ --no-sign-request --region=eu -v", Shell::Bash, "");
        let place = find(&program, &words, 3);
        let given = place.given.iter().map(|(arg, value)| (arg.get_id().as_str(), *value));
        let expected =
            [("profile", Some("p")), ("no_sign_request", None), ("region", Some("eu")), ("verbose", None)];
        assert_eq!(given.collect::<Vec<_>>(), expected);
        assert!(matches!(place.given[1].0.get_action(), ArgAction::SetTrue));
    }
}
