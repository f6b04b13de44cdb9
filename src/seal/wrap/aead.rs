//! AES-GCM over a data key, for the wraps of both formats.
//!
//! By the `aes-gcm` crate, unlike the bulk path, which AWS-LC does (`seal::gcm`). Each format chooses the nonce, the
//! associated data and the order of the parts.

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use aes_gcm::aes::Aes192;
use aes_gcm::aes::cipher::consts::U12;
use aes_gcm::{Aes128Gcm, Aes256Gcm, AesGcm};
use zeroize::Zeroizing;

use crate::error::{Error, Result, Subject};
use crate::keys::{DataKey, KEY_LEN, SymmetricKey};
use crate::seal::gcm::{self, NONCE_LEN, TAG_LEN};

type Aes192Gcm = AesGcm<Aes192, U12>;

/// Encrypts a data key: ciphertext ‖ tag. The nonce must be a new one. Fails with `Unsupported` for a wrapping key of less
/// than 256 bits.
pub(in crate::seal) fn encrypt(
    data_key: &DataKey,
    key: &SymmetricKey,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
) -> Result<Vec<u8>> {
    if key.as_bytes().len() != KEY_LEN {
        return Err(Error::unsupported(
            Subject::other(format!("a key of {} bits", 8 * key.as_bytes().len())),
            "objects are encrypted with 256-bit keys only",
        ));
    }
    let cipher = Aes256Gcm::new_from_slice(key.as_bytes()).map_err(|_| gcm::refused())?;
    let mut bytes = Zeroizing::new(data_key.as_bytes().to_vec());
    let tag = cipher
        .encrypt_inout_detached(&(*nonce).into(), aad, bytes.as_mut_slice().into())
        .map_err(|_| gcm::refused())?;
    Ok([&bytes[..], &tag[..]].concat())
}

/// Decrypts a data key with an AES key of any length; `None` if it does not fit.
pub(in crate::seal) fn decrypt(
    wrapped: &[u8],
    key: &SymmetricKey,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
) -> Option<DataKey> {
    let bytes = match key.as_bytes().len() {
        16 => decrypt_with::<Aes128Gcm>(wrapped, key, nonce, aad),
        24 => decrypt_with::<Aes192Gcm>(wrapped, key, nonce, aad),
        _ => decrypt_with::<Aes256Gcm>(wrapped, key, nonce, aad),
    };
    DataKey::new(bytes?).ok()
}

fn decrypt_with<C: AeadInOut + KeyInit>(
    wrapped: &[u8],
    key: &SymmetricKey,
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (sealed, tag) = wrapped.split_at_checked(wrapped.len().checked_sub(TAG_LEN)?)?;
    let cipher = C::new_from_slice(key.as_bytes()).ok()?;
    let (nonce, tag) = (Nonce::<C>::try_from(&nonce[..]).ok()?, Tag::<C>::try_from(tag).ok()?);
    let mut bytes = Zeroizing::new(sealed.to_vec());
    cipher.decrypt_inout_detached(&nonce, aad, bytes.as_mut_slice().into(), &tag).ok()?;
    Some(bytes)
}
