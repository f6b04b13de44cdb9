//! Downloads bytes that need no decryption: each range is written at its offset as it arrives.
//!
//! No range waits for the ones before it, so this needs little memory, and writes bytes while they are still in the CPU
//! cache: on the thread that receives them, unless [`WriteLoad`] says otherwise. It is only for a file that appears once it
//! is complete: streams and decryption need their bytes in order, see [`download`](super::download).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::task::coop::consume_budget;

use crate::aws::read_object::ObjectReader;
use crate::checksum::{Algorithm, Running, Sum, Verifier, Whole};
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::transfer::download::fetch;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::plan::Remaining;
use crate::transfer::ranges::{RangeRequest, Ranges};
use crate::transfer::resume::{Kept, Written};
use crate::transfer::sink::Sink;
use crate::transfer::write_load::WriteLoad;
use crate::transfer::{Cancellation, blocking};

/// Bytes that another thread checksums and writes at once: few enough for the cache, enough to be worth the change. A range
/// has no more in memory but for its last chunk.
const BATCH: usize = 256 * 1024;
/// Bytes that are written at once where they arrive: enough to be worth the call.
const BATCH_IN_PLACE: usize = 64 * 1024;
/// The most chunks of a batch, since each takes some memory however small it is.
const MAX_CHUNKS: usize = 1024;
/// Pieces of an earlier run that are compared at once.
const VERIFIED_AT_ONCE: usize = 4;

/// Bytes of the object, and their checksum.
type Piece = (Range<u64>, Sum);

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

