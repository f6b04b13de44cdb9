//! Scratch objects, on which a server is tested before any real object is changed.
//!
//! Their names are unique to s3seal, so that leftovers of a crash are recognised.

use futures_util::TryStreamExt;

use crate::aws::Connection;
use crate::aws::listing::ListedKey;
use crate::commands::encrypt::Encryptor;
use crate::error::{Error, NetworkFault, Result};
use crate::location::S3Uri;
use crate::transfer::Cancellation;
use crate::transfer::clean_up::clean_up_within;

use super::journal::Journal;
use super::rotation::Rotation;

/// What the name of a scratch object begins with; sixteen hex digits follow.
const PREFIX: &str = ".s3seal-scratch-";

/// Tests on a scratch object in the folder of `place` whether the server updates in place.
///
/// # Errors
/// Those of [`prove_update`](crate::aws::Connection::prove_update).
pub(crate) async fn prove_update(
    rotation: &Rotation<'_>,
    journal: Option<&Journal>,
    place: &S3Uri,
) -> Result<()> {
    let Some(key) = rotation.target.update_key() else { return Ok(()) };
    let scratch = name_next_to(place)?;
    noted(rotation, journal, &scratch, rotation.connection.prove_update(&scratch, key)).await
}

/// Tests, once in a run, on a scratch object in the folder of `object`, whether the server applies the target's mode.
///
/// # Errors
/// `NotAsAsked` if it does not; what S3 refuses.
pub(crate) async fn prove_mode(
    rotation: &Rotation<'_>,
    journal: Option<&Journal>,
    object: &S3Uri,
) -> Result<()> {
    let Encryptor::Server(Some(sse)) = &rotation.target.encryptor else { return Ok(()) };
    let admission = rotation.cancellation.or(rotation.mode_proof.admit()).await??;
    if admission.is_first() {
        let proof = async {
            let scratch = name_next_to(object)?;
            noted(rotation, journal, &scratch, rotation.connection.prove_mode(&scratch, sse)).await
        };
        let proved = proof.await;
        admission.end(&proved);
        proved?;
    }
    Ok(())
}

/// Runs a test, and keeps its scratch object in the journal while it may exist.
async fn noted(
    rotation: &Rotation<'_>,
    journal: Option<&Journal>,
    scratch: &S3Uri,
    proof: impl Future<Output = Result<()>>,
) -> Result<()> {
    if let Some(journal) = journal {
        journal.scratch(scratch, true)?;
    }
    let proved = rotation.cancellation.or(proof).await;
    let gone = match &proved {
        Ok(Ok(())) => Ok(()),
        // Whatever remains of the test; the error to report is the test's.
        Ok(Err(error)) | Err(error) => {
            let removal = remove(rotation.connection, scratch);
            in_time(removal, scratch, Some(error), rotation.cancellation).await
        }
    };
    if let (Some(journal), Ok(())) = (journal, gone) {
        journal.scratch(scratch, false)?;
    }
    proved?
}

/// Waits for the removal of a scratch object, after `error` if there was one, as long as [cleaning up](clean_up_within) may take.
///
/// # Errors
/// Those of `removal`; `Network` if it takes longer.
pub(crate) async fn in_time(
    removal: impl Future<Output = Result<()>>,
    uri: &S3Uri,
    error: Option<&Error>,
    cancellation: &Cancellation,
) -> Result<()> {
    let late = Error::Network { subject: uri.into(), why: NetworkFault::Timeout, source: None };
    clean_up_within(removal, error, cancellation).await.unwrap_or(Err(late))
}

/// Removes a scratch object, all versions of it; where they may not be listed, what has its name.
pub(crate) async fn remove(connection: &Connection, uri: &S3Uri) -> Result<()> {
    let markers = |_| {};
    let versions = match connection.list_versions(uri, &markers).try_collect::<Vec<_>>().await {
        Err(Error::Denied { .. } | Error::Unsupported { .. }) => return connection.remove(uri, None).await,
        listed => listed?,
    };
    for version in versions.iter().filter(|version| version.key == ListedKey::Text(uri.key.clone())) {
        match (connection.remove(uri, version.version_id.as_deref()).await, version.version_id.as_deref()) {
            // Without versions a user may have no permission to delete one. With versions suspended a marker would stay.
            (Err(Error::Denied { .. }), Some("null")) => connection.remove(uri, None).await?,
            (removed, _) => removed?,
        }
    }
    Ok(())
}

/// A new name in the folder of an object or of a prefix.
///
/// # Errors
/// `Local` if the operating system provides no random numbers.
pub(crate) fn name_next_to(place: &S3Uri) -> Result<S3Uri> {
    let random = getrandom::u64().map_err(Error::no_random_numbers)?;
    Ok(place.with_key(format!("{}{PREFIX}{random:016x}", place.folder())))
}

/// Whether a key is one that only scratch objects have.
pub(crate) fn is_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Whether an object is a scratch object that a rotation of these places may have made.
pub(super) fn is_of(places: &[S3Uri], uri: &S3Uri) -> bool {
    is_name(uri.name()) && places.iter().any(|place| place.with_key(place.folder()).holds(uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    #[test]
    fn a_scratch_object_is_known_by_its_name_and_its_place() {
        for place in ["s3://bkt", "s3://bkt/p/", "s3://bkt/p/o"].map(uri) {
            assert!(is_of(std::slice::from_ref(&place), &name_next_to(&place).unwrap()), "{place}");
        }
        let places = [uri("s3://bkt/p/"), uri("s3://bkt/q/o")];
        for foreign in [
            "s3://bkt/.s3seal-scratch-0123456789abcdef",
            "s3://other/p/.s3seal-scratch-0123456789abcdef",
            "s3://bkt/p/.s3seal-scratch-0123456789abcde",
            "s3://bkt/p/.s3seal-scratch-0123456789abcdefg",
            "s3://bkt/p/.s3seal-scratch-0123456789abcdeg",
            "s3://bkt/p/.s3seal-scratch-0123456789abcdef/o",
            "s3://bkt/p/precious",
        ] {
            assert!(!is_of(&places, &uri(foreign)), "{foreign}");
        }
        assert!(is_of(&places, &uri("s3://bkt/q/.s3seal-scratch-0123456789abcdef")));
    }
}
