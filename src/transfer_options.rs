//! The part size and concurrency of a transfer.

use std::num::NonZeroUsize;

use crate::defaults;

/// The part size and concurrency of a transfer. It takes about as much memory as [`TransferOptions::parts_in_memory`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferOptions {
    /// Concurrent requests; `None` follows the link.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Concurrent objects of a bulk transfer, and the most requests that follow the link. They share requests and memory.
    pub(crate) objects: NonZeroUsize,
    /// Bytes in a part; in the first one, if parts grow.
    pub(crate) part_size: u64,
    /// Bytes in a range that goes into a file; `None` is what the link is worth.
    pub(crate) range_size: Option<u64>,
    /// The expected size of a source of unknown length, in bytes. Parts are sized for it.
    pub(crate) expected_size: Option<u64>,
}

impl TransferOptions {
    /// The parts that may be in memory: one for each request, if their number is fixed.
    pub(crate) fn parts_in_memory(&self) -> NonZeroUsize {
        self.jobs.unwrap_or(defaults::JOBS)
    }
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self {
            jobs: None,
            objects: defaults::MAX_JOBS,
            part_size: defaults::PART_SIZE.0,
            range_size: None,
            expected_size: None,
        }
    }
}
