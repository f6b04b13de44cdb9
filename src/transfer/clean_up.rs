//! Cleaning up what a failure or a signal has left in S3, and no longer than anybody waits for it.
//!
//! What is to be cleaned up, and what is said of what stays, is the caller's.

use crate::error::Error;
use crate::limits::{CLEANUP_TIMEOUT_AFTER_ERROR, CLEANUP_TIMEOUT_AFTER_SIGNAL};
use crate::transfer::Cancellation;

/// Cleans up, after `error` if there was one: patiently, but quickly after a signal, also one that comes only now. `None` if the
/// time was not enough.
pub(crate) async fn clean_up_within<T>(
    clean_up: impl Future<Output = T>,
    error: Option<&Error>,
    cancellation: &Cancellation,
) -> Option<T> {
    let hurry = async {
        if !matches!(error, Some(Error::Interrupted(_))) {
            cancellation.wait().await;
        }
        tokio::time::sleep(CLEANUP_TIMEOUT_AFTER_SIGNAL).await;
    };
    tokio::select! {
        cleaned_up = clean_up => Some(cleaned_up),
        () = hurry => None,
        () = tokio::time::sleep(CLEANUP_TIMEOUT_AFTER_ERROR) => None,
    }
}
