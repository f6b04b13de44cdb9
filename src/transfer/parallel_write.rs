//! Downloads bytes that need no decryption, or whose frames are decrypted each on its own: each range is written at its
//! offset as it arrives.
//!
//! No range waits for the ones before it, so this needs little memory, and writes bytes while they are still in the CPU
//! cache: on the thread that receives them, unless [`WriteLoad`] says otherwise. It is only for a file that appears once it
//! is complete: streams and other decryption need their bytes in order, see [`download`](super::download).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::read_object::ObjectReader;
use crate::checksum::{Algorithm, Sum, Verifier, Whole};
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::seal::Open;
use crate::seal::esdk::{self, MessageRanges};
use crate::transfer::download::fetch;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::plan::Remaining;
use crate::transfer::ranges::{RangeRequest, Ranges};
use crate::transfer::resume::{Kept, WrittenRange};
use crate::transfer::sink::Sink;
use crate::transfer::write_load::WriteLoad;
use crate::transfer::{Cancellation, blocking};

mod writing;

use writing::Writing;

/// Bytes that another thread checksums and writes at once: few enough for the cache, enough to be worth the change. A range
/// has no more in memory but for its last chunk.
const BATCH: usize = 256 * 1024;
/// Pieces of an earlier run that are compared at once.
const VERIFIED_AT_ONCE: usize = 4;

/// Bytes in the file or of the object, and their checksum.
type Piece = (Range<u64>, Sum);

/// What becomes the file.
pub(crate) enum Content {
    /// These stored bytes.
    Stored(Range<u64>),
    /// The plaintext of a message.
    Frames(MessageRanges),
}

impl Content {
    /// Which bytes of it there are: offsets in the object, or in the plaintext.
    fn range(&self) -> Range<u64> {
        match self {
            Self::Stored(range) => range.clone(),
            Self::Frames(message) => 0..message.plain_len(),
        }
    }

    /// The most bytes of a range that are in memory at once. Besides a batch, of frames: one that is incomplete, and the
    /// plaintext of what is opened at once.
    fn held(&self) -> u64 {
        let frames = match self {
            Self::Stored(_) => 0,
            Self::Frames(message) => 3 * u64::from(message.frame_length()),
        };
        BATCH as u64 + frames
    }

    /// How `range` of it is read; `None` where it has no such range.
    fn read(&self, range: Range<u64>) -> Option<RangeRead> {
        match self {
            Self::Stored(_) => Some(RangeRead { stored: range.clone(), at: range.start, opener: None }),
            Self::Frames(message) => message.range(range).map(RangeRead::from),
        }
    }
}

/// A range as it is read.
struct RangeRead {
    /// The stored bytes to fetch.
    stored: Range<u64>,
    /// Where in the content the range begins.
    at: u64,
    /// Decrypts them.
    opener: Option<Box<dyn Open>>,
}

impl From<esdk::RangeRead> for RangeRead {
    fn from(read: esdk::RangeRead) -> Self {
        Self { stored: read.sealed, at: read.plain.start, opener: Some(read.opener) }
    }
}

/// The target of the bytes.
pub(crate) struct ParallelSink {
    /// The file.
    pub(crate) sink: Sink,
    /// Compares with the checksum that S3 stores.
    pub(crate) verifier: Option<Verifier>,
    /// What is in the file already, and where to record what comes.
    pub(crate) kept: Option<Arc<Kept>>,
}

impl ParallelSink {
    /// Whether the checksum can be computed from ranges in any order.
    pub(crate) fn takes(verifier: Option<&Verifier>) -> bool {
        verifier.is_none_or(|verifier| verifier.combines().is_some())
    }
}

/// What a download has written.
pub(crate) struct Downloaded {
    pub(crate) plain_len: u64,
    /// Whether an earlier run fetched some of it, so that the checksum of the stored bytes could not be compared.
    pub(crate) is_some_skipped: bool,
}

impl From<u64> for Downloaded {
    fn from(plain_len: u64) -> Self {
        Self { plain_len, is_some_skipped: false }
    }
}

/// Downloads `content` into the file, which begins with the first byte of it.
///
/// # Errors
/// Errors of S3, the network, the format or the file; `Interrupted`; `Tampered` where the checksum differs; `Changed` if
/// the object has another ETag.
pub(crate) async fn run(
    from: &ObjectReader<'_>,
    content: Content,
    etag: Option<&str>,
    to: ParallelSink,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Downloaded> {
    let ParallelSink { mut sink, verifier, kept } = to;
    let whole = content.range();
    let Range { start, end } = whole;
    // All else in the file of an earlier run is compared or written anew.
    sink.cut_off_behind(end - start)?;
    let (sink, load) = (Arc::new(sink), budget.write_load().clone());
    let combines = verifier.as_ref().and_then(Verifier::combines);
    let recorded = kept.as_ref().map(|_| Algorithm::Crc64Nvme);
    let algorithm = if let Content::Stored(_) = content { combines.or(recorded) } else { recorded };
    let piece = budget.recorded_at_once(end - start);
    let mut file = TargetFile { content, sink, algorithm, combines, kept, piece, load };
    let there = cancellation.or(file.pieces_of_an_earlier_run(end, meter)).await??;
    let is_some_skipped = matches!(file.content, Content::Frames(_)) && !there.is_empty();
    if is_some_skipped {
        file.combines = None;
    }
    let mut sums = Sums::new(file.combines, start);
    let remaining = Remaining::new(whole, there.iter().map(|(range, _)| range.clone()));
    let download = FileDownload { from, etag, file, budget, meter };
    let work = async {
        match &download.file.content {
            Content::Stored(_) => {
                sums.add(there);
                download.rest(remaining, &mut sums).await
            }
            Content::Frames(message) => download.frames(message, remaining, &mut sums).await,
        }
    };
    cancellation.or(work).await??;
    if let (Some(verifier), Some(found)) = (verifier, &sums.whole) {
        verifier.compare(found).map_err(|why| Error::tampered(from.subject(), why))?;
    }
    Ok(Downloaded { plain_len: end - start, is_some_skipped })
}

/// A download under way.
struct FileDownload<'a> {
    from: &'a ObjectReader<'a>,
    etag: Option<&'a str>,
    file: TargetFile,
    budget: &'a MemoryBudget,
    meter: &'a Meter,
}

