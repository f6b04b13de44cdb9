//! The multipart uploads that this run has created and neither completed nor aborted. The run reports those that remain
//! at its end, because their parts are stored and billed until somebody aborts them.
//!
//! Not part of an error: an upload may also remain when the run is interrupted or succeeds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::location::S3Uri;

/// An upload that exists, or may exist, on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenUpload {
    /// The object that it is for.
    pub(crate) uri: S3Uri,
    /// Its id; `None` where the answer that names it did not arrive.
    pub(crate) id: Option<String>,
}

/// All of them. Cheap to clone; every clone sees the same uploads.
#[derive(Clone, Default)]
pub(crate) struct OpenUploads(Arc<Mutex<Vec<OpenUpload>>>);

impl OpenUploads {
    /// Those that are still open.
    pub(crate) fn left(&self) -> Vec<OpenUpload> {
        self.lock().clone()
    }

    /// Records that an upload is requested.
    pub(super) fn starting(&self, uri: &S3Uri) {
        self.lock().push(OpenUpload { uri: uri.clone(), id: None });
    }

    /// Records the server's answer: the upload's id, or a refusal.
    pub(super) fn answered(&self, uri: &S3Uri, id: Option<&str>) {
        let mut uploads = self.lock();
        if let Some(place) = uploads.iter().position(|upload| upload.id.is_none() && upload.uri == *uri) {
            uploads.remove(place);
        }
        uploads.extend(id.map(|id| OpenUpload { uri: uri.clone(), id: Some(id.to_owned()) }));
    }

    /// Records that an upload was completed or aborted.
    pub(super) fn ended(&self, id: &str) {
        self.lock().retain(|upload| upload.id.as_deref() != Some(id));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenUpload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_open_from_the_request_for_it_to_its_end() {
        let uploads = OpenUploads::default();
        let uri: S3Uri = "s3://bkt/k".parse().unwrap();
        let open = |id: Option<&str>| OpenUpload { uri: uri.clone(), id: id.map(str::to_owned) };
        uploads.starting(&uri);
        assert_eq!(uploads.left(), [open(None)]);
        uploads.answered(&uri, Some("1"));
        uploads.starting(&uri);
        uploads.starting(&uri);
        uploads.answered(&uri, None);
        assert_eq!(uploads.left(), [open(Some("1")), open(None)]);
        uploads.ended("2");
        uploads.ended("1");
        assert_eq!(uploads.left(), [open(None)]);
    }
}
