//! Whether an object is an instruction file, which belongs to another object.
//!
//! Anyone who may write a bucket can choose names and metadata: these only say what to look at. The content decides, so
//! that nothing stays out of a download or a rotation because somebody has marked it.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::error::{Error, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::object::{INSTRUCTION_FILE_MARKER, InstructionSuffix, instruction_file_key};
use crate::seal::detect::is_instruction_file;

/// Whether an object is an instruction file: its name or its metadata says so, and its content is one. Only some writers
/// mark their files; one with the usual suffix may lie next to that with `suffix`. The content is fetched, unless the head
/// has it.
///
/// # Errors
/// What S3 refuses; `NotFound` if it was deleted since the head was read.
pub(super) async fn is_one(
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    suffix: Option<&InstructionSuffix>,
) -> Result<bool> {
    let is_named =
        [suffix, None].iter().any(|suffix| reader.uri.key.ends_with(&instruction_file_key("", *suffix)));
    if !(is_named || is_marked(head)) || head.len > MAX_INSTRUCTION_FILE_BYTES {
        return Ok(false);
    }
    if let Some(content) = &head.body {
        return Ok(is_instruction_file(content));
    }
    match reader.whole(MAX_INSTRUCTION_FILE_BYTES).await? {
        Some(content) => Ok(is_instruction_file(&content)),
        None => Err(Error::NotFound { subject: reader.subject(), source: None }),
    }
}

/// Whether the metadata of an object say that it is an instruction file.
pub(super) fn is_marked(head: &ObjectHead) -> bool {
    head.metadata.contains_key(INSTRUCTION_FILE_MARKER)
}
