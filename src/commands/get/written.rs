//! What a download has written, and its end: it becomes the target, or is left for a run that goes on with it.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::error::{Error, Result, Subject};
use crate::meter::Meter;
use crate::object::{MTIME, read_mtime};
use crate::transfer::download::{self, Out, Pipeline};
use crate::transfer::parallel_write::Downloaded;
use crate::transfer::pending_file::PendingFile;
use crate::transfer::resume::{self, Kept};
use crate::transfer::sink::Sink;
use crate::transfer::{Cancellation, blocking};

use super::GetRequest;
use super::resumption::Resumption;

/// What a download has written.
pub(super) struct Written {
    pub(super) downloaded: Result<Downloaded>,
    pub(super) pending: PendingFile,
    /// What is recorded of it, if a run can go on with it.
    pub(super) kept: Option<Arc<Kept>>,
}

impl Written {
    /// Writes an object whose stored bytes are in memory. All in one go: to change threads for each step takes longer than
    /// the steps.
    pub(super) async fn from_memory(
        stored: Bytes,
        subject: Subject,
        pipeline: impl FnOnce(Out) -> Pipeline + Send + 'static,
        open: impl FnOnce() -> Result<(Sink, PendingFile)> + Send + 'static,
        resumption: Option<Resumption>,
        meter: &Meter,
    ) -> Result<Self> {
        let work = blocking(move || {
            let (sink, pending) = open()?;
            if let Some(resumption) = resumption {
                resumption.give_up();
            }
            let out = if pending.hides() { Out::Sink(sink) } else { Out::held(stored.len() as u64, sink) };
            Ok::<_, Error>((download::pass(stored, &subject, pipeline(out))?, pending))
        });
        let (plain_len, pending) = work.await??;
        meter.add(plain_len);
        Ok(Self { downloaded: Ok(Downloaded::from(plain_len)), pending, kept: None })
    }

    /// Makes what was written the target, or leaves it for a run that goes on with it.
    pub(super) async fn end(
        self,
        request: &GetRequest,
        head: &ObjectHead,
        connection: &Connection,
        cancellation: &Cancellation,
    ) -> Result<(Downloaded, Option<PathBuf>)> {
        let Self { downloaded, pending, kept } = self;
        let ended = match downloaded {
            Err(error) => Err((error, Some(pending))),
            Ok(downloaded) => {
                let modified = head.metadata.get(MTIME).filter(|_| request.range.is_none());
                if let Some(modified) = modified.and_then(|text| read_mtime(text)) {
                    pending.set_modified(modified);
                }
                // Whoever asks for a version wants that one, also when the newest is compared with it later.
                let is_newest = request.version_id.is_none();
                let is_object = is_newest && request.range.is_none() && !request.options.raw;
                if let Some(etag) = head.etag.as_deref().filter(|_| is_object) {
                    pending.note_etag(etag);
                }
                let kept = keep(pending, Subject::from(&request.target), cancellation).await;
                kept.map(|folder| (downloaded, folder))
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

/// Syncs what was written and makes it the target. Returns the directory that must be synced, or with the error what was
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
    let mut work = pin!(blocking(move || {
        file.sync_all().map_err(Error::local("write", subject))?;
        let mut synced = synced.lock().unwrap_or_else(PoisonError::into_inner);
        synced.take().map_or(Ok(None), PendingFile::commit)
    }));
    let ended = match cancellation.or(work.as_mut()).await {
        Ok(ended) => ended,
        Err(interrupted) => match taken(&pending) {
            Some(pending) => return Err((interrupted, Some(pending))),
            None => work.await,
        },
    };
    ended.flatten().map_err(|error| (error, taken(&pending)))
}

fn taken(pending: &Mutex<Option<PendingFile>>) -> Option<PendingFile> {
    pending.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::error::Signal;
    use crate::location::Target;
    use crate::transfer::sink::prepare;

    #[tokio::test]
    async fn a_signal_before_the_sync_gives_the_file_back_and_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        fs::write(&path, "old").unwrap();
        let (sender, cancellation) = Cancellation::new();
        let write = || {
            let target = Target::File(path.clone());
            let (mut sink, pending) = prepare(&target, false).unwrap().open().unwrap();
            sink.write(b"new").unwrap();
            pending
        };
        let interrupted = write();
        sender.send(Signal::Interrupt);
        let Err((Error::Interrupted(_), Some(given_back))) =
            keep(interrupted, Subject::from(&path), &cancellation).await
        else {
            panic!("not interrupted");
        };
        drop(given_back);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        let (_sender, never) = Cancellation::new();
        let kept = keep(write(), Subject::from(&path), &never).await;
        assert!(kept.is_ok_and(|new_in| new_in.as_deref() == Some(folder.path())));
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
