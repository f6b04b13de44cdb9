//! Opens some frames of a message: an authenticated range of an object.
//!
//! Each frame's tag authenticates its content and number. That nothing was cut off is known only from the final frame,
//! which is opened once in addition. A signature covers the whole message, so signed messages have no ranges.

use std::ops::Range;
use std::sync::Arc;

use super::frame::{Frame, FrameCipher, FrameKind, FrameSplitter};
use super::layout::{Frames, Layout};
use crate::error::{Error, Result, Subject};
use crate::seal::{Open, Output, Trust};

/// An opener for a range, and the bytes to fetch for it.
pub struct RangeRead {
    /// The stored bytes to fetch and push.
    pub sealed: Range<u64>,
    /// The range of the plaintext that comes out.
    pub plain: Range<u64>,
    /// Whether the final frame is among them, so that opening them also authenticates the object's length. If not, read
    /// [`DecryptableMessage::final_frame`](super::DecryptableMessage::final_frame) once in addition.
    pub proves_length: bool,
    /// Its trust is [`Trust::EachFrame`].
    pub opener: Box<dyn Open>,
}

/// Makes the opener of some frames of a message.
pub(super) fn open(
    subject: &Subject,
    cipher: Arc<FrameCipher>,
    frame_length: u32,
    layout: &Layout,
    frames: Frames,
    plain: Range<u64>,
) -> RangeRead {
    let Frames { numbers, sealed, skip, take } = frames;
    let to_the_end = numbers.end > layout.frames();
    let opener = RangeOpener {
        splitter: FrameSplitter::new(subject, frame_length),
        body: FrameRange { subject: subject.clone(), cipher, numbers, to_the_end, skip, take },
        missing: sealed.end - sealed.start,
        failed: false,
    };
    RangeRead { sealed, plain, proves_length: to_the_end, opener: Box::new(opener) }
}

struct RangeOpener {
    splitter: FrameSplitter,
    body: FrameRange,
    missing: u64,
    failed: bool,
}

struct FrameRange {
    subject: Subject,
    cipher: Arc<FrameCipher>,
    /// The numbers of the frames still missing.
    numbers: Range<u64>,
    /// Whether the last of them is the final one.
    to_the_end: bool,
    skip: u64,
    take: u64,
}

impl FrameRange {
    fn take_frame(&mut self, frame: &Frame<'_>, out: &mut Output) -> Result<()> {
        let number = self.numbers.start;
        let must_be_final = self.to_the_end && number + 1 == self.numbers.end;
        let in_place =
            u64::from(frame.number) == number && frame.nonce_is_number() && !self.numbers.is_empty();
        if !in_place || (frame.kind == FrameKind::Final) != must_be_final {
            return Err(self.tampered(format!("another frame is in the place of frame {number}")));
        }
        let mut plain = Output::new();
        if !self.cipher.open(frame.kind, frame.number, frame.content, frame.tag, &mut plain) {
            return Err(self.tampered(format!("frame {number} was changed")));
        }
        self.numbers.start += 1;
        let len = plain.len() as u64;
        let skipped = self.skip.min(len);
        self.skip -= skipped;
        let taken = (len - skipped).min(self.take);
        self.take -= taken;
        out.extend_from_slice(plain.part(skipped, taken));
        Ok(())
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

impl RangeOpener {
    fn advance(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        let body = &mut self.body;
        self.missing = self
            .missing
            .checked_sub(sealed.len() as u64)
            .ok_or_else(|| body.tampered("more bytes arrived than the range has"))?;
        let rest = self.splitter.push(sealed, |frame| body.take_frame(frame, out))?;
        if rest.is_empty() { Ok(()) } else { Err(body.tampered("there are bytes after its final frame")) }
    }
}

impl Open for RangeOpener {
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

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(Error::unsupported(self.body.subject.clone(), "a range cannot be resumed"))
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        if self.failed || self.missing > 0 || !self.body.numbers.is_empty() || self.body.take > 0 {
            return Err(self.body.tampered("the range is incomplete"));
        }
        Ok(())
    }
}
