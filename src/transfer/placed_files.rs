//! The files into which a run has put objects: where a file system does not tell two names apart, as one that ignores case,
//! the second object must not replace the first.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// Which files they are: a device and 64 inodes, of which each bit is one. Files that are made one after another mostly have
/// inodes close by, so that a million of them take a few MiB at most.
#[derive(Debug, Default)]
pub(crate) struct PlacedFiles(Mutex<BTreeMap<(u64, u64), u64>>);

impl PlacedFiles {
    /// Gives `file` its `path` with `rename`, one at a time.
    ///
    /// # Errors
    /// `Unsupported` if the path leads to a file of the run already; those of `rename`.
    pub(crate) fn place(&self, file: &File, path: &Path, rename: impl FnOnce() -> Result<()>) -> Result<()> {
        let identity = |file: &Metadata| ((file.dev(), file.ino() / 64), 1_u64 << (file.ino() % 64));
        let mut placed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_placed = |there: &Metadata| {
            let (inodes, bit) = identity(there);
            placed.get(&inodes).is_some_and(|bits| bits & bit != 0)
        };
        if fs::symlink_metadata(path).is_ok_and(|there| is_placed(&there)) {
            let why =
                "is the file of another object already: this file system does not tell their names apart";
            return Err(Error::unsupported(path, why));
        }
        rename()?;
        if let Ok(file) = file.metadata() {
            let (inodes, bit) = identity(&file);
            *placed.entry(inodes).or_default() |= bit;
        }
        Ok(())
    }
}
