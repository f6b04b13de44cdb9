//! Opens a framed message: every frame in order, up to the final one and the signature.
//!
//! The tags alone do not detect a frame out of order, a second final frame, or trailing bytes: those are checked here. After
//! a failure nothing more comes out.

use std::mem;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{Frame, FrameCipher, FrameKind, FrameSplitter};
use super::layout::start_of_frame;
use super::signature::{MAX_SIGNATURE, SignatureVerifier};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_ESDK_FRAME_BYTES;
use crate::seal::{Open, Output, Trust};

/// Opens a message from its first byte, or from its body.
pub(super) struct FramedOpener {
    /// The rest of the header, which was read before and is compared.
    header: Bytes,
    header_len: u64,
    splitter: FrameSplitter,
    body: FrameSequence,
    failed: bool,
}

/// The state of the frames.
struct FrameSequence {
    subject: Subject,
    cipher: Arc<FrameCipher>,
    frame_length: u32,
    /// The number of the next frame.
    next: u32,
    /// The end of the replayed plaintext: the part that lies in frame `next`, up to a whole frame.
    replayed: BytesMut,
    verifier: Option<SignatureVerifier>,
    /// The final frame of a signed message.
    held: Output,
    at: Position,
}

/// The part of the message that the next byte belongs to.
enum Position {
    Frames,
    Signature(BytesMut),
    End,
}

impl FramedOpener {
    pub(super) fn new(
        subject: &Subject,
        header: Bytes,
        cipher: Arc<FrameCipher>,
        frame_length: u32,
        verifier: Option<SignatureVerifier>,
    ) -> Self {
        let body = FrameSequence {
            subject: subject.clone(),
            cipher,
            frame_length,
            next: 1,
            replayed: BytesMut::new(),
            verifier,
            held: Output::new(),
            at: Position::Frames,
        };
        let (header_len, splitter) = (header.len() as u64, FrameSplitter::new(subject, frame_length));
        Self { header, header_len, splitter, body, failed: false }
    }

    fn advance(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        let mut rest = sealed;
        strip_header(&self.body.subject, &mut self.header, &mut rest)?;
        let body = &mut self.body;
        if matches!(body.at, Position::Frames) {
            rest = self.splitter.push(rest, |frame| body.take_frame(frame, out))?;
        }
        body.take_end(rest, out)
    }
}

/// Strips from `bytes` what is left of the header, which must be equal.
pub(super) fn strip_header(subject: &Subject, known: &mut Bytes, bytes: &mut &[u8]) -> Result<()> {
    let len = known.len().min(bytes.len());
    let (head, rest) = bytes.split_at(len);
    if head != &known[..len] {
        return Err(Error::tampered(subject, "its header is not the one that was read before"));
    }
    known.advance(len);
    *bytes = rest;
    Ok(())
}

impl FrameSequence {
    fn take_frame(&mut self, frame: &Frame<'_>, out: &mut Output) -> Result<()> {
        let after_replayed = self.replayed.len() == self.frame_length as usize
            && !self.replayed.is_empty()
            && Some(frame.number) == self.next.checked_add(1);
        if after_replayed {
            let whole = mem::take(&mut self.replayed);
            self.pass(&whole)?;
        }
        if frame.number != self.next {
            let (number, next) = (frame.number, self.next);
            return Err(self.tampered(format!("frame {number} is in the place of frame {next}")));
        }
        if !frame.nonce_is_number() {
            return Err(self.tampered(format!("the nonce of frame {} is not its number", self.next)));
        }
        let plain = if self.verifier.is_some() && frame.is_final() { &mut self.held } else { out };
        let start = plain.len();
        if !self.cipher.open(frame.kind, frame.number, frame.content, frame.tag, plain) {
            return Err(Error::tampered(&self.subject, format!("frame {} was changed", frame.number)));
        }
        drop_replayed(&self.subject, &mut self.replayed, plain, start)?;
        if let Some(verifier) = &mut self.verifier {
            verifier.update(frame.raw);
        }
        if frame.is_final() {
            self.at =
                if self.verifier.is_some() { Position::Signature(BytesMut::new()) } else { Position::End };
            return Ok(());
        }
        self.next = self.next.checked_add(1).ok_or_else(|| self.tampered("it has too many frames"))?;
        Ok(())
    }

