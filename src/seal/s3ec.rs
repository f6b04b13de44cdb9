//! The Amazon S3 Encryption Client's format: one message over the whole object, its tag at the end.
//!
//! Opening takes steps. Each returns the type that the next one needs, so that none can be left out: [`Envelope`] (read
//! from metadata) → [`Envelope::permit`] (policy) → [`PermittedEnvelope`] (which key?) →
//! [`PermittedEnvelope::with_data_key`] (commitment) → [`DecryptableEnvelope`] → an opener, a range, or a new wrap of
//! the data key. Sealing takes one: a data key and its wrap → [`sealer`]. Key sources and AWS KMS are elsewhere.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::wrap::{self, Alg, Wrap, WrappedKey};
use super::{Seal, gcm};
use crate::encryption::{Format, Legacy, StoredFormat};
use crate::error::{Error, Result, Subject, Unsupported};
use crate::keys::DataKey;

mod cbc;
mod data_key;
mod description;
pub mod instruction;
mod kdf;
mod message;
pub mod metadata;
mod range;

pub use data_key::{DecryptableEnvelope, KmsRequest, PermittedEnvelope};
pub(crate) use description::RESERVED;
pub use description::kms_context;
pub use range::RangeRead;

const MESSAGE_ID_LEN: usize = 28;
const COMMITMENT_LEN: usize = 28;
const CBC_IV_LEN: usize = 16;
/// How many bytes a replay encrypts at once.
const REPLAY_STEP: usize = 64 * 1024;

/// The message formats, by the names that the specification gives them; not the versions of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// Always AES-CBC.
    V1,
    /// AES-GCM, or AES-CBC by early clients.
    V2,
    /// AES-GCM under a derived key that the envelope commits to.
    V3,
}

impl From<Version> for StoredFormat {
    fn from(version: Version) -> Self {
        match version {
            Version::V1 => Self::S3ecV1,
            Version::V2 => Self::Writable(Format::S3ecV2),
            Version::V3 => Self::Writable(Format::S3ec),
        }
    }
}

/// Where an envelope is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Storage {
    /// In the object's metadata.
    #[default]
    Metadata,
    /// In an instruction file; of V3 only the wrapped key is there.
    InstructionFile,
}

/// The content algorithm and its parameters, without the key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ContentAlgorithm {
    Cbc { iv: [u8; CBC_IV_LEN] },
    Gcm { nonce: [u8; gcm::NONCE_LEN] },
    Committing { message_id: [u8; MESSAGE_ID_LEN], commitment: [u8; COMMITMENT_LEN] },
}

/// All that is stored in addition to the ciphertext. Well-formed, but not authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The object's name, for messages.
    subject: Subject,
    version: Version,
    content: ContentAlgorithm,
    wrap: Wrap,
    wrapped_key: Vec<u8>,
    /// Material description, or KMS encryption context.
    description: BTreeMap<String, String>,
    storage: Storage,
    claimed_len: Option<u64>,
}

