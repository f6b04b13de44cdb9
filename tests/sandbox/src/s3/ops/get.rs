//! `GetObject` and `HeadObject`.
//!
//! What does not belong here: the sources of copies, attributes in XML.

use std::ops::Range;
use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::{GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, Metadata, StreamingBlob};
use s3s::{S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::answer;
use crate::s3::checksum::ChecksumType;
use crate::s3::condition::Conditions;
use crate::s3::object::Object;
use crate::s3::sse::{self, CustomerKey, SseView, header};
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{access, error};
use crate::store::BodyKeys;

/// An object as a request has found it.
pub struct Found {
    pub object: Arc<Object>,
    pub modified: OffsetDateTime,
    /// The version's id, shown or not.
    pub id: String,
    /// The version's id, if the bucket shows ids.
    pub version: Option<String>,
}

/// Finds a version of an object, the latest without an id.
///
/// # Errors
/// S3's refusals for what is not there; of a delete marker the headers say so.
pub fn find(state: &S3State, place: Place<'_>, id: Option<&str>) -> S3Result<Found> {
    let inner = state.lock();
    let bucket = inner.bucket(place.bucket)?;
    match bucket.find(place.key, id) {
        Ok((version, object)) => Ok(Found {
            object: object.clone(),
            modified: version.modified,
            id: version.id.clone(),
            version: bucket.shown_id(version),
        }),
        Err(mut error) => {
            // Whether an object exists is told only to who may list the bucket.
            if id.is_none() {
                access::may(state, "s3:ListBucket", &format!("arn:aws:s3:::{}", place.bucket))?;
            }
            let mut versions = bucket.objects.get(place.key).into_iter().flatten();
            let version = match id {
                None => versions.next_back(),
                Some(id) => versions.find(|version| version.id == id),
            };
            if let Some(marker) = version {
                let mut headers = HeaderMap::new();
                answer::set(&mut headers, "x-amz-delete-marker", "true");
                answer::set(&mut headers, "x-amz-version-id", &marker.id);
                error.set_headers(headers);
            }
            Err(error)
        }
    }
}

/// Opens what was found, carrying out a tampering that waits for the key.
///
/// # Errors
/// See [`unlock::open`].
pub fn open(
    state: &S3State,
    caller: &Caller,
    place: Place<'_>,
    found: &mut Found,
    customer: Option<&CustomerKey>,
) -> S3Result<BodyKeys> {
    let object = &found.object;
    let keys = unlock::open(state, caller, &object.lock, &object.sse, customer)?;
    if let Some(tampered) = object.tampered(&keys) {
        let mut inner = state.lock();
        let bucket = inner.bucket_mut(place.bucket)?;
        bucket.replace(place.key, &found.id, tampered.clone());
        found.object = Arc::new(tampered);
    }
    Ok(keys)
}

/// `GetObject`
pub async fn get_object(
    state: &S3State,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    sse::none_here(&headers)?;
    let customer = sse::customer_key(&headers, caller.scheme)?;
    let mut found = find(state, place, input.version_id.as_deref())?;
    let keys = open(state, &caller, place, &mut found, customer.as_ref())?;
    if found.object.archived() {
        return Err(error::archived());
    }
    check_read(state, &headers, &found)?;
    let slice = Slice::of(&found.object, input.range.as_ref(), input.part_number)?;
    let mut answer = answer_headers(state, &headers, &found, &slice);
    access::hide_lock(state, &input.bucket, &input.key, &mut answer);
    let tags = found.object.marks.tags.len();
    if tags > 0 {
        answer::set(&mut answer, "x-amz-tagging-count", tags.to_string());
    }
    let overridden = [
        ("content-type", input.response_content_type.is_some()),
        ("content-language", input.response_content_language.is_some()),
        ("expires", input.response_expires.is_some()),
        ("cache-control", input.response_cache_control.is_some()),
        ("content-disposition", input.response_content_disposition.is_some()),
        ("content-encoding", input.response_content_encoding.is_some()),
    ];
    for (name, _) in overridden.into_iter().filter(|(_, overridden)| *overridden) {
        answer.remove(name);
    }
    let pieces = found.object.body.read(slice.range.clone(), &keys);
    let output = GetObjectOutput {
        body: Some(StreamingBlob::wrap(pieces)),
        content_length: i64::try_from(slice.range.end - slice.range.start).ok(),
        content_range: slice.content_range(),
        metadata: metadata(&found.object),
        ..GetObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, answer))
}

