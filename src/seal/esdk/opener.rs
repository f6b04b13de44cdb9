//! Opens a framed message: each frame by itself, in order, the end and the signature demanded.
//!
//! Stricter than the format's own readers: a tag alone does not tell a frame out of place, a second end, or bytes
//! after it. Once anything failed, nothing more comes out.

use std::mem;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};

use super::frame::{Cutter, Frame, FrameCipher, Kind};
use super::signature::{Check, MAX_SIGNATURE};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_ESDK_FRAME_BYTES;
use crate::seal::{Open, Output, Trust};

/// Opens a message from its first byte, or from its body.
pub(super) struct FramedOpener {
    /// The header, which was read before, as far as it is still to come.
    header: Bytes,
    cutter: Cutter,
    body: Body,
    failed: bool,
}

/// What is known of the frames.
struct Body {
    subject: Subject,
    cipher: Arc<FrameCipher>,
    frame_length: u32,
    /// The number of the frame that must come next.
    next: u32,
    /// The last plain bytes that were replayed: at least one, at most a frame, of the frame numbered `next`.
    replayed: BytesMut,
    check: Option<Check>,
    /// The final frame of a signed message.
    held: Output,
    at: At,
}

/// Where in a message the next byte is.
enum At {
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
        check: Option<Check>,
    ) -> Self {
        let body = Body {
            subject: subject.clone(),
            cipher,
            frame_length,
            next: 1,
            replayed: BytesMut::new(),
            check,
            held: Output::new(),
            at: At::Frames,
        };
        Self { header, cutter: Cutter::new(subject, frame_length), body, failed: false }
    }

    fn advance(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        let mut rest = sealed;
        skip_known(&self.body.subject, &mut self.header, &mut rest)?;
        let body = &mut self.body;
        if matches!(body.at, At::Frames) {
            rest = self.cutter.push(rest, |frame| body.take_frame(frame, out))?;
        }
        body.take_end(rest, out)
    }
}

/// Takes off `bytes` what is the same as in `known`.
pub(super) fn skip_known(subject: &Subject, known: &mut Bytes, bytes: &mut &[u8]) -> Result<()> {
    let len = known.len().min(bytes.len());
    let (head, rest) = bytes.split_at(len);
    if head != &known[..len] {
        return Err(Error::tampered(subject, "its header is not the one that was read before"));
    }
    known.advance(len);
    *bytes = rest;
    Ok(())
}

impl Body {
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
            return Err(self.tampered(format!("frame {number} is where frame {next} must be")));
        }
        if !frame.nonce_fits() {
            return Err(self.tampered(format!("the nonce of frame {} is not its number", self.next)));
        }
        let plain = if self.check.is_some() && frame.is_final() { &mut self.held } else { out };
        let start = plain.len();
        if !self.cipher.open(frame.kind, frame.number, frame.content, frame.tag, plain) {
            return Err(Error::tampered(&self.subject, format!("frame {} was changed", frame.number)));
        }
        drop_replayed(&self.subject, &mut self.replayed, plain, start)?;
        if let Some(check) = &mut self.check {
            check.update(frame.raw);
        }
        if frame.is_final() {
            self.at = if self.check.is_some() { At::Signature(BytesMut::new()) } else { At::End };
            return Ok(());
        }
        self.next = self.next.checked_add(1).ok_or_else(|| self.tampered("it has too many frames"))?;
        Ok(())
    }

    /// Takes what comes after the final frame.
    fn take_end(&mut self, rest: &[u8], out: &mut Output) -> Result<()> {
        match &mut self.at {
            At::Frames => Ok(()),
            At::End if rest.is_empty() => Ok(()),
            At::End => Err(self.tampered("there are bytes after its end")),
            At::Signature(footer) => {
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
        if !self.check.take().is_some_and(|check| check.holds(signature)) {
            return Err(self.tampered("its signature does not hold"));
        }
        out.extend_from_slice(&mem::take(&mut self.held));
        self.at = At::End;
        Ok(())
    }

    /// Catches up over one regular frame whose plain bytes are known.
    fn pass(&mut self, plain: &[u8]) -> Result<()> {
        if let Some(check) = &mut self.check {
            let mut sealed = Output::new();
            self.cipher.seal(Kind::Regular, self.next, plain, &mut sealed)?;
            check.update(&sealed);
        }
        self.next = self.next.checked_add(1).ok_or_else(|| self.tampered("it has too many frames"))?;
        Ok(())
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

/// Compares the beginning of a frame, now proven, with what was replayed, and takes it off.
fn drop_replayed(subject: &Subject, replayed: &mut BytesMut, plain: &mut Output, start: usize) -> Result<()> {
    if replayed.is_empty() {
        return Ok(());
    }
    let known = mem::take(replayed);
    let new = plain[start..].strip_prefix(&known[..]).map(<[u8]>::to_vec);
    plain.truncate(start);
    let new =
        new.ok_or_else(|| Error::tampered(subject, "what an earlier run left on disk is not its beginning"))?;
    plain.extend_from_slice(&new);
    Ok(())
}

impl Open for FramedOpener {
    fn trust(&self) -> Trust {
        Trust::EachFrame
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        if self.failed {
            return Err(self.body.tampered("it has failed before"));
        }
        let result = self.advance(sealed, out);
        self.failed = result.is_err();
        result
    }

    /// Takes any number of plain bytes from the beginning. What is pushed next begins with the frame that
    /// the last of them is in, which is compared with them, or with the one after it, if they end with a frame. Those before that frame are not compared with anything: a frame
    /// proves no other, so whoever replays must know that they are what came out.
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

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        match self.body.at {
            At::End if !self.failed => Ok(()),
            At::Signature(_) => Err(self.body.tampered("it is cut short in its signature")),
            _ => Err(self.body.tampered("it is cut short: its final frame did not come")),
        }
    }
}
