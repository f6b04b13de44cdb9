//! An upload in parts from beginning to end: create, complete, abort, and the list of those in progress.
//!
//! What does not belong here: the parts themselves (see `part`).

use std::collections::BTreeMap;

use http::HeaderMap;
use md5::{Digest as _, Md5};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    ETag,
};
use s3s::{S3Request, S3Response, S3Result};

use super::answer::fill_sum;
use super::{object_lock, put};
use crate::s3::checksum::{self, ChecksumType, Sum};
use crate::s3::condition::Conditions;
use crate::s3::object::{Object, Part, PartFacts, Tamper, Upload};
use crate::s3::sse::{self, SseView, header};
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{access, error, marks};
use crate::store::Body;

/// `CreateMultipartUpload`
pub async fn create(
    state: &S3State,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    let asked = sse::asked(&headers, caller.scheme)?;
    let mut marks = marks::read(&headers, input.metadata)?;
    object_lock::check_new(state, place.bucket, &mut marks.hold)?;
    let checksum = checksum::of_upload(&headers)?;
    let sealing = unlock::begin(state, &caller, place, asked)?;
    let upload = Upload {
        key: input.key.clone(),
        begun: state.now(),
        lock: sealing.lock,
        sse: sealing.sse.clone(),
        marks,
        checksum,
        parts: BTreeMap::new(),
    };
    let (checksum_algorithm, checksum_type) = checksum_fields(&upload);
    let id = crate::store::random_hex::<32>();
    let mut inner = state.lock();
    let uploads = &mut inner.bucket_mut(&input.bucket)?.uploads;
    uploads.insert(id.clone(), upload);
    drop(inner);
    let mut answer = HeaderMap::new();
    unlock::echo_headers(state, &sealing.sse, &mut answer);
    unlock::echo_context(&sealing.sse, &mut answer);
    let output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm,
        checksum_type,
        ..CreateMultipartUploadOutput::default()
    };
    Ok(S3Response::with_headers(output, answer))
}

/// `AbortMultipartUpload`
pub async fn abort(
    state: &S3State,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let mut inner = state.lock();
    let bucket = inner.bucket_mut(&input.bucket)?;
    bucket.upload(&input.key, &input.upload_id)?;
    bucket.uploads.remove(&input.upload_id);
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

/// `CompleteMultipartUpload`
pub async fn complete(
    state: &S3State,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    sse::none_here(&headers)?;
    let (upload, smallest) = {
        let inner = state.lock();
        let bucket = inner.bucket(place.bucket)?;
        (bucket.upload(place.key, &input.upload_id)?.clone(), inner.min_part)
    };
    check_key(state, &caller, &upload, &headers)?;
    if upload.checksum.is_some() {
        access::may_decrypt(state, &upload.sse)?;
    }
    let conditions = Conditions::of(&headers);
    put::check_write(state, place, &conditions)?;
    let listed = input.multipart_upload.and_then(|upload| upload.parts);
    let chosen = choose(state, &upload, &listed.unwrap_or_default(), smallest)?;
    let object = join(state, &upload, &chosen, &headers)?;
    let (version, _, object) = put::commit(state, place, object, &conditions)?;
    if let Ok(bucket) = state.lock().bucket_mut(place.bucket) {
        bucket.uploads.remove(&input.upload_id);
    }
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        version_id: version,
        ..CompleteMultipartUploadOutput::default()
    };
    if !state.lies(Lie::IgnoreChecksums) {
        output.checksum_type = Some(object.sum_type.name().to_owned().into());
        fill_sum!(output, &object.sum);
    }
    let mut answer = HeaderMap::new();
    unlock::echo_headers(state, &object.sse, &mut answer);
    answer.remove("x-amz-server-side-encryption-customer-algorithm");
    answer.remove("x-amz-server-side-encryption-customer-key-md5");
    Ok(S3Response::with_headers(output, answer))
}

/// The algorithm and type that answers about an upload show: those that were asked for.
pub fn checksum_fields(
    upload: &Upload,
) -> (Option<s3s::dto::ChecksumAlgorithm>, Option<s3s::dto::ChecksumType>) {
    match upload.checksum {
        Some((algorithm, kind)) => {
            (Some(algorithm.name().to_owned().into()), Some(kind.name().to_owned().into()))
        }
        None => (None, None),
    }
}

/// The storage class of an upload.
pub fn class(upload: &Upload) -> s3s::dto::StorageClass {
    let class = upload.marks.storage_class.as_deref();
    class.unwrap_or("STANDARD").to_owned().into()
}

/// A customer's key is needed once a checksum was asked for; KMS must allow to decrypt the parts.
fn check_key(state: &S3State, caller: &Caller, upload: &Upload, headers: &HeaderMap) -> S3Result<()> {
    let customer = sse::customer_key(headers, caller.scheme)?;
    let (lock, sse) = (&upload.lock, &upload.sse);
    match sse {
        SseView::SseC { .. } if customer.is_none() && upload.checksum.is_none() => Ok(()),
        _ => unlock::open_upload(state, caller, lock, sse, customer.as_ref()).map(|_| ()),
    }
}

