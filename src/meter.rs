//! The meter that a transfer counts its bytes with; what is shown of it is in `cli::progress`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts plaintext bytes, for the progress display.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    total: AtomicU64,
    /// Whether it counts many objects, so that no object sets the total.
    many: bool,
}

impl Meter {
    /// Makes a meter for many objects, whose total is unknown.
    pub(crate) fn of_many() -> Self {
        Self(Arc::new(Counts { many: true, ..Counts::default() }))
    }

    /// Sets the total; it stays 0 for a source of unknown length.
    pub(crate) fn expect(&self, total: u64) {
        if !self.0.many {
            self.0.total.store(total, Ordering::Relaxed);
        }
    }

    /// Counts transferred bytes.
    pub(crate) fn add(&self, bytes: u64) {
        self.0.done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes counted so far.
    pub(crate) fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// The total, if it is known.
    pub(crate) fn total(&self) -> Option<u64> {
        match self.0.total.load(Ordering::Relaxed) {
            0 => None,
            total => Some(total),
        }
    }
}
