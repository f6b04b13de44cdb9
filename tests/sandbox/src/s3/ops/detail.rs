//! What is known of an object beside its bytes: attributes, tags, ACL, restoring.
//!
//! What does not belong here: encryption (see `encryption`), Object Lock (see `object_lock`).

use s3s::dto::{
    Checksum, DeleteObjectTaggingInput, DeleteObjectTaggingOutput, ETag, GetObjectAclInput,
    GetObjectAclOutput, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    GetObjectTaggingInput, GetObjectTaggingOutput, Grant, Grantee, ObjectPart, PutObjectAclInput,
    PutObjectAclOutput, PutObjectTaggingInput, PutObjectTaggingOutput, RestoreObjectInput,
    RestoreObjectOutput, Tag, Type,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::answer::{self, fill_sum};
use super::bucket::owner;
use super::get::{self, Found};
use crate::s3::object::Object;
use crate::s3::state::S3State;
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{marks, sse};

/// Changes one version of an object; returns the id of the version, if the bucket shows ids.
///
/// # Errors
/// If there is no such version.
pub fn change(
    state: &S3State,
    bucket: &str,
    key: &str,
    id: Option<&str>,
    how: impl FnOnce(&mut Object),
) -> S3Result<Option<String>> {
    let found = find(state, bucket, key, id)?;
    let mut object = Object::clone(&found.object);
    how(&mut object);
    let mut inner = state.lock();
    inner.bucket_mut(bucket)?.replace(key, &found.id, object);
    Ok(found.version)
}

fn find(state: &S3State, bucket: &str, key: &str, id: Option<&str>) -> S3Result<Found> {
    get::find(state, Place { bucket, key }, id)
}

/// `GetObjectAttributes`
pub async fn attributes(
    state: &S3State,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let customer = sse::customer_key(&headers, caller.scheme)?;
    let found = find(state, &input.bucket, &input.key, input.version_id.as_deref())?;
    let object = &found.object;
    unlock::check_customer(state, &object.lock, &object.sse, customer.as_ref())?;
    let wants = |name| {
        let mut listed = input.object_attributes.iter();
        listed.any(|each| each.as_str().split(',').any(|each| each.trim() == name))
    };
    let class = object.marks.storage_class.as_deref().unwrap_or("STANDARD");
    let mut checksum =
        Checksum { checksum_type: Some(object.sum_type.name().to_owned().into()), ..Checksum::default() };
    fill_sum!(checksum, &object.sum);
    let output = GetObjectAttributesOutput {
        e_tag: wants("ETag").then(|| ETag::Strong(object.etag.clone())),
        checksum: (wants("Checksum") && object.sum.is_some()).then_some(checksum),
        object_parts: (wants("ObjectParts") && !object.parts.is_empty())
            .then(|| parts(object, input.part_number_marker, input.max_parts)),
        storage_class: wants("StorageClass").then(|| class.to_owned().into()),
        object_size: if wants("ObjectSize") { i64::try_from(object.body.len()).ok() } else { None },
        last_modified: Some(found.modified.into()),
        version_id: found.version.clone(),
        ..GetObjectAttributesOutput::default()
    };
    Ok(S3Response::new(output))
}

fn parts(object: &Object, marker: Option<i32>, most: Option<i32>) -> GetObjectAttributesParts {
    let marker = marker.unwrap_or(0);
    let most = usize::try_from(most.unwrap_or(1000).clamp(0, 1000)).unwrap_or(0);
    let behind = object.parts.iter().filter(|part| part.number > marker);
    let left = behind.clone().count();
    // Only parts with checksums of their own are listed; of the others there is just the count.
    let summed = behind.take(most).filter(|part| part.sum.is_some());
    let listed: Vec<_> = summed
        .map(|part| {
            let mut listed = ObjectPart {
                part_number: Some(part.number),
                size: i64::try_from(part.size).ok(),
                ..ObjectPart::default()
            };
            fill_sum!(listed, &part.sum);
            listed
        })
        .collect();
    GetObjectAttributesParts {
        total_parts_count: i32::try_from(object.parts.len()).ok(),
        part_number_marker: Some(marker),
        next_part_number_marker: listed.last().and_then(|part| part.part_number),
        max_parts: i32::try_from(most).ok(),
        is_truncated: Some(left > most),
        parts: (!listed.is_empty()).then_some(listed),
    }
}

/// `GetObjectTagging`
pub async fn tags(
    state: &S3State,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let found = find(state, &input.bucket, &input.key, input.version_id.as_deref())?;
    let tags = found
        .object
        .marks
        .tags
        .iter()
        .map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tags.collect(), version_id: found.version.clone() }))
}

