//! The names of values on the command line, with their descriptions for help, completions and man pages.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::checksum::Algorithm;
use crate::encryption::{Format, Legacy, Mode};

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(match self {
            Self::SseS3 => "S3 encrypts with its own key",
            Self::SseKms => "S3 encrypts with a key in AWS KMS (--kms-key, --context, --bucket-key)",
            Self::DsseKms => "S3 encrypts twice with a key in AWS KMS (--kms-key, --context)",
            Self::SseC => "S3 encrypts with your key, which it does not keep (--sse-c-key)",
            Self::Client => {
                "encrypted before it leaves this machine (--key, --public-key, --kms-key or --passphrase)"
            }
        }))
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::S3ec, Self::S3ecV2, Self::Esdk]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(match self {
            Self::S3ec => "Amazon S3 Encryption Client, version 3: key-committing",
            Self::S3ecV2 => "Amazon S3 Encryption Client, version 2: for older readers",
            Self::Esdk => "AWS Encryption SDK: framed, key-committing, for streams of any length",
        }))
    }
}

impl ValueEnum for Legacy {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::V2, Self::Unauthenticated]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Refused => return None,
            Self::V2 => PossibleValue::new("v2").help("formats without key commitment"),
            Self::Unauthenticated => {
                PossibleValue::new("unauthenticated").help("also content without authentication")
            }
        })
    }
}

impl ValueEnum for Algorithm {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}