/// Downloads the stored bytes of `whole` into the file, which begins with the first of them; returns how many.
///
/// # Errors
/// Errors of S3, the network or the file; `Interrupted`; `Tampered` where the checksum differs; `Changed` if the object
/// has another ETag.
pub(crate) async fn run(
    from: &ObjectReader<'_>,
    whole: Range<u64>,
    etag: Option<&str>,
    to: ParallelSink,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<u64> {
    let ParallelSink { mut sink, verifier, kept } = to;
    let combines = verifier.as_ref().and_then(Verifier::combines);
    let algorithm = combines.or(kept.as_ref().map(|_| Algorithm::Crc64Nvme));
    let Range { start, end } = whole;
    // All else in the file of an earlier run is compared or written anew.
    sink.cut_off_behind(end - start)?;
    let (sink, load) = (Arc::new(sink), budget.write_load().clone());
    let file = TargetFile { sink, start, algorithm, kept, piece: budget.recorded_at_once(end - start), load };
    let mut sums = Sums { whole: combines.map(Whole::new), next: start, waiting: BTreeMap::new() };
    let mut there = Vec::new();
    for (range, sum) in cancellation.or(file.pieces_of_an_earlier_run(end, meter)).await?? {
        there.push(range.clone());
        sums.add(range, sum);
    }
    let remaining = Remaining::new(whole, there);
    let len = remaining.bytes();
    let ranges = Ranges::new(remaining, VecDeque::new());
    let size = move |budget: &MemoryBudget| budget.range_into_file(len);
    let fetched = ranges.requests(budget, size, BATCH as u64).map(|request| {
        let (file, ranges) = (&file, &ranges);
        async move {
            let RangeRequest { range, permit: _permit, slot: _slot } = request?;
            let pieces = bring(from, range, etag, file, meter).await?;
            ranges.end();
            Ok(pieces)
        }
    });
    let work = fetched.buffer_unordered(budget.max_jobs()).try_for_each(|pieces| {
        for (range, sum) in pieces {
            sums.add(range, sum);
        }
        std::future::ready(Ok(()))
    });
    cancellation.or(work).await??;
    if let (Some(verifier), Some(found)) = (verifier, &sums.whole) {
        verifier.compare(found).map_err(|why| Error::tampered(from.subject(), why))?;
    }
    Ok(end - start)
}

/// The checksums of ranges, combined once those of all earlier ranges are known.
struct Sums {
    whole: Option<Whole>,
    /// The start of the next range to combine.
    next: u64,
    waiting: BTreeMap<u64, (Sum, u64)>,
}

impl Sums {
    fn add(&mut self, range: Range<u64>, sum: Sum) {
        let Some(whole) = &mut self.whole else { return };
        self.waiting.insert(range.start, (sum, range.end));
        while let Some((sum, end)) = self.waiting.remove(&self.next) {
            whole.append(&sum, end - self.next);
            self.next = end;
        }
    }
}

async fn bring(
    from: &ObjectReader<'_>,
    range: Range<u64>,
    etag: Option<&str>,
    file: &TargetFile,
    meter: &Meter,
) -> Result<Vec<Piece>> {
    let mut writing = Writing::new(file, range.start);
    let take = async |chunk: Bytes| {
        meter.add(chunk.len() as u64);
        writing.take(chunk).await
    };
    fetch(from, range, etag, take).await?;
    writing.finish().await
}

/// The range of bytes that an earlier run has written, and their checksum, if the file still has them. Only whole objects
/// are kept, so offsets in the file are those in the object.
async fn on_disk(
    written: Written,
    sink: Arc<Sink>,
    algorithm: Algorithm,
) -> Result<(Range<u64>, Option<Sum>)> {
    let Written { start, end, sum: recorded } = written;
    let found = blocking(move || {
        let (mut running, mut at, mut bytes) = (Running::new(algorithm), start, vec![0; BATCH]);
        while at < end {
            let most = usize::try_from(end - at).unwrap_or(BATCH).min(BATCH);
            let read = sink.read_at(&mut bytes[..most], at)?;
            if read == 0 {
                return Ok(None);
            }
            running.update(&bytes[..read]);
            at += read as u64;
        }
        Ok::<_, Error>(Some(running.finish()))
    });
    Ok((start..end, found.await??.filter(|sum| sum.base64() == recorded)))
}

/// The file, as all ranges see it.
struct TargetFile {
    sink: Arc<Sink>,
    /// The offset in the object of the file's first byte.
    start: u64,
    /// How ranges are checksummed.
    algorithm: Option<Algorithm>,
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

/// A range that is being written.
struct Writing<'a> {
    file: &'a TargetFile,
    /// What is written since the last piece ended, in offsets in the object.
    written: Range<u64>,
    running: Option<Running>,
    pieces: Vec<Piece>,
    batch: Vec<Bytes>,
    held: usize,
}

impl<'a> Writing<'a> {
    fn new(file: &'a TargetFile, at: u64) -> Self {
        let running = file.algorithm.map(Running::new);
        Self { file, written: at..at, running, pieces: Vec::new(), batch: Vec::new(), held: 0 }
    }

    async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.held += chunk.len();
        self.batch.push(chunk);
        let enough = if self.file.load.is_light() { BATCH_IN_PLACE } else { BATCH };
        if self.held < enough && self.batch.len() < MAX_CHUNKS { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<()> {
        let (sink, load) = (self.file.sink.clone(), self.file.load.clone());
        let (batch, mut running) = (std::mem::take(&mut self.batch), self.running.take());
        let mut at = self.written.end - self.file.start;
        let work = move || {
            let began = Instant::now();
            for chunk in batch {
                if let Some(running) = &mut running {
                    running.update(&chunk);
                }
                sink.write_at(&chunk, at)?;
                at += chunk.len() as u64;
            }
            load.note(began, Instant::now());
            Ok::<_, Error>(running)
        };
        self.running = if self.file.load.is_light() { work() } else { blocking(work).await? }?;
        self.written.end += std::mem::take(&mut self.held) as u64;
        if self.written.end - self.written.start >= self.file.piece {
            self.end_piece();
        }
        // After a write in place, the other ranges and a signal have their turn.
        consume_budget().await;
        Ok(())
    }

    /// Records what is written since the last piece, unless a write is under way or has failed.
    fn end_piece(&mut self) {
        if self.written.is_empty() {
            return;
        }
        let next = self.file.algorithm.map(Running::new);
        let Some(running) = std::mem::replace(&mut self.running, next) else { return };
        let (range, sum) = (self.written.clone(), running.finish());
        if let Some(kept) = &self.file.kept {
            kept.note(range.clone(), &sum);
        }
        self.written.start = range.end;
        self.pieces.push((range, sum));
    }

    async fn finish(mut self) -> Result<Vec<Piece>> {
        if !self.batch.is_empty() {
            self.flush().await?;
        }
        self.end_piece();
        Ok(std::mem::take(&mut self.pieces))
    }
}

/// A range that ends early, after a signal or an error, leaves what it has written to another run.
impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.end_piece();
    }
}
