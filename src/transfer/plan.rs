//! Computes part sizes and ranges, and decides when plaintext is released.
//!
//! There is no I/O here: everything is computed from numbers.

use std::collections::VecDeque;
use std::ops::Range;

use crate::byte_size::ByteSize;
use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_PARTS_IN_RANGE, MAX_PLAINTEXT_HELD_IN_MEMORY, MAX_RECORDED_PIECES, MIN_RANGE_BYTES};
use crate::s3_limits::{MAX_OBJECT_BYTES, MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES};
use crate::seal::Trust;
use crate::transfer_options::TransferOptions;

const MIB: u64 = 1 << 20;

/// Parts of one size before parts of an endless source double. With [`MAX_PART_BYTES`] as the last step, 10,000 parts
/// are enough for S3's largest object: after some 640 smaller parts every one must have 5 GiB for that.
const STEP: u32 = 64;

/// The sizes of an upload's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UploadPlan {
    first: u64,
    /// Whether parts grow once the size planned for is exceeded.
    grows_after: Option<u32>,
    total: Option<u64>,
}

/// Plans an upload of `sealed_len` stored bytes; `None` is a stream of unknown length.
///
/// # Errors
/// `TooLarge` beyond [`MAX_OBJECT_BYTES`]; `Unsupported` for a part size that S3 does not accept.
pub(crate) fn upload(sealed_len: Option<u64>, transfer_options: &TransferOptions) -> Result<UploadPlan> {
    if !(MIN_PART_BYTES..=MAX_PART_BYTES).contains(&transfer_options.part_size) {
        return Err(Error::unsupported(
            Subject::other(format!("a part size of {}", ByteSize(transfer_options.part_size))),
            format!("S3 takes parts of {} to {}", ByteSize(MIN_PART_BYTES), ByteSize(MAX_PART_BYTES)),
        ));
    }
    if let Some(len) = sealed_len.filter(|len| *len > MAX_OBJECT_BYTES) {
        return Err(Error::too_large(
            Subject::other(ByteSize(len).to_string()),
            format!("S3 takes objects of up to {} TB", MAX_OBJECT_BYTES / 1_000_000_000_000),
        ));
    }
    // The expected size may be wrong: half of the parts are reserved for bytes beyond it.
    let expected = transfer_options.expected_size.map(|size| size.min(MAX_OBJECT_BYTES));
    let first = match (sealed_len, expected) {
        (Some(len), _) => part_size_for(len, MAX_PARTS, transfer_options.part_size),
        (None, Some(len)) => part_size_for(len, MAX_PARTS / 2, transfer_options.part_size),
        (None, None) => transfer_options.part_size,
    };
    let grows_after = match (sealed_len, expected) {
        (Some(_), _) => None,
        (None, None) => Some(0),
        // The expected bytes go into equal parts; later parts grow.
        (None, Some(len)) => u32::try_from(len.div_ceil(first)).ok(),
    };
    Ok(UploadPlan { first, grows_after, total: sealed_len })
}

/// The part size asked for, or the smallest multiple of 1 MiB above it that needs no more than `parts`.
fn part_size_for(len: u64, parts: u32, asked: u64) -> u64 {
    let least = len.div_ceil(u64::from(parts)).div_ceil(MIB) * MIB;
    asked.max(least).min(MAX_PART_BYTES)
}

impl UploadPlan {
    /// Returns the size in bytes of part `number`, counted from 1. The last part may be shorter.
    pub(crate) fn part_size(&self, number: u32) -> u64 {
        let Some(after) = self.grows_after else { return self.first };
        let doublings = number.saturating_sub(1).saturating_sub(after) / STEP;
        self.first
            .checked_shl(doublings)
            .filter(|size| size >> doublings == self.first)
            .unwrap_or(MAX_PART_BYTES)
            .min(MAX_PART_BYTES)
    }

    /// Whether it takes more than one part, as far as the length says.
    pub(crate) fn has_many_parts(&self) -> bool {
        self.total.is_some_and(|total| total > self.first)
    }

    /// The stored length, if it is known before the first byte.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }
}

