//! `DeleteObject` and `DeleteObjects`.
//!
//! What does not belong here: buckets, uploads.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag,
    Error,
};
use s3s::{S3Request, S3Response, S3Result};

use super::object_lock;
use crate::s3::condition::Conditions;
use crate::s3::error;
use crate::s3::object::Versioning;
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::Place;

/// The most objects of one request.
const MOST: usize = 1000;

/// `DeleteObject`
pub async fn object(
    state: &S3State,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    let conditions = Conditions::of(&request.headers);
    let place = Place { bucket: &input.bucket, key: &input.key };
    let bypass = object_lock::bypasses(&request.headers);
    let gone = remove(state, place, input.version_id.as_deref(), &conditions, bypass)?;
    Ok(S3Response::new(DeleteObjectOutput {
        delete_marker: gone.marker.then_some(true),
        version_id: gone.version,
        ..DeleteObjectOutput::default()
    }))
}

/// `DeleteObjects`
pub async fn objects(
    state: &S3State,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let bypass = object_lock::bypasses(&request.headers);
    let input = request.input;
    let named = input.delete.objects;
    if named.is_empty() || named.len() > MOST {
        return Err(error::malformed_xml());
    }
    state.lock().bucket(&input.bucket)?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for each in named {
        let place = Place { bucket: &input.bucket, key: &each.key };
        let conditions = Conditions::matching(each.e_tag.as_ref().map(ETag::value));
        match remove(state, place, each.version_id.as_deref(), &conditions, bypass) {
            Ok(gone) => deleted.push(DeletedObject {
                delete_marker: gone.marker.then_some(true),
                delete_marker_version_id: gone.version.filter(|_| gone.marker),
                key: Some(each.key),
                version_id: each.version_id,
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(each.key),
                version_id: each.version_id,
            }),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: Some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

/// What a delete did.
pub struct Gone {
    /// Whether a delete marker was made or removed.
    pub marker: bool,
    /// The version's id, of the marker or of what is gone.
    pub version: Option<String>,
}

/// Removes a version, or adds a delete marker where none is named.
///
/// # Errors
/// If the conditions do not hold, or a lock does.
pub fn remove(
    state: &S3State,
    place: Place<'_>,
    id: Option<&str>,
    conditions: &Conditions,
    bypass: bool,
) -> S3Result<Gone> {
    let now = state.now();
    let mut inner = state.lock();
    let lies = inner.lies.contains(&Lie::IgnoreConditions);
    let bucket = inner.bucket_mut(place.bucket)?;
    if !lies {
        let current = bucket.current(place.key).map(|(_, object)| &*object.etag);
        conditions.check_write(current)?;
    }
    let Some(id) = id else {
        if bucket.versioning == Versioning::Never {
            bucket.objects.remove(place.key);
            let (marker, version) = (false, None);
            return Ok(Gone { marker, version });
        }
        let version = bucket.add(place.key, None, now);
        return Ok(Gone { marker: true, version });
    };
    let mut marker = false;
    if let Some(versions) = bucket.objects.get_mut(place.key) {
        if let Some(at) = versions.iter().position(|version| version.id == id) {
            let object = versions[at].object.as_ref();
            if let Some(object) = object {
                object_lock::check_delete(&object.marks.hold, now, bypass)?;
            }
            marker = object.is_none();
            versions.remove(at);
        }
        if versions.is_empty() {
            bucket.objects.remove(place.key);
        }
    }
    Ok(Gone { marker, version: Some(id.to_owned()) })
}
