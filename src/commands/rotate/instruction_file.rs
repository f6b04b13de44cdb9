//! The instruction file of an object that is rotated: reads and removes it, conditional on its ETag.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::aws::timestamp::local_now;
use crate::error::{Error, Result, Subject};
use crate::keys::CustomerKey;
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{Lock, instruction_file_key};

use super::preserve::{CopyMethod, Found};
use super::rotation::Rotation;

/// An instruction file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct InstructionFile {
    /// Its URI.
    pub(crate) uri: S3Uri,
    /// Its ETag, the condition of every change.
    pub(crate) etag: String,
    /// Its content.
    pub(crate) content: String,
    /// What S3 says about it.
    pub(crate) head: ObjectHead,
}

/// Reads the instruction file of an object; `key` is its SSE-C key, if it needs one.
///
/// # Errors
/// What S3 refuses; `NotFound` if there is none; `Unsupported` where the server names no ETag.
pub(crate) async fn read(
    rotation: &Rotation<'_>,
    object: &S3Uri,
    key: Option<&CustomerKey>,
) -> Result<InstructionFile> {
    let Rotation { connection, decryption_keys, cancellation, .. } = *rotation;
    let uri = object.with_key(instruction_file_key(&object.key, decryption_keys.suffix.as_ref()));
    let reader = ObjectReader { connection, uri: &uri, version_id: None, key };
    let found = cancellation.or(reader.whole_with_head(MAX_INSTRUCTION_FILE_BYTES)).await??;
    let Some(mut head) = found else {
        return Err(Error::NotFound { subject: Subject::instruction_file(&uri), source: None });
    };
    let Some(etag) = head.etag.clone() else {
        let why = "the server returned no ETag, so another write could be overwritten".to_owned();
        return Err(Error::unsupported(Subject::instruction_file(&uri), why));
    };
    let content = String::from_utf8_lossy(&head.body.take().unwrap_or_default()).into_owned();
    Ok(InstructionFile { uri, etag, content, head })
}

/// Reads the lock that the next version of an instruction file must have, too; `key` is as in [`read`].
///
/// # Errors
/// As [`Found::preserved`].
pub(crate) async fn lock(
    rotation: &Rotation<'_>,
    file: &InstructionFile,
    key: Option<&CustomerKey>,
) -> Result<Lock> {
    let Rotation { connection, cancellation, accepted, .. } = *rotation;
    let version_id = file.head.version_id.as_deref();
    let reader = ObjectReader { connection, uri: &file.uri, version_id, key };
    let lock = cancellation.or(rotation.lockable.lock(&reader, &file.head)).await??;
    let found = Found { lock, ..Found::of(&file.head, local_now()) };
    let preserved = found.preserved(CopyMethod::Copy, accepted, &Subject::instruction_file(&file.uri))?;
    Ok(preserved.settings.lock)
}

/// Removes the instruction file of an object that no longer needs it: readers would use it as the object's envelope.
///
/// # Errors
/// What S3 refuses; `Changed` if somebody else has written it since it was read.
pub(crate) async fn remove(rotation: &Rotation<'_>, file: &InstructionFile) -> Result<()> {
    let removal = rotation.connection.remove_if(&file.uri, &file.etag, None);
    rotation.cancellation.or(removal).await?.map_err(|error| match error {
        Error::Changed { source, .. } => {
            Error::Changed { subject: Subject::instruction_file(&file.uri), source }
        }
        error => error,
    })
}
