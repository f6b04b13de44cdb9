//! `--at-rest`: what S3 does to bytes that were encrypted before they left.

use std::str::FromStr;

use crate::encryption::{Context, KmsKey, ServerSide};

/// What S3 does to sealed bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AtRest {
    /// SSE-S3.
    SseS3,
    /// SSE-KMS; none named means the account's `aws/s3` key.
    SseKms(Option<KmsKey>),
    /// DSSE-KMS, likewise.
    DsseKms(Option<KmsKey>),
}

impl FromStr for AtRest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, key) = match text.split_once(':') {
            Some((word, key)) => (word, Some(key)),
            None => (text, None),
        };
        let key = key.map(KmsKey::from_str).transpose().map_err(|error| error.to_string())?;
        match (word, key) {
            ("sse-s3", None) => Ok(Self::SseS3),
            ("sse-kms", key) => Ok(Self::SseKms(key)),
            ("dsse-kms", key) => Ok(Self::DsseKms(key)),
            _ => Err("write sse-s3, sse-kms, sse-kms:KEY, dsse-kms or dsse-kms:KEY".to_owned()),
        }
    }
}

impl AtRest {
    /// The mode as requests ask for it.
    #[must_use]
    pub(crate) fn server_side(self) -> ServerSide {
        match self {
            Self::SseS3 => ServerSide::SseS3,
            Self::SseKms(key) => ServerSide::SseKms { key, context: Context::default(), bucket_key: false },
            Self::DsseKms(key) => ServerSide::DsseKms { key, context: Context::default() },
        }
    }
}
