//! Formats and ciphers: bytes in, bytes out.
//!
//! No await, no clock, no file and no network here, so that one set of laws holds for every format and all of
//! them can be tested without S3. What a format leaves beside the object is returned as plain metadata.

use std::collections::BTreeMap;

use crate::error::{Error, Result, WrapKind};
use crate::keys::{Fingerprint, RsaPrivateKey, SymmetricKey};

pub mod detect;
pub mod esdk;
pub mod gcm;
mod output;
pub mod passphrase;
pub mod ring;
pub mod s3ec;
pub mod wrap;

pub use output::Output;

/// What a format leaves beside the object, known before the first byte is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Object metadata: keys without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// The content of an instruction file to be written before the object, if the format was asked for one.
    pub instruction: Option<String>,
}

/// The key that unwrapped a data key, and with that what an authenticated object proves: whoever sealed it had an AES key
/// or a passphrase, or might use the key in AWS KMS; of an RSA pair nothing but the public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedWith {
    /// What kind of key.
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

    /// A passphrase or a key in AWS KMS.
    fn nameless(kind: WrapKind) -> Self {
        Self { kind, fingerprint: None }
    }
}

/// When plain bytes that came out of [`Open::push`] may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// As soon as they come out.
    EachFrame,
    /// Only once [`Open::finish`] has succeeded.
    OnlyAtEnd,
    /// Never: a range leaves the proof out. The user must have asked for it.
    Never,
}

/// Turns plain bytes into sealed ones, in order.
pub trait Seal: Send {
    /// Returns what goes beside the object.
    fn attributes(&self) -> Attributes;

    /// Returns exactly how many sealed bytes `plain` bytes become.
    fn sealed_len(&self, plain: u64) -> u64;

    /// Takes the next plain bytes, appends sealed ones to `out`.
    ///
    /// # Errors
    /// `TooLarge` beyond the format's limit, before anything beyond it is sealed.
    fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()>;

    /// Ends the message and appends what belongs to its end; consumes, so that it cannot be forgotten half-way.
    ///
    /// # Errors
    /// As [`Seal::push`].
    fn finish(self: Box<Self>, out: &mut Output) -> Result<()>;
}

/// Turns sealed bytes into plain ones, in order.
pub trait Open: Send {
    /// Says when what comes out may be believed.
    fn trust(&self) -> Trust;

    /// Takes the next sealed bytes, appends plain ones to `out`.
    ///
    /// # Errors
    /// `Tampered` where the bytes do not hold.
    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()>;

    /// Catches up over plain bytes that an earlier run has already brought to disk.
    ///
    /// # Errors
    /// `Unsupported` where the format cannot.
    fn replay(&mut self, plain: &[u8]) -> Result<()>;

    /// Ends the message: everything that came out is proven once this returns.
    ///
    /// # Errors
    /// `Tampered` where the message is cut short or its proof fails.
    fn finish(self: Box<Self>, out: &mut Output) -> Result<()>;
}

/// Returns `N` bytes from the system's generator.
///
/// # Errors
/// `Local` where it fails, or gives nothing but zeros, which is as good as a failure.
fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes).is_ok();
    if filled && bytes != [0; N] {
        return Ok(bytes);
    }
    Err(Error::local("read", "random numbers of the system")(std::io::Error::other("the generator failed")))
}
