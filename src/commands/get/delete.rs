//! `get --delete`: deletes files in the directory that no longer have an object under the prefix.
//!
//! Symbolic links are not followed, so nothing outside the directory is deleted. Links, named pipes and the temporary
//! files of other runs are kept.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;

use crate::aws::Connection;
use crate::aws::listing::ListedKey;
use crate::commands::bulk::Row;
use crate::commands::changes::{Action, Change, Deleted, Planned};
use crate::commands::deletions::Deletions;
use crate::commands::merge::{Pair, merge};
use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;
use crate::transfer::resume::FileIdentity;
use crate::transfer::walk::{Found, Sources, WalkOptions, walk};
use crate::transfer::{Cancellation, blocking};

/// A file that is to go, as it was when it was found.
pub(crate) type Extra = (PathBuf, FileIdentity);

/// Finds the files that have no object.
///
/// # Errors
/// Errors of the listing; `Unsupported` if it is out of order; `NotFound` if it is empty.
pub(crate) async fn plan(
    connection: &Connection,
    source: &S3Uri,
    folder: &Path,
    cancellation: &Cancellation,
) -> Result<Deletions<Extra>> {
    let mut deletions = Deletions::default();
    if !folder.exists() {
        return Ok(deletions);
    }
    let options = WalkOptions { stays_inside: true, ..WalkOptions::default() };
    let found = walk(Sources::Trees(vec![folder.to_owned()]), options, Arc::default());
    let named = found.map_ok(|found| {
        let name = match &found {
            Found::File(file) => Some(file.name.clone()),
            Found::NoFile { .. } | Found::Failed { .. } => None,
        };
        (name, found)
    });
    let listed = connection.list(source).try_filter_map(|listed| async move {
        Ok(match &listed.key {
            ListedKey::Text(key) => Some((source.relative(key).to_owned(), ())),
            ListedKey::NotText(_) => None,
        })
    });
    let mut pairs = pin!(merge(named, listed, Subject::prefix(source)));
    let mut is_empty = true;
    while let Some(pair) = cancellation.or(pairs.try_next()).await?? {
        match pair {
            Pair::First(Found::File(file)) => {
                deletions.all += 1;
                let (path, found) = {
                    let path = file.path.clone();
                    (file.path, blocking(move || fs::symlink_metadata(path)).await?)
                };
                deletions.extra.extend(found.ok().map(|found| (path, (&found).into())));
            }
            Pair::Both(..) => {
                is_empty = false;
                deletions.all += 1;
            }
            Pair::Second(()) => is_empty = false,
            Pair::First(_) => {}
        }
    }
    // A mistyped address must not empty the directory.
    if is_empty {
        return Err(Error::NotFound { subject: Subject::prefix(source), source: None });
    }
    Ok(deletions)
}

/// Deletes files and reports each one; with `dry_run` only reports them. What was written after it was found stays.
///
/// # Errors
/// Errors of `report`; `Interrupted`.
pub(crate) async fn delete(
    files: Vec<Extra>,
    dry_run: bool,
    cancellation: &Cancellation,
    mut report: impl AsyncFnMut(Row<Change<Infallible>>) -> Result<()>,
) -> Result<()> {
    for (file, found) in files {
        let name = file.display().to_string();
        if dry_run {
            let (file, reason) = (Some(file), None);
            let planned = Planned { action: Action::Delete, uri: None, file, bytes: None, reason };
            report(Row::Done(Box::new(Change::Planned(planned)))).await?;
            continue;
        }
        let removed = {
            let file = file.clone();
            cancellation.or(blocking(move || remove(&file, &found))).await??
        };
        report(match removed.map_err(Error::local("delete", &file)) {
            Ok(false) => Row::Skipped { name, why: "something else wrote to it meanwhile".to_owned() },
            removed => Row::of(name, removed.map(|_| Change::Deleted(Deleted::File(file))))?,
        })
        .await?;
    }
    Ok(())
}

/// Removes a file that is as it was found. Returns whether it was.
fn remove(file: &Path, found: &FileIdentity) -> io::Result<bool> {
    let is_same = FileIdentity::from(&fs::symlink_metadata(file)?) == *found;
    if is_same {
        fs::remove_file(file)?;
    }
    Ok(is_same)
}
