//! `cleanup`: finds what broken runs left behind, and removes it.
//!
//! Nothing goes that a living run may need: what is younger than a limit stays, and so does what a record of this
//! machine says is in use. Each removal is bound to what was found; what has changed since stays.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::stream;

use crate::aws::Connection;
use crate::aws::abort_upload::UploadSize;
use crate::commands::bulk::{concerns_all, for_each_unordered};
use crate::commands::rotate::journal::survey::{self, JournalSurvey};
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::transfer::stale_records::{self, About, RecordSurvey};
use crate::transfer::{Cancellation, blocking};

mod objects;
mod uploads;

/// What is to be cleaned up.
pub(crate) struct CleanupRequest {
    /// A bucket, everything under a prefix, or one object with what belongs to it.
    pub(crate) place: S3Uri,
    /// What is younger stays.
    pub(crate) older_than: Duration,
    /// The directory of this machine's records; `None` where there is none.
    pub(crate) records: Option<PathBuf>,
    /// Requests under way at once.
    pub(crate) jobs: NonZeroUsize,
    /// Counts the objects that are listed.
    pub(crate) meter: Meter,
    /// How many uploads, and how many objects, are looked at; `None` is all.
    pub(crate) first: Option<usize>,
}

impl CleanupRequest {
    /// Whether something of this time (seconds since 1970) is older than the limit at `now`. What has no time is not.
    fn is_old(&self, created: Option<i64>, now: i64) -> bool {
        let limit = i64::try_from(self.older_than.as_secs()).unwrap_or(i64::MAX);
        // Times are rounded, so that what was made just now may have one in the future.
        limit == 0 || created.is_some_and(|created| created.saturating_add(limit) <= now)
    }
}

/// Something that a broken run may have left.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub(crate) what: What,
    /// When it was made, or last written, in seconds since 1970.
    pub(crate) created: Option<i64>,
    /// The bytes that its removal frees; `None` where they are not known.
    pub(crate) bytes: Option<u64>,
    /// Why it stays; `None` for what can be removed.
    pub(crate) kept: Option<Kept>,
}

/// What it is.
#[derive(Debug)]
pub(crate) enum What {
    Upload {
        uri: S3Uri,
        id: String,
        /// Who began it, as far as the server says.
        initiator: Option<String>,
        /// Its parts, or why they are not known; `None` where nobody asked.
        size: Option<Result<UploadSize, Box<Error>>>,
        /// The journal of the rotation that began it.
        journal: Option<PathBuf>,
    },
    /// The instruction file of an object that does not exist.
    InstructionFile {
        uri: S3Uri,
        object: S3Uri,
        etag: Option<String>,
    },
    Scratch {
        uri: S3Uri,
        etag: Option<String>,
    },
    Journal(JournalSurvey),
    /// The record of a put or a get that did not end, with the temporary file of the get.
    Record(Box<RecordSurvey>),
}

/// Why something stays.
#[derive(Debug)]
pub(crate) enum Kept {
    /// It is younger than the limit.
    Young,
    /// A rotation with this journal, or a transfer with this record, is at work.
    InUse(PathBuf),
    /// A journal that its rotation needs to clean up behind itself, or that may be the only copy of an envelope.
    Needed,
    /// What it is could not be seen.
    NotKnown(Box<Error>),
    /// It changed, or was used, after it was found.
    Changed,
}

/// What became of something that was to be removed.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) leftover: Leftover,
    /// Why it is still there.
    pub(crate) failed: Option<Box<Error>>,
}

