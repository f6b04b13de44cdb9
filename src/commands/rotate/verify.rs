//! Verifies a rotation by reading: whether the object is the one that was written, and whether the new key decrypts it.
//!
//! Changes nothing.

use bytes::Bytes;

use crate::aws::object_head::{Checksum, ObjectHead};
use crate::aws::read_object::ObjectReader;
use crate::aws::sse::{AppliedMode, describe};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::encrypt::Wrapper;
use crate::commands::get::verifier;
use crate::commands::open_envelope;
use crate::commands::unwrapped_envelope::{DecryptedBy, Envelope, UnwrappedEnvelope};
use crate::encryption::{Context, Legacy, StoredFormat};
use crate::error::{Aspect, Error, Result};
use crate::keys::{CustomerKey, DataKey};
use crate::meter::Meter;
use crate::seal::detect;
use crate::transfer::download::{self, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::repeat::Repeat;

use super::RotateOutcome;
use super::object_state::ObjectState;
use super::preserve;
use super::rotation::Rotation;
use super::strategy::{Desired, Strategy};
use super::write_result::WriteResult;

/// Compares a HEAD with what was written.
///
/// # Errors
/// `Changed` if it has another ETag; `Tampered`, `NotAsAsked` and `EnvelopeLost` if it is not what was written.
pub(super) async fn check(
    rotation: &Rotation<'_>,
    state: ObjectState,
    strategy: Strategy,
    mut written: WriteResult,
    verify: bool,
) -> Result<RotateOutcome> {
    let key = customer_key(rotation, &state);
    let in_place = matches!(strategy, Strategy::UpdateInPlace | Strategy::Nothing);
    let version_id = state.version_id.as_deref().filter(|_| in_place);
    let reader = ObjectReader { connection: rotation.connection, uri: &state.uri, version_id, key };
    let head = match strategy {
        Strategy::Nothing => state.head.clone(),
        _ => rotation.cancellation.or(reader.head()).await??,
    };
    if is_rewrapped_by_another(rotation, &state, &reader, &head, &written).await? {
        written = written.with_envelope_of(&head.metadata);
    }
    let checksum_compared = compare(rotation, &state, strategy, &written, &head)?;
    let file = rotation.cancellation.or(sent_file(&written, &reader)).await??;
    let opens_with = opens_with(rotation, strategy, &mut written, verify);
    let with_new_key = matches!(opens_with, Some(OpensWith::NewKey(_)));
    let unwrapped = match opens_with {
        Some(opens_with) => Some(open(rotation, &state, &reader, &head, opens_with, file).await?),
        None => None,
    };
    if strategy == Strategy::Nothing
        && let Some(unwrapped) = &unwrapped
    {
        opened_by_target(rotation, &state, unwrapped)?;
    }
    let verified = verify
        && read_all(rotation, &reader, &head, unwrapped.as_ref())
            .await
            .map_err(|error| found_late(error, strategy))?;
    let opened = unwrapped.as_ref().map(|unwrapped| Opened { unwrapped, with_new_key });
    Ok(outcome(rotation, state, strategy, &written, head, opened, checksum_compared, verified))
}

/// What opens the new envelope.
enum OpensWith<'a> {
    NewKey(DecryptionKeys),
    /// Without the new key (an RSA public key was given), the data key that is in the envelope, to read the content; and the
    /// envelope's context.
    DataKey(DataKey, &'a Context),
}

/// Finds what opens the envelope. An object that needs no change may be one in which an earlier run found damage, so to
/// verify it takes the key again; the private one to a public key must have been given with the old keys.
fn opens_with<'a>(
    rotation: &'a Rotation<'_>,
    strategy: Strategy,
    written: &mut WriteResult,
    verify: bool,
) -> Option<OpensWith<'a>> {
    let client = rotation.target.client()?;
    let (old, new) = (rotation.decryption_keys, rotation.target.decryption_keys.as_ref());
    if strategy == Strategy::Nothing {
        let keys = new.unwrap_or(old).client_side();
        let keys = DecryptionKeys { legacy: old.legacy.max(keys.legacy), suffix: old.suffix.clone(), ..keys };
        return verify.then_some(OpensWith::NewKey(keys));
    }
    match new {
        Some(keys) => Some(OpensWith::NewKey(keys.client_side())),
        None => {
            written.data_key.take().filter(|_| verify).map(|key| OpensWith::DataKey(key, &client.context))
        }
    }
}

