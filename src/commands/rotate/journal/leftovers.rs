//! What the lines of a journal leave open at its end, and what that may have left in S3.

use std::collections::HashMap;

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

/// What is open while a journal is read, by object.
#[derive(Default)]
pub(super) struct Open {
    /// When the journal began.
    pub(super) began: i64,
    /// When its last line was written.
    pub(super) ended: i64,
    /// Ids, and when they were noted.
    pub(super) uploads: HashMap<String, Vec<(String, i64)>>,
    pub(super) started: HashMap<String, i64>,
    /// The ETags of the object and of its file.
    pub(super) instruction_files: HashMap<String, (Option<String>, String)>,
    pub(super) scratch: Vec<String>,
}

impl Open {
    /// What is still open at the journal's end.
    pub(super) fn leftovers(self) -> Leftovers {
        let uri = |object: &str| object.parse::<S3Uri>().ok();
        let upload = |object: &str, id, at: i64| {
            Some(Upload { uri: uri(object)?, id, since: at.max(self.began), until: self.ended })
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
