//! `put` of many files.
//!
//! Encryption is prepared once; each object still gets its own data key. All objects share one memory budget.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt, TryStreamExt};

use crate::aws::Connection;
use crate::commands::asked_encryption::permitted;
use crate::commands::bulk::{Row, for_each_unordered};
use crate::commands::changes::{Action, Change, Planned, Reason, reason_to_store};
use crate::commands::encrypt::{Encryptor, prepare};
use crate::commands::first_object_gate::FirstObjectGate;
use crate::error::{Error, Result};
use crate::location::{FileOrObject, S3Uri};
use crate::meter::Meter;
use crate::object::{Lock, WriteCondition, instruction_file_key};
use crate::rules::Encrypted;
use crate::s3_limits::MAX_KEY_BYTES;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::source::Input;
use crate::transfer::walk::{self, Found, FoundFile, Sources, WalkOptions};
use crate::transfer::{Cancellation, blocking};

use super::manifest::Manifest;
use super::update::{Candidate, StoredLengths, There, candidates, pairs};
use super::{PutOptions, PutOutcome, PutRun, may_write};

/// An upload of many files.
pub(crate) struct PutMany {
    pub(crate) sources: Sources,
    pub(crate) walk: WalkOptions,
    /// The bucket, or a prefix that ends in `/`.
    pub(crate) target: S3Uri,
    /// Whether to skip files whose object is up to date.
    pub(crate) update: bool,
    /// Whether to store nothing, and only report what would be done.
    pub(crate) dry_run: bool,
    /// Where the manifest of what is stored goes.
    pub(crate) manifest: Option<FileOrObject>,
    /// How the files are stored.
    pub(crate) options: PutOptions,
}

/// The outcome of one file. A failed upload leaves no incomplete object.
pub(crate) type PutRow = Row<Change<Stored>>;

/// A file that was stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) path: PathBuf,
    /// The outcome of storing it.
    pub(crate) outcome: PutOutcome,
}

/// Uploads all the files, and reports each one. Returns whether a manifest was written: it is, if one was asked for and
/// no file failed.
///
/// # Errors
/// `BreaksRule` before anything is sent; errors that would affect every file; errors of `report`; `Interrupted`;
/// `NoneMatch` if there is no file; `NotAsAsked` or `EnvelopeLost` at the first file that the server does not store as
/// requested. Files reported as stored by then are stored.
pub(crate) async fn run(
    connection: &Connection,
    request: PutMany,
    meter: &Meter,
    cancellation: &Cancellation,
    mut report: impl AsyncFnMut(PutRow) -> Result<()>,
) -> Result<bool> {
    let PutMany { sources, walk: walk_options, target, update, dry_run, manifest, mut options } = request;
    let encryption = options.encryption.take();
    let ready = async {
        let encryptor = prepare(encryption).await?;
        let asked = permitted(connection, &encryptor, &options.rules, &target).await?;
        let manifest = match manifest {
            None => None,
            Some(place) => Some(begin(connection, place, &target, &encryptor, &options).await?),
        };
        Ok((encryptor, asked, manifest))
    };
    let (encryptor, asked, manifest) = cancellation.or(ready).await.flatten()?;
    let budget = MemoryBudget::of_uploads(&options.transfer_options, &connection.traffic);
    let storing =
        PutRun { connection, encryptor: &encryptor, options: &options, budget: &budget, meter, cancellation };
    let many = Many {
        gate: storing.gate(&target),
        storing,
        target: &target,
        asked,
        lengths: StoredLengths::new(connection, &encryptor),
        dry_run,
        manifest,
    };
    let work = |candidate| many.candidate(candidate);
    // With an empty list nothing was to be done, and nothing is missing.
    let found = AtomicBool::new(matches!(&sources, Sources::Names { names, .. } if names.is_empty()));
    let rejected = Arc::new(AtomicU64::new(0));
    let mut has_failures = false;
    let (under, given) = (sources.in_words(), walk_options.filter.options());
    let report = async |row: PutRow| {
        has_failures |= matches!(row, Row::Failed { .. });
        let ignored = row.ends_run();
        report(row).await?;
        ignored.map_or(Ok(()), Err)
    };
    if meter.is_shown() {
        let (sources, walk_options, meter) = (sources.clone(), walk_options.clone(), meter.clone());
        // The count ends with the progress display, at the latest.
        drop(tokio::spawn(blocking(move || walk::count(&sources, &walk_options, &meter))));
    }
    let files = walk::walk(sources, walk_options, rejected.clone());
    let files = if update {
        candidates(pairs(files, connection, &target)).left_stream()
    } else {
        files.map_ok(|found| Candidate { found, there: There::NotAsked }).right_stream()
    };
    // What has no content to store is no file: a source of pipes alone is as good as empty.
    let files = files.inspect_ok(|Candidate { found: one, .. }| {
        found.fetch_or(!matches!(one, Found::NoFile { .. }), Ordering::Relaxed);
    });
    Box::pin(for_each_unordered(files, options.transfer_options.objects, cancellation, work, report)).await?;
    if !found.into_inner() {
        let found = rejected.load(Ordering::Relaxed);
        return Err(Error::NoneMatch { found, what: "file", under, filter: given });
    }
    match many.manifest {
        Some(manifest) if !has_failures => manifest.finish(&many.storing).await.map(|()| true),
        _ => Ok(false),
    }
}

/// Begins the manifest, which must meet the rules as all other objects must.
async fn begin(
    connection: &Connection,
    place: FileOrObject,
    target: &S3Uri,
    encryptor: &Encryptor,
    options: &PutOptions,
) -> Result<Manifest> {
    if let FileOrObject::Object(uri) = &place {
        permitted(connection, encryptor, &options.rules, uri).await?;
    }
    let has_files = encryptor.has_instruction_files();
    let (target, now) = (target.clone(), connection.server_now());
    blocking(move || Manifest::begin(place, target, has_files, now)).await?
}

