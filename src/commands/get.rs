//! `get`: look, unlock, plan, run, close.

use std::ops::Range;
use std::sync::Arc;

use crate::aws::Connection;
use crate::aws::objects::{Facts, Reader};
use crate::aws::sse::{Applied, AppliedMode};
use crate::checksum::{Algorithm, Verifier};
use crate::commands::look::{Sighting, look};
use crate::commands::put::same_etag;
use crate::commands::unlock::{self, Means};
use crate::encryption::{Context, KmsKey, Legacy, Mode};
use crate::error::{Error, Result};
use crate::keys::{CustomerKey, KeyRing};
use crate::location::{ByteRange, S3Uri, Target};
use crate::seal::ring::Unlocker;
use crate::transfer::sink;
use crate::transfer::{Stop, blocking};
use crate::tuning::{Meter, Tuning};

mod opening;

use opening::{Described, Opening, Transfer};

/// Everything that `get` needs to know.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub struct GetRequest {
    /// The object.
    pub source: S3Uri,
    /// Where the bytes go.
    pub target: Target,
    /// The keys at hand.
    pub keys: KeyRing,
    /// The encryption context that a client-side object must have been sealed with.
    pub kms_context: Option<Context>,
    /// KMS keys that may open it: an object does not choose by itself.
    pub kms_keys: Vec<KmsKey>,
    /// Whether an object may name the KMS key that opens it.
    pub kms_discovery: bool,
    /// Whether the stored bytes are wanted as they are, sealed or not.
    pub raw: bool,
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
    /// How far back to read client-side formats.
    pub legacy: Legacy,
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
    let (wanted, means) = split(request);
    let ready = stop.or(prepare(connection, &wanted, &means)).await??;
    let Ready { sighting: Sighting { facts, customer_key }, opening, verifier, checksum } = ready;
    let reader = wanted.reader(connection, customer_key.as_ref());
    let transfer = Transfer { reader: &reader, facts: &facts, tuning: &wanted.tuning, meter, stop };
    let described = Described::of(&opening);
    // A pipe opens only when somebody reads it.
    let (sink, claim) = stop.or(blocking(move || place.open())).await???;
    let plain_len = transfer.run(opening, verifier, sink, claim.hides(), wanted.unproven).await?;
    if let Some(file) = claim.to_sync()? {
        stop.or(blocking(move || file.sync_all())).await??.map_err(Error::local("cannot write"))?;
    }
    blocking(move || claim.commit()).await??;
    Ok(GetOutcome {
        source: wanted.source,
        target: wanted.target,
        plain_len,
        stored_len: facts.len,
        applied: facts.applied,
        format: described.format,
        etag: facts.etag,
        version_id: facts.version_id,
        checksum,
        fingerprint: described.fingerprint,
        authenticated: described.authenticated,
    })
}

/// The request without what unlocks.
struct Wanted {
    source: S3Uri,
    target: Target,
    expect: Option<Mode>,
    version_id: Option<String>,
    range: Option<ByteRange>,
    if_match: Option<String>,
    unproven: bool,
    raw: bool,
    tuning: Tuning,
}

fn split(request: GetRequest) -> (Wanted, Means) {
    let means = Means {
        unlocker: Arc::new(Unlocker::new(request.keys)),
        kms_keys: request.kms_keys,
        kms_discovery: request.kms_discovery,
        context: request.kms_context.unwrap_or_default(),
        legacy: request.legacy,
        suffix: request.instruction_suffix,
    };
    let wanted = Wanted {
        source: request.source,
        target: request.target,
        expect: request.expect,
        version_id: request.version_id,
        range: request.range,
        if_match: request.if_match,
        unproven: request.unproven,
        raw: request.raw,
        tuning: request.tuning,
    };
    (wanted, means)
}

impl Wanted {
    fn reader<'a>(&'a self, connection: &'a Connection, key: Option<&'a CustomerKey>) -> Reader<'a> {
        Reader { connection, uri: &self.source, version_id: self.version_id.as_deref(), key }
    }
}

/// Everything settled before the first byte.
struct Ready {
    sighting: Sighting,
    opening: Opening,
    verifier: Option<Verifier>,
    checksum: ChecksumSeen,
}

/// Looks, unlocks and plans.
async fn prepare(connection: &Connection, wanted: &Wanted, means: &Means) -> Result<Ready> {
    let ring = means.unlocker.ring();
    let sighting =
        look(connection, &wanted.source, wanted.version_id.as_deref(), ring, wanted.expect).await?;
    let facts = &sighting.facts;
    let reader = wanted.reader(connection, sighting.customer_key.as_ref());
    if let Some(etag) = &wanted.if_match
        && !same_etag(facts.etag.as_deref(), etag)
    {
        return Err(Error::Changed { what: reader.name(), source: None });
    }
    let envelope = if wanted.raw { None } else { unlock::envelope(&reader, facts, means).await? };
    as_required(wanted.expect, means, envelope.is_some(), facts, &reader)?;
    let opening = match envelope {
        None => Opening::AsItIs(part_of(&reader, wanted.range, facts.len)?),
        Some(envelope) => {
            let unlocked = unlock::unlock(connection, envelope, means).await?;
            match wanted.range {
                None => Opening::Whole(Box::new(unlocked)),
                Some(range) => {
                    let len = unlocked.plain_len(facts.len).unwrap_or(facts.len);
                    let part = unlocked.part(part_of(&reader, Some(range), len)?, facts.len)?;
                    let described = Described::of_sealed(&unlocked, part.authenticated);
                    Opening::Range(Box::new(part), described)
                }
            }
        }
    };
    let is_whole = match &opening {
        Opening::AsItIs(range) => *range == (0..facts.len),
        Opening::Range(..) => false,
        Opening::Whole(_) => true,
    };
    let (verifier, checksum) = verifier(&reader, facts, is_whole).await;
    Ok(Ready { sighting, opening, verifier, checksum })
}

/// Refuses an object that is not what the user requires it to be.
fn as_required(
    expect: Option<Mode>,
    means: &Means,
    sealed: bool,
    facts: &Facts,
    reader: &Reader<'_>,
) -> Result<()> {
    let found = if sealed { AppliedMode::Known(Mode::Client) } else { facts.applied.mode.clone() };
    if let Some(expected) = expect
        && found != AppliedMode::Known(expected)
    {
        return Err(Error::NotAsExpected {
            what: reader.name(),
            expected: expected.title().to_owned(),
            found: found.to_string(),
        });
    }
    // Who gives a key believes the object needs it: handing out another's plain bytes would be a lie.
    if !means.is_empty() && !sealed && reader.key.is_none() {
        return Err(reader.not_applicable(&facts.applied));
    }
    Ok(())
}

fn part_of(reader: &Reader<'_>, range: Option<ByteRange>, len: u64) -> Result<Range<u64>> {
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
pub(super) async fn verifier(
    reader: &Reader<'_>,
    facts: &Facts,
    is_whole: bool,
) -> (Option<Verifier>, ChecksumSeen) {
    let Some(kept) = &facts.checksum else { return (None, ChecksumSeen::NotKept) };
    if !is_whole {
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