/// `PutObjectTagging`
pub async fn put_tags(
    state: &S3State,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let tags: Vec<_> = input
        .tagging
        .tag_set
        .into_iter()
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect();
    marks::check_tags(&tags)?;
    let id = input.version_id.as_deref();
    let set = |object: &mut Object| object.marks.tags = tags;
    let version_id = change(state, &input.bucket, &input.key, id, set)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

/// `DeleteObjectTagging`
pub async fn delete_tags(
    state: &S3State,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let id = input.version_id.as_deref();
    let clear = |object: &mut Object| object.marks.tags.clear();
    let version_id = change(state, &input.bucket, &input.key, id, clear)?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

/// `GetObjectAcl`
pub async fn acl(
    state: &S3State,
    request: S3Request<GetObjectAclInput>,
) -> S3Result<S3Response<GetObjectAclOutput>> {
    let input = request.input;
    let found = find(state, &input.bucket, &input.key, input.version_id.as_deref())?;
    let grant = |id: Option<String>, uri: Option<&str>, permission: &str| Grant {
        grantee: Some(Grantee {
            display_name: None,
            email_address: None,
            type_: Type::from(if uri.is_some() { "Group" } else { "CanonicalUser" }.to_owned()),
            id,
            uri: uri.map(str::to_owned),
        }),
        permission: Some(permission.to_owned().into()),
    };
    let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
    let signed = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    let mut grants = vec![grant(owner().id, None, "FULL_CONTROL")];
    match found.object.marks.acl.as_deref() {
        Some("public-read") => grants.push(grant(None, Some(everyone), "READ")),
        Some("public-read-write") => {
            grants.push(grant(None, Some(everyone), "READ"));
            grants.push(grant(None, Some(everyone), "WRITE"));
        }
        Some("authenticated-read") => grants.push(grant(None, Some(signed), "READ")),
        _ => {}
    }
    Ok(S3Response::new(GetObjectAclOutput {
        owner: Some(owner()),
        grants: Some(grants),
        ..GetObjectAclOutput::default()
    }))
}

/// `PutObjectAcl`
pub async fn put_acl(
    state: &S3State,
    request: S3Request<PutObjectAclInput>,
) -> S3Result<S3Response<PutObjectAclOutput>> {
    let acl = marks::acl(&request.headers)?;
    let input = request.input;
    let id = input.version_id.as_deref();
    let set = |object: &mut Object| object.marks.acl = acl;
    change(state, &input.bucket, &input.key, id, set)?;
    Ok(S3Response::new(PutObjectAclOutput::default()))
}

/// `RestoreObject`
pub async fn restore(
    state: &S3State,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let input = request.input;
    let id = input.version_id.as_deref();
    let found = find(state, &input.bucket, &input.key, id)?;
    if !found.object.archived() && !found.object.restored {
        let text = "Restore is not allowed for the object's current storage class";
        return Err(S3Error::with_message(S3ErrorCode::InvalidObjectState, text));
    }
    let set = |object: &mut Object| object.restored = true;
    change(state, &input.bucket, &input.key, id, set)?;
    let mut headers = http::HeaderMap::new();
    if let Some(version) = &found.version {
        answer::set(&mut headers, "x-amz-version-id", version);
    }
    Ok(S3Response::with_headers(RestoreObjectOutput::default(), headers))
}
