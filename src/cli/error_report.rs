//! Prints failures: message, causes, hints; the only place that prints an error.
//!
//! What an error means is decided elsewhere: its code in `exit`, what to do about it in `hints`.

use std::ffi::OsString;

use clap::ValueEnum;
use clap::error::ErrorKind;

use super::aws_flags::AwsFlags;
use super::config::apply::InForce;
use super::document::{self, Command, Document, Record, RunError};
use super::exit::Exit;
use super::failure::Failure;
use super::hints;
use super::lost_envelope;
use super::other_tools;
use super::output::{Color, Printer};
use super::sanitize::escaped;
use super::separate_source;
use crate::error::{Error, LostEnvelope};
use crate::keys;

/// Tells a failure, in words or as a document of the verb given, and returns the code to leave with; `aws_flags` make
/// commands in hints reach the same place.
pub(crate) fn failure(
    failure: &Failure,
    printer: &Printer,
    json: Option<Command>,
    aws_flags: &AwsFlags,
) -> Exit {
    // Whoever closed the pipe knows: `s3seal get … - | head` is no accident.
    if failure.exit != Exit::ReaderLeft {
        let told = ErrorReport::from(failure, aws_flags);
        if let Some(command) = json {
            printer.line(&told.document(failure.exit, Some(command)).text());
        } else {
            printer.line(&told.text(printer.color()));
        }
    }
    failure.exit
}

/// Tells a failure that came before the command line was understood.
pub(crate) fn unparsed(failure: &Failure, argv: &[OsString]) -> Exit {
    let typed = Typed::from(argv);
    let report = ErrorReport::from(failure, &AwsFlags::default());
    if typed.json {
        Printer::silent().line(&report.document(failure.exit, typed.command).text());
    } else {
        Printer::silent().line(&report.text(typed.color.on()));
    }
    failure.exit
}

