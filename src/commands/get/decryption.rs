//! Decrypts a download, in one or two passes: plaintext is released only once it is verified, unless the user accepts
//! unverified plaintext.

use std::ops::Range;
use std::sync::Arc;

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::checksum::Verifier;
use crate::commands::unwrapped_envelope::{DecryptedBy, Part, UnwrappedEnvelope};
use crate::encryption::StoredFormat;
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::seal::Open;
use crate::transfer::download::{self, Out, Pipeline, Recorded};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::parallel_write::{self, Content, Downloaded, ParallelSink};
use crate::transfer::plan::{self, Release};
use crate::transfer::repeat::Repeat;
use crate::transfer::resume::Kept;
use crate::transfer::sink::Sink;
use crate::transfer::{Cancellation, blocking};

/// How the stored bytes are decrypted.
pub(super) enum Opening {
    /// This range of the stored bytes, without client-side decryption.
    AsItIs(Range<u64>),
    /// A range of a client-side object.
    Range(Box<Part>, Described),
    /// A whole client-side object, which may have to be decrypted twice.
    Whole(Box<UnwrappedEnvelope>),
}

impl Opening {
    /// The id of the message that is decrypted, if its format has one.
    pub(super) fn message_id(&self) -> Option<&[u8]> {
        match self {
            Self::AsItIs(_) | Self::Range(..) => None,
            Self::Whole(unwrapped) => unwrapped.message_id(),
        }
    }
}

/// What the outcome says about an envelope.
#[derive(Clone, Default)]
pub(super) struct Described {
    pub(super) format: Option<StoredFormat>,
    pub(super) opened: Option<DecryptedBy>,
}

impl Described {
    pub(super) fn of(opening: &Opening) -> Self {
        match opening {
            Opening::AsItIs(_) => Self::default(),
            Opening::Range(_, described) => described.clone(),
            Opening::Whole(unwrapped) => Self::of_sealed(unwrapped, unwrapped.is_authenticated()),
        }
    }

    pub(super) fn of_sealed(unwrapped: &UnwrappedEnvelope, intact: bool) -> Self {
        Self { format: Some(unwrapped.format()), opened: Some(unwrapped.decrypted_by(Some(intact))) }
    }
}

/// The download of one object.
pub(super) struct Transfer<'a> {
    pub(super) reader: &'a ObjectReader<'a>,
    pub(super) head: &'a ObjectHead,
    pub(super) budget: &'a MemoryBudget,
    pub(super) meter: &'a Meter,
    pub(super) cancellation: &'a Cancellation,
    /// What an earlier run has left, and where to record what comes.
    pub(super) kept: Option<Arc<Kept>>,
}