impl Envelope {
    /// The object's name, as messages give it.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The message format.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The content algorithm, by the specification's name.
    pub fn suite(&self) -> &'static str {
        match self.content {
            ContentAlgorithm::Cbc { .. } => "ALG_AES_256_CBC_IV16_NO_KDF",
            ContentAlgorithm::Gcm { .. } => "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
            ContentAlgorithm::Committing { .. } => "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
        }
    }

    /// How the data key is wrapped.
    pub fn wrap(&self) -> Wrap {
        self.wrap
    }

    /// The material description, which is not authenticated, or for KMS the encryption context.
    pub fn description(&self) -> &BTreeMap<String, String> {
        &self.description
    }

    /// Where the envelope was found.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The fingerprint of the local wrapping key, if the envelope names it.
    pub fn fingerprint(&self) -> Option<&str> {
        wrap::named_key(&self.description)
    }

    /// Whether the wrapping key is derived from a passphrase.
    pub fn needs_passphrase(&self) -> bool {
        self.wrap == Wrap::AesGcm && self.description.contains_key(wrap::PASSPHRASE_ENTRY)
    }

    /// Whether the ciphertext is authenticated, once all of it has been opened.
    pub fn is_authenticated(&self) -> bool {
        !matches!(self.content, ContentAlgorithm::Cbc { .. })
    }

    /// The plaintext's length by `x-amz-unencrypted-content-length`. Not authenticated: show it, never compute with it.
    pub fn claimed_len(&self) -> Option<u64> {
        self.claimed_len
    }

    /// The plaintext's length of an object stored in `stored` bytes; `None` for CBC, where only opening it can tell,
    /// and for objects too short to hold a message.
    pub fn plain_len(&self, stored: u64) -> Option<u64> {
        match self.content {
            ContentAlgorithm::Cbc { .. } => None,
            ContentAlgorithm::Gcm { .. } | ContentAlgorithm::Committing { .. } => {
                stored.checked_sub(gcm::TAG_LEN as u64)
            }
        }
    }

    /// The legacy level that a reader must allow, and why; `None` for current objects.
    pub fn legacy(&self) -> Option<(Legacy, String)> {
        match (&self.content, self.wrap) {
            (ContentAlgorithm::Cbc { .. }, _) => {
                Some((Legacy::Unauthenticated, "its bytes are not authenticated (AES-CBC)".to_owned()))
            }
            (_, wrap) if wrap.is_outdated() => Some((
                Legacy::Unauthenticated,
                format!("its data key is wrapped with an outdated algorithm ({})", wrap.title()),
            )),
            (ContentAlgorithm::Gcm { .. }, _) => {
                Some((Legacy::V2, "its format (V2) does not commit to one key".to_owned()))
            }
            (ContentAlgorithm::Committing { .. }, _) => None,
        }
    }

    /// The content algorithm that the wrap must be bound to.
    fn alg(&self) -> Alg {
        match self.version {
            Version::V3 => Alg::Committing,
            Version::V1 | Version::V2 => Alg::Gcm,
        }
    }

    /// Applies the policy, before any key is tried and any byte fetched. Fails with `Unsupported` if the object needs
    /// more than `legacy` allows.
    pub fn permit(self, legacy: Legacy) -> Result<PermittedEnvelope> {
        let (least, why) = self.legacy().unwrap_or_default();
        if legacy >= least {
            return Ok(PermittedEnvelope::new(self, legacy));
        }
        Err(Error::unsupported(self.subject, Unsupported::Legacy { why: why.into(), least }))
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

/// Starts to seal an object in V3 or V2, whichever `wrapped` was made for. The data key must not seal another object,
/// and not this one again if the upload has to start over.
///
/// `plain_len`, if known, is stored in the metadata; the sealer then fails on any other length.
///
/// # Errors
/// `TooLarge` beyond the format's 64 GiB; `Unsupported` for a data key of less than 256 bits.
pub fn sealer(
    data_key: &DataKey,
    wrapped: WrappedKey,
    storage: Storage,
    plain_len: Option<u64>,
) -> Result<Box<dyn Seal>> {
    if plain_len.is_some_and(|len| len > gcm::MAX_PLAIN) {
        return Err(gcm::too_large());
    }
    super::require_256_bits(data_key)?;
    let (version, content, content_key) = match wrapped.alg {
        Alg::Gcm => {
            let key = Zeroizing::new(data_key.as_bytes().to_vec());
            (Version::V2, ContentAlgorithm::Gcm { nonce: super::random()? }, key)
        }
        Alg::Committing => {
            let message_id = super::random()?;
            let kdf::Derived { key, commitment } = kdf::derive(data_key, &message_id)?;
            (Version::V3, ContentAlgorithm::Committing { message_id, commitment }, key)
        }
    };
    let envelope = Envelope {
        subject: "the object".into(),
        version,
        content,
        wrap: wrapped.wrap,
        wrapped_key: wrapped.bytes,
        description: wrapped.description,
        storage,
        claimed_len: plain_len,
    };
    Ok(Box::new(message::Sealer::new(&envelope, &content_key)?))
}
