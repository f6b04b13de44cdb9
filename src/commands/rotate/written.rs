//! What a write comes to, to be compared with what is found there afterwards.

use std::collections::BTreeMap;

use crate::commands::client_object::Opened;
use crate::commands::envelope::SentEnvelope;
use crate::encryption::Format;
use crate::error::Error;

use super::instruction_file::InstructionFile;

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    /// The refusal of a copy of which an earlier attempt got no answer: whether that one made it, only a look can tell.
    pub refused: Option<Error>,
    /// Which old key opened the object, if one had to.
    pub source: Option<Opened>,
    /// Whether the answer got lost, and only a comparison shows that the object is ours.
    pub found_by_comparison: bool,
    /// The ETag, where the answer says it.
    pub etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// The checksum that was sent, of bytes that are new.
    pub checksum: Option<String>,
    /// The client-side format of bytes that are new.
    pub format: Option<Format>,
    /// Stored bytes.
    pub len: u64,
    /// The metadata that must stand there now, where they were replaced.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The envelope that must stand there now, where it is a new one.
    pub envelope: Option<SentEnvelope>,
    /// The instruction file that only the object as it was has needed.
    pub obsolete: Option<InstructionFile>,
}
