//! An upload that the server began with an answer that was not understood: it has an id, and nobody here knows it.
//!
//! Such an upload is paid for until it is aborted. It is found by listing: for this key, begun since the request, by the
//! server's own clock, without a part, and the only one of its kind. Where that is not sure, nothing is aborted.
//! Source: ListMultipartUploads in the Amazon S3 API reference.

use std::time::Duration;

use crate::aws::multipart::Destination;
use crate::error::{Error, Result};

impl Destination<'_> {
    /// Aborts the upload that a request may have begun `waited` ago whose answer was not understood, and makes of that
    /// `error` the one to tell.
    pub(super) async fn without_lost_upload(&self, error: Error, waited: Duration) -> Error {
        let Error::NotUnderstood { subject, why, source } = error else { return error };
        let found = self.abort_lost_upload(waited).await;
        if found.is_ok() {
            self.connection.open_uploads.answered(self.uri, None);
        }
        let told = match found {
            Ok(true) => "the upload it began was found and aborted",
            Ok(false) => "no upload was found that it began",
            Err(_) => "whether it began an upload is not known: `aws s3api list-multipart-uploads` tells",
        };
        Error::NotUnderstood { subject, why: format!("{why}; {told}"), source }
    }

    /// Returns whether there was one.
    async fn abort_lost_upload(&self, waited: Duration) -> Result<bool> {
        // The date of an answer, the time of an upload and the wait are whole seconds, each rounded down.
        let since =
            self.connection.server_clock.now() - i64::try_from(waited.as_secs()).unwrap_or(i64::MAX) - 3;
        let mut found = Vec::new();
        for id in self.connection.uploads_since(self.uri, since).await? {
            if self.connection.has_no_part(self.uri, &id).await? {
                found.push(id);
            }
        }
        match found.as_slice() {
            [] => Ok(false),
            [id] => self.connection.abort(self.uri, id).await.map(|()| true),
            _ => Err(Error::not_understood(self.uri, "several uploads were begun at once")),
        }
    }
}