/// Requires that what was done already is under the public key that was asked for: it only names that key, in metadata that
/// anybody can write, and any of the old keys may have opened it.
fn opened_by_target(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    unwrapped: &UnwrappedEnvelope,
) -> Result<()> {
    let wrappers = rotation.target.client().map_or(&[][..], |client| &client.wrappers);
    let [Wrapper::Rsa(key)] = wrappers else { return Ok(()) };
    if unwrapped.decrypted_by(None).with.fingerprint == Some(key.fingerprint()) {
        return Ok(());
    }
    Err(Error::tampered(state.subject(), "its envelope names the new key, and another key opens it"))
}

/// The new envelope, opened.
#[derive(Clone, Copy)]
struct Opened<'a> {
    unwrapped: &'a UnwrappedEnvelope,
    /// Whether the new key opened it; otherwise the data key did.
    with_new_key: bool,
}

/// Says what a new envelope means for an object whose content turns out to be damaged only afterwards: nobody should look for
/// the old key.
fn found_late(error: Error, strategy: Strategy) -> Error {
    let written = match strategy {
        Strategy::Rewrap | Strategy::RewrapInstructionFile => {
            "its envelope was rewritten before this was found, so its data key is under the new key now"
        }
        Strategy::Share => "the instruction file for another reader was written before this was found",
        _ => return error,
    };
    match error {
        Error::Tampered { subject, why, source } => {
            Error::Tampered { subject, why: format!("{why}; {written}"), source }
        }
        error => error,
    }
}

/// Whether another run has wrapped the same data key with the same new key since. A server that changes an envelope makes
/// none that the new key opens.
///
/// # Errors
/// `Network` and `Interrupted`: whether the envelope is lost is still open.
async fn is_rewrapped_by_another(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    written: &WriteResult,
) -> Result<bool> {
    let WriteResult { envelope: Some(sent), data_key: Some(data_key), .. } = written else {
        return Ok(false);
    };
    let Some(keys) = &rotation.target.decryption_keys else { return Ok(false) };
    let is_in_file = sent.new.instruction_file.is_some();
    if is_in_file || sent.compare(&state.uri, None, &head.metadata).is_ok() {
        return Ok(false);
    }
    match open(rotation, state, reader, head, OpensWith::NewKey(keys.client_side()), None).await {
        Ok(unwrapped) => Ok(unwrapped.has(data_key)),
        Err(error @ (Error::Network { .. } | Error::Interrupted(_))) => Err(error),
        Err(_) => Ok(false),
    }
}

/// The SSE-C key that the object needs now: the target's, or its own where it keeps that.
fn customer_key<'a>(rotation: &'a Rotation<'_>, state: &'a ObjectState) -> Option<&'a CustomerKey> {
    match (&rotation.target.desired, rotation.target.at_rest()) {
        (Desired::Server(_), _) => rotation.target.customer_key(),
        // A client-side object keeps its mode at rest; one that was not client-side gets the bucket's default.
        (Desired::Client { .. }, None) if state.current.client_side.is_some() => state.customer_key.as_ref(),
        (Desired::Client { .. }, _) => None,
    }
}

/// Compares a HEAD with what was written, asked for and there before. Returns whether it includes a checksum.
fn compare(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    strategy: Strategy,
    written: &WriteResult,
    head: &ObjectHead,
) -> Result<bool> {
    compare_written(state, written, head)?;
    compare_encryption(rotation, state, strategy, head)?;
    let lost = preserve::missing_after(&state.found(), head);
    if !lost.is_empty() {
        let why = format!("the server did not keep everything about it; lost: {}", lost.join(", "));
        return Err(Error::tampered(state.subject(), why));
    }
    compare_checksum(state, written, head)
}

