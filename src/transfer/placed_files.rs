//! The files into which a run has put objects: where a file system does not tell two names apart, as one that ignores case,
//! the second object must not replace the first.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// Which files they are, by device and inode.
#[derive(Debug, Default)]
pub(crate) struct PlacedFiles(Mutex<HashSet<(u64, u64)>>);

impl PlacedFiles {
    /// Gives `file` its `path` with `rename`, one at a time.
    ///
    /// # Errors
    /// `Unsupported` if the path leads to a file of the run already; those of `rename`.
    pub(crate) fn place(&self, file: &File, path: &Path, rename: impl FnOnce() -> Result<()>) -> Result<()> {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let mut placed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fs::symlink_metadata(path).is_ok_and(|there| placed.contains(&identity(there))) {
            let why =
                "is the file of another object already: this file system does not tell their names apart";
            return Err(Error::unsupported(path, why));
        }
        rename()?;
        placed.extend(file.metadata().ok().map(identity));
        Ok(())
    }
}
