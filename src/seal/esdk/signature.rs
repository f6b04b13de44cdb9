//! The signature at the end of a message of a signed suite: ECDSA over all bytes before it (format, section 1.5).
//!
//! Only verified, never made: to a reader who could have written the message, it adds nothing to the tags.

use aws_lc_rs::digest::{self, SHA256, SHA384};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, EcdsaVerificationAlgorithm, UnparsedPublicKey,
};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::suite::Curve;

/// Longer than any DER encoding of a signature over these curves, in bytes.
pub(super) const MAX_SIGNATURE: usize = 128;

/// Verifies a signature over bytes as they arrive.
pub(super) struct SignatureVerifier {
    digest: digest::Context,
    algorithm: &'static EcdsaVerificationAlgorithm,
    key: Vec<u8>,
}

impl SignatureVerifier {
    /// Takes the public key as the encryption context has it, a compressed point in base64; `None` if it is invalid.
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

    /// Whether the signature matches all bytes taken.
    pub(super) fn verify(self, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(self.algorithm, self.key);
        key.verify_digest(&self.digest.finish(), signature).is_ok()
    }
}
