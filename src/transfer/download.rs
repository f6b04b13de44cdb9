//! Downloads an object: fetches ranges from S3 in parallel, and passes them in order through decryption to the sink, in
//! bounded memory.
//!
//! A range that is interrupted is resumed where it stopped. Every range request requires the ETag of the HEAD, so all
//! bytes are of one object. [`plan::release`](super::plan::release) decides when plaintext is released.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::aws::read_object::{Body, ObjectReader};
use crate::checksum::{Algorithm, Running, Sum, Verifier};
use crate::error::{Error, NetworkFault, Result, Subject};
use crate::limits::MAX_PLAINTEXT_HELD_IN_MEMORY;
use crate::meter::Meter;
use crate::seal::{Open, Output};
use crate::transfer::memory_budget::{MemoryBudget, Permit};
use crate::transfer::pipe;
use crate::transfer::plan::Remaining;
use crate::transfer::ranges::{RangeRequest, Ranges};
use crate::transfer::repeat::Repeat;
use crate::transfer::resume::{Kept, WrittenRange};
use crate::transfer::sink::Sink;
use crate::transfer::{Cancellation, blocking};

/// Bytes that pass through all steps at once: few enough for the cache.
const BATCH: usize = 128 << 10;
/// Small ranges are recorded together, so that a record stays short.
const MIN_RECORDED_AT_ONCE: u64 = 4 << 20;

/// The steps that stored bytes pass through: checksum, decryption, sink.
pub(crate) struct Pipeline {
    /// Compares with the checksum that S3 stores.
    pub(crate) verifier: Option<Verifier>,
    /// Decrypts; `None` passes the stored bytes.
    pub(crate) open: Option<Box<dyn Open>>,
    /// Where plaintext goes.
    pub(crate) out: Out,
    /// Binds a second pass to the first.
    pub(crate) repeat: Repeat,
}

/// Where plaintext goes.
pub(crate) enum Out {
    /// To the sink at once.
    Sink(Sink),
    /// The same, and recorded after each range.
    Recorded(Box<Recorded>),
    /// Into memory until everything is verified, then to the sink.
    Held(Vec<u8>, Sink),
    /// Nowhere: a first pass only verifies.
    Nowhere,
    /// To an upload, which is completed only when everything is verified.
    Pipe(pipe::Writer),
}

impl Pipeline {
    /// Takes the next range's bytes.
    fn take(&mut self, range: &[Bytes], subject: &Subject) -> Result<u64> {
        self.repeat.take(range, subject)?;
        let mut plain = 0;
        let mut out = Output::new();
        for chunk in range.iter().flat_map(|piece| piece.chunks(BATCH)) {
            if let Some(verifier) = &mut self.verifier {
                verifier.update(chunk);
            }
            match &mut self.open {
                None => {
                    plain += chunk.len() as u64;
                    self.out.write(chunk)?;
                }
                Some(open) => {
                    out.clear();
                    let opened = open.push(chunk, &mut out);
                    // Plaintext before a piece that fails is verified: a stream ends at that piece.
                    plain += out.len() as u64;
                    self.out.write(&out)?;
                    opened?;
                }
            }
        }
        if let Out::Recorded(recorded) = &mut self.out {
            recorded.note();
        }
        Ok(plain)
    }

    /// Ends the pass: verifies the end, then writes the plaintext that was held.
    fn finish(mut self, subject: &Subject) -> Result<(u64, Repeat)> {
        let mut plain = 0;
        if let Some(open) = self.open.take() {
            let mut out = Output::new();
            open.finish(&mut out)?;
            plain += out.len() as u64;
            self.out.write(&out)?;
        }
        if let Some(verifier) = self.verifier.take() {
            verifier.finish().map_err(|why| Error::tampered(subject, why))?;
        }
        match self.out {
            Out::Held(held, mut sink) => sink.write(&held)?,
            Out::Pipe(pipe) => pipe.end()?,
            Out::Sink(_) | Out::Recorded(_) | Out::Nowhere => {}
        }
        Ok((plain, self.repeat))
    }
}

impl Out {
    /// Holds what comes of so many stored bytes, in memory that need not grow.
    pub(crate) fn held(stored_len: u64, sink: Sink) -> Self {
        let bytes = usize::try_from(stored_len.min(MAX_PLAINTEXT_HELD_IN_MEMORY)).unwrap_or_default();
        Self::Held(Vec::with_capacity(bytes), sink)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Sink(sink) => sink.write(bytes),
            Self::Recorded(recorded) => recorded.write(bytes),
            Self::Held(held, _) => {
                held.extend_from_slice(bytes);
                Ok(())
            }
            Self::Nowhere => Ok(()),
            Self::Pipe(pipe) => pipe.write(bytes),
        }
    }
}

/// A file whose content is recorded as it grows.
pub(crate) struct Recorded {
    sink: Sink,
    kept: Arc<Kept>,
    running: Running,
    /// The plaintext that `running` covers.
    bytes: Range<u64>,
}

