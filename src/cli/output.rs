//! How the program speaks: who may hear it, in which colours, and the one printer for standard error.
//!
//! Standard output is data; all talk goes through [`Printer`], which keeps it apart from the progress bar.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use indicatif::ProgressBar;

use super::sanitize::escaped;
use crate::error::{Error, Result, Subject};

/// The flags about talk, the same for every verb.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say what is decided; twice: every request, without secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Write the outcome as one JSON document to standard output
    ///
    /// If the object itself goes to standard output, the document goes to standard error. An error is one JSON
    /// document on standard error.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Show progress: auto (a bar on a terminal), bar, plain (lines) or never
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) progress: ProgressMode,

    /// Use colours: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: Color,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar if standard error is a terminal, else nothing
    Auto,
    /// A bar
    Bar,
    /// A line every few seconds
    Plain,
    /// Nothing
    Never,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// If standard error is a terminal and NO_COLOR is not set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Decides for standard error.
    #[must_use]
    pub(crate) fn on(self) -> bool {
        self.on_stream(io::stderr().is_terminal())
    }

    /// Decides for a stream; `terminal` says whether that is one.
    fn on_stream(self, terminal: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !set("NO_COLOR") && !dumb
            }
        }
    }
}

/// The one way to standard error. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Printer(Arc<State>);

struct State {
    level: i8,
    color: bool,
    stdout_color: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Printer {
    /// Makes the printer that the flags ask for.
    #[must_use]
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let level = if args.quiet { -1 } else { i8::try_from(args.verbose.min(2)).unwrap_or(2) };
        let color = args.color.on();
        let stdout_color = args.color.on_stream(io::stdout().is_terminal());
        Self(Arc::new(State { level, color, stdout_color, bar: Mutex::new(None) }))
    }

    /// Makes a printer for what must be said before the flags are understood.
    #[must_use]
    pub(crate) fn silent() -> Self {
        Self(Arc::new(State { level: -1, color: false, stdout_color: false, bar: Mutex::new(None) }))
    }

    /// Whether colours are used.
    #[must_use]
    pub(crate) fn color(&self) -> bool {
        self.0.color
    }

    /// Whether colours are used in results on standard output.
    #[must_use]
    pub(crate) fn stdout_color(&self) -> bool {
        self.0.stdout_color
    }

    /// How often `-v` was given, at most 2.
    #[must_use]
    pub(crate) fn verbosity(&self) -> u8 {
        u8::try_from(self.0.level).unwrap_or(0)
    }

    /// Says what happened, unless quiet.
    pub(crate) fn say(&self, line: &str) {
        if self.0.level >= 0 {
            self.line(&escaped(line));
        }
    }

    /// Says what was decided, if `-v` was given.
    pub(crate) fn detail(&self, line: &str) {
        if self.0.level >= 1 {
            self.line(&escaped(line));
        }
    }

    /// Writes a line as it is; foreign text in it must be escaped already.
    pub(crate) fn line(&self, line: &str) {
        // Nothing can be done about a standard error that is closed.
        self.beside_bar(|| drop(writeln!(io::stderr().lock(), "{line}")));
    }

    /// Writes to a terminal while the bar, if there is one, is out of the way.
    pub(crate) fn beside_bar<T>(&self, write: impl FnOnce() -> T) -> T {
        let bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Makes lines keep clear of a bar, or no longer of any.
    pub(crate) fn keep_clear_of(&self, bar: Option<ProgressBar>) {
        *self.0.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }
}

/// Writes one document to standard output.
///
/// # Errors
/// `ReaderLeft` when nobody reads it, `Local` for other failures.
pub(crate) fn document(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Error::ReaderLeft,
        _ => Error::local("write to", Subject::StandardOutput)(error),
    })
}
