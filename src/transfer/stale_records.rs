//! Records as they are seen by somebody who goes on with none of them: which are in use, and what is removed with one.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::de::IgnoredAny;

use crate::error::{Error, Result, Subject};
use crate::transfer::locked_file;
use crate::transfer::resume::{DownloadRecord, Kind, LeftFile, Record, UploadRecord, kind_of};
use crate::transfer::temporary_file;

/// A record of a transfer.
#[derive(Clone, Debug)]
pub(crate) struct RecordSurvey {
    pub(crate) path: PathBuf,
    /// When it was last written, in seconds since 1970, by this machine's clock.
    pub(crate) modified: i64,
    /// Its length, and that of the temporary file.
    pub(crate) bytes: u64,
    /// Whether a run has it at this moment.
    pub(crate) is_in_use: bool,
    pub(crate) about: About,
    /// Its own length.
    len: u64,
}

/// What a record is about.
#[derive(Clone, Debug)]
pub(crate) enum About {
    Upload {
        /// `s3://BUCKET/KEY`.
        target: String,
        /// Empty if none was begun.
        upload_id: String,
    },
    Download {
        /// `s3://BUCKET/KEY`.
        source: String,
        /// The temporary file, as far as it is still there and is surely that file.
        file: Option<LeftFile>,
    },
    /// It was cut off before its first line was whole, and is of no use to anybody.
    Nothing,
}

impl RecordSurvey {
    /// The address of the object.
    pub(crate) fn object(&self) -> Option<&str> {
        match &self.about {
            About::Upload { target, .. } => Some(target),
            About::Download { source, .. } => Some(source),
            About::Nothing => None,
        }
    }
}

/// Reads all records in a directory; there are none in one that does not exist.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn in_directory(folder: &Path) -> Result<Vec<RecordSurvey>> {
    let refused = |error| Error::local("read", Subject::Folder(folder.to_owned()))(error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        if let Some(kind) = kind_of(&path)
            && let Some(file) = locked_file::open_to_read(&path).map_err(refused)?
        {
            found.extend(read(path, kind, file).map_err(refused)?);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Reads one; `None` for what is no record, or one of another version, which that version may need.
fn read(path: PathBuf, kind: Kind, file: File) -> io::Result<Option<RecordSurvey>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let is_in_use = locked_file::is_in_use(&file)?;
    let mut record = Record::opened(path, file);
    let about = match kind {
        Kind::Upload => record
            .read::<UploadRecord, IgnoredAny>()
            .map(|(upload, _)| About::Upload { target: upload.target, upload_id: upload.upload_id }),
        Kind::Download => record.read::<DownloadRecord, IgnoredAny>().map(|(download, _)| {
            let is_there = temporary_file::is_left(&download.file);
            About::Download { source: download.source, file: is_there.then_some(download.file) }
        }),
    };
    let about = match about {
        Some(about) => about,
        None if record.was_cut_off()? => About::Nothing,
        None => return Ok(None),
    };
    let temporary = match &about {
        About::Download { file: Some(file), .. } => {
            fs::metadata(&file.path).map_or(0, |metadata| metadata.len())
        }
        _ => 0,
    };
    Ok(Some(RecordSurvey {
        path: record.into_path(),
        modified: i64::try_from(modified).unwrap_or(i64::MAX),
        bytes: metadata.len() + temporary,
        is_in_use,
        about,
        len: metadata.len(),
    }))
}

/// Removes a record that has not been written since it was read, and is in nobody's use, with its temporary file; returns
/// whether it is gone.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn remove(survey: &RecordSurvey) -> Result<bool> {
    let refused = |error| Error::local("remove", &survey.path)(error);
    let Some(file) = locked_file::open_to_read(&survey.path).map_err(refused)? else { return Ok(true) };
    if locked_file::is_in_use(&file).map_err(refused)?
        || file.metadata().map_err(refused)?.len() != survey.len
    {
        return Ok(false);
    }
    // Still locked: nobody opens it meanwhile.
    if let About::Download { file: Some(file), .. } = &survey.about {
        temporary_file::remove(file).map_err(Error::local("remove", &file.path))?;
    }
    fs::remove_file(&survey.path).map_err(refused)?;
    Ok(true)
}
