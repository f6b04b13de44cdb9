//! Encrypted data keys (EDKs): the data key, wrapped for each recipient (format, section 1.6).
//!
//! Wraps and unwraps with raw AES and RSA keys; those of AWS KMS are only stored. `unwrap` chooses the keys to try.

use super::context::{self, Pairs};
use super::cursor::Cursor;
use crate::error::{Error, Result};
use crate::keys::{DataKey, RsaPrivateKey, RsaPublicKey, SymmetricKey};
use crate::limits::RSA_KEY_BITS;
use crate::seal::argon2id::Phc;
use crate::seal::gcm::{NONCE_LEN, TAG_LEN};
use crate::seal::wrap::aead;
use crate::seal::wrap::rsa_padding::{self, Padding};

/// The provider id of AWS KMS.
pub(super) const KMS: &str = "aws-kms";
/// The namespace of keys derived from a passphrase; their name has the parameters.
pub const PASSPHRASE_NAMESPACE: &str = "passphrase";

const PHC_START: &[u8] = b"$argon2id$";
/// The length of a nonce and its description at the end of a raw AES key's info.
const INFO_END: usize = 4 + 4 + NONCE_LEN;

/// One wrapped data key. Not secret, and not authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edk {
    provider: Vec<u8>,
    info: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// The kind of key that unwraps a data key, by the form in which it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdkKind {
    /// A raw AES key.
    Aes,
    /// A raw AES key derived from a passphrase.
    Passphrase,
    /// A raw RSA key.
    Rsa,
    /// A key in AWS KMS.
    Kms,
    /// Something that s3seal cannot use.
    Other,
}

impl Edk {
    /// Wraps with a raw AES-256 key; the context is associated data.
    pub(super) fn aes(
        data_key: &DataKey,
        pairs: &Pairs,
        (namespace, name): (&str, &str),
        key: &SymmetricKey,
    ) -> Result<Self> {
        let nonce = crate::seal::random::<NONCE_LEN>()?;
        let ciphertext = aead::encrypt(data_key, key, &nonce, &context::encode(pairs)?)?;
        let mut info = name.as_bytes().to_vec();
        info.extend_from_slice(&info_end(&nonce));
        Ok(Self { provider: namespace.as_bytes().to_vec(), info, ciphertext })
    }

    /// Wraps with an RSA key, OAEP with SHA-256. This wrap does not bind the context; the header's tag does.
    pub(super) fn rsa(
        data_key: &DataKey,
        (namespace, name): (&str, &str),
        key: &RsaPublicKey,
    ) -> Result<Self> {
        Ok(Self {
            provider: namespace.as_bytes().to_vec(),
            info: name.as_bytes().to_vec(),
            ciphertext: rsa_padding::encrypt(Padding::OaepSha256, data_key.as_bytes(), key)?,
        })
    }

    pub(super) fn kms(arn: &str, blob: Vec<u8>) -> Self {
        Self { provider: KMS.as_bytes().to_vec(), info: arn.as_bytes().to_vec(), ciphertext: blob }
    }

    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut field = || cursor.prefixed().map(<[u8]>::to_vec);
        Some(Self { provider: field()?, info: field()?, ciphertext: field()? })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        for field in [&self.provider, &self.info, &self.ciphertext] {
            let len = u16::try_from(field.len()).map_err(|_| {
                Error::too_large("a wrapped data key", "the format allows 65,535 bytes in each of its fields")
            })?;
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(field);
        }
        Ok(())
    }

    /// The kind of key that unwraps it. The form decides, not the provider id: raw keys can have any name.
    pub fn kind(&self) -> EdkKind {
        if self.provider == KMS.as_bytes() {
            return EdkKind::Kms;
        }
        if self.provider.starts_with(KMS.as_bytes()) {
            return EdkKind::Other;
        }
        match self.aes_parts() {
            Some((name, _)) if name.starts_with(PHC_START) => EdkKind::Passphrase,
            Some(_) => EdkKind::Aes,
            // As long as the modulus.
            None if RSA_KEY_BITS.contains(&(self.ciphertext.len() * 8)) => EdkKind::Rsa,
            None => EdkKind::Other,
        }
    }

    /// The provider id: for raw keys the namespace. The format says it is text; invalid UTF-8 is replaced.
    pub fn provider(&self) -> String {
        String::from_utf8_lossy(&self.provider).into_owned()
    }

    /// The name of the key: the ARN of a KMS key; for a raw key, what its owner chose.
    pub fn name(&self) -> String {
        let name = self.aes_parts().map_or(&self.info[..], |(name, _)| name);
        String::from_utf8_lossy(name).into_owned()
    }

    /// The ARN of a KMS key, if it is text.
    pub(super) fn arn(&self) -> Option<&str> {
        std::str::from_utf8(&self.info).ok()
    }

    pub(super) fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// The parameters that derive the key from a passphrase, if it takes one; the error says why they are refused.
    pub fn phc(&self) -> Option<Result<Phc, String>> {
        if self.kind() != EdkKind::Passphrase {
            return None;
        }
        Some(self.name().parse())
    }

    /// Name and nonce, if it has the form of a raw AES wrap.
    fn aes_parts(&self) -> Option<(&[u8], [u8; NONCE_LEN])> {
        let at = self.info.len().checked_sub(INFO_END)?;
        let (name, end) = self.info.split_at(at);
        let nonce = *end.last_chunk::<NONCE_LEN>()?;
        let key_len = self.ciphertext.len().checked_sub(TAG_LEN)?;
        (end == info_end(&nonce) && matches!(key_len, 16 | 24 | 32)).then_some((name, nonce))
    }

    /// Unwraps with an AES key of any length; `None` if it does not fit.
    pub(super) fn unwrap_aes(&self, pairs: &Pairs, key: &SymmetricKey) -> Option<DataKey> {
        let (_, nonce) = self.aes_parts()?;
        aead::decrypt(&self.ciphertext, key, &nonce, &context::encode(pairs).ok()?)
    }

    /// Unwraps with an RSA key and one padding; `None` if they do not fit.
    pub(super) fn unwrap_rsa(&self, padding: Padding, key: &RsaPrivateKey) -> Option<DataKey> {
        DataKey::new(rsa_padding::decrypt(padding, &self.ciphertext, key)?).ok()
    }
}

/// Tag length in bits, nonce length in bytes, nonce.
fn info_end(nonce: &[u8; NONCE_LEN]) -> [u8; INFO_END] {
    let mut end = [0; INFO_END];
    end[3] = 128;
    end[7] = 12;
    end[8..].copy_from_slice(nonce);
    end
}
