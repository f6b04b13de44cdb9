//! Re-encryption: a download that decrypts, piped in memory into an upload that encrypts.
//!
//! Unverified bytes are uploaded as parts, but the upload is completed only after verification: only then does the pipe
//! report its end. A failure on either side ends both and aborts the upload.

use crate::aws::upload::UploadTarget;
use crate::commands::encrypt::{EnvelopeShape, ObjectEncryptor};
use crate::commands::get::verifier;
use crate::commands::unwrapped_envelope::UnwrappedEnvelope;
use crate::commands::verify_envelope::SentEnvelope;
use crate::defaults;
use crate::encryption::{Format, ServerSide, StoredFormat};
use crate::error::Result;
use crate::object::WriteCondition;
use crate::seal::gcm::MAX_PLAIN;
use crate::transfer::download::{self, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::pipe::{is_other_end_dropped, pipe};
use crate::transfer::plan;
use crate::transfer::repeat::Repeat;
use crate::transfer::source::{Input, Parts};
use crate::transfer::upload::{self, Uploaded};

use super::instruction_file::{self, InstructionFile};
use super::journal::ObjectJournal;
use super::object_state::{ObjectState, current_server_side};
use super::preserve::{CopyMethod, Preserved};
use super::rotation::Rotation;
use super::write_result::WriteResult;

/// Gets an object, decrypts it, encrypts it with a new data key and uploads it.
pub(crate) async fn run(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    journal: ObjectJournal<'_>,
) -> Result<WriteResult> {
    let mut preserved = rotation.cancellation.or(state.preserved(rotation, CopyMethod::Upload)).await??;
    let old = OldObject::read(rotation, state, journal).await?;
    if let Some(unwrapped) = &old.unwrapped {
        rotation.keeps_unstored_context(state, unwrapped)?;
    }
    let (shape, same_sse) = keeps(rotation, state)?;
    let (connection, encryptor) = (rotation.connection, &rotation.target.encryptor);
    let (uri, len) = (&state.uri, old.plain_len);
    let making = ObjectEncryptor::with_shape(connection, encryptor, uri, shape, len, &mut preserved.settings);
    let mut new = rotation.cancellation.or(making).await??;
    let envelope = note_envelopes(state, &old, &new, journal).await?;
    let (format, data_key) = (new.format, new.data_key.take());
    let uploaded = transfer(rotation, state, &old, new, same_sse.as_ref(), &preserved, journal).await?;
    Ok(WriteResult {
        refused: None,
        found_by_comparison: uploaded.completed.compared,
        obsolete: old.instruction_file,
        envelope,
        data_key,
        source: old.unwrapped.map(|unwrapped| unwrapped.decrypted_by(Some(unwrapped.is_authenticated()))),
        etag: uploaded.completed.etag,
        checksum: Some(uploaded.completed.checksum),
        format,
        len: uploaded.stored,
        metadata: None,
    })
}

/// The object before its bytes are read.
struct OldObject {
    /// Read before the envelope is opened, so that a file that somebody writes in between is not removed.
    instruction_file: Option<InstructionFile>,
    unwrapped: Option<UnwrappedEnvelope>,
    plain_len: Option<u64>,
}

impl OldObject {
    async fn read(rotation: &Rotation<'_>, state: &ObjectState, journal: ObjectJournal<'_>) -> Result<Self> {
        let Some(client_side) = state.current.client_side else {
            return Ok(Self { instruction_file: None, unwrapped: None, plain_len: Some(state.head.len) });
        };
        let instruction_file = if client_side.in_instruction_file {
            let file = instruction_file::read(rotation, &state.uri, state.customer_key.as_ref()).await?;
            journal.instruction_file(state.head.etag.as_deref(), &file.etag).await?;
            Some(file)
        } else {
            None
        };
        let unwrapped = rotation.with_old_keys(state).await?;
        let plain_len = unwrapped.plain_len(state.head.len);
        Ok(Self { instruction_file, unwrapped: Some(unwrapped), plain_len })
    }
}

/// Records both envelopes in the journal before the new one replaces the old. Returns the new one.
async fn note_envelopes(
    state: &ObjectState,
    old: &OldObject,
    new: &ObjectEncryptor<'_>,
    journal: ObjectJournal<'_>,
) -> Result<Option<SentEnvelope>> {
    let before = state.public_envelope(old.instruction_file.as_ref());
    let envelope = new.envelope(&state.uri);
    if envelope.is_some() || before.is_some() {
        let after = envelope.as_ref().map(|envelope| &envelope.new);
        journal.envelope(before.as_ref(), after, state.head.len).await?;
    }
    Ok(envelope.map(|envelope| SentEnvelope { old: before, ..envelope }))
}

/// Joins the download to the upload.
async fn transfer(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    old: &OldObject,
    mut new: ObjectEncryptor<'_>,
    same_sse: Option<&ServerSide>,
    preserved: &Preserved,
    journal: ObjectJournal<'_>,
) -> Result<Uploaded> {
    let Rotation { connection, transfer_options, cancellation, .. } = *rotation;
    let (head, etag) = (&state.head, state.head.etag.as_deref());
    let plan = plan::upload(old.plain_len.map(|len| new.stored_len(len)), transfer_options)?;
    let condition = WriteCondition::Matches(head.etag.clone().unwrap_or_default());
    let algorithm = preserved.algorithm.unwrap_or(defaults::CHECKSUM);
    let on_start = |id: &str| journal.upload(id);
    let seal = new.seal.take();
    let to = UploadTarget {
        connection,
        uri: &state.uri,
        sse: new.sse.or(same_sse),
        rules: None,
        client_side: new.format.is_some(),
        settings: &preserved.settings,
        condition: &condition,
        algorithm,
        instruction_file: new.instruction_file(connection, &state.uri),
        on_start: Some(&on_start),
        is_resumable: false,
        found: None,
    };
    let (writer, source) = pipe();
    let reader = state.reader(connection);
    let (verifier, _) = cancellation.or(verifier(&reader, head, true)).await?;
    let open = old.unwrapped.as_ref().map(UnwrappedEnvelope::opener).transpose()?;
    let pipeline = Pipeline { verifier, open, out: Out::Pipe(writer), repeat: Repeat::No };
    let parts = Parts::new(Input::pipe(state.subject(), source, old.plain_len), seal, plan, algorithm);
    // Only the upload counts bytes.
    let arriving = rotation.meter.only_moves();
    // Each side has a budget of its own: the download waits for the upload.
    let budget = || MemoryBudget::new(transfer_options, &connection.traffic);
    let (download_budget, upload_budget) = (budget(), budget());
    let (down, up) = tokio::join!(
        download::run(&reader, 0..head.len, etag, pipeline, &download_budget, &arriving, cancellation),
        upload::run(parts, &to, &upload_budget, rotation.meter, cancellation),
    );
    match (down, up) {
        (Ok(_), up) => up,
        // The side that failed first has the reason; the other one only sees that the pipe is closed.
        (Err(dropped), Err(error)) if is_other_end_dropped(&dropped) => Err(error),
        (Err(error), _) => Err(error),
    }
}

/// What a client-side object keeps where the target does not specify it: format, place of the envelope, and server-side
/// encryption.
fn keeps(rotation: &Rotation<'_>, state: &ObjectState) -> Result<(EnvelopeShape, Option<ServerSide>)> {
    let Some(client) = rotation.target.client() else { return Ok((EnvelopeShape::default(), None)) };
    let name_bound = rotation.target.binds_name(&state.current);
    let Some(client_side) = state.current.client_side else {
        return Ok((
            EnvelopeShape { format: client.format, in_instruction_file: client.instruction_file, name_bound },
            None,
        ));
    };
    let kept = match client.at_rest {
        Some(_) => None,
        None => current_server_side(&state.head.applied, state.customer_key.as_ref(), &state.subject())?,
    };
    let format = client.format.or(match client_side.format {
        StoredFormat::Writable(format) if client_side.rewrappable || format == Format::Esdk => Some(format),
        // Formats without authentication are not written any more; the plaintext is shorter than the stored bytes.
        _ => (state.head.len <= MAX_PLAIN).then_some(Format::S3ec),
    });
    // The object and its instruction file cannot be replaced at the same moment: the envelope moves into the metadata,
    // and the file is removed afterwards.
    let in_instruction_file = client.instruction_file && !client_side.in_instruction_file;
    Ok((EnvelopeShape { format, in_instruction_file, name_bound }, kept))
}
