//! Wraps and unwraps data keys with a local AES or RSA key.
//!
//! The wraps of the Amazon S3 Encryption Client: current ones in both directions, outdated ones for reading. Those of AWS
//! KMS are only named here.

use std::collections::BTreeMap;

use aws_lc_rs::cipher::{self, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap};
use zeroize::Zeroizing;

use super::argon2id::PassphraseKey;
use super::gcm::{NONCE_LEN, TAG_LEN};
use crate::encryption::Format;
use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::{DataKey, Fingerprint, RsaPrivateKey, RsaPublicKey, SymmetricKey};

pub(super) mod aead;
mod oaep;
pub(super) mod rsa_padding;
pub mod rsa_pem;

use rsa_padding::Padding;

/// The entry of the material description that names a local wrapping key by its fingerprint.
pub const KEY_ENTRY: &str = "s3seal-key";
/// The entry of the material description with the parameters that derive the wrapping key from a passphrase: a PHC
/// string without its hash.
pub const PASSPHRASE_ENTRY: &str = "s3seal-passphrase";

/// A way to wrap a data key. `s3ec::metadata` has the names that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrap {
    /// AES-GCM with a raw AES key; binds the content algorithm.
    AesGcm,
    /// RSA-OAEP with SHA-1; carries the content algorithm inside.
    RsaOaepSha1,
    /// AWS KMS; the encryption context names the content algorithm.
    KmsContext,
    /// AWS KMS without the content algorithm in its context. Outdated.
    Kms,
    /// AES key wrap (RFC 3394). Outdated.
    AesWrap,
    /// RSA-OAEP with SHA-256, and SHA-1 in its mask. Outdated.
    RsaOaepSha256,
    /// AES-ECB, the wrap of the first format. Outdated.
    AesEcb,
    /// RSA PKCS #1 v1.5, the wrap of the first format. Outdated.
    RsaPkcs1,
}

impl Wrap {
    /// The kind of key that unwraps it. Only the material description tells a passphrase from an AES key.
    pub fn kind(self) -> WrapKind {
        match self {
            Self::AesGcm | Self::AesWrap | Self::AesEcb => WrapKind::Aes,
            Self::RsaOaepSha1 | Self::RsaOaepSha256 | Self::RsaPkcs1 => WrapKind::Rsa,
            Self::KmsContext | Self::Kms => WrapKind::Kms,
        }
    }

    /// Whether it is only read, and only if the user allows it.
    pub fn is_outdated(self) -> bool {
        !matches!(self, Self::AesGcm | Self::RsaOaepSha1 | Self::KmsContext)
    }

    /// Its name in messages and results.
    pub fn title(self) -> &'static str {
        match self {
            Self::AesGcm => "AES/GCM",
            Self::RsaOaepSha1 => "RSA-OAEP-SHA1",
            Self::KmsContext => "kms+context",
            Self::Kms => "kms",
            Self::AesWrap => "AESWrap",
            Self::RsaOaepSha256 => "RSA-OAEP-SHA256",
            Self::AesEcb => "AES-ECB",
            Self::RsaPkcs1 => "RSA-PKCS1",
        }
    }
}

/// The content algorithm that a wrap is bound to: a data key unwraps only for that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alg {
    /// Of V2 objects.
    Gcm,
    /// Of V3 objects.
    Committing,
}

impl Alg {
    /// The text that is bound.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gcm => "AES/GCM/NoPadding",
            Self::Committing => "115",
        }
    }
}

impl TryFrom<Format> for Alg {
    type Error = Error;

    fn try_from(format: Format) -> Result<Self> {
        match format {
            Format::S3ec => Ok(Self::Committing),
            Format::S3ecV2 => Ok(Self::Gcm),
            Format::Esdk => Err(Error::unsupported(
                Subject::other(format.to_string()),
                "not a format of the Amazon S3 Encryption Client",
            )),
        }
    }
}

