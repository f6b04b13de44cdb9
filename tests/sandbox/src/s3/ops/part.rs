//! `UploadPart`, `UploadPartCopy` and `ListParts`.
//!
//! What does not belong here: beginning and ending an upload (see `multipart`).

use std::ops::Range;

use http::HeaderMap;
use s3s::dto::{
    CopyPartResult, ETag, ListPartsInput, ListPartsOutput, Part as PartDto, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::answer::{self, fill_sum};
use super::{copy, multipart, put};
use crate::s3::checksum::{Algorithm, ChecksumType};
use crate::s3::intake::{self, Claims, Received, receive};
use crate::s3::object::{Part, Upload};
use crate::s3::sse;
use crate::s3::state::{MAX_AT_ONCE, S3State};
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{access, error};

/// The highest number of a part.
const MAX_PART: i32 = 10_000;

/// `UploadPart`
pub async fn upload_part(
    state: &S3State,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, trailing_headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    check_number(input.part_number)?;
    sse::none_here(&headers)?;
    let customer = sse::customer_key(&headers, caller.scheme)?;
    let claims = Claims::read(&headers, trailing_headers)?;
    if claims.length().is_some_and(|length| length > MAX_AT_ONCE) {
        return Err(error::entity_too_large());
    }
    let upload = find(state, place, &input.upload_id)?;
    let (lock, sse) = (&upload.lock, &upload.sse);
    let keys = unlock::open_upload(state, &caller, lock, sse, customer.as_ref())?;
    check_algorithm(&upload, claims.algorithm())?;
    let keep = Some(upload.algorithm());
    let received = receive(state, input.body, &keys, claims, keep, sse).await?;
    let given = received.given.clone();
    let (etag, _) = keep_part(state, place, &input.upload_id, input.part_number, received)?;
    let mut answer = HeaderMap::new();
    answer::set(&mut answer, "etag", answer::quoted(&etag));
    if let Some(sum) = &given {
        answer::set_sum(state, &mut answer, sum, None);
    }
    unlock::echo_headers(state, &upload.sse, &mut answer);
    Ok(S3Response::with_headers(UploadPartOutput::default(), answer))
}

/// `UploadPartCopy`
pub async fn upload_part_copy(
    state: &S3State,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    check_number(input.part_number)?;
    sse::none_here(&headers)?;
    let customer = sse::customer_key(&headers, caller.scheme)?;
    let upload = find(state, place, &input.upload_id)?;
    let (lock, sse) = (&upload.lock, &upload.sse);
    let keys = unlock::open_upload(state, &caller, lock, sse, customer.as_ref())?;
    let source = copy::open_source(state, &caller, &input.copy_source, &headers)?;
    let object = &source.found.object;
    let range = source_range(input.copy_source_range.as_deref(), object.body.len())?;
    copy::check_size(state, range.end - range.start)?;
    let from = (&object.body, range, &source.keys);
    let received = intake::copy(state, from, &keys, upload.algorithm(), sse).await?;
    let sum = upload.checksum.map(|_| received.sum.clone());
    let (etag, modified) = keep_part(state, place, &input.upload_id, input.part_number, received)?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(modified.into()),
        ..CopyPartResult::default()
    };
    fill_sum!(result, &sum);
    let output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source.found.version,
        ..UploadPartCopyOutput::default()
    };
    let mut answer = HeaderMap::new();
    unlock::echo_headers(state, &upload.sse, &mut answer);
    Ok(S3Response::with_headers(output, answer))
}

/// `ListParts`
pub async fn list_parts(
    state: &S3State,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    let upload = {
        let inner = state.lock();
        let bucket = inner.bucket(place.bucket)?;
        bucket.upload(place.key, &input.upload_id)?.clone()
    };
    access::may_decrypt(state, &upload.sse)?;
    if let Some(given) = sse::customer_key(&headers, caller.scheme)? {
        unlock::check_upload(state, &upload.lock, &upload.sse, Some(&given))?;
    }
    let marker = input.part_number_marker.unwrap_or(0);
    let most = usize::try_from(input.max_parts.unwrap_or(1000).clamp(0, 1000)).unwrap_or(0);
    let mut listed: Vec<(i32, &Part)> = Vec::new();
    let mut truncated = false;
    for (number, part) in upload.parts.range(marker.saturating_add(1)..) {
        if listed.len() == most {
            truncated = true;
            break;
        }
        listed.push((*number, part));
    }
    let last = listed.last().map_or(marker, |(number, _)| *number);
    let parts = listed.into_iter().map(|(number, part)| {
        let mut listed = PartDto {
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(part.modified.into()),
            part_number: Some(number),
            size: i64::try_from(part.body.len()).ok(),
            ..PartDto::default()
        };
        fill_sum!(listed, upload.checksum.map(|_| &part.sum));
        listed
    });
    let (algorithm, kind) = multipart::checksum_fields(&upload);
    Ok(S3Response::new(ListPartsOutput {
        parts: Some(parts.collect()),
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        upload_id: Some(input.upload_id.clone()),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(last),
        max_parts: i32::try_from(most).ok(),
        is_truncated: Some(truncated),
        checksum_algorithm: algorithm,
        checksum_type: kind,
        storage_class: Some(multipart::class(&upload)),
        owner: Some(super::bucket::owner()),
        initiator: Some(super::bucket::initiator(state)),
        ..ListPartsOutput::default()
    }))
}

/// An upload, without its parts.
fn find(state: &S3State, place: Place<'_>, id: &str) -> S3Result<Upload> {
    let inner = state.lock();
    let upload = inner.bucket(place.bucket)?.upload(place.key, id);
    upload.map(Upload::without_parts)
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=MAX_PART).contains(&number) {
        return Ok(());
    }
    Err(error::invalid_argument("Part number must be an integer between 1 and 10000, inclusive"))
}

/// A part must have the checksum its upload asked for; only a full-object one may be left to S3.
fn check_algorithm(upload: &Upload, given: Option<Algorithm>) -> S3Result<()> {
    let Some((wanted, kind)) = upload.checksum else {
        return Ok(());
    };
    if given == Some(wanted) || (given.is_none() && kind == ChecksumType::FullObject) {
        return Ok(());
    }
    Err(error::invalid_request(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        wanted.lower(),
        given.map_or_else(|| "null".to_owned(), Algorithm::lower)
    )))
}

fn keep_part(
    state: &S3State,
    place: Place<'_>,
    id: &str,
    number: i32,
    received: Received,
) -> S3Result<(String, OffsetDateTime)> {
    let modified = state.now();
    let mut inner = state.lock();
    let uploads = &mut inner.bucket_mut(place.bucket)?.uploads;
    let upload = uploads.get_mut(id).ok_or_else(error::no_such_upload)?;
    let etag = put::etag(&upload.sse, &received.md5);
    let part =
        Part { body: received.body, etag: etag.clone(), md5: received.md5, sum: received.sum, modified };
    upload.parts.insert(number, part);
    Ok((etag, modified))
}

fn source_range(range: Option<&str>, size: u64) -> S3Result<Range<u64>> {
    let Some(range) = range else {
        return Ok(0..size);
    };
    let form = || {
        error::invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    };
    let (first, last) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(form)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| form());
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(form());
    }
    if last >= size {
        return Err(error::invalid_argument(format!(
            "Range specified is not valid for source object of size: {size}"
        )));
    }
    Ok(first..last + 1)
}
