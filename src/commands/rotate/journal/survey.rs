//! Journals as they are seen by somebody who continues none of them: which are in use, and what is lost with one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::line::{Line, VERSION};
use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;
use crate::transfer::locked_file::{is_in_use, open_to_read};

/// A journal of a rotation.
#[derive(Clone, Debug)]
pub(crate) struct JournalSurvey {
    pub(crate) path: PathBuf,
    /// When it was last written, in seconds since 1970, by this machine's clock.
    pub(crate) modified: i64,
    pub(crate) bytes: u64,
    /// Whether a run has it at this moment.
    pub(crate) is_in_use: bool,
    /// The number of objects that it knows to be done.
    pub(crate) done: u64,
    /// Whether it names no object outside the place that was asked for.
    pub(crate) is_of_place: bool,
    /// Whether it may be the only place that has an envelope, or that knows of an instruction file to remove.
    pub(crate) is_needed: bool,
    /// The uploads that it names and that did not end.
    pub(crate) uploads: Vec<String>,
}

/// Reads all journals in a directory; there are none in one that does not exist.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn in_directory(folder: &Path, place: &S3Uri) -> Result<Vec<JournalSurvey>> {
    let refused = |error| Error::local("read", Subject::Folder(folder.to_owned()))(error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("rotate-") && name.ends_with(".ndjson") {
            let refused = |error| Error::local("read", Subject::Journal(path.clone()))(error);
            found.extend(read(&path, place).map_err(refused)?);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Removes a journal that has not been written since it was read, and is in nobody's use; returns whether it is gone.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn remove(journal: &JournalSurvey) -> Result<bool> {
    let refused = |error| Error::local("remove", Subject::Journal(journal.path.clone()))(error);
    let Some(file) = open_to_read(&journal.path).map_err(refused)? else { return Ok(true) };
    if is_in_use(&file).map_err(refused)? || file.metadata().map_err(refused)?.len() != journal.bytes {
        return Ok(false);
    }
    // Still locked: nobody opens it meanwhile.
    fs::remove_file(&journal.path).map_err(refused)?;
    Ok(true)
}

/// Reads one; `None` for a file that is no journal.
fn read(path: &Path, place: &S3Uri) -> std::io::Result<Option<JournalSurvey>> {
    let Some(file) = open_to_read(path)? else { return Ok(None) };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let is_in_use = is_in_use(&file)?;
    if !is_in_use {
        // Whoever wants to go on with it must not find it locked.
        file.unlock()?;
    }
    let mut open = Open::default();
    let mut reader = BufReader::new(&file);
    let (mut is_first, mut text) = (true, Vec::new());
    loop {
        text.clear();
        if reader.read_until(b'\n', &mut text)? == 0 {
            break;
        }
        let line = serde_json::from_slice::<Line>(&text);
        if is_first && !matches!(line, Ok(Line::Journal { version: VERSION, .. })) {
            return Ok(None);
        }
        is_first = false;
        // A line that a crash cut off is ignored.
        if let Ok(line) = line {
            open.take(line, place);
        }
    }
    Ok(Some(JournalSurvey {
        path: path.to_owned(),
        modified: i64::try_from(modified).unwrap_or(i64::MAX),
        bytes: metadata.len(),
        is_in_use,
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