/// `HeadObject`
pub async fn head_object(
    state: &S3State,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    sse::none_here(&headers)?;
    let customer = sse::customer_key(&headers, caller.scheme)?;
    let mut found = find(state, place, input.version_id.as_deref())?;
    let object = &found.object;
    unlock::check_customer(state, &object.lock, &object.sse, customer.as_ref())?;
    if matches!(object.sse, SseView::SseC { .. }) || wants_sum(&headers) {
        open(state, &caller, place, &mut found, customer.as_ref())?;
    }
    check_read(state, &headers, &found)?;
    let slice = Slice::of(&found.object, input.range.as_ref(), input.part_number)?;
    let mut answer = answer_headers(state, &headers, &found, &slice);
    access::hide_lock(state, &input.bucket, &input.key, &mut answer);
    let output = HeadObjectOutput {
        content_length: i64::try_from(slice.range.end - slice.range.start).ok(),
        content_range: slice.content_range(),
        metadata: metadata(&found.object),
        ..HeadObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, answer))
}

/// The part of an object that a request wants.
struct Slice {
    range: Range<u64>,
    size: u64,
    /// Whether it was asked for as a range or part.
    partial: bool,
    /// The index of the part that was asked for.
    part: Option<usize>,
}

impl Slice {
    fn of(object: &Object, range: Option<&s3s::dto::Range>, part_number: Option<i32>) -> S3Result<Self> {
        let size = object.body.len();
        let whole = |partial| Self { range: 0..size, size, partial, part: None };
        match (range, part_number) {
            (Some(_), Some(_)) => {
                Err(error::invalid_request("Cannot specify both Range header and partNumber query parameter"))
            }
            (Some(range), None) => {
                let range = range.check(size).map_err(|_| error::invalid_range())?;
                Ok(Self { range, partial: true, ..whole(true) })
            }
            (None, None) => Ok(whole(false)),
            (None, Some(1)) if object.parts.is_empty() => Ok(whole(size > 0)),
            (None, Some(number)) => {
                let at = usize::try_from(number - 1).ok();
                let at = at.filter(|at| *at < object.parts.len());
                let at = at.ok_or_else(error::invalid_part_number)?;
                let start = object.parts[..at].iter().map(|part| part.size).sum::<u64>();
                Ok(Self { range: start..start + object.parts[at].size, part: Some(at), ..whole(true) })
            }
        }
    }

    fn content_range(&self) -> Option<String> {
        let Range { start, end } = self.range;
        let size = self.size;
        self.partial.then(|| format!("bytes {start}-{}/{size}", end.saturating_sub(1)))
    }
}

fn check_read(state: &S3State, headers: &HeaderMap, found: &Found) -> S3Result<()> {
    if state.lies(Lie::IgnoreConditions) {
        return Ok(());
    }
    let conditions = Conditions::of(headers);
    let checked = conditions.check_read(&found.object.etag, found.modified);
    checked.map_err(|mut error| {
        if error.status_code() == Some(http::StatusCode::NOT_MODIFIED) {
            let mut headers = HeaderMap::new();
            answer::set(&mut headers, "etag", answer::quoted(&found.object.etag));
            answer::set(&mut headers, "last-modified", answer::http_date(found.modified));
            error.set_headers(headers);
        }
        error
    })
}

fn wants_sum(headers: &HeaderMap) -> bool {
    header(headers, "x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"))
}

fn answer_headers(state: &S3State, headers: &HeaderMap, found: &Found, slice: &Slice) -> HeaderMap {
    let object = &found.object;
    let version = found.version.as_deref();
    let mut answer = answer::of_object(state, object, found.modified, version);
    if slice.part.is_some() {
        answer::set(&mut answer, "x-amz-mp-parts-count", object.parts.len().to_string());
    }
    let sum = match slice.part {
        Some(at) if object.sum_type == ChecksumType::Composite => object.parts[at].sum.as_ref(),
        Some(_) => None,
        None if slice.range.end - slice.range.start == slice.size => object.sum.as_ref(),
        None => None,
    };
    if let (true, Some(sum)) = (wants_sum(headers), sum) {
        answer::set_sum(state, &mut answer, sum, Some(object.sum_type));
    }
    answer
}

fn metadata(object: &Object) -> Option<Metadata> {
    let metadata = &object.marks.attributes.metadata;
    (!metadata.is_empty()).then(|| metadata.clone().into_iter().collect())
}
