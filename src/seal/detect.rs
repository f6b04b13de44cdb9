//! Detects an object's envelope from its metadata.
//!
//! Pure, so that `inspect`, `get` and `rotate` all see the same. It says what must be fetched to know more, and fetches
//! nothing.

use std::collections::BTreeMap;

use super::esdk::Marker;
use super::esdk::marker::{FORMAT_ENTRY, RECIPIENTS_ENTRY};
use super::s3ec::Envelope;
use super::s3ec::metadata::{self};
use crate::error::{Error, Result, Subject};

/// What an object's metadata shows.
#[derive(Debug)]
pub enum Detected {
    /// No sign of client-side encryption. The object may still have an instruction file of V1 or V2, if its writer left no
    /// sign of it in the metadata: if the user expects one, see [`with_instruction`].
    Plain,
    /// An envelope of the S3 Encryption Client.
    S3ec(Envelope),
    /// A message of the AWS Encryption SDK that s3seal wrote. Other writers leave no sign in the metadata:
    /// [`looks_like_esdk`](super::esdk::looks_like_esdk) recognises them by an object's first bytes.
    Esdk(Marker),
    /// Part of an envelope, whose rest is in an instruction file: fetch that, then call [`with_instruction`].
    InstructionFileNeeded,
}

/// Reads an object's user metadata (names without `x-amz-meta-`).
///
/// # Errors
/// `Tampered` for an incomplete envelope or parts of two: such an object is not guessed at, and not taken for an
/// unencrypted one.
pub fn detect(subject: impl Into<Subject>, metadata: &BTreeMap<String, String>) -> Result<Detected> {
    let subject = &subject.into();
    let marker = Marker::find(subject, metadata)?;
    Ok(match (metadata::find(subject, metadata)?, marker) {
        (metadata::Found::NoEnvelope, None) => Detected::Plain,
        (metadata::Found::NoEnvelope, Some(marker)) => Detected::Esdk(marker),
        (_, Some(_)) => return Err(Error::tampered(subject, "its metadata names two formats")),
        (metadata::Found::Envelope(envelope), None) => Detected::S3ec(envelope),
        (metadata::Found::InInstructionFile, None) => Detected::InstructionFileNeeded,
    })
}

/// Reads an object's user metadata together with the content of its instruction file. Fails with `Tampered` if they do not
/// form an envelope.
pub fn with_instruction(
    subject: impl Into<Subject>,
    metadata: &BTreeMap<String, String>,
    file: &[u8],
) -> Result<Envelope> {
    metadata::join(&subject.into(), metadata, file)
}

/// Whether a file is an instruction file: it holds an envelope or a part of one, and nothing else.
pub fn is_instruction_file(file: &[u8]) -> bool {
    metadata::wraps_a_key(file)
}

/// Whether an entry of an object's user metadata has a name that an envelope uses. Others with the prefix `x-amz-` are the
/// user's.
pub fn is_envelope_entry(name: &str) -> bool {
    metadata::is_entry(name) || name == FORMAT_ENTRY || name == RECIPIENTS_ENTRY
}