/// Cuts `whole` into ranges of `size` bytes, in order; the last may be shorter.
pub(crate) fn ranges(whole: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> + Send {
    let Range { start, end } = whole;
    let count = (end - start).div_ceil(size.max(1));
    (0..count).map(move |index| {
        let from = start + index * size;
        from..(from + size).min(end)
    })
}

/// Bytes of one range, where `len` bytes are written as they arrive over `jobs` connections. Near, each range is worth its
/// request: a part, or two. Far away, where bytes come slowly over each connection, all of them share even little. Each gets
/// several ranges where there is enough, so that fast connections do more.
pub(crate) fn range_into_file(len: u64, jobs: usize, is_far: bool, part_size: u64) -> u64 {
    let share = len / jobs as u64;
    let range = if is_far {
        (share / 2).max(share.min(part_size / 2)).max(MIN_RANGE_BYTES)
    } else {
        (share / 4).max(part_size)
    };
    range.min(part_size.saturating_mul(MAX_PARTS_IN_RANGE)).max(least_range(len))
}

/// The least bytes of a range of `len`, so that all of them can be recorded.
pub(crate) fn least_range(len: u64) -> u64 {
    len.div_ceil(MAX_RECORDED_PIECES)
}

/// What is left of an object to fetch, cut into ranges as requests begin. The last ones are cut small enough that no
/// connection idles while another has much to do.
#[derive(Debug)]
pub(crate) struct Remaining {
    gaps: VecDeque<Range<u64>>,
    bytes: u64,
    /// Ranges are as long as a multiple of this, but for the last of a gap.
    step: u64,
    /// Requests that have begun, and those of them that have ended.
    begun: usize,
    ended: usize,
}

impl Remaining {
    /// All of `whole` but the ranges that are `there`, which are in order and do not overlap.
    pub(crate) fn new(whole: Range<u64>, there: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut gaps = VecDeque::new();
        let mut at = whole.start;
        for range in there {
            gaps.push_back(at..range.start);
            at = range.end;
        }
        gaps.push_back(at..whole.end);
        gaps.retain(|gap| !gap.is_empty());
        let bytes = gaps.iter().map(|gap| gap.end - gap.start).sum();
        Self { gaps, bytes, step: 1, begun: 0, ended: 0 }
    }

    /// Whether all of `range`, which is not empty, is to be fetched.
    pub(crate) fn contains(&self, range: &Range<u64>) -> bool {
        let holds = |gap: &Range<u64>| gap.start <= range.start && range.end <= gap.end;
        !range.is_empty() && self.gaps.iter().any(holds)
    }

    /// The same ranges, but cut only where a frame of `step` bytes ends, if the gap begins where one does.
    pub(crate) fn in_frames_of(self, step: u64) -> Self {
        Self { step, ..self }
    }

    /// How many bytes are left to begin with.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Begins a request for the next range, of at most `size` bytes.
    pub(crate) fn begin(&mut self, size: u64) -> Option<Range<u64>> {
        // The first requests open their connections, each for a whole range.
        let sharing = if self.ended == 0 { 1 } else { self.begun - self.ended + 1 };
        let share = self.bytes.div_ceil(sharing as u64).next_multiple_of(MIN_RANGE_BYTES);
        self.begin_exactly(size.min(share).next_multiple_of(self.step))
    }

    /// Begins a request for the next range, of `size` bytes if there are so many in one piece.
    pub(crate) fn begin_exactly(&mut self, size: u64) -> Option<Range<u64>> {
        let gap = self.gaps.front_mut()?;
        let range = gap.start..gap.end.min(gap.start.saturating_add(size));
        gap.start = range.end;
        if gap.is_empty() {
            self.gaps.pop_front();
        }
        self.bytes -= range.end - range.start;
        self.begun += 1;
        Some(range)
    }

    /// Ends a request.
    pub(crate) fn end(&mut self) {
        self.ended += 1;
    }
}

/// When plaintext is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// At once: it is verified, or the sink holds it back, or the user asked for it.
    Stream,
    /// After verification, from memory.
    Hold,
    /// In a second pass over the same bytes, after a first one has verified them.
    TwoPass,
}

