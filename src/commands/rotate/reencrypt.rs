//! Reseal: `get`'s opening joined to `put`'s sealing through memory, with a new data key and nothing on any disk.
//!
//! Bytes that are not proven yet go up as parts of an upload that is completed only after the proof: the pipe between the
//! two says its end no earlier. A failure on either side ends both, and the upload is aborted.

use crate::aws::instruction_file::PendingInstructionFile;
use crate::aws::multipart::Destination;
use crate::commands::client_object::Unlocked;
use crate::commands::decrypt;
use crate::commands::encrypt::{Begun, EnvelopeShape, begin_as};
use crate::commands::get::verifier;
use crate::encryption::{Format, ServerSide, StoredFormat};
use crate::error::{Error, Result};
use crate::object::{WriteCondition, instruction_file_key};
use crate::seal::gcm::MAX_PLAIN;
use crate::transfer::download::{self, Digests, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::pipe::pipe;
use crate::transfer::source::{Input, Parts};
use crate::transfer::{plan, upload};
use crate::tuning::Meter;

use super::execution::Execution;
use super::instruction_file;
use super::journal::ObjectJournal;
use super::object_state::{ObjectState, kept};
use super::preserve::CopyMethod;
use super::written::Written;

/// Brings an object down, opens it, seals it and brings it up.
///
/// # Errors
/// Whatever either side says; then the object is as it was.
pub(crate) async fn run(
    running: &Execution<'_>,
    state: &ObjectState,
    journal: ObjectJournal<'_>,
) -> Result<Written> {
    let connection = running.connection;
    let carried = state.carried(running, CopyMethod::Upload).await?;
    let mut settings = carried.settings;
    let head = &state.head;
    let reader = state.reader(connection);
    // Read before its envelope is opened: one that somebody writes between the two is not removed.
    let obsolete = if state.present.sealed.is_some_and(|sealed| sealed.beside) {
        let file = instruction_file::read(running, &state.uri, state.customer_key.as_ref()).await?;
        journal.beside(head.etag.as_deref(), &file.etag)?;
        Some(file)
    } else {
        None
    };
    let unlocked = if state.present.sealed.is_some() {
        let work = async {
            let envelope = state.envelope(connection, running.decryption_keys).await?;
            decrypt::unlock(connection, envelope, running.decryption_keys).await
        };
        Some(running.stop.or(work).await??)
    } else {
        None
    };
    let plain_len = match &unlocked {
        None => Some(head.len),
        Some(unlocked) => unlocked.plain_len(head.len),
    };
    let (shape, kept) = keeps(running, state)?;
    let work = begin_as(connection, &running.target.prepared, &state.uri, shape, plain_len, &mut settings);
    let begun = running.stop.or(work).await??;
    let mut envelope = begun.envelope(&state.uri);
    let old = state.public_envelope(obsolete.as_ref());
    if envelope.is_some() || old.is_some() {
        journal.envelope(old.as_ref(), envelope.as_ref().map(|envelope| &envelope.new))?;
    }
    if let Some(envelope) = &mut envelope {
        envelope.old = old;
    }
    let Begun { seal, sse, format, instruction: beside, .. } = begun;
    let sealed_len = plain_len.map(|len| seal.as_ref().map_or(len, |seal| seal.sealed_len(len)));
    let plan = plan::upload(sealed_len, running.tuning)?;
    let condition = WriteCondition::Matches(head.etag.clone().unwrap_or_default());
    let algorithm = carried.algorithm.unwrap_or_default();
    let on_start = |id: &str| journal.upload(id);
    let to = Destination {
        connection,
        uri: &state.uri,
        sse: sse.or(kept.as_ref()),
        settings: &settings,
        condition: &condition,
        algorithm,
        companion: beside.as_deref().map(|content| {
            let uri = state.uri.with_key(instruction_file_key(&state.uri.key, None));
            PendingInstructionFile::new(connection, uri, &state.uri, content)
        }),
        on_start: Some(&on_start),
    };
    let (writer, source) = pipe();
    let (verifier, _) = verifier(&reader, head, true).await;
    let open = unlocked.as_ref().map(Unlocked::opener).transpose()?;
    let pipeline = Pipeline { verifier, open, out: Out::Pipe(writer), digests: Digests::Off };
    let parts = Parts::new(Input::pipe(state.subject(), source, plain_len), seal, plan, algorithm);
    let unseen = Meter::default();
    let etag = head.etag.as_deref();
    // Each side has room of its own: what comes down waits for what goes up.
    let (below, above) = (MemoryBudget::new(running.tuning), MemoryBudget::new(running.tuning));
    let (down, up) = tokio::join!(
        download::run(&reader, 0..head.len, etag, pipeline, &below, &unseen, running.stop),
        upload::run(parts, &to, &above, running.meter, running.stop),
    );
    let uploaded = match (down, up) {
        (Ok(_), up) => up?,
        // The one that failed first says why; the other only says that it was left alone.
        (Err(Error::ReaderLeft), Err(error)) | (Err(error), _) => return Err(error),
    };
    Ok(Written {
        refused: None,
        found_by_comparison: uploaded.completed.compared,
        obsolete,
        envelope,
        source: unlocked.map(|unlocked| unlocked.opened(Some(unlocked.is_authenticated()))),
        etag: uploaded.completed.etag,
        checksum: Some(uploaded.completed.checksum),
        format,
        len: uploaded.stored,
        metadata: None,
    })
}

/// What a client-side object keeps of its own where the target says nothing: format, place of the envelope, and what S3
/// does to the sealed bytes.
fn keeps(running: &Execution<'_>, state: &ObjectState) -> Result<(EnvelopeShape, Option<ServerSide>)> {
    let Some(client) = running.target.client() else { return Ok((EnvelopeShape::default(), None)) };
    let bound = running.target.binds_name(&state.present);
    let Some(sealed) = state.present.sealed else {
        return Ok((EnvelopeShape { format: client.format, beside: client.instruction_file, bound }, None));
    };
    let kept = match client.at_rest {
        Some(_) => None,
        None => kept(&state.head.applied, state.customer_key.as_ref(), &state.subject())?,
    };
    let format = client.format.or(match sealed.format {
        StoredFormat::Writable(format) if sealed.rewrappable || format == Format::Esdk => Some(format),
        // What nothing authenticates is not written any more; its plain bytes are fewer than its stored ones.
        _ => (state.head.len <= MAX_PLAIN).then_some(Format::S3ec),
    });
    // A file that the object needs cannot be replaced in the moment in which the object is: the envelope moves into the
    // metadata, and the file goes afterwards.
    let beside = client.instruction_file && !sealed.beside;
    Ok((EnvelopeShape { format, beside, bound }, kept))
}