/// Whether this is what was written: its ETag, envelope, length and metadata.
fn compare_written(state: &ObjectState, written: &WriteResult, head: &ObjectHead) -> Result<()> {
    let tampered = |why: String| Err(Error::tampered(state.subject(), why));
    // Metadata with a new wrapped key are as good as an ETag; some servers name another ETag in their answer.
    let is_ours = written.metadata.as_ref() == Some(&head.metadata);
    if !is_ours && written.etag.is_some() && head.etag != written.etag {
        return Err(Error::Changed { subject: state.subject(), source: None });
    }
    if let Some(sent) = &written.envelope {
        if sent.is_replaced(&head.metadata) {
            return Err(Error::Changed { subject: state.subject(), source: None });
        }
        sent.compare(&state.uri, head.version_id.as_deref(), &head.metadata)?;
    }
    if head.len != written.len {
        return tampered(format!("it has {} bytes instead of {}", head.len, written.len));
    }
    if let Some(metadata) = &written.metadata
        && *metadata != head.metadata
    {
        return tampered("its metadata is not what was sent".to_owned());
    }
    Ok(())
}

/// Whether S3 says that the object is encrypted as asked for, or as before where that was to be kept, and as rules demand.
fn compare_encryption(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    strategy: Strategy,
    head: &ObjectHead,
) -> Result<()> {
    let asked = rotation.target.at_rest();
    let touched = !matches!(strategy, Strategy::Nothing | Strategy::RewrapInstructionFile | Strategy::Share);
    let kept = rotation.keeps_at_rest(&state.current);
    // What S3 has stored without any encryption, as it did before 2023, gets the bucket's default.
    let before = &state.head.applied.mode;
    let strayed = kept && *before != AppliedMode::NotSaid && head.applied.mode != *before;
    let not_as_asked = |asked: String| Error::NotAsAsked {
        subject: state.subject(),
        aspect: Aspect::Encryption,
        asked,
        got: head.applied.to_string(),
        stored: true,
        version_id: head.version_id.clone(),
    };
    if strayed || touched && !head.applied.is_as_asked(asked) {
        return Err(not_as_asked(asked.map_or_else(|| state.head.applied.to_string(), describe)));
    }
    let mut encrypted = head.applied.encrypted(rotation.target.client().is_some());
    if kept {
        // S3's own key was the object's before.
        encrypted.kms_keys.clear();
    }
    if let Some(unmet) = rotation.rules.unmet(&state.uri, &encrypted).filter(|_| touched) {
        return Err(not_as_asked(unmet.to_string()));
    }
    Ok(())
}

