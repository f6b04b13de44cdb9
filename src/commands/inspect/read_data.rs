//! Reads the data of the inspected objects and discards it: a restore test.
//!
//! The data is read in the same way as for a download into a file; the result becomes part of the object's outcome.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::get::Download;
use crate::commands::get::verify::Verified;
use crate::commands::inspect::Inspector;
use crate::commands::inspect::outcome::ClientSeen;
use crate::commands::inspect::sample::Sample;
use crate::error::Result;
use crate::object::instruction_file_key;
use crate::transfer::memory_budget::MemoryBudget;

/// How data is read, and of which objects.
pub(crate) struct ReadData {
    /// The memory budget that all objects share.
    pub(crate) budget: MemoryBudget,
    /// Which objects of a listing are read; `None` means all of them.
    pub(crate) sample: Option<Sample>,
}

impl ReadData {
    /// Reads and verifies an object. As for a download, an object that the user named must need one of the given keys;
    /// otherwise it is not the one that was meant. Among many objects, some may be in other modes.
    ///
    /// # Errors
    /// As for a download into a file.
    pub(super) async fn verify(
        &self,
        inspector: Inspector<'_>,
        reader: &ObjectReader<'_>,
        head: &ObjectHead,
        client: &ClientSeen,
        is_named: bool,
    ) -> Result<Verified> {
        let Inspector { connection, options, meter, cancellation } = inspector;
        let suffix = options.keys.suffix.as_ref();
        let is_instruction_file = *client == ClientSeen::InstructionFile
            || suffix.is_some() && reader.uri.key.ends_with(&instruction_file_key("", suffix));
        let decryption_keys = &options.keys;
        let download = Download { connection, decryption_keys, budget: &self.budget, meter, cancellation };
        let verified = download.verify(reader, head, is_instruction_file).await?;
        if is_named && decryption_keys.has_keys() && verified.opened.is_none() && reader.key.is_none() {
            return Err(decryption_keys.not_applicable(reader.subject(), &head.applied));
        }
        Ok(verified)
    }
}