impl FileDownload<'_> {
    /// Fetches what remains of a message, and its final frame in any case: only that shows that nothing was cut off.
    async fn frames(&self, message: &MessageRanges, remaining: Remaining, sums: &mut Sums) -> Result<()> {
        let header = message.header();
        sums.add(self.file.combines.map(|algorithm| (0..header.len() as u64, algorithm.sum(header))));
        let end = message.final_frame();
        if !remaining.contains(&end.plain) {
            let _slot = self.budget.slot().await?;
            sums.add(self.bring(end.into()).await?);
        }
        self.rest(remaining.in_frames_of(message.frame_length().into()), sums).await
    }

    /// Fetches what remains.
    async fn rest(&self, remaining: Remaining, sums: &mut Sums) -> Result<()> {
        let len = remaining.bytes();
        let ranges = Ranges::new(remaining, VecDeque::new());
        let size = move |budget: &MemoryBudget| budget.range_into_file(len);
        let fetched = ranges.requests(self.budget, size, self.file.content.held()).map(|request| {
            let ranges = &ranges;
            async move {
                let RangeRequest { range, permit: _permit, slot: _slot } = request?;
                let beyond = || Error::tampered(self.from.subject(), "a range of it is beyond its end");
                let pieces = self.bring(self.file.content.read(range).ok_or_else(beyond)?).await?;
                ranges.end();
                Ok(pieces)
            }
        });
        let work = fetched.buffer_unordered(self.budget.max_jobs()).try_for_each(|pieces| {
            sums.add(pieces);
            std::future::ready(Ok(()))
        });
        work.await
    }

    /// Fetches a range into the file; returns the checksums of its stored bytes, where they are needed.
    async fn bring(&self, read: RangeRead) -> Result<Vec<Piece>> {
        let stored = read.stored.clone();
        let mut writing = Writing::new(&self.file, read);
        let take = async |chunk: Bytes| {
            self.meter.add(chunk.len() as u64);
            writing.take(chunk).await
        };
        fetch(self.from, stored, self.etag, take).await?;
        writing.finish().await
    }
}

/// The checksums of ranges, combined once those of all earlier ranges are known.
struct Sums {
    whole: Option<Whole>,
    /// The start of the next range to combine.
    next: u64,
    waiting: BTreeMap<u64, (Sum, u64)>,
}

impl Sums {
    /// Of all from `start` on; of nothing without an algorithm.
    fn new(algorithm: Option<Algorithm>, start: u64) -> Self {
        Self { whole: algorithm.map(Whole::new), next: start, waiting: BTreeMap::new() }
    }

    fn add(&mut self, pieces: impl IntoIterator<Item = Piece>) {
        let Some(whole) = &mut self.whole else { return };
        for (range, sum) in pieces {
            self.waiting.insert(range.start, (sum, range.end));
        }
        while let Some((sum, end)) = self.waiting.remove(&self.next) {
            whole.append(&sum, end - self.next);
            self.next = end;
        }
    }
}

/// The range of bytes that an earlier run has written, and their checksum, if the file still has them. Only whole objects
/// are kept, so offsets in the file are those in the content.
async fn on_disk(
    written: WrittenRange,
    sink: Arc<Sink>,
    algorithm: Algorithm,
) -> Result<(Range<u64>, Option<Sum>)> {
    let WrittenRange { start, end, sum: recorded } = written;
    let found = blocking(move || sink.sum(start..end, algorithm));
    Ok((start..end, found.await??.filter(|sum| sum.base64() == recorded)))
}

/// The file, as all ranges see it.
struct TargetFile {
    content: Content,
    sink: Arc<Sink>,
    /// How what is written is checksummed.
    algorithm: Option<Algorithm>,
    /// How the stored bytes are, for the checksum that S3 keeps.
    combines: Option<Algorithm>,
    kept: Option<Arc<Kept>>,
    /// The bytes after which what is written is recorded.
    piece: u64,
    load: Arc<WriteLoad>,
}

impl TargetFile {
    /// What an earlier run has written of the first `end` bytes, as far as it is still there, in order.
    async fn pieces_of_an_earlier_run(&self, end: u64, meter: &Meter) -> Result<Vec<Piece>> {
        let Some((kept, algorithm)) = self.kept.as_ref().zip(self.algorithm) else { return Ok(Vec::new()) };
        stream::iter(kept.pieces(end))
            .map(|piece| on_disk(piece, self.sink.clone(), algorithm))
            .buffered(VERIFIED_AT_ONCE)
            .try_filter_map(|(range, sum)| {
                let piece = sum.map(|sum| (range, sum));
                meter.add(piece.as_ref().map_or(0, |(range, _)| range.end - range.start));
                std::future::ready(Ok(piece))
            })
            .try_collect()
            .await
    }
}
