//! The failure that ends a command: an error of the core or of the command line, with its exit code and hints.
//!
//! Made anywhere in `cli`, printed only by `error_report`.

use std::fmt::Display;

use super::aws_flags::AwsFlags;
use super::exit::Exit;
use crate::error::Error;

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code to leave with.
    pub(crate) exit: Exit,
    /// The message and its chain of causes.
    pub(crate) error: anyhow::Error,
    /// What the user can do, beyond what `hints` knows of a core error.
    pub(crate) hints: Vec<String>,
    /// Where the verb looks up what helps with a core error before `hints` is asked.
    pub(crate) own_hints: Option<OwnHints>,
}

/// A verb's own hints for a core error, or none; with the flags by which the AWS CLI reaches the same place.
pub(crate) type OwnHints = fn(&Error, &AwsFlags) -> Option<Vec<String>>;

impl Failure {
    /// A command line that cannot be meant.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"))
    }

    /// A key that cannot be had.
    pub(crate) fn key(message: impl Display) -> Self {
        Self::new(Exit::Key, anyhow::anyhow!("{message}"))
    }

    /// A run over nothing at these places, which would prove nothing.
    pub(crate) fn nothing_found(places: &str) -> Self {
        Self::new(Exit::NotFound, anyhow::anyhow!("nothing found under {places}"))
            .hint("check the prefix, --include and --exclude; with --allow-empty this is a success")
    }

    /// Any failure, with its code.
    pub(crate) fn new(exit: Exit, error: anyhow::Error) -> Self {
        Self { exit, error, hints: Vec::new(), own_hints: None }
    }

    /// Adds the cause behind the message.
    pub(crate) fn because(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        let message = self.error.to_string();
        Self { error: anyhow::Error::new(cause).context(message), ..self }
    }

    /// Lets a verb's own hints come first, where they are meant.
    pub(crate) fn with_own_hints(self, hints: Option<OwnHints>) -> Self {
        Self { own_hints: hints.or(self.own_hints), ..self }
    }

    /// Adds a hint.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Exit::of(&error), anyhow::Error::new(error))
    }
}
