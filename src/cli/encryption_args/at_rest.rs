//! `--at-rest`: server-side encryption of objects that are also encrypted client-side.

use std::str::FromStr;

use crate::encryption::{Context, KmsKey, ServerSide};

/// S3's own encryption of ciphertext.
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
    pub(crate) fn server_side(self) -> ServerSide {
        match self {
            Self::SseS3 => ServerSide::SseS3,
            Self::SseKms(key) => ServerSide::SseKms { key, context: Context::default(), bucket_key: false },
            Self::DsseKms(key) => ServerSide::DsseKms { key, context: Context::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_at_rest_is_parsed() {
        let at_rest = |text: &str| text.parse::<AtRest>();
        assert_eq!(at_rest("sse-s3"), Ok(AtRest::SseS3));
        assert_eq!(at_rest("sse-kms"), Ok(AtRest::SseKms(None)));
        assert_eq!(at_rest("dsse-kms:alias/a"), Ok(AtRest::DsseKms(Some("alias/a".parse().unwrap()))));
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
        assert_eq!(at_rest(&format!("sse-kms:{arn}")), Ok(AtRest::SseKms(Some(arn.parse().unwrap()))));
        for text in ["", "sse-s3:alias/a", "sse-c", "client", "sse-kms:", "sse-kms:a b"] {
            assert!(at_rest(text).is_err(), "{text}");
        }
    }
}
