//! What belongs to an object beside its bytes and its encryption, as far as S3 tells: what a copy would have to carry over.
//!
//! Read in full, unlike [`HeadDetails`](super::head_details::Marks), which are for showing. What of it is carried over is decided by
//! the verb; here is only what there is.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;

use crate::object::Lock;

/// What HEAD tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CopyableAttributes {
    /// `Cache-Control`.
    pub(crate) cache_control: Option<String>,
    /// `Content-Encoding`.
    pub(crate) content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub(crate) content_disposition: Option<String>,
    /// `Content-Language`.
    pub(crate) content_language: Option<String>,
    /// `Expires` as it stands there, and the same as seconds since 1970 if it is a date.
    pub(crate) expires: Option<(String, Option<i64>)>,
    /// `x-amz-website-redirect-location`.
    pub(crate) website_redirect: Option<String>,
    /// Object Lock.
    pub(crate) lock: Lock,
    /// Whether a hold that waits for an event is on it.
    pub(crate) event_hold: bool,
    /// Metadata entries that S3 keeps and cannot show in headers.
    pub(crate) hidden_metadata: u32,
    /// Whether it has been restored from an archive and can be read for now.
    pub(crate) restored: bool,
}

impl From<&HeadObjectOutput> for CopyableAttributes {
    fn from(answer: &HeadObjectOutput) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let count = |value: Option<i32>| value.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        let date = answer.expires_string().and_then(|date| {
            use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
            DateTime::from_str(date, DateTimeFormat::HttpDate).ok().map(|date| date.secs())
        });
        Self {
            cache_control: text(answer.cache_control()),
            content_encoding: text(answer.content_encoding()),
            content_disposition: text(answer.content_disposition()),
            content_language: text(answer.content_language()),
            expires: text(answer.expires_string()).map(|text| (text, date)),
            website_redirect: text(answer.website_redirect_location()),
            lock: Lock {
                mode: answer.object_lock_mode().map(|mode| mode.as_str().to_owned()),
                until: answer.object_lock_retain_until_date().map(aws_sdk_s3::primitives::DateTime::secs),
                legal_hold: answer.object_lock_legal_hold_status().is_some_and(|hold| hold.as_str() == "ON"),
            },
            event_hold: answer.object_lock_event_hold().is_some_and(|hold| hold.as_str() == "ON"),
            hidden_metadata: count(answer.missing_meta()),
            restored: answer.restore().is_some_and(|state| state.contains("ongoing-request=\"false\"")),
        }
    }
}