/// Finds what is left below the place, what stays included, and tells it one by one.
///
/// # Errors
/// What the listings say; `Interrupted`.
pub(crate) async fn find(
    connection: &Connection,
    request: &CleanupRequest,
    cancellation: &Cancellation,
    mut found: impl FnMut(Leftover),
) -> Result<()> {
    let journals = journals(request).await?;
    let by_upload: HashMap<&str, &JournalSurvey> = journals
        .iter()
        .flat_map(|journal| journal.uploads.iter().map(move |id| (id.as_str(), journal)))
        .collect();
    let records = records(request).await?;
    let puts = records.iter().filter_map(|record| match &record.about {
        About::Upload { upload_id, .. } if record.is_in_use => {
            Some((upload_id.as_str(), record.path.as_path()))
        }
        _ => None,
    });
    let puts = puts.collect();
    uploads::find(connection, request, &by_upload, &puts, cancellation, &mut found).await?;
    drop((by_upload, puts));
    objects::find(connection, request, cancellation, &mut found).await?;
    journals.into_iter().filter(|journal| journal.is_of_place).for_each(|journal| {
        found(Leftover {
            created: Some(journal.modified),
            bytes: Some(journal.bytes),
            kept: match () {
                () if journal.is_in_use => Some(Kept::InUse(journal.path.clone())),
                () if journal.is_needed => Some(Kept::Needed),
                () if !request.is_old(Some(journal.modified), local_now()) => Some(Kept::Young),
                () => None,
            },
            what: What::Journal(journal),
        });
    });
    for record in records.into_iter().filter(|record| is_of_place(record, &request.place)) {
        found(Leftover {
            created: Some(record.modified),
            bytes: Some(record.bytes),
            kept: match () {
                () if record.is_in_use => Some(Kept::InUse(record.path.clone())),
                () if !request.is_old(Some(record.modified), local_now()) => Some(Kept::Young),
                () => None,
            },
            what: What::Record(Box::new(record)),
        });
    }
    Ok(())
}

/// Whether a record names no object outside the place.
fn is_of_place(record: &RecordSurvey, place: &S3Uri) -> bool {
    record.object().is_none_or(|object| object.parse().is_ok_and(|uri| place.holds(&uri)))
}

/// This machine's time, which its files have.
fn local_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

async fn journals(request: &CleanupRequest) -> Result<Vec<JournalSurvey>> {
    let Some(folder) = request.records.clone() else { return Ok(Vec::new()) };
    let place = request.place.clone();
    blocking(move || survey::in_directory(&folder, &place)).await?
}

async fn records(request: &CleanupRequest) -> Result<Vec<RecordSurvey>> {
    let Some(folder) = request.records.clone() else { return Ok(Vec::new()) };
    blocking(move || stale_records::in_directory(&folder)).await?
}

/// Removes what was found, and reports each removal as it ends.
///
/// # Errors
/// Those that would meet all others, too, and those of `report`; `Interrupted`.
pub(crate) async fn remove(
    connection: &Connection,
    leftovers: Vec<Leftover>,
    jobs: NonZeroUsize,
    cancellation: &Cancellation,
    report: impl FnMut(Removal) -> Result<()>,
) -> Result<()> {
    let work = |mut leftover: Leftover| async move {
        let failed = match remove_one(connection, &leftover).await {
            Ok(Removed::Gone) => None,
            Ok(Removed::WasGone) => {
                leftover.bytes = Some(0);
                None
            }
            Ok(Removed::Changed) => {
                leftover.kept = Some(Kept::Changed);
                None
            }
            Err(error) if concerns_all(&error) => return Err(error),
            Err(error) => Some(Box::new(error)),
        };
        Ok(Removal { leftover, failed })
    };
    for_each_unordered(stream::iter(leftovers.into_iter().map(Ok)), jobs, cancellation, work, report).await
}

/// What became of a leftover.
enum Removed {
    Gone,
    /// Somebody else has removed it, or ended it.
    WasGone,
    Changed,
}

async fn remove_one(connection: &Connection, leftover: &Leftover) -> Result<Removed> {
    match &leftover.what {
        What::Upload { uri, id, .. } => {
            let was_there = connection.abort_if_there(uri, id).await?;
            Ok(if was_there { Removed::Gone } else { Removed::WasGone })
        }
        What::InstructionFile { uri, object, etag } => {
            objects::remove_instruction_file(connection, uri, object, etag.as_deref()).await
        }
        What::Scratch { uri, etag } => objects::remove_scratch(connection, uri, etag.as_deref()).await,
        What::Journal(journal) => {
            let journal = journal.clone();
            let gone = blocking(move || survey::remove(&journal)).await??;
            Ok(if gone { Removed::Gone } else { Removed::Changed })
        }
        What::Record(record) => {
            let record = record.clone();
            let gone = blocking(move || stale_records::remove(&record)).await??;
            Ok(if gone { Removed::Gone } else { Removed::Changed })
        }
    }
}
