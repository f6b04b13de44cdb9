//! Journals as they are seen by somebody who continues none of them: what each names, and what is lost with it.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::line::{Line, VERSION};
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
    let mut open = Open::default();
    let mut reader = BufReader::new(file);
    let (mut is_first, mut text, mut endpoint) = (true, Vec::new(), None);
    loop {
        text.clear();
        if reader.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let line = serde_json::from_slice::<Line>(&text);
        if is_first {
            let Ok(Line::Journal { version: VERSION, endpoint: server, .. }) = &line else { return Ok(None) };
            endpoint.clone_from(server);
        }
        is_first = false;
        // A line that a crash cut off is ignored.
        if let Ok(line) = line {
            open.take(line, place);
        }
    }
    Ok(Some(JournalSurvey {
        file: seen,
        endpoint,
        done: open.done,
        is_of_place: !open.names_other_place,
        is_needed: !(open.envelopes.is_empty() && open.instruction_files.is_empty()),
        uploads: open.uploads.into_values().flatten().collect(),
    }))
}

/// What is open at a journal's end, by object.
#[derive(Default)]
struct Open {
    done: u64,
    names_other_place: bool,
    envelopes: HashSet<String>,
    instruction_files: HashSet<String>,
    uploads: HashMap<String, Vec<String>>,
}

impl Open {
    fn take(&mut self, line: Line, place: &S3Uri) {
        let object = match &line {
            Line::Journal { .. } => None,
            Line::Begin { object, .. }
            | Line::Upload { object, .. }
            | Line::InstructionFile { object, .. }
            | Line::Envelope { object, .. }
            | Line::Scratch { object }
            | Line::Cleared { object }
            | Line::Done { object, .. }
            | Line::Refused { object } => Some(object),
        };
        if let Some(object) = object {
            self.names_other_place |= !object.parse().is_ok_and(|uri| place.holds(&uri));
        }
        match line {
            Line::Upload { object, id, .. } => self.uploads.entry(object).or_default().push(id),
            Line::InstructionFile { object, .. } => {
                self.instruction_files.insert(object);
            }
            Line::Envelope { object, .. } => {
                self.envelopes.insert(object);
            }
            Line::Refused { object } => {
                self.envelopes.remove(&object);
            }
            Line::Done { object, .. } => {
                self.envelopes.remove(&object);
                self.instruction_files.remove(&object);
                self.uploads.remove(&object);
                self.done += 1;
            }
            Line::Journal { .. } | Line::Begin { .. } | Line::Scratch { .. } | Line::Cleared { .. } => {}
        }
    }
}
