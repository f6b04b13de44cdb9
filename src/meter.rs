//! The meter that a transfer counts with; what is shown of it is in `cli::progress`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Counts what a transfer has done and what there is to do, for the progress display. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter {
    counts: Arc<Counts>,
    /// Whether bytes only show that something moves, because another one counts them.
    only_moves: bool,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    all_bytes: AtomicU64,
    objects: AtomicU64,
    all_objects: AtomicU64,
    moves: AtomicU64,
    sending: AtomicU64,
    /// Bytes on their way in uploads that are not done yet, which others count.
    outgoing: OnceLock<Arc<AtomicU64>>,
    /// Whether it counts many objects, so that no object sets the total.
    many: bool,
    /// Whether there is somebody to look, so that counting ahead is worth its requests.
    is_shown: AtomicBool,
    /// Listings that are counted to their end, and all of them.
    listings: AtomicU64,
    all_listings: AtomicU64,
}

/// What a [`Meter`] has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Bytes done, or sent and not answered yet: plaintext, or what S3 stores where that is read or decrypted as it arrives.
    pub(crate) bytes: u64,
    /// All bytes; 0 if that is unknown.
    pub(crate) all_bytes: u64,
    /// Objects done, whatever the outcome.
    pub(crate) objects: u64,
    /// All objects; 0 if that is unknown.
    pub(crate) all_objects: u64,
    /// Whether all that there is has been found.
    pub(crate) is_complete: bool,
    /// Changes whenever anything moves.
    pub(crate) moves: u64,
    /// Requests that S3 has, with what it is to store or copy, and has not answered.
    pub(crate) sending: u64,
}

impl Meter {
    /// Makes a meter for many objects, whose total is unknown.
    pub(crate) fn of_many() -> Self {
        let counts = Counts { many: true, ..Counts::default() };
        Self { counts: Arc::new(counts), only_moves: false }
    }

    /// One that shows that something moves, and counts no bytes.
    pub(crate) fn only_moves(&self) -> Self {
        Self { counts: self.counts.clone(), only_moves: true }
    }

    /// Sets the total of one object; it stays 0 for a source of unknown length.
    pub(crate) fn expect(&self, total: u64) {
        if !self.counts.many && !self.only_moves {
            self.counts.all_bytes.store(total, Ordering::Relaxed);
        }
    }

    /// Sets the number of listings that are counted ahead, if it is not 1.
    pub(crate) fn expect_listings(&self, count: u64) {
        self.counts.all_listings.store(count, Ordering::Relaxed);
    }

    /// Counts transferred bytes.
    pub(crate) fn add(&self, bytes: u64) {
        if !self.only_moves {
            add_to(&self.counts.bytes, bytes);
        }
        self.moved();
    }

    /// Records that bytes have arrived which are not done yet.
    pub(crate) fn moved(&self) {
        self.counts.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts what is on its way in uploads as done, too: otherwise nothing would seem to move before a part is answered.
    pub(crate) fn shows(&self, outgoing: Arc<AtomicU64>) {
        if !self.only_moves {
            let _ = self.counts.outgoing.set(outgoing);
        }
    }

    /// Counts an object that is done, whatever the outcome.
    pub(crate) fn end_object(&self) {
        self.counts.objects.fetch_add(1, Ordering::Relaxed);
        self.moved();
    }

    /// Counts an object ahead.
    pub(crate) fn find(&self, bytes: u64) {
        self.find_all(1, bytes);
    }

    /// Counts objects ahead.
    pub(crate) fn find_all(&self, objects: u64, bytes: u64) {
        self.counts.all_objects.fetch_add(objects, Ordering::Relaxed);
        add_to(&self.counts.all_bytes, bytes);
    }

    /// Records that a listing has been counted to its end.
    pub(crate) fn found_all(&self) {
        self.counts.listings.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the bytes of an object that is not transferred as done: otherwise they would seem to be missing.
    pub(crate) fn pass_over(&self, bytes: u64) {
        if self.counts.many && !self.only_moves {
            add_to(&self.counts.bytes, bytes);
        }
    }

    /// Records that S3 has something to store or to copy, until the guard is dropped.
    pub(crate) fn sending(&self) -> Sending {
        self.counts.sending.fetch_add(1, Ordering::Relaxed);
        Sending(self.counts.clone())
    }

    /// Records whether somebody looks.
    pub(crate) fn show(&self, is_shown: bool) {
        self.counts.is_shown.store(is_shown, Ordering::Relaxed);
    }

    /// Whether somebody looks.
    pub(crate) fn is_shown(&self) -> bool {
        self.counts.is_shown.load(Ordering::Relaxed)
    }

    pub(crate) fn counted(&self) -> Counted {
        let counts = &self.counts;
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let outgoing = counts.outgoing.get().map_or(0, |outgoing| get(outgoing));
        Counted {
            bytes: get(&counts.bytes).saturating_add(outgoing),
            all_bytes: get(&counts.all_bytes),
            objects: get(&counts.objects),
            all_objects: get(&counts.all_objects),
            is_complete: !counts.many || get(&counts.listings) >= get(&counts.all_listings).max(1),
            moves: get(&counts.moves) + outgoing,
            sending: get(&counts.sending),
        }
    }
}

/// Adds bytes, of which a server may say more than there can be.
fn add_to(counter: &AtomicU64, bytes: u64) {
    let add = |all: u64| Some(all.saturating_add(bytes));
    let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
}

/// Something that S3 is to store or to copy.
pub(crate) struct Sending(Arc<Counts>);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending.fetch_sub(1, Ordering::Relaxed);
    }
}
