//! `get`: look, unlock, plan, run, close.

use std::ops::Range;

use crate::aws::Connection;
use crate::aws::objects::{Facts, Reader};
use crate::aws::sse::{Applied, AppliedMode};
use crate::checksum::{Algorithm, Verifier};
use crate::commands::look::{Sighting, look};
use crate::commands::put::same_etag;
use crate::encryption::{Context, KmsKey, Mode};
use crate::error::{Error, Result};
use crate::keys::KeyRing;
use crate::location::{ByteRange, S3Uri, Target};
use crate::transfer::download::{self, Digests, Out, Pipeline};
use crate::transfer::sink;
use crate::transfer::{Stop, blocking};
use crate::tuning::{Meter, Tuning};

/// Everything that `get` needs to know.
pub struct GetRequest {
    /// The object.
    pub source: S3Uri,
    /// Where the bytes go.
    pub target: Target,
    /// The keys at hand.
    pub keys: KeyRing,
    /// The encryption context that a client-side object must have been sealed with.
    pub kms_context: Option<Context>,
    /// KMS keys that may open it; none means the one that the object names.
    pub kms_keys: Vec<KmsKey>,
    /// The mode that the object must be in; keys are used for nothing else.
    pub expect: Option<Mode>,
    /// The version; none is the newest.
    pub version_id: Option<String>,
    /// The part of the plain bytes that is wanted.
    pub range: Option<ByteRange>,
    /// Whether a file that exists must stay.
    pub no_clobber: bool,
    /// The ETag that the object must have.
    pub if_match: Option<String>,
    /// Whether unproven bytes may go to a stream at once.
    pub unproven: bool,
    /// The suffix of the instruction file, if it is not the default one.
    pub instruction_suffix: Option<String>,
    /// Range size, jobs.
    pub tuning: Tuning,
}

/// What `get` came to.
#[derive(Clone, Debug)]
pub struct GetOutcome {
    /// The object.
    pub source: S3Uri,
    /// Where the bytes went.
    pub target: Target,
    /// Bytes written.
    pub plain_len: u64,
    /// Bytes stored.
    pub stored_len: u64,
    /// What S3 applied.
    pub applied: Applied,
    /// The client-side format, in words.
    pub format: Option<String>,
    /// The ETag, with its quotes.
    pub etag: Option<String>,
    /// The version.
    pub version_id: Option<String>,
    /// What became of the checksum.
    pub checksum: ChecksumSeen,
    /// The fingerprint of the wrapping key that opened it, for local keys.
    pub fingerprint: Option<String>,
    /// Whether the plain bytes are proven to be those that were sealed.
    pub authenticated: bool,
}

/// What became of the checksum that S3 keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChecksumSeen {
    /// What came down has it.
    Verified(Algorithm, String),
    /// S3 keeps none that s3seal knows.
    NotKept,
    /// It could not be compared; the text says why.
    NotComparable(String),
}

/// Brings one object down.
///
/// # Errors
/// Whatever S3, the bytes, the target or a signal says; then the target is as it was.
pub async fn run(
    connection: &Connection,
    request: GetRequest,
    meter: &Meter,
    stop: &Stop,
) -> Result<GetOutcome> {
    let place = sink::prepare(&request.target, request.no_clobber)?;
    let seen =
        look(connection, &request.source, request.version_id.as_deref(), &request.keys, request.expect);
    let Sighting { facts, customer_key } = tokio::select! {
        biased;
        signal = stop.wait() => return Err(Error::Interrupted(signal)),
        seen = seen => seen?,
    };
    let reader = Reader {
        connection,
        uri: &request.source,
        version_id: request.version_id.as_deref(),
        key: customer_key.as_ref(),
    };
    as_required(&request, &facts, &reader)?;
    let whole = wanted(&reader, request.range, facts.len)?;
    let (verifier, checksum) = verifier(&reader, &facts, &whole).await;
    meter.expect(whole.end - whole.start);
    let (sink, claim) = place.open()?;
    let pipeline = Pipeline { verifier, open: None, out: Out::Sink(sink), digests: Digests::Off };
    let (plain_len, _) =
        download::run(&reader, whole, facts.etag.as_deref(), pipeline, &request.tuning, meter, stop).await?;
    blocking(move || claim.commit()).await??;
    Ok(GetOutcome {
        source: request.source,
        target: request.target,
        plain_len,
        stored_len: facts.len,
        applied: facts.applied,
        format: None,
        etag: facts.etag,
        version_id: facts.version_id,
        checksum,
        fingerprint: None,
        authenticated: true,
    })
}

/// Refuses an object that is not what the user requires it to be.
fn as_required(request: &GetRequest, facts: &Facts, reader: &Reader<'_>) -> Result<()> {
    if let Some(etag) = &request.if_match
        && !same_etag(facts.etag.as_deref(), etag)
    {
        return Err(Error::Changed { what: reader.name(), source: None });
    }
    if let Some(expected) = request.expect
        && facts.applied.mode != AppliedMode::Known(expected)
    {
        return Err(Error::NotAsExpected {
            what: reader.name(),
            expected: expected.title().to_owned(),
            found: facts.applied.mode.to_string(),
        });
    }
    // Who gives a key believes the object needs it: handing out another's plain bytes would be a lie.
    if !request.keys.is_empty() && reader.key.is_none() {
        return Err(reader.not_applicable(&facts.applied));
    }
    Ok(())
}

fn wanted(reader: &Reader<'_>, range: Option<ByteRange>, len: u64) -> Result<Range<u64>> {
    match range {
        None => Ok(0..len),
        Some(range) => range.within(len).ok_or_else(|| Error::OutOfRange {
            what: reader.name(),
            range: range.to_string(),
            len,
        }),
    }
}

/// Prepares the comparison with the checksum that S3 keeps, where it can be made.
async fn verifier(
    reader: &Reader<'_>,
    facts: &Facts,
    whole: &Range<u64>,
) -> (Option<Verifier>, ChecksumSeen) {
    let Some(kept) = &facts.checksum else { return (None, ChecksumSeen::NotKept) };
    if *whole != (0..facts.len) {
        return (
            None,
            ChecksumSeen::NotComparable("it is over the whole object, a range was asked for".to_owned()),
        );
    }
    let seen = ChecksumSeen::Verified(kept.algorithm, kept.value.clone());
    if !kept.composite {
        return (Some(Verifier::full_object(kept.algorithm, &kept.value)), seen);
    }
    match reader.part_sizes().await {
        Ok(sizes) if sizes.iter().sum::<u64>() == facts.len => {
            (Some(Verifier::composite(kept.algorithm, &kept.value, sizes)), seen)
        }
        Ok(_) => {
            (None, ChecksumSeen::NotComparable("the server does not list the sizes of the parts".to_owned()))
        }
        Err(error) => (None, ChecksumSeen::NotComparable(error.to_string())),
    }
}
