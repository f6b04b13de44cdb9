//! Which of many objects are instruction files: they belong to another object, and do not become files.
//!
//! Their names end in a suffix, but so may those of a user's own objects, and a listing does not tell them apart. Metadata
//! decides, which takes one request or two, with `--update` in each run: what is a user's own must not stay away.

use std::collections::BTreeMap;

use crate::commands::sse_c_keys::head;
use crate::encryption::Mode;
use crate::error::Result;
use crate::location::S3Uri;
use crate::object::{INSTRUCTION_FILE_MARKER, instruction_file_key};
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
    /// Whether an object is the instruction file of another one. Sends requests only if the key has the suffix.
    pub(super) async fn contain(&self, uri: &S3Uri) -> Result<bool> {
        let suffix = self.download.decryption_keys.suffix.as_ref();
        let end = instruction_file_key("", suffix);
        let Some(beside) = uri.key.strip_suffix(&end).filter(|beside| !beside.is_empty()) else {
            return Ok(false);
        };
        if self.raw {
            return Ok(false);
        }
        // Its own metadata may say so. If not, that of the object does; or the user, with `--instruction-suffix`.
        if self.metadata(uri).await?.is_some_and(|own| own.contains_key(INSTRUCTION_FILE_MARKER)) {
            return Ok(true);
        }
        let needs_it =
            |metadata: &_| matches!(detect::detect(uri, metadata), Ok(Detected::InstructionFileNeeded));
        let object = self.metadata(&uri.with_key(beside)).await?;
        Ok(object.is_some_and(|object| suffix.is_some() || needs_it(&object)))
    }

    /// An object's metadata, if it can be read; if not, the download reports the error.
    async fn metadata(&self, uri: &S3Uri) -> Result<Option<BTreeMap<String, String>>> {
        let Download { connection, decryption_keys, cancellation, .. } = self.download;
        let keyed =
            cancellation.or(head(connection, uri, None, &decryption_keys.customer_keys, self.expect)).await?;
        Ok(keyed.ok().map(|keyed| keyed.head.metadata))
    }
}
