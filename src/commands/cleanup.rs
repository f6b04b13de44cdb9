//! `cleanup`: finds what broken runs left behind, and removes it.
//!
//! Nothing goes that a living run may need: what is younger than a limit stays, and so does what a record of this
//! machine says is in use. Each removal is bound to what was found; what has changed since stays.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::stream;

use crate::aws::Connection;
use crate::aws::abort_upload::UploadSize;
use crate::aws::timestamp::local_now;
use crate::commands::bulk::{concerns_all, for_each_unordered};
use crate::commands::rotate::journal::survey::{self, JournalSurvey};
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::transfer::stale_records::{self, About, RecordSurvey};
use crate::transfer::surveyed_file::{self, SurveyedFile};
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
    /// Whether it is needed could not be seen.
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
/// What the listings say; those of `found`; `Interrupted`.
pub(crate) async fn find(
    connection: &Connection,
    request: &CleanupRequest,
    cancellation: &Cancellation,
    mut found: impl AsyncFnMut(Leftover) -> Result<()>,
) -> Result<()> {
    let machine = Machine::read(request).await?;
    uploads::find(
        connection,
        request,
        &machine.journals_by_upload(),
        &machine.uploads_in_use(),
        cancellation,
        &mut found,
    )
    .await?;
    objects::find(connection, request, cancellation, &mut found).await?;
    let now = local_now();
    let in_use = |file: &SurveyedFile| file.is_in_use.then(|| Kept::InUse(file.path.clone()));
    let young = |file: &SurveyedFile| (!request.is_old(Some(file.modified), now)).then_some(Kept::Young);
    let of_place =
        |journal: &JournalSurvey| journal.is_of_place && journal.endpoint.as_deref() == connection.s3_url();
    for journal in machine.journals.into_iter().filter(of_place) {
        let file = &journal.file;
        let needed = || journal.is_needed.then_some(Kept::Needed);
        found(Leftover {
            created: Some(file.modified),
            bytes: Some(file.len),
            kept: in_use(file).or_else(needed).or_else(|| young(file)),
            what: What::Journal(journal),
        })
        .await?;
    }
    let of_place = |record: &RecordSurvey| is_of_place(record, connection, &request.place);
    for record in machine.records.into_iter().filter(of_place) {
        let file = &record.file;
        found(Leftover {
            created: Some(file.modified),
            bytes: Some(record.bytes),
            kept: in_use(file).or_else(|| young(file)),
            what: What::Record(Box::new(record)),
        })
        .await?;
    }
    Ok(())
}

/// Whether a record names no object outside the place, nor of another server.
fn is_of_place(record: &RecordSurvey, connection: &Connection, place: &S3Uri) -> bool {
    record.about.object().is_none_or(|(endpoint, object)| {
        endpoint == connection.s3_url() && object.parse().is_ok_and(|uri| place.holds(&uri))
    })
}

/// What this machine knows of its runs.
#[derive(Default)]
struct Machine {
    journals: Vec<JournalSurvey>,
    records: Vec<RecordSurvey>,
}

impl Machine {
    async fn read(request: &CleanupRequest) -> Result<Self> {
        let Some(folder) = request.records.clone() else { return Ok(Self::default()) };
        let place = request.place.clone();
        let read = move || {
            let journals = survey::in_directory(&folder, &place)?;
            Ok(Self { journals, records: stale_records::in_directory(&folder)? })
        };
        blocking(read).await?
    }

    /// The journals of rotations, by the uploads that they name.
    fn journals_by_upload(&self) -> HashMap<&str, &Path> {
        self.named_by_journals().map(|(id, file)| (id, file.path.as_path())).collect()
    }

    /// The uploads on which runs are at work, each with its journal or record.
    fn uploads_in_use(&self) -> HashMap<&str, &Path> {
        let in_use = self.named().filter(|(_, file)| file.is_in_use);
        in_use.map(|(id, file)| (id, file.path.as_path())).collect()
    }

    /// The journals and records, by the uploads that they name.
    fn files_by_upload(&self) -> HashMap<&str, &Path> {
        self.named().map(|(id, file)| (id, file.path.as_path())).collect()
    }

    /// Each upload that a journal or a record names.
    fn named(&self) -> impl Iterator<Item = (&str, &SurveyedFile)> {
        let of_records = self.records.iter().filter_map(|record| match &record.about {
            About::Upload(upload) => Some((upload.upload_id.as_str(), &record.file)),
            About::Download { .. } | About::Nothing => None,
        });
        self.named_by_journals().chain(of_records)
    }

    fn named_by_journals(&self) -> impl Iterator<Item = (&str, &SurveyedFile)> {
        self.journals.iter().flat_map(|journal| {
            let uploads = journal.uploads.iter();
            uploads.map(|id| (id.as_str(), &journal.file))
        })
    }
}

/// Removes what was found, and reports each removal as it ends.
///
/// # Errors
/// Those that would meet all others, too, and those of `report`; `Interrupted`.
pub(crate) async fn remove(
    connection: &Connection,
    request: &CleanupRequest,
    leftovers: Vec<Leftover>,
    cancellation: &Cancellation,
    mut report: impl AsyncFnMut(Removal) -> Result<()>,
) -> Result<()> {
    let is_upload = |leftover: &Leftover| matches!(leftover.what, What::Upload { .. });
    let (uploads, others): (Vec<_>, Vec<_>) = leftovers.into_iter().partition(is_upload);
    // A put may have begun one since the files were read, before the uploads were listed.
    let machine = if uploads.is_empty() { Machine::default() } else { Machine::read(request).await? };
    let files = &machine.files_by_upload();
    // The file that names an upload is removed after it: until then a run that wants to go on with it finds the file held.
    for leftovers in [uploads, others] {
        let work = |mut leftover: Leftover| async move {
            let failed = match remove_one(connection, &leftover, files, cancellation).await {
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
        let leftovers = stream::iter(leftovers.into_iter().map(Ok));
        for_each_unordered(leftovers, request.jobs, cancellation, work, &mut report).await?;
    }
    Ok(())
}

/// What became of a leftover.
enum Removed {
    Gone,
    /// Somebody else has removed it, or ended it.
    WasGone,
    Changed,
}

/// Removes one leftover. A signal does not wait for S3's answer: what is gone by then, the next run does not find.
async fn remove_one(
    connection: &Connection,
    leftover: &Leftover,
    files_by_upload: &HashMap<&str, &Path>,
    cancellation: &Cancellation,
) -> Result<Removed> {
    match &leftover.what {
        What::Upload { uri, id, .. } => {
            let _held = match files_by_upload.get(id.as_str()) {
                None => None,
                Some(path) => {
                    let path = path.to_path_buf();
                    match blocking(move || surveyed_file::hold(&path)).await?? {
                        // A run has gone on with it since it was found.
                        None => return Ok(Removed::Changed),
                        held => held,
                    }
                }
            };
            let was_there = cancellation.or(connection.abort_if_there(uri, id)).await??;
            Ok(if was_there { Removed::Gone } else { Removed::WasGone })
        }
        What::InstructionFile { uri, object, etag } => {
            let removal = objects::remove_instruction_file(connection, uri, object, etag.as_deref());
            cancellation.or(removal).await?
        }
        What::Scratch { uri, etag } => {
            cancellation.or(objects::remove_scratch(connection, uri, etag.as_deref())).await?
        }
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
