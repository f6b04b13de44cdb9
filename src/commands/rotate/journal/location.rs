//! Where a journal is, and opening it there.

use std::path::PathBuf;

use crate::error::Result;
use crate::transfer::locked_file;

use super::Journal;

/// Where the journal of a rotation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JournalLocation {
    /// In the file that the user has named, where it stays.
    File(PathBuf),
    /// In a file of its own in the directory for such state, until the rotation is complete.
    Directory(PathBuf),
    /// Nowhere: there is no such directory.
    None,
}

impl JournalLocation {
    /// Whether the user has named none.
    pub(crate) fn is_default(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Opens the journal of the rotation that has this name, on this server (`None` for AWS).
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub(crate) fn open(&self, rotation: &str, endpoint: Option<&str>) -> Result<Option<Journal>> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Directory(folder) => {
                locked_file::close_folder(folder)?;
                folder.join(format!("rotate-{rotation}.ndjson"))
            }
            Self::None => return Ok(None),
        };
        Journal::open(&path, rotation, endpoint).map(Some)
    }
}
