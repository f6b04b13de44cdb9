//! Objects that serve nothing any more: instruction files whose object does not exist, and scratch objects.

use std::future::ready;

use futures_util::{StreamExt, TryStreamExt};

use super::{CleanupRequest, Kept, Leftover, Removed, What};
use crate::aws::Connection;
use crate::aws::listing::{Listed, ListedKey};
use crate::aws::read_object::{HeadOptions, ObjectReader};
use crate::aws::timestamp::seconds_of;
use crate::commands::bulk::{concerns_all, for_each_ordered};
use crate::commands::rotate::scratch;
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::instruction_file_key;
use crate::seal::detect::is_instruction_file;
use crate::transfer::Cancellation;

/// An object that may be a leftover, by its name.
enum Candidate {
    InstructionFile { file: S3Uri, object: S3Uri, listed: Listed },
    Scratch { uri: S3Uri, listed: Listed },
}

/// Finds them below the place.
pub(super) async fn find(
    connection: &Connection,
    request: &CleanupRequest,
    cancellation: &Cancellation,
    found: &mut impl AsyncFnMut(Leftover) -> Result<()>,
) -> Result<()> {
    let place = &request.place;
    let listed_from = if place.is_object() && !scratch::is_name(place.name()) {
        place.with_key(instruction_file_key(&place.key, None))
    } else {
        place.clone()
    };
    // An object usually stands just before its instruction file.
    let mut before = None::<String>;
    let listed = connection.list(&listed_from).take(request.first.unwrap_or(usize::MAX));
    let candidates = listed.try_filter_map(|listed| {
        request.meter.end_object();
        let key = listed.key.as_str().to_owned();
        let candidate = candidate(place, listed, before.as_deref());
        before = Some(key);
        ready(Ok(candidate))
    });
    let work = |candidate| look_at(connection, request, candidate);
    for_each_ordered(candidates, request.jobs, cancellation, work, async |leftover| match leftover? {
        Some(leftover) => found(leftover).await,
        None => Ok(()),
    })
    .await
}

fn candidate(place: &S3Uri, listed: Listed, before: Option<&str>) -> Option<Candidate> {
    // No request can name any other.
    let ListedKey::Text(key) = &listed.key else { return None };
    let uri = place.with_key(key.as_str());
    if scratch::is_name(uri.name()) {
        return place.holds(&uri).then_some(Candidate::Scratch { uri, listed });
    }
    let object_key = key.strip_suffix(&instruction_file_key("", None))?;
    let object = place.with_key(object_key);
    let is_candidate = !object.name().is_empty()
        && place.holds(&object)
        && listed.len <= MAX_INSTRUCTION_FILE_BYTES
        && before != Some(object_key);
    is_candidate.then_some(Candidate::InstructionFile { file: uri, object, listed })
}

/// `None` for what is no leftover.
async fn look_at(
    connection: &Connection,
    request: &CleanupRequest,
    candidate: Candidate,
) -> Result<Option<Leftover>> {
    let young = |listed: &Listed| {
        let created = listed.last_modified.as_deref().and_then(seconds_of);
        let kept = (!request.is_old(created, connection.server_now())).then_some(Kept::Young);
        (created, kept)
    };
    match candidate {
        Candidate::Scratch { uri, listed } => {
            let (created, kept) = young(&listed);
            let what = What::Scratch { uri, etag: listed.etag };
            Ok(Some(Leftover { what, created, bytes: Some(listed.len), kept }))
        }
        Candidate::InstructionFile { file, object, listed } => {
            let unseen = match is_missing(connection, &object).await {
                Ok(true) => None,
                Ok(false) => return Ok(None),
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => Some(Kept::NotKnown(Box::new(error))),
            };
            let reader = ObjectReader { connection, uri: &file, version_id: None, key: None };
            let (mut kept, mut etag, mut is_kept_by_versions) = (None, listed.etag.clone(), false);
            match reader.whole_with_head(MAX_INSTRUCTION_FILE_BYTES).await {
                Ok(Some(head)) if is_instruction_file(head.body.as_deref().unwrap_or_default()) => {
                    etag = head.etag;
                    is_kept_by_versions = is_version(head.version_id.as_deref());
                }
                // Something else of that name.
                Ok(_) | Err(Error::TooLarge { .. }) => return Ok(None),
                Err(
                    error @ (Error::Denied { .. }
                    | Error::KeyNeeded { .. }
                    | Error::KeyWrong { .. }
                    | Error::Unsupported { .. }),
                ) => kept = Some(Kept::NotKnown(Box::new(error))),
                Err(error) => return Err(error),
            }
            let (created, is_young) = young(&listed);
            Ok(Some(Leftover {
                what: What::InstructionFile { uri: file, object, etag },
                created,
                // In a bucket with versions it is only hidden.
                bytes: Some(if is_kept_by_versions { 0 } else { listed.len }),
                kept: kept.or(unseen).or(is_young),
            }))
        }
    }
}

