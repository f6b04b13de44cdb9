//! What else is said about an object when it is written: headers, metadata, tags, conditions.
//!
//! Plain values from the edge to the request; `aws` alone knows how they travel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything about a new object beside its bytes and its encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// User metadata: keys in lower case, without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// The storage class, in S3's word.
    pub storage_class: Option<String>,
    /// The canned ACL, in S3's word.
    pub acl: Option<String>,
    /// Grants one by one, where no canned ACL says them; not together with [`Settings::acl`].
    pub grants: Grants,
    /// `Expires`, in seconds since 1970.
    pub expires: Option<i64>,
    /// Where a website's visitor is sent instead (`x-amz-website-redirect-location`).
    pub website_redirect: Option<String>,
    /// Object Lock.
    pub lock: Lock,
}

impl Settings {
    /// Returns the settings of a file of this name, which its content type is guessed from if none is given.
    #[must_use]
    pub fn of_file(&self, name: &str) -> Self {
        let guessed = || mime_guess::from_path(name).first_raw().map(str::to_owned);
        Self { content_type: self.content_type.clone().or_else(guessed), ..self.clone() }
    }
}

/// Who may do what with an object, as the grant headers say it: `id="…"` or `uri="…"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Everything.
    pub full_control: Vec<String>,
    /// Reading the object.
    pub read: Vec<String>,
    /// Reading its ACL.
    pub read_acp: Vec<String>,
    /// Writing its ACL.
    pub write_acp: Vec<String>,
}

/// How an object is protected from deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The retention mode, in S3's word.
    pub mode: Option<String>,
    /// The end of the retention, in seconds since 1970.
    pub until: Option<i64>,
    /// Whether a legal hold is on.
    pub legal_hold: bool,
}

impl Lock {
    /// Whether nothing is locked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What stands in addition to the ciphertext and opens it for whoever has the key: wrapped data key, IV, algorithms,
/// description. Nothing of it is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicEnvelope {
    /// Its entries in the object's metadata, without `x-amz-meta-`.
    #[serde(rename = "metadata")]
    pub metadata: BTreeMap<String, String>,
    /// Its instruction file, if it has one.
    #[serde(rename = "instruction_file", default, skip_serializing_if = "Option::is_none")]
    pub instruction_file: Option<FileContent>,
}

/// A small object with its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContent {
    /// Where it lies, as `s3://BUCKET/KEY`.
    #[serde(rename = "uri")]
    pub uri: String,
    /// What it holds.
    #[serde(rename = "content")]
    pub content: String,
}

/// On what condition a write happens; S3 decides, so there is no race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Always.
    #[default]
    None,
    /// Only where no object is (`If-None-Match: *`).
    Absent,
    /// Only where the object still has this ETag.
    Matches(String),
}