/// A local key to wrap a data key with.
pub enum LocalKey<'a> {
    /// A raw AES-256 key.
    Aes(&'a SymmetricKey),
    /// An RSA public key.
    Rsa(&'a RsaPublicKey),
    /// A key derived from a passphrase.
    Passphrase(&'a PassphraseKey),
}

/// A wrapped data key, with what a reader must know to unwrap it. Not secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub(super) wrap: Wrap,
    pub(super) alg: Alg,
    pub(super) bytes: Vec<u8>,
    /// The material description, or for KMS the encryption context.
    pub(super) description: BTreeMap<String, String>,
}

impl WrappedKey {
    /// Takes the ciphertext blob that AWS KMS returned, and the context of the request, which must come from
    /// [`kms_context`](super::s3ec::kms_context) for the same `alg`.
    pub fn from_kms(alg: Alg, blob: Vec<u8>, context: BTreeMap<String, String>) -> Self {
        Self { wrap: Wrap::KmsContext, alg, bytes: blob, description: context }
    }
}

/// Wraps `data_key` for content of `alg` with a local key, and names that key in the description. Fails with `Unsupported`
/// for an AES key of less than 256 bits.
pub fn wrap(alg: Alg, data_key: &DataKey, with: &LocalKey<'_>) -> Result<WrappedKey> {
    let note = |entry: &str, value: String| BTreeMap::from([(entry.to_owned(), value)]);
    let (wrap, bytes, description) = match with {
        LocalKey::Aes(key) => {
            let note = note(KEY_ENTRY, key.fingerprint().to_string());
            (Wrap::AesGcm, wrap_gcm(alg, data_key, key)?, note)
        }
        LocalKey::Passphrase(derived) => {
            let note = note(PASSPHRASE_ENTRY, derived.phc().to_string());
            (Wrap::AesGcm, wrap_gcm(alg, data_key, derived.key())?, note)
        }
        LocalKey::Rsa(key) => {
            let note = note(KEY_ENTRY, key.fingerprint().to_string());
            (Wrap::RsaOaepSha1, rsa_padding::wrap(alg, data_key, key)?, note)
        }
    };
    Ok(WrappedKey { wrap, alg, bytes, description })
}

/// Unwraps with an AES key; `None` if it does not fit. No reason is given: some of these wraps would be oracles.
pub(super) fn unwrap_aes(wrap: Wrap, alg: Alg, wrapped: &[u8], key: &SymmetricKey) -> Option<DataKey> {
    match wrap {
        Wrap::AesGcm => unwrap_gcm(alg, wrapped, key),
        Wrap::AesWrap => DataKey::new(unwrap_rfc3394(wrapped, key)?).ok(),
        Wrap::AesEcb => DataKey::new(unwrap_ecb(wrapped, key)?).ok(),
        _ => None,
    }
}

/// Unwraps with an RSA key; `None` if it does not fit. For PKCS #1 v1.5 see [`unwrap_pkcs1`].
pub(super) fn unwrap_rsa(wrap: Wrap, alg: Alg, wrapped: &[u8], key: &RsaPrivateKey) -> Option<DataKey> {
    rsa_padding::unwrap(wrap, alg, wrapped, key)
}

/// Unwraps a key padded by PKCS #1 v1.5 with the first of `keys` that fits. The caller must not reveal that none does:
/// whoever learns whether a padding was right can decrypt any ciphertext under the key, query by query (Bleichenbacher).
pub(super) fn unwrap_pkcs1<'a>(
    wrapped: &[u8],
    keys: impl IntoIterator<Item = &'a RsaPrivateKey>,
) -> Option<DataKey> {
    let unwrap = |key| DataKey::new(rsa_padding::decrypt(Padding::Pkcs1, wrapped, key)?).ok();
    keys.into_iter().find_map(unwrap)
}

/// The fingerprint of the wrapping key that a material description names.
pub(super) fn named_key(description: &BTreeMap<String, String>) -> Option<&str> {
    description.get(KEY_ENTRY).map(String::as_str).filter(|name| Fingerprint::is_one(name))
}

/// nonce ‖ ciphertext ‖ tag; the content algorithm is the associated data (s3ec format, section 3).
fn wrap_gcm(alg: Alg, data_key: &DataKey, key: &SymmetricKey) -> Result<Vec<u8>> {
    let nonce = super::random::<NONCE_LEN>()?;
    let sealed = aead::encrypt(data_key, key, &nonce, alg.as_str().as_bytes())?;
    Ok([&nonce[..], &sealed].concat())
}

fn unwrap_gcm(alg: Alg, wrapped: &[u8], key: &SymmetricKey) -> Option<DataKey> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_LEN>()?;
    if !matches!(sealed.len().checked_sub(TAG_LEN)?, 16 | 24 | 32) {
        return None;
    }
    aead::decrypt(sealed, key, nonce, alg.as_str().as_bytes())
}

/// RFC 3394, with its check value.
fn unwrap_rfc3394(wrapped: &[u8], key: &SymmetricKey) -> Option<Zeroizing<Vec<u8>>> {
    let cipher = match key.as_bytes().len() {
        16 => &key_wrap::AES_128,
        32 => &key_wrap::AES_256,
        // AWS-LC has no key wrap for 192 bits.
        _ => return None,
    };
    if !matches!(wrapped.len(), 24 | 32 | 40) {
        return None;
    }
    let mut bytes = Zeroizing::new(vec![0; wrapped.len()]);
    let len = AesKek::new(cipher, key.as_bytes()).ok()?.unwrap(wrapped, &mut bytes).ok()?.len();
    bytes.truncate(len);
    Some(bytes)
}

/// AES-ECB with PKCS #7 padding: only its length and the padding show whether the key fits.
fn unwrap_ecb(wrapped: &[u8], key: &SymmetricKey) -> Option<Zeroizing<Vec<u8>>> {
    if !matches!(wrapped.len(), 32 | 48) {
        return None;
    }
    let key = UnboundCipherKey::new(aes_of(key.as_bytes().len())?, key.as_bytes()).ok()?;
    let mut bytes = Zeroizing::new(wrapped.to_vec());
    let cipher = PaddedBlockDecryptingKey::ecb_pkcs7(key).ok()?;
    let len = cipher.decrypt(&mut bytes, DecryptionContext::None).ok()?.len();
    bytes.truncate(len);
    Some(bytes)
}

/// The block cipher for a key length in bytes.
pub(super) fn aes_of(key_len: usize) -> Option<&'static cipher::Algorithm> {
    match key_len {
        16 => Some(&cipher::AES_128),
        24 => Some(&cipher::AES_192),
        32 => Some(&cipher::AES_256),
        _ => None,
    }
}
