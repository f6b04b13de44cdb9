//! How much of a thread's time the writes of a run take, with their checksums and decryption, which decides where they are
//! done.
//!
//! The thread that receives bytes writes them fastest: they are in its cache, no other thread wakes up for them, and none
//! waits for the file's lock. While it writes it receives nothing, though, not even a signal, so slow writes belong on threads
//! of their own. Only the first slow one, which shows it, is waited for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long writes are observed before where they are done can change.
const WINDOW: Duration = Duration::from_millis(50);
/// The share of a thread's time up to which writes are light, in percent.
const LIGHT_PERCENT: u128 = 90;

/// The load that writes put on a thread. All files of a run share it.
pub(crate) struct WriteLoad(Mutex<Window>);

struct Window {
    since: Instant,
    /// Time in writes since then; of several threads, the sum.
    busy: Duration,
    is_light: bool,
}

impl WriteLoad {
    /// Light until writes show otherwise.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Window { since: now, busy: Duration::ZERO, is_light: true }))
    }

    /// Whether the thread that receives can do the writes, too.
    pub(crate) fn is_light(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_light
    }

    /// Notes a write that began and ended then.
    pub(crate) fn note(&self, began: Instant, ended: Instant) {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        window.busy += ended - began;
        // A pause before it says nothing.
        let since = window.since.max(began.checked_sub(WINDOW).unwrap_or(began));
        let passed = ended.saturating_duration_since(since);
        if passed >= WINDOW {
            let is_light = window.busy.as_nanos() * 100 < passed.as_nanos() * LIGHT_PERCENT;
            *window = Window { since: ended, busy: Duration::ZERO, is_light };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Notes writes of a length one after the other, each after a pause; returns the time of the last.
    fn writes(load: &WriteLoad, from: Instant, count: u32, pause: Duration, took: Duration) -> Instant {
        (0..count).fold(from, |at, _| {
            load.note(at + pause, at + pause + took);
            at + pause + took
        })
    }

    #[test]
    fn quick_writes_stay_where_bytes_arrive() {
        let start = Instant::now();
        let load = WriteLoad::new(start);
        assert!(load.is_light());
        writes(&load, start, 1000, MS, MS * 4);
        assert!(load.is_light());
    }

    #[test]
    fn a_write_that_hangs_is_the_last_one_there() {
        let start = Instant::now();
        let load = WriteLoad::new(start);
        let at = writes(&load, start, 5, MS, MS);
        writes(&load, at, 1, MS * 60_000, MS * 2000);
        assert!(!load.is_light());
    }

    #[test]
    fn writes_that_fill_the_thread_leave_it_and_return_once_they_are_quick() {
        let start = Instant::now();
        let load = WriteLoad::new(start);
        let at = writes(&load, start, 100, MS / 20, MS);
        assert!(!load.is_light());
        // Four threads at once: each is busy half of the time.
        let at = (0..100).fold(at, |at, _| {
            (0..4).for_each(|_| load.note(at + MS, at + MS * 2));
            at + MS * 2
        });
        assert!(!load.is_light());
        writes(&load, at, 100, MS * 4, MS);
        assert!(load.is_light());
    }
}
