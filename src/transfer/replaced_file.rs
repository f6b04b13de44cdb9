//! The instruction file that an upload replaces just before its object, kept on this machine until the object is stored.
//!
//! A run that is killed in between leaves the old object with the new file, and the old file is nowhere else. The next run that
//! stores the object has it from here, and puts it back should it fail. Not trusted: it counts only for the object and in place
//! of the file that it names.

use crate::aws::instruction_file::Replacement;
use crate::aws::open_uploads::ReplacedInstructionFile;
use crate::transfer::resume::{Kind, Record, Records};

/// The record of a file that is replaced.
pub(crate) struct ReplacedFile {
    record: Record,
    /// The file's own address.
    uri: String,
}

impl ReplacedFile {
    /// Records a file before it is replaced. If what is there was written by a run that was killed, so that it never belonged
    /// to the object, it records in its place the file that does. Returns the one that it records.
    ///
    /// Without a directory for records, or while another run replaces the same file, there is no record: it works without.
    pub(crate) fn keep(records: &Records, mut replaced: Replacement) -> (Option<Self>, String) {
        let records = Records { is_on: true, ..records.clone() };
        let endpoint = replaced.endpoint.as_deref().unwrap_or_default();
        let opened = records.open(Kind::InstructionFile, &[endpoint, &replaced.uri]);
        let Some(mut record) = opened.ok().flatten() else { return (None, replaced.old) };
        let recorded = record.read::<Replacement, Replacement>();
        let earlier = recorded.map(|(first, later)| later.into_iter().next_back().unwrap_or(first));
        let written = match earlier.filter(|earlier| led_to(earlier, &replaced)) {
            Some(earlier) => {
                replaced.old = earlier.old;
                // Added: what is written anew could be cut off, and it is the only copy.
                record.append(&replaced)
            }
            None => record.write(&replaced),
        };
        (written.is_ok().then_some(Self { record, uri: replaced.uri }), replaced.old)
    }

    /// Removes the record, unless the file is among those that are `left` without their object.
    pub(crate) fn end(self, left: &[ReplacedInstructionFile]) {
        if left.iter().all(|file| file.uri.to_string() != self.uri) {
            self.record.remove();
        }
    }
}

/// Whether a replacement that was cut off led to what another one finds.
fn led_to(earlier: &Replacement, next: &Replacement) -> bool {
    (&earlier.endpoint, &earlier.uri, &earlier.object_etag, &earlier.new)
        == (&next.endpoint, &next.uri, &next.object_etag, &next.old)
}
