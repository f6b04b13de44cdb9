//! The files below folders, found one by one as they are asked for, so that a tree of any size takes little memory.
//!
//! Links are followed, as `aws s3 cp` does. What is no regular file, what cannot be read and what has no name that a
//! key could take comes out too, with its reason: nothing is passed over in silence. What becomes of a file is the
//! verb's.

use std::ffi::OsStr;
use std::fs::FileType;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc::{self, Sender};
use walkdir::{DirEntry, WalkDir};

use crate::error::{Error, Result, Subject};
use crate::meter::Meter;
use crate::pattern::Filter;
use crate::transfer::blocking;

/// Files found ahead of those under way.
const AHEAD: usize = 64;

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    /// A regular file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its name below its source, with `/` between folders.
        name: String,
    },
    /// Something that has no content to store.
    NoFile {
        /// Where it is.
        path: PathBuf,
        what: &'static str,
    },
    /// Something that cannot be read or named.
    Failed {
        /// Where it is.
        path: PathBuf,
        error: Error,
    },
}

/// Finds the files below `sources` whose names `filter` takes: of a folder by their names below it, of a file by its own.
/// A name that an earlier source has too comes out as a failure. `rejected` counts the files that `filter` does not take.
pub(crate) fn walk(
    sources: Vec<PathBuf>,
    filter: Filter,
    rejected: Arc<AtomicU64>,
) -> impl Stream<Item = Result<Found>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let walking = blocking(move || walk_all(&sources, &filter, &rejected, &sender));
    // It walks while what it finds is awaited; that it ends early must not look like the end of the files.
    let ended = stream::once(walking).filter_map(|ended| future::ready(ended.err().map(Err)));
    let found = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|found| (Ok(found), receiver))
    });
    stream::select(found, ended)
}

/// Counts what [`walk`] finds, ahead of it and in little memory, as long as somebody looks at the meter.
pub(crate) fn count(sources: &[PathBuf], filter: &Filter, meter: &Meter) {
    let rejected = AtomicU64::new(0);
    for (number, source) in sources.iter().enumerate() {
        for entry in WalkDir::new(source).follow_links(true) {
            if !meter.is_shown() {
                return;
            }
            let len =
                entry.as_ref().ok().and_then(|entry| entry.metadata().ok()).map_or(0, |found| found.len());
            let found = match entry {
                Ok(entry) => found(entry, source, &sources[..number], filter, &rejected),
                Err(error) => failed(&error, source, filter),
            };
            match found {
                None => {}
                Some(Found::File { .. }) => meter.find(len),
                Some(Found::NoFile { .. } | Found::Failed { .. }) => meter.find(0),
            }
        }
    }
    meter.found_all();
}

fn walk_all(sources: &[PathBuf], filter: &Filter, rejected: &AtomicU64, sender: &Sender<Found>) {
    for (number, source) in sources.iter().enumerate() {
        for entry in WalkDir::new(source).follow_links(true) {
            let found = match entry {
                Ok(entry) => found(entry, source, &sources[..number], filter, rejected),
                Err(error) => failed(&error, source, filter),
            };
            // Nobody listens any more once the run has ended.
            if found.is_some_and(|found| sender.blocking_send(found).is_err()) {
                return;
            }
        }
    }
}

fn found(
    entry: DirEntry,
    source: &Path,
    earlier: &[PathBuf],
    filter: &Filter,
    rejected: &AtomicU64,
) -> Option<Found> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return None;
    }
    let path = entry.into_path();
    let below = below(&path, source);
    if !filter.takes(&below.to_string_lossy()) {
        rejected.fetch_add(1, Ordering::Relaxed);
        return None;
    }
    if !kind.is_file() {
        return Some(Found::NoFile { path, what: in_words(kind) });
    }
    let refused = match below.to_str() {
        None => "its name is not UTF-8, as a key must be".to_owned(),
        Some(name) => match earlier.iter().find(|earlier| gives(earlier, name)) {
            None => return Some(Found::File { name: name.to_owned(), path }),
            Some(earlier) => {
                format!("two files map to the key {name}: {} and {}", earlier.display(), path.display())
            }
        },
    };
    let error = Error::unsupported(&path, refused);
    Some(Found::Failed { path, error })
}

/// The name that a file has below its source; a source that is a file has its own.
fn below<'a>(path: &'a Path, source: &'a Path) -> &'a OsStr {
    match path.strip_prefix(source) {
        Ok(below) if !below.as_os_str().is_empty() => below.as_os_str(),
        _ => path.file_name().unwrap_or(path.as_os_str()),
    }
}

/// Whether a source gives a file of this name.
fn gives(source: &Path, name: &str) -> bool {
    if source.is_dir() { source.join(name).is_file() } else { source.file_name() == Some(OsStr::new(name)) }
}

fn failed(error: &walkdir::Error, source: &Path, filter: &Filter) -> Option<Found> {
    let path = error.path().unwrap_or(source).to_owned();
    let is_link = path.is_symlink();
    // A folder that cannot be read may hold what is wanted; a link by itself is wanted or not.
    if is_link && !filter.takes(&below(&path, source).to_string_lossy()) {
        return None;
    }
    let subject = Subject::from(&path);
    let error = match (error.loop_ancestor(), error.io_error()) {
        (Some(above), _) => {
            Error::unsupported(subject, format!("is a symbolic link that leads back to {}", above.display()))
        }
        (None, Some(error)) if is_link && error.kind() == std::io::ErrorKind::NotFound => {
            Error::unsupported(subject, "is a dangling symbolic link")
        }
        (None, error) => {
            let kind = error.map_or(std::io::ErrorKind::Other, std::io::Error::kind);
            Error::local("read", subject)(kind.into())
        }
    };
    Some(Found::Failed { path, error })
}

fn in_words(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "not a regular file"
    }
}
