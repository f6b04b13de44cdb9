//! Which envelope an object has, if any: from its metadata.
//!
//! Pure, so that `inspect`, `get` and `rotate` all see the same. What must be fetched to know more is said, not done.

use std::collections::BTreeMap;

use super::esdk::Marker;
use super::esdk::marker::{FORMAT_ENTRY, RECIPIENTS_ENTRY};
use super::s3ec::Envelope;
use super::s3ec::metadata::{self, Found};
use crate::error::{Error, Result, Subject};

/// What an object's metadata shows.
#[derive(Debug)]
pub enum Detected {
    /// No sign of client-side encryption. An instruction file of V1 or V2 may still lie beside the object, if the
    /// writer left no sign of it: [`with_instruction`] tells, if the user expects one.
    Plain,
    /// An envelope of the S3 Encryption Client.
    S3ec(Envelope),
    /// A message of the AWS Encryption SDK that s3seal wrote. Those of other writers leave no sign in the metadata:
    /// [`looks_like_esdk`](super::esdk::looks_like_esdk) tells by an object's first bytes.
    Esdk(Marker),
    /// A sign of one whose rest is in an instruction file: fetch that, then [`with_instruction`].
    InstructionFileNeeded,
}

/// Reads an object's user metadata (names without `x-amz-meta-`).
///
/// # Errors
/// `Tampered` where there are parts of an envelope that make none, or parts of two: never a guess, and never the
/// bytes as they are.
pub fn detect(subject: impl Into<Subject>, metadata: &BTreeMap<String, String>) -> Result<Detected> {
    let subject = &subject.into();
    let marker = Marker::find(subject, metadata)?;
    Ok(match (metadata::find(subject, metadata)?, marker) {
        (Found::Nothing, None) => Detected::Plain,
        (Found::Nothing, Some(marker)) => Detected::Esdk(marker),
        (_, Some(_)) => return Err(Error::tampered(subject, "its metadata names two formats")),
        (Found::Whole(envelope), None) => Detected::S3ec(envelope),
        (Found::Elsewhere, None) => Detected::InstructionFileNeeded,
    })
}

/// Reads an object's user metadata together with the content of its instruction file, of whatever suffix.
///
/// # Errors
/// `Tampered` where the two make no envelope.
pub fn with_instruction(
    subject: impl Into<Subject>,
    metadata: &BTreeMap<String, String>,
    file: &[u8],
) -> Result<Envelope> {
    metadata::join(&subject.into(), metadata, file)
}

/// Whether a file is an instruction file, whatever object it belongs to: an envelope or a part of one, and nothing else.
#[must_use]
pub fn is_instruction_file(file: &[u8]) -> bool {
    metadata::wraps_a_key(file)
}

/// Whether an entry of a sealed object's user metadata belongs to its envelope, and goes when the envelope goes.
#[must_use]
pub fn is_envelope_entry(name: &str) -> bool {
    name.starts_with("x-amz-") || name == FORMAT_ENTRY || name == RECIPIENTS_ENTRY
}
