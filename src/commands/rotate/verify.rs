//! The second look: is there what was meant, and does the new key open it?
//!
//! The answer of a write is one witness; what can be read afterwards is another. Nothing is changed here.

use bytes::Bytes;

use crate::aws::object_head::{Checksum, ObjectHead};
use crate::aws::objects::Reader;
use crate::aws::sse::describe;
use crate::commands::client_object::{Opened, Sealed, Unlocked};
use crate::commands::decrypt::{self, DecryptionKeys};
use crate::commands::encrypt::Wrapper;
use crate::commands::get::verifier;
use crate::encryption::StoredFormat;
use crate::error::{Error, Result};
use crate::keys::CustomerKey;
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::seal::detect;
use crate::transfer::download::{self, Digests, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::tuning::Meter;

use super::RotateOutcome;
use super::execution::Execution;
use super::object_state::ObjectState;
use super::preserve;
use super::strategy::{Desired, Strategy};
use super::written::Written;

/// Looks again and compares.
///
/// # Errors
/// `Changed` if it is another object by now; `Tampered`, `NotAsAsked` and `EnvelopeLost` if it is not what was meant.
pub(super) async fn check(
    running: &Execution<'_>,
    state: ObjectState,
    way: Strategy,
    written: Written,
    verify: bool,
) -> Result<RotateOutcome> {
    let key = customer_key(running, &state);
    let in_place = matches!(way, Strategy::UpdateInPlace | Strategy::Nothing);
    let version_id = state.version_id.as_deref().filter(|_| in_place);
    let reader = Reader { connection: running.connection, uri: &state.uri, version_id, key };
    let head = match way {
        Strategy::Nothing => state.head.clone(),
        _ => running.stop.or(reader.head()).await??,
    };
    let checksum_compared = compare(running, &state, &way, &written, &head)?;
    let file = running.stop.or(sent_file(&written, &reader)).await??;
    let unlocked = match &running.target.decryption_keys {
        Some(decryption_keys) if running.target.client().is_some() && way != Strategy::Nothing => {
            Some(open(running, &state, &reader, &head, decryption_keys, file).await?)
        }
        _ => None,
    };
    let verified = verify && read_all(running, &reader, &head, unlocked.as_ref()).await?;
    Ok(outcome(running, state, way, &written, head, unlocked.as_ref(), checksum_compared, verified))
}

/// The SSE-C key that the object needs now: the target's, or its own where it keeps that.
fn customer_key<'a>(running: &'a Execution<'_>, state: &'a ObjectState) -> Option<&'a CustomerKey> {
    match (&running.target.goal, running.target.at_rest()) {
        (Desired::Server(_), _) => running.target.customer_key(),
        // Sealed bytes keep their mode at rest if they were sealed before, and get the bucket's default if not.
        (Desired::Client { .. }, None) if state.present.sealed.is_some() => state.customer_key.as_ref(),
        (Desired::Client { .. }, _) => None,
    }
}