    /// Takes the bytes after the final frame.
    fn take_end(&mut self, rest: &[u8], out: &mut Output) -> Result<()> {
        match &mut self.at {
            Position::Frames => Ok(()),
            Position::End if rest.is_empty() => Ok(()),
            Position::End => Err(self.tampered("there are bytes after its end")),
            Position::Signature(footer) => {
                let room = 2 + MAX_SIGNATURE + 1 - footer.len();
                footer.extend_from_slice(&rest[..rest.len().min(room)]);
                let Some(len) = footer.first_chunk().map(|len| usize::from(u16::from_be_bytes(*len))) else {
                    return Ok(());
                };
                if len == 0 || len > MAX_SIGNATURE {
                    return Err(self.tampered(format!("its signature cannot have {len} bytes")));
                }
                if footer.len() > 2 + len {
                    return Err(self.tampered("there are bytes after its end"));
                }
                if footer.len() < 2 + len {
                    return Ok(());
                }
                let signature = footer.split_off(2);
                self.end_signed(&signature, out)
            }
        }
    }

    fn end_signed(&mut self, signature: &[u8], out: &mut Output) -> Result<()> {
        if !self.verifier.take().is_some_and(|verifier| verifier.verify(signature)) {
            return Err(self.tampered("its signature does not match"));
        }
        out.extend_from_slice(&mem::take(&mut self.held));
        self.at = Position::End;
        Ok(())
    }

    /// Skips a regular frame that was replayed.
    fn pass(&mut self, plain: &[u8]) -> Result<()> {
        if let Some(verifier) = &mut self.verifier {
            let mut sealed = Output::new();
            self.cipher.seal(FrameKind::Regular, self.next, plain, &mut sealed)?;
            verifier.update(&sealed);
        }
        self.next = self.next.checked_add(1).ok_or_else(|| self.tampered("it has too many frames"))?;
        Ok(())
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

/// Compares the beginning of a frame, now authenticated, with what was replayed, and removes it.
fn drop_replayed(subject: &Subject, replayed: &mut BytesMut, plain: &mut Output, start: usize) -> Result<()> {
    if replayed.is_empty() {
        return Ok(());
    }
    let known = mem::take(replayed);
    let new = plain[start..].strip_prefix(&known[..]).map(<[u8]>::to_vec);
    plain.truncate(start);
    let new = new
        .ok_or_else(|| Error::tampered(subject, "what an earlier run wrote to disk is not its beginning"))?;
    plain.extend_from_slice(&new);
    Ok(())
}

impl Open for FramedOpener {
    fn trust(&self) -> Trust {
        Trust::EachFrame
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        if self.failed {
            return Err(self.body.tampered("it failed before"));
        }
        let result = self.advance(sealed, out);
        self.failed = result.is_err();
        result
    }

    /// Takes plaintext from the beginning, of any length. The next push begins with the frame that contains the last of it,
    /// or, if that ends a frame, with the frame after. Only the plaintext in that frame is compared: a frame authenticates
    /// no other, so the caller must know that the rest is what came out.
    fn replay(&mut self, plain: &[u8]) -> Result<()> {
        let body = &mut self.body;
        let frame_length = body.frame_length.min(MAX_ESDK_FRAME_BYTES) as usize;
        if !plain.is_empty() {
            self.header.clear();
        }
        for piece in plain.chunks(frame_length) {
            body.replayed.extend_from_slice(piece);
            if body.replayed.len() > frame_length {
                let whole = body.replayed.split_to(frame_length);
                body.pass(&whole)?;
            }
        }
        Ok(())
    }

    fn resumes_at(&self) -> Option<u64> {
        let FrameSequence { next, replayed, frame_length, .. } = &self.body;
        let before = u64::from(*next) - 1;
        let is_fresh = before == 0 && replayed.is_empty();
        Some(if is_fresh { 0 } else { start_of_frame(self.header_len, *frame_length, before) })
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        match self.body.at {
            Position::End if !self.failed => Ok(()),
            Position::Signature(_) => Err(self.body.tampered("it is cut short in its signature")),
            _ => Err(self.body.tampered("it is cut short: its final frame is missing")),
        }
    }
}
