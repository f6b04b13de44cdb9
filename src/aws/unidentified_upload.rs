//! Aborts an upload that the server may have created although its answer was not understood, so that its id is unknown.
//!
//! Such an upload is billed until it is aborted. It is found by listing: for this key, created since the request by the
//! server's clock, without parts. If several uploads match, none is aborted.
//! Source: ListMultipartUploads in the Amazon S3 API reference.

use std::time::Duration;

use crate::aws::upload::UploadTarget;
use crate::error::{Error, Result};

impl UploadTarget<'_> {
    /// If `error` says that the answer to CreateMultipartUpload, sent `waited` ago, was not understood, aborts the
    /// upload that the request may have created and adds the result to the error.
    pub(super) async fn without_unidentified_upload(&self, error: Error, waited: Duration) -> Error {
        let Error::NotUnderstood { subject, why, source } = error else { return error };
        let found = self.abort_unidentified_upload(waited).await;
        if found.is_ok() {
            self.connection.open_uploads.answered(self.uri, None);
        }
        let end = match found {
            Ok(true) => "the upload that it started was found and aborted",
            Ok(false) => "it started no upload that could be found",
            Err(_) => "it may have started an upload",
        };
        Error::NotUnderstood { subject, why: format!("{why}; {end}"), source }
    }

    /// Returns whether an upload was found.
    async fn abort_unidentified_upload(&self, waited: Duration) -> Result<bool> {
        // An answer's date, an upload's time and the wait are each rounded down to whole seconds.
        let since =
            self.connection.server_clock.now() - i64::try_from(waited.as_secs()).unwrap_or(i64::MAX) - 3;
        let mut found = Vec::new();
        for id in self.connection.uploads_of(self.uri, since..=i64::MAX).await? {
            if self.connection.has_no_part(self.uri, &id).await? {
                found.push(id);
            }
        }
        match found.as_slice() {
            [] => Ok(false),
            [id] => self.connection.abort(self.uri, id).await.map(|()| true),
            _ => Err(Error::not_understood(self.uri, "several uploads were started at once")),
        }
    }
}
