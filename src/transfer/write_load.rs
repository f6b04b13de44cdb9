//! How much of a thread's time the writes of a run take, with their checksums and decryption, which decides where they are
//! done.
//!
//! The thread that receives bytes writes them fastest: they are in its cache, no other thread wakes up for them, and none
//! waits for the file's lock. While it writes it receives nothing, though, not even a signal, so slow writes belong on threads
//! of their own; only the first slow ones, which show it, are waited for. Writes that fill the thread go there, too, if
//! there is a processor for them: else they only wait for each other.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long writes are observed before where they are done can change.
const WINDOW: Duration = Duration::from_millis(50);
/// How long a slow write takes: longer than one that only waits for a processor.
const SLOW: Duration = Duration::from_millis(10);
/// From which share of the time slow writes leave the thread that receives, in percent.
const SLOW_PERCENT: u128 = 50;
/// From which share of a thread's time writes fill it, in percent.
const FULL_PERCENT: u128 = 90;
/// With how many processors writes that fill a thread gain nothing on others: one receives, one writes.
const TOO_FEW_CORES: usize = 2;

/// The load that writes put on a thread. All files of a run share it.
pub(crate) struct WriteLoad {
    cores: usize,
    window: Mutex<Window>,
}

struct Window {
    since: Instant,
    /// Time in writes since then; of several threads, the sum.
    busy: Duration,
    /// The part of it in slow ones.
    slow: Duration,
    is_light: bool,
}

impl WriteLoad {
    /// Light until writes show otherwise, on a machine of so many processors.
    pub(crate) fn new(now: Instant, cores: usize) -> Self {
        let window = Window { since: now, busy: Duration::ZERO, slow: Duration::ZERO, is_light: true };
        Self { cores, window: Mutex::new(window) }
    }

    /// Whether the thread that receives can do the writes, too.
    pub(crate) fn is_light(&self) -> bool {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).is_light
    }

    /// Notes a write that began and ended then.
    pub(crate) fn note(&self, began: Instant, ended: Instant) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let took = ended - began;
        window.busy += took;
        if took >= SLOW {
            window.slow += took;
        }
        // A pause before it says nothing.
        let since = window.since.max(began.checked_sub(WINDOW).unwrap_or(began));
        let passed = ended.saturating_duration_since(since);
        if passed >= WINDOW {
            let fills = |time: Duration, percent| time.as_nanos() * 100 >= passed.as_nanos() * percent;
            let is_slow = fills(window.slow, SLOW_PERCENT);
            let is_full = fills(window.busy, FULL_PERCENT);
            let is_light = !is_slow && (!is_full || self.cores <= TOO_FEW_CORES);
            *window = Window { since: ended, busy: Duration::ZERO, slow: Duration::ZERO, is_light };
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
        let load = WriteLoad::new(start, 4);
        assert!(load.is_light());
        writes(&load, start, 1000, MS, MS * 4);
        assert!(load.is_light());
    }

    #[test]
    fn a_write_that_hangs_is_the_last_one_there() {
        let start = Instant::now();
        let load = WriteLoad::new(start, 2);
        let at = writes(&load, start, 5, MS, MS);
        writes(&load, at, 1, MS * 60_000, MS * 2000);
        assert!(!load.is_light());
    }

    #[test]
    fn a_write_that_hangs_after_many_quick_ones_is_the_last_one_there() {
        let start = Instant::now();
        let load = WriteLoad::new(start, 2);
        let at = writes(&load, start, 400, MS / 100, MS / 20);
        assert!(load.is_light());
        writes(&load, at, 1, MS / 100, MS * 200);
        assert!(!load.is_light());
    }

    #[test]
    fn slow_writes_leave_the_thread_and_return_once_they_are_quick() {
        let start = Instant::now();
        let load = WriteLoad::new(start, 2);
        let at = writes(&load, start, 30, MS * 5, MS * 10);
        assert!(!load.is_light());
        writes(&load, at, 100, MS, MS * 4);
        assert!(load.is_light());
    }

    #[test]
    fn writes_that_fill_the_thread_leave_it_and_return_once_they_are_quick() {
        let start = Instant::now();
        let load = WriteLoad::new(start, 3);
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

    #[test]
    fn writes_that_fill_the_thread_stay_where_no_other_processor_is_free() {
        let start = Instant::now();
        let load = WriteLoad::new(start, 2);
        writes(&load, start, 100, MS / 20, MS);
        assert!(load.is_light());
    }
}
