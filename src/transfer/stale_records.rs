//! Records as they are seen by somebody who goes on with none of them: what each is about, and what is removed with it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::de::IgnoredAny;

use crate::error::{Error, Result};
use crate::transfer::resume::{BegunUpload, DownloadRecord, Kind, LeftFile, Record, kind_of};
use crate::transfer::surveyed_file::{self, SurveyedFile};
use crate::transfer::temporary_file;

/// A record of a transfer.
#[derive(Clone, Debug)]
pub(crate) struct RecordSurvey {
    pub(crate) file: SurveyedFile,
    /// Its length, and that of the temporary file.
    pub(crate) bytes: u64,
    pub(crate) about: About,
}

/// What a record is about.
#[derive(Clone, Debug)]
pub(crate) enum About {
    Upload(BegunUpload),
    Download {
        /// The server; `None` for AWS.
        endpoint: Option<String>,
        /// `s3://BUCKET/KEY`.
        source: String,
        /// The temporary file, as far as it is still there and is surely that file.
        file: Option<LeftFile>,
    },
    /// It was cut off before its first line was whole, and is of no use to anybody.
    Nothing,
}

impl About {
    /// The server, or `None` for AWS, and the address of the object there.
    pub(crate) fn object(&self) -> Option<(Option<&str>, &str)> {
        match self {
            Self::Upload(upload) => Some((upload.endpoint.as_deref(), &upload.target)),
            Self::Download { endpoint, source, .. } => Some((endpoint.as_deref(), source)),
            Self::Nothing => None,
        }
    }
}

/// Reads all records in a directory.
///
/// # Errors
/// As [`surveyed_file::in_directory`].
pub(crate) fn in_directory(folder: &Path) -> Result<Vec<RecordSurvey>> {
    surveyed_file::in_directory(folder, kind_of, read)
}

/// Reads one; `None` for what is no record, one of another version, which that version may need, or one that may be the only
/// copy of an envelope.
fn read(kind: Kind, seen: SurveyedFile, file: File) -> io::Result<Option<RecordSurvey>> {
    let mut record = Record::surveyed(seen.path.clone(), file);
    let about = match kind {
        Kind::Upload => record.read::<BegunUpload, IgnoredAny>().map(|(upload, _)| About::Upload(upload)),
        Kind::Download => record.read::<DownloadRecord, IgnoredAny>().map(|(download, _)| {
            let DownloadRecord { endpoint, source, file, .. } = download;
            About::Download { endpoint, source, file: Some(file).filter(temporary_file::is_left) }
        }),
        Kind::InstructionFile => return Ok(None),
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
    Ok(Some(RecordSurvey { bytes: seen.len + temporary, file: seen, about }))
}

/// Removes a record with its temporary file; returns whether it is gone.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn remove(survey: &RecordSurvey) -> Result<bool> {
    surveyed_file::remove(&survey.file, || match &survey.about {
        About::Download { file: Some(file), .. } => {
            temporary_file::remove(file).map_err(Error::local("remove", &file.path))
        }
        _ => Ok(()),
    })
}
