//! Reads the data of the objects that are inspected, and keeps nothing: the test of a restore.
//!
//! The bytes take the way of a download into a file. What is found is one more fact about the object.

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
    /// The memory of all objects that are read at once.
    pub(crate) budget: MemoryBudget,
    /// The objects of a listing that are read; none for all of them.
    pub(crate) sample: Option<Sample>,
}

impl ReadData {
    /// Reads and verifies an object. One that was named must need the keys given, as for a download: it would
    /// not be the one that was meant. Of many, some may be in other modes.
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
            return Err(reader.not_applicable(&head.applied));
        }
        Ok(verified)
    }
}
