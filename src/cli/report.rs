//! Telling failures: message, causes, hints; the only place that prints an error.
//!
//! What an error means is decided elsewhere: its code in `exit`, what to do about it in `hints`.

use serde_json::json;

use super::exit::Exit;
use super::failure::Failure;
use super::foreign::escaped;
use super::hints;
use super::output::Printer;
use crate::error::Error;

/// Tells a failure and returns the code to leave with; `aws_flags` make commands in hints reach the same place.
pub fn failure(failure: &Failure, printer: &Printer, json: bool, aws_flags: &str) -> Exit {
    // Whoever closed the pipe knows: `s3seal get … - | head` is no accident.
    if failure.exit != Exit::ReaderLeft {
        let told = Told::from(failure, aws_flags);
        if json {
            printer.line(&told.json(failure.exit));
        } else {
            printer.line(&told.text(printer.color()));
        }
    }
    failure.exit
}

struct Told {
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Told {
    fn from(failure: &Failure, aws_flags: &str) -> Self {
        let message = failure.error.to_string();
        let mut causes: Vec<String> = Vec::new();
        for cause in failure.error.chain().skip(1).map(ToString::to_string) {
            // Many errors of libraries repeat their own cause.
            let said = causes.last().unwrap_or(&message).contains(&cause);
            if !said && !cause.is_empty() {
                causes.push(cause);
            }
        }
        let mut hints = failure.hints.clone();
        if let Some(error) = failure.error.downcast_ref::<Error>() {
            hints.extend(hints::of(error, aws_flags));
        }
        Self { message, causes, hints }
    }

    fn text(&self, color: bool) -> String {
        let paint = |code: &str, word: &str| {
            if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
        };
        let mut text = format!("{} {}", paint("1;31", "error:"), escaped(&self.message));
        for cause in &self.causes {
            text += &format!("\n  {} {}", paint("33", "cause:"), escaped(cause));
        }
        for hint in &self.hints {
            text += &format!("\n  {} {}", paint("36", "hint:"), escaped(hint));
        }
        text
    }

    fn json(&self, exit: Exit) -> String {
        json!({
            "schema_version": super::outcome::SCHEMA_VERSION,
            "error": {
                "message": self.message,
                "causes": self.causes,
                "hints": self.hints,
                "exit_code": exit.code(),
            },
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::error::{KeyFault, NetworkFault};

    fn text(failure: impl Into<Failure>) -> String {
        Told::from(&failure.into(), "").text(false)
    }

    #[test]
    fn an_error_is_told_with_causes_and_hints() {
        let told = text(Error::KeyWrong {
            what: "s3://bkt/k".to_owned(),
            why: KeyFault::DoesNotUnwrap { fingerprint: None },
            source: Some(io::Error::other("authentication tag mismatch").into()),
        });
        assert!(
            told.starts_with(
                "error: cannot open s3://bkt/k: the data key does not unwrap with the key given\n  \
                 cause: authentication tag mismatch\n  hint: "
            ),
            "{told}"
        );
    }

    #[test]
    fn a_cause_is_not_told_twice() {
        let inner = anyhow::anyhow!("connection refused");
        let outer = inner.context("cannot connect: connection refused");
        let told = Told::from(&Failure::new(Exit::Network, outer), "");
        assert!(told.causes.is_empty(), "{:?}", told.causes);
    }

    #[test]
    fn foreign_text_cannot_play_with_the_terminal() {
        let told = text(Error::NotFound { what: "s3://bkt/\x1b[2J\nerror: x".to_owned(), source: None });
        assert_eq!(told.lines().next(), Some(r"error: s3://bkt/\u{1b}[2J\nerror: x does not exist"));
    }

    #[test]
    fn json_holds_the_same() {
        let failure: Failure =
            Error::Network { what: "s3://bkt/k".to_owned(), why: NetworkFault::Timeout, source: None }.into();
        let json: serde_json::Value =
            serde_json::from_str(&Told::from(&failure, "").json(failure.exit)).unwrap();
        assert_eq!(json["error"]["exit_code"], 7);
        assert_eq!(json["error"]["message"], "s3://bkt/k: the server did not answer in time");
        assert_eq!(json["schema_version"], 1);
    }
}
