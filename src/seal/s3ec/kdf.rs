//! Derives the content key and the commitment from data key and message id (V3).
//!
//! The salt is the message id, the secret is the data key (s3ec format, section 1.1).

use aws_lc_rs::hkdf::HKDF_SHA512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{COMMITMENT_LEN, MESSAGE_ID_LEN};
use crate::error::Result;
use crate::keys::{DataKey, KEY_LEN};
use crate::seal::{gcm, hkdf};

/// The suite's number, as bytes: in the derivation and as the content's associated data.
pub(crate) const SUITE: [u8; 2] = [0x00, 0x73];
/// The nonce of every V3 message, whose key encrypts nothing else.
pub(crate) const NONCE: [u8; gcm::NONCE_LEN] = [0x01; gcm::NONCE_LEN];

/// A content key and its commitment.
pub(crate) struct Derived {
    /// Encrypts the content.
    pub(crate) key: Zeroizing<Vec<u8>>,
    /// Stored in the envelope: only one data key yields it.
    pub(crate) commitment: [u8; COMMITMENT_LEN],
}

impl Derived {
    /// Whether a stored commitment is this one, compared in constant time.
    pub(crate) fn commits_to(&self, stored: &[u8; COMMITMENT_LEN]) -> bool {
        self.commitment.ct_eq(stored).into()
    }
}

/// Derives both.
pub(crate) fn derive(data_key: &DataKey, message_id: &[u8; MESSAGE_ID_LEN]) -> Result<Derived> {
    let expand = |label: &[u8], out: &mut [u8]| {
        hkdf::derive(HKDF_SHA512, message_id, data_key.as_bytes(), &[&SUITE, label], out)
    };
    let mut commitment = [0; COMMITMENT_LEN];
    expand(b"COMMITKEY", &mut commitment)?;
    let mut key = Zeroizing::new(vec![0; KEY_LEN]);
    expand(b"DERIVEKEY", &mut key)?;
    Ok(Derived { key, commitment })
}
