//! `rotate`: HEAD an object, choose a strategy, apply it, verify the result.
//!
//! One object is here; [`bulk`] does it for a prefix, and `request` is the whole run. What might be lost is
//! refused before anything is written, and an object can be opened, with the old key or the new one, at every moment.

use crate::aws::sse::Applied;
use crate::commands::rotate::object_state::{ObjectState, load};
use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::encryption::{KeyArn, StoredFormat};
use crate::error::{Error, Result, RotationRefusal};
use crate::location::S3Uri;

pub(crate) mod apply;
pub(crate) mod batch;
pub(crate) mod bulk;
pub(crate) mod cleanup;
pub(crate) mod desired_encryption;
pub(crate) mod filters;
pub(crate) mod identity;
pub(crate) mod instruction_file;
pub(crate) mod journal;
mod lock;
pub(crate) mod object_state;
pub(crate) mod preserve;
mod reencrypt;
mod request;
mod rewrap;
pub(crate) mod rotation;
pub(crate) mod scratch;
pub(crate) mod selector;
mod server_copy;
pub(crate) mod strategy;
mod verify;
mod write_result;

pub(crate) use request::{Report, RotateRequest, Stage, Stopped, Summary, dry_run, run, single};

use journal::ObjectJournal;
use rotation::Rotation;
use strategy::{Cost, Server, Strategy, cost, strategy};
use write_result::WriteResult;

/// What will be done to one object.
pub(crate) struct Plan {
    /// The object before.
    pub(crate) state: ObjectState,
    /// How it will be done, or why it is refused.
    pub(crate) strategy: Result<Strategy, RotationRefusal>,
    /// What that takes.
    pub(crate) cost: Cost,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub(crate) struct RotateOutcome {
    pub(crate) uri: S3Uri,
    /// The version that was changed where it stands.
    pub(crate) changed_version: Option<String>,
    /// How it was done.
    pub(crate) strategy: Strategy,
    /// What S3 did to its bytes before.
    pub(crate) before: Applied,
    /// The client-side format before.
    pub(crate) format_before: Option<StoredFormat>,
    /// Which old key decrypted it, if the strategy takes that.
    pub(crate) source: Option<DecryptedBy>,
    /// What S3 does now.
    pub(crate) applied: Applied,
    /// The client-side format now.
    pub(crate) format: Option<StoredFormat>,
    /// The fingerprint of the SSE-C key before.
    pub(crate) customer_key_before: Option<String>,
    /// The fingerprint of the SSE-C key now, or of the wrapping key if it is a local one.
    pub(crate) fingerprint: Option<String>,
    /// The keys in AWS KMS that wrap the data key now, of a client-side object.
    pub(crate) kms_keys: Vec<KeyArn>,
    /// Stored bytes now.
    pub(crate) stored_len: u64,
    /// The ETag now, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version now.
    pub(crate) version_id: Option<String>,
    /// The version that stays behind under the old key.
    pub(crate) old_version: Option<String>,
    /// Whether the new envelope was opened with the new key; `None` where there is none, or no key to open it with.
    pub(crate) opened: Option<bool>,
    /// Whether the answer to the write got lost, and only a comparison shows that the object is ours.
    pub(crate) found_by_comparison: bool,
    /// Whether the checksum was compared with that of before, or with what was sent.
    pub(crate) checksum_compared: bool,
    /// Whether everything was read once more.
    pub(crate) verified: bool,
}

/// What an object's rotation is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// Whether a server other than AWS has proved that it updates in place.
    pub(crate) update_in_place: bool,
    /// Whether everything is read once more at the end.
    pub(crate) verify: bool,
}

/// Loads the state of an object and chooses the strategy; nothing is written.
///
/// # Errors
/// What S3 refuses; `KeyNeeded` and `KeyWrong` where no key fits; `BreaksRule`.
pub(crate) async fn plan(
    rotation: &Rotation<'_>,
    uri: &S3Uri,
    version_id: Option<&str>,
    allowed: Allowed,
) -> Result<Plan> {
    let state = rotation.cancellation.or(load(rotation, uri, version_id)).await??;
    let server = Server { updates_in_place: allowed.update_in_place || rotation.connection.is_aws() };
    let desired = &rotation.target.desired;
    let strategy = strategy(&state.current, desired, server);
    if let Ok(strategy) = strategy {
        rotation.permit(uri, &state.current, strategy)?;
    }
    // What is refused costs the HEAD that was sent already.
    let costs = strategy.as_ref().copied().unwrap_or(Strategy::Nothing);
    let cost = cost(&state.current, desired, costs, rotation.transfer_options.part_size);
    Ok(Plan { state, strategy, cost })
}

/// Writes what was planned.
///
/// # Errors
/// `Changed` if somebody else wrote the object in the meantime, whose content stays.
pub(crate) async fn write(
    rotation: &Rotation<'_>,
    state: &ObjectState,
    strategy: Strategy,
    journal: ObjectJournal<'_>,
) -> Result<WriteResult> {
    if let Some(version) = &state.version_id
        && state.head.etag.is_none()
    {
        return Err(Error::unsupported(
            state.subject(),
            format!(
                "the server returned no ETag for version {version}, so another write could be overwritten"
            ),
        ));
    }
    let mut written = rotation.run(state, strategy, journal).await?;
    match written.refused.take() {
        Some(refusal) => arrived(rotation, state, refusal, written).await,
        None => Ok(written),
    }
}

/// Verifies the object after the write, and removes the instruction file that only the old one needed.
///
/// # Errors
/// `Tampered` and `NotAsAsked` if what is there is not what was meant; `Changed` if somebody else has written it since.
pub(crate) async fn check(
    rotation: &Rotation<'_>,
    before: ObjectState,
    strategy: Strategy,
    mut written: WriteResult,
    allowed: Allowed,
) -> Result<RotateOutcome> {
    let obsolete = written.obsolete.take();
    let outcome = verify::check(rotation, before, strategy, written, allowed.verify).await?;
    if let Some(file) = obsolete {
        instruction_file::remove(rotation, &file).await?;
    }
    Ok(outcome)
}

/// Finds out whether a copy was made all the same. When an answer gets lost, the request is sent again, and the second
/// one is refused because the first has done its work.
async fn arrived(
    rotation: &Rotation<'_>,
    before: &ObjectState,
    refusal: Error,
    written: WriteResult,
) -> Result<WriteResult> {
    let now = rotation.cancellation.or(load(rotation, &before.uri, None)).await?;
    let now = match now {
        Ok(now) => now,
        // Whether it was made is still open.
        Err(error @ Error::Network { .. }) => return Err(error),
        Err(_) => return Err(refusal),
    };
    let server = Server { updates_in_place: false };
    let is_there = strategy::strategy(&now.current, &rotation.target.desired, server)
        == Ok(Strategy::Nothing)
        && now.head.len == before.head.len
        && now.head.checksum.is_some()
        && now.head.checksum == before.head.checksum;
    if !is_there {
        return Err(refusal);
    }
    Ok(WriteResult { found_by_comparison: true, etag: now.head.etag, ..written })
}
