//! The words of the command line for values of the core, with what they mean.
//!
//! Help, completions and man pages take them from here; the values themselves know nothing of clap.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::checksum::Algorithm;
use crate::encryption::{Format, Legacy, Mode};

impl ValueEnum for Mode {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::SseS3, Self::SseKms, Self::DsseKms, Self::SseC, Self::Client]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(match self {
            Self::SseS3 => "S3 encrypts with a key of its own",
            Self::SseKms => "S3 encrypts with a key in AWS KMS (--kms-key, --context, --bucket-key)",
            Self::DsseKms => "S3 encrypts twice with a key in AWS KMS (--kms-key, --context)",
            Self::SseC => "S3 encrypts with your key and forgets it (--sse-c-key)",
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
            Self::V2 => PossibleValue::new("v2").help("formats that do not commit to their key"),
            Self::Unauthenticated => {
                PossibleValue::new("unauthenticated").help("these, and bytes that nothing proves unchanged")
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
