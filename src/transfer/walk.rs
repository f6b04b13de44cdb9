//! Walks directories lazily, and yields their files in the order in which S3 lists their keys.
//!
//! Symbolic links are followed, as `aws s3 cp` does, unless [`WalkOptions::stays_inside`] is set. Anything that is not
//! a regular file, is a temporary file of a download, cannot be read, or has a name that no key can have is yielded too,
//! with the reason: nothing is skipped silently. The verb decides what to do with each.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU64};
use std::time::SystemTime;

use futures_util::future;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc::{self, Sender};
use walkdir::{DirEntry, WalkDir};

use crate::error::{Error, Result, Subject};
use crate::meter::Meter;
use crate::pattern::Filter;
use crate::transfer::blocking;
use crate::transfer::temporary_file::{has_temporary_name, is_own_file};

/// Files found ahead of those under way.
const AHEAD: usize = 64;

/// Where files are looked for.
#[derive(Clone, Debug)]
pub(crate) enum Sources {
    /// Files, and folders with everything in them.
    Trees(Vec<PathBuf>),
    /// These names in a folder, sorted.
    Names { folder: PathBuf, names: Vec<String> },
}

impl Sources {
    /// The sources as the user named them.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Trees(paths) => {
                paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
            }
            Self::Names { folder, .. } => folder.display().to_string(),
        }
    }
}

/// How files are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct WalkOptions {
    /// Which names in the folders.
    pub(crate) filter: Filter,
    /// Whether a link to nothing is passed over, instead of being a failure.
    pub(crate) skip_broken_links: bool,
    /// Whether links are not followed, but no files either.
    pub(crate) stays_inside: bool,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    /// A regular file.
    File(FoundFile),
    /// Something that has no content to store.
    NoFile {
        /// Where it is.
        path: PathBuf,
        /// Its name below its source, if it is one that a key could have.
        name: Option<String>,
        what: &'static str,
    },
    /// Something that cannot be read or named.
    Failed {
        /// Where it is.
        path: PathBuf,
        error: Error,
    },
}

/// A regular file.
#[derive(Debug)]
pub(crate) struct FoundFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its name below its source, with `/` between folders.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) len: u64,
    /// When it was last written, where the system says so.
    pub(crate) modified: Option<SystemTime>,
}

/// Finds files by their names below their sources, in the order of the keys that have these names: of the bytes of UTF-8.
/// A name that an earlier source has too comes out as a failure. `rejected` counts the files that the filter does not
/// take.
pub(crate) fn walk(
    sources: Sources,
    options: WalkOptions,
    rejected: Arc<AtomicU64>,
) -> impl Stream<Item = Result<Found>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let walking = blocking(move || match &sources {
        Sources::Trees(trees) => walk_all(trees, &options, &rejected, &sender),
        // Nobody listens any more once the run has ended.
        Sources::Names { folder, names } => {
            let mut found = names.iter().map(|name| look_up(folder, name, &options));
            found.all(|found| sender.blocking_send(found).is_ok());
        }
    });
    // It walks while what it finds is awaited; that it ends early must not look like the end of the files.
    let ended = stream::once(walking).filter_map(|ended| future::ready(ended.err().map(Err)));
    let found = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|found| (Ok(found), receiver))
    });
    stream::select(found, ended)
}

/// Counts what [`walk`] finds, ahead of it and in little memory, as long as somebody looks at the meter.
pub(crate) fn count(sources: &Sources, options: &WalkOptions, meter: &Meter) {
    let count = |found: Option<&Found>| match found {
        None => {}
        Some(Found::File(file)) => meter.find(file.len),
        Some(Found::NoFile { .. } | Found::Failed { .. }) => meter.find(0),
    };
    match sources {
        Sources::Names { folder, names } => {
            for name in names {
                if !meter.is_shown() {
                    return;
                }
                count(Some(&look_up(folder, name, options)));
            }
        }
        Sources::Trees(trees) => {
            let rejected = AtomicU64::new(0);
            for (number, source) in trees.iter().enumerate() {
                for entry in WalkDir::new(source).follow_links(!options.stays_inside) {
                    if !meter.is_shown() {
                        return;
                    }
                    let found = match entry {
                        Ok(entry) => found(entry, source, &trees[..number], options, &rejected),
                        Err(error) => failed(&error, source, options),
                    };
                    count(found.as_ref().map(|(_, found)| found));
                }
            }
        }
    }
    meter.found_all();
}

/// Something found, with the name by which it has its place among the others.
type Placed = (OsString, Found);

/// Walks all the trees at once, so that the names come in order also where trees overlap.
fn walk_all(trees: &[PathBuf], options: &WalkOptions, rejected: &AtomicU64, sender: &Sender<Found>) {
    let mut walks: Vec<_> = trees
        .iter()
        .enumerate()
        .map(|(number, source)| {
            let entries =
                WalkDir::new(source).follow_links(!options.stays_inside).sort_by(in_key_order).into_iter();
            let found = entries.filter_map(move |entry| match entry {
                Ok(entry) => found(entry, source, &trees[..number], options, rejected),
                Err(error) => failed(&error, source, options),
            });
            found.peekable()
        })
        .collect();
    loop {
        let mut first: Option<(usize, OsString)> = None;
        for (number, walk) in walks.iter_mut().enumerate() {
            if let Some((name, _)) = walk.peek()
                && first.as_ref().is_none_or(|(_, least)| name < least)
            {
                first = Some((number, name.clone()));
            }
        }
        let Some((_, found)) = first.and_then(|(number, _)| walks[number].next()) else { return };
        // Nobody listens any more once the run has ended.
        if sender.blocking_send(found).is_err() {
            return;
        }
    }
}

