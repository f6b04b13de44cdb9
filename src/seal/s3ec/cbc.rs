//! AES-CBC, which only old clients wrote: unauthenticated, and only read.
//!
//! Every failure has the same text: a reader that distinguishes bad padding from a bad length is an oracle. Incomplete data
//! never passes for complete.

use std::mem;

use aws_lc_rs::cipher::{
    DecryptionContext, EncryptionContext, StreamingDecryptingKey, StreamingEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use super::CBC_IV_LEN;
use crate::error::{Error, Result, Subject};
use crate::seal::Output;
use crate::seal::{Open, Trust, gcm, wrap};

/// The block length, in bytes.
pub(super) const BLOCK: usize = 16;
/// How many bytes a replay encrypts at once.
const REPLAY_STEP: usize = 64 * 1024;

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
    /// Whether it must fail at its end, because no key fitted.
    rejected: bool,
    replay: Replay,
}

/// The beginning of a message, as it is encrypted again from the plaintext that an earlier run has written.
struct Replay {
    cipher: StreamingEncryptingKey,
    /// The last block: that of the stored bytes is compared with it, and depends on all before it.
    last: Vec<u8>,
    /// The stored bytes before that block.
    before: u64,
    /// The plaintext that the opener returns once more.
    known: u64,
}

impl CbcOpener {
    pub(super) fn new(subject: &Subject, key: &[u8], iv: [u8; CBC_IV_LEN], rejected: bool) -> Result<Self> {
        let context = EncryptionContext::Iv128(FixedLength::from(iv));
        let again = cipher_key(key)
            .and_then(|key| StreamingEncryptingKey::less_safe_cbc_pkcs7(key, context).ok())
            .ok_or_else(gcm::refused)?;
        let replay = Replay { cipher: again, last: Vec::new(), before: 0, known: 0 };
        Ok(Self { cipher: Cbc::new(subject, key, iv)?, rejected, replay })
    }

    /// Compares the stored bytes with the block that they begin with, if anything was replayed.
    fn compare(&mut self, sealed: &[u8]) -> Result<()> {
        let len = self.replay.last.len().min(sealed.len());
        let rest = self.replay.last.split_off(len);
        let is_same = mem::replace(&mut self.replay.last, rest) == sealed[..len];
        if is_same { Ok(()) } else { Err(broken(&self.cipher.subject)) }
    }

    /// Removes from the plaintext behind `start` what was replayed.
    fn drop_known(&mut self, out: &mut Output, start: usize) {
        let new = out.len() - start;
        let known = usize::try_from(self.replay.known).unwrap_or(usize::MAX).min(new);
        if known > 0 {
            let rest = out[start + known..].to_vec();
            out.truncate(start);
            out.extend_from_slice(&rest);
            self.replay.known -= known as u64;
        }
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
        let start = out.len();
        self.cipher.push(sealed, out)?;
        self.drop_known(out, start);
        Ok(())
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
            self.replay.known += piece.len() as u64;
            self.replay.known -= opened.len() as u64;
        }
        Ok(())
    }

    fn resumes_at(&self) -> Option<u64> {
        Some(self.replay.before)
    }

    fn finish(self: Box<Self>, out: &mut Output) -> Result<()> {
        let Self { cipher, rejected, replay } = *self;
        let subject = cipher.subject.clone();
        let mut last = Output::new();
        cipher.finish(&mut last)?;
        let known = usize::try_from(replay.known).unwrap_or(usize::MAX);
        match last.get(known..).filter(|_| !rejected && replay.last.is_empty()) {
            Some(new) => {
                out.extend_from_slice(new);
                Ok(())
            }
            None => Err(broken(&subject)),
        }
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
        let mut opener = Box::new(CbcOpener::new(&"it".into(), &KEY, IV, false)?);
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
    fn replaying_other_bytes_is_refused() {
        let plain = [1; 80];
        let sealed = sealed(&plain);
        for done in [16, 17, 48, 80] {
            let mut disk = plain[..done].to_vec();
            disk[3] ^= 1;
            assert!(matches!(opened(&disk, &sealed, 7), Err(Error::Tampered { .. })), "{done}");
        }
        assert!(matches!(opened(&[1; 96], &sealed, 7), Err(Error::Tampered { .. })), "more than there is");
    }
}
