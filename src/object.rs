//! What else is said about an object when it is written: headers, metadata, tags, conditions.
//!
//! Plain values from the edge to the request; `aws` alone knows how they travel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod instruction_file;

pub(crate) use instruction_file::{INSTRUCTION_FILE_MARKER, InstructionSuffix, instruction_file_key};

/// Everything about a new object beside its bytes and its encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `Content-Type`.
    pub(crate) content_type: Option<String>,
    /// `Cache-Control`.
    pub(crate) cache_control: Option<String>,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub(crate) content_disposition: Option<String>,
    /// `Content-Language`.
    pub(crate) content_language: Option<String>,
    /// User metadata: keys in lower case, without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The storage class, in S3's word.
    pub(crate) storage_class: Option<String>,
    /// The canned ACL, in S3's word.
    pub(crate) acl: Option<String>,
    /// Grants one by one, where no canned ACL says them; not together with [`Settings::acl`].
    pub(crate) grants: Grants,
    /// `Expires`, in seconds since 1970.
    pub(crate) expires: Option<i64>,
    /// Where a website's visitor is sent instead (`x-amz-website-redirect-location`).
    pub(crate) website_redirect: Option<String>,
    pub(crate) lock: Lock,
}

impl Settings {
    /// Returns the settings of a file of this name, which its content type is guessed from if none is given.
    pub(crate) fn of_file(&self, name: &str) -> Self {
        let guessed = || mime_guess::from_path(name).first_raw().map(str::to_owned);
        Self { content_type: self.content_type.clone().or_else(guessed), ..self.clone() }
    }
}

/// Who may do what with an object, as the grant headers say it: `id="…"` or `uri="…"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    /// Everything.
    pub(crate) full_control: Vec<String>,
    /// Reading the object.
    pub(crate) read: Vec<String>,
    /// Reading its ACL.
    pub(crate) read_acp: Vec<String>,
    /// Writing its ACL.
    pub(crate) write_acp: Vec<String>,
}

/// How an object is protected from deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The retention mode, in S3's word.
    pub(crate) mode: Option<String>,
    /// The end of the retention, in seconds since 1970.
    pub(crate) retain_until: Option<i64>,
    /// Whether a legal hold is on.
    pub(crate) legal_hold: bool,
}

/// What stands in addition to the ciphertext and opens it for whoever has the key: wrapped data key, IV, algorithms,
/// description. Nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicEnvelope {
    /// Its entries in the object's metadata, without `x-amz-meta-`.
    #[serde(rename = "metadata")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its instruction file, if it has one.
    #[serde(rename = "instruction_file", default, skip_serializing_if = "Option::is_none")]
    pub(crate) instruction_file: Option<FileContent>,
}

/// A small object with its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileContent {
    /// Where it lies, as `s3://BUCKET/KEY`.
    #[serde(rename = "uri")]
    pub(crate) uri: String,
    /// What it holds.
    #[serde(rename = "content")]
    pub(crate) content: String,
}

/// On what condition a write happens; S3 decides, so there is no race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    /// Always.
    #[default]
    None,
    /// Only where no object is (`If-None-Match: *`).
    Absent,
    /// Only where the object still has this ETag.
    Matches(String),
}