/// What all files of a run share.
struct Many<'a> {
    storing: PutRun<'a>,
    target: &'a S3Uri,
    /// The encryption requested for all of them, to be compared with the rules.
    asked: Encrypted,
    gate: FirstObjectGate,
    lengths: StoredLengths<'a>,
    dry_run: bool,
    manifest: Option<Manifest>,
}

impl Many<'_> {
    async fn candidate(&self, candidate: Candidate) -> Result<PutRow> {
        match candidate.found {
            Found::File(file) => {
                let len = file.len;
                let row = self.file(file, candidate.there).await?;
                if !matches!(&row, Row::Done(done) if matches!(**done, Change::Transferred(_))) {
                    self.storing.meter.pass_over(len);
                }
                Ok(row)
            }
            Found::NoFile { path, what, .. } => {
                Ok(Row::Skipped { name: path.display().to_string(), why: format!("is {what}") })
            }
            Found::Failed { path, error } => Row::of(path.display().to_string(), Err(error)),
        }
    }

    async fn file(&self, file: FoundFile, there: There) -> Result<PutRow> {
        let shown = file.path.display().to_string();
        let target = self.target.with_key(format!("{}{}", self.target.key, file.name));
        if let Some(why) = self.storing.cannot_be(&target.key) {
            return Ok(Row::refused(&file.path, why));
        }
        if let Err(error) = self.storing.options.rules.permit(&target, &self.asked) {
            return Ok(Row::failed(shown, None, error));
        }
        let change = async {
            let reason = match there {
                There::NotAsked => None,
                There::Nothing => Some(Reason::Missing),
                There::Object(listed) => {
                    let stored_len = self.lengths.of(file.len, &target);
                    let stored_len = self.storing.cancellation.or(stored_len).await.flatten()?;
                    match reason_to_store(
                        file.modified,
                        stored_len,
                        &listed,
                        self.storing.connection.clock_ahead(),
                    ) {
                        None => {
                            if let Some(manifest) = &self.manifest {
                                manifest.add_unchanged(&listed, file.len)?;
                            }
                            return Ok(Change::Unchanged);
                        }
                        reason => reason,
                    }
                }
            };
            if self.dry_run {
                self.storing.may_write(&target).await?;
                let (uri, bytes) = (Some(target), Some(file.len));
                let planned = Planned { action: Action::Store, uri, file: Some(file.path), bytes, reason };
                return Ok(Change::Planned(planned));
            }
            let outcome = self.storing.file(&file, target, &self.gate).await?;
            if let Some(manifest) = &self.manifest {
                manifest.add_stored(&outcome)?;
            }
            Ok(Change::Transferred(Stored { path: file.path, outcome }))
        };
        Row::over_network(shown, change.await, self.storing.connection.outage())
    }
}

impl PutRun<'_> {
    /// The gate for what is stored under the target: the first object shows whether S3 does what is asked of it, if anything
    /// is.
    fn gate(&self, target: &S3Uri) -> FirstObjectGate {
        let asks_nothing = matches!(self.encryptor, Encryptor::Server(None))
            && self.options.settings.lock == Lock::default()
            && !self.options.rules.reach(target);
        if asks_nothing { FirstObjectGate::open() } else { FirstObjectGate::default() }
    }

    async fn may_write(&self, target: &S3Uri) -> Result<()> {
        self.cancellation.or(may_write(self.connection, target, &self.options.condition)).await?
    }

    async fn file(&self, file: &FoundFile, target: S3Uri, gate: &FirstObjectGate) -> Result<PutOutcome> {
        self.may_write(&target).await?;
        let first = self.cancellation.or(gate.admit()).await??;
        let _permit = self.cancellation.or(self.budget.acquire_object(file.len)).await??;
        let stored = match self.as_it_is_now(file, target.clone()).await {
            // Its object counts as newer than what was written meanwhile, which a later run would take for unchanged.
            Ok((_, false)) | Err(Error::SourceChanged { .. })
                if self.options.condition == WriteCondition::None =>
            {
                self.as_it_is_now(file, target).await.and_then(|(stored, is_same)| {
                    let why = "something else wrote to it, also while it was stored again".to_owned();
                    is_same
                        .then_some(stored)
                        .ok_or(Error::SourceChanged { subject: (&file.path).into(), why })
                })
            }
            stored => stored.map(|(stored, _)| stored),
        };
        first.end(&stored);
        stored
    }

    /// Stores a file. Returns with the outcome whether its path still leads to the same content.
    async fn as_it_is_now(&self, file: &FoundFile, target: S3Uri) -> Result<(PutOutcome, bool)> {
        let path = file.path.clone();
        let input = blocking(move || Input::open_found(&path)).await??;
        let Some((_, identity)) = input.identity() else {
            return Err(Error::unsupported(
                &file.path,
                "is no longer a regular file, or nobody knows its length",
            ));
        };
        let stored = self.store(input, target, self.options.settings.of_file(&file.name)).await?;
        let path = file.path.clone();
        let is_same = blocking(move || identity.is_content_of(&path)).await?;
        Ok((stored, is_same))
    }

    /// Why no object can be stored under this key; `None` if one can.
    fn cannot_be(&self, key: &str) -> Option<String> {
        if key.len() > MAX_KEY_BYTES {
            return Some(format!("its key would have {} bytes; S3 allows {MAX_KEY_BYTES}", key.len()));
        }
        (self.encryptor.has_instruction_files() && key.ends_with(&instruction_file_key("", None)))
            .then(|| "its key is the one for another file's instruction file".to_owned())
    }
}
