//! What moves over all connections of a run, and what the services say about it: by this `transfer` finds out how many
//! requests the link is worth.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[cfg(doc)]
use crate::limits::BRISK_BYTES;
use crate::limits::CONCURRENCY_FAR;

/// The counts. Cheap to clone; every clone counts the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    /// Bytes of the bodies of requests under way that the system has taken.
    outgoing: Arc<AtomicU64>,
    /// Everything that happens seldom.
    rest: Mutex<Counted>,
}

/// What has been counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Bytes of bodies that have arrived: of answers as they come, of requests once they are answered. Before, they may be
    /// in a buffer of the system, which holds megabytes.
    pub(crate) bytes: u64,
    /// Bodies of requests whose first [`BRISK_BYTES`] moved within [`BRISK_TIME`](crate::limits::BRISK_TIME).
    pub(crate) brisk: u64,
    /// Answers that ask for fewer requests, and attempts that took too long.
    pub(crate) overloads: u64,
    /// Attempts that failed in any other way before their answer.
    pub(crate) failures: u64,
    /// How often bytes waited because the user limits the rate.
    pub(crate) held_back: u64,
    /// The shortest time to an answer, which cannot be shorter than a round trip.
    pub(crate) round_trip: Option<Duration>,
}

impl Traffic {
    pub(crate) fn counted(&self) -> Counted {
        Counted { bytes: self.0.bytes.load(Ordering::Relaxed), ..self.with(|counted| *counted) }
    }

    /// Whether the service has turned out to be far: requests then wait most of their time.
    pub(crate) fn is_far(&self) -> bool {
        self.counted().round_trip.is_some_and(|round_trip| round_trip >= CONCURRENCY_FAR)
    }

    /// How many bytes of the bodies of requests under way the system has taken, at any moment.
    pub(crate) fn outgoing(&self) -> Arc<AtomicU64> {
        self.0.outgoing.clone()
    }

    pub(super) fn moved(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Records a body that began to move briskly.
    pub(super) fn is_brisk(&self) {
        self.with(|counted| counted.brisk += 1);
    }

    pub(super) fn overloaded(&self) {
        self.with(|counted| counted.overloads += 1);
    }

    pub(super) fn failed(&self) {
        self.with(|counted| counted.failures += 1);
    }

    pub(super) fn held_back(&self) {
        self.with(|counted| counted.held_back += 1);
    }

    /// Records how long an answer took whose request had no long body.
    pub(super) fn answered(&self, after: Duration) {
        self.with(|counted| {
            counted.round_trip = Some(counted.round_trip.map_or(after, |least| least.min(after)));
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counted) -> T) -> T {
        act(&mut self.0.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
