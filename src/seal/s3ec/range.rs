//! Opens a range of an object, unauthenticated.
//!
//! GCM is a counter mode, so it decrypts from any offset; CBC needs the preceding block, and the last block for the padding.
//! The caller chooses the range of the plaintext; this file computes which stored bytes to fetch for it.

use std::ops::Range;

use bytes::BytesMut;

use super::cbc::{BLOCK, Cbc};
use super::message::parameters;
use super::{CBC_IV_LEN, ContentAlgorithm, Envelope};
use crate::error::{Error, Result, Subject};
use crate::seal::gcm::{Counter, TAG_LEN};
use crate::seal::{Open, Output, Trust, out_of_range};

const BLOCK_LEN: u64 = BLOCK as u64;

/// An opener for a range, and the bytes to fetch for it.
pub struct RangeRead {
    /// The stored bytes to fetch and push.
    pub sealed: Range<u64>,
    /// Its trust is [`Trust::Never`]. With CBC the plaintext may end before the range does, where the padding begins.
    pub opener: Box<dyn Open>,
}

pub(super) fn open(envelope: &Envelope, key: &[u8], plain: Range<u64>, stored: u64) -> Result<RangeRead> {
    match &envelope.content {
        ContentAlgorithm::Cbc { iv } => open_cbc(envelope, key, *iv, plain, stored),
        ContentAlgorithm::Gcm { .. } | ContentAlgorithm::Committing { .. } => {
            open_gcm(envelope, key, plain, stored)
        }
    }
}

fn clamp(envelope: &Envelope, plain: &Range<u64>, len: u64) -> Result<Range<u64>> {
    let end = plain.end.min(len);
    if plain.start < end {
        return Ok(plain.start..end);
    }
    Err(out_of_range(&envelope.subject, plain, len))
}

fn open_gcm(envelope: &Envelope, key: &[u8], plain: Range<u64>, stored: u64) -> Result<RangeRead> {
    let (nonce, _) = parameters(&envelope.content)
        .ok_or_else(|| envelope.tampered("its content algorithm is not AES-GCM"))?;
    let len = stored
        .checked_sub(TAG_LEN as u64)
        .ok_or_else(|| envelope.tampered("it is shorter than its authentication tag"))?;
    let plain = clamp(envelope, &plain, len)?;
    let opener = GcmRange {
        subject: envelope.subject.clone(),
        counter: Counter::new(key, nonce, plain.start)?,
        missing: plain.end - plain.start,
    };
    Ok(RangeRead { sealed: plain, opener: Box::new(opener) })
}

struct GcmRange {
    subject: Subject,
    counter: Counter,
    missing: u64,
}

impl Open for GcmRange {
    fn trust(&self) -> Trust {
        Trust::Never
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.missing = subtract_received(&self.subject, self.missing, sealed)?;
        self.counter.push(sealed, out)
    }

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(no_replay(&self.subject))
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        check_complete(&self.subject, self.missing)
    }
}

/// Subtracts the received bytes from those still missing.
fn subtract_received(subject: &Subject, missing: u64, sealed: &[u8]) -> Result<u64> {
    missing
        .checked_sub(sealed.len() as u64)
        .ok_or_else(|| Error::tampered(subject, "more bytes arrived than the range has"))
}

fn check_complete(subject: &Subject, missing: u64) -> Result<()> {
    if missing == 0 {
        return Ok(());
    }
    Err(Error::tampered(subject, format!("the range is {missing} bytes short")))
}

fn no_replay(subject: &Subject) -> Error {
    Error::unsupported(subject, "a range cannot be resumed")
}

fn open_cbc(
    envelope: &Envelope,
    key: &[u8],
    iv: [u8; CBC_IV_LEN],
    plain: Range<u64>,
    stored: u64,
) -> Result<RangeRead> {
    if stored == 0 || !stored.is_multiple_of(BLOCK_LEN) {
        return Err(envelope.tampered("it is not a whole number of blocks"));
    }
    // Its last byte is padding at least.
    let asked = clamp(envelope, &plain, stored - 1)?;
    let first = asked.start / BLOCK_LEN;
    let before = first.saturating_sub(1);
    // One block more than needed, for the cipher holds the last one back, unless that is the end.
    let end = ((asked.end - 1) / BLOCK_LEN + 2).saturating_mul(BLOCK_LEN).min(stored);
    let sealed = before * BLOCK_LEN..end;
    let cipher = match first {
        0 => Some(Cbc::new(&envelope.subject, key, iv)?),
        _ => None,
    };
    let opener = CbcRange {
        subject: envelope.subject.clone(),
        key: zeroize::Zeroizing::new(key.to_vec()),
        cipher,
        iv: BytesMut::with_capacity(CBC_IV_LEN),
        missing: sealed.end - sealed.start,
        skip: asked.start % BLOCK_LEN,
        take: asked.end - asked.start,
        to_the_end: end == stored,
        asked: plain,
        given: false,
    };
    Ok(RangeRead { sealed, opener: Box::new(opener) })
}

struct CbcRange {
    subject: Subject,
    key: zeroize::Zeroizing<Vec<u8>>,
    /// Made when the preceding block has arrived.
    cipher: Option<Cbc>,
    iv: BytesMut,
    missing: u64,
    skip: u64,
    take: u64,
    to_the_end: bool,
    asked: Range<u64>,
    given: bool,
}

impl CbcRange {
    /// Passes on what lies inside the range.
    fn release(&mut self, plain: &Output, out: &mut Output) {
        let len = plain.len() as u64;
        let skipped = self.skip.min(len);
        self.skip -= skipped;
        let taken = (len - skipped).min(self.take);
        self.take -= taken;
        self.given |= taken > 0;
        out.extend_from_slice(plain.part(skipped, taken));
    }
}

impl Open for CbcRange {
    fn trust(&self) -> Trust {
        Trust::Never
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.missing = subtract_received(&self.subject, self.missing, sealed)?;
        let mut rest = sealed;
        if self.cipher.is_none() {
            let (head, tail) = rest.split_at(rest.len().min(CBC_IV_LEN - self.iv.len()));
            self.iv.extend_from_slice(head);
            rest = tail;
            if let Ok(iv) = <[u8; CBC_IV_LEN]>::try_from(&self.iv[..]) {
                self.cipher = Some(Cbc::new(&self.subject, &self.key, iv)?);
            }
        }
        let Some(cipher) = &mut self.cipher else { return Ok(()) };
        let mut plain = Output::new();
        cipher.push(rest, &mut plain)?;
        self.release(&plain, out);
        Ok(())
    }

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(no_replay(&self.subject))
    }

    fn finish(mut self: Box<Self>, out: &mut Output) -> Result<()> {
        check_complete(&self.subject, self.missing)?;
        if let (true, Some(cipher)) = (self.to_the_end, self.cipher.take()) {
            let mut plain = Output::new();
            cipher.finish(&mut plain)?;
            self.release(&plain, out);
        }
        if self.given {
            return Ok(());
        }
        // The range covered only padding: the plaintext's length is known only now.
        Err(out_of_range(&self.subject, &self.asked, self.asked.start - self.skip))
    }
}