/// Compares the entries of a folder as S3 orders keys: a folder's go on with a slash.
fn in_key_order(one: &DirEntry, other: &DirEntry) -> Ordering {
    let (a, b) = (one.file_name().as_encoded_bytes(), other.file_name().as_encoded_bytes());
    let common = a.len().min(b.len());
    let next = |name: &[u8], entry: &DirEntry| match name.get(common) {
        Some(byte) => Some(*byte),
        // A link's own type is not that of what it leads to.
        None => (entry.file_type().is_dir() || entry.path().is_dir()).then_some(b'/'),
    };
    a[..common].cmp(&b[..common]).then_with(|| next(a, one).cmp(&next(b, other)))
}

fn found(
    entry: DirEntry,
    source: &Path,
    earlier: &[PathBuf],
    options: &WalkOptions,
    rejected: &AtomicU64,
) -> Option<Placed> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return None;
    }
    let metadata = entry.metadata();
    let is_inside = entry.depth() > 0;
    let path = entry.into_path();
    let below = below(&path, source).to_owned();
    if !options.filter.takes(&below.to_string_lossy()) {
        rejected.fetch_add(1, atomic::Ordering::Relaxed);
        return None;
    }
    let name = below.to_str().map(str::to_owned);
    // Whoever names a file itself wants it.
    // What would be deleted otherwise is spared by its name alone: right before it is put in place it has another mode.
    let is_private = || options.stays_inside || metadata.as_ref().is_ok_and(is_own_file);
    let is_ours = is_inside && has_temporary_name(&path) && is_private();
    if !kind.is_file() || is_ours {
        let what = if is_ours { "a temporary file of s3seal" } else { in_words(kind) };
        return Some((below, Found::NoFile { path, name, what }));
    }
    let refused = match name {
        None => "its name is not UTF-8, as a key must be".to_owned(),
        Some(name) => match earlier.iter().find(|earlier| gives(earlier, &name)) {
            None => return Some((below, of_metadata(path, name, metadata.map_err(Into::into)))),
            Some(earlier) => {
                let first = if earlier.is_dir() { earlier.join(&name) } else { earlier.clone() };
                format!("two files map to the key {name}: {} and {}", first.display(), path.display())
            }
        },
    };
    let error = Error::unsupported(&path, refused);
    Some((below, Found::Failed { path, error }))
}

fn of_metadata(path: PathBuf, name: String, metadata: io::Result<Metadata>) -> Found {
    match metadata {
        Ok(metadata) => {
            Found::File(FoundFile { path, name, len: metadata.len(), modified: metadata.modified().ok() })
        }
        Err(error) => Found::Failed { error: Error::local("read", &path)(error), path },
    }
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

fn failed(error: &walkdir::Error, source: &Path, options: &WalkOptions) -> Option<Placed> {
    let path = error.path().unwrap_or(source).to_owned();
    let is_link = path.is_symlink();
    let below = below(&path, source).to_owned();
    // A folder that cannot be read may hold what is wanted; a link by itself is wanted or not.
    if is_link && !options.filter.takes(&below.to_string_lossy()) {
        return None;
    }
    let subject = Subject::from(&path);
    let error = match (error.loop_ancestor(), error.io_error()) {
        (Some(above), _) => {
            Error::unsupported(subject, format!("is a symbolic link that leads back to {}", above.display()))
        }
        (None, Some(error)) if is_link && error.kind() == io::ErrorKind::NotFound => {
            return Some((below.clone(), broken_link(path, below.to_str(), options)));
        }
        (None, error) => {
            let of_kind = |error: &io::Error| error.kind().into();
            let same = |error: &io::Error| {
                error.raw_os_error().map_or_else(|| of_kind(error), io::Error::from_raw_os_error)
            };
            Error::local("read", subject)(error.map_or_else(|| io::ErrorKind::Other.into(), same))
        }
    };
    Some((below, Found::Failed { path, error }))
}

fn broken_link(path: PathBuf, name: Option<&str>, options: &WalkOptions) -> Found {
    const WHAT: &str = "a dangling symbolic link";
    if options.skip_broken_links {
        return Found::NoFile { path, name: name.map(str::to_owned), what: WHAT };
    }
    Found::Failed { error: Error::unsupported(&path, format!("is {WHAT}")), path }
}

/// Looks up a name in a folder.
fn look_up(folder: &Path, name: &str, options: &WalkOptions) -> Found {
    let path = folder.join(name);
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => of_metadata(path, name.to_owned(), Ok(metadata)),
        // Who names it wants what is in it, and would take it for stored.
        Ok(metadata) if metadata.is_dir() => {
            Found::Failed { error: Error::unsupported(&path, "is a directory, not a file"), path }
        }
        Ok(metadata) => {
            Found::NoFile { path, name: Some(name.to_owned()), what: in_words(metadata.file_type()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            broken_link(path, Some(name), options)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Found::Failed { error: Error::NotFound { subject: (&path).into(), source: None }, path }
        }
        Err(error) => Found::Failed { error: Error::local("read", &path)(error), path },
    }
}

fn in_words(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() || kind.is_block_device() {
        "a device"
    } else {
        "not a regular file"
    }
}
