//! SIGINT, SIGTERM and SIGHUP: the first signal cancels gracefully, the second ends the program at once.
//!
//! Running work learns of the first signal through [`Cancellation`]. SIGPIPE needs no handler: Rust ignores it, and a
//! write to a broken pipe returns an error. SIGXFSZ is caught for the same: a write beyond the limit of a file's size.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::error::Signal;
use crate::transfer::Cancellation;

/// Installs the handlers; the returned [`Cancellation`] sees the first signal. On the second one, `last_words` runs and the
/// program ends.
pub(crate) fn listen(last_words: impl Fn() + Send + 'static) -> io::Result<Cancellation> {
    let (sender, stop) = Cancellation::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // Under nohup the hang-up is ignored from the start, and must stay so.
    let mut hangup = if hangup_is_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    // The handler stays. A signal that is ignored would be so in the commands that are started, too.
    drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
    tokio::spawn(async move {
        let mut first = true;
        loop {
            let signal = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                () = next(&mut hangup) => Signal::Hangup,
            };
            if !first {
                last_words();
                at_once(signal);
            }
            first = false;
            sender.send(signal);
        }
    });
    Ok(stop)
}

async fn next(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[expect(clippy::exit, reason = "whoever signals twice does not want to wait for anything")]
fn at_once(signal: Signal) -> ! {
    std::process::exit(Exit::from(signal).code().into())
}

/// Asks the kernel, where it says so (Linux).
fn hangup_is_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// Reads the mask of ignored signals; SIGHUP is number 1, the lowest bit.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_understood() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("SigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup("SigBlk:\t0000000000000001\n"));
        assert!(!ignores_hangup(""));
    }
}
