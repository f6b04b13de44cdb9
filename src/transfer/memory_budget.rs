//! Limits on memory for bytes in flight, and on requests: a permit is acquired before they are read, and dropped once
//! they are passed on.
//!
//! All objects of a run share one budget, so many large ones take no more memory than one. A task that waits for a
//! permit holds none, so there is no deadlock: bytes that have a permit are being sent or written, or wait for a slot.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::aws::traffic::Traffic;
use crate::defaults::{JOBS_AT_START, UPLOAD_JOBS_AT_START_FAR};
use crate::error::{Error, Result};
use crate::limits::{CONNECTION_BYTES, MAX_RANGES_IN_MEMORY, PIECE_IN_MEMORY_BYTES};
use crate::transfer::buffer_pool::{BufferPool, RangeBuffer};
use crate::transfer::concurrency::{Concurrency, Slot};
use crate::transfer::plan;
use crate::transfer::write_load::WriteLoad;
use crate::transfer_options::TransferOptions;

/// Bytes of one permit of the semaphore.
const PLACE: u64 = 64 * 1024;
/// What a request takes whose part is read from disk while it is sent: buffers of the connection, and a thread that reads
/// with what its allocator keeps.
const PLACES_OF_PART_ON_DISK: u64 = 24;

/// The memory of [`TransferOptions::parts_in_memory`], and the requests that move objects.
pub(crate) struct MemoryBudget {
    transfer_options: TransferOptions,
    places: Arc<Semaphore>,
    all: u32,
    large: Arc<Semaphore>,
    buffers: BufferPool,
    pieces: BufferPool,
    concurrency: Concurrency,
    write_load: Arc<WriteLoad>,
    traffic: Traffic,
}

/// Memory in use; dropping it frees it.
pub(crate) type Permit = OwnedSemaphorePermit;

impl MemoryBudget {
    /// Makes the budget for objects that are fetched. To a near service, more connections take longer than they bring; the
    /// first answer tells how far it is.
    pub(crate) fn new(transfer_options: &TransferOptions, traffic: &Traffic) -> Self {
        Self::starting_with(JOBS_AT_START, transfer_options.objects, transfer_options, traffic)
    }

    /// Makes the budget for one object that is stored. It begins with the parts that fit into memory: to read further ones
    /// twice takes a near service longer than it brings.
    pub(crate) fn of_upload(transfer_options: &TransferOptions, traffic: &Traffic) -> Self {
        let start = transfer_options.parts_in_memory();
        Self::starting_with(start, UPLOAD_JOBS_AT_START_FAR, transfer_options, traffic)
    }

    /// Makes the budget for many objects that are stored: small ones mostly wait, so more of them are sent from the start.
    pub(crate) fn of_uploads(transfer_options: &TransferOptions, traffic: &Traffic) -> Self {
        let objects = transfer_options.objects;
        Self::starting_with(objects, objects, transfer_options, traffic)
    }

    fn starting_with(
        start: NonZeroUsize,
        far: NonZeroUsize,
        transfer_options: &TransferOptions,
        traffic: &Traffic,
    ) -> Self {
        let parts = transfer_options.parts_in_memory().get();
        let bytes = (parts as u64).saturating_mul(transfer_options.part_size);
        let all = u32::try_from(bytes / PLACE)
            .unwrap_or(u32::MAX)
            .clamp(1, Semaphore::MAX_PERMITS.try_into().unwrap_or(u32::MAX));
        let places = Arc::new(Semaphore::new(all as usize));
        let large = Arc::new(Semaphore::new(parts));
        let concurrency = match transfer_options.jobs {
            Some(jobs) => Concurrency::fixed(jobs),
            None => Concurrency::adaptive(start, far, transfer_options.objects, traffic),
        };
        let (buffers, pieces) = Default::default();
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let write_load = Arc::new(WriteLoad::new(Instant::now(), cores));
        let (transfer_options, traffic) = (*transfer_options, traffic.clone());
        Self { transfer_options, places, all, large, buffers, pieces, concurrency, write_load, traffic }
    }

    /// The most concurrent requests of one object, if it gets a slot for each.
    pub(crate) fn max_jobs(&self) -> usize {
        self.concurrency.ceiling()
    }

    /// Waits for the right to have a request in flight. Nothing else may be waited for while it is held.
    pub(crate) async fn slot(&self) -> Result<Slot> {
        self.concurrency.slot().await
    }

    /// The most ranges of an object that stay in memory at once.
    pub(crate) fn max_ranges_in_memory(&self) -> usize {
        self.max_jobs().min(self.transfer_options.parts_in_memory().get().max(MAX_RANGES_IN_MEMORY))
    }

