//! Verifies that an envelope is stored as it was sent: some servers drop or change metadata and report success.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::aws::probe::Probe;
use crate::aws::read_object::{HeadOptions, ObjectReader};
use crate::aws::upload::Completed;
use crate::encryption::Format;
use crate::error::{Error, LostEnvelope, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::PublicEnvelope;
use crate::seal::detect::{self, Detected, is_envelope_entry};
use crate::transfer::Cancellation;

/// An envelope that was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentEnvelope {
    pub(crate) new: PublicEnvelope,
    /// The envelope that it replaces, if any.
    pub(crate) old: Option<PublicEnvelope>,
    /// Whether the object cannot be decrypted without it. An Encryption SDK message contains its own envelope.
    pub(crate) is_needed: bool,
}

impl SentEnvelope {
    /// Makes one that replaces no other.
    pub(crate) fn new(new: PublicEnvelope, format: Format) -> Self {
        Self { new, old: None, is_needed: format != Format::Esdk }
    }

    /// Reads its stored instruction file; `reader` reads the object. `None` if there is none.
    ///
    /// # Errors
    /// What S3 refuses; `TooLarge` for more than any instruction file has.
    pub(crate) async fn read_file(&self, reader: &ObjectReader<'_>) -> Result<Option<Bytes>> {
        let sent = self.new.instruction_file.as_ref();
        let Some(uri) = sent.and_then(|file| file.uri.parse::<S3Uri>().ok()) else { return Ok(None) };
        ObjectReader { uri: &uri, version_id: None, ..*reader }.whole(MAX_INSTRUCTION_FILE_BYTES).await
    }

    /// Compares its instruction file with the stored one.
    ///
    /// # Errors
    /// `EnvelopeLost` if they differ.
    pub(crate) fn compare_file(&self, uri: &S3Uri, found: Option<&[u8]>) -> Result<()> {
        let Some(sent) = &self.new.instruction_file else { return Ok(()) };
        let verb = match found {
            Some(found) if found == sent.content.as_bytes() => return Ok(()),
            Some(_) => "changed",
            None => "dropped",
        };
        let change = format!("{verb} the instruction file {}", sent.uri);
        Err(Error::EnvelopeLost(Box::new(LostEnvelope {
            is_about_file: true,
            ..self.lost(uri, None, change)
        })))
    }

    /// Compares it with an object's metadata.
    ///
    /// # Errors
    /// `EnvelopeLost` if they differ.
    pub(crate) fn compare(
        &self,
        uri: &S3Uri,
        version_id: Option<&str>,
        found: &BTreeMap<String, String>,
    ) -> Result<()> {
        match change(&self.new.metadata, &envelope_entries(found)) {
            None => Ok(()),
            Some(change) => Err(Error::EnvelopeLost(Box::new(self.lost(uri, version_id, change)))),
        }
    }

    /// Whether somebody else has put another envelope into an object's metadata since: it is whole, and names a key that is
    /// neither the new nor the old one's. A server that drops or changes metadata makes no such envelope.
    pub(crate) fn is_replaced(&self, found: &BTreeMap<String, String>) -> bool {
        let named = |metadata| match detect::detect("the object", metadata) {
            Ok(Detected::S3ec(envelope)) => envelope.fingerprint().map(str::to_owned),
            _ => None,
        };
        let old = self.old.as_ref().and_then(|old| named(&old.metadata));
        let (new, found) = (named(&self.new.metadata), named(found));
        new.is_some() && found.is_some() && found != new && found != old
    }

    fn lost(&self, uri: &S3Uri, version_id: Option<&str>, change: String) -> LostEnvelope {
        LostEnvelope {
            uri: uri.clone(),
            version_id: version_id.map(str::to_owned),
            change,
            new: self.new.clone(),
            old: self.old.clone(),
            is_about_file: false,
            is_needed: self.is_needed,
            stored: true,
        }
    }
}

/// The entries of an object's metadata that belong to its envelope.
pub(crate) fn envelope_entries(metadata: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let entries = metadata.iter().filter(|(name, _)| is_envelope_entry(name));
    entries.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Sends a HEAD for an object that was stored, and a GET for its instruction file if it has one, and checks that its
/// envelope is there. What is denied is not an error: a writer may not have permission to read.
///
/// # Errors
/// `EnvelopeLost` if it is missing or was changed.
pub(crate) async fn verify_stored(
    reader: &ObjectReader<'_>,
    stored: &Completed,
    sent: &SentEnvelope,
    cancellation: &Cancellation,
) -> Result<Probe<()>> {
    // The object is already stored: a signal ends only the check. The file is read first: whoever replaces both writes it
    // before the object, so that the HEAD after it shows the other object, too.
    let file = match cancellation.or(sent.read_file(reader)).await.flatten() {
        // It is not the one that was sent, which is not that long.
        Err(Error::TooLarge { .. }) => Probe::Known(Some(Bytes::new())),
        answer => Probe::of(answer, "s3:GetObject"),
    };
    let answer =
        cancellation.or(reader.head_with(HeadOptions { checksum: false, explain: false })).await.flatten();
    let head = match Probe::of(answer, "s3:GetObject") {
        Probe::Known(head) => head,
        unknown => return Ok(unknown.map(drop)),
    };
    let compared =
        sent.compare(reader.uri, stored.version_id.as_deref(), &head.metadata).and_then(|()| match file {
            Probe::Known(file) => sent.compare_file(reader.uri, file.as_deref()).map(Probe::Known),
            unknown => Ok(unknown.map(drop)),
        });
    let is_another = stored.version_id.is_some() && head.version_id != stored.version_id
        || stored.etag.is_some() && head.etag != stored.etag;
    match compared {
        Err(_) if is_another => {
            Ok(Probe::Unavailable("another object has been written there since".to_owned()))
        }
        compared => compared,
    }
}

/// Describes how these entries were changed; `None` if they were not.
fn change(sent: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Option<String> {
    let names =
        |entries: Vec<&String>| entries.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let kinds = [
        ("dropped", sent.keys().filter(|name| !found.contains_key(*name)).collect()),
        (
            "changed",
            sent.iter()
                .filter(|(name, value)| found.get(*name).is_some_and(|other| other != *value))
                .map(|(name, _)| name)
                .collect(),
        ),
        ("added", found.keys().filter(|name| !sent.contains_key(*name)).collect()),
    ];
    let words: Vec<String> = kinds
        .into_iter()
        .filter(|(_, entries): &(_, Vec<&String>)| !entries.is_empty())
        .map(|(verb, entries)| format!("{verb} {}", names(entries)))
        .collect();
    (!words.is_empty()).then(|| words.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_change_of_an_entry_is_named() {
        let sent = entries(&[("x-amz-3", "a"), ("x-amz-c", "115"), ("x-amz-d", "b")]);
        assert_eq!(change(&sent, &sent), None);
        let found = entries(&[("x-amz-3", "z"), ("x-amz-d", "b"), ("x-amz-iv", "c")]);
        assert_eq!(
            change(&sent, &found).as_deref(),
            Some("dropped x-amz-c and changed x-amz-3 and added x-amz-iv")
        );
    }

    #[test]
    fn metadata_of_the_user_are_no_part_of_an_envelope() {
        let found = entries(&[("x-amz-3", "a"), ("mtime", "1"), ("s3seal-format", "esdk")]);
        assert_eq!(envelope_entries(&found), entries(&[("s3seal-format", "esdk"), ("x-amz-3", "a")]));
    }
}
