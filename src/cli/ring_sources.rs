//! The keys of a key ring as typed: first understood, all of them, then read.
//!
//! Shared by the verbs that open: whatever they do with the keys, wrong words are refused before anybody is asked for
//! anything. How one source is read is `key_source`'s.

use super::failure::Failure;
use super::key_source::{KeyReader, KeySource, SourceText};
use crate::keys::{CustomerKey, KeyRing};

/// The keys that open, as typed.
pub(crate) struct Typed<'a> {
    /// `--sse-c-key`
    pub(crate) sse_c_key: &'a [SourceText],
    /// `--key`
    pub(crate) key: &'a [SourceText],
    /// `--private-key`
    pub(crate) private_key: &'a [SourceText],
    /// `--passphrase`
    pub(crate) passphrase: &'a [SourceText],
    /// Whether a key file may be open to others.
    pub(crate) allow_open: bool,
}

/// The keys that open, not read yet.
pub(crate) struct RingSources {
    reader: KeyReader,
    customer: Vec<KeySource>,
    symmetric: Vec<KeySource>,
    private: Vec<KeySource>,
    passphrases: Vec<KeySource>,
    flags: [&'static str; 4],
}

/// The keys that open, read: those that S3 is sent, and those that stay here.
pub(crate) struct OpeningKeys {
    /// SSE-C keys.
    pub(crate) customer: Vec<CustomerKey>,
    /// Keys of client-side envelopes.
    pub(crate) ring: KeyRing,
}

impl RingSources {
    /// Understands the sources of `--sse-c-key`, `--key`, `--private-key` and `--passphrase`.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub(crate) fn understand(typed: &Typed<'_>) -> Result<Self, Failure> {
        Self::understand_as(["--sse-c-key", "--key", "--private-key", "--passphrase"], typed)
    }

    /// The same with `--from-` before each, where the bare names are taken by what seals.
    ///
    /// # Errors
    /// As [`RingSources::understand`].
    pub(crate) fn understand_old(typed: &Typed<'_>) -> Result<Self, Failure> {
        Self::understand_as(
            ["--from-sse-c-key", "--from-key", "--from-private-key", "--from-passphrase"],
            typed,
        )
    }

    fn understand_as(flags: [&'static str; 4], typed: &Typed<'_>) -> Result<Self, Failure> {
        let reader = KeyReader {
            stdin_is_data: false,
            allow_open: typed.allow_open,
            allow_weak: true,
            sealing: false,
        };
        let keys = |flag: &str, texts: &[SourceText]| -> Result<Vec<KeySource>, Failure> {
            texts.iter().map(|text| reader.key_source(flag, text)).collect()
        };
        let customer = keys(flags[0], typed.sse_c_key)?;
        let (symmetric, private) = (keys(flags[1], typed.key)?, keys(flags[2], typed.private_key)?);
        let passphrases = typed.passphrase.iter().map(|text| reader.passphrase_source(flags[3], text));
        let passphrases = passphrases.collect::<Result<_, _>>()?;
        Ok(Self { reader, customer, symmetric, private, passphrases, flags })
    }

    /// Reads them all; may wait for a person or another program.
    ///
    /// # Errors
    /// A key failure that names the source.
    pub(crate) fn read(self) -> Result<OpeningKeys, Failure> {
        let mut customer = Vec::new();
        for source in &self.customer {
            customer.push(self.reader.customer_key(self.flags[0], source)?);
        }
        let mut ring = KeyRing::default();
        for source in &self.symmetric {
            ring.symmetric.extend(self.reader.to_open(self.flags[1], source)?);
        }
        for source in &self.private {
            ring.private.push(self.reader.private_key(self.flags[2], source)?);
        }
        for source in &self.passphrases {
            ring.passphrases.push(self.reader.passphrase(self.flags[3], source)?);
        }
        Ok(OpeningKeys { customer, ring })
    }
}
