//! Prompts at the terminal.
//!
//! Prompts use the terminal itself (`/dev/tty`), so standard input can carry data at the same time.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::process::{Command, Stdio};

use dialoguer::theme::{SimpleTheme, Theme};
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::sanitize::escaped;
use crate::error::{Error, Signal};

/// More than a terminal takes as one line.
const MAX_TYPED_BYTES: u64 = 4096;

/// Asks for a secret; twice where a typing error would make the object unreadable.
///
/// # Errors
/// A failure with the code for keys where there is no terminal or the two differ; `Interrupted` upon Ctrl-C.
pub(crate) fn secret(what: &str, twice: bool) -> Result<Zeroizing<String>, Failure> {
    let first = ask(&format!("{what}: "))?;
    if twice && *ask(&format!("{what} again: "))? != *first {
        return Err(Failure::key("the two entries do not match; nothing done"));
    }
    Ok(first)
}

/// Asks for confirmation, and waits for a whole line. Only `y` and `yes` are yes.
///
/// # Errors
/// A usage failure where there is nobody to ask.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    confirm_all(&[], question)
}

/// The same about a list that nothing else shows.
///
/// # Errors
/// As [`confirm`].
pub(crate) fn confirm_all(list: &[String], question: &str) -> Result<bool, Failure> {
    let shown = list.iter().map(|line| escaped(line) + "\n").collect::<String>();
    let answer = open_terminal().and_then(|mut terminal| {
        terminal.write_all(shown.as_bytes())?;
        answer(terminal, question)
    });
    answer.map(|line| is_yes(&line)).map_err(|error| {
        Failure::usage("there is no terminal to ask at")
            .because(error)
            .hint("--yes goes on without asking; --dry-run shows what would be done")
    })
}

/// Writes a question and reads a line, at most [`MAX_TYPED_BYTES`] of it.
fn answer(mut terminal: File, question: &str) -> io::Result<Vec<u8>> {
    let mut text = String::new();
    // A `String` takes whatever is written.
    let _ = SimpleTheme.format_confirm_prompt(&mut text, &escaped(question), Some(false));
    // What was typed before the question appears does not answer it.
    tcflush(&terminal, QueueSelector::IFlush)?;
    terminal.write_all(text.as_bytes())?;
    let mut line = Vec::new();
    BufReader::new(terminal.take(MAX_TYPED_BYTES)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Whether a line that was ended with Enter is a yes.
fn is_yes(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(b"\n") else { return false };
    let word = line.trim_ascii();
    word.eq_ignore_ascii_case(b"y") || word.eq_ignore_ascii_case(b"yes")
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    // rpassword writes the prompt before it turns the echo off: what is typed or pasted in between would be shown.
    let _silent = EchoOff::new();
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => Error::Interrupted(Signal::Interrupt).into(),
        ErrorKind::UnexpectedEof => Failure::key("nothing was typed"),
        _ => Failure::key("there is no terminal to ask at")
            .because(error)
            .hint("name another source: file:PATH, env:NAME, fd:N or cmd:COMMAND"),
    })
}

fn open_terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// The terminal without echo, until dropped.
struct EchoOff {
    terminal: File,
    before: Termios,
}

impl EchoOff {
    /// Turns the echo off; `None` where there is no terminal, which rpassword reports.
    fn new() -> Option<Self> {
        let terminal = open_terminal().ok()?;
        let before = tcgetattr(&terminal).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        // Best effort: there is nobody to report a failure to, and the shell resets its terminal.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Turns echo on again after a signal has ended a prompt.
pub(crate) fn restore_terminal() {
    let Ok(mut terminal) = open_terminal() else { return };
    // Best effort: the program ends now, and a shell does the same by itself.
    let _ = writeln!(terminal);
    let _ = Command::new("stty")
        .args(["echo", "icanon", "isig"])
        .stdin(terminal)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_y_or_yes_is_a_yes() {
        for line in ["y\n", "Y\n", "yes\n", "YES\n", " yes \n", "y\r\n"] {
            assert!(is_yes(line.as_bytes()), "{line:?}");
        }
        for line in ["", "\n", "y", "yes", "n\n", "no\n", "ye\n", "yy\n", "yes please\n", "ja\n"] {
            assert!(!is_yes(line.as_bytes()), "{line:?}");
        }
    }
}
