//! Opens some frames of a message: an authenticated range of an object.
//!
//! Each frame's tag authenticates its content and number. That nothing was cut off is known only from the final frame,
//! which is opened once in addition. A signature covers the whole message, so signed messages have no ranges.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

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
    /// [`MessageRanges::final_frame`] once in addition.
    pub proves_length: bool,
    /// Its trust is [`Trust::EachFrame`].
    pub opener: Box<dyn Open>,
}

/// A message of a known length whose ranges are opened each on its own, in any order.
pub struct MessageRanges {
    pub(super) subject: Subject,
    pub(super) header: Bytes,
    pub(super) cipher: Arc<FrameCipher>,
    pub(super) frame_length: u32,
    pub(super) layout: Layout,
}

impl MessageRanges {
    /// The stored bytes before the first frame.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of plaintext in a frame.
    pub fn frame_length(&self) -> u32 {
        self.frame_length
    }

    /// The plaintext's length. It is authenticated once the final frame has been opened.
    pub fn plain_len(&self) -> u64 {
        self.layout.plain_len()
    }

    /// Starts to open the range `plain` of the plaintext; `None` if it is empty or reaches beyond the end.
    pub fn range(&self, plain: Range<u64>) -> Option<RangeRead> {
        Some(self.open(self.layout.around(&plain)?, plain))
    }

    /// Starts to open the final frame alone. Once its opener has finished, the length of the message is authenticated:
    /// nothing was cut off or appended.
    pub fn final_frame(&self) -> RangeRead {
        let frames = self.layout.final_frame();
        let len = self.plain_len();
        let plain = len - frames.take..len;
        self.open(frames, plain)
    }

    fn open(&self, frames: Frames, plain: Range<u64>) -> RangeRead {
        let Frames { numbers, sealed, skip, take } = frames;
        let to_the_end = numbers.end > self.layout.frames();
        let (subject, cipher) = (self.subject.clone(), self.cipher.clone());
        let opener = RangeOpener {
            splitter: FrameSplitter::new(&subject, self.frame_length),
            body: FrameRange { subject, cipher, numbers, to_the_end, skip, take },
            missing: sealed.end - sealed.start,
            failed: false,
        };
        RangeRead { sealed, plain, proves_length: to_the_end, opener: Box::new(opener) }
    }
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
            return Err(if in_place && must_be_final {
                self.cut_short()
            } else {
                self.tampered(format!("another frame is in the place of frame {number}"))
            });
        }
        let len = frame.content.len() as u64;
        let skipped = self.skip.min(len);
        let taken = (len - skipped).min(self.take);
        let is_wanted_whole = taken == len;
        let mut aside = Output::new();
        let plain = if is_wanted_whole { &mut *out } else { &mut aside };
        if !self.cipher.open(frame.kind, frame.number, frame.content, frame.tag, plain) {
            return Err(self.tampered(format!("frame {number} was changed")));
        }
        if !is_wanted_whole {
            out.extend_from_slice(aside.part(skipped, taken));
        }
        self.numbers.start += 1;
        self.skip -= skipped;
        self.take -= taken;
        Ok(())
    }

    fn cut_short(&self) -> Error {
        self.tampered("it is cut short: its final frame is missing")
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
            return Err(if self.body.to_the_end {
                self.body.cut_short()
            } else {
                self.body.tampered("the range is incomplete")
            });
        }
        Ok(())
    }
}
