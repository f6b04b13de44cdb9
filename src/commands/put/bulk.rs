//! `put` of many files.
//!
//! Encryption is prepared once; each object still has a data key of its own. All of them share one memory
//! budget.

use std::path::PathBuf;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::aws::Connection;
use crate::commands::asked_encryption::asked;
use crate::commands::bulk::{Row, for_each_unordered};
use crate::commands::encrypt::{Encryptor, prepare};
use crate::commands::first_object_gate::FirstObjectGate;
use crate::error::{Error, Result};
use crate::location::{S3Uri, Source};
use crate::meter::Meter;
use crate::object::{Lock, instruction_file_key};
use crate::pattern::Filter;
use crate::rules::Encrypted;
use crate::s3_limits::MAX_KEY_BYTES;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::source::Input;
use crate::transfer::walk::{self, Found};
use crate::transfer::{Cancellation, blocking};

use super::{PutOptions, PutOutcome, PutRun, may_write};

/// An upload of many files.
pub(crate) struct PutMany {
    /// Files, and directories with everything in them.
    pub(crate) sources: Vec<PathBuf>,
    /// Which names in the directories.
    pub(crate) filter: Filter,
    /// The bucket, or a prefix that ends in `/`.
    pub(crate) target: S3Uri,
    /// How they are stored.
    pub(crate) options: PutOptions,
}

/// The outcome of one file; no part of an object stays.
pub(crate) type PutRow = Row<Stored>;

/// A file that is stored.
pub(crate) struct Stored {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it came to.
    pub(crate) outcome: PutOutcome,
}

/// Uploads all the files, and reports each one.
///
/// # Errors
/// `BreaksRule` before anything is sent, what would fail every file alike, `report`'s, or `Interrupted`; `NoneMatch` if there is no file; `NotAsAsked` at the first
/// file that is stored otherwise than asked. What was reported until then is stored.
pub(crate) async fn run(
    connection: &Connection,
    request: PutMany,
    meter: &Meter,
    cancellation: &Cancellation,
    mut report: impl FnMut(PutRow) -> Result<()>,
) -> Result<()> {
    let PutMany { sources, filter, target, mut options } = request;
    let encryption = options.encryption.take();
    let ready = async {
        let encryptor = prepare(encryption).await?;
        let asked = asked(connection, &encryptor, &options.rules, slice::from_ref(&target)).await?;
        options.rules.permit(&target, &asked)?;
        Ok((encryptor, asked))
    };
    let (encryptor, asked) = cancellation.or(ready).await.flatten()?;
    let budget = MemoryBudget::new(&options.transfer_options);
    let storing =
        PutRun { connection, encryptor: &encryptor, options: &options, budget: &budget, meter, cancellation };
    let asks_nothing = matches!(encryptor, Encryptor::Server(None))
        && options.settings.lock == Lock::default()
        && !options.rules.reach(&target);
    let gate = if asks_nothing { FirstObjectGate::open() } else { FirstObjectGate::default() };
    let (storing, target, asked, gate) = (&storing, &target, &asked, &gate);
    let work = |found| async move {
        match found {
            Found::File { path, name } => {
                let row = storing.file(path.clone(), &name, target, asked, gate).await?;
                if meter.is_shown() && !matches!(row, Row::Done(_)) {
                    meter.pass_over(tokio::fs::metadata(path).await.map_or(0, |found| found.len()));
                }
                Ok(row)
            }
            Found::NoFile { path, what } => {
                Ok(Row::Skipped { name: path.display().to_string(), why: format!("is {what}") })
            }
            Found::Failed { path, error } => Row::of(path.display().to_string(), Err(error)),
        }
    };
    let (mut found, rejected) = (false, Arc::new(AtomicU64::new(0)));
    let under = sources.iter().map(|source| source.display().to_string()).collect::<Vec<_>>().join(", ");
    let given = filter.options();
    let report = |row: PutRow| {
        found = true;
        let ignored = row.ends_run();
        report(row)?;
        ignored.map_or(Ok(()), Err)
    };
    if meter.is_shown() {
        let (sources, filter, meter) = (sources.clone(), filter.clone(), meter.clone());
        // It ends with the display, at the latest.
        drop(tokio::spawn(blocking(move || walk::count(&sources, &filter, &meter))));
    }
    let files = walk::walk(sources, filter, rejected.clone());
    Box::pin(for_each_unordered(files, options.transfer_options.objects, cancellation, work, report)).await?;
    if !found {
        let found = rejected.load(Ordering::Relaxed);
        return Err(Error::NoneMatch { found, what: "file", under, filter: given });
    }
    Ok(())
}

impl PutRun<'_> {
    async fn file(
        &self,
        path: PathBuf,
        name: &str,
        below: &S3Uri,
        asked: &Encrypted,
        gate: &FirstObjectGate,
    ) -> Result<PutRow> {
        let shown = path.display().to_string();
        let target = below.with_key(format!("{}{name}", below.key));
        if let Some(why) = self.cannot_be(&target.key) {
            return Ok(Row::refused(&path, why));
        }
        if let Err(error) = self.options.rules.permit(&target, asked) {
            return Ok(Row::failed(shown, None, error));
        }
        let source = Source::File(path.clone());
        let stored = async {
            let input = blocking(move || Input::open(&source)).await??;
            let Some(len) = input.len() else {
                let why = "is no longer a regular file".to_owned();
                return Err(Error::unsupported(&path, why));
            };
            self.cancellation.or(may_write(self.connection, &target, &self.options.condition)).await??;
            let first = self.cancellation.or(gate.admit()).await??;
            let _turn = self.cancellation.or(self.budget.turn(len)).await??;
            let stored = self.store(input, target, self.options.settings.of_file(name)).await;
            first.end(&stored);
            stored
        };
        let outcome = stored.await;
        Row::of(shown, outcome.map(|outcome| Stored { path, outcome }))
    }

    /// Why no object can have this key.
    fn cannot_be(&self, key: &str) -> Option<String> {
        if key.len() > MAX_KEY_BYTES {
            return Some(format!("its key would have {} bytes; S3 allows {MAX_KEY_BYTES}", key.len()));
        }
        let beside = matches!(self.encryptor, Encryptor::Client(client) if client.instruction_file);
        (beside && key.ends_with(&instruction_file_key("", None)))
            .then(|| "its key is the one for another file's instruction file".to_owned())
    }
}