/// Prints what clap returns instead of arguments: the help or version that was asked for, or a refusal.
pub(crate) fn refusal(mut error: clap::Error, argv: &[OsString], rules: &InForce) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    let typed = Typed::from(argv);
    let printer = Printer::silent();
    let answer = separate_source::answer(argv).or_else(|| other_tools::answer(&error, argv));
    let is_alone = typed.json && error.kind() == ErrorKind::MissingSubcommand;
    let answer =
        answer.or_else(|| is_alone.then(|| "a verb is missing; s3seal --help lists them".to_owned()));
    let answer = answer.map(|answer| typed.without_keys(answer));
    other_tools::remove_misleading_tips(&mut error);
    let text = error.render();
    let origins = rules.origins(&text.to_string());
    if let (None, false, []) = (&answer, typed.json, origins.as_slice()) {
        let text = if typed.color.on() { text.ansi().to_string() } else { text.to_string() };
        printer.line(typed.without_keys(text).trim_end());
        return Exit::Usage;
    }
    let message = answer.unwrap_or_else(|| {
        let text = typed.without_keys(text.to_string());
        let first = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    unparsed(&origins.into_iter().fold(Failure::usage(message), Failure::hint), argv)
}

/// What can be seen of the flags in a command line that clap refuses.
struct Typed {
    json: bool,
    command: Option<Command>,
    color: Color,
    keys: Vec<String>,
}

impl Typed {
    fn from(argv: &[OsString]) -> Self {
        let words: Vec<&str> =
            argv.iter().filter_map(|word| word.to_str()).take_while(|word| *word != "--").collect();
        let after = |flag: &str| {
            let at = words.iter().position(|word| *word == flag)?;
            words.get(at + 1).copied()
        };
        let color = words.iter().find_map(|word| word.strip_prefix("--color=")).or_else(|| after("--color"));
        let json = words.contains(&"--json");
        let values = words.iter().map(|word| {
            word.split_once('=').filter(|_| word.starts_with("--")).map_or(*word, |(_, value)| value)
        });
        Self {
            json,
            command: words.iter().skip(1).find_map(|word| Command::named(word)),
            // A bar of colour codes in a document helps nobody.
            color: match color.and_then(|word| Color::from_str(word, false).ok()) {
                _ if json => Color::Never,
                word => word.unwrap_or(Color::Auto),
            },
            keys: values.filter(|value| keys::looks_like_key(value)).map(str::to_owned).collect(),
        }
    }

    /// clap repeats what it does not understand; a key typed in the wrong place must not be.
    fn without_keys(&self, text: String) -> String {
        self.keys.iter().fold(text, |text, key| text.replace(key, "(a key)"))
    }
}

struct ErrorReport {
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    envelope: Option<LostEnvelope>,
}

impl ErrorReport {
    fn from(failure: &Failure, aws_flags: &AwsFlags) -> Self {
        let mut hints = failure.hints.clone();
        let mut envelope = None;
        if let Some(error) = failure.error.downcast_ref::<Error>() {
            let own = failure.own_hints.and_then(|own| own(error, aws_flags));
            hints.extend(own.unwrap_or_else(|| hints::of(error, aws_flags)));
            if let Error::EnvelopeLost(lost) = error {
                envelope = Some(LostEnvelope::clone(lost));
            }
        }
        let causes = document::causes(failure.error.as_ref());
        Self { message: failure.error.to_string(), causes, hints, envelope }
    }

    fn text(&self, color: bool) -> String {
        let paint = |code: &str, word: &str| {
            if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
        };
        let line = |code: &str, word: &str, said: &str| format!("{} {said}", paint(code, word));
        // A cause may have lines of its own; further in than anything of ours, they cannot pass for it.
        let broken = |cause: &String| {
            cause.lines().map(|line| escaped(line.trim())).collect::<Vec<_>>().join("\n         ")
        };
        let causes = self.causes.iter().map(|cause| line("33", "cause:", &broken(cause)));
        let hints = self.hints.iter().map(|hint| line("36", "hint:", &escaped(hint)));
        let envelope = self.envelope.iter().map(|lost| line("33", "envelope:", &lost_envelope::line(lost)));
        let mut lines = vec![line("1;31", "error:", &escaped(&self.message))];
        lines.extend(causes.chain(envelope).chain(hints).map(|line| format!("  {line}")));
        lines.join("\n")
    }

    fn document(self, exit: Exit, command: Option<Command>) -> Document {
        let Self { message, causes, hints, envelope } = self;
        let envelope = envelope.map(|lost| lost.document());
        let error = document::Error { message, causes, hints, exit_code: exit.code(), envelope };
        Document::new(command, Record::Error(RunError { error }))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::{KeyFault, NetworkFault};

    fn text(failure: impl Into<Failure>) -> String {
        ErrorReport::from(&failure.into(), &AwsFlags::default()).text(false)
    }

    #[test]
    fn an_error_is_told_with_causes_and_hints() {
        let told = text(Error::KeyWrong {
            subject: "s3://bkt/k".into(),
            why: KeyFault::DoesNotUnwrap { fingerprint: None },
            source: Some(io::Error::other("authentication tag mismatch").into()),
        });
        assert!(
            told.starts_with(
                "error: cannot open s3://bkt/k: wrong key or passphrase\n  \
                 cause: authentication tag mismatch\n  hint: "
            ),
            "{told}"
        );
    }

    #[test]
    fn a_cause_is_not_told_twice() {
        let inner = anyhow::anyhow!("connection refused");
        let outer = inner.context("cannot connect: connection refused");
        let told = ErrorReport::from(&Failure::new(Exit::Network, outer), &AwsFlags::default());
        assert!(told.causes.is_empty(), "{:?}", told.causes);
    }

    #[test]
    fn foreign_text_cannot_play_with_the_terminal() {
        let told = text(Error::NotFound { subject: "s3://bkt/\x1b[2J\nerror: x".into(), source: None });
        assert_eq!(told.lines().next(), Some(r"error: s3://bkt/\u{1b}[2J\nerror: x does not exist"));
        let failure = Failure::key("a").because(std::io::Error::other("b\n  c\x07\nerror: d"));
        let told = ErrorReport::from(&failure, &AwsFlags::default()).text(false);
        assert_eq!(told, "error: a\n  cause: b\n         c\\u{7}\n         error: d");
    }

    #[test]
    fn json_holds_the_same() {
        let failure: Failure =
            Error::Network { subject: "s3://bkt/k".into(), why: NetworkFault::Timeout, source: None }.into();
        let told = ErrorReport::from(&failure, &AwsFlags::default());
        let json = serde_json::to_value(told.document(failure.exit, Some(Command::Get))).unwrap();
        assert_eq!(json["error"]["exit_code"], 7);
        assert_eq!(json["error"]["message"], "s3://bkt/k: the server did not answer in time");
        assert_eq!((&json["schema_version"], &json["command"]), (&1.into(), &"get".into()));
    }
}
