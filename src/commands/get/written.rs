//! The end of a download: what was written becomes the target, or is left for a run that goes on with it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::error::{Error, Result, Subject};
use crate::object::{MTIME, read_mtime};
use crate::transfer::resume::{self, Kept};
use crate::transfer::sink::PendingFile;
use crate::transfer::{Cancellation, blocking};

use super::GetRequest;
use super::decryption::Moved;

/// What a download has written.
pub(super) struct Written {
    pub(super) moved: Result<Moved>,
    pub(super) pending: PendingFile,
    /// What is recorded of it, if a run can go on with it.
    pub(super) kept: Option<Arc<Kept>>,
}

impl Written {
    /// Makes what was written the target, or leaves it for a run that goes on with it.
    pub(super) async fn end(
        self,
        request: &GetRequest,
        head: &ObjectHead,
        connection: &Connection,
        cancellation: &Cancellation,
    ) -> Result<(Moved, Option<PathBuf>)> {
        let Self { moved, pending, kept } = self;
        let ended = match moved {
            Err(error) => Err((error, Some(pending))),
            Ok(moved) => {
                let modified = head.metadata.get(MTIME).filter(|_| request.range.is_none());
                if let Some(modified) = modified.and_then(|text| read_mtime(text)) {
                    pending.set_modified(modified);
                }
                let kept = keep(pending, Subject::from(&request.target), cancellation).await;
                kept.map(|folder| (moved, folder))
            }
        };
        let ended = match ended {
            Err((error, Some(pending))) if kept.is_some() && resume::goes_on_after(&error) => {
                if let Some(file) = pending.left_file() {
                    connection.open_uploads.keep_download(&request.source, file.path);
                }
                pending.leave();
                return Err(error);
            }
            ended => ended.map_err(|(error, _)| error),
        };
        // Until here, a process that is killed leaves a file that the next one finds.
        if let Some(kept) = kept.and_then(Arc::into_inner) {
            kept.record.remove();
        }
        ended
    }
}

/// Syncs what was written and makes it the target. Returns the directory that must be settled, or with the error what was
/// written, if it did not come to that.
async fn keep(
    pending: PendingFile,
    subject: Subject,
    cancellation: &Cancellation,
) -> Result<Option<PathBuf>, (Error, Option<PendingFile>)> {
    let file = match pending.to_sync() {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(error) => return Err((error, Some(pending))),
    };
    // A signal does not wait for the sync: whoever takes the file first decides what becomes of it.
    let pending = Arc::new(Mutex::new(Some(pending)));
    let synced = pending.clone();
    let work = blocking(move || {
        file.sync_all().map_err(Error::local("write", subject))?;
        let mut synced = synced.lock().unwrap_or_else(PoisonError::into_inner);
        synced.take().map_or(Ok(None), PendingFile::commit)
    });
    let kept = cancellation.or(work).await.flatten().flatten();
    kept.map_err(|error| (error, pending.lock().unwrap_or_else(PoisonError::into_inner).take()))
}