/// Compares the checksum that was sent, or the one that the object had. False if there is nothing to compare.
fn compare_checksum(state: &ObjectState, written: &WriteResult, head: &ObjectHead) -> Result<bool> {
    let expected = match (&written.checksum, &state.head.checksum) {
        (Some(sent), _) => Some(sent),
        (None, Some(kept)) if !kept.composite => Some(&kept.value),
        _ => None,
    };
    match (expected, &head.checksum) {
        (Some(expected), Some(found)) if comparable(found, written, state) => {
            if found.value != *expected {
                let why = format!("its checksum is {} instead of {expected}", found.value);
                return Err(Error::tampered(state.subject(), why));
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Whether two checksums are of the same kind over the same bytes.
fn comparable(found: &Checksum, written: &WriteResult, state: &ObjectState) -> bool {
    let before = state.head.checksum.as_ref();
    written.checksum.is_some()
        || before.is_some_and(|kept| kept.algorithm == found.algorithm && kept.composite == found.composite)
}

/// Opens the new envelope.
async fn open(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    opens_with: OpensWith<'_>,
    file: Option<Bytes>,
) -> Result<UnwrappedEnvelope> {
    let require_bound_name = rotation.target.binds_name(&state.current);
    let keys = match &opens_with {
        OpensWith::NewKey(keys) => keys.clone(),
        OpensWith::DataKey(..) => DecryptionKeys::default(),
    };
    let decryption_keys = DecryptionKeys { require_bound_name, ..keys };
    let work = async {
        let envelope = match file {
            Some(file) => {
                Some(Envelope::S3ec(detect::with_instruction(reader.subject(), &head.metadata, &file)?))
            }
            None => open_envelope::envelope(reader, head, &decryption_keys).await?,
        };
        let envelope = envelope
            .ok_or_else(|| Error::tampered(reader.subject(), "its envelope is gone after the rotation"))?;
        match opens_with {
            OpensWith::NewKey(_) => {
                open_envelope::unwrap_data_key(rotation.connection, envelope, &decryption_keys).await
            }
            // This run must be able to read the V2 objects that it writes.
            OpensWith::DataKey(data_key, context) => {
                let legacy = rotation.decryption_keys.legacy.max(Legacy::V2);
                open_envelope::with_data_key(envelope, data_key, legacy, context)
            }
        }
    };
    rotation.cancellation.or(work).await?
}

/// Reads the instruction file, which must be as it was sent.
async fn sent_file(written: &WriteResult, reader: &ObjectReader<'_>) -> Result<Option<Bytes>> {
    let Some(sent) = &written.envelope else { return Ok(None) };
    let found = sent.read_file(reader).await?;
    sent.compare_file(reader.uri, found.as_deref())?;
    Ok(found)
}

/// Reads the whole object to verify its tags and checksum. False if no given key decrypts it.
async fn read_all(
    rotation: &Rotation<'_>,
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    unwrapped: Option<&UnwrappedEnvelope>,
) -> Result<bool> {
    let (verifier, _) = rotation.cancellation.or(verifier(reader, head, true)).await?;
    if unwrapped.is_none() && verifier.is_none() {
        return Ok(false);
    }
    let open = unwrapped.map(UnwrappedEnvelope::opener).transpose()?;
    let _place = rotation.cancellation.or(rotation.objects_in_memory.acquire()).await?;
    let pipeline = Pipeline { verifier, open, out: Out::Nowhere, repeat: Repeat::No };
    let unreadable = Meter::default();
    let etag = head.etag.as_deref();
    let budget = MemoryBudget::new(rotation.transfer_options, &rotation.connection.traffic);
    download::run(reader, 0..head.len, etag, pipeline, &budget, &unreadable, rotation.cancellation).await?;
    Ok(rotation.target.client().is_none() || unwrapped.is_some())
}

#[expect(clippy::too_many_arguments, reason = "each is a fact of the outcome")]
fn outcome(
    rotation: &Rotation<'_>,
    state: ObjectState,
    strategy: Strategy,
    written: &WriteResult,
    head: ObjectHead,
    opened: Option<Opened<'_>>,
    checksum_compared: bool,
    verified: bool,
) -> RotateOutcome {
    let format_before = state.format();
    let client = rotation.target.client();
    let format = match (opened, &client) {
        (Some(opened), _) => Some(opened.unwrapped.format()),
        (None, Some(_)) => written.format.map(StoredFormat::from).or(format_before),
        (None, None) if strategy == Strategy::Nothing => format_before,
        (None, None) => None,
    };
    let wrapped_with = client.and_then(|client| match client.wrappers.as_slice() {
        [wrapper] => Wrapper::fingerprint(wrapper),
        _ => None,
    });
    let customer_key = rotation.target.customer_key().map(CustomerKey::fingerprint);
    let fingerprint = wrapped_with.as_ref().or(customer_key).map(ToString::to_string);
    // An update in place leaves no old version; every other strategy makes a new version in a versioned bucket.
    let old_version = match strategy {
        Strategy::Nothing | Strategy::UpdateInPlace | Strategy::RewrapInstructionFile | Strategy::Share => {
            None
        }
        Strategy::ServerCopy | Strategy::Rewrap | Strategy::Reencrypt => {
            state.head.version_id.clone().filter(|old| head.version_id.as_ref() != Some(old))
        }
    };
    // A rewrap keeps the data key, so reading with the new key verifies the old one's bytes, too.
    let read = opened.filter(|_| verified).map(|opened| opened.unwrapped.is_authenticated());
    let source =
        written.source.clone().map(|source| DecryptedBy { intact: source.intact.or(read), ..source });
    RotateOutcome {
        uri: state.uri,
        changed_version: state.version_id,
        strategy,
        before: state.head.applied,
        format_before,
        source,
        customer_key_before: state.customer_key.as_ref().map(|key| key.fingerprint().to_string()),
        applied: head.applied,
        format,
        fingerprint,
        kms_keys: client.map(|client| client.kms_arns(rotation.connection)).unwrap_or_default(),
        stored_len: head.len,
        etag: head.etag,
        version_id: head.version_id,
        old_version,
        opened: opened.filter(|opened| opened.with_new_key).map(|_| true),
        found_by_comparison: written.found_by_comparison,
        checksum_compared,
        verified,
    }
}
