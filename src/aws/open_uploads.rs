//! The multipart uploads that this run has created or found, and neither completed nor aborted. The run reports those that remain
//! at its end, because their parts are stored and billed until somebody aborts them. So does it report what else it has left
//! behind: downloads that are kept, and instruction files that could not be put back.
//!
//! Not part of an error: an upload may also remain when the run is interrupted or succeeds.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::location::S3Uri;

/// An upload that exists, or may exist, on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenUpload {
    /// The object that it is for.
    pub(crate) uri: S3Uri,
    /// Its id; `None` where the answer that names it did not arrive.
    pub(crate) id: Option<String>,
    /// Whether it is kept on purpose, so that the same command can go on with it.
    pub(crate) is_kept: bool,
}

/// All of them. Cheap to clone; every clone sees the same uploads.
#[derive(Clone, Default)]
pub(crate) struct OpenUploads {
    uploads: Arc<Mutex<Vec<OpenUpload>>>,
    downloads: Arc<Mutex<Vec<KeptDownload>>>,
    instruction_files: Arc<Mutex<Vec<ReplacedInstructionFile>>>,
}

/// The instruction file of an object that is there, in place of which another one was written for an object that is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplacedInstructionFile {
    pub(crate) uri: S3Uri,
    /// What it was.
    pub(crate) content: String,
}

/// A download that was cut off and is kept, so that the same command can go on with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptDownload {
    pub(crate) uri: S3Uri,
    /// The temporary file.
    pub(crate) path: PathBuf,
}

impl OpenUploads {
    /// Those that are still open.
    pub(crate) fn left(&self) -> Vec<OpenUpload> {
        self.lock().clone()
    }

    /// The downloads that are kept.
    pub(crate) fn kept_downloads(&self) -> Vec<KeptDownload> {
        self.downloads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records that a download is kept.
    pub(crate) fn keep_download(&self, uri: &S3Uri, path: PathBuf) {
        let mut downloads = self.downloads.lock().unwrap_or_else(PoisonError::into_inner);
        downloads.push(KeptDownload { uri: uri.clone(), path });
    }

    /// The instruction files that were replaced, without their objects.
    pub(crate) fn replaced_instruction_files(&self) -> Vec<ReplacedInstructionFile> {
        self.instruction_files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records that an instruction file is replaced, before its object is.
    pub(super) fn replacing(&self, uri: &S3Uri, content: String) {
        let mut files = self.instruction_files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(ReplacedInstructionFile { uri: uri.clone(), content });
    }

    /// Records that an instruction file is the one of its object.
    pub(super) fn belongs(&self, uri: &S3Uri) {
        let mut files = self.instruction_files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|file| file.uri != *uri);
    }

    /// Records that an upload is requested.
    pub(super) fn starting(&self, uri: &S3Uri) {
        self.lock().push(OpenUpload { uri: uri.clone(), id: None, is_kept: false });
    }

    /// Records the server's answer: the upload's id, or a refusal. Of two uploads to one object that are requested, either
    /// may be the one that it answers.
    pub(super) fn answered(&self, uri: &S3Uri, id: Option<&str>) {
        let mut uploads = self.lock();
        if let Some(place) = uploads.iter().position(|upload| upload.id.is_none() && upload.uri == *uri) {
            uploads.remove(place);
        }
        uploads.extend(id.map(|id| OpenUpload { uri: uri.clone(), id: Some(id.to_owned()), is_kept: false }));
    }

    /// Records an upload of an earlier run, with which this one goes on.
    pub(super) fn found(&self, uri: &S3Uri, id: &str) {
        self.lock().push(OpenUpload { uri: uri.clone(), id: Some(id.to_owned()), is_kept: true });
    }

    /// Records that an upload is kept on purpose.
    pub(super) fn keep(&self, id: &str) {
        for upload in self.lock().iter_mut().filter(|upload| upload.id.as_deref() == Some(id)) {
            upload.is_kept = true;
        }
    }

    /// Records that an upload is to be aborted, by whichever run it was begun.
    pub(super) fn giving_up(&self, uri: &S3Uri, id: &str) {
        self.ended(id);
        self.lock().push(OpenUpload { uri: uri.clone(), id: Some(id.to_owned()), is_kept: false });
    }

    /// Records that an upload was completed or aborted.
    pub(super) fn ended(&self, id: &str) {
        self.lock().retain(|upload| upload.id.as_deref() != Some(id));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<OpenUpload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_open_from_the_request_for_it_to_its_end() {
        let uploads = OpenUploads::default();
        let uri: S3Uri = "s3://bkt/k".parse().unwrap();
        let open =
            |id: Option<&str>| OpenUpload { uri: uri.clone(), id: id.map(str::to_owned), is_kept: false };
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
