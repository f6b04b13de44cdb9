//! Results on standard output, while transfers go on and a signal is heard.
//!
//! A pipe whose reader does not read blocks whoever writes to it. That must not be the task that polls all transfers: their
//! connections would time out, and a signal would have no effect.

use std::io::{self, IsTerminal};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::output::{self, Printer};
use super::standard_error::{READER_TAKES, TAKEN_AT_ONCE};
use crate::error::{Error, Result};
use crate::transfer::{Cancellation, blocking};

/// Writes results to standard output.
pub(crate) struct StandardOutput {
    printer: Printer,
    cancellation: Cancellation,
    is_terminal: bool,
    /// Held by whatever writes: also by a write whose run did not wait for its end.
    turn: Arc<Mutex<()>>,
    /// Whether the time after a signal has passed without anybody reading.
    is_left: AtomicBool,
}

impl StandardOutput {
    pub(crate) fn new(printer: Printer, cancellation: Cancellation) -> Self {
        Self {
            printer,
            cancellation,
            is_terminal: io::stdout().is_terminal(),
            turn: Arc::default(),
            is_left: AtomicBool::new(false),
        }
    }

    /// Whether it is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a text as it is, after all that was written before.
    ///
    /// # Errors
    /// `ReaderLeft`; `Local`; `Interrupted` if nobody reads it after a signal.
    pub(crate) async fn write(&self, text: String) -> Result<()> {
        if self.is_left.load(Ordering::Relaxed) {
            return Err(Error::Interrupted(self.cancellation.wait().await));
        }
        let mut written = pin!(self.in_turn(text));
        tokio::select! {
            biased;
            written = &mut written => written,
            signal = self.cancellation.wait() => {
                let written = timeout(READER_TAKES, written).await;
                written.unwrap_or_else(|_| {
                    self.is_left.store(true, Ordering::Relaxed);
                    Err(Error::Interrupted(signal))
                })
            }
        }
    }

    async fn in_turn(&self, text: String) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let turn = self.turn.clone().lock_owned().await;
        if !self.is_terminal && takes_at_once(&text) {
            return output::write(&text);
        }
        let printer = self.is_terminal.then(|| self.printer.clone());
        blocking(move || {
            let _turn = turn;
            let write = || output::write(&text);
            printer.map_or_else(write, |printer| printer.beside_bar(write))
        })
        .await?
    }
}

/// Whether a write of the text returns at once, so that no thread needs to wait for it.
fn takes_at_once(text: &str) -> bool {
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    text.len() <= TAKEN_AT_ONCE && poll(&mut asked, Some(&now)).is_ok_and(|ready| ready > 0)
}
