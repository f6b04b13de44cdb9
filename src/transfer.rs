//! Moving bytes with bounded memory: between a source, a format, S3 and a sink.
//!
//! What is computed (sizes, ranges, what may be released) stands in [`plan`]; the rest runs it.
//! No flags, no S3 headers and no ciphers here: `aws` and `seal` know those, the verb joins them.

pub mod buffer_pool;
pub mod cancellation;
pub mod copy;
pub mod disk_map;
pub mod download;
pub mod memory_budget;
pub mod parallel_write;
pub mod pipe;
pub mod plan;
pub mod sink;
pub mod source;
pub mod target_directory;
pub mod upload;
pub mod walk;

pub use cancellation::Cancellation;

use crate::error::{Error, Result};

/// Runs work that blocks (files, pipes, ciphers) beside the network's thread.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Local { what: "a worker thread failed".to_owned(), source: error.into() })
}
