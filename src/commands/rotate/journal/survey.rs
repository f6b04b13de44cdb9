//! Journals as they are seen by somebody who continues none of them: what each names, and what is lost with it.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use super::leftovers::OpenSteps;
use super::line::{Line, Lines, VERSION};
use crate::error::Result;
use crate::location::S3Uri;
use crate::transfer::surveyed_file::{self, SurveyedFile};

/// A journal of a rotation.
#[derive(Clone, Debug)]
pub(crate) struct JournalSurvey {
    pub(crate) file: SurveyedFile,
    /// The server; `None` for AWS.
    pub(crate) endpoint: Option<String>,
    /// The number of objects that it knows to be done.
    pub(crate) done: u64,
    /// Whether it names no object outside the place that was asked for.
    pub(crate) is_of_place: bool,
    /// Whether it may be the only place that has an envelope, or that knows of an instruction file to remove.
    pub(crate) is_needed: bool,
    /// The uploads that it names and that did not end.
    pub(crate) uploads: Vec<String>,
}

/// Reads all journals in a directory.
///
/// # Errors
/// As [`surveyed_file::in_directory`].
pub(crate) fn in_directory(folder: &Path, place: &S3Uri) -> Result<Vec<JournalSurvey>> {
    let is_journal = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        (name.starts_with("rotate-") && name.ends_with(".ndjson")).then_some(())
    };
    surveyed_file::in_directory(folder, is_journal, |(), seen, file| read(seen, &file, place))
}

/// Removes a journal; returns whether it is gone.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn remove(journal: &JournalSurvey) -> Result<bool> {
    surveyed_file::remove(&journal.file, || Ok(()))
}

/// Reads one; `None` for a file that is no journal.
fn read(seen: SurveyedFile, file: &File, place: &S3Uri) -> io::Result<Option<JournalSurvey>> {
    let mut lines = Lines::new(BufReader::new(file));
    let endpoint = match lines.read()?.then(|| lines.line()) {
        None => None,
        Some(Some(Line::Journal { version: VERSION, endpoint, .. })) => endpoint,
        Some(_) => return Ok(None),
    };
    let (mut steps, mut is_of_place) = (OpenSteps::default(), true);
    while lines.read()? {
        if let Some(line) = lines.line() {
            let is_in_place = |object: &str| object.parse().is_ok_and(|uri| place.holds(&uri));
            is_of_place &= line.object().is_none_or(is_in_place);
            steps.take(line);
        }
    }
    let (done, is_needed) = (steps.done, steps.are_needed());
    let uploads = steps.upload_ids();
    Ok(Some(JournalSurvey { file: seen, endpoint, done, is_of_place, is_needed, uploads }))
}
