//! The documents of `inspect` about a bucket: its settings, and its S3 Inventory report.

use std::collections::BTreeSet;

use serde::Serialize;

use super::inspection::Probe;

/// A bucket.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BucketDocument {
    /// Its name.
    pub(crate) bucket: String,
    /// Its region; null if the server does not say.
    pub(crate) region: Probe<Option<String>>,
    /// What happens to an object that is stored without naming an encryption; null if the server keeps no such setting.
    pub(crate) default_encryption: Probe<Option<DefaultEncryption>>,
    /// What its policy demands, as far as that can be read; null without a policy.
    pub(crate) policy: Probe<Option<Policy>>,
    /// `Enabled` or `Suspended`; null if it never kept versions.
    pub(crate) versioning: Probe<Option<String>>,
    /// The lifecycle rule that aborts incomplete uploads; null without one.
    pub(crate) incomplete_uploads: Probe<Option<AbortRule>>,
}

/// A bucket's default encryption.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DefaultEncryption {
    /// The mode: `sse-s3`, `sse-kms`, `dsse-kms`, or `none` if the rule names none.
    pub(crate) mode: String,
    /// The KMS key; null for the account's `aws/s3` and for other modes.
    pub(crate) kms_key: Option<String>,
    /// Whether an S3 Bucket Key is used.
    pub(crate) bucket_key: bool,
    /// The modes that writes may not use, in S3's words; null if the server does not say.
    pub(crate) blocked: Option<Vec<String>>,
}

/// What a bucket policy demands of everybody, as far as that can be read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Policy {
    /// Whether requests without TLS are denied.
    pub(crate) requires_tls: Requirement,
    /// The oldest TLS version that is let in, such as `1.2`.
    pub(crate) minimum_tls_version: Option<String>,
    /// What the encryption header of a write must be, in S3's words, such as `aws:kms`; empty for no demand.
    pub(crate) required_encryption: BTreeSet<String>,
    /// The KMS keys that a write must name; empty for no demand.
    pub(crate) required_kms_keys: BTreeSet<String>,
    /// Whether a write must carry an encryption header.
    pub(crate) requires_encryption_header: bool,
    /// Whether writes in SSE-C are denied.
    pub(crate) denies_sse_c: bool,
}

/// For how much something is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Requirement {
    /// Not, as far as can be read.
    None,
    /// For some actions or objects.
    Some,
    /// For all.
    All,
}

/// A lifecycle rule that aborts incomplete uploads.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct AbortRule {
    /// After how many days.
    pub(crate) days: u32,
    /// Whether it is for the whole bucket.
    pub(crate) whole_bucket: bool,
}

/// A report of S3 Inventory.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InventoryDocument {
    /// The bucket that it is about.
    pub(crate) bucket: String,
    /// When it was started (RFC 3339).
    pub(crate) created: Option<String>,
    /// The format of its files, in S3's word.
    pub(crate) format: String,
    /// How many files it has.
    pub(crate) files: usize,
    /// What no such report says of objects: `keys`, which encryption key one has; `client_side`, client-side encryption.
    pub(crate) not_covered: Vec<String>,
}
