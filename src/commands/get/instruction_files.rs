//! Which of many objects are instruction files: they belong to another object, and do not become files.
//!
//! Their names end in a suffix, but so may those of a user's own objects. Metadata decides, which takes two requests; a
//! listing is enough only for those of an object that stays as it is (`--update`).

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::aws::listing::ListedKey;
use crate::commands::changes::{LocalFile, is_older, reason_to_fetch};
use crate::commands::sse_c_keys::head;
use crate::encryption::Mode;
use crate::error::Result;
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{INSTRUCTION_FILE_MARKER, instruction_file_key};
use crate::seal::detect::{self, Detected};
use crate::transfer::target_directory::TargetDirectory;

use super::Download;
use super::selection::Selected;

/// An object, and the one listed before it whose instruction file it is by its name.
pub(super) struct Candidate<'a> {
    pub(super) selected: Selected<'a>,
    pub(super) owner: Option<Owner>,
}

/// What a listing says about the object that may own an instruction file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    key: String,
    len: u64,
    last_modified: Option<String>,
}

/// The objects of a sorted listing whose keys the next one may begin with: `a` is still here when `a.instruction` comes,
/// whatever was listed in between.
pub(super) struct ListedBefore<'a> {
    /// How the keys of instruction files end.
    end: String,
    base: Option<&'a S3Uri>,
    owners: Vec<Owner>,
}

impl<'a> ListedBefore<'a> {
    pub(super) fn new(end: String) -> Self {
        Self { end, base: None, owners: Vec::new() }
    }

    /// Takes the next object of the listing.
    pub(super) fn next(&mut self, selected: Selected<'a>) -> Candidate<'a> {
        let (ListedKey::Text(key), Some(len)) = (&selected.key, selected.len) else {
            return Candidate { selected, owner: None };
        };
        if self.base.replace(selected.base) != Some(selected.base) {
            self.owners.clear();
        }
        self.owners.retain(|owner| key.starts_with(&owner.key));
        let named = key.strip_suffix(&self.end);
        let owner = self.owners.iter().find(|owner| named == Some(&owner.key)).cloned();
        self.owners.push(Owner { key: key.clone(), len, last_modified: selected.last_modified.clone() });
        Candidate { selected, owner }
    }
}

/// Tells which of the objects that a listing has are instruction files.
pub(super) struct InstructionFiles<'a> {
    pub(super) download: Download<'a>,
    /// Whether objects are fetched as they are stored, these too.
    pub(super) raw: bool,
    /// Whether objects whose file is up to date stay.
    pub(super) update: bool,
    /// The encryption mode that each object must have.
    pub(super) expect: Option<Mode>,
    pub(super) folder: Arc<TargetDirectory>,
}

impl InstructionFiles<'_> {
    /// How their keys end.
    pub(super) fn end_of_keys(&self) -> String {
        instruction_file_key("", self.download.decryption_keys.suffix.as_ref())
    }

    /// Whether an object is the instruction file of another one. Sends requests only if the key has the suffix.
    pub(super) async fn contain(&self, uri: &S3Uri) -> Result<bool> {
        let decryption_keys = self.download.decryption_keys;
        let end = self.end_of_keys();
        let Some(beside) = uri.key.strip_suffix(&end).filter(|beside| !beside.is_empty()) else {
            return Ok(false);
        };
        if self.raw {
            return Ok(false);
        }
        // With `--instruction-suffix` the user says which files these are; otherwise the metadata of the file or of the
        // object does.
        let (file, object) = (self.metadata(uri).await?, self.metadata(&uri.with_key(beside)).await?);
        let needs_it =
            |metadata: &_| matches!(detect::detect(uri, metadata), Ok(Detected::InstructionFileNeeded));
        Ok(match object {
            Some(object) => decryption_keys.suffix.is_some() || needs_it(&object) || is_marked(file.as_ref()),
            None => is_marked(file.as_ref()),
        })
    }

    /// Whether the listing alone says so: the object that would own it stays as it is, was encrypted client-side, as its
    /// size shows, and was fetched when this file was there already.
    pub(super) fn belongs_to_unchanged(
        &self,
        len: u64,
        last_modified: Option<&str>,
        owner: &Owner,
        base: &S3Uri,
    ) -> bool {
        let keys = self.download.decryption_keys;
        if !self.update || self.raw || len > MAX_INSTRUCTION_FILE_BYTES {
            return false;
        }
        let Ok(target) = self.folder.find(base.relative(&owner.key)) else { return false };
        let Ok(metadata) = fs::symlink_metadata(target) else { return false };
        let here = LocalFile { len: metadata.len(), changed: metadata.ctime() };
        let is_client_side = here.len != owner.len || keys.suffix.is_some();
        let is_asked_for = !keys.opens_nothing_client_side();
        is_client_side
            && is_older(last_modified, here)
            && reason_to_fetch(here, owner.len, owner.last_modified.as_deref(), is_asked_for).is_none()
    }

    /// An object's metadata, if it can be read; if not, the download reports the error.
    async fn metadata(&self, uri: &S3Uri) -> Result<Option<BTreeMap<String, String>>> {
        let Download { connection, decryption_keys, cancellation, .. } = self.download;
        let keyed =
            cancellation.or(head(connection, uri, None, &decryption_keys.customer_keys, self.expect)).await?;
        Ok(keyed.ok().map(|keyed| keyed.head.metadata))
    }
}

fn is_marked(metadata: Option<&BTreeMap<String, String>>) -> bool {
    metadata.is_some_and(|metadata| metadata.contains_key(INSTRUCTION_FILE_MARKER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_found_behind_whatever_is_listed_in_between_and_in_its_own_listing_only() {
        let (one, other): (S3Uri, S3Uri) = ("s3://one/p/".parse().unwrap(), "s3://two/p/".parse().unwrap());
        let mut before = ListedBefore::new(".instruction".to_owned());
        let mut next = |base, key: &str| {
            let key = ListedKey::Text(format!("p/{key}"));
            let selected = Selected { key, len: Some(1), last_modified: None, base };
            before.next(selected).owner.map(|owner| owner.key)
        };
        for (key, owner) in [
            ("a", None),
            ("a-b", None),
            ("a.b", None),
            ("a.b.instruction", Some("p/a.b")),
            ("a.instruction", Some("p/a")),
            ("a.instruction.instruction", Some("p/a.instruction")),
            ("b.instruction", None),
            ("c", None),
        ] {
            assert_eq!(next(&one, key).as_deref(), owner, "{key}");
        }
        assert_eq!(next(&other, "c.instruction"), None);
    }
}
