//! Formats and ciphers: bytes in, bytes out.
//!
//! No await, no clock, no file and no network here, so that every format passes the same property tests, without S3. What
//! a format stores in addition to the ciphertext is returned as a map of metadata.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::{DataKey, Fingerprint, KEY_LEN, RsaPrivateKey, SymmetricKey};

pub mod argon2id;
pub mod detect;
pub mod esdk;
pub mod gcm;
mod hkdf;
mod output;
pub mod ring;
pub mod s3ec;
pub mod wrap;

pub use output::Output;

/// What a format stores in addition to the ciphertext, known before the first byte is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Object metadata: keys without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The content of the instruction file to write before the object, if one was asked for.
    pub instruction: Option<String>,
}

/// The key that unwrapped a data key. It limits what an authenticated object proves: the writer had the AES key or the
/// passphrase, or was allowed to use the KMS key; with RSA the writer needed nothing but the public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedWith {
    /// The kind of key.
    pub kind: WrapKind,
    /// The key's own fingerprint, for AES and RSA keys.
    pub fingerprint: Option<Fingerprint>,
}

impl OpenedWith {
    fn aes(key: &SymmetricKey) -> Self {
        Self { kind: WrapKind::Aes, fingerprint: Some(key.fingerprint()) }
    }

    fn rsa(key: &RsaPrivateKey) -> Self {
        Self { kind: WrapKind::Rsa, fingerprint: Some(key.public().fingerprint()) }
    }

    /// For a passphrase or a key in AWS KMS.
    fn without_fingerprint(kind: WrapKind) -> Self {
        Self { kind, fingerprint: None }
    }
}

/// When plaintext that [`Open::push`] returned is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// At once.
    EachFrame,
    /// Only once [`Open::finish`] has succeeded.
    OnlyAtEnd,
    /// Never: a range does not include the tag. The user must have allowed it.
    Never,
}

/// Turns plaintext into ciphertext, in order.
pub trait Seal: Send {
    /// Returns what is stored in addition to the ciphertext.
    fn attributes(&self) -> Attributes;

    /// Returns the exact length of the ciphertext of `plain` bytes.
    fn sealed_len(&self, plain: u64) -> u64;

    /// Takes the next plaintext, appends ciphertext to `out`. Fails with `TooLarge` before anything beyond the format's
    /// limit is sealed.
    fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()>;

    /// Ends the message and appends its end. Consumes the sealer, so that nothing can be pushed afterwards.
    fn finish(self: Box<Self>, out: &mut Output) -> Result<()>;
}

/// Turns ciphertext into plaintext, in order.
pub trait Open: Send {
    /// Says when the plaintext is authenticated.
    fn trust(&self) -> Trust;

    /// Takes the next ciphertext, appends plaintext to `out`. Fails with `Tampered` if the ciphertext was changed.
    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()>;

    /// Skips plaintext that an earlier run has written to disk. Fails with `Unsupported` if the format cannot.
    fn replay(&mut self, plain: &[u8]) -> Result<()>;

    /// Where in the stored bytes the next push begins: after what was replayed, or at the beginning. `None` if the format
    /// cannot be resumed.
    fn resumes_at(&self) -> Option<u64> {
        None
    }

    /// Ends the message: once this succeeds, all of the plaintext is authenticated. Fails with `Tampered` if the message
    /// is incomplete or its tag does not match.
    fn finish(self: Box<Self>, out: &mut Output) -> Result<()>;
}

/// Returns `N` bytes from the system's random generator. Nothing but zeros counts as a failure.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes).is_ok();
    if filled && bytes != [0; N] {
        return Ok(bytes);
    }
    Err(Error::local("read", "random numbers of the system")(std::io::Error::other(
        "it returned an error or only zeros",
    )))
}

/// Requires a data key that objects are encrypted with; `Unsupported` for a shorter one.
fn require_256_bits(data_key: &DataKey) -> Result<()> {
    if data_key.as_bytes().len() == KEY_LEN {
        return Ok(());
    }
    Err(Error::unsupported(
        "a data key of less than 256 bits",
        "objects are encrypted with 256-bit data keys only",
    ))
}

/// The error for a source that gave another number of bytes than it had when it was opened.
fn source_changed(expected_len: u64, taken: impl fmt::Display) -> Error {
    Error::SourceChanged {
        subject: "the source".into(),
        why: format!("it gave {taken} bytes instead of {expected_len}"),
    }
}

/// The error for a range of the plaintext that begins at or after its end.
fn out_of_range(subject: &Subject, plain: &Range<u64>, len: u64) -> Error {
    let range = match plain.end {
        u64::MAX => format!("{}-", plain.start),
        end => format!("{}-{}", plain.start, end.saturating_sub(1)),
    };
    Error::OutOfRange { subject: subject.clone(), range, len }
}
