//! Downloads bytes that need no decryption: each range is written at its offset as it arrives.
//!
//! No range waits for the ones before it, so this needs little memory, and writes bytes while they are still in the CPU
//! cache. It is only for a file that appears once it is complete: streams and decryption need their bytes in order, see
//! [`download`](super::download).

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

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

/// Bytes that another thread checksums and writes at once: few enough for the cache, enough to be worth the change.
const BATCH: usize = 512 * 1024;
/// The most bytes of a range in memory: a batch, and what arrives while it is being written.
const HELD: u64 = 2 * BATCH as u64;
/// Pieces of an earlier run that are compared at once.
const VERIFIED_AT_ONCE: usize = 4;

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
    let sink = Arc::new(sink);
    let mut sums = Sums { whole: combines.map(Whole::new), next: start, waiting: BTreeMap::new() };
    let mut there = Vec::new();
    if let Some((kept, algorithm)) = kept.as_ref().zip(algorithm) {
        let found = stream::iter(kept.pieces(end))
            .map(|piece| on_disk(piece, sink.clone(), algorithm))
            .buffered(VERIFIED_AT_ONCE)
            .try_for_each(|(range, sum)| {
                if let Some(sum) = sum {
                    meter.add(range.end - range.start);
                    there.push(range.clone());
                    sums.add(range, Some(sum));
                }
                std::future::ready(Ok(()))
            });
        cancellation.or(found).await??;
    }
    let ranges = Ranges::new(Remaining::new(whole, there), VecDeque::new());
    let fetched = ranges.requests(budget, MemoryBudget::part_size, HELD).map(|request| {
        let (sink, kept, ranges) = (sink.clone(), kept.clone(), &ranges);
        async move {
            let RangeRequest { range, permit: _permit, slot: _slot } = request?;
            let writing = Writing::new(sink, range.start - start, algorithm, budget.write_load().clone());
            let (range, sum) = bring(from, range, etag, writing, meter).await?;
            ranges.end();
            if let Some((kept, sum)) = kept.zip(sum.as_ref()) {
                kept.note(range.clone(), sum);
            }
            Ok((range, sum))
        }
    });
    let work = fetched.buffer_unordered(budget.max_jobs()).try_for_each(|(range, sum)| {
        sums.add(range, sum);
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
    fn add(&mut self, range: Range<u64>, sum: Option<Sum>) {
        let (Some(whole), Some(sum)) = (&mut self.whole, sum) else { return };
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
    mut writing: Writing,
    meter: &Meter,
) -> Result<(Range<u64>, Option<Sum>)> {
    let take = async |chunk: Bytes| {
        meter.add(chunk.len() as u64);
        writing.take(chunk).await
    };
    fetch(from, range.clone(), etag, take).await?;
    writing.flush().await?;
    Ok((range, writing.running.map(Running::finish)))
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

/// A range that is being written.
struct Writing {
    sink: Arc<Sink>,
    /// Where the next bytes go.
    at: u64,
    running: Option<Running>,
    batch: Vec<Bytes>,
    held: usize,
    load: Arc<WriteLoad>,
}

impl Writing {
    fn new(sink: Arc<Sink>, at: u64, algorithm: Option<Algorithm>, load: Arc<WriteLoad>) -> Self {
        Self { sink, at, running: algorithm.map(Running::new), batch: Vec::new(), held: 0, load }
    }

    async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.held += chunk.len();
        self.batch.push(chunk);
        if self.held < BATCH && !self.load.is_light() { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<()> {
        let (sink, load, at) = (self.sink.clone(), self.load.clone(), self.at);
        let (batch, mut running) = (std::mem::take(&mut self.batch), self.running.take());
        let work = move || {
            let (mut at, began) = (at, Instant::now());
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
        self.running = if self.load.is_light() { work() } else { blocking(work).await? }?;
        self.at += std::mem::take(&mut self.held) as u64;
        Ok(())
    }
}
