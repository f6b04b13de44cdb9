//! Prompts at the terminal.
//!
//! The terminal itself is asked (`/dev/tty`), so that standard input may carry data at the same time.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::error::{Error, Signal};

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

/// Asks for confirmation; the default is no.
///
/// # Errors
/// A usage failure where there is nobody to ask; `Interrupted` upon Ctrl-C.
pub(crate) fn confirm(question: &str) -> Result<bool, Failure> {
    let answer = dialoguer::Confirm::new().with_prompt(question).default(false).interact();
    answer.map_err(|dialoguer::Error::IO(error)| match error.kind() {
        ErrorKind::Interrupted => Error::Interrupted(Signal::Interrupt).into(),
        _ => Failure::usage("there is no terminal to ask at")
            .hint("--yes goes on without asking; --dry-run shows what would be done"),
    })
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

/// The terminal without echo, until dropped.
struct EchoOff {
    terminal: File,
    before: Termios,
}

impl EchoOff {
    /// Turns the echo off; `None` where there is no terminal, which rpassword reports.
    fn new() -> Option<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
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
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else { return };
    // Best effort: the program ends now, and a shell does the same by itself.
    let _ = writeln!(terminal);
    let _ = Command::new("stty")
        .args(["echo", "icanon", "isig"])
        .stdin(terminal)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