impl Recorded {
    /// Takes what an earlier run has written, as far as it is still there, and passes it to `replay`.
    ///
    /// # Errors
    /// `Local` for what the system refuses, and those of `replay`.
    pub(crate) fn catch_up(
        mut sink: Sink,
        kept: Arc<Kept>,
        mut replay: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Self> {
        let mut at = 0;
        for WrittenRange { start, end, sum } in kept.pieces(u64::MAX) {
            let is_there = |found: Sum| found.base64() == sum;
            if start > at || !sink.sum(start..end, Algorithm::Crc64Nvme)?.is_some_and(is_there) {
                break;
            }
            sink.read(start..end, &mut replay)?;
            at = end;
        }
        sink.cut_off(at)?;
        Ok(Self { sink, kept, running: Running::new(Algorithm::Crc64Nvme), bytes: at..at })
    }

    /// The plaintext bytes that are there.
    pub(crate) fn len(&self) -> u64 {
        self.bytes.end
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sink.write(bytes)?;
        self.running.update(bytes);
        self.bytes.end += bytes.len() as u64;
        Ok(())
    }

    fn note(&mut self) {
        let end = self.bytes.end;
        if end - self.bytes.start >= MIN_RECORDED_AT_ONCE {
            let running = std::mem::replace(&mut self.running, Running::new(Algorithm::Crc64Nvme));
            self.kept.note(self.bytes.clone(), &running.finish());
            self.bytes = end..end;
        }
    }
}

/// Downloads the stored bytes of `whole` through `pipeline`. Returns how many plaintext bytes came out, and
/// what a second pass repeats.
///
/// # Errors
/// Errors of S3, the network, the format or the sink; `Interrupted`; `Changed` if the object has another ETag.
pub(crate) async fn run(
    from: &ObjectReader<'_>,
    whole: Range<u64>,
    etag: Option<&str>,
    pipeline: Pipeline,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<(u64, Repeat)> {
    let (sender, receiver) = mpsc::channel(1);
    let ranges = Ranges::new(Remaining::new(whole, []), pipeline.repeat.lengths());
    let work = async {
        let (fetched, passed) = tokio::join!(
            fetch_all(from, ranges, etag, budget, meter, sender),
            pass_all(receiver, pipeline, from.subject(), meter),
        );
        // If the consumer fails, the closed channel ends the producer without an error of its own.
        let passed = passed?;
        fetched?;
        Ok(passed)
    };
    let (pipeline, plain) = cancellation.or(work).await??;
    let subject = from.subject();
    let (rest, repeat) = cancellation.or(blocking(move || pipeline.finish(&subject))).await???;
    meter.add(rest);
    Ok((plain + rest, repeat))
}

/// Passes stored bytes from memory through `pipeline`. Returns how many plaintext bytes came out.
///
/// # Errors
/// Errors of the format or the sink.
pub(crate) fn pass(bytes: Bytes, subject: &Subject, mut pipeline: Pipeline) -> Result<u64> {
    let plain = pipeline.take(&[bytes], subject)?;
    let (rest, _) = pipeline.finish(subject)?;
    Ok(plain + rest)
}

/// Cuts a range out of a whole object, clamped to its length.
pub(crate) fn slice(whole: &Bytes, range: &Range<u64>) -> Bytes {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
    whole.slice(at(range.start)..at(range.end).max(at(range.start)))
}

/// A range's bytes, with their permit.
struct Fetched {
    pieces: Vec<Bytes>,
    _permit: Permit,
}

async fn fetch_all(
    from: &ObjectReader<'_>,
    ranges: Ranges,
    etag: Option<&str>,
    budget: &MemoryBudget,
    meter: &Meter,
    sender: mpsc::Sender<Fetched>,
) -> Result<()> {
    let ranges = &ranges;
    let mut fetched = std::pin::pin!(
        ranges
            .requests(budget, MemoryBudget::range_in_memory, u64::MAX)
            .map(|request| async move {
                let RangeRequest { range, permit, slot: _slot } = request?;
                // A small chunk kept as it came would pin the whole buffer that the connection read it into.
                let mut pieces = budget.range_buffer();
                let keep = async |chunk: Bytes| {
                    meter.moved();
                    pieces.push(chunk);
                    Ok(())
                };
                fetch(from, range, etag, keep).await?;
                ranges.end();
                Ok::<_, Error>(Fetched { pieces: pieces.into_bytes(), _permit: permit })
            })
            .buffered(budget.max_ranges_in_memory())
    );
    while let Some(fetched) = fetched.next().await {
        if sender.send(fetched?).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn pass_all(
    mut receiver: mpsc::Receiver<Fetched>,
    mut pipeline: Pipeline,
    subject: Subject,
    meter: &Meter,
) -> Result<(Pipeline, u64)> {
    let mut plain = 0;
    while let Some(fetched) = receiver.recv().await {
        let subject = subject.clone();
        let passed;
        (pipeline, passed) = blocking(move || {
            let passed = pipeline.take(&fetched.pieces, &subject);
            (pipeline, passed)
        })
        .await?;
        let passed = passed?;
        meter.add(passed);
        plain += passed;
    }
    Ok((pipeline, plain))
}

/// Fetches one range and passes its bytes to `take` as they arrive. If it breaks off, it is resumed as often as any
/// request is retried; only attempts without progress are counted.
pub(crate) async fn fetch(
    from: &ObjectReader<'_>,
    range: Range<u64>,
    etag: Option<&str>,
    mut take: impl AsyncFnMut(Bytes) -> Result<()>,
) -> Result<()> {
    let mut at = range.start;
    let mut retries = from.connection.body_retries();
    while at < range.end {
        let before = at;
        let body = from.range(at..range.end, etag).await?;
        if let Err(error) = receive(from, body, range.end, &mut at, &mut take).await {
            if at > before {
                retries.progressed();
            }
            retries.wait_or_fail(error).await?;
        }
    }
    Ok(())
}

async fn receive(
    from: &ObjectReader<'_>,
    mut body: Body,
    end: u64,
    at: &mut u64,
    take: &mut impl AsyncFnMut(Bytes) -> Result<()>,
) -> Result<()> {
    while *at < end {
        let cut = || Error::Network { subject: from.subject(), why: NetworkFault::Broken, source: None };
        let chunk = body.next().await?.ok_or_else(cut)?;
        *at += chunk.len() as u64;
        if *at > end {
            return Err(Error::tampered(from.subject(), "the server sent more bytes than were requested"));
        }
        take(chunk).await?;
    }
    Ok(())
}
