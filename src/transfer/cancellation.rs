//! Cancellation by a signal, passed down from `cli` to whatever is running.
//!
//! It is a future to select on rather than a flag to poll, so a transfer can be cancelled while it waits.

use tokio::sync::watch;

use crate::error::{Error, Result, Signal};

/// Waits for a signal. Cheap to clone; every clone sees the same signal.
#[derive(Clone, Debug)]
pub(crate) struct Cancellation(watch::Receiver<Option<Signal>>);

/// The sending end.
#[derive(Debug)]
pub(crate) struct CancellationSender(watch::Sender<Option<Signal>>);

impl Cancellation {
    /// Makes both ends.
    pub(crate) fn new() -> (CancellationSender, Self) {
        let (sender, receiver) = watch::channel(None);
        (CancellationSender(sender), Self(receiver))
    }

    /// Whether a signal has been sent: for what cannot select.
    pub(crate) fn is_sent(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until a signal is sent.
    pub(crate) async fn wait(&self) -> Signal {
        let mut receiver = self.0.clone();
        let sent = receiver.wait_for(Option::is_some).await.ok().and_then(|signal| *signal);
        match sent {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

impl Cancellation {
    /// Runs `work`; a signal drops it.
    ///
    /// # Errors
    /// `Interrupted` by the signal.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            signal = self.wait() => Err(Error::Interrupted(signal)),
            done = work => Ok(done),
        }
    }
}

impl CancellationSender {
    /// Sends the signal; the first one counts.
    pub(crate) fn send(&self, signal: Signal) {
        self.0.send_if_modified(|sent| {
            let first = sent.is_none();
            if first {
                *sent = Some(signal);
            }
            first
        });
    }
}
