//! Keys that are known, in every form in which they could leak.
//!
//! What reads keys does not belong here: that is the program's.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};

/// A 256-bit key that a test knows.
#[derive(Clone, Copy)]
pub struct KnownKey(pub [u8; 32]);

impl KnownKey {
    /// A key that depends on `seed`; all of its bytes differ, so that half of it would be recognised too.
    pub fn new(seed: u8) -> Self {
        let mut bytes = [0; 32];
        for (byte, place) in bytes.iter_mut().zip(0_u8..) {
            *byte = place.wrapping_mul(37).wrapping_add(seed).wrapping_add(0x80);
        }
        Self(bytes)
    }

    /// As a line of 64 digits.
    pub fn hex(&self) -> String {
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// As a request's header has it.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(self.0)
    }

    /// Its MD5 in base64, which is public.
    pub fn md5(&self) -> String {
        BASE64_STANDARD.encode(Md5::digest(self.0))
    }

    /// Every spelling of the key that must not appear anywhere.
    pub fn spellings(&self) -> Vec<Vec<u8>> {
        let unpadded = self.base64().trim_end_matches('=').to_owned();
        let url = unpadded.replace('+', "-").replace('/', "_");
        vec![
            self.0.to_vec(),
            self.hex().into_bytes(),
            self.hex().to_uppercase().into_bytes(),
            unpadded.into_bytes(),
            url.into_bytes(),
            // As Rust's Debug shows a slice.
            format!("{:?}", self.0).trim_matches(['[', ']']).to_owned().into_bytes(),
        ]
    }

    /// The name of the first spelling that `text` holds.
    pub fn found_in(&self, text: &[u8]) -> Option<usize> {
        self.spellings().iter().position(|spelling| holds(text, spelling))
    }
}

/// Whether `text` holds `part`.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
