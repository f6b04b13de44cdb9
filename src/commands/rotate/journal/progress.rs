//! How far earlier runs have come with each object: on disk, because there may be more objects than fit in memory.

use std::io;
use std::num::NonZero;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::line::Line;
use crate::transfer::disk_map::DiskMap;

/// A table of objects, rebuilt from the lines of a journal.
pub(super) struct Progress(DiskMap);

impl Progress {
    /// Makes an empty table in a directory, for so many objects.
    pub(super) fn new(directory: &Path, objects: u64) -> io::Result<Self> {
        DiskMap::new(directory, objects).map(Self)
    }

    /// The user who owns files that this process makes in the directory.
    pub(super) fn owner(&self) -> io::Result<u32> {
        self.0.owner()
    }

    /// Notes how far an object has come by a line.
    pub(super) fn take(&self, line: &Line) -> io::Result<()> {
        let (step, object, version_id, etag) = match line {
            Line::Begin { object, version_id, etag, .. } => (Step::Started, object, version_id, etag),
            Line::Done { object, version_id, etag, verified } => {
                (if *verified { Step::Verified } else { Step::Done }, object, version_id, etag)
            }
            _ => return Ok(()),
        };
        self.0.set(name_in_index(object, version_id.as_deref()), step.word(etag.as_deref()))
    }

    /// Whether an object was written and has this ETag.
    pub(super) fn is_done(&self, object: &str, version_id: Option<&str>, etag: Option<&str>) -> bool {
        self.step_of(object, version_id)
            .is_some_and(|step| [Step::Done, Step::Verified].iter().any(|done| step == done.word(etag)))
    }

    /// Whether it was read and verified in addition.
    pub(super) fn is_verified(&self, object: &str, version_id: Option<&str>, etag: Option<&str>) -> bool {
        self.step_of(object, version_id) == Some(Step::Verified.word(etag))
    }

    /// Whether an object was about to be written, and had another ETag.
    pub(super) fn is_started_with_other_etag(
        &self,
        object: &str,
        version_id: Option<&str>,
        etag: Option<&str>,
    ) -> bool {
        let step = self.step_of(object, version_id);
        step.is_some_and(|step| Step::Started.is_in(step) && step != Step::Started.word(etag))
    }

    /// What cannot be looked up was not done: a second HEAD of an object does no harm.
    fn step_of(&self, object: &str, version_id: Option<&str>) -> Option<NonZero<u128>> {
        self.0.get(name_in_index(object, version_id)).ok().flatten()
    }
}

/// How far an object has come.
#[derive(Clone, Copy)]
enum Step {
    /// It was about to be written, and had this ETag.
    Started = 1,
    /// It is written, and has this ETag.
    Done = 2,
    /// All of it was read and verified, too.
    Verified = 3,
}

impl Step {
    /// The step and the ETag in one word.
    fn word(self, etag: Option<&str>) -> NonZero<u128> {
        let etag = digest(&[etag.unwrap_or_default().as_bytes()]);
        NonZero::<u128>::MIN | ((self as u128) << 120 | etag >> 8)
    }

    fn is_in(self, word: NonZero<u128>) -> bool {
        word.get() >> 120 == self as u128
    }
}

/// The name of a version of an object in the index.
fn name_in_index(object: &str, version_id: Option<&str>) -> u128 {
    let (version, is_there) = (version_id.unwrap_or_default(), [u8::from(version_id.is_some())]);
    digest(&[&(object.len() as u64).to_le_bytes(), object.as_bytes(), &is_there, version.as_bytes()])
}

/// Half of a SHA-256: two that are the same by chance are not to be expected.
fn digest(parts: &[&[u8]]) -> u128 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize().iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}
