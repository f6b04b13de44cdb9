//! The Amazon S3 Encryption Client's format: one message over the whole object, its tag at the end.
//!
//! Opening goes in steps, each of which hands over what the next needs, so that none can be left out:
//! [`Envelope`] (read from metadata) → [`Envelope::permit`] (policy) → [`Locked`] (which key?) →
//! [`Locked::unlock`] (commitment) → [`Unlocked`] → an opener, a range of it, or a new wrap of its data key.
//! Sealing is the reverse in one step: a data key, its wrap, [`sealer`]. No key source and no AWS KMS here.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::wrap::{self, Alg, Wrap, WrappedKey};
use super::{Seal, gcm};
use crate::encryption::{Format, Legacy, StoredFormat};
use crate::error::{Error, Result, Subject};
use crate::keys::DataKey;

mod cbc;
mod description;
pub mod instruction;
mod kdf;
mod message;
pub mod metadata;
mod range;
mod unlock;

pub use description::kms_context;
pub use range::RangeRead;
pub use unlock::{KmsRequest, Locked, Need, Unlocked};

const MESSAGE_ID_LEN: usize = 28;
const COMMITMENT_LEN: usize = 28;
const CBC_IV_LEN: usize = 16;

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

impl Version {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
        }
    }
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
    /// In an instruction file beside the object (of V3: the wrapped key only).
    InstructionFile,
}

/// The content algorithm and what it needs beside the key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Cbc { iv: [u8; CBC_IV_LEN] },
    Gcm { nonce: [u8; gcm::NONCE_LEN] },
    Committing { message_id: [u8; MESSAGE_ID_LEN], commitment: [u8; COMMITMENT_LEN] },
}

/// All that stands beside the sealed bytes. Well-formed, and nothing more: none of it is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The object's name, for messages.
    subject: Subject,
    version: Version,
    content: Content,
    wrap: Wrap,
    wrapped_key: Vec<u8>,
    /// Material description, or KMS encryption context.
    description: BTreeMap<String, String>,
    storage: Storage,
    claimed_len: Option<u64>,
}

impl Envelope {
    /// The object's name, as messages give it.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The message format.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The content algorithm, by the specification's name.
    #[must_use]
    pub fn suite(&self) -> &'static str {
        match self.content {
            Content::Cbc { .. } => "ALG_AES_256_CBC_IV16_NO_KDF",
            Content::Gcm { .. } => "ALG_AES_256_GCM_IV12_TAG16_NO_KDF",
            Content::Committing { .. } => "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY",
        }
    }

    /// How the data key is wrapped.
    #[must_use]
    pub fn wrap(&self) -> Wrap {
        self.wrap
    }

    /// The material description, or for KMS the encryption context. Nothing proves the former.
    #[must_use]
    pub fn description(&self) -> &BTreeMap<String, String> {
        &self.description
    }

    /// Where the envelope was found.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The fingerprint of the local wrapping key, where the writer noted one.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        wrap::named_key(&self.description)
    }

    /// Whether the wrapping key is derived from a passphrase.
    #[must_use]
    pub fn needs_passphrase(&self) -> bool {
        self.wrap == Wrap::AesGcm && self.description.contains_key(wrap::PASSPHRASE_ENTRY)
    }

    /// Whether its bytes prove that nobody changed them, once the whole is open.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        !matches!(self.content, Content::Cbc { .. })
    }

    /// The plain length that the metadata claims (`x-amz-unencrypted-content-length`). Anyone could write it there:
    /// to be shown, never to be used.
    #[must_use]
    pub fn claimed_len(&self) -> Option<u64> {
        self.claimed_len
    }

    /// The plain length of an object stored in `stored` bytes; nothing where only opening it can tell (CBC), or
    /// where there cannot be a whole message in it.
    #[must_use]
    pub fn plain_len(&self, stored: u64) -> Option<u64> {
        match self.content {
            Content::Cbc { .. } => None,
            Content::Gcm { .. } | Content::Committing { .. } => stored.checked_sub(gcm::TAG_LEN as u64),
        }
    }

    /// How far back a reader must be willing to go, and why; `None` for what is current.
    #[must_use]
    pub fn legacy(&self) -> Option<(Legacy, String)> {
        match (&self.content, self.wrap) {
            (Content::Cbc { .. }, _) => {
                Some((Legacy::Unauthenticated, "nothing authenticates its bytes (AES-CBC)".to_owned()))
            }
            (_, wrap) if wrap.is_outdated() => Some((
                Legacy::Unauthenticated,
                format!("its data key is wrapped in an outdated way ({})", wrap.title()),
            )),
            (Content::Gcm { .. }, _) => {
                Some((Legacy::V2, "its format (V2) does not commit to one key".to_owned()))
            }
            (Content::Committing { .. }, _) => None,
        }
    }

    /// What the wrap must have been made for.
    fn alg(&self) -> Alg {
        match self.version {
            Version::V3 => Alg::Committing,
            Version::V1 | Version::V2 => Alg::Gcm,
        }
    }

    /// Takes the step that policy allows or not, before any key is tried and any byte fetched.
    ///
    /// # Errors
    /// `Unsupported` if `legacy` does not reach that far; the text names the switch that would.
    pub fn permit(self, legacy: Legacy) -> Result<Locked> {
        let (least, why) = self.legacy().unwrap_or_default();
        if legacy >= least {
            return Ok(Locked::new(self, legacy));
        }
        let switch = least.as_str().unwrap_or_default();
        Err(Error::Unsupported {
            subject: self.subject,
            why: format!("{why}; --allow-legacy {switch} opens it all the same"),
        })
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

/// Starts to seal an object: V3 or V2, as `wrapped` was made for. The data key is used up: it seals this object
/// and no other, also if the upload has to begin anew.
///
/// `plain_len` is noted beside the object where it is known, and then must come true.
///
/// # Errors
/// `TooLarge` beyond the format's 64 GiB; `Unsupported` for a data key of less than 256 bits; `Local` where the
/// machine gives no random numbers.
pub fn sealer(
    data_key: &DataKey,
    wrapped: WrappedKey,
    storage: Storage,
    plain_len: Option<u64>,
) -> Result<Box<dyn Seal>> {
    if plain_len.is_some_and(|len| len > gcm::MAX_PLAIN) {
        return Err(gcm::too_large());
    }
    if data_key.as_bytes().len() != crate::keys::KEY_LEN {
        return Err(Error::Unsupported {
            subject: "a data key of less than 256 bits".into(),
            why: "objects are sealed with data keys of 256 bits".to_owned(),
        });
    }
    let (version, content, content_key) = match wrapped.alg {
        Alg::Gcm => {
            let key = Zeroizing::new(data_key.as_bytes().to_vec());
            (Version::V2, Content::Gcm { nonce: super::random()? }, key)
        }
        Alg::Committing => {
            let message_id = super::random()?;
            let kdf::Derived { key, commitment } = kdf::derive(data_key, &message_id)?;
            (Version::V3, Content::Committing { message_id, commitment }, key)
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
