//! Room in memory for what is under way: taken before the bytes, given back once they have gone on.
//!
//! One room for all objects of a run, so that many large ones together take no more than one alone. Whoever waits for
//! room holds none that others wait for: what is held is being sent or written, and comes back by itself.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};
use crate::transfer::buffer_pool::BufferPool;
use crate::tuning::Tuning;

/// One place stands for this many bytes.
const PLACE: u64 = 64 * 1024;

/// Room for `jobs × part size` bytes.
pub(crate) struct MemoryBudget {
    tuning: Tuning,
    places: Arc<Semaphore>,
    all: u32,
    large: Arc<Semaphore>,
    buffers: BufferPool,
}

/// Room that was taken; dropped, it is free again.
pub(crate) type Permit = OwnedSemaphorePermit;

impl MemoryBudget {
    /// Makes the room that a tuning allows.
    pub(crate) fn new(tuning: &Tuning) -> Self {
        let bytes = (tuning.jobs.get() as u64).saturating_mul(tuning.part_size);
        let all = u32::try_from(bytes / PLACE)
            .unwrap_or(u32::MAX)
            .clamp(1, Semaphore::MAX_PERMITS.try_into().unwrap_or(u32::MAX));
        let places = Arc::new(Semaphore::new(all as usize));
        let large = Arc::new(Semaphore::new(tuning.jobs.get()));
        Self { tuning: *tuning, places, all, large, buffers: BufferPool::default() }
    }

    /// Requests that one object may have under way.
    pub(crate) fn jobs(&self) -> usize {
        self.tuning.jobs.get()
    }

    /// Bytes of one range.
    pub(crate) fn part_size(&self) -> u64 {
        self.tuning.part_size
    }

    /// The buffers of all who have room.
    pub(crate) fn buffers(&self) -> &BufferPool {
        &self.buffers
    }

    /// Waits until an object of `len` bytes may begin: of those that take more than a part no more than jobs are under
    /// way at once, however many small ones are.
    pub(crate) async fn turn(&self, len: u64) -> Result<Option<Permit>> {
        if len <= self.tuning.part_size {
            return Ok(None);
        }
        self.large.clone().acquire_owned().await.map(Some).map_err(closed)
    }

    /// Waits for room, in the order of asking; something larger than everything waits until it is alone.
    pub(crate) async fn take(&self, bytes: u64) -> Result<Permit> {
        let places = u32::try_from(bytes.div_ceil(PLACE)).unwrap_or(u32::MAX).clamp(1, self.all);
        self.places.clone().acquire_many_owned(places).await.map_err(closed)
    }
}

fn closed(error: AcquireError) -> Error {
    Error::local("reserve", "memory")(std::io::Error::other(error))
}
