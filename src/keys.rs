//! Keys: their forms, their fingerprints; wiped from memory on drop.
//!
//! No key implements `Debug`, `Display` or `Clone`, so that none gets into a log or is copied by accident.
//! `cli::key_reader` reads them; `seal` and `aws::kms` use them.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

mod rsa_key;
mod secret_variables;

pub use rsa_key::{RsaPrivateKey, RsaPublicKey};
pub use secret_variables::{mark_secret_variable, secret_variables};

/// The length of the keys that s3seal makes and writes with, in bytes.
pub const KEY_LEN: usize = 32;

/// An AES key of 128, 192 or 256 bits, given by the user. It never leaves the process.
///
/// Objects are encrypted with 256 bits only; shorter keys decrypt what other programs encrypted.
pub struct SymmetricKey(Zeroizing<Vec<u8>>);

impl SymmetricKey {
    /// Takes 16, 24 or 32 bytes.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        match bytes.len() {
            16 | 24 | 32 => Ok(Self(bytes)),
            len => Err(KeyError::Length(len)),
        }
    }

    /// Generates a 256-bit key with the system's random generator.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
        getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
        Ok(Self(bytes))
    }

    /// Recognises a 256-bit key in one of three forms: 32 raw bytes, 64 hex digits, or base64 of 32 bytes. White space
    /// around the latter two is ignored.
    pub fn recognise(content: &[u8]) -> Result<Self, KeyError> {
        if content.len() == KEY_LEN {
            return Ok(Self(Zeroizing::new(content.to_vec())));
        }
        let text = content.trim_ascii();
        let decoded =
            if text.len() == 2 * KEY_LEN { from_hex(text) } else { None }.or_else(|| from_base64(text));
        match decoded {
            Some(bytes) if bytes.len() == KEY_LEN => Ok(Self(bytes)),
            Some(bytes) => Err(KeyError::Unrecognised(format!("base64 of {} bytes", bytes.len()))),
            None if content.is_empty() => Err(KeyError::Unrecognised("nothing".to_owned())),
            None => Err(KeyError::Unrecognised(format!("{} bytes", content.len()))),
        }
    }

    /// Recognises a key to decrypt with, which may also have 128 or 192 bits. Some contents have two readings: 32
    /// characters can be 32 raw bytes or 128 bits in hex. Both are returned.
    pub fn recognise_to_open(content: &[u8]) -> Result<Vec<Self>, KeyError> {
        let text = content.trim_ascii();
        let raw = matches!(content.len(), 16 | 24).then(|| Zeroizing::new(content.to_vec()));
        let hex = matches!(text.len(), 32 | 48).then(|| from_hex(text)).flatten();
        let base64 = from_base64(text).filter(|bytes| matches!(bytes.len(), 16 | 24));
        let mut keys: Vec<Self> = raw.or(hex).or(base64).map(Self).into_iter().collect();
        match Self::recognise(content) {
            Ok(key) => keys.push(key),
            Err(error) if keys.is_empty() => return Err(error),
            Err(_) => {}
        }
        Ok(keys)
    }

    /// Says what shows that the key was not generated at random; `None` if nothing does. One random 256-bit key in
    /// 10^13 is taken for such a key.
    pub fn weakness(&self) -> Option<&'static str> {
        if self.0.iter().all(|byte| *byte == self.0[0]) {
            Some("all of its bytes are the same")
        } else if self.0.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            Some("all of its bytes are printable characters")
        } else {
            None
        }
    }

    /// Makes an explicit copy, for a ring that must decrypt what this key has just encrypted.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Computes the fingerprint.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }

    /// The base64 of the key's MD5, by which S3 names SSE-C keys.
    pub fn sse_c_md5(&self) -> String {
        BASE64_STANDARD.encode(Md5::digest(&self.0))
    }
}

fn from_hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    // Of its final length from the start: a buffer that grows would leave copies of the key behind.
    let mut bytes = Zeroizing::new(vec![0; text.len() / 2]);
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

