//! The result of a write, to compare with the object afterwards.

use std::collections::BTreeMap;

use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::commands::verify_envelope::{SentEnvelope, envelope_entries};
use crate::encryption::Format;
use crate::error::Error;
use crate::keys::DataKey;
use crate::seal::detect::is_envelope_entry;

use super::instruction_file::InstructionFile;

/// What was written.
#[derive(Default)]
pub(crate) struct WriteResult {
    /// The refusal of a copy after an attempt without an answer: only a HEAD shows whether that attempt made the copy.
    pub(crate) refused: Option<Error>,
    /// Which old key decrypted the object, if one had to.
    pub(crate) source: Option<DecryptedBy>,
    /// The data key in a new envelope, to read the object where the key that opens the envelope is not at hand.
    pub(crate) data_key: Option<DataKey>,
    /// Whether the answer was lost, and only a comparison shows that the object is ours.
    pub(crate) found_by_comparison: bool,
    /// The ETag, where the answer says it.
    pub(crate) etag: Option<String>,
    /// The checksum that was sent with new bytes.
    pub(crate) checksum: Option<String>,
    /// The client-side format of new bytes.
    pub(crate) format: Option<Format>,
    /// Stored bytes.
    pub(crate) len: u64,
    /// The metadata that the object must have now, if they were replaced.
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    /// The envelope that the object must have now, if it is a new one.
    pub(crate) envelope: Option<SentEnvelope>,
    /// The instruction file that only the old object needed.
    pub(crate) obsolete: Option<InstructionFile>,
}

impl WriteResult {
    /// The same write, if the envelope in these metadata is to count as the one that it has sent.
    pub(super) fn with_envelope_of(self, found: &BTreeMap<String, String>) -> Self {
        let entries = envelope_entries(found);
        let metadata = self.metadata.map(|mut metadata| {
            metadata.retain(|name, _| !is_envelope_entry(name));
            metadata.extend(entries);
            metadata
        });
        Self { metadata, envelope: None, ..self }
    }
}
