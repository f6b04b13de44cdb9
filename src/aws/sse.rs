//! Server-side encryption on the wire.

use std::fmt;

/// What S3 says it applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The mode.
    pub mode: AppliedMode,
    /// The KMS key's ARN.
    pub kms_key: Option<String>,
    /// Whether a bucket key was used.
    pub bucket_key: bool,
    /// The MD5 of the customer's key, in base64.
    pub customer_key_md5: Option<String>,
}

/// The mode that an answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppliedMode {
    /// SSE-S3
    SseS3,
    /// SSE-KMS
    SseKms,
    /// DSSE-KMS
    DsseKms,
    /// SSE-C
    SseC,
    /// Nothing was said.
    NotSaid,
    /// A mode that s3seal does not know.
    Other(String),
}

impl fmt::Display for AppliedMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SseS3 => "SSE-S3",
            Self::SseKms => "SSE-KMS",
            Self::DsseKms => "DSSE-KMS",
            Self::SseC => "SSE-C",
            Self::NotSaid => "no encryption named",
            Self::Other(word) => word,
        })
    }
}
