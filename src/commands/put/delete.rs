//! `put --delete`: deletes objects under the target that no longer have a file in the directory.
//!
//! They are found in a separate pass before anything is stored, so that their number can be checked and confirmed.

use std::convert::Infallible;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use futures_util::{TryStreamExt, stream};

use crate::aws::Connection;
use crate::aws::read_object::ObjectReader;
use crate::commands::bulk::{Row, for_each_unordered};
use crate::commands::changes::{Action, Change, Deleted, Planned};
use crate::commands::deletions::Deletions;
use crate::commands::listing_in_memory::ListingInMemory;
use crate::commands::merge::Pair;
use crate::error::{Error, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::instruction_file_key;
use crate::seal::detect::is_instruction_file;
use crate::transfer::walk::{Found, Sources, WalkOptions, walk};
use crate::transfer::{Cancellation, blocking};

use super::update::pairs;

/// An object that has no file, as it was listed.
#[derive(Debug)]
pub(crate) struct ExtraObject {
    /// Its key without that of the target.
    name: String,
    etag: Option<String>,
}

/// Finds the objects that have no file.
///
/// # Errors
/// Errors of the listing; `Unsupported` if it is out of order; `TooLarge` for more such objects than are kept in memory.
pub(crate) async fn plan(
    connection: &Connection,
    folder: &Path,
    options: WalkOptions,
    target: &S3Uri,
    cancellation: &Cancellation,
) -> Result<Deletions<ExtraObject>> {
    let found = walk(Sources::Trees(vec![folder.to_owned()]), options, Arc::default());
    let mut pairs = pin!(pairs(found, connection, target));
    let (mut deletions, mut kept) = (Deletions::default(), ListingInMemory::default());
    while let Some(pair) = cancellation.or(pairs.try_next()).await?? {
        match pair {
            Pair::First(Found::Failed { .. }) => deletions.unread += 1,
            Pair::First(_) => {}
            Pair::Both(..) => deletions.all += 1,
            Pair::Second(listed) => {
                deletions.all += 1;
                let name = target.relative(listed.key.as_str()).to_owned();
                let (folder, tried) = (folder.to_owned(), name.clone());
                let need = blocking(move || need(&folder, &tried)).await?;
                let is_needed = match need {
                    Need::IfInstructionFile if listed.len <= MAX_INSTRUCTION_FILE_BYTES => {
                        let uri = target.with_key(listed.key.as_str());
                        cancellation.or(is_of_another_reader(connection, &uri)).await?
                    }
                    need => need == Need::Sure,
                };
                if !is_needed {
                    kept.keep::<ExtraObject>(target, &[&name, listed.etag.as_deref().unwrap_or_default()])?;
                    deletions.extra.push(ExtraObject { name, etag: listed.etag });
                }
            }
        }
    }
    Ok(deletions)
}

/// Whether an object without a file is still needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// As the folder object of a directory, or possibly as the instruction file of another object.
    Sure,
    /// If it is an instruction file: its name is that of another object with a suffix of its own.
    IfInstructionFile,
    None,
}

fn need(folder: &Path, name: &str) -> Need {
    if name.is_empty() || name.ends_with('/') {
        return if folder.join(name).is_dir() { Need::Sure } else { Need::None };
    }
    let has_file = |object: &str| !object.is_empty() && folder.join(object).is_file();
    if name.strip_suffix(&instruction_file_key("", None)).is_some_and(has_file) {
        return Need::Sure;
    }
    // A suffix may have dots of its own.
    if name.match_indices('.').any(|(dot, _)| has_file(&name[..dot])) {
        return Need::IfInstructionFile;
    }
    Need::None
}

/// Whether what an object of this name would be stored from is there: a directory for a folder object, and else anything
/// but a directory, also by a link.
fn has_appeared(folder: &Path, name: &str) -> bool {
    fs::metadata(folder.join(name)).is_ok_and(|there| there.is_dir() == name.ends_with('/'))
}

/// Whether an object is an instruction file that was made for another reader: its content says so, since its name may end
/// in anything.
async fn is_of_another_reader(connection: &Connection, uri: &S3Uri) -> bool {
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    match reader.whole(MAX_INSTRUCTION_FILE_BYTES).await {
        Ok(file) => file.is_some_and(|file| is_instruction_file(&file)),
        // No instruction file is that long, or in SSE-C.
        Err(Error::TooLarge { .. } | Error::KeyNeeded { .. }) => false,
        // What cannot be read may be one.
        Err(_) => true,
    }
}

/// Deletes objects and reports each one; with `dry_run` only reports them. An object whose file has appeared meanwhile
/// is kept, and one that is no longer the one that was listed: the upload in between may take hours.
///
/// # Errors
/// Errors that would affect every object; errors of `report`; `Interrupted`.
#[expect(clippy::too_many_arguments, reason = "each is of another kind")]
pub(crate) async fn delete(
    connection: &Connection,
    folder: PathBuf,
    target: &S3Uri,
    extra: Vec<ExtraObject>,
    dry_run: bool,
    jobs: NonZeroUsize,
    cancellation: &Cancellation,
    report: impl AsyncFnMut(Row<Change<Infallible>>) -> Result<()>,
) -> Result<()> {
    let folder = &folder;
    let work = |ExtraObject { name, etag }| async move {
        let uri = target.with_key(format!("{}{name}", target.key));
        let folder = folder.clone();
        let skipped = |why: &str| Ok(Row::Skipped { name: uri.to_string(), why: why.to_owned() });
        if blocking(move || has_appeared(&folder, &name)).await? {
            return skipped("its file has appeared meanwhile");
        }
        let Some(etag) = etag else {
            return skipped("its listing has no ETag, which would show whether it has changed");
        };
        if dry_run {
            let (uri, reason) = (Some(uri), None);
            let planned = Planned { action: Action::Delete, uri, file: None, bytes: None, reason };
            return Ok(Row::Done(Box::new(Change::Planned(planned))));
        }
        match cancellation.or(connection.remove_if(&uri, &etag, None)).await? {
            Err(Error::Changed { .. }) => skipped("it was written meanwhile"),
            deleted => {
                let (name, deleted) =
                    (uri.to_string(), deleted.map(|()| Change::Deleted(Deleted::Object(uri))));
                Row::over_network(name, deleted, connection.outage())
            }
        }
    };
    let extra = stream::iter(extra.into_iter().map(Ok));
    for_each_unordered(extra, jobs, cancellation, work, report).await
}