impl Transfer<'_> {
    async fn stream(
        &self,
        stored: Range<u64>,
        open: Option<Box<dyn Open>>,
        verifier: Option<Verifier>,
        out: Out,
    ) -> Result<u64> {
        self.meter.expect(stored.end - stored.start);
        let pipeline = Pipeline { verifier, open, out, repeat: Repeat::No };
        self.pass(stored, pipeline).await.map(|(plain, _)| plain)
    }

    async fn write_parallel(
        &self,
        content: Content,
        verifier: Option<Verifier>,
        sink: Sink,
    ) -> Result<Downloaded> {
        self.meter.expect(match &content {
            Content::Stored(range) => range.end - range.start,
            Content::Frames(_) => self.head.len,
        });
        let Self { reader, budget, meter, cancellation, .. } = *self;
        let (to, etag) =
            (ParallelSink { sink, verifier, kept: self.kept.clone() }, self.head.etag.as_deref());
        parallel_write::run(reader, content, etag, to, budget, meter, cancellation).await
    }

    async fn pass(&self, stored: Range<u64>, pipeline: Pipeline) -> Result<(u64, Repeat)> {
        let etag = self.head.etag.as_deref();
        download::run(self.reader, stored, etag, pipeline, self.budget, self.meter, self.cancellation).await
    }

    /// Downloads the object. `hidden`: nothing that is written to the sink is
    /// visible before its commit. `unverified`: a stream may receive plaintext before it is verified.
    pub(super) async fn run(
        &self,
        opening: Opening,
        verifier: Option<Verifier>,
        sink: Sink,
        hidden: bool,
        unverified: bool,
    ) -> Result<Downloaded> {
        let unwrapped = match opening {
            Opening::AsItIs(range) if hidden && ParallelSink::takes(verifier.as_ref()) => {
                return self.write_parallel(Content::Stored(range), verifier, sink).await;
            }
            Opening::AsItIs(range) => {
                return match (self.kept.clone(), verifier) {
                    (Some(kept), Some(verifier)) => self.go_on_in_order(verifier, sink, kept).await,
                    (_, verifier) => self.stream(range, None, verifier, Out::Sink(sink)).await,
                }
                .map(Downloaded::from);
            }
            Opening::Range(part, _) => return self.part(*part, sink).await.map(Downloaded::from),
            Opening::Whole(unwrapped) => unwrapped,
        };
        if hidden
            && ParallelSink::takes(verifier.as_ref())
            && let Some(message) = unwrapped.ranges(self.head.len)
        {
            return self.write_parallel(Content::Frames(message), verifier, sink).await;
        }
        let open = unwrapped.opener()?;
        if let Some(kept) = &self.kept {
            return self.go_on(open, verifier, sink, kept.clone()).await;
        }
        let out = match plan::release(open.trust(), self.head.len, hidden, unverified) {
            Release::Stream => Out::Sink(sink),
            Release::Hold => Out::held(self.head.len, sink),
            Release::TwoPass => {
                return self.two_passes(&unwrapped, open, verifier, sink).await.map(Downloaded::from);
            }
        };
        self.stream(0..self.head.len, Some(open), verifier, out).await.map(Downloaded::from)
    }

    /// Decrypts a whole object into a file that may have its beginning. If it has, the checksum that S3 keeps cannot be
    /// compared; the format's own tags are.
    async fn go_on(
        &self,
        mut open: Box<dyn Open>,
        verifier: Option<Verifier>,
        sink: Sink,
        kept: Arc<Kept>,
    ) -> Result<Downloaded> {
        let work = blocking(move || {
            let recorded = Recorded::catch_up(sink, kept, |bytes| open.replay(bytes))?;
            Ok::<_, Error>((open, recorded))
        });
        let (open, recorded) = self.cancellation.or(work).await???;
        let (there, start) = (recorded.len(), open.resumes_at().unwrap_or_default());
        self.meter.expect(self.head.len);
        self.meter.add(there);
        let is_some_skipped = start > 0;
        let verifier = verifier.filter(|_| !is_some_skipped);
        let pipeline = Pipeline {
            verifier,
            open: Some(open),
            out: Out::Recorded(Box::new(recorded)),
            repeat: Repeat::No,
        };
        let (plain, _) = self.pass(start..self.head.len, pipeline).await?;
        Ok(Downloaded { plain_len: there + plain, is_some_skipped })
    }

    /// Downloads a whole object whose checksum takes its bytes in order, into a file that may have its beginning: the
    /// checksum takes that from the file.
    async fn go_on_in_order(&self, mut verifier: Verifier, sink: Sink, kept: Arc<Kept>) -> Result<u64> {
        let work = blocking(move || {
            let recorded = Recorded::catch_up(sink, kept, |bytes| {
                verifier.update(bytes);
                Ok(())
            })?;
            Ok::<_, Error>((verifier, recorded))
        });
        let (verifier, recorded) = self.cancellation.or(work).await???;
        let there = recorded.len();
        self.meter.expect(self.head.len);
        self.meter.add(there);
        let pipeline = Pipeline {
            verifier: Some(verifier),
            open: None,
            out: Out::Recorded(Box::new(recorded)),
            repeat: Repeat::No,
        };
        self.pass(there..self.head.len, pipeline).await.map(|(len, _)| there + len)
    }

    /// Verifies what else a range depends on, then decrypts it.
    async fn part(&self, part: Part, sink: Sink) -> Result<u64> {
        if let Some((sealed, open)) = part.proof {
            let proof = Pipeline { verifier: None, open: Some(open), out: Out::Nowhere, repeat: Repeat::No };
            self.pass(sealed, proof).await?;
        }
        let (sealed, open) = part.content?;
        self.stream(sealed, Some(open), None, Out::Sink(sink)).await
    }

    /// First verifies everything, then decrypts the same bytes again and writes them.
    async fn two_passes(
        &self,
        unwrapped: &UnwrappedEnvelope,
        open: Box<dyn Open>,
        verifier: Option<Verifier>,
        sink: Sink,
    ) -> Result<u64> {
        let whole = 0..self.head.len;
        self.meter.expect(2 * self.head.len);
        let first = Pipeline { verifier, open: Some(open), out: Out::Nowhere, repeat: Repeat::first()? };
        let (_, repeat) = self.pass(whole.clone(), first).await?;
        let second = Pipeline {
            verifier: None,
            open: Some(unwrapped.opener()?),
            out: Out::Sink(sink),
            repeat: repeat.second(),
        };
        self.pass(whole, second).await.map(|(plain, _)| plain)
    }
}
