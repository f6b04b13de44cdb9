//! Counts what became of the objects of a run, and words the summary of `put` and `get`.

use crate::byte_size::ByteSize;
use crate::cli::document::transfer::TransferSummary;
use crate::cli::progress::amounts;

/// What became of the objects of a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) done: u64,
    pub(super) bytes: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
    /// Objects that the server stored, but not as requested.
    pub(super) stored_otherwise: u64,
    pub(super) unchanged: u64,
    pub(super) deleted: u64,
    pub(super) is_dry_run: bool,
    /// The manifest that was asked for, and whether it was written.
    pub(super) manifest: Option<(String, bool)>,
}

impl Tally {
    /// Whether nothing became of any object.
    pub(super) fn is_empty(&self) -> bool {
        let Self { done, skipped, failed, stored_otherwise, unchanged, deleted, .. } = *self;
        done + skipped + failed + stored_otherwise + unchanged + deleted == 0
    }

    pub(super) fn document(&self) -> TransferSummary {
        let written = self.manifest.as_ref().filter(|(_, is_written)| *is_written);
        TransferSummary {
            objects: self.done,
            bytes: self.bytes,
            skipped: self.skipped,
            failed: self.failed,
            stored_otherwise: self.stored_otherwise,
            unchanged: self.unchanged,
            deleted: self.deleted,
            dry_run: self.is_dry_run,
            manifest: written.map(|(place, _)| place.clone()),
        }
    }

    /// The parts of the summary's sentence, without the numbers that are 0; `noun` is what was done, `skipped` the word for
    /// what was not.
    pub(super) fn parts(&self, noun: &str, skipped: &str, seconds: f64) -> Vec<String> {
        let mut parts = vec![amounts::counted(self.done, noun)];
        if self.done > 0 {
            parts.push(if self.is_dry_run {
                ByteSize(self.bytes).to_string()
            } else {
                amounts::sum(self.bytes, seconds)
            });
        }
        for (number, word) in [
            (self.deleted, if self.is_dry_run { "would be deleted" } else { "deleted" }),
            (self.unchanged, "unchanged"),
            (self.skipped, skipped),
            (self.failed, "failed"),
            (self.stored_otherwise, "stored, but not as requested"),
        ] {
            if number > 0 {
                parts.push(format!("{} {word}", amounts::count(number)));
            }
        }
        parts.extend(self.manifest.as_ref().map(|(place, is_written)| match is_written {
            true => format!("manifest {place}"),
            false if self.failed + self.stored_otherwise > 0 => {
                format!("no manifest {place}: not everything is stored")
            }
            false => format!("no manifest {place}"),
        }));
        parts
    }
}
