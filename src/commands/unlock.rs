//! `get`'s second step: which envelope an object has, and its data key from the keys at hand or from KMS.

use std::sync::Arc;

use bytes::Bytes;

use crate::aws::Connection;
use crate::aws::objects::{Facts, Reader};
use crate::encryption::{Context, KmsKey, Legacy};
use crate::error::{Error, KeyFault, KeyNeed, Result, WrapKind};
use crate::location::S3Uri;
use crate::seal::detect::{self, Detected};
use crate::seal::ring::Unlocker;
use crate::seal::s3ec::{Envelope, Locked, Need, Unlocked, instruction};
use crate::transfer::blocking;

/// No instruction file is larger; a writer's are well under 4 KiB.
const MAX_INSTRUCTION: u64 = 64 * 1024;

/// What opens client-side envelopes.
pub struct Means {
    /// Local keys.
    pub unlocker: Arc<Unlocker>,
    /// KMS keys that may be used: an object does not choose by itself.
    pub kms_keys: Vec<KmsKey>,
    /// The context that the object must have been sealed with.
    pub context: Context,
    /// How far back to read.
    pub legacy: Legacy,
    /// The suffix of the instruction file, if it is not the default one.
    pub suffix: Option<String>,
}

impl Means {
    /// Whether the user gave anything that opens client-side envelopes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unlocker.ring().is_empty() && self.kms_keys.is_empty()
    }
}

/// Finds an object's envelope, `None` if there is no sign of one. An instruction file that nothing in the metadata
/// points to is looked for only by who has keys: everybody else would pay a request for each plain object.
///
/// # Errors
/// `Tampered` for an envelope that is none, `NotFound` without the instruction file that must be there.
pub async fn envelope(reader: &Reader<'_>, facts: &Facts, means: &Means) -> Result<Option<Envelope>> {
    let name = reader.name();
    let must_be_there = match detect::detect(&name, &facts.metadata)? {
        Detected::S3ec(envelope) if means.suffix.is_none() => return Ok(Some(envelope)),
        Detected::S3ec(_) => {
            let why = "its envelope is in its metadata; leave out --instruction-suffix".to_owned();
            return Err(Error::Unsupported { what: name, why });
        }
        Detected::InstructionFileNeeded => true,
        Detected::Plain if means.is_empty() && means.suffix.is_none() => return Ok(None),
        Detected::Plain => means.suffix.is_some(),
    };
    let (uri, file) = instruction_file(reader, means.suffix.as_deref()).await;
    match file? {
        Some(file) => Ok(Some(detect::with_instruction(&name, &facts.metadata, &file)?)),
        None if must_be_there => {
            Err(Error::NotFound { what: format!("the instruction file {uri}"), source: None })
        }
        None => Ok(None),
    }
}

/// Fetches the instruction file beside an object, if there is one; says where that is, too.
pub(super) async fn instruction_file(
    reader: &Reader<'_>,
    suffix: Option<&str>,
) -> (S3Uri, Result<Option<Bytes>>) {
    let uri = reader.uri.with_key(instruction::key_of(&reader.uri.key, suffix));
    let beside = Reader { uri: &uri, version_id: None, ..*reader };
    let file = beside.whole(MAX_INSTRUCTION).await;
    (uri, file)
}

/// Unwraps the data key.
///
/// # Errors
/// `KeyNeeded`, `KeyWrong` and `Tampered` as the format says; `Unsupported` for what [`Means::legacy`] leaves out.
pub async fn unlock(connection: &Connection, envelope: Envelope, means: &Means) -> Result<Unlocked> {
    let locked = envelope.permit(means.legacy)?;
    match locked.need() {
        Need::Local { .. } => {
            let unlocker = means.unlocker.clone();
            blocking(move || unlocker.unlock(locked)).await?
        }
        Need::Kms => with_kms(connection, locked, means).await,
    }
}

async fn with_kms(connection: &Connection, locked: Locked, means: &Means) -> Result<Unlocked> {
    let request = locked.kms(&means.context)?;
    let mut refusal = None;
    for key in &means.kms_keys {
        match connection.unwrap_data_key(Some(key), request.blob, request.context).await {
            Ok(data_key) => return locked.unlock(data_key),
            Err(error @ Error::KeyWrong { why: KeyFault::DoesNotUnwrap { .. }, .. }) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    let what = locked.envelope().what().to_owned();
    Err(match refusal {
        None => Error::KeyNeeded { what, need: KeyNeed::Wrapping { kind: WrapKind::Kms, fingerprint: None } },
        Some(Error::KeyWrong { why, source, .. }) => Error::KeyWrong { what, why, source },
        Some(error) => error,
    })
}
