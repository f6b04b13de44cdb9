//! The output flags, and the only printer for standard error.
//!
//! Standard output is data; all messages go through [`Printer`], which keeps them apart from the progress bar.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use indicatif::ProgressBar;

use super::sanitize::escaped;
use super::standard_error::StandardError;
use crate::error::{Error, Result, Subject};
use crate::transfer::Cancellation;

/// The output flags, the same for every verb.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Print only errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Print decisions and a line for each object; twice: also every request, without secrets
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Write the outcome as JSON to standard output; see s3seal-json(7)
    ///
    /// If the object itself goes to standard output, the document goes to standard error. An error is a JSON document on
    /// standard error. s3seal-json(7) describes the documents.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Show progress: auto (a bar on a terminal), bar, plain (lines) or never
    ///
    /// The bar is one line with what is done of all, the rate and the time left, or with what holds it up. plain writes
    /// such a line every ten seconds or ten percent, for logs. There is no bar where standard error is no terminal, nor where
    /// the object itself goes to the terminal.
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) progress: ProgressMode,

    /// Use colours: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar if standard error is a terminal, else nothing
    Auto,
    /// A bar
    Bar,
    /// A line every ten seconds or ten percent
    Plain,
    /// Nothing
    Never,
}

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
    /// Whether standard error gets colours.
    pub(crate) fn on(self) -> bool {
        self.on_stream(io::stderr().is_terminal())
    }

    /// Whether a stream gets colours; `terminal` says whether it is a terminal.
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

/// Writes to standard error. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Printer(Arc<State>);

struct State {
    level: i8,
    color: bool,
    stdout_color: bool,
    bar: Mutex<Option<ProgressBar>>,
    standard_error: StandardError,
}

impl Printer {
    /// Makes the printer for the flags.
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let level = if args.quiet { -1 } else { i8::try_from(args.verbose.min(2)).unwrap_or(2) };
        let color = args.color.on();
        let stdout_color = args.color.on_stream(io::stdout().is_terminal());
        let (bar, standard_error) = (Mutex::default(), StandardError::default());
        Self(Arc::new(State { level, color, stdout_color, bar, standard_error }))
    }

    /// Makes a printer for errors of the command line.
    pub(crate) fn silent() -> Self {
        let (bar, standard_error) = (Mutex::default(), StandardError::default());
        Self(Arc::new(State { level: -1, color: false, stdout_color: false, bar, standard_error }))
    }

    /// Whether colours are used.
    pub(crate) fn color(&self) -> bool {
        self.0.color
    }

    /// Whether colours are used in results on standard output.
    pub(crate) fn stdout_color(&self) -> bool {
        self.0.stdout_color
    }

    /// How often `-v` was given, at most 2.
    pub(crate) fn verbosity(&self) -> u8 {
        u8::try_from(self.0.level).unwrap_or(0)
    }

    /// Whether only errors are printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.level < 0
    }

    /// Prints a message, unless quiet.
    pub(crate) fn say(&self, line: &str) {
        if self.0.level >= 0 {
            self.line(&escaped(line));
        }
    }

    /// Prints a decision, if `-v` was given.
    pub(crate) fn detail(&self, line: &str) {
        if self.0.level >= 1 {
            self.line(&escaped(line));
        }
    }

    /// Writes a line unescaped: text that others chose must be escaped already.
    pub(crate) fn line(&self, line: &str) {
        self.beside_bar(|| self.0.standard_error.line(line));
    }

    /// From now on no line holds up what a signal ends.
    pub(crate) fn heed(&self, cancellation: &Cancellation) {
        self.0.standard_error.heed(cancellation);
    }

    /// Runs `write`, which writes to a terminal, with the progress bar hidden.
    pub(crate) fn beside_bar<T>(&self, write: impl FnOnce() -> T) -> T {
        let bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Removes the progress bar for good: the program ends now.
    pub(crate) fn remove_bar(&self) {
        let bar = self.0.bar.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    /// Sets the progress bar that lines must not overwrite.
    pub(crate) fn keep_clear_of(&self, bar: Option<ProgressBar>) {
        *self.0.bar.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }
}

/// Writes one document to standard output, where nothing else is under way.
///
/// # Errors
/// `ReaderLeft` if the reader has closed it, `Local` for other failures.
pub(crate) fn document(text: &str) -> Result<()> {
    write(&format!("{text}\n"))
}

/// Writes a text to standard output as it is.
///
/// # Errors
/// `ReaderLeft` if the reader has closed it, `Local` for other failures.
pub(crate) fn write(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(Error::not_written(&Subject::StandardOutput))
}
