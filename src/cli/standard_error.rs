//! Lines on standard error, which must not hold up the end of a run.
//!
//! A pipe whose reader does not read (`-v 2>&1 | less`) blocks whoever writes to it. Until a signal comes the run waits for the
//! reader, and no line is lost. After it, what nobody reads within a moment is left out.

use std::io::{self, StderrLock, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::task::block_in_place;

use crate::transfer::Cancellation;

/// The time that a reader has to take what is written after a signal.
pub(super) const READER_TAKES: Duration = Duration::from_millis(300);
/// What a pipe or a file takes without blocking where it takes anything: a page; POSIX warrants only 512 bytes.
pub(super) const TAKEN_AT_ONCE: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };
/// How often a write that waits looks for a signal.
const TICK: Duration = Duration::from_millis(50);

/// Writes to standard error.
#[derive(Default)]
pub(super) struct StandardError {
    cancellation: OnceLock<Cancellation>,
    /// Whether the time after a signal has passed without anybody reading.
    is_left: AtomicBool,
}

impl StandardError {
    /// From now on a signal bounds the time that a write takes.
    pub(super) fn heed(&self, cancellation: &Cancellation) {
        let _ = self.cancellation.set(cancellation.clone());
    }

    /// Writes a line. Nothing can be done about a standard error that is closed, or that nobody reads after a signal.
    pub(super) fn line(&self, line: &str) {
        // A task that waits must not keep a thread from the one that hears signals.
        block_in_place(|| self.write(&format!("{line}\n")));
    }

    fn write(&self, line: &str) {
        let (mut stderr, mut left) = (io::stderr().lock(), line.as_bytes());
        while !left.is_empty() && self.is_ready(&stderr) {
            match stderr.write(&left[..left.len().min(TAKEN_AT_ONCE)]) {
                Ok(written) if written > 0 => left = &left[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    /// Waits until a piece can be written at once; false if nobody reads after a signal.
    fn is_ready(&self, stderr: &StderrLock<'_>) -> bool {
        let mut end = None;
        loop {
            if end.is_none() && self.cancellation.get().is_some_and(Cancellation::is_sent) {
                let is_left = self.is_left.load(Ordering::Relaxed);
                end = Some(Instant::now() + if is_left { Duration::ZERO } else { READER_TAKES });
            }
            let wait = end.map_or(TICK, |end| end.saturating_duration_since(Instant::now()));
            if can_be_written(stderr, wait) {
                return true;
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                self.is_left.store(true, Ordering::Relaxed);
                return false;
            }
        }
    }
}

/// Whether a write returns at once, within a time; also if it only returns an error.
fn can_be_written(stderr: &StderrLock<'_>, wait: Duration) -> bool {
    let mut asked = [PollFd::new(stderr, PollFlags::OUT)];
    let wait = Timespec { tv_sec: 0, tv_nsec: wait.subsec_nanos().into() };
    match poll(&mut asked, Some(&wait)) {
        Ok(ready) => ready > 0,
        Err(error) => error != Errno::INTR,
    }
}