fn from_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.is_empty() {
        return None;
    }
    BASE64_STANDARD.decode(text).ok().map(Zeroizing::new)
}

/// Whether an argument is itself a 256-bit key in hex or base64, rather than the name of a file or another source.
pub fn looks_like_key(argument: &str) -> bool {
    argument.len() != KEY_LEN && SymmetricKey::recognise(argument.as_bytes()).is_ok()
}

/// The first 64 bits of a SHA-256 in hex: over an AES key's bytes, or over an RSA public key's DER (SPKI).
///
/// It can be published: the hash of a random key reveals nothing about the key. `sha256sum` of a raw key file begins
/// with it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint of key material.
    pub fn of(material: &[u8]) -> Self {
        Self(hex::encode(&Sha256::digest(material)[..8]))
    }

    /// Whether a text can be a fingerprint: 16 lower-case hex digits.
    pub fn is_one(text: &str) -> bool {
        text.len() == 16 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// The 16 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A 256-bit key for SSE-C, as its two request headers carry it: the one kind of key that is sent to S3.
///
/// Made only from what the user gave as an SSE-C key. A [`SymmetricKey`] cannot be converted into one, so no answer of
/// a server can cause a client-side key to be sent.
pub struct CustomerKey {
    base64: Zeroizing<String>,
    md5: String,
    fingerprint: Fingerprint,
}

impl CustomerKey {
    /// Recognises an SSE-C key in the forms of [`SymmetricKey::recognise`].
    pub fn recognise(content: &[u8]) -> Result<Self, KeyError> {
        let key = SymmetricKey::recognise(content)?;
        Ok(Self {
            base64: Zeroizing::new(BASE64_STANDARD.encode(key.as_bytes())),
            md5: key.sse_c_md5(),
            fingerprint: key.fingerprint(),
        })
    }

    /// Makes an explicit copy, for a copied object that keeps its source's key.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { base64: self.base64.clone(), md5: self.md5.clone(), fingerprint: self.fingerprint.clone() }
    }

    /// The fingerprint, as for [`SymmetricKey`].
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The value of `x-amz-server-side-encryption-customer-key`.
    pub fn base64(&self) -> &str {
        &self.base64
    }

    /// The value of `x-amz-server-side-encryption-customer-key-MD5`, which S3 returns.
    pub fn md5(&self) -> &str {
        &self.md5
    }
}

/// A key that encrypts one object: generated by s3seal or AWS KMS, or unwrapped from an envelope.
pub struct DataKey(Zeroizing<Vec<u8>>);

impl DataKey {
    /// Takes 16, 24 or 32 bytes.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        SymmetricKey::new(bytes).map(|key| Self(key.0))
    }

    /// Generates a 256-bit data key.
    pub fn random() -> Result<Self, KeyError> {
        SymmetricKey::random().map(|key| Self(key.0))
    }

    /// Makes an explicit copy, to read what was encrypted with it. It must never encrypt another object.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A passphrase. Argon2id derives a wrapping key from it.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text as typed. `cli::key_reader` refuses an empty one.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Makes an explicit copy, for a ring that must decrypt what was just encrypted.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The text in UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The local keys given for client-side envelopes. `seal::ring` finds the one that fits.
#[derive(Default)]
pub struct KeyRing {
    /// AES keys.
    pub symmetric: Vec<SymmetricKey>,
    /// RSA private keys.
    pub private: Vec<RsaPrivateKey>,
    /// Passphrases.
    pub passphrases: Vec<Passphrase>,
}

