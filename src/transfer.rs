//! Moving bytes with bounded memory: between a source, a format, S3 and a sink.
//!
//! What is computed (sizes, ranges, what may be released) stands in [`plan`]; the rest runs it.
//! No flags, no S3 headers and no ciphers here: `aws` and `seal` know those, the verb joins them. Of the formats, only
//! [`parallel_write`] knows one: the ranges of a message that are decrypted each on its own.

pub(crate) mod buffer_pool;
pub(crate) mod cancellation;
pub(crate) mod clean_up;
pub(crate) mod concurrency;
pub(crate) mod copy;
pub(crate) mod disk_map;
pub(crate) mod download;
pub(crate) mod fetched_from;
pub(crate) mod locked_file;
pub(crate) mod memory_budget;
pub(crate) mod parallel_write;
pub(crate) mod pending_file;
pub(crate) mod pipe;
mod placed_files;
pub(crate) mod plan;
mod ranges;
pub(crate) mod repeat;
pub(crate) mod replaced_file;
pub(crate) mod resume;
pub(crate) mod sink;
pub(crate) mod sorter;
pub(crate) mod source;
pub(crate) mod stale_records;
pub(crate) mod surveyed_file;
pub(crate) mod target_directory;
pub(crate) mod temporary_file;
mod terminal_text;
pub(crate) mod upload;
pub(crate) mod walk;
mod write_load;

pub(crate) use cancellation::Cancellation;

use crate::error::{Error, Result};

/// Runs work that blocks (files, pipes, ciphers of what waits in memory) beside the network's thread.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::local("run", "a worker thread")(error.into()))
}
