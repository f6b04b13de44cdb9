//! An error as a document: the message, the chain of causes, hints and the exit code.

use serde::Serialize;
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::cli::remedies;

/// What ended the run.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RunError {
    /// What went wrong.
    pub(crate) error: Error,
}

/// What went wrong.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Error {
    /// What happened, to what.
    pub(crate) message: String,
    /// What lies behind it, the nearest first.
    pub(crate) causes: Vec<String>,
    /// What can be done about it. For one of many objects only a flag that allows it; a run over it alone gives all.
    pub(crate) hints: Vec<String>,
    /// The exit code: that of the run, or for one of many objects that of a run over it alone.
    pub(crate) exit_code: u8,
    /// The envelope of a client-side object that the server did not keep, without which it cannot be decrypted: `object`,
    /// `new` and, of a rotation, `old`. Null for other errors.
    pub(crate) envelope: Option<Value>,
}

impl Error {
    /// Describes the error of one of many objects.
    pub(crate) fn of(error: &crate::error::Error) -> Self {
        let envelope = match error {
            crate::error::Error::EnvelopeLost(lost) => Some(lost.document()),
            _ => None,
        };
        Self {
            message: error.to_string(),
            causes: causes(error),
            hints: remedies::of(error).into_iter().collect(),
            exit_code: Exit::of(error).code(),
            envelope,
        }
    }
}

/// The chain of causes behind an error, without those that repeat what was said before: many errors of libraries contain
/// the text of their cause.
pub(crate) fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let text = cause.to_string();
        if !text.is_empty() && !texts.last().is_some_and(|before| before.contains(&text)) {
            texts.push(text);
        }
    }
    texts.split_off(1)
}
