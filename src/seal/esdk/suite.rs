//! The algorithm suites, and the keys that they derive from a data key.
//!
//! A closed table: a header's number is valid only if it is listed here for its message version. Other AWS libraries share
//! the numbering; their suites are not listed.

use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, HKDF_SHA512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::Result;
use crate::keys::DataKey;
use crate::seal::{gcm, hkdf};

/// The length of a stored commitment, in bytes.
pub(super) const COMMITMENT_LEN: usize = 32;

/// An algorithm suite of the AWS Encryption SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Suite {
    id: u16,
    name: &'static str,
    key_len: usize,
    kdf: Kdf,
    curve: Option<Curve>,
}

/// How the content key is derived from the data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kdf {
    /// Not at all: it is the data key.
    None,
    /// HKDF over suite and message id.
    Sha256,
    /// The same with a longer hash.
    Sha384,
    /// HKDF salted with the message id; a second output commits to the data key.
    Committing,
}

/// The curve of a suite's signature; the hash has the same length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Curve {
    P256,
    P384,
}

/// The one suite that is written: committing, unsigned.
pub(super) const WRITTEN: Suite =
    row(0x0478, "AES_256_GCM_HKDF_SHA512_COMMIT_KEY", 32, Kdf::Committing, None);

const SUITES: [Suite; 11] = [
    WRITTEN,
    row(0x0578, "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384", 32, Kdf::Committing, Some(Curve::P384)),
    row(0x0378, "AES_256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 32, Kdf::Sha384, Some(Curve::P384)),
    row(0x0346, "AES_192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384", 24, Kdf::Sha384, Some(Curve::P384)),
    row(0x0214, "AES_128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256", 16, Kdf::Sha256, Some(Curve::P256)),
    row(0x0178, "AES_256_GCM_IV12_TAG16_HKDF_SHA256", 32, Kdf::Sha256, None),
    row(0x0146, "AES_192_GCM_IV12_TAG16_HKDF_SHA256", 24, Kdf::Sha256, None),
    row(0x0114, "AES_128_GCM_IV12_TAG16_HKDF_SHA256", 16, Kdf::Sha256, None),
    row(0x0078, "AES_256_GCM_IV12_TAG16_NO_KDF", 32, Kdf::None, None),
    row(0x0046, "AES_192_GCM_IV12_TAG16_NO_KDF", 24, Kdf::None, None),
    row(0x0014, "AES_128_GCM_IV12_TAG16_NO_KDF", 16, Kdf::None, None),
];

const fn row(id: u16, name: &'static str, key_len: usize, kdf: Kdf, curve: Option<Curve>) -> Suite {
    Suite { id, name, key_len, kdf, curve }
}

impl Suite {
    /// Finds a suite by message version and number.
    pub fn find(version: u8, id: u16) -> Option<Self> {
        SUITES.into_iter().find(|suite| suite.id == id && suite.version() == version)
    }

    /// Its number.
    pub fn id(self) -> u16 {
        self.id
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The message version that it belongs to: 1 or 2.
    pub fn version(self) -> u8 {
        if self.commits() { 2 } else { 1 }
    }

    /// The length of its data keys, in bytes.
    pub fn key_len(self) -> usize {
        self.key_len
    }

    /// Whether a message commits to one data key.
    pub fn commits(self) -> bool {
        self.kdf == Kdf::Committing
    }

    /// Whether a signature follows the frames.
    pub fn is_signed(self) -> bool {
        self.curve.is_some()
    }

    pub(super) fn curve(self) -> Option<Curve> {
        self.curve
    }

    pub(super) fn message_id_len(self) -> usize {
        if self.commits() { 32 } else { 16 }
    }

    /// Derives the content key, and the commitment where the suite has one (format, section 1.2).
    ///
    /// The data key must have [`Suite::key_len`] bytes.
    pub(super) fn derive(self, data_key: &DataKey, message_id: &[u8]) -> Result<Derived> {
        let secret = data_key.as_bytes();
        let id = self.id.to_be_bytes();
        let mut key = Zeroizing::new(vec![0; self.key_len]);
        let mut commitment = None;
        match self.kdf {
            Kdf::None if secret.len() == key.len() => key.copy_from_slice(secret),
            Kdf::None => return Err(gcm::refused()),
            Kdf::Sha256 => hkdf::derive(HKDF_SHA256, &[], secret, &[&id, message_id], &mut key)?,
            Kdf::Sha384 => hkdf::derive(HKDF_SHA384, &[], secret, &[&id, message_id], &mut key)?,
            Kdf::Committing => {
                hkdf::derive(HKDF_SHA512, message_id, secret, &[&id, b"DERIVEKEY"], &mut key)?;
                let mut stored = [0; COMMITMENT_LEN];
                hkdf::derive(HKDF_SHA512, message_id, secret, &[b"COMMITKEY"], &mut stored)?;
                commitment = Some(stored);
            }
        }
        let algorithm = match self.key_len {
            16 => &AES_128_GCM,
            24 => &AES_192_GCM,
            _ => &AES_256_GCM,
        };
        let key = UnboundKey::new(algorithm, &key).map(LessSafeKey::new).map_err(|_| gcm::refused())?;
        Ok(Derived { key, commitment })
    }
}

/// What a suite derives from a data key.
pub(super) struct Derived {
    /// Encrypts the frames and authenticates the header.
    pub(super) key: LessSafeKey,
    /// Stored in the header; only one data key yields it.
    pub(super) commitment: Option<[u8; COMMITMENT_LEN]>,
}

impl Derived {
    /// Whether a stored commitment is this one, compared in constant time.
    pub(super) fn commits_to(&self, stored: Option<&[u8; COMMITMENT_LEN]>) -> bool {
        match (&self.commitment, stored) {
            (Some(ours), Some(theirs)) => ours.ct_eq(theirs).into(),
            (None, None) => true,
            _ => false,
        }
    }
}
