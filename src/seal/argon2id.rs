//! Derives a wrapping key from a passphrase by Argon2id, and stores the parameters as a PHC string without the hash.
//!
//! The string is stored with the object, so that any program that has Argon2id can derive the key. It is not
//! authenticated when it is read: its costs are limited before any memory is allocated. New objects get the costs of
//! `defaults::ARGON2`.

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Params, Version};
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use zeroize::Zeroizing;

use crate::encryption::Argon2;
use crate::error::{Error, Result};
use crate::keys::{KEY_LEN, Passphrase, SymmetricKey};
use crate::limits::{MAX_ARGON2_LANES, MAX_ARGON2_PASSES};

const SALT_LEN: usize = 16;
const SALT_RANGE: std::ops::RangeInclusive<usize> = 16..=64;
/// Longer than any string that [`Phc`] writes or takes.
const MAX_TEXT: usize = 160;

/// The parameters of a derivation: costs and salt. Not secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phc {
    memory: u32,
    time: u32,
    parallelism: u32,
    salt: Vec<u8>,
}

/// A wrapping key derived from a passphrase, with the parameters.
pub struct PassphraseKey {
    phc: Phc,
    key: SymmetricKey,
}

impl PassphraseKey {
    /// Derives a key with a new salt. One key serves for all objects of a run, for each wrap has a random nonce. Fails
    /// with `Unsupported` for costs beyond the limits.
    pub fn new(passphrase: &Passphrase, costs: Argon2) -> Result<Self> {
        let salt = super::random::<SALT_LEN>()?.to_vec();
        let Argon2 { memory, time, parallelism } = costs;
        let phc = Phc { memory, time, parallelism, salt };
        phc.check_limits().map_err(|why| Error::unsupported("the cost of Argon2id", why))?;
        let key = phc.derive(passphrase)?;
        Ok(Self { phc, key })
    }

    /// The parameters that it was derived with.
    pub fn phc(&self) -> &Phc {
        &self.phc
    }

    /// The key.
    pub fn key(&self) -> &SymmetricKey {
        &self.key
    }
}

impl Phc {
    /// The memory that the derivation takes, in KiB.
    pub fn memory(&self) -> u32 {
        self.memory
    }

    /// Derives the key. The costs determine how long that takes and how much memory it needs.
    pub fn derive(&self, passphrase: &Passphrase) -> Result<SymmetricKey> {
        let failed = |error: argon2::Error| {
            Error::local("derive", "the key from the passphrase")(std::io::Error::other(error.to_string()))
        };
        let params = Params::new(self.memory, self.time, self.parallelism, Some(KEY_LEN)).map_err(failed)?;
        let mut bytes = Zeroizing::new(vec![0; KEY_LEN]);
        argon2::Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut bytes)
            .map_err(failed)?;
        SymmetricKey::new(bytes).map_err(|_| super::gcm::refused())
    }

    fn check_limits(&self) -> Result<(), String> {
        let Self { memory, time, parallelism, ref salt } = *self;
        let floor = parallelism.saturating_mul(8).max(8);
        if parallelism == 0 || parallelism > MAX_ARGON2_LANES {
            return Err(format!("p={parallelism} is not between 1 and {MAX_ARGON2_LANES}"));
        }
        if memory < floor {
            return Err(format!("m={memory} KiB is less than {floor}"));
        }
        if time == 0 || time > MAX_ARGON2_PASSES {
            return Err(format!("t={time} is not between 1 and {MAX_ARGON2_PASSES}"));
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

    /// Takes exactly what [`Phc`] writes, within the limits: no other order, no other version, no hash. Memory has no
    /// upper limit here, because the user may allow more: see [`Unwrapper`](super::ring::Unwrapper).
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
        phc.check_limits()?;
        Ok(phc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;

    const SALT: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn the_key_is_the_one_that_others_derive() {
        // argon2-cffi: hash_secret_raw(b"correct horse battery staple", bytes(range(16)), 1, 64, 2, 32, Type.ID)
        let phc: Phc = format!("$argon2id$v=19$m=64,t=1,p=2${SALT}").parse().unwrap();
        let key = phc.derive(&passphrase("correct horse battery staple")).unwrap();
        let expected: [u8; 32] = [
            0x10, 0x87, 0xc9, 0xe8, 0xaf, 0x7d, 0xed, 0xf3, 0xdd, 0x7b, 0xa3, 0x8c, 0x7b, 0x67, 0x17, 0x34,
            0x28, 0xab, 0x31, 0x2b, 0x1e, 0xa3, 0x9e, 0x09, 0xc1, 0x85, 0x0a, 0x82, 0x82, 0xfa, 0x6a, 0x83,
        ];
        assert_eq!(key.as_bytes(), expected);
    }

    #[test]
    fn what_is_written_is_read() {
        let derived =
            PassphraseKey::new(&passphrase("a"), Argon2 { memory: 64, time: 1, parallelism: 2 }).unwrap();
        let again: Phc = derived.phc().to_string().parse().unwrap();
        assert_eq!(again, *derived.phc());
        assert_eq!(again.derive(&passphrase("a")).unwrap().as_bytes(), derived.key().as_bytes());
        assert_ne!(again.derive(&passphrase("b")).unwrap().as_bytes(), derived.key().as_bytes());
    }

    #[test]
    fn each_derivation_has_its_own_salt() {
        let costs = Argon2 { memory: 64, time: 1, parallelism: 1 };
        let once = PassphraseKey::new(&passphrase("a"), costs).unwrap();
        let twice = PassphraseKey::new(&passphrase("a"), costs).unwrap();
        assert_ne!(once.phc(), twice.phc());
        assert_ne!(once.key().as_bytes(), twice.key().as_bytes());
    }

    #[test]
    fn costs_are_capped_before_they_are_paid() {
        let read = |costs: &str| format!("$argon2id$v=19${costs}${SALT}").parse::<Phc>();
        for costs in ["m=4294967295,t=12,p=16", "m=8,t=1,p=1", "m=65536,t=3,p=4"] {
            assert!(read(costs).is_ok(), "{costs}");
        }
        for costs in [
            "m=4294967296,t=1,p=1",
            "m=64,t=13,p=1",
            "m=64,t=1,p=17",
            "m=0,t=1,p=1",
            "m=7,t=1,p=1",
            "m=31,t=1,p=4",
            "m=64,t=0,p=1",
            "m=64,t=1,p=0",
        ] {
            assert!(read(costs).is_err(), "{costs}");
        }
        let costs = Argon2 { time: MAX_ARGON2_PASSES + 1, ..defaults::ARGON2 };
        assert!(matches!(PassphraseKey::new(&passphrase("a"), costs), Err(Error::Unsupported { .. })));
    }

    #[test]
    fn only_one_form_is_read() {
        let good = format!("$argon2id$v=19$m=64,t=1,p=1${SALT}");
        assert!(good.parse::<Phc>().is_ok());
        for bad in [
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("$v=19", ""),
            good.replace("m=64,t=1", "t=1,m=64"),
            good.replace("m=64", "m=064"),
            good.replace("m=64", "m=+64"),
            good.replace("m=64", "m="),
            format!("{good}=="),
            format!("{good}$AAAA"),
            format!(" {good}"),
            good.replace(SALT, "AAAA"),
            good.replace(SALT, &"A".repeat(88)),
            good.replace(SALT, &"A".repeat(8000)),
        ] {
            assert!(bad.parse::<Phc>().is_err(), "{bad}");
        }
    }
}
