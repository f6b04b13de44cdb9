//! `ListObjectVersions`.
//!
//! What does not belong here: how a listing is walked (see `list`).

use s3s::dto::{DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput, ObjectVersion};
use s3s::{S3Request, S3Response, S3Result};

use super::bucket;
use super::list::{Ask, Entry, listed};
use crate::s3::object::{Bucket, Object, Version};
use crate::s3::state::S3State;

/// `ListObjectVersions`
pub async fn versions(
    state: &S3State,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let inner = state.lock();
    let bucket = inner.bucket(&input.bucket)?;
    let ask = Ask::new(
        input.prefix.as_ref(),
        input.delimiter.as_ref(),
        input.key_marker.as_ref(),
        input.max_keys,
        input.encoding_type.as_ref(),
    )?;
    let page = ask.page(behind(bucket, ask.after, input.version_id_marker.as_deref()));
    let truncated = page.truncated;
    let last_key = page.last.as_ref().map(|last| ask.shown(last));
    let last_version = match page.entries.last() {
        Some(Entry::Key((_, _, version))) => Some(version.id.clone()),
        _ => None,
    };
    let (keys, prefixes) = page.split(&ask);
    let (mut found, mut markers) = (Vec::new(), Vec::new());
    for (key, latest, version) in keys {
        match &version.object {
            Some(object) => found.push(shown(&ask, &key, latest, version, object)),
            None => markers.push(DeleteMarkerEntry {
                key: Some(ask.shown(&key)),
                is_latest: Some(latest),
                last_modified: Some(version.modified.into()),
                version_id: Some(version.id.clone()),
                owner: Some(bucket::owner()),
            }),
        }
    }
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket.clone()),
        prefix: Some(ask.shown(ask.prefix)),
        delimiter: ask.shown_opt(input.delimiter.as_ref()),
        key_marker: Some(ask.shown(ask.after)),
        version_id_marker: input.version_id_marker.clone(),
        max_keys: i32::try_from(ask.most).ok(),
        is_truncated: Some(truncated),
        next_key_marker: last_key.filter(|_| truncated),
        next_version_id_marker: last_version.filter(|_| truncated),
        versions: Some(found),
        delete_markers: Some(markers),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type.clone(),
        ..ListObjectVersionsOutput::default()
    }))
}

/// A version as the listing shows it.
fn shown(ask: &Ask<'_>, key: &str, latest: bool, version: &Version, object: &Object) -> ObjectVersion {
    let entry = listed(ask, key, version, object);
    let class = object.marks.storage_class.as_deref().unwrap_or("STANDARD");
    ObjectVersion {
        key: entry.key,
        e_tag: entry.e_tag,
        last_modified: entry.last_modified,
        size: entry.size,
        storage_class: Some(class.to_owned().into()),
        is_latest: Some(latest),
        version_id: Some(version.id.clone()),
        owner: Some(bucket::owner()),
        checksum_algorithm: entry.checksum_algorithm,
        checksum_type: entry.checksum_type,
        ..ObjectVersion::default()
    }
}

/// A key, whether the version is its latest, and the version.
type VersionEntry<'a> = (String, bool, &'a Version);

/// The versions behind a key, or behind one version of it: keys in order, the latest version first.
fn behind<'a>(
    bucket: &'a Bucket,
    after: &'a str,
    version: Option<&'a str>,
) -> impl Iterator<Item = (String, VersionEntry<'a>)> {
    let keys = bucket
        .objects
        .iter()
        .filter(move |(key, _)| key.as_str() > after || (version.is_some() && key.as_str() == after));
    keys.flat_map(move |(key, versions)| {
        let newest_first = versions.iter().rev().enumerate();
        let passed = match version.filter(|_| key == after) {
            Some(id) => versions.iter().rev().position(|each| each.id == id).map_or(0, |at| at + 1),
            None => 0,
        };
        newest_first.skip(passed).map(|(at, version)| (key.clone(), (key.clone(), at == 0, version)))
    })
}
