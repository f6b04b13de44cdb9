//! A command as a source: it is started, and killed if its output is no longer wanted.

use std::io;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result, Subject};
use crate::keys::secret_variables;

/// Holds a running command: dropping the guard kills the command, also while its output is being read.
#[derive(Clone, Default)]
pub(crate) struct ChildGuard(Option<Arc<Mutex<Child>>>);

impl ChildGuard {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Child) -> T) -> Option<T> {
        self.0.as_ref().map(|child| act(&mut child.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Drop for ChildGuard {
    /// A command whose output is no longer wanted must not go on running.
    fn drop(&mut self) {
        self.with(|child| {
            let _ = child.kill();
            let _ = child.wait();
        });
    }
}

/// Starts a command whose output is the source.
///
/// # Errors
/// `NotFound` without the program.
pub(super) fn start(argv: &[String], subject: &Subject) -> Result<(ChildGuard, ChildStdout)> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::unsupported(subject, "no command was named"));
    };
    let mut command = Command::new(program);
    // A key in an environment variable must not reach the command.
    for name in secret_variables() {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::inherit()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(Error::not_opened(&Subject::Program(program.clone())))?;
    let stdout = child.stdout.take();
    let child_guard = ChildGuard(Some(Arc::new(Mutex::new(child))));
    let none = || Error::local("read", subject)(io::ErrorKind::BrokenPipe.into());
    Ok((child_guard, stdout.ok_or_else(none)?))
}
