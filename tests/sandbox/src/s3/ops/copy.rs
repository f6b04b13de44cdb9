//! `CopyObject`, and the source of a copy.
//!
//! The encryption of the source is never inherited: the target has what the request asks or its bucket's default.
//!
//! What does not belong here: storing parts (see `part`).

use http::HeaderMap;
use s3s::dto::{CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, Metadata};
use s3s::{S3Request, S3Response, S3Result};

use super::answer::fill_sum;
use super::get::{self, Found};
use super::{object_lock, put};
use crate::s3::checksum::{Algorithm, ChecksumType};
use crate::s3::condition::Conditions;
use crate::s3::intake;
use crate::s3::object::{Marks, Object, Tamper};
use crate::s3::sse::{self, header};
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{error, marks};
use crate::store::BodyKeys;

/// The source of a copy, open.
pub struct Source {
    pub found: Found,
    pub keys: BodyKeys,
}

/// Where a copy reads from. An access point has the name of its bucket.
///
/// # Errors
/// For outposts.
pub fn source_place(source: &CopySource) -> S3Result<(Place<'_>, Option<&str>)> {
    match source {
        CopySource::Bucket { bucket, key, version_id }
        | CopySource::AccessPoint { access_point_name: bucket, key, version_id, .. } => {
            Ok((Place { bucket, key }, version_id.as_deref()))
        }
        _ => Err(error::not_implemented()),
    }
}

/// Finds, checks and opens the source of a copy.
///
/// # Errors
/// S3's refusals for a source that is not there, archived, changed, or locked.
pub fn open_source(
    state: &S3State,
    caller: &Caller,
    source: &CopySource,
    headers: &HeaderMap,
) -> S3Result<Source> {
    let (place, version) = source_place(source)?;
    let customer = sse::source_key(headers, caller.scheme)?;
    let mut found = get::find(state, place, version)?;
    if found.object.archived() {
        return Err(error::archived_source());
    }
    let keys = get::open(state, caller, place, &mut found, customer.as_ref())?;
    if !state.lies(Lie::IgnoreConditions) {
        let conditions = Conditions::of_source(headers);
        conditions.check_source(&found.object.etag, found.modified)?;
    }
    Ok(Source { found, keys })
}

/// Refuses a copy of more bytes than S3 copies at once.
///
/// # Errors
/// `InvalidRequest`
pub fn check_size(state: &S3State, size: u64) -> S3Result<()> {
    let limit = state.lock().copy_limit;
    match size > limit {
        true => Err(error::invalid_request(format!(
            "The specified copy source is larger than the maximum allowable size for a copy source: {limit}"
        ))),
        false => Ok(()),
    }
}

/// `CopyObject`
pub async fn copy_object(
    state: &S3State,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    let asked = sse::asked(&headers, caller.scheme)?;
    let conditions = Conditions::of(&headers);
    put::check_write(state, place, &conditions)?;
    let source = open_source(state, &caller, &input.copy_source, &headers)?;
    let object = source.found.object.clone();
    check_itself(&input.copy_source, place, &headers, &object)?;
    check_size(state, object.body.len())?;
    let mut marks = target_marks(&object, &headers, input.metadata)?;
    object_lock::check_new(state, place.bucket, &mut marks.hold)?;
    let sealing = unlock::begin(state, &caller, place, asked)?;
    let keep = match header(&headers, "x-amz-checksum-algorithm") {
        Some(name) => Algorithm::parse(name)?,
        None => object.sum.as_ref().map_or(Algorithm::Crc64Nvme, |sum| sum.algorithm),
    };
    let from = (&object.body, 0..object.body.len(), &source.keys);
    let received = intake::copy(state, from, &sealing.keys, keep, &sealing.sse).await?;
    let made = Object {
        etag: put::etag(&sealing.sse, &received.md5),
        body: received.body,
        lock: sealing.lock,
        sse: sealing.sse,
        marks,
        sum: Some(received.sum),
        sum_type: ChecksumType::FullObject,
        parts: Vec::new(),
        restored: false,
        tamper: Tamper::default(),
    };
    let (version, modified, made) = put::commit(state, place, made, &conditions)?;
    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(made.etag.clone())),
        last_modified: Some(modified.into()),
        checksum_type: Some(made.sum_type.name().to_owned().into()),
        ..CopyObjectResult::default()
    };
    fill_sum!(result, &made.sum);
    let output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source.found.version,
        version_id: version,
        ..CopyObjectOutput::default()
    };
    let mut headers = HeaderMap::new();
    unlock::echo_headers(state, &made.sse, &mut headers);
    unlock::echo_context(&made.sse, &mut headers);
    Ok(S3Response::with_headers(output, headers))
}

/// A copy onto itself must change something: metadata, class, redirect or, if only by naming it, encryption.
fn check_itself(
    source: &CopySource,
    target: Place<'_>,
    headers: &HeaderMap,
    object: &Object,
) -> S3Result<()> {
    let (place, version) = source_place(source)?;
    let itself = place.bucket == target.bucket && place.key == target.key && version.is_none();
    let class = header(headers, "x-amz-storage-class");
    let old_class = object.marks.storage_class.as_deref().unwrap_or("STANDARD");
    let changes = header(headers, "x-amz-metadata-directive") == Some("REPLACE")
        || headers.contains_key("x-amz-website-redirect-location")
        || class.is_some_and(|class| class != old_class)
        || headers.keys().any(|name| name.as_str().starts_with(sse::SSE));
    match itself && !changes {
        true => Err(error::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        )),
        false => Ok(()),
    }
}

/// Metadata and tags come from the source unless a directive says otherwise; class, ACL, lock and redirect never do.
fn target_marks(source: &Object, headers: &HeaderMap, metadata: Option<Metadata>) -> S3Result<Marks> {
    let given = marks::read(headers, metadata)?;
    let directive = |name: &str| match header(headers, name) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(_) => Err(error::invalid_argument(format!(
            "Unknown {} directive.",
            name.trim_start_matches("x-amz-").trim_end_matches("-directive")
        ))),
    };
    let mut attributes = given.attributes;
    if !directive("x-amz-metadata-directive")? {
        let website_redirect = attributes.website_redirect.take();
        attributes = source.marks.attributes.clone();
        attributes.website_redirect = website_redirect;
    }
    let tags = match directive("x-amz-tagging-directive")? {
        true => given.tags,
        false => source.marks.tags.clone(),
    };
    Ok(Marks { attributes, tags, ..given })
}
