//! AES-CBC, which only old clients wrote: unauthenticated, and only read.
//!
//! Every failure has the same text: a reader that distinguishes bad padding from a bad length is an oracle. Incomplete data
//! never passes for complete.

use aws_lc_rs::cipher::{DecryptionContext, StreamingDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

use super::CBC_IV_LEN;
use crate::error::{Error, Result, Subject};
use crate::seal::Output;
use crate::seal::{Open, Trust, gcm, wrap};

/// The block length, in bytes.
pub(super) const BLOCK: usize = 16;

/// The cipher. It returns whole blocks and holds back the last one for its padding.
pub(super) struct Cbc {
    subject: Subject,
    cipher: StreamingDecryptingKey,
}

impl Cbc {
    pub(super) fn new(subject: &Subject, key: &[u8], iv: [u8; CBC_IV_LEN]) -> Result<Self> {
        let context = DecryptionContext::Iv128(FixedLength::from(iv));
        let cipher = wrap::aes_of(key.len())
            .and_then(|algorithm| UnboundCipherKey::new(algorithm, key).ok())
            .and_then(|key| StreamingDecryptingKey::cbc_pkcs7(key, context).ok())
            .ok_or_else(gcm::refused)?;
        Ok(Self { subject: subject.clone(), cipher })
    }

    pub(super) fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        if sealed.is_empty() {
            return Ok(());
        }
        let start = out.len();
        let room = out.append(sealed.len() + BLOCK);
        let written = self.cipher.update(sealed, room).map(|update| update.written().len());
        out.truncate(start + *written.as_ref().unwrap_or(&0));
        written.map(|_| ()).map_err(|_| gcm::refused())
    }

    /// Ends the message.
    pub(super) fn finish(self, out: &mut Output) -> Result<()> {
        // The library refuses an empty message, an incomplete block and invalid padding.
        let mut last = [0; BLOCK];
        let written = self.cipher.finish(&mut last).map_err(|_| broken(&self.subject))?.written().len();
        out.extend_from_slice(&last[..written]);
        Ok(())
    }
}

fn broken(subject: &Subject) -> Error {
    Error::tampered(subject, "it does not decrypt: it was changed or cut off, or this is the wrong key")
}

/// Opens a whole object.
pub(super) struct CbcOpener {
    cipher: Cbc,
    /// Whether it must fail at its end, because no key fitted.
    rejected: bool,
}

impl CbcOpener {
    pub(super) fn new(subject: &Subject, key: &[u8], iv: [u8; CBC_IV_LEN], rejected: bool) -> Result<Self> {
        Cbc::new(subject, key, iv).map(|cipher| Self { cipher, rejected })
    }
}

impl Open for CbcOpener {
    /// The bytes are never authenticated. But only the padding at the end shows whether any are missing, and the user has
    /// not allowed incomplete data.
    fn trust(&self) -> Trust {
        Trust::OnlyAtEnd
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.cipher.push(sealed, out)
    }

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(Error::unsupported(self.cipher.subject.clone(), "a download of AES-CBC cannot be resumed"))
    }

    fn finish(self: Box<Self>, out: &mut Output) -> Result<()> {
        let Self { cipher, rejected } = *self;
        let subject = cipher.subject.clone();
        cipher.finish(out)?;
        if rejected { Err(broken(&subject)) } else { Ok(()) }
    }
}
