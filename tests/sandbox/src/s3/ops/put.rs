//! `PutObject`, and how a new object comes into its bucket.
//!
//! What does not belong here: objects of parts, copies.

use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::{answer, object_lock};
use crate::s3::checksum::ChecksumType;
use crate::s3::condition::Conditions;
use crate::s3::intake::{Claims, receive};
use crate::s3::object::{Object, Tamper};
use crate::s3::sse::{self, SseView};
use crate::s3::state::{Lie, MAX_AT_ONCE, S3State};
use crate::s3::unlock::{self, Caller, Place};
use crate::s3::{error, marks};

/// `PutObject`
pub async fn put_object(
    state: &S3State,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let caller = Caller::of(state, &request);
    let S3Request { input, headers, trailing_headers, .. } = request;
    let place = Place { bucket: &input.bucket, key: &input.key };
    let asked = sse::asked(&headers, caller.scheme)?;
    let mut marks = marks::read(&headers, input.metadata)?;
    object_lock::check_sum_of(&headers, &marks.hold)?;
    object_lock::check_new(state, place.bucket, &mut marks.hold)?;
    let claims = Claims::read(&headers, trailing_headers)?;
    if claims.length().is_some_and(|length| length > MAX_AT_ONCE) {
        return Err(error::entity_too_large());
    }
    let conditions = Conditions::of(&headers);
    check_write(state, place, &conditions)?;
    let sealing = unlock::begin(state, &caller, place, asked)?;
    let received = receive(state, input.body, &sealing.keys, claims, None, &sealing.sse).await?;
    let object = Object {
        etag: etag(&sealing.sse, &received.md5),
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
    let (version, _, object) = commit(state, place, object, &conditions)?;
    let mut headers = HeaderMap::new();
    answer::set(&mut headers, "etag", answer::quoted(&object.etag));
    if let Some(version) = version {
        answer::set(&mut headers, "x-amz-version-id", version);
    }
    if let Some(sum) = &object.sum {
        answer::set_sum(state, &mut headers, sum, Some(object.sum_type));
    }
    unlock::echo_headers(state, &object.sse, &mut headers);
    unlock::echo_context(&object.sse, &mut headers);
    Ok(S3Response::with_headers(PutObjectOutput::default(), headers))
}

/// Whether the entity tag is the MD5 of the bytes: only under S3's own key, or none.
pub fn tag_is_md5(sse: &SseView) -> bool {
    matches!(sse, SseView::None | SseView::SseS3)
}

/// The entity tag of an object made at once, random where it is not the MD5.
pub fn etag(sse: &SseView, md5: &[u8; 16]) -> String {
    match tag_is_md5(sse) {
        true => crate::store::hex(md5),
        false => crate::store::random_hex::<16>(),
    }
}

/// Checks the conditions of a write against what is there now.
///
/// # Errors
/// If they do not hold, or there is no such bucket.
pub fn check_write(state: &S3State, place: Place<'_>, conditions: &Conditions) -> S3Result<()> {
    let inner = state.lock();
    let bucket = inner.bucket(place.bucket)?;
    if inner.lies.contains(&Lie::IgnoreConditions) {
        return Ok(());
    }
    let current = bucket.current(place.key);
    conditions.check_write(current.map(|(_, object)| &*object.etag))
}

/// Makes an object the latest version, if the conditions still hold.
///
/// # Errors
/// As [`check_write`].
pub fn commit(
    state: &S3State,
    place: Place<'_>,
    object: Object,
    conditions: &Conditions,
) -> S3Result<(Option<String>, OffsetDateTime, Arc<Object>)> {
    let now = state.now();
    let mut inner = state.lock();
    let lies = inner.lies.contains(&Lie::IgnoreConditions);
    let bucket = inner.bucket_mut(place.bucket)?;
    if !lies {
        let current = bucket.current(place.key);
        conditions.check_write(current.map(|(_, object)| &*object.etag))?;
    }
    let object = Arc::new(object);
    let version = bucket.add(place.key, Some(object.clone()), now);
    Ok((version, now, object))
}
