//! AES-CBC, which only old clients wrote: unauthenticated, and only read.
//!
//! Every failure has the same text: a reader that distinguishes bad padding from a bad length is an oracle. Incomplete data
//! never passes for complete.

use std::mem;

use aws_lc_rs::cipher::{
    DecryptionContext, EncryptionContext, StreamingDecryptingKey, StreamingEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::{CBC_IV_LEN, REPLAY_STEP};
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
        let cipher = cipher_key(key)
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

fn cipher_key(key: &[u8]) -> Option<UnboundCipherKey> {
    UnboundCipherKey::new(wrap::aes_of(key.len())?, key).ok()
}

fn broken(subject: &Subject) -> Error {
    Error::tampered(subject, "it does not decrypt: it was changed or cut off, or this is the wrong key")
}

/// Opens a whole object.
pub(super) struct CbcOpener {
    cipher: Cbc,
    fit: Fit,
    replay: Replay,
}

/// Whether a key fitted, and whether that may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    /// Whether it did must not be seen before the end. So nothing can be resumed: with another key than that of the run
    /// before, the first bytes would differ.
    Hidden {
        /// Whether it did not, and the end must fail.
        rejected: bool,
    },
}

/// The beginning of a message, as it is encrypted again from the plaintext that an earlier run has written.
struct Replay {
    cipher: StreamingEncryptingKey,
    /// The last block: that of the stored bytes is compared with it, and depends on all before it.
    last: Vec<u8>,
    /// The stored bytes before that block.
    before: u64,
    /// The plaintext that the cipher returns once more.
    known: Zeroizing<Vec<u8>>,
}

impl CbcOpener {
    pub(super) fn new(subject: &Subject, key: &[u8], iv: [u8; CBC_IV_LEN], fit: Fit) -> Result<Self> {
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        let again = cipher_key(key)
            .and_then(|key| StreamingEncryptingKey::less_safe_cbc_pkcs7(key, context).ok())
            .ok_or_else(gcm::refused)?;
        let replay = Replay { cipher: again, last: Vec::new(), before: 0, known: Zeroizing::default() };
        Ok(Self { cipher: Cbc::new(subject, key, iv)?, fit, replay })
    }

    /// Compares the stored bytes with the block that they begin with, if anything was replayed.
    fn compare(&mut self, sealed: &[u8]) -> Result<()> {
        let len = self.replay.last.len().min(sealed.len());
        let rest = self.replay.last.split_off(len);
        let is_same = mem::replace(&mut self.replay.last, rest) == sealed[..len];
        if is_same { Ok(()) } else { Err(broken(&self.cipher.subject)) }
    }

    /// Moves plaintext to `out`, except for what was replayed, which must be the same.
    fn pass_on(&mut self, opened: &[u8], out: &mut Output) -> Result<()> {
        let known = self.replay.known.len().min(opened.len());
        let (again, new) = opened.split_at(known);
        if self.replay.known[..known] != *again {
            return Err(broken(&self.cipher.subject));
        }
        self.replay.known.drain(..known);
        out.extend_from_slice(new);
        Ok(())
    }
}

impl Open for CbcOpener {
    /// The bytes are never authenticated. But only the padding at the end shows whether any are missing, and the user has
    /// not allowed incomplete data.
    fn trust(&self) -> Trust {
        Trust::OnlyAtEnd
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.compare(sealed)?;
        if self.replay.known.is_empty() {
            return self.cipher.push(sealed, out);
        }
        let mut opened = Output::new();
        self.cipher.push(sealed, &mut opened)?;
        self.pass_on(&opened, out)
    }

