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
        hex(&self.0)
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
        spellings(&self.0)
    }

    /// The name of the first spelling that `text` holds.
    pub fn found_in(&self, text: &[u8]) -> Option<usize> {
        self.spellings().iter().position(|spelling| holds(text, spelling))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Every spelling of a secret that must not appear anywhere: raw, in hex, in base64 (also as part of something longer, and
/// as URLs have it), and as Rust's Debug shows a slice.
pub fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = hex(secret);
    let mut all = vec![
        secret.to_vec(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        format!("{secret:?}").trim_matches(['[', ']']).to_owned().into_bytes(),
    ];
    for before in 0..3 {
        let text = BASE64_STANDARD.encode([&vec![0; before], secret].concat());
        // The digits that hold bits of what stands before or after it are none of the secret's own.
        let own = &text[(before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6];
        all.push(own.replace('+', "-").replace('/', "_").into_bytes());
        all.push(own.replace('+', "%2B").replace('/', "%2F").into_bytes());
        all.push(own.to_owned().into_bytes());
    }
    all
}

/// Whether `text` holds `part`.
pub fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