impl KeyRing {
    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.symmetric.is_empty() && self.private.is_empty() && self.passphrases.is_empty()
    }
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 16, 24 or 32 bytes, or not the length needed here.
    #[error("a key of {0} bytes cannot be used here; 32 are needed")]
    Length(usize),
    /// Neither raw bytes, hex nor base64 of 32 bytes.
    #[error("not a 256-bit key: found {0}, not 32 raw bytes, 64 hex digits or base64 of 32 bytes")]
    Unrecognised(String),
    /// The system's random generator failed.
    #[error("the system's random generator failed")]
    Random,
    /// Not a usable RSA key; the text says why.
    #[error("{0}")]
    Rsa(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_in_each_form() {
        let raw: Vec<u8> = (0..32).collect();
        let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let base64 = BASE64_STANDARD.encode(&raw);
        for form in [
            raw.clone(),
            hex.into(),
            hex.to_uppercase().into(),
            format!(" {hex}\n").into(),
            base64.clone().into(),
            format!("{base64}\r\n").into(),
        ] {
            let key = SymmetricKey::recognise(&form).unwrap();
            assert_eq!(key.as_bytes(), raw, "{form:?}");
        }
    }

    #[test]
    fn anything_else_is_named_and_refused() {
        for (content, found) in [
            (&b""[..], "nothing"),
            (b"hunter2 hunter2", "15 bytes"),
            (b"AAAAAAAAAAAAAAAAAAAAAA==", "base64 of 16 bytes"),
            (&[7; 33], "33 bytes"),
            (b"zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "base64 of 48 bytes"),
        ] {
            let Err(KeyError::Unrecognised(text)) = SymmetricKey::recognise(content) else {
                panic!("{content:?} was taken for a key");
            };
            assert_eq!(text, found);
        }
    }

    #[test]
    fn a_shorter_key_opens_and_does_not_seal() {
        let lengths = |content: &[u8]| -> Vec<usize> {
            let keys = SymmetricKey::recognise_to_open(content).unwrap();
            keys.iter().map(|key| key.as_bytes().len()).collect()
        };
        assert_eq!(lengths(&[200; 16]), [16]);
        assert_eq!(lengths(&[200; 24]), [24]);
        assert_eq!(lengths(&[200; 32]), [32]);
        assert_eq!(lengths("ab".repeat(16).as_bytes()), [16, 32]);
        assert_eq!(lengths(format!("{}\n", "ab".repeat(24)).as_bytes()), [24]);
        assert_eq!(lengths("ab".repeat(32).as_bytes()), [32]);
        assert_eq!(lengths(BASE64_STANDARD.encode([7; 24]).as_bytes()), [24, 32]);
        assert!(SymmetricKey::recognise_to_open(b"too short").is_err());
        assert!(SymmetricKey::recognise(&[200; 16]).is_err());
    }

    #[test]
    fn a_key_that_was_never_random_is_known_by_its_bytes() {
        let weak = |bytes: [u8; KEY_LEN]| SymmetricKey::recognise(&bytes).unwrap().weakness().is_some();
        assert!(weak([0; KEY_LEN]) && weak([0xff; KEY_LEN]));
        assert!(weak(*b"correct horse battery staple :-)"));
        assert!(weak(*b"0123456789abcdef0123456789ABCDEF"));
        assert!(!weak(*b"0123456789abcdef0123456789ABCDE\n"));
        for _ in 0..1000 {
            assert_eq!(SymmetricKey::random().unwrap().weakness(), None);
        }
    }

    #[test]
    fn customer_headers_are_those_of_s3() {
        // openssl: 32 bytes of 'A', base64 and base64 of its MD5.
        let customer = CustomerKey::recognise(&[b'A'; 32]).unwrap();
        assert_eq!(customer.base64(), "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=");
        assert_eq!(customer.md5(), "UhbdzFjo2t5SVgded/ZC2g==");
        assert_eq!(customer.fingerprint().as_str(), "22a48051594c1949");
    }

    #[test]
    fn a_typed_key_is_told_from_a_place() {
        assert!(looks_like_key(&"ab".repeat(32)));
        assert!(looks_like_key("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="));
        assert!(!looks_like_key("/etc/backup.key"));
        assert!(!looks_like_key("file:/etc/backup.key"));
        assert!(!looks_like_key("a-file-name-of-thirty-two-chars!"));
    }
}
