//! What a write comes to, to be compared with what is found there afterwards.

use std::collections::BTreeMap;

use crate::commands::envelope::SentEnvelope;
use crate::commands::sealed::Opened;
use crate::encryption::Format;

use super::instruction_file::InstructionFile;

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Which old key opened the object, if one had to.
    pub source: Option<Opened>,
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
