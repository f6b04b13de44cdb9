//! The keys of a key ring as typed: first understood, all of them, then read.
//!
//! Shared by the verbs that open: whatever they do with the keys, wrong words are refused before anybody is asked for
//! anything. How one source is read is `key_source`'s.

use super::failure::Failure;
use super::key_source::{KeyReader, KeySource, SourceText};
use crate::keys::KeyRing;

/// The key ring, not read yet.
pub struct RingSources {
    reader: KeyReader,
    symmetric: Vec<KeySource>,
    private: Vec<KeySource>,
    passphrases: Vec<KeySource>,
    flags: [&'static str; 3],
}

impl RingSources {
    /// Understands the sources of `--key`, `--private-key` and `--passphrase`.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub fn understand(
        key: &[SourceText],
        private_key: &[SourceText],
        passphrase: &[SourceText],
        allow_open: bool,
    ) -> Result<Self, Failure> {
        let flags = ["--key", "--private-key", "--passphrase"];
        Self::understand_as(flags, key, private_key, passphrase, allow_open)
    }

    /// The same under other flags, where those names are taken by what seals.
    ///
    /// # Errors
    /// As [`RingSources::understand`].
    pub fn understand_as(
        flags: [&'static str; 3],
        key: &[SourceText],
        private_key: &[SourceText],
        passphrase: &[SourceText],
        allow_open: bool,
    ) -> Result<Self, Failure> {
        let reader = KeyReader { stdin_is_data: false, allow_open, sealing: false };
        let keys = |flag: &str, texts: &[SourceText]| -> Result<Vec<KeySource>, Failure> {
            texts.iter().map(|text| reader.key_source(flag, text)).collect()
        };
        let (symmetric, private) = (keys(flags[0], key)?, keys(flags[1], private_key)?);
        let passphrases = passphrase.iter().map(|text| reader.passphrase_source(flags[2], text));
        let passphrases = passphrases.collect::<Result<_, _>>()?;
        Ok(Self { reader, symmetric, private, passphrases, flags })
    }

    /// Reads them all; may wait for a person or another program.
    ///
    /// # Errors
    /// A key failure that names the source.
    pub fn read(self) -> Result<KeyRing, Failure> {
        let mut ring = KeyRing::default();
        for source in &self.symmetric {
            ring.symmetric.extend(self.reader.to_open(self.flags[0], source)?);
        }
        for source in &self.private {
            ring.private.push(self.reader.private_key(self.flags[1], source)?);
        }
        for source in &self.passphrases {
            ring.passphrases.push(self.reader.passphrase(self.flags[2], source)?);
        }
        Ok(ring)
    }
}
