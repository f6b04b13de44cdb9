//! The part size and concurrency of a transfer.

use std::num::NonZeroUsize;

use crate::defaults;

/// The part size and concurrency of a transfer. It takes about `jobs × part_size` of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferOptions {
    /// Concurrent requests.
    pub(crate) jobs: NonZeroUsize,
    /// Concurrent objects of a bulk transfer. More than `jobs`, because small objects mostly wait; they share the memory.
    pub(crate) objects: NonZeroUsize,
    /// Bytes in a part or range; in the first part, if parts grow.
    pub(crate) part_size: u64,
    /// The expected size of a source of unknown length, in bytes. Parts are sized for it.
    pub(crate) expected_size: Option<u64>,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self {
            jobs: defaults::JOBS,
            objects: defaults::JOBS_OF_SMALL_OBJECTS,
            part_size: defaults::PART_SIZE.0,
            expected_size: None,
        }
    }
}
