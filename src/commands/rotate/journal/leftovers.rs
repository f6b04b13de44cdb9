//! What the lines of a journal leave open at its end, and what that may have left in S3.

use std::collections::HashMap;

use super::line::Line;
use crate::location::S3Uri;

/// What an earlier run may have left in S3, if its lines are to be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leftovers {
    pub(crate) uploads: Vec<Upload>,
    /// Objects that may need their instruction file no more.
    pub(crate) instruction_files: Vec<LeftInstructionFile>,
    pub(crate) scratch: Vec<S3Uri>,
}

/// An upload that was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    /// The object that it was for.
    pub(crate) uri: S3Uri,
    /// Its id, unless a crash has swallowed that.
    pub(crate) id: Option<String>,
    /// When it was started at the earliest, in seconds since 1970: not before this journal.
    pub(crate) since: i64,
    /// When the last line was written: the run that started it did not live long after.
    pub(crate) until: i64,
}

/// An object whose instruction file may be left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LeftInstructionFile {
    pub(crate) uri: S3Uri,
    /// The ETag that it had while it needed the file.
    pub(crate) etag: Option<String>,
    pub(crate) file_etag: String,
}

/// What the lines of a journal leave open, by object, as far as they are read.
#[derive(Default)]
pub(super) struct OpenSteps {
    /// When the journal began; `None` before its first line.
    began: Option<i64>,
    /// The number of objects done.
    pub(super) done: u64,
    /// Ids, and when they were noted.
    uploads: HashMap<String, Vec<(String, i64)>>,
    started: HashMap<String, i64>,
    /// The ETags of the object and of its file.
    instruction_files: HashMap<String, (Option<String>, String)>,
    scratch: Vec<String>,
    /// The stored bytes of objects whose envelope was about to be replaced.
    pub(super) envelopes: HashMap<String, Option<u64>>,
}

impl OpenSteps {
    /// Takes the next line.
    pub(super) fn take(&mut self, line: Line) {
        match line {
            Line::Journal { at, .. } => self.began = self.began.max(Some(at)),
            Line::Begin { object, at, .. } => {
                self.started.insert(object, at);
            }
            Line::Upload { object, id, at } => {
                // The upload was created after the object's `begin` line and before this one.
                let since = self.started.remove(&object).unwrap_or(at);
                self.uploads.entry(object).or_default().push((id, since));
            }
            Line::InstructionFile { object, etag, file_etag } => {
                self.instruction_files.insert(object, (etag, file_etag));
            }
            Line::Envelope { object, len, .. } => {
                self.envelopes.insert(object, len);
            }
            Line::Scratch { object } => self.scratch.push(object),
            Line::Cleared { object } => self.scratch.retain(|scratch| *scratch != object),
            // Its upload may still exist; aborting it once more does no harm.
            Line::Refused { object } => {
                self.started.remove(&object);
                self.envelopes.remove(&object);
            }
            Line::Done { object, .. } => {
                self.started.remove(&object);
                self.instruction_files.remove(&object);
                self.uploads.remove(&object);
                self.envelopes.remove(&object);
                self.done += 1;
            }
        }
    }

    pub(super) fn is_begun(&self) -> bool {
        self.began.is_some()
    }

    /// Whether the journal may be the only place that has an envelope, or that knows of an instruction file to remove.
    pub(super) fn are_needed(&self) -> bool {
        !(self.envelopes.is_empty() && self.instruction_files.is_empty())
    }

    /// The ids of the uploads that did not end.
    pub(super) fn upload_ids(self) -> Vec<String> {
        self.uploads.into_values().flatten().map(|(id, _)| id).collect()
    }

    /// What is still open at the journal's end, whose last line was written at `ended` (seconds since 1970).
    pub(super) fn leftovers(self, ended: i64) -> Leftovers {
        let uri = |object: &str| object.parse::<S3Uri>().ok();
        let upload = |object: &str, id, at: i64| {
            Some(Upload {
                uri: uri(object)?,
                id,
                since: at.max(self.began.unwrap_or_default()),
                until: ended,
            })
        };
        let known = self.uploads.iter().flat_map(|(object, ids)| {
            ids.iter().filter_map(move |(id, at)| upload(object, Some(id.clone()), *at))
        });
        let unknown = self.started.iter().filter_map(|(object, at)| upload(object, None, *at));
        let instruction_files =
            self.instruction_files.into_iter().filter_map(|(object, (etag, file_etag))| {
                Some(LeftInstructionFile { uri: uri(&object)?, etag, file_etag })
            });
        Leftovers {
            uploads: known.chain(unknown).collect(),
            instruction_files: instruction_files.collect(),
            scratch: self.scratch.iter().filter_map(|object| uri(object)).collect(),
        }
    }
}