fn compare(
    running: &Execution<'_>,
    state: &ObjectState,
    way: &Strategy,
    written: &Written,
    head: &ObjectHead,
) -> Result<bool> {
    let tampered = |why: String| Err(Error::tampered(state.subject(), why));
    // Metadata with a fresh wrap are as sure a sign as an ETag, which some servers answer with another one of.
    let is_ours = written.metadata.as_ref() == Some(&head.metadata);
    if !is_ours && written.etag.is_some() && head.etag != written.etag {
        return Err(Error::Changed { subject: state.subject(), source: None });
    }
    if let Some(sent) = &written.envelope {
        sent.compare(&state.uri, head.version_id.as_deref(), &head.metadata)?;
    }
    if head.len != written.len {
        return tampered(format!("it has {} bytes now and should have {}", head.len, written.len));
    }
    if let Some(metadata) = &written.metadata
        && *metadata != head.metadata
    {
        return tampered("its metadata are not those that were sent".to_owned());
    }
    let asked = running.target.at_rest();
    let touched = !matches!(way, Strategy::Nothing | Strategy::RewrapBeside | Strategy::Share);
    let kept = asked.is_none() && state.present.sealed.is_some() && running.target.client().is_some();
    let strayed = kept && head.applied.mode != state.head.applied.mode;
    if strayed || touched && !head.applied.is_as_asked(asked) {
        return Err(Error::NotAsAsked {
            subject: state.subject(),
            asked: asked.map_or_else(|| state.head.applied.to_string(), describe),
            got: head.applied.to_string(),
            stored: true,
            version_id: head.version_id.clone(),
        });
    }
    let lost = preserve::lost(&state.found(), head);
    if !lost.is_empty() {
        return tampered(format!("the server did not keep everything about it; lost: {}", lost.join(", ")));
    }
    let expected = match (&written.checksum, &state.head.checksum) {
        (Some(sent), _) => Some(sent),
        (None, Some(kept)) if !kept.composite => Some(&kept.value),
        _ => None,
    };
    match (expected, &head.checksum) {
        (Some(expected), Some(found)) if comparable(found, written, state) => {
            if found.value != *expected {
                return tampered(format!("its checksum is {} now and should be {expected}", found.value));
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether two sums are over the same in the same way.
fn comparable(found: &Checksum, written: &Written, state: &ObjectState) -> bool {
    let before = state.head.checksum.as_ref();
    written.checksum.is_some()
        || before.is_some_and(|kept| kept.algorithm == found.algorithm && kept.composite == found.composite)
}

/// Opens the envelope with the new key.
async fn open(
    running: &Execution<'_>,
    state: &ObjectState,
    reader: &Reader<'_>,
    head: &ObjectHead,
    decryption_keys: &DecryptionKeys,
    file: Option<Bytes>,
) -> Result<Unlocked> {
    let require_bound_name = running.target.binds_name(&state.present);
    let decryption_keys = DecryptionKeys { require_bound_name, ..decryption_keys.client_side() };
    let work = async {
        let envelope = match file {
            Some(file) => {
                Some(Sealed::S3ec(detect::with_instruction(reader.subject(), &head.metadata, &file)?))
            }
            None => decrypt::envelope(reader, head, &decryption_keys).await?,
        };
        let envelope = envelope
            .ok_or_else(|| Error::tampered(reader.subject(), "its envelope is gone after the rotation"))?;
        decrypt::unlock(running.connection, envelope, &decryption_keys).await
    };
    running.stop.or(work).await?
}

/// Reads the instruction file that was sent: it must be there as it was.
async fn sent_file(written: &Written, reader: &Reader<'_>) -> Result<Option<Bytes>> {
    let Some(sent) = &written.envelope else { return Ok(None) };
    let Some(uri) = sent.new.instruction_file.as_ref().and_then(|file| file.uri.parse::<S3Uri>().ok()) else {
        return Ok(None);
    };
    let file = Reader { uri: &uri, version_id: None, ..*reader };
    let found = file.whole(MAX_INSTRUCTION_FILE_BYTES).await?;
    sent.compare_file(reader.uri, found.as_deref())?;
    Ok(found)
}

/// Reads everything once more: the tag, the checksum. False where only somebody else could open it.
async fn read_all(
    running: &Execution<'_>,
    reader: &Reader<'_>,
    head: &ObjectHead,
    unlocked: Option<&Unlocked>,
) -> Result<bool> {
    let (verifier, _) = verifier(reader, head, true).await;
    if unlocked.is_none() && verifier.is_none() {
        return Ok(false);
    }
    let open = unlocked.map(Unlocked::opener).transpose()?;
    let pipeline = Pipeline { verifier, open, out: Out::Nowhere, digests: Digests::Off };
    let unseen = Meter::default();
    let etag = head.etag.as_deref();
    let budget = MemoryBudget::new(running.tuning);
    download::run(reader, 0..head.len, etag, pipeline, &budget, &unseen, running.stop).await?;
    Ok(running.target.client().is_none() || unlocked.is_some())
}

#[expect(clippy::too_many_arguments, reason = "each is a fact of the outcome")]
fn outcome(
    running: &Execution<'_>,
    state: ObjectState,
    way: Strategy,
    written: &Written,
    head: ObjectHead,
    unlocked: Option<&Unlocked>,
    checksum_compared: bool,
    verified: bool,
) -> RotateOutcome {
    let format_before = state.format();
    let client = running.target.client();
    let format = match (unlocked, &client) {
        (Some(unlocked), _) => Some(unlocked.format()),
        (None, Some(_)) => written.format.map(StoredFormat::from).or(format_before),
        (None, None) if way == Strategy::Nothing => format_before,
        (None, None) => None,
    };
    let fingerprint = client.and_then(|client| match client.wrappers.as_slice() {
        [wrapper] => Wrapper::fingerprint(wrapper).map(|print| print.to_string()),
        _ => None,
    });
    // What an update in place changes does not stay behind; every other way makes a new version where there are any.
    let old_version = match way {
        Strategy::Nothing
        | Strategy::UpdateInPlace
        | Strategy::RewrapBeside
        | Strategy::Share
        | Strategy::Refuse(_) => None,
        Strategy::ServerCopy { .. } | Strategy::Rewrap { .. } | Strategy::Reseal => {
            state.head.version_id.clone().filter(|old| head.version_id.as_ref() != Some(old))
        }
    };
    // The tag is that of the same data key.
    let read = unlocked.filter(|_| verified).map(Unlocked::is_authenticated);
    let source = written.source.clone().map(|source| Opened { intact: source.intact.or(read), ..source });
    RotateOutcome {
        uri: state.uri,
        changed_version: state.version_id,
        way,
        before: state.head.applied,
        format_before,
        source,
        applied: head.applied,
        format,
        fingerprint,
        kms_keys: client.map(|client| client.kms_keys(running.connection)).unwrap_or_default(),
        stored_len: head.len,
        etag: head.etag,
        version_id: head.version_id,
        old_version,
        opened: client.map(|_| unlocked.is_some()).filter(|opened| *opened),
        found_by_comparison: written.found_by_comparison,
        checksum_compared,
        verified,
    }
}
