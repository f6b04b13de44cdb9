//! Which of many objects are instruction files: they belong to another object, and do not become files.
//!
//! Their names end in a suffix, but so may those of a user's own objects, and a listing does not tell them apart. Their
//! content and the metadata of the other object decide, which takes two requests, with `--update` in each run: what is a
//! user's own must not stay away.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::instruction_file::{is_marked, is_one};
use crate::commands::sse_c_keys::{KeyedHead, head};
use crate::encryption::Mode;
use crate::error::{Error, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::instruction_file_key;
use crate::seal::detect::{self, Detected};

use super::Download;

/// Tells which of the objects that a listing has are instruction files.
pub(super) struct InstructionFiles<'a> {
    pub(super) download: Download<'a>,
    /// Whether objects are fetched as they are stored, these too.
    pub(super) raw: bool,
    /// The encryption mode that each object must have.
    pub(super) expect: Option<Mode>,
}

impl InstructionFiles<'_> {
    /// Whether an object of so many bytes is the instruction file of another one. Sends requests only if the key has the
    /// suffix.
    pub(super) async fn contain(&self, uri: &S3Uri, len: u64) -> Result<bool> {
        let suffix = self.download.decryption_keys.suffix.as_ref();
        let end = instruction_file_key("", suffix);
        let Some(object_key) = uri.key.strip_suffix(&end).filter(|object_key| !object_key.is_empty()) else {
            return Ok(false);
        };
        if self.raw || len > MAX_INSTRUCTION_FILE_BYTES {
            return Ok(false);
        }
        let Some(is_marked) = self.is_one(uri).await? else { return Ok(false) };
        // Its mark says that it is needed; or the object does, or the user, with `--instruction-suffix`.
        let object = uri.with_key(object_key);
        let needs_it = |head: &ObjectHead| {
            matches!(detect::detect(&object, &head.metadata), Ok(Detected::InstructionFileNeeded))
        };
        let head = self.head(&object).await?;
        Ok(head.is_ok_and(|keyed| is_marked || suffix.is_some() || needs_it(&keyed.head)))
    }

    /// Whether an object that is an instruction file is marked as one. None for any other, and for one that cannot be read:
    /// the download reports the error.
    async fn is_one(&self, uri: &S3Uri) -> Result<Option<bool>> {
        let Download { connection, decryption_keys, cancellation, .. } = self.download;
        let suffix = decryption_keys.suffix.as_ref();
        let whole = async |key| {
            let reader = ObjectReader { connection, uri, version_id: None, key };
            let Some(head) = reader.whole_with_head(MAX_INSTRUCTION_FILE_BYTES).await? else {
                return Ok(None);
            };
            Ok(is_one(&reader, &head, suffix).await?.then(|| is_marked(&head)))
        };
        match cancellation.or(whole(None)).await? {
            Err(Error::KeyNeeded { .. }) => {
                let Ok(KeyedHead { customer_key: Some(key), .. }) = self.head(uri).await? else {
                    return Ok(None);
                };
                Ok(cancellation.or(whole(Some(&key))).await?.unwrap_or_default())
            }
            found => Ok(found.unwrap_or_default()),
        }
    }

    async fn head(&self, uri: &S3Uri) -> Result<Result<KeyedHead>> {
        let Download { connection, decryption_keys, cancellation, .. } = self.download;
        cancellation.or(head(connection, uri, None, &decryption_keys.customer_keys, self.expect)).await
    }
}
