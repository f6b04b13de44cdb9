//! What else is said about an object when it is written: headers, metadata, tags, conditions.
//!
//! Plain values from the edge to the request; `aws` alone knows how they travel.

use std::collections::BTreeMap;

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