    /// Takes plaintext from the beginning, before anything is pushed. The next push begins with the last whole block of it.
    fn replay(&mut self, plain: &[u8]) -> Result<()> {
        let (mut sealed, mut opened) = (vec![0; REPLAY_STEP + BLOCK], Output::new());
        for piece in plain.chunks(REPLAY_STEP) {
            let update = self.replay.cipher.update(piece, &mut sealed).map_err(|_| gcm::refused())?;
            self.replay.last.extend_from_slice(update.written());
            let whole = self.replay.last.len().saturating_sub(BLOCK);
            let last = self.replay.last.split_off(whole);
            let before = mem::replace(&mut self.replay.last, last);
            opened.clear();
            self.cipher.push(&before, &mut opened)?;
            self.replay.before += whole as u64;
            self.replay.known.extend_from_slice(piece);
            self.replay.known.drain(..opened.len());
        }
        Ok(())
    }

    fn resumes_at(&self) -> Option<u64> {
        (self.fit == Fit::Yes).then_some(self.replay.before)
    }

    fn finish(self: Box<Self>, out: &mut Output) -> Result<()> {
        let Self { cipher, fit, replay } = *self;
        let subject = cipher.subject.clone();
        let mut last = Output::new();
        cipher.finish(&mut last)?;
        let is_whole = replay.last.is_empty() && fit != Fit::Hidden { rejected: true };
        let new = last.strip_prefix(replay.known.as_slice()).filter(|_| is_whole);
        out.extend_from_slice(new.ok_or_else(|| broken(&subject))?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const IV: [u8; CBC_IV_LEN] = [9; CBC_IV_LEN];

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let context = EncryptionContext::Iv128(FixedLength::from(IV));
        let mut cipher =
            StreamingEncryptingKey::less_safe_cbc_pkcs7(cipher_key(&KEY).unwrap(), context).unwrap();
        let (mut sealed, mut last) = (vec![0; plain.len() + BLOCK], [0; BLOCK]);
        let mut all = cipher.update(plain, &mut sealed).unwrap().written().to_vec();
        all.extend_from_slice(cipher.finish(&mut last).unwrap().1.written());
        all
    }

    /// What comes out if `disk` was replayed, and the rest pushed in pieces.
    fn opened(disk: &[u8], sealed: &[u8], piece: usize) -> Result<Vec<u8>> {
        let mut opener = Box::new(CbcOpener::new(&"it".into(), &KEY, IV, Fit::Yes)?);
        for piece in disk.chunks(piece) {
            opener.replay(piece)?;
        }
        let at = usize::try_from(opener.resumes_at().unwrap()).unwrap();
        let mut out = Output::new();
        for piece in sealed[at..].chunks(piece) {
            opener.push(piece, &mut out)?;
        }
        opener.finish(&mut out)?;
        Ok(out.to_vec())
    }

    #[test]
    fn replaying_what_is_on_disk_is_like_opening_it() {
        for len in [0, 1, 15, 16, 17, 32, 33, 80] {
            let plain: Vec<u8> = (0..len).collect();
            let sealed = sealed(&plain);
            for done in 0..=plain.len() {
                for piece in [1, 7, 16, 33, 100] {
                    let rest = opened(&plain[..done], &sealed, piece).unwrap();
                    assert_eq!(rest, plain[done..], "{len} {done} {piece}");
                }
            }
        }
    }

    #[test]
    fn where_nobody_may_see_whether_the_key_fits_nothing_is_resumed() {
        for rejected in [false, true] {
            let opener = CbcOpener::new(&"it".into(), &KEY, IV, Fit::Hidden { rejected }).unwrap();
            assert_eq!(opener.resumes_at(), None);
        }
    }

    #[test]
    fn replaying_other_bytes_is_refused() {
        let plain = [1; 80];
        let sealed = sealed(&plain);
        for (done, at) in [(16, 3), (17, 3), (17, 16), (48, 47), (79, 78), (80, 0), (80, 79)] {
            let mut disk = plain[..done].to_vec();
            disk[at] ^= 1;
            assert!(matches!(opened(&disk, &sealed, 7), Err(Error::Tampered { .. })), "{done} {at}");
        }
        assert!(matches!(opened(&[1; 96], &sealed, 7), Err(Error::Tampered { .. })), "more than there is");
    }
}
