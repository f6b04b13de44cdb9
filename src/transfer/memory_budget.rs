//! A limit on memory for bytes in flight: a permit is acquired before they are read, and dropped once they are passed
//! on.
//!
//! All objects of a run share one budget, so many large ones take no more memory than one. A task that waits for a
//! permit holds none, so there is no deadlock: bytes that have a permit are being sent or written.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::transfer::buffer_pool::BufferPool;
use crate::transfer_options::TransferOptions;

/// Bytes of one permit of the semaphore.
const PLACE: u64 = 64 * 1024;

/// `jobs × part size` bytes.
pub(crate) struct MemoryBudget {
    transfer_options: TransferOptions,
    places: Arc<Semaphore>,
    all: u32,
    large: Arc<Semaphore>,
    buffers: BufferPool,
}

/// Memory in use; dropping it frees it.
pub(crate) type Permit = OwnedSemaphorePermit;

impl MemoryBudget {
    /// Makes the budget for these options.
    pub(crate) fn new(transfer_options: &TransferOptions) -> Self {
        let bytes = (transfer_options.jobs.get() as u64).saturating_mul(transfer_options.part_size);
        let all = u32::try_from(bytes / PLACE)
            .unwrap_or(u32::MAX)
            .clamp(1, Semaphore::MAX_PERMITS.try_into().unwrap_or(u32::MAX));
        let places = Arc::new(Semaphore::new(all as usize));
        let large = Arc::new(Semaphore::new(transfer_options.jobs.get()));
        Self { transfer_options: *transfer_options, places, all, large, buffers: BufferPool::default() }
    }

    /// Concurrent requests of one object.
    pub(crate) fn jobs(&self) -> usize {
        self.transfer_options.jobs.get()
    }

    /// Bytes of one range.
    pub(crate) fn part_size(&self) -> u64 {
        self.transfer_options.part_size
    }

    /// The buffers of all permits.
    pub(crate) fn buffers(&self) -> &BufferPool {
        &self.buffers
    }

    /// Waits until an object of `len` bytes may start: at most `jobs` objects larger than a part are in progress at
    /// once, besides any number of small ones.
    pub(crate) async fn turn(&self, len: u64) -> Result<Option<Permit>> {
        if len <= self.transfer_options.part_size {
            return Ok(None);
        }
        self.large.clone().acquire_owned().await.map(Some).map_err(closed)
    }

    /// Waits for memory, in the order of the calls; a request for more than the whole budget waits until it is the only
    /// one.
    pub(crate) async fn take(&self, bytes: u64) -> Result<Permit> {
        let places = u32::try_from(bytes.div_ceil(PLACE)).unwrap_or(u32::MAX).clamp(1, self.all);
        self.places.clone().acquire_many_owned(places).await.map_err(closed)
    }
}

fn closed(error: AcquireError) -> Error {
    Error::local("reserve", "memory")(std::io::Error::other(error))
}