    /// Bytes of a range that stays in memory until those before it have been passed on: all that are in flight fit, with
    /// their connections.
    pub(crate) fn range_in_memory(&self) -> u64 {
        let share = u64::from(self.all) * PLACE / self.ranges_in_memory();
        let share = share.saturating_sub(self.connection_bytes());
        let piece = PIECE_IN_MEMORY_BYTES as u64;
        (share - share % piece).clamp(piece, self.transfer_options.part_size)
    }

    fn ranges_in_memory(&self) -> u64 {
        self.concurrency.limit().min(self.max_ranges_in_memory()) as u64
    }

    /// What each range takes for those connections that are more than the parts that fit.
    fn connection_bytes(&self) -> u64 {
        let ranges = self.ranges_in_memory();
        let further = ranges.saturating_sub(self.transfer_options.parts_in_memory().get() as u64);
        CONNECTION_BYTES * further / ranges
    }

    /// Bytes of one range, of `len` bytes that are written as they arrive, unless its size was chosen. To a far service there
    /// will soon be as many requests as may be; all large objects share them.
    pub(crate) fn range_into_file(&self, len: u64) -> u64 {
        let TransferOptions { range_size, part_size, .. } = self.transfer_options;
        let is_far = self.traffic.is_far();
        let jobs = if is_far { self.max_jobs() } else { self.concurrency.limit() };
        let objects = self.transfer_options.parts_in_memory().get() - self.large.available_permits();
        let jobs = (jobs / objects.max(1)).max(1);
        range_size.unwrap_or_else(|| plan::range_into_file(len, jobs, is_far, part_size))
    }

    /// Bytes of a part.
    pub(crate) fn part_size(&self) -> u64 {
        self.transfer_options.part_size
    }

    /// Bytes of `len` that are written to a file and recorded together.
    pub(crate) fn recorded_at_once(&self, len: u64) -> u64 {
        self.part_size().max(plan::least_range(len))
    }

    /// The buffers of parts.
    pub(crate) fn buffers(&self) -> &BufferPool {
        &self.buffers
    }

    /// What the writes of the run take.
    pub(super) fn write_load(&self) -> &Arc<WriteLoad> {
        &self.write_load
    }

    /// Makes room for a range that arrives bit by bit.
    pub(crate) fn range_buffer(&self) -> RangeBuffer<'_> {
        self.pieces.range_buffer()
    }

    /// Waits until an object of `len` bytes may start: at most as many objects larger than a part are in progress
    /// at once as parts fit in memory, besides any number of small ones.
    pub(crate) async fn acquire_object(&self, len: u64) -> Result<Option<Permit>> {
        if len <= self.transfer_options.part_size {
            return Ok(None);
        }
        self.large.clone().acquire_owned().await.map(Some).map_err(closed)
    }

    /// Takes memory for a part of this many bytes if it is free, and not needed by requests whose parts stay on disk.
    pub(crate) fn try_acquire(&self, bytes: u64) -> Option<Permit> {
        let on_disk = self.concurrency.limit().saturating_sub(self.transfer_options.parts_in_memory().get());
        let places = bytes.div_ceil(PLACE).max(1);
        let free = self.places.available_permits() as u64;
        let is_free = places + on_disk as u64 * PLACES_OF_PART_ON_DISK <= free;
        let places = u32::try_from(places).ok().filter(|_| is_free)?;
        self.places.clone().try_acquire_many_owned(places).ok()
    }

    /// Waits for memory for `held` bytes of a range, and the connection that reads it.
    pub(crate) async fn acquire_for_range(&self, held: u64) -> Result<Permit> {
        self.acquire(held.saturating_add(self.connection_bytes())).await
    }

    /// Waits for memory, in the order of the calls; a request for more than the whole budget waits until it is the only
    /// one.
    pub(crate) async fn acquire(&self, bytes: u64) -> Result<Permit> {
        let places = u32::try_from(bytes.div_ceil(PLACE)).unwrap_or(u32::MAX).clamp(1, self.all);
        self.places.clone().acquire_many_owned(places).await.map_err(closed)
    }
}

fn closed(error: AcquireError) -> Error {
    Error::local("reserve", "memory")(std::io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ranges_in_memory_fit_with_the_connections_that_are_more_than_the_parts() {
        let mib = 1 << 20;
        let range = |jobs, start| {
            let options = TransferOptions { jobs: NonZeroUsize::new(jobs), ..TransferOptions::default() };
            let start = NonZeroUsize::new(start).unwrap();
            let budget = MemoryBudget::starting_with(start, start, &options, &Traffic::default());
            (budget.ranges_in_memory(), budget.range_in_memory(), budget.connection_bytes())
        };
        assert_eq!(range(8, 8), (8, 8 * mib, 0));
        assert_eq!(range(64, 64), (64, 8 * mib, 0), "as much as was asked for");
        assert_eq!(range(0, 16), (16, 7 * mib / 2, mib / 2));
        assert_eq!(range(0, 32), (32, 5 * mib / 4, 3 * mib / 4));
        assert_eq!(range(0, 64), range(0, 32));
    }
}
