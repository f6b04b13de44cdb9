//! The result of a write, to be compared with what is found afterwards.

use std::collections::BTreeMap;

use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::commands::verify_envelope::SentEnvelope;
use crate::encryption::Format;
use crate::error::Error;

use super::instruction_file::InstructionFile;

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct WriteResult {
    /// The refusal of a copy of which an earlier attempt got no answer: only a HEAD shows whether that one made it.
    pub(crate) refused: Option<Error>,
    /// Which old key decrypted the object, if one had to.
    pub(crate) source: Option<DecryptedBy>,
    /// Whether the answer got lost, and only a comparison shows that the object is ours.
    pub(crate) found_by_comparison: bool,
    /// The ETag, where the answer says it.
    pub(crate) etag: Option<String>,
    /// The checksum that was sent, of bytes that are new.
    pub(crate) checksum: Option<String>,
    /// The client-side format of bytes that are new.
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
