//! The encryption that the flags choose, before and after its keys are read.

use super::at_rest::AtRest;
use crate::cli::failure::Failure;
use crate::cli::key_reader::KeyReader;
use crate::cli::key_source::KeySource;
use crate::defaults;
use crate::encryption::{
    ClientSide, Context, Encryption, Format, KeyName, KmsKey, Mode, Recipient, ServerSide,
};

/// The encryption that the flags choose; the keys are not read yet.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice {
    /// A mode that needs no key from here.
    SseS3,
    /// SSE-KMS.
    SseKms {
        key: Option<KmsKey>,
        context: Context,
        bucket_key: bool,
    },
    /// DSSE-KMS.
    DsseKms {
        key: Option<KmsKey>,
        context: Context,
    },
    SseC(KeySource),
    Client(ClientChoice),
}

/// Client-side encryption, its keys not read yet.
#[derive(Debug, PartialEq)]
pub(crate) struct ClientChoice {
    pub(super) recipients: Vec<RecipientChoice>,
    pub(super) format: Option<Format>,
    pub(super) context: Context,
    pub(super) bind_name: bool,
    pub(super) at_rest: Option<AtRest>,
    pub(super) instruction_file: bool,
    pub(super) frame_length: Option<u32>,
    pub(super) key_name: Option<KeyName>,
}

#[derive(Debug, PartialEq)]
pub(super) enum RecipientChoice {
    Aes(KeySource),
    Rsa(KeySource),
    Kms(KmsKey),
    Passphrase(KeySource),
}

impl Choice {
    /// The mode, without what belongs to it.
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
            Self::SseC(_) => Mode::SseC,
            Self::Client(_) => Mode::Client,
        }
    }

    /// The sources of its keys that are not in KMS, in the order in which they are read.
    pub(crate) fn sources(&self) -> Vec<KeySource> {
        match self {
            Self::SseS3 | Self::SseKms { .. } | Self::DsseKms { .. } => Vec::new(),
            Self::SseC(source) => vec![source.clone()],
            Self::Client(choice) => {
                let sources = choice.recipients.iter().filter_map(|recipient| match recipient {
                    RecipientChoice::Aes(source)
                    | RecipientChoice::Rsa(source)
                    | RecipientChoice::Passphrase(source) => Some(source.clone()),
                    RecipientChoice::Kms(_) => None,
                });
                sources.collect()
            }
        }
    }

    pub(crate) fn with_keys(self, keys: &KeyReader) -> Result<Encryption, Failure> {
        Ok(match self {
            Self::SseS3 => Encryption::Server(ServerSide::SseS3),
            Self::SseKms { key, context, bucket_key } => {
                Encryption::Server(ServerSide::SseKms { key, context, bucket_key })
            }
            Self::DsseKms { key, context } => Encryption::Server(ServerSide::DsseKms { key, context }),
            Self::SseC(source) => {
                Encryption::Server(ServerSide::SseC(keys.customer_key("--sse-c-key", &source)?))
            }
            Self::Client(choice) => Encryption::Client(choice.with_keys(keys)?),
        })
    }
}

impl ClientChoice {
    fn with_keys(self, keys: &KeyReader) -> Result<ClientSide, Failure> {
        let recipients = self.recipients.into_iter().map(|recipient| {
            Ok(match recipient {
                RecipientChoice::Aes(source) => Recipient::Aes(keys.symmetric("--key", &source)?),
                RecipientChoice::Rsa(source) => Recipient::Rsa(keys.public_key("--public-key", &source)?),
                RecipientChoice::Kms(key) => Recipient::Kms(key),
                RecipientChoice::Passphrase(source) => {
                    Recipient::Passphrase(keys.passphrase("--passphrase", &source)?, defaults::ARGON2)
                }
            })
        });
        Ok(ClientSide {
            recipients: recipients.collect::<Result<_, Failure>>()?,
            format: self.format,
            context: self.context,
            bind_name: self.bind_name,
            at_rest: self.at_rest.map(AtRest::server_side),
            instruction_file: self.instruction_file,
            frame_length: self.frame_length,
            key_name: self.key_name,
        })
    }
}