/// Chooses when plaintext is released.
///
/// The plaintext of an object is never longer than `stored_len`. `held_by_sink`: the target is a file that appears only
/// when everything is verified. `unverified`: the user accepts an unverified stream.
pub(crate) fn release(trust: Trust, stored_len: u64, held_by_sink: bool, unverified: bool) -> Release {
    match trust {
        // The user allowed a format without verification, by name.
        Trust::EachFrame | Trust::Never => Release::Stream,
        Trust::OnlyAtEnd if held_by_sink || unverified => Release::Stream,
        Trust::OnlyAtEnd if stored_len <= MAX_PLAINTEXT_HELD_IN_MEMORY => Release::Hold,
        Trust::OnlyAtEnd => Release::TwoPass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer_options(part_size: u64, expected_size: Option<u64>) -> TransferOptions {
        TransferOptions { part_size, expected_size, ..TransferOptions::default() }
    }

    fn capacity(plan: &UploadPlan) -> u64 {
        (1..=MAX_PARTS).map(|number| plan.part_size(number)).sum()
    }

    #[test]
    fn a_download_is_cut_into_ranges_that_are_worth_their_requests() {
        let range = |mib, jobs, is_far| range_into_file(mib * MIB, jobs, is_far, 8 * MIB) / MIB;
        assert_eq!(
            [1, 512, 1024, 2048, 102_400].map(|mib| range(mib, 16, false)),
            [8, 8, 16, 16, 16],
            "near"
        );
        assert_eq!(
            [1, 64, 256, 512, 1024, 102_400].map(|mib| range(mib, 64, true)),
            [1, 1, 4, 4, 8, 16],
            "far"
        );
        assert_eq!(
            range_into_file(MAX_OBJECT_BYTES, 64, true, 8 * MIB),
            MAX_OBJECT_BYTES / MAX_RECORDED_PIECES,
            "as many as can be recorded"
        );
    }

    #[test]
    fn a_known_length_goes_in_equal_parts() {
        for (len, part) in [
            (0, 8 * MIB),
            (8 * MIB, 8 * MIB),
            (80_000 * MIB, 8 * MIB),
            (80_000 * MIB + 1, 9 * MIB),
            (MAX_OBJECT_BYTES, 4769 * MIB),
        ] {
            let plan = upload(Some(len), &transfer_options(8 * MIB, None)).unwrap();
            assert_eq!((plan.part_size(1), plan.part_size(MAX_PARTS)), (part, part), "{len}");
            assert!(capacity(&plan) >= len);
        }
    }

    #[test]
    fn an_endless_source_reaches_the_largest_object() {
        for size in [MIN_PART_BYTES, 8 * MIB, 100 * MIB, MAX_PART_BYTES] {
            let plan = upload(None, &transfer_options(size, None)).unwrap();
            assert_eq!(plan.part_size(1), size);
            assert!(capacity(&plan) >= MAX_OBJECT_BYTES, "{size}: {}", capacity(&plan));
            assert!((1..=MAX_PARTS).all(|n| plan.part_size(n) <= MAX_PART_BYTES));
        }
    }

    #[test]
    fn parts_of_a_short_stream_stay_small() {
        let plan = upload(None, &transfer_options(8 * MIB, None)).unwrap();
        assert_eq!([1, 64, 65, 128, 129].map(|n| plan.part_size(n) / MIB), [8, 8, 16, 16, 32]);
    }

    #[test]
    fn a_length_that_was_expected_goes_in_equal_parts_and_grows_behind() {
        let plan = upload(None, &transfer_options(8 * MIB, Some(200_000 * MIB))).unwrap();
        assert_eq!([1, 5000, 5064, 5065].map(|n| plan.part_size(n) / MIB), [40, 40, 40, 80]);
        let plan = upload(None, &transfer_options(8 * MIB, Some(1024 * MIB))).unwrap();
        assert_eq!([1, 128, 192, 193].map(|n| plan.part_size(n) / MIB), [8, 8, 8, 16]);
    }

    #[test]
    fn what_s3_does_not_take_is_refused() {
        assert!(matches!(
            upload(Some(MAX_OBJECT_BYTES + 1), &TransferOptions::default()),
            Err(Error::TooLarge { .. })
        ));
        for size in [0, MIN_PART_BYTES - 1, MAX_PART_BYTES + 1] {
            assert!(
                matches!(upload(None, &transfer_options(size, None)), Err(Error::Unsupported { .. })),
                "{size}"
            );
        }
    }

    /// Cuts what remains with so many requests at once, which end in the order in which they began.
    fn cut_among(requests: usize, mut remaining: Remaining, size: u64) -> Vec<Range<u64>> {
        let mut cut = Vec::new();
        while let Some(range) = remaining.begin(size) {
            cut.push(range);
            if cut.len() >= requests {
                remaining.end();
            }
        }
        assert_eq!(remaining.bytes, 0);
        cut
    }

    #[test]
    fn the_last_ranges_are_shared_by_all_requests() {
        let lengths = |requests, mib: u64| -> Vec<u64> {
            let cut = cut_among(requests, Remaining::new(0..mib * MIB, []), 8 * MIB);
            assert_eq!(cut.first().map_or(0, |first| first.start), 0);
            assert!(cut.is_sorted_by(|a, b| a.end == b.start));
            assert_eq!(cut.last().map_or(0, |last| last.end), mib * MIB);
            cut.iter().map(|range| (range.end - range.start) / MIB).collect()
        };
        assert_eq!(lengths(1, 20), [8, 8, 4]);
        assert_eq!(lengths(4, 32), [8; 4], "the first requests are not cut");
        assert_eq!(lengths(4, 64), [8, 8, 8, 8, 8, 6, 5, 4, 3, 2, 1, 1, 1, 1]);
        assert_eq!(lengths(64, 256), [8; 32]);
        assert!(lengths(8, 0).is_empty());
    }

    #[test]
    fn what_is_there_is_left_out() {
        let cut = |there: &[(u64, u64)]| {
            let there = there.iter().map(|(start, end)| start * MIB..end * MIB);
            let cut = cut_among(1, Remaining::new(0..20 * MIB, there), 8 * MIB);
            cut.iter().map(|range| (range.start / MIB, range.end / MIB)).collect::<Vec<_>>()
        };
        assert_eq!(cut(&[(0, 20)]), []);
        assert_eq!(cut(&[(0, 1), (3, 4)]), [(1, 3), (4, 12), (12, 20)]);
        assert_eq!(cut(&[(8, 20)]), [(0, 8)]);
    }

    #[test]
    fn ranges_of_a_message_end_where_frames_end() {
        for (frame, size) in [(65_536, 8 * MIB), (65_536, 1_234_567), (128 * 37, 3 * MIB), (100_000, 5)] {
            let len = 20 * MIB + 77;
            let cut = cut_among(4, Remaining::new(0..len, []).in_frames_of(frame), size);
            assert!(cut.is_sorted_by(|a, b| a.end == b.start));
            assert!(cut.iter().all(|range| range.end.is_multiple_of(frame) || range.end == len), "{cut:?}");
        }
    }

    #[test]
    fn what_is_to_be_fetched_contains_only_what_has_no_part_elsewhere() {
        let remaining = Remaining::new(0..20, std::iter::once(5..10));
        for (range, expected) in [
            (0..5, true),
            (10..20, true),
            (11..12, true),
            (4..6, false),
            (5..10, false),
            (3..11, false),
            (12..12, false),
        ] {
            assert_eq!(remaining.contains(&range), expected, "{range:?}");
        }
    }

    #[test]
    fn ranges_cover_the_whole_once_and_in_order() {
        let cut = |whole, size| ranges(whole, size).collect::<Vec<_>>();
        assert_eq!(cut(0..0, 8), []);
        assert_eq!(cut(0..8, 8), vec![0..8]);
        assert_eq!(cut(3..20, 8), [3..11, 11..19, 19..20]);
    }

    #[test]
    fn unverified_bytes_wait_in_a_file_in_memory_or_for_a_second_pass() {
        use Release::{Hold, Stream, TwoPass};
        for (trust, len, held, unverified, expected) in [
            (Trust::EachFrame, u64::MAX, false, false, Stream),
            (Trust::Never, u64::MAX, false, false, Stream),
            (Trust::OnlyAtEnd, u64::MAX, true, false, Stream),
            (Trust::OnlyAtEnd, MAX_PLAINTEXT_HELD_IN_MEMORY, false, false, Hold),
            (Trust::OnlyAtEnd, MAX_PLAINTEXT_HELD_IN_MEMORY + 1, false, false, TwoPass),
            (Trust::OnlyAtEnd, MAX_PLAINTEXT_HELD_IN_MEMORY + 1, false, true, Stream),
        ] {
            assert_eq!(
                release(trust, len, held, unverified),
                expected,
                "{trust:?} {len} {held} {unverified}"
            );
        }
    }
}
