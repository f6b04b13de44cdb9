//! Puts an envelope into an object's metadata, which the user's own entries share with it.

use std::collections::BTreeMap;

use crate::error::{Error, Result, Subject, Unsupported};
use crate::object::Settings;
use crate::s3_limits::MAX_METADATA_BYTES;
use crate::seal::detect::is_envelope_entry;

/// Puts the envelope into the object's metadata, which must have no entry of an envelope yet.
pub(super) fn describe(settings: &mut Settings, envelope: &BTreeMap<String, String>) -> Result<()> {
    if let Some(name) = settings.metadata.keys().find(|name| is_envelope_entry(name)) {
        return Err(Error::unsupported(
            Subject::other(format!("the metadata '{name}'")),
            "this name is reserved for the envelope of client-side encryption",
        ));
    }
    settings.metadata.extend(envelope.clone());
    fits(&settings.metadata)
}

/// Refuses more metadata than S3 accepts.
pub(super) fn fits(metadata: &BTreeMap<String, String>) -> Result<()> {
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA_BYTES {
        return Err(Error::unsupported(
            Subject::other(format!("metadata of {bytes} bytes")),
            Unsupported::EnvelopeTooLarge { limit: MAX_METADATA_BYTES },
        ));
    }
    Ok(())
}
