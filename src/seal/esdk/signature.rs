//! The signature that ends a message of a signed suite: ECDSA over every byte before it (format, section 1.5).
//!
//! Only checked, never made: it proves no more than the header and the frames do to who has the one key that opens
//! and seals.

use aws_lc_rs::digest::{self, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::suite::Curve;

/// Longer than any DER encoding of a signature over these curves, in bytes.
pub(super) const MAX_SIGNATURE: usize = 128;

/// A signature about to be checked.
pub(super) struct Check {
    digest: digest::Context,
    algorithm: &'static EcdsaVerificationAlgorithm,
    key: Vec<u8>,
}

impl Check {
    /// Takes the public key as the encryption context has it: a compressed point in base64. Nothing if it is none.
    pub(super) fn new(curve: Curve, public_key: &str) -> Option<Self> {
        let (hash, algorithm, len) = match curve {
            Curve::P256 => (&SHA256, &ECDSA_P256_SHA256_ASN1, 33),
            Curve::P384 => (&SHA384, &ECDSA_P384_SHA384_ASN1, 49),
        };
        let key = BASE64_STANDARD.decode(public_key).ok()?;
        let compressed = key.len() == len && matches!(key.first(), Some(2 | 3));
        compressed.then(|| Self { digest: digest::Context::new(hash), algorithm, key })
    }

    /// Takes the next bytes of the message.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// Whether the signature is that of all bytes taken.
    pub(super) fn holds(self, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(self.algorithm, self.key);
        key.verify_digest(&self.digest.finish(), signature).is_ok()
    }
}
