//! The documents of `put` and `get`, and of what many objects came to that were skipped or failed.

use serde::Serialize;

use super::{Checksum, Error, Object, Proof};

/// An object that `put` stored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoredObject {
    /// The object.
    #[serde(flatten)]
    pub object: Object,
    /// The file that it was read from; null for standard input and commands.
    pub file: Option<String>,
    /// The checksum sent with it; null if none was.
    pub checksum: Option<Checksum>,
    /// The parts of its multipart upload; 0 if it was stored by one request.
    pub parts: u32,
    /// Whether the server was seen to keep the envelope of a client-side object; null for other modes.
    pub envelope_check: Option<EnvelopeCheck>,
    /// Whether S3's answer was lost, and the object was found stored by comparing size and checksum.
    pub found_by_comparison: bool,
    /// The namespace and name of each raw key, as other programs of the AWS Encryption SDK ask for it.
    pub key_names: Vec<String>,
}

/// Whether the server was seen to keep an envelope.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnvelopeCheck {
    /// Whether it was.
    pub verified: bool,
    /// Why it could not be seen; null if it was.
    pub reason: Option<String>,
}

/// An object that `get` wrote.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FetchedObject {
    /// The object.
    #[serde(flatten)]
    pub object: Object,
    /// The file that it was written to; null for standard output.
    pub file: Option<String>,
    /// What became of the checksum that S3 keeps; null if it keeps none that s3seal knows.
    pub checksum: Option<Checksum>,
    /// How a client-side object was opened.
    #[serde(flatten)]
    pub proof: Proof,
}

/// One of many objects that was not touched, on purpose.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SkippedObject {
    /// The object's address; null for a file that was not to be stored.
    pub uri: Option<String>,
    /// The file; null for an object that was not to be read.
    pub file: Option<String>,
    /// Why.
    pub reason: String,
}

/// One of many objects that failed.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedObject {
    /// The object's address; null for a file that was not stored. A key that is not text is percent-encoded.
    pub uri: Option<String>,
    /// The file; null for an object.
    pub file: Option<String>,
    /// The version; null if none was named, or none was stored.
    pub version_id: Option<String>,
    /// What went wrong.
    pub error: Error,
    /// How S3 has stored the object instead of what was asked for, in words; null if it has not.
    pub stored_as: Option<String>,
    /// The command that removes what S3 has stored so; null if there is nothing to remove.
    pub remove: Option<String>,
}

/// The sum over many objects of `put` or `get`.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TransferSummary {
    /// Objects stored, or written.
    pub objects: u64,
    /// Their content's bytes.
    pub bytes: u64,
    /// Objects and files skipped.
    pub skipped: u64,
    /// Objects and files that failed.
    pub failed: u64,
    /// Objects that S3 has stored otherwise than asked.
    pub stored_otherwise: u64,
}
