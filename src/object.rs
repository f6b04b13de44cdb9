//! The settings of a new object: headers, metadata, tags, conditions.
//!
//! Pure values; `aws` puts them on requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod instruction_file;
mod mtime;

pub(crate) use instruction_file::{INSTRUCTION_FILE_MARKER, InstructionSuffix, instruction_file_key};
pub(crate) use mtime::{MTIME, mtime_text, read_mtime};

/// Everything about a new object except its bytes and its encryption.
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
    /// The storage class, by S3's name.
    pub(crate) storage_class: Option<String>,
    /// The canned ACL, by S3's name.
    pub(crate) acl: Option<String>,
    /// Single grants; not together with [`Settings::acl`].
    pub(crate) grants: Grants,
    /// `Expires`, in seconds since 1970.
    pub(crate) expires: Option<i64>,
    /// `x-amz-website-redirect-location`.
    pub(crate) website_redirect: Option<String>,
    pub(crate) lock: Lock,
    /// The days from the start of the run until the end of the retention, if that was asked for in days.
    pub(crate) retain_days: Option<i64>,
}

impl Settings {
    /// Returns the settings for a file: if no content type is given, it is guessed from the file's name.
    pub(crate) fn of_file(&self, name: &str) -> Self {
        let guessed = || mime_guess::from_path(name).first_raw().map(str::to_owned);
        Self { content_type: self.content_type.clone().or_else(guessed), ..self.clone() }
    }
}

/// The grantees of each permission, as the grant headers name them: `id="…"` or `uri="…"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    /// `FULL_CONTROL`.
    pub(crate) full_control: Vec<String>,
    /// `READ`.
    pub(crate) read: Vec<String>,
    /// `READ_ACP`.
    pub(crate) read_acp: Vec<String>,
    /// `WRITE_ACP`.
    pub(crate) write_acp: Vec<String>,
}

pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// Object Lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The retention mode, by S3's name.
    pub(crate) mode: Option<String>,
    /// The end of the retention, in seconds since 1970.
    pub(crate) retain_until: Option<i64>,
    /// Whether a legal hold is on.
    pub(crate) legal_hold: bool,
}

/// An envelope as it is stored: wrapped data key, IV, algorithms, description. Not secret.
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
    /// `s3://BUCKET/KEY`.
    #[serde(rename = "uri")]
    pub(crate) uri: String,
    /// Its bytes as text.
    #[serde(rename = "content")]
    pub(crate) content: String,
}

/// The condition of a write. S3 checks it, so there is no race.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    /// Always.
    #[default]
    None,
    /// Only if no object exists (`If-None-Match: *`).
    Absent,
    /// Only if the object still has this ETag (`If-Match`).
    Matches(String),
}
