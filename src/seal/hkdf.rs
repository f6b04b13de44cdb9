//! HKDF (RFC 5869), as both formats derive keys and commitments from a data key.

use aws_lc_rs::hkdf::{Algorithm, KeyType, Salt};

use super::gcm;
use crate::error::Result;

/// The length of an output, in bytes.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// Extracts from `secret` with `salt`, and fills `out`. The parts of `info` count as one text. An empty salt is one of
/// zeros, by the RFC.
pub(super) fn derive(
    algorithm: Algorithm,
    salt: &[u8],
    secret: &[u8],
    info: &[&[u8]],
    out: &mut [u8],
) -> Result<()> {
    Salt::new(algorithm, salt)
        .extract(secret)
        .expand(info, Length(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| gcm::refused())
}
