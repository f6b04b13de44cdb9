//! Frames: their encoding, and the cipher that seals and opens each of them (format, section 1.4).
//!
//! A frame's tag authenticates its number, its length, its message and whether it is the last. The opener checks their
//! order.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use bytes::BytesMut;

use crate::error::{Error, Result, Subject};
use crate::limits::MAX_ESDK_FRAME_BYTES;
use crate::seal::Output;
use crate::seal::gcm::{self, NONCE_LEN, TAG_LEN};

/// The bytes of a regular frame without its content: number, nonce, tag.
pub(super) const REGULAR_OVERHEAD: u64 = 32;
/// The same of the final frame: mark, number, nonce, length, tag.
pub(super) const FINAL_OVERHEAD: u64 = 40;
/// The same of an unframed body: nonce, length, tag.
pub(super) const SINGLE_OVERHEAD: u64 = 36;

/// Begins the final frame, in place of a regular frame's number.
const FINAL_MARK: u32 = u32::MAX;
const REGULAR_HEAD: usize = 4 + NONCE_LEN;
const FINAL_HEAD: usize = 4 + 4 + NONCE_LEN + 4;

/// The kind of a piece of ciphertext; its label is part of the associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Regular,
    Final,
    Single,
}

impl FrameKind {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Regular => b"AWSKMSEncryptionClient Frame",
            Self::Final => b"AWSKMSEncryptionClient Final Frame",
            Self::Single => b"AWSKMSEncryptionClient Single Block",
        }
    }
}

/// A message's content key, expanded once, and its message id.
pub(super) struct FrameCipher {
    key: LessSafeKey,
    message_id: Vec<u8>,
}

impl FrameCipher {
    pub(super) fn new(key: LessSafeKey, message_id: Vec<u8>) -> Self {
        Self { key, message_id }
    }

    fn aad(&self, kind: FrameKind, number: u32, len: usize) -> Aad<Vec<u8>> {
        let label = kind.label();
        let mut aad = Vec::with_capacity(self.message_id.len() + label.len() + 12);
        aad.extend_from_slice(&self.message_id);
        aad.extend_from_slice(label);
        aad.extend_from_slice(&number.to_be_bytes());
        aad.extend_from_slice(&(len as u64).to_be_bytes());
        Aad::from(aad)
    }

    /// Appends a frame. `number` must not repeat within a message.
    pub(super) fn seal(&self, kind: FrameKind, number: u32, plain: &[u8], out: &mut Output) -> Result<()> {
        let nonce = nonce_of(number);
        let len = u32::try_from(plain.len()).map_err(|_| gcm::refused())?;
        if kind == FrameKind::Final {
            out.extend_from_slice(&FINAL_MARK.to_be_bytes());
        }
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&nonce);
        if kind == FrameKind::Final {
            out.extend_from_slice(&len.to_be_bytes());
        }
        let (content, tag) = out.append(plain.len() + TAG_LEN).split_at_mut(plain.len());
        let aad = self.aad(kind, number, plain.len());
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.key.seal_out_of_place_scatter(nonce, aad, plain, content, &[], tag).map_err(|_| gcm::refused())
    }

    /// Appends the plaintext of a frame if its tag matches; else appends nothing and returns false.
    pub(super) fn open(
        &self,
        kind: FrameKind,
        number: u32,
        content: &[u8],
        tag: &[u8; TAG_LEN],
        out: &mut Output,
    ) -> bool {
        let start = out.len();
        let room = out.append(content.len());
        let aad = self.aad(kind, number, content.len());
        let nonce = Nonce::assume_unique_for_key(nonce_of(number));
        let opened = self.key.open_separate_gather(nonce, aad, content, tag, room).is_ok();
        if !opened {
            out.truncate(start);
        }
        opened
    }
}

/// The nonce of a frame: its number.
fn nonce_of(number: u32) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 4..].copy_from_slice(&number.to_be_bytes());
    nonce
}

/// A complete frame as stored.
pub(super) struct Frame<'a> {
    pub(super) kind: FrameKind,
    pub(super) number: u32,
    nonce: &'a [u8],
    pub(super) content: &'a [u8],
    pub(super) tag: &'a [u8; TAG_LEN],
    /// All of it, for the signature.
    pub(super) raw: &'a [u8],
}

