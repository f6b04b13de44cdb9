//! Removes what an interrupted rotation left behind: uploads, instruction files, scratch objects.
//!
//! The journal names the candidates. Only those within the places of the command line are removed, and only if S3's
//! answers confirm that they are leftovers.

use crate::aws::read_object::ObjectReader;
use crate::error::{Error, Result};
use crate::limits::MAX_CLOCK_SKEW;
use crate::location::S3Uri;
use crate::object::instruction_file_key;
use crate::seal::detect::{self, Detected};

use super::journal::{Journal, LeftInstructionFile, Upload};
use super::rotation::Rotation;
use super::scratch;

/// Removes the leftovers of an earlier run in these places.
pub(crate) async fn clear(rotation: &Rotation<'_>, journal: &Journal, places: &[S3Uri]) -> Result<()> {
    let leftovers = journal.leftovers();
    let is_in_place = |uri: &S3Uri| places.iter().any(|place| place.holds(uri));
    let skew = MAX_CLOCK_SKEW.as_secs().cast_signed();
    for Upload { uri, id, since, until } in leftovers.uploads.iter().filter(|one| is_in_place(&one.uri)) {
        let time = since.saturating_sub(skew)..=until.saturating_add(skew);
        match rotation.connection.give_up(uri, id.as_deref(), time).await {
            // Without permission to list uploads, a lifecycle rule must remove them.
            Ok(()) | Err(Error::Denied { .. } | Error::Unsupported { .. } | Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for left in leftovers.instruction_files.iter().filter(|one| is_in_place(&one.uri)) {
        clear_instruction_file(rotation, journal, left).await?;
    }
    for uri in leftovers.scratch.iter().filter(|uri| scratch::is_of(places, uri)) {
        scratch::remove(rotation.connection, uri).await?;
        journal.scratch(uri, false)?;
    }
    Ok(())
}

/// Removes an instruction file if its object is seen to need it no more. Another ETag does not show that: a copy of the
/// object onto itself changes it, too, and the metadata of some writers do not show that there is a file.
async fn clear_instruction_file(
    rotation: &Rotation<'_>,
    journal: &Journal,
    left: &LeftInstructionFile,
) -> Result<()> {
    let LeftInstructionFile { uri, etag, file_etag } = left;
    let key = rotation.target.customer_key();
    let reader = ObjectReader { connection: rotation.connection, uri, version_id: None, key };
    let head = match reader.head().await {
        Ok(head) => head,
        // Another key than the target's, or no object: the object was not replaced by the earlier run.
        Err(Error::KeyNeeded { .. } | Error::KeyWrong { .. } | Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let needs_it = match detect::detect(uri, &head.metadata) {
        Ok(Detected::S3ec(_) | Detected::Esdk(_)) => false,
        Ok(Detected::Plain) => !journal.has_other_length_now(uri, head.len),
        Ok(Detected::InstructionFileNeeded) | Err(_) => true,
    };
    if needs_it || head.etag == *etag {
        return Ok(());
    }
    let file = uri.with_key(instruction_file_key(&uri.key, rotation.decryption_keys.suffix.as_ref()));
    match rotation.connection.remove_if(&file, file_etag, None).await {
        // Somebody has written another one since.
        Err(Error::Changed { .. }) => Ok(()),
        removed => removed,
    }
}
