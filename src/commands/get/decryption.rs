//! How stored bytes become plain, and in how many passes: what is unproven is not let go.

use std::ops::Range;

use crate::aws::object_head::ObjectHead;
use crate::aws::objects::Reader;
use crate::checksum::Verifier;
use crate::commands::client_object::{Opened, Part, UnwrappedEnvelope};
use crate::encryption::StoredFormat;
use crate::error::Result;
use crate::seal::Open;
use crate::transfer::Cancellation;
use crate::transfer::download::{self, Digests, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::parallel_write::{self, ParallelSink};
use crate::transfer::plan::{self, Release};
use crate::transfer::sink::Sink;
use crate::tuning::Meter;

/// How the stored bytes become plain.
pub(super) enum Opening {
    /// S3 has decrypted them: these are the bytes.
    AsItIs(Range<u64>),
    /// A part of a sealed object.
    Range(Box<Part>, Described),
    /// A sealed object; can be opened twice.
    Whole(Box<UnwrappedEnvelope>),
}

/// What the outcome says about an envelope.
#[derive(Clone, Default)]
pub(super) struct Described {
    pub(super) format: Option<StoredFormat>,
    pub(super) opened: Option<Opened>,
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
        Self { format: Some(unwrapped.format()), opened: Some(unwrapped.opened(Some(intact))) }
    }
}

/// One object on its way down.
pub(super) struct Transfer<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) head: &'a ObjectHead,
    pub(super) budget: &'a MemoryBudget,
    pub(super) meter: &'a Meter,
    pub(super) cancellation: &'a Cancellation,
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
        let pipeline = Pipeline { verifier, open, out, digests: Digests::Off };
        self.pass(stored, pipeline).await.map(|(plain, _)| plain)
    }

    async fn scatter(&self, stored: Range<u64>, verifier: Option<Verifier>, sink: Sink) -> Result<u64> {
        self.meter.expect(stored.end - stored.start);
        let (to, etag) = (ParallelSink { sink, verifier }, self.head.etag.as_deref());
        parallel_write::run(self.reader, stored, etag, to, self.budget, self.meter, self.cancellation).await
    }

    async fn pass(&self, stored: Range<u64>, pipeline: Pipeline) -> Result<(u64, Digests)> {
        if let Some(body) = &self.head.body {
            let bytes = download::slice(body, &stored);
            return download::pass(bytes, self.reader.subject(), pipeline, self.meter, self.cancellation)
                .await;
        }
        let etag = self.head.etag.as_deref();
        download::run(self.reader, stored, etag, pipeline, self.budget, self.meter, self.cancellation).await
    }

    /// Brings the object down; lets nothing go that is not proven. `hidden`: the sink shows nothing before its commit.
    /// Returns how many plain bytes came out.
    pub(super) async fn run(
        &self,
        opening: Opening,
        verifier: Option<Verifier>,
        sink: Sink,
        hidden: bool,
        unproven: bool,
    ) -> Result<u64> {
        let unwrapped = match opening {
            Opening::AsItIs(range)
                if hidden && self.head.body.is_none() && ParallelSink::takes(verifier.as_ref()) =>
            {
                return self.scatter(range, verifier, sink).await;
            }
            Opening::AsItIs(range) => return self.stream(range, None, verifier, Out::Sink(sink)).await,
            Opening::Range(part, _) => return self.part(*part, sink).await,
            Opening::Whole(unwrapped) => unwrapped,
        };
        let open = unwrapped.opener()?;
        let out = match plan::release(open.trust(), self.head.len, hidden, unproven) {
            Release::Stream => Out::Sink(sink),
            Release::Hold => Out::Held(Vec::new(), sink),
            Release::TwoPass => return self.two_passes(&unwrapped, open, verifier, sink).await,
        };
        self.stream(0..self.head.len, Some(open), verifier, out).await
    }

    /// Opens a part; first what else must hold before it may be believed.
    async fn part(&self, part: Part, sink: Sink) -> Result<u64> {
        if let Some((sealed, open)) = part.proof {
            let proof =
                Pipeline { verifier: None, open: Some(open), out: Out::Nowhere, digests: Digests::Off };
            self.pass(sealed, proof).await?;
        }
        self.stream(part.sealed, Some(part.opener), None, Out::Sink(sink)).await
    }

    /// First proves everything, then opens the very same bytes again and lets them go.
    async fn two_passes(
        &self,
        unwrapped: &UnwrappedEnvelope,
        open: Box<dyn Open>,
        verifier: Option<Verifier>,
        sink: Sink,
    ) -> Result<u64> {
        let whole = 0..self.head.len;
        self.meter.expect(2 * self.head.len);
        let first =
            Pipeline { verifier, open: Some(open), out: Out::Nowhere, digests: Digests::Keep(Vec::new()) };
        let (_, digests) = self.pass(whole.clone(), first).await?;
        let digests = match digests {
            Digests::Keep(kept) => Digests::Compare(kept.into()),
            other => other,
        };
        let second =
            Pipeline { verifier: None, open: Some(unwrapped.opener()?), out: Out::Sink(sink), digests };
        self.pass(whole, second).await.map(|(plain, _)| plain)
    }
}
