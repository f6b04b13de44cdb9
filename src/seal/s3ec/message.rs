//! The message of V2 and V3: AES-GCM over the whole object, the tag after the last byte.
//!
//! V3 has a fixed nonce under a derived key, and its suite number as associated data; V2 has a random nonce under the data
//! key, and no associated data. For CBC, which only old clients wrote, see `cbc`.

use zeroize::Zeroizing;

use super::kdf::{NONCE, SUITE};
use super::{ContentAlgorithm, Envelope, REPLAY_STEP, metadata};
use crate::error::{Error, Result, Subject};
use crate::seal::gcm::{self, Counter, NONCE_LEN, TAG_LEN};
use crate::seal::{Attributes, Open, Output, Seal, Trust, source_changed};

/// Nonce and associated data of an envelope's content.
pub(super) fn parameters(content: &ContentAlgorithm) -> Option<(&[u8; NONCE_LEN], &'static [u8])> {
    match content {
        ContentAlgorithm::Gcm { nonce } => Some((nonce, &[])),
        ContentAlgorithm::Committing { .. } => Some((&NONCE, &SUITE)),
        ContentAlgorithm::Cbc { .. } => None,
    }
}

fn not_gcm(envelope: &Envelope) -> Error {
    envelope.tampered("its content algorithm is not AES-GCM")
}

/// Seals an object.
pub(crate) struct Sealer {
    attributes: Attributes,
    cipher: gcm::Sealing,
    /// The plaintext's length, if it is stored in the metadata.
    expected_len: Option<u64>,
    taken: u64,
}

impl Sealer {
    pub(super) fn new(envelope: &Envelope, content_key: &[u8]) -> Result<Self> {
        let (nonce, aad) = parameters(&envelope.content).ok_or_else(|| not_gcm(envelope))?;
        Ok(Self {
            attributes: metadata::write(envelope)?,
            cipher: gcm::Sealing::new(content_key, nonce, aad)?,
            expected_len: envelope.claimed_len,
            taken: 0,
        })
    }
}

impl Seal for Sealer {
    fn attributes(&self) -> Attributes {
        self.attributes.clone()
    }

    fn sealed_len(&self, plain: u64) -> u64 {
        plain.saturating_add(TAG_LEN as u64)
    }

    fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()> {
        let taken = self.taken.saturating_add(plain.len() as u64);
        if let Some(expected_len) = self.expected_len.filter(|expected_len| taken > *expected_len) {
            return Err(source_changed(expected_len, "more"));
        }
        self.cipher.push(plain, out)?;
        self.taken = taken;
        Ok(())
    }

    fn finish(self: Box<Self>, out: &mut Output) -> Result<()> {
        if let Some(expected_len) = self.expected_len.filter(|expected_len| self.taken != *expected_len) {
            return Err(source_changed(expected_len, self.taken));
        }
        out.extend_from_slice(&self.cipher.finish()?);
        Ok(())
    }
}

/// Opens an object. Holds back the last 16 bytes seen: they may be the tag.
pub(crate) struct GcmOpener {
    subject: Subject,
    key: Zeroizing<Vec<u8>>,
    nonce: [u8; NONCE_LEN],
    cipher: gcm::Opening,
    held: [u8; TAG_LEN],
    held_len: usize,
    /// Encrypts replayed plaintext again; present during a replay.
    replay: Option<Counter>,
    replayed: u64,
}

impl GcmOpener {
    pub(super) fn new(envelope: &Envelope, content_key: &Zeroizing<Vec<u8>>) -> Result<Self> {
        let (nonce, aad) = parameters(&envelope.content).ok_or_else(|| not_gcm(envelope))?;
        Ok(Self {
            subject: envelope.subject.clone(),
            key: content_key.clone(),
            nonce: *nonce,
            cipher: gcm::Opening::new(content_key, nonce, aad)?,
            held: [0; TAG_LEN],
            held_len: 0,
            replay: None,
            replayed: 0,
        })
    }

    fn decrypt(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.cipher.push(sealed, out).map_err(|error| match error {
            Error::TooLarge { .. } => Error::tampered(&self.subject, "it is longer than its format allows"),
            other => other,
        })
    }
}

impl Open for GcmOpener {
    fn trust(&self) -> Trust {
        Trust::OnlyAtEnd
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        let total = self.held_len + sealed.len();
        let free = total.saturating_sub(TAG_LEN);
        let (held, held_len) = (self.held, self.held_len);
        let from_held = free.min(held_len);
        let (pass, keep) = sealed.split_at(free - from_held);
        self.decrypt(&held[..from_held], out)?;
        self.decrypt(pass, out)?;
        let rest = held_len - from_held;
        self.held.copy_within(from_held..held_len, 0);
        self.held[rest..rest + keep.len()].copy_from_slice(keep);
        self.held_len = rest + keep.len();
        Ok(())
    }

    fn replay(&mut self, plain: &[u8]) -> Result<()> {
        if self.held_len > 0 {
            return Err(Error::unsupported(
                &self.subject,
                "a download can be resumed only before new bytes arrive",
            ));
        }
        let counter = match &mut self.replay {
            Some(counter) => counter,
            none => none.insert(Counter::new(&self.key, &self.nonce, 0)?),
        };
        let (mut sealed, mut sink) = (Output::new(), Output::new());
        for piece in plain.chunks(REPLAY_STEP) {
            sealed.clear();
            sink.clear();
            counter.push(piece, &mut sealed)?;
            self.cipher.push(&sealed, &mut sink)?;
        }
        self.replayed += plain.len() as u64;
        Ok(())
    }

    fn resumes_at(&self) -> Option<u64> {
        Some(self.replayed)
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        if self.held_len < TAG_LEN {
            return Err(Error::tampered(&self.subject, "it is shorter than its authentication tag"));
        }
        if self.cipher.finish(&self.held)? {
            return Ok(());
        }
        Err(Error::tampered(
            &self.subject,
            "its authentication tag does not match its bytes: they were changed, cut off or replaced",
        ))
    }
}
