//! Reading Object Lock: whether a bucket has it and locks each new object, and that of a version, with a request of its own
//! for the retention and for the legal hold.
//!
//! HEAD shows a lock as well, but only to those who may also read the object, and it does not say that it hides one.
//! Sources: GetObjectRetention, GetObjectLegalHold and GetObjectLockConfiguration in the Amazon S3 API reference.

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ObjectLockConfiguration, ObjectLockLegalHoldStatus, ObjectLockRetention};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::object_request;
use crate::error::{Error, Result};
use crate::location::Bucket;
use crate::object::Lock;

/// How a bucket locks each new object whose request asks for no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultRetention {
    /// `GOVERNANCE` or `COMPLIANCE`.
    pub(crate) mode: String,
    /// Such as `30 days`.
    pub(crate) time: String,
}

/// A bucket's Object Lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BucketLock {
    NotEnabled,
    /// Only what asks for a lock gets one.
    OnRequest,
    Each(DefaultRetention),
}

impl Connection {
    /// Gets the Object Lock configuration of a bucket.
    pub(crate) async fn bucket_lock(&self, bucket: &Bucket) -> Probe<BucketLock> {
        let action = "s3:GetBucketObjectLockConfiguration";
        let request = self.s3.get_object_lock_configuration().bucket(bucket.as_str());
        let answer = request.set_expected_bucket_owner(self.owner()).send().await;
        let answer = answer.map_err(|refusal| error::read(bucket, action, refusal));
        let lock = none_without_lock(answer).map(|answer| {
            let found = answer.as_ref().and_then(|answer| answer.object_lock_configuration());
            found
                .filter(|found| found.object_lock_enabled().is_some())
                .map_or(BucketLock::NotEnabled, BucketLock::from)
        });
        Probe::of(lock, action)
    }
}

impl From<&ObjectLockConfiguration> for BucketLock {
    fn from(found: &ObjectLockConfiguration) -> Self {
        let Some(retention) = found.rule().and_then(|rule| rule.default_retention()) else {
            return Self::OnRequest;
        };
        let time = match (retention.days(), retention.years()) {
            (Some(days), _) => format!("{days} day{}", if days == 1 { "" } else { "s" }),
            (None, Some(years)) => format!("{years} year{}", if years == 1 { "" } else { "s" }),
            (None, None) => "an unknown time".to_owned(),
        };
        let mode = retention.mode().map_or("an unknown mode", |mode| mode.as_str()).to_owned();
        Self::Each(DefaultRetention { mode, time })
    }
}

impl ObjectReader<'_> {
    /// Gets the retention and the legal hold, each only if it is asked for.
    ///
    /// # Errors
    /// `Network`.
    pub(crate) async fn lock(&self, retention: bool, legal_hold: bool) -> Result<Probe<Lock>> {
        let retention = if retention { self.retention().await? } else { Probe::Known(None) };
        let legal_hold = if legal_hold { self.legal_hold().await? } else { Probe::Known(false) };
        Ok(retention.and_then(|retention| {
            legal_hold.map(|legal_hold| Lock {
                mode: retention.as_ref().and_then(|it| it.mode()).map(|mode| mode.as_str().to_owned()),
                retain_until: retention.as_ref().and_then(|it| it.retain_until_date()).map(DateTime::secs),
                legal_hold,
            })
        }))
    }

    async fn retention(&self) -> Result<Probe<Option<ObjectLockRetention>>> {
        let action = "s3:GetObjectRetention";
        let request = object_request!(self.connection, get_object_retention, self.uri, self.version_id);
        let answer = request.send().await.map_err(|refusal| error::read(self.subject(), action, refusal));
        Ok(Probe::decisive(none_without_lock(answer), action)?.map(|answer| answer?.retention))
    }

    async fn legal_hold(&self) -> Result<Probe<bool>> {
        let action = "s3:GetObjectLegalHold";
        let request = object_request!(self.connection, get_object_legal_hold, self.uri, self.version_id);
        let answer = request.send().await.map_err(|refusal| error::read(self.subject(), action, refusal));
        let status =
            Probe::decisive(none_without_lock(answer), action)?.map(|answer| answer?.legal_hold?.status);
        Ok(status.map(|status| status == Some(ObjectLockLegalHoldStatus::On)))
    }
}

/// An object that is not locked, a bucket without Object Lock and a server without it each refuse the question.
fn none_without_lock<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(Error::NotFound { .. } | Error::Unsupported { .. }) => Ok(None),
        answer => answer.map(Some),
    }
}
