//! The layout of a framed message: offsets and lengths, computed from three numbers.
//!
//! Pure arithmetic, so that a download can be planned before a byte is fetched. The stored length comes from S3, and is
//! authenticated only when the final frame has been opened.

use std::ops::Range;

use super::frame::{FINAL_OVERHEAD, REGULAR_OVERHEAD};

/// The most frames of a message. The next number is `FINAL_MARK`'s.
pub const MAX_FRAMES: u64 = (1 << 32) - 2;

/// The lengths of a framed message. All in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    header: u64,
    frame_length: u64,
    /// Where the final frame ends.
    end: u64,
    frames: u64,
    /// The plaintext's length in the final frame.
    last: u64,
}

/// The frames that contain a range of the plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames {
    /// Their numbers, from 1.
    pub numbers: Range<u64>,
    /// Where they are in the message.
    pub sealed: Range<u64>,
    /// How many of their plaintext bytes precede the range.
    pub skip: u64,
    /// The length of the range.
    pub take: u64,
}

impl Layout {
    /// Computes the layout of a message of `stored` bytes with a header of `header` and a footer of `footer` bytes (0 if
    /// unsigned). `None` if no message has these lengths.
    pub fn of_stored(header: u64, frame_length: u32, stored: u64, footer: u64) -> Option<Self> {
        let frame_length = u64::from(frame_length);
        let end = stored.checked_sub(footer)?;
        let beyond = end.checked_sub(header)?.checked_sub(FINAL_OVERHEAD)?;
        let step = frame_length + REGULAR_OVERHEAD;
        let (frames, last) = (beyond / step + 1, beyond % step);
        let possible = frame_length > 0 && last <= frame_length && u32::try_from(frames).is_ok();
        possible.then_some(Self { header, frame_length, end, frames, last })
    }

    /// Computes the layout of the message that is written for `plain` bytes: its final frame is empty only if `plain` is 0.
    /// `None` if it would have too many frames.
    pub fn of_plain(header: u64, frame_length: u32, plain: u64) -> Option<Self> {
        let frame_length = u64::from(frame_length);
        let before = plain.saturating_sub(1).checked_div(frame_length)?;
        let last = plain - before * frame_length;
        let end = before
            .checked_mul(frame_length + REGULAR_OVERHEAD)?
            .checked_add(header)?
            .checked_add(last + FINAL_OVERHEAD)?;
        (before < MAX_FRAMES).then_some(Self { header, frame_length, end, frames: before + 1, last })
    }

    /// The plaintext's length.
    pub fn plain_len(&self) -> u64 {
        (self.frames - 1) * self.frame_length + self.last
    }

    /// The length of header and frames together.
    pub fn sealed_len(&self) -> u64 {
        self.end
    }

    /// The number of frames, including the final one.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// The final frame. Opening it authenticates the plaintext's length.
    pub fn final_frame(&self) -> Frames {
        self.frames_of(self.frames..self.frames + 1, 0, self.last)
    }

    /// Finds the frames that contain a range of the plaintext; `None` if it is empty or reaches beyond the end.
    pub fn around(&self, plain: &Range<u64>) -> Option<Frames> {
        if plain.start >= plain.end || plain.end > self.plain_len() {
            return None;
        }
        let first = plain.start / self.frame_length + 1;
        let last = ((plain.end - 1) / self.frame_length + 1).min(self.frames);
        let skip = plain.start - (first - 1) * self.frame_length;
        Some(self.frames_of(first..last + 1, skip, plain.end - plain.start))
    }

    fn frames_of(&self, numbers: Range<u64>, skip: u64, take: u64) -> Frames {
        let end = if numbers.end > self.frames { self.end } else { self.start_of(numbers.end) };
        Frames { sealed: self.start_of(numbers.start)..end, numbers, skip, take }
    }

    fn start_of(&self, number: u64) -> u64 {
        self.header + (number - 1) * (self.frame_length + REGULAR_OVERHEAD)
    }
}

/// Where the frame after `before` regular ones begins.
pub(super) fn start_of_frame(header: u64, frame_length: u32, before: u64) -> u64 {
    header + before * (u64::from(frame_length) + REGULAR_OVERHEAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lays a message out frame by frame: for each where it begins, where it ends, and its plain bytes.
    fn laid_out(header: u64, length: u64, plain: u64, empty_end: bool) -> Vec<(Range<u64>, Range<u64>)> {
        let (mut at, mut done, mut frames) = (header, 0, Vec::new());
        loop {
            let left = plain - done;
            let is_final = if empty_end { left < length } else { left <= length };
            let content = left.min(length);
            let whole = content + if is_final { 40 } else { 32 };
            frames.push((at..at + whole, done..done + content));
            (at, done) = (at + whole, done + content);
            if is_final {
                return frames;
            }
        }
    }

    proptest! {
        #[test]
        fn layout_is_that_of_a_message_laid_out_frame_by_frame(
            header in 0_u64..1000, length in 1_u32..50, plain in 0_u64..500, footer in 0_u64..110,
            empty_end: bool, a in 0_u64..500, b in 1_u64..500,
        ) {
            let frames = laid_out(header, length.into(), plain, empty_end);
            let end = frames.last().unwrap().0.end;
            let layout = Layout::of_stored(header, length, end + footer, footer).unwrap();
            prop_assert_eq!(layout.plain_len(), plain);
            prop_assert_eq!(layout.frames(), frames.len() as u64);
            prop_assert_eq!(layout.final_frame().sealed, frames.last().unwrap().0.clone());
            if !empty_end {
                prop_assert_eq!(Layout::of_plain(header, length, plain), Some(layout));
            }
            let asked = a..a + b;
            let Some(around) = layout.around(&asked) else {
                prop_assert!(asked.end > plain);
                return Ok(());
            };
            let touched: Vec<_> =
                frames.iter().filter(|(_, p)| p.start < asked.end && asked.start < p.end).collect();
            prop_assert_eq!(around.sealed.start, touched.first().unwrap().0.start);
            prop_assert_eq!(around.sealed.end, touched.last().unwrap().0.end);
            prop_assert_eq!(around.numbers.end - around.numbers.start, touched.len() as u64);
            prop_assert_eq!(around.skip, asked.start - touched.first().unwrap().1.start);
            prop_assert_eq!(around.take, b);
        }
    }

    #[test]
    fn lengths_of_no_message_have_no_layout() {
        assert_eq!(Layout::of_stored(100, 64, 139, 0), None);
        assert_eq!(Layout::of_stored(100, 64, 140 + 65, 0), None);
        assert_eq!(Layout::of_stored(100, 64, 10, 105), None);
        assert_eq!(Layout::of_stored(100, 0, 200, 0), None);
        assert_eq!(Layout::of_stored(0, 1, u64::MAX, 0), None);
        assert!(Layout::of_stored(100, 64, 140 + 96, 0).is_some());
    }

    #[test]
    fn the_number_of_frames_is_limited() {
        let most = 4096 * MAX_FRAMES;
        assert_eq!(Layout::of_plain(200, 4096, most).unwrap().frames(), MAX_FRAMES);
        assert_eq!(Layout::of_plain(200, 4096, most + 1), None);
        assert_eq!(Layout::of_plain(200, u32::MAX, u64::MAX), None);
    }
}
