//! Passphrase → wrapping key by Argon2id, and its parameters ↔ a PHC string without the hash.
//!
//! The string travels beside the object, so that any program that knows Argon2id can derive the key. It comes
//! back from there unproven: its costs are capped before a single byte of memory is spent on them.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Params, Version};
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use zeroize::Zeroizing;

use crate::encryption::Argon2;
use crate::error::{Error, Result};
use crate::keys::{KEY_LEN, Passphrase, SymmetricKey};

/// The most memory that a derivation may take, in KiB.
pub const MAX_MEMORY: u32 = 1024 * 1024;
/// The most passes.
pub const MAX_TIME: u32 = 16;
/// The most lanes.
pub const MAX_PARALLELISM: u32 = 16;

const SALT_LEN: usize = 16;
const SALT_RANGE: std::ops::RangeInclusive<usize> = 16..=64;
/// Longer than any string that [`Phc`] writes or takes.
const MAX_TEXT: usize = 160;

/// How a passphrase becomes a key: costs and salt. Public.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phc {
    memory: u32,
    time: u32,
    parallelism: u32,
    salt: Vec<u8>,
}

/// A wrapping key derived from a passphrase, and how.
pub struct Derived {
    phc: Phc,
    key: SymmetricKey,
}

impl Derived {
    /// Derives a key with a new salt: once per run, however many objects; each wrap has a random nonce.
    ///
    /// # Errors
    /// `Unsupported` for costs beyond the caps; `Local` where the machine lacks memory or random numbers.
    pub fn new(passphrase: &Passphrase, costs: Argon2) -> Result<Self> {
        let salt = super::random::<SALT_LEN>()?.to_vec();
        let Argon2 { memory, time, parallelism } = costs;
        let phc = Phc { memory, time, parallelism, salt };
        phc.within_caps()
            .map_err(|why| Error::Unsupported { what: "the cost of Argon2id".to_owned(), why })?;
        let key = phc.derive(passphrase)?;
        Ok(Self { phc, key })
    }

    /// How it was derived.
    #[must_use]
    pub fn phc(&self) -> &Phc {
        &self.phc
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &SymmetricKey {
        &self.key
    }
}

impl Phc {
    /// Derives the key. Takes as long, and as much memory, as the costs say.
    ///
    /// # Errors
    /// `Local` where the machine lacks the memory.
    pub fn derive(&self, passphrase: &Passphrase) -> Result<SymmetricKey> {
        let failed = |error: argon2::Error| Error::Local {
            what: "deriving the key from the passphrase failed".to_owned(),
            source: std::io::Error::other(error.to_string()),
        };
        let params = Params::new(self.memory, self.time, self.parallelism, Some(KEY_LEN)).map_err(failed)?;
        let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
        argon2::Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut bytes)
            .map_err(failed)?;
        SymmetricKey::new(bytes).map_err(|_| super::gcm::refused())
    }

    fn within_caps(&self) -> Result<(), String> {
        let Self { memory, time, parallelism, ref salt } = *self;
        let floor = parallelism.saturating_mul(8).max(8);
        if parallelism == 0 || parallelism > MAX_PARALLELISM {
            return Err(format!("p={parallelism} is not between 1 and {MAX_PARALLELISM}"));
        }
        if memory < floor || memory > MAX_MEMORY {
            return Err(format!("m={memory} KiB is not between {floor} and {MAX_MEMORY}"));
        }
        if time == 0 || time > MAX_TIME {
            return Err(format!("t={time} is not between 1 and {MAX_TIME}"));
        }
        if !SALT_RANGE.contains(&salt.len()) {
            return Err(format!("a salt of {} bytes is not between 16 and 64", salt.len()));
        }
        Ok(())
    }
}

impl fmt::Display for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, time, parallelism, salt } = self;
        let salt = BASE64_STANDARD_NO_PAD.encode(salt);
        write!(f, "$argon2id$v=19$m={memory},t={time},p={parallelism}${salt}")
    }
}

impl FromStr for Phc {
    type Err = String;

    /// Takes exactly what [`Phc`] writes: no other order, no other version, no hash; and within the caps.
    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || "not a string of the form $argon2id$v=19$m=…,t=…,p=…$SALT".to_owned();
        if text.len() > MAX_TEXT {
            return Err(malformed());
        }
        let rest = text.strip_prefix("$argon2id$v=19$m=").ok_or_else(malformed)?;
        let (memory, rest) = rest.split_once(",t=").ok_or_else(malformed)?;
        let (time, rest) = rest.split_once(",p=").ok_or_else(malformed)?;
        let (parallelism, salt) = rest.split_once('$').ok_or_else(malformed)?;
        let number = |digits: &str| {
            let canonical = digits.bytes().all(|c| c.is_ascii_digit()) && !digits.starts_with('0');
            canonical.then(|| digits.parse().ok()).flatten().ok_or_else(malformed)
        };
        let phc = Self {
            memory: number(memory)?,
            time: number(time)?,
            parallelism: number(parallelism)?,
            salt: BASE64_STANDARD_NO_PAD.decode(salt).map_err(|_| malformed())?,
        };
        phc.within_caps()?;
        Ok(phc)
    }
}
