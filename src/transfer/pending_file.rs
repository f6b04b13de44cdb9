//! A file that appears only when it is complete: until then its bytes are in a temporary file in the target's directory,
//! which only its owner can read, and which becomes the target with a rename.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tempfile::TempPath;

use crate::error::{Error, Result};
use crate::location::folder_of;
use crate::transfer::fetched_from;
use crate::transfer::placed_files::PlacedFiles;
use crate::transfer::resume::LeftFile;

/// The written bytes, before they become the target. Dropping it removes them.
pub(crate) enum PendingFile {
    /// A stream keeps what it was given.
    Stream,
    /// A temporary file.
    File(Box<TemporaryFile>),
}

/// A temporary file in its target's directory.
pub(crate) struct TemporaryFile {
    pub(super) file: File,
    pub(super) temp: TempPath,
    /// The target.
    pub(super) path: PathBuf,
    /// The target's permissions.
    pub(super) permissions: Permissions,
    /// Whether a target that appears in the meantime must stay.
    pub(super) no_clobber: bool,
    /// The files of other objects of the run, none of which it may replace.
    pub(super) placed: Arc<PlacedFiles>,
}

impl PendingFile {
    /// Whether what is written stays hidden until [`PendingFile::commit`].
    pub(crate) fn hides(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Sets when the file was last written. A file system that cannot keep the time is no reason to fail.
    pub(crate) fn set_modified(&self, time: SystemTime) {
        if let Self::File(hidden) = self {
            let _ = hidden.file.set_modified(time);
        }
    }

    /// Notes which object the bytes are of, once all are written and [`PendingFile::set_modified`] has been called.
    pub(crate) fn note_etag(&self, etag: &str) {
        if let Self::File(hidden) = self {
            fetched_from::note(&hidden.file, etag);
        }
    }

    /// Where the bytes are until then, and in which file.
    pub(crate) fn left_file(&self) -> Option<LeftFile> {
        let Self::File(hidden) = self else { return None };
        let metadata = hidden.file.metadata().ok()?;
        let path = std::path::absolute(&hidden.temp).ok()?;
        Some(LeftFile { path, device: metadata.dev(), inode: metadata.ino() })
    }

    /// Leaves the bytes where they are, for another run.
    pub(crate) fn leave(self) {
        if let Self::File(hidden) = self {
            // If it could not be kept it is gone, and the next run starts anew.
            let _ = hidden.temp.keep();
        }
    }

    /// Returns a handle to sync the bytes before the commit: only the sync may take long.
    ///
    /// # Errors
    /// `Local` for what the system refuses.
    pub(crate) fn to_sync(&self) -> Result<Option<File>> {
        match self {
            Self::Stream => Ok(None),
            Self::File(hidden) => {
                hidden.file.try_clone().map(Some).map_err(Error::local("write", &hidden.path))
            }
        }
    }

    /// Syncs the bytes and makes them the target: all steps in one, for small files.
    ///
    /// # Errors
    /// As [`PendingFile::commit`].
    pub(crate) fn keep(self) -> Result<()> {
        if let Self::File(hidden) = &self {
            hidden.file.sync_all().map_err(Error::local("write", &hidden.path))?;
        }
        if let Some(folder) = self.commit()? {
            sync_directory(&folder);
        }
        Ok(())
    }

    /// Makes the synced bytes the target with a rename. Returns the directory that must be synced with [`sync_directory`].
    ///
    /// # Errors
    /// `TargetExists` for a file that has appeared meanwhile and must stay, `Unsupported` for one that another object of the
    /// run has filled, `Local` for what the system refuses.
    pub(crate) fn commit(self) -> Result<Option<PathBuf>> {
        let Self::File(hidden) = self else { return Ok(None) };
        let TemporaryFile { file, temp, path, permissions, no_clobber, placed } = *hidden;
        // Only read, write and execute: set-user-id was granted to other bytes.
        let permissions = Permissions::from_mode(permissions.mode() & 0o777);
        file.set_permissions(permissions).map_err(Error::local("write", &path))?;
        placed.place(&file, &path, || {
            let renamed = if no_clobber { temp.persist_noclobber(&path) } else { temp.persist(&path) };
            renamed.map_err(|refused| match refused.error.kind() {
                io::ErrorKind::AlreadyExists => Error::TargetExists { subject: (&path).into() },
                _ => Error::local("write", &path)(refused.error),
            })
        })?;
        Ok(Some(folder_of(&path).to_owned()))
    }
}

/// Syncs a directory's new entries, so that a rename survives a power cut. A directory that cannot be opened is not an
/// error.
pub(crate) fn sync_directory(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