impl Frame<'_> {
    pub(super) fn is_final(&self) -> bool {
        self.kind == FrameKind::Final
    }

    /// Whether the stored nonce is the frame's number, as the format demands. [`FrameCipher::open`] does not use it.
    pub(super) fn nonce_is_number(&self) -> bool {
        self.nonce == nonce_of(self.number)
    }
}

/// Splits ciphertext, which arrives in pieces of any length, into frames, up to the final one.
pub(super) struct FrameSplitter {
    subject: Subject,
    frame_length: u32,
    pending: BytesMut,
}

impl FrameSplitter {
    pub(super) fn new(subject: &Subject, frame_length: u32) -> Self {
        Self { subject: subject.clone(), frame_length, pending: BytesMut::new() }
    }

    /// Calls `take` with each complete frame; returns the bytes after the final one.
    pub(super) fn push<'a>(
        &mut self,
        mut input: &'a [u8],
        mut take: impl FnMut(&Frame<'_>) -> Result<()>,
    ) -> Result<&'a [u8]> {
        while !input.is_empty() {
            let whole = if self.pending.is_empty() { self.len_of(input)? } else { usize::MAX };
            if whole <= input.len() {
                let (raw, rest) = input.split_at(whole);
                input = rest;
                let frame = self.frame(raw)?;
                take(&frame)?;
                if frame.is_final() {
                    return Ok(input);
                }
                continue;
            }
            let missing = self.len_of(&self.pending)? - self.pending.len();
            let (more, rest) = input.split_at(missing.min(input.len()));
            self.pending.extend_from_slice(more);
            input = rest;
            if self.len_of(&self.pending)? == self.pending.len() {
                let pending = std::mem::take(&mut self.pending);
                let frame = self.frame(&pending)?;
                take(&frame)?;
                let ended = frame.is_final();
                self.pending = pending;
                self.pending.clear();
                if ended {
                    return Ok(input);
                }
            }
        }
        Ok(input)
    }

    /// The length of the frame that begins with `bytes`, or of the part of it that is needed to know; greater than
    /// `bytes.len()` if the frame is incomplete.
    fn len_of(&self, bytes: &[u8]) -> Result<usize> {
        let Some(first) = bytes.first_chunk() else { return Ok(4) };
        let (head, content) = if u32::from_be_bytes(*first) == FINAL_MARK {
            let Some(head) = bytes.first_chunk::<FINAL_HEAD>() else { return Ok(FINAL_HEAD) };
            let content = u32_at(head, FINAL_HEAD - 4);
            if content > self.frame_length {
                return Err(Error::tampered(&self.subject, "its final frame is longer than a frame"));
            }
            (FINAL_HEAD, content)
        } else {
            (REGULAR_HEAD, self.frame_length)
        };
        // Nothing has authenticated the length of a final frame, so the bytes that are there decide whether it is too long or
        // damaged.
        if content > MAX_ESDK_FRAME_BYTES && bytes.len() > MAX_ESDK_FRAME_BYTES as usize {
            return Err(Error::too_large(
                &self.subject,
                format!(
                    "one of its frames has {content} bytes; at most {MAX_ESDK_FRAME_BYTES} are held in memory"
                ),
            ));
        }
        Ok((head + TAG_LEN).saturating_add(content as usize))
    }

    fn frame<'a>(&self, raw: &'a [u8]) -> Result<Frame<'a>> {
        let cut = || Error::tampered(&self.subject, "one of its frames is cut short");
        let (raw, tag) = (raw, raw.last_chunk::<TAG_LEN>().ok_or_else(cut)?);
        let is_final = raw.first_chunk().is_some_and(|first| u32::from_be_bytes(*first) == FINAL_MARK);
        let (at, head) = if is_final { (4, FINAL_HEAD) } else { (0, REGULAR_HEAD) };
        let content = raw.get(head..raw.len() - TAG_LEN).ok_or_else(cut)?;
        Ok(Frame {
            kind: if is_final { FrameKind::Final } else { FrameKind::Regular },
            number: u32_at(raw, at),
            nonce: &raw[at + 4..at + 4 + NONCE_LEN],
            content,
            tag,
            raw,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
