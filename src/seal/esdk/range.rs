//! Opens some of a message's frames: a part of an object, authenticated.
//!
//! Each frame proves itself and its place; only that nothing was cut off the end is not proven by them, so the final
//! frame is opened once beside them. A signature is over everything: signed messages have no ranges.

use std::ops::Range;
use std::sync::Arc;

use super::frame::{Cutter, Frame, FrameCipher, Kind};
use super::layout::{Frames, Layout};
use crate::error::{Error, Result, Subject};
use crate::seal::{Open, Output, Trust};

/// A part of an object about to be opened.
pub struct RangeRead {
    /// The stored bytes to fetch and to push.
    pub sealed: Range<u64>,
    /// The plain bytes that come out.
    pub plain: Range<u64>,
    /// Whether the final frame is among them, so that the object's length is proven, too, when they are open. If
    /// not, [`Unlocked::final_frame`](super::Unlocked::final_frame) is to be read once beside them.
    pub proves_length: bool,
    /// Takes the one, gives the other. Its trust is [`Trust::EachFrame`].
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
        cutter: Cutter::new(subject, frame_length),
        body: Body { subject: subject.clone(), cipher, numbers, to_the_end, skip, take },
        missing: sealed.end - sealed.start,
        failed: false,
    };
    RangeRead { sealed, plain, proves_length: to_the_end, opener: Box::new(opener) }
}

struct RangeOpener {
    cutter: Cutter,
    body: Body,
    missing: u64,
    failed: bool,
}

struct Body {
    subject: Subject,
    cipher: Arc<FrameCipher>,
    /// Those still to come.
    numbers: Range<u64>,
    /// Whether the last of them is the final one.
    to_the_end: bool,
    skip: u64,
    take: u64,
}

impl Body {
    fn take_frame(&mut self, frame: &Frame<'_>, out: &mut Output) -> Result<()> {
        let number = self.numbers.start;
        let must_be_final = self.to_the_end && number + 1 == self.numbers.end;
        let in_place = u64::from(frame.number) == number && frame.nonce_fits() && !self.numbers.is_empty();
        if !in_place || (frame.kind == Kind::Final) != must_be_final {
            return Err(self.tampered(format!("another frame is where frame {number} must be")));
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
            .ok_or_else(|| body.tampered("more bytes came than the range has"))?;
        let rest = self.cutter.push(sealed, |frame| body.take_frame(frame, out))?;
        if rest.is_empty() { Ok(()) } else { Err(body.tampered("there are bytes after its final frame")) }
    }
}

impl Open for RangeOpener {
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

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(Error::Unsupported {
            subject: self.body.subject.clone(),
            why: "a range cannot be resumed".to_owned(),
        })
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        if self.failed || self.missing > 0 || !self.body.numbers.is_empty() || self.body.take > 0 {
            return Err(self.body.tampered("the range came short"));
        }
        Ok(())
    }
}
