//! Object Lock: of buckets, of new objects, of versions that are there.
//!
//! What does not belong here: the headers that ask for it (see `marks`), deleting (see `delete`).
//!
//! Sources: "Locking objects with Object Lock", Amazon S3 user guide, and the pages of the operations.

use http::HeaderMap;
use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHold, ObjectLockRetention,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};
use time::OffsetDateTime;

use super::detail::change;
use super::get::{self, Found};
use crate::s3::error;
use crate::s3::object::{Hold, Object, Versioning};
use crate::s3::sse::header;
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::Place;

/// The mode that those with a permission may lift.
pub const GOVERNANCE: &str = "GOVERNANCE";

/// The mode that nobody may lift.
const COMPLIANCE: &str = "COMPLIANCE";

fn bucket_without() -> S3Error {
    error::invalid_request("Bucket is missing Object Lock Configuration")
}

fn protected() -> S3Error {
    error::denied("Access Denied because object protected by object lock.")
}

/// Checks the lock that a new object asks for.
///
/// # Errors
/// S3's refusals; nothing is refused where no lock is asked for.
pub fn check_new(state: &S3State, bucket: &str, hold: &mut Hold) -> S3Result<()> {
    if *hold == Hold::default() {
        return Ok(());
    }
    if state.lies(Lie::IgnoreLocks) {
        *hold = Hold::default();
        return Ok(());
    }
    let now = state.now();
    if !state.lock().bucket(bucket)?.object_lock {
        return Err(bucket_without());
    }
    check_retention(hold, now)
}

/// S3 takes a retention only with a checksum of the body, so that nothing damaged is kept for years.
///
/// # Errors
/// If there is none.
pub fn check_sum_of(headers: &HeaderMap, hold: &Hold) -> S3Result<()> {
    let proves =
        |name: &str| name == "content-md5" || name.starts_with("x-amz-checksum-") || name == "x-amz-trailer";
    if *hold == Hold::default() || headers.keys().any(|name| proves(name.as_str())) {
        return Ok(());
    }
    Err(error::invalid_request(
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
    ))
}

fn check_retention(hold: &Hold, now: OffsetDateTime) -> S3Result<()> {
    if hold.mode.as_deref().is_some_and(|mode| mode != GOVERNANCE && mode != COMPLIANCE) {
        return Err(error::invalid_argument("Unknown wormMode directive."));
    }
    if hold.until.is_some_and(|until| until <= now) {
        return Err(error::invalid_argument("The retain until date must be in the future!"));
    }
    Ok(())
}