/// Whether there is no object. Only S3's answer about the object itself says so: a listing may leave it out.
async fn is_missing(connection: &Connection, uri: &S3Uri) -> Result<bool> {
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    match reader.head_with(HeadOptions { checksum: false, explain: true }).await {
        Ok(_) | Err(Error::KeyNeeded { .. }) => Ok(false),
        Err(Error::NotFound { subject, .. }) if subject == Subject::from(uri) => Ok(true),
        Err(error) => Err(error),
    }
}

fn is_version(id: Option<&str>) -> bool {
    id.is_some_and(|id| id != "null")
}

/// Removes an instruction file as it was found, if its object is still missing.
pub(super) async fn remove_instruction_file(
    connection: &Connection,
    file: &S3Uri,
    object: &S3Uri,
    etag: Option<&str>,
) -> Result<Removed> {
    let Some(etag) = etag else { return Ok(Removed::Changed) };
    if !is_missing(connection, object).await? {
        return Ok(Removed::Changed);
    }
    removed(connection.remove_if(file, etag, None).await)
}

/// Removes a scratch object as it was found: of a bucket with versions that version, for good.
pub(super) async fn remove_scratch(
    connection: &Connection,
    uri: &S3Uri,
    etag: Option<&str>,
) -> Result<Removed> {
    let Some(etag) = etag else { return Ok(Removed::Changed) };
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    let head = match reader.head_with(HeadOptions { checksum: false, explain: false }).await {
        Ok(head) if head.etag.as_deref() != Some(etag) => return Ok(Removed::Changed),
        Ok(head) => Some(head),
        Err(Error::NotFound { .. }) => return Ok(Removed::WasGone),
        // In SSE-C: the ETag alone must do.
        Err(_) => None,
    };
    match head.and_then(|head| head.version_id).filter(|id| is_version(Some(id))) {
        Some(version) => removed(connection.remove(uri, Some(&version)).await),
        None => removed(connection.remove_if(uri, etag, None).await),
    }
}

fn removed(answer: Result<()>) -> Result<Removed> {
    match answer {
        Ok(()) => Ok(Removed::Gone),
        Err(Error::NotFound { .. }) => Ok(Removed::WasGone),
        Err(Error::Changed { .. }) => Ok(Removed::Changed),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    /// The address of the object whose instruction file this may be, or of the scratch object.
    fn found(place: &str, key: &str, before: Option<&str>) -> Option<String> {
        let listed = Listed { key: ListedKey::Text(key.to_owned()), ..Listed::default() };
        candidate(&uri(place), listed, before).map(|found| match found {
            Candidate::InstructionFile { object, .. } => object.to_string(),
            Candidate::Scratch { uri, .. } => uri.to_string(),
        })
    }

    #[test]
    fn leftovers_are_known_by_name_and_place() {
        let file = found("s3://bkt/p/", "p/a.instruction", None);
        assert_eq!(file.as_deref(), Some("s3://bkt/p/a"));
        assert_eq!(found("s3://bkt/p/a", "p/a.instruction", None), file);
        assert!(found("s3://bkt", "p/.s3seal-scratch-0123456789abcdef", None).is_some());
        for (place, key, before) in [
            ("s3://bkt/p/", "p/a.instruction", Some("p/a")),
            ("s3://bkt/p/", "p/.instruction", None),
            ("s3://bkt/p/a", "p/a.b.instruction", None),
            ("s3://bkt/p/", "p/a", None),
            ("s3://bkt/p/", "p/.s3seal-scratch-0123456789abcde", None),
            ("s3://bkt/p/o", "p/.s3seal-scratch-0123456789abcdef", None),
        ] {
            assert_eq!(found(place, key, before), None, "{place} {key}");
        }
    }
}
