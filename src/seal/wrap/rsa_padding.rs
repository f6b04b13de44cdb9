//! RSA encryption and decryption with each padding, and the payload that the S3 Encryption Client wraps with it: length,
//! key and content algorithm in one.
//!
//! `rsa_pem` reads the keys and limits their size. No failure says why: neither padding may become an oracle.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, Pkcs1PrivateDecryptingKey,
    PrivateDecryptingKey, PublicEncryptingKey,
};
use zeroize::Zeroizing;

use super::{Alg, Wrap, oaep};
use crate::error::Result;
use crate::keys::{DataKey, RsaPrivateKey, RsaPublicKey};
use crate::seal::gcm;

/// A padding; the mask of OAEP uses the same hash as OAEP itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::seal) enum Padding {
    OaepSha1,
    OaepSha256,
    OaepSha384,
    OaepSha512,
    /// PKCS #1 v1.5. For reading only, and only if the user allows it.
    Pkcs1,
}

impl Padding {
    fn oaep(self) -> Option<&'static OaepAlgorithm> {
        match self {
            Self::OaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
            Self::OaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
            Self::OaepSha384 => Some(&OAEP_SHA384_MGF1SHA384),
            Self::OaepSha512 => Some(&OAEP_SHA512_MGF1SHA512),
            Self::Pkcs1 => None,
        }
    }
}

/// Encrypts a payload, with OAEP only.
pub(in crate::seal) fn encrypt(padding: Padding, payload: &[u8], key: &RsaPublicKey) -> Result<Vec<u8>> {
    let oaep = padding.oaep().ok_or_else(gcm::refused)?;
    let key = PublicEncryptingKey::from_der(key.der())
        .ok()
        .and_then(|key| OaepPublicEncryptingKey::new(key).ok())
        .ok_or_else(gcm::refused)?;
    let mut wrapped = vec![0; key.ciphertext_size()];
    let len = key.encrypt(oaep, payload, &mut wrapped, None).map_err(|_| gcm::refused())?.len();
    wrapped.truncate(len);
    Ok(wrapped)
}

/// Decrypts a payload; `None` without a reason if it does not fit.
pub(in crate::seal) fn decrypt(
    padding: Padding,
    wrapped: &[u8],
    key: &RsaPrivateKey,
) -> Option<Zeroizing<Vec<u8>>> {
    let Some(oaep) = padding.oaep() else { return pkcs1(wrapped, key) };
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(key.der()).ok()?).ok()?;
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    let len = key.decrypt(oaep, wrapped, &mut plain, None).ok()?.len();
    plain.truncate(len);
    Some(plain)
}

/// RSA-OAEP-SHA1 of: one byte of length, the data key, the content algorithm (s3ec format, section 3).
pub(super) fn wrap(alg: Alg, data_key: &DataKey, key: &RsaPublicKey) -> Result<Vec<u8>> {
    let bytes = data_key.as_bytes();
    let len = u8::try_from(bytes.len()).map_err(|_| gcm::refused())?;
    let payload = Zeroizing::new([&[len][..], bytes, alg.as_str().as_bytes()].concat());
    encrypt(Padding::OaepSha1, &payload, key)
}

pub(super) fn unwrap(wrap: Wrap, alg: Alg, wrapped: &[u8], key: &RsaPrivateKey) -> Option<DataKey> {
    let bytes = match wrap {
        Wrap::RsaOaepSha1 => key_of_payload(&decrypt(Padding::OaepSha1, wrapped, key)?, alg)?,
        Wrap::RsaOaepSha256 => oaep::decrypt_sha256_mgf1_sha1(wrapped, key)?,
        _ => return None,
    };
    DataKey::new(bytes).ok()
}

/// Takes the data key out of a payload, all other bytes of which must be as expected.
fn key_of_payload(payload: &[u8], alg: Alg) -> Option<Zeroizing<Vec<u8>>> {
    let (len, rest) = payload.split_first()?;
    let (key, bound) = rest.split_at_checked(usize::from(*len))?;
    (bound == alg.as_str().as_bytes()).then(|| Zeroizing::new(key.to_vec()))
}

fn pkcs1(wrapped: &[u8], key: &RsaPrivateKey) -> Option<Zeroizing<Vec<u8>>> {
    let key = Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(key.der()).ok()?).ok()?;
    let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
    let len = key.decrypt(wrapped, &mut plain).ok()?.len();
    plain.truncate(len);
    Some(plain)
}