/// Whether a request asks to pass over the mode `GOVERNANCE`; that it may is checked where requests are let in.
pub fn bypasses(headers: &HeaderMap) -> bool {
    header(headers, "x-amz-bypass-governance-retention")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Refuses to delete a version that is locked.
///
/// # Errors
/// `AccessDenied`
pub fn check_delete(hold: &Hold, now: OffsetDateTime, bypass: bool) -> S3Result<()> {
    let lifted = bypass && !hold.legal && hold.mode.as_deref() == Some(GOVERNANCE);
    if hold.holds(now) && !lifted { Err(protected()) } else { Ok(()) }
}

/// A retention may become longer; only that of `GOVERNANCE` may become anything else, with a bypass.
fn check_change(old: &Hold, new: &Hold, now: OffsetDateTime, bypass: bool) -> S3Result<()> {
    let Some(until) = old.until.filter(|until| *until > now) else { return Ok(()) };
    let extends = new.mode == old.mode && new.until.is_some_and(|new| new >= until);
    let lifts = bypass && old.mode.as_deref() == Some(GOVERNANCE);
    if extends || lifts { Ok(()) } else { Err(protected()) }
}

/// Finds a version in a bucket that has Object Lock.
fn find(state: &S3State, bucket: &str, key: &str, id: Option<&str>) -> S3Result<Found> {
    if !state.lock().bucket(bucket)?.object_lock {
        return Err(bucket_without());
    }
    get::find(state, Place { bucket, key }, id)
}

/// `GetObjectRetention`
pub async fn retention(
    state: &S3State,
    request: S3Request<GetObjectRetentionInput>,
) -> S3Result<S3Response<GetObjectRetentionOutput>> {
    let input = request.input;
    let found = find(state, &input.bucket, &input.key, input.version_id.as_deref())?;
    let hold = &found.object.marks.hold;
    let Some(mode) = hold.mode.clone() else {
        let text = "The specified object does not have a ObjectLock configuration";
        return Err(S3Error::with_message(S3ErrorCode::NoSuchObjectLockConfiguration, text));
    };
    Ok(S3Response::new(GetObjectRetentionOutput {
        retention: Some(ObjectLockRetention {
            mode: Some(mode.into()),
            retain_until_date: hold.until.map(Into::into),
        }),
    }))
}

/// `PutObjectRetention`
pub async fn put_retention(
    state: &S3State,
    request: S3Request<PutObjectRetentionInput>,
) -> S3Result<S3Response<PutObjectRetentionOutput>> {
    let bypass = bypasses(&request.headers);
    let input = request.input;
    let retention = input.retention.ok_or_else(error::malformed_xml)?;
    let id = input.version_id.as_deref();
    let found = find(state, &input.bucket, &input.key, id)?;
    let old = &found.object.marks.hold;
    let new = Hold {
        mode: retention.mode.map(|mode| mode.as_str().to_owned()),
        until: retention.retain_until_date.map(Into::into),
        legal: old.legal,
    };
    let now = state.now();
    check_retention(&new, now)?;
    check_change(old, &new, now, bypass)?;
    change(state, &input.bucket, &input.key, id, |object: &mut Object| object.marks.hold = new)?;
    Ok(S3Response::new(PutObjectRetentionOutput::default()))
}

/// `GetObjectLegalHold`
pub async fn legal_hold(
    state: &S3State,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<S3Response<GetObjectLegalHoldOutput>> {
    let input = request.input;
    let found = find(state, &input.bucket, &input.key, input.version_id.as_deref())?;
    let status = if found.object.marks.hold.legal { "ON" } else { "OFF" };
    Ok(S3Response::new(GetObjectLegalHoldOutput {
        legal_hold: Some(ObjectLockLegalHold { status: Some(status.to_owned().into()) }),
    }))
}

/// `PutObjectLegalHold`
pub async fn put_legal_hold(
    state: &S3State,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<S3Response<PutObjectLegalHoldOutput>> {
    let input = request.input;
    let status = input.legal_hold.and_then(|hold| hold.status);
    let on = status.ok_or_else(error::malformed_xml)?.as_str() == "ON";
    let id = input.version_id.as_deref();
    find(state, &input.bucket, &input.key, id)?;
    change(state, &input.bucket, &input.key, id, |object: &mut Object| object.marks.hold.legal = on)?;
    Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
}

/// `GetObjectLockConfiguration`
pub async fn configuration(
    state: &S3State,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
    if !state.lock().bucket(&request.input.bucket)?.object_lock {
        let text = "Object Lock configuration does not exist for this bucket";
        return Err(S3Error::with_message(S3ErrorCode::ObjectLockConfigurationNotFoundError, text));
    }
    let enabled = ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED);
    Ok(S3Response::new(GetObjectLockConfigurationOutput {
        object_lock_configuration: Some(ObjectLockConfiguration {
            object_lock_enabled: Some(enabled),
            rule: None,
        }),
    }))
}

/// `PutObjectLockConfiguration`; without a default retention.
pub async fn put_configuration(
    state: &S3State,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
    let input = request.input;
    let configuration = input.object_lock_configuration.ok_or_else(error::malformed_xml)?;
    if configuration.rule.is_some() {
        return Err(error::not_implemented());
    }
    let mut inner = state.lock();
    let bucket = inner.bucket_mut(&input.bucket)?;
    if bucket.versioning != Versioning::Enabled {
        let text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration";
        return Err(S3Error::with_message(S3ErrorCode::InvalidBucketState, text));
    }
    bucket.object_lock = true;
    Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
}
