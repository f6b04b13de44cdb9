//! Keys: what they are, how they are recognised and named; wiped from memory on drop.
//!
//! No key here can be printed or cloned, so that none ends in a log or lives on by accident.
//! Where keys come from is `cli::key_source`; what is done with them is `seal` and `aws::kms`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine};
use md5::Md5;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The length of the keys that s3seal makes and writes with, in bytes.
pub const KEY_LEN: usize = 32;

/// An AES key of 128, 192 or 256 bits, given by the user.
///
/// For sealing only 256 bits will do; shorter ones open what other programs sealed. It never leaves the process.
pub struct SymmetricKey(Zeroizing<Vec<u8>>);

impl SymmetricKey {
    /// Takes key bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`] unless there are 16, 24 or 32 of them.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        match bytes.len() {
            16 | 24 | 32 => Ok(Self(bytes)),
            len => Err(KeyError::Length(len)),
        }
    }

    /// Makes a new 256-bit key from the system's generator.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system has none.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
        getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
        Ok(Self(bytes))
    }

    /// Recognises a 256-bit key as people keep it: 32 raw bytes, 64 hex digits, or base64 of 32 bytes
    /// (either with white space around it).
    ///
    /// # Errors
    /// [`KeyError::Unrecognised`] says what was found instead.
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

    /// Recognises a key to open with, which another program may have made shorter: as [`SymmetricKey::recognise`],
    /// and the same forms of 128 and 192 bits. What has 32 characters may be one of those and may be 32 raw
    /// bytes: both come back.
    ///
    /// # Errors
    /// [`KeyError::Unrecognised`] says what was found instead.
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

    /// Says what shows that a key was typed or made up rather than drawn at random; `None` where nothing does. Of random
    /// keys of 256 bits one in 10^13 is taken for such a one.
    #[must_use]
    pub fn weakness(&self) -> Option<&'static str> {
        if self.0.iter().all(|byte| *byte == self.0[0]) {
            Some("all of its bytes are the same")
        } else if self.0.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            Some("all of its bytes are printable characters")
        } else {
            None
        }
    }

    /// Makes a second one of it, wiped by itself: for a ring that must open what this key has just sealed.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the name by which people and key rings know the key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }

    /// Returns the name that S3 would give the key if it were an SSE-C key: the base64 of its MD5.
    #[must_use]
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

/// Whether an argument is itself a 256-bit key in hex or base64 rather than the place of one.
#[must_use]
pub fn looks_like_key(argument: &str) -> bool {
    argument.len() != KEY_LEN && SymmetricKey::recognise(argument.as_bytes()).is_ok()
}

/// The first 64 bits of a SHA-256 in hex: over an AES key's bytes, or over an RSA public key's DER (SPKI).
///
/// Public: it names a key of full entropy and tells nothing of it. `sha256sum` of a raw key file begins with it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint of key material.
    #[must_use]
    pub fn of(material: &[u8]) -> Self {
        Self(hex::encode(&Sha256::digest(material)[..8]))
    }

    /// The 16 hex digits.
    #[must_use]
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

/// A 256-bit key for SSE-C, with the two texts that its headers carry: the one kind of key that is sent to S3.
///
/// Made only from what the user gave as an SSE-C key. There is no way from a [`SymmetricKey`] to one of these, so
/// nothing that a server answers can turn a key that stays here into one that is sent.
pub struct CustomerKey {
    base64: Zeroizing<String>,
    md5: String,
    fingerprint: Fingerprint,
}

impl CustomerKey {
    /// Recognises an SSE-C key in the forms of [`SymmetricKey::recognise`].
    ///
    /// # Errors
    /// [`KeyError::Unrecognised`] says what was found instead.
    pub fn recognise(content: &[u8]) -> Result<Self, KeyError> {
        let key = SymmetricKey::recognise(content)?;
        Ok(Self {
            base64: Zeroizing::new(BASE64_STANDARD.encode(key.as_bytes())),
            md5: key.sse_c_md5(),
            fingerprint: key.fingerprint(),
        })
    }

    /// Makes a second one of it, wiped by itself: for a copy that keeps its source's key.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { base64: self.base64.clone(), md5: self.md5.clone(), fingerprint: self.fingerprint.clone() }
    }

    /// The name by which people and key rings know the key.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The value of `x-amz-server-side-encryption-customer-key`.
    #[must_use]
    pub fn base64(&self) -> &str {
        &self.base64
    }

    /// The value of `x-amz-server-side-encryption-customer-key-MD5`: the fingerprint that S3 itself shows.
    #[must_use]
    pub fn md5(&self) -> &str {
        &self.md5
    }
}

/// A key that encrypts one object's bytes: made by s3seal or KMS, or unwrapped from an envelope.
pub struct DataKey(Zeroizing<Vec<u8>>);

impl DataKey {
    /// Takes key bytes.
    ///
    /// # Errors
    /// [`KeyError::Length`] unless there are 16, 24 or 32 of them.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        SymmetricKey::new(bytes).map(|key| Self(key.0))
    }

    /// Makes a new 256-bit data key from the system's generator.
    ///
    /// # Errors
    /// [`KeyError::Random`] where the system has none.
    pub fn random() -> Result<Self, KeyError> {
        SymmetricKey::random().map(|key| Self(key.0))
    }

    /// The key's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A secret that people remember; turned into a wrapping key by Argon2id.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes the text as typed; an empty one is refused where it is read.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Makes a second one of it, wiped by itself: for a ring that must open what it has just sealed.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// An RSA public key: its DER (SubjectPublicKeyInfo), checked by `seal::wrap` when read.
#[derive(Clone)]
pub struct RsaPublicKey {
    der: Vec<u8>,
}

impl RsaPublicKey {
    /// Takes a checked DER encoding.
    #[must_use]
    pub fn from_checked_der(der: Vec<u8>) -> Self {
        Self { der }
    }

    /// The SubjectPublicKeyInfo.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the name by which people and key rings know the pair.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }
}

/// An RSA private key: its DER (PKCS #8), checked by `seal::wrap` when read, and its public half.
pub struct RsaPrivateKey {
    der: Zeroizing<Vec<u8>>,
    public: RsaPublicKey,
}

impl RsaPrivateKey {
    /// Takes a checked DER encoding and the public half that belongs to it.
    #[must_use]
    pub fn from_checked_der(der: Zeroizing<Vec<u8>>, public: RsaPublicKey) -> Self {
        Self { der, public }
    }

    /// The PKCS #8 encoding.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }
}

/// The keys at hand for opening client-side envelopes; the right one is found by fingerprint, else by trying.
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
    /// Whether no key was given at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symmetric.is_empty() && self.private.is_empty() && self.passphrases.is_empty()
    }
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a length that AES knows, or not the one needed here.
    #[error("a key of {0} bytes cannot be used here; 32 are needed")]
    Length(usize),
    /// Neither raw bytes, hex nor base64 of 32 bytes.
    #[error("not a 256-bit key: found {0}, not 32 raw bytes, 64 hex digits or base64 of 32 bytes")]
    Unrecognised(String),
    /// The system's random generator failed.
    #[error("the system gives no random numbers")]
    Random,
    /// Not an RSA key that can be used; the text says what is wrong with it.
    #[error("{0}")]
    Rsa(String),
}

static SPENT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Notes that an environment variable holds a secret, so that no command started from here inherits it.
pub fn spend_variable(name: &str) {
    SPENT.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
}

/// The names of the variables that whoever starts a command must remove from what it inherits.
#[must_use]
pub fn spent_variables() -> Vec<String> {
    SPENT.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
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