/// The parts that the request lists, each checked against what arrived.
fn choose(
    state: &S3State,
    upload: &Upload,
    listed: &[CompletedPart],
    smallest: u64,
) -> S3Result<Vec<(i32, Part)>> {
    if listed.is_empty() {
        return Err(error::malformed_xml());
    }
    let mut chosen: Vec<(i32, Part)> = Vec::new();
    for each in listed {
        let number = each.part_number.ok_or_else(error::malformed_xml)?;
        if chosen.last().is_some_and(|(last, _)| *last >= number) {
            return Err(error::invalid_part_order());
        }
        let part = upload.parts.get(&number).ok_or_else(error::invalid_part)?;
        let etag = each.e_tag.as_ref().map(ETag::value);
        if etag.is_none_or(|etag| etag.trim_matches('"') != part.etag) {
            return Err(error::invalid_part());
        }
        if !state.lies(Lie::IgnoreChecksums) {
            check_part_sum(upload, each, number, part)?;
        }
        chosen.push((number, part.clone()));
    }
    let but_last = &chosen[..chosen.len() - 1];
    if but_last.iter().any(|(_, part)| part.body.len() < smallest) {
        return Err(error::entity_too_small());
    }
    Ok(chosen)
}

fn check_part_sum(upload: &Upload, listed: &CompletedPart, number: i32, part: &Part) -> S3Result<()> {
    use crate::s3::Algorithm::{Crc32, Crc32C, Crc64Nvme, Sha1, Sha256};
    let Some((algorithm, kind)) = upload.checksum else {
        return Ok(());
    };
    let value = match algorithm {
        Crc32 => &listed.checksum_crc32,
        Crc32C => &listed.checksum_crc32c,
        Crc64Nvme => &listed.checksum_crc64nvme,
        Sha1 => &listed.checksum_sha1,
        Sha256 => &listed.checksum_sha256,
    };
    match value {
        Some(value) if *value != part.sum.value => Err(error::invalid_part()),
        None if kind == ChecksumType::Composite => {
            let name = algorithm.lower();
            Err(error::invalid_request(format!(
                "The upload was created using a {name} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {number} in the request."
            )))
        }
        _ => Ok(()),
    }
}

/// Makes the object of the parts, if it is what the request says it is.
fn join(state: &S3State, upload: &Upload, chosen: &[(i32, Part)], headers: &HeaderMap) -> S3Result<Object> {
    let (algorithm, kind) = (upload.algorithm(), upload.checksum_type());
    let sums: Vec<(&Sum, u64)> = chosen.iter().map(|(_, part)| (&part.sum, part.body.len())).collect();
    let sum = checksum::of_parts(algorithm, kind, &sums);
    let body = Body::join(chosen.iter().map(|(_, part)| &part.body));
    if !state.lies(Lie::IgnoreChecksums) {
        check_whole(upload, &sum, headers)?;
        checksum::check_type(headers, kind)?;
    }
    let size = body.len();
    if let Some(said) = header(headers, "x-amz-mp-object-size").and_then(|text| text.parse::<u64>().ok())
        && said != size
    {
        return Err(error::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {said} does not match what was computed: {size}"
        )));
    }
    let parts = chosen.iter().map(|(number, part)| PartFacts {
        number: *number,
        size: part.body.len(),
        sum: upload.checksum.map(|_| part.sum.clone()),
    });
    Ok(Object {
        etag: etag(upload, chosen),
        body,
        lock: upload.lock.clone(),
        sse: upload.sse.clone(),
        marks: upload.marks.clone(),
        sum: Some(sum),
        sum_type: kind,
        parts: parts.collect(),
        restored: false,
        tamper: Tamper::default(),
    })
}

/// The checksum of the whole object, if the request gives one.
fn check_whole(upload: &Upload, sum: &Sum, headers: &HeaderMap) -> S3Result<()> {
    let Some(given) = checksum::given(headers)? else {
        return Ok(());
    };
    checksum::check_form(&given)?;
    let Some((wanted, _)) = upload.checksum else {
        return Ok(());
    };
    if given.algorithm != wanted {
        return Err(error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            wanted.lower(),
            given.algorithm.lower()
        )));
    }
    // A composite value may come with or without its count.
    let bare = |value: &str| value.split('-').next().map(str::to_owned);
    match bare(&given.value) == bare(&sum.value) {
        true => Ok(()),
        false => Err(error::bad_checksum(&wanted.lower())),
    }
}

/// The MD5 of the parts' MD5s and their count, or under KMS and SSE-C something random in its place.
fn etag(upload: &Upload, chosen: &[(i32, Part)]) -> String {
    let md5s: Vec<u8> = chosen.iter().flat_map(|(_, part)| part.md5).collect();
    let digest = Md5::digest(md5s).into();
    format!("{}-{}", put::etag(&upload.sse, &digest), chosen.len())
}
