//! What S3 says about an object in the headers of HEAD and GET, read once for all commands.
//!
//! GET returns fewer headers; fields that only HEAD has are marked below.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::ChecksumType;
use bytes::Bytes;

use crate::aws::request_fields::checksum_in;
use crate::aws::sse::Applied;
use crate::aws::timestamp::rfc3339;
use crate::checksum::Algorithm;
use crate::limits::MAX_ETAG_BYTES;
use crate::object::Lock;

/// An object without its bytes, unless [`ObjectHead::body`] has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectHead {
    /// Stored bytes: after encryption, where it is client-side.
    pub(crate) len: u64,
    /// With its quotes.
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    /// Server-side encryption.
    pub(crate) applied: Applied,
    /// User metadata: keys in lower case, without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    /// How many metadata entries S3 cannot return in headers (`x-amz-missing-meta`). HEAD only.
    pub(crate) missing_metadata: u32,
    /// The checksum that S3 keeps, if it was requested and its algorithm is one that s3seal computes.
    pub(crate) checksum: Option<Checksum>,
    /// Algorithm and value of a checksum that s3seal does not compute. HEAD only.
    pub(crate) other_checksum: Option<(&'static str, String)>,
    /// `None` is STANDARD.
    pub(crate) storage_class: Option<String>,
    /// The archive of an object in Intelligent-Tiering, or the state of a restore. HEAD only.
    pub(crate) archive_status: Option<String>,
    /// Whether a temporary copy has been restored from an archive. HEAD only.
    pub(crate) restored: bool,
    pub(crate) content_type: Option<String>,
    /// HEAD only, as all below.
    pub(crate) cache_control: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    /// `Expires` as it was stored, and in seconds since 1970 if it is a date.
    pub(crate) expires: Option<(String, Option<i64>)>,
    pub(crate) website_redirect: Option<String>,
    pub(crate) lock: Lock,
    /// Whether Object Lock holds it until an event (`x-amz-object-lock-event-hold`).
    pub(crate) event_hold: bool,
    /// RFC 3339.
    pub(crate) last_modified: Option<String>,
    /// `None` without tags, or without permission to read them.
    pub(crate) tag_count: Option<u32>,
    pub(crate) replication_status: Option<String>,
    /// All of the stored bytes, if they came with the answer to a GET.
    pub(crate) body: Option<Bytes>,
}

/// A checksum that S3 keeps with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    /// Base64; with `-N` for a composite.
    pub(crate) value: String,
    /// Whether it is a checksum of the parts' checksums.
    pub(crate) composite: bool,
}

macro_rules! checksum {
    ($answer:expr) => {{
        let kept = Algorithm::ALL.into_iter().find_map(|algorithm| {
            checksum_in!($answer, algorithm).map(|value| (algorithm, value.to_owned()))
        });
        kept.map(|(algorithm, value)| {
            let composite = $answer.checksum_type() == Some(&ChecksumType::Composite) || value.contains('-');
            Checksum { algorithm, value, composite }
        })
    }};
}

/// Reads the headers that HEAD and GET share. The surrounding function returns `None` if the ETag or the length is
/// missing.
macro_rules! object_head {
    ($answer:expr) => {
        ObjectHead {
            len: u64::try_from($answer.content_length()?).ok()?,
            etag: Some(etag_of($answer.e_tag())?),
            version_id: $answer.version_id().map(str::to_owned),
            applied: Applied::from($answer),
            metadata: ($answer.metadata().into_iter().flatten())
                .map(|(key, value)| (key.to_ascii_lowercase(), value.clone()))
                .collect(),
            checksum: checksum!($answer),
            storage_class: $answer.storage_class().map(|class| class.as_str().to_owned()),
            content_type: $answer.content_type().map(str::to_owned),
            ..ObjectHead::default()
        }
    };
}

impl ObjectHead {
    pub(super) fn of_head(answer: &HeadObjectOutput) -> Option<Self> {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let count = |value: Option<i32>| value.and_then(|count| u32::try_from(count).ok());
        let archive = answer.archive_status().map(|status| status.as_str().to_owned());
        Some(Self {
            missing_metadata: count(answer.missing_meta()).unwrap_or(0),
            other_checksum: other_checksum(answer),
            archive_status: archive.or_else(|| text(answer.restore())),
            restored: answer.restore().is_some_and(|state| state.contains("ongoing-request=\"false\"")),
            cache_control: text(answer.cache_control()),
            content_encoding: text(answer.content_encoding()),
            content_disposition: text(answer.content_disposition()),
            content_language: text(answer.content_language()),
            expires: answer.expires_string().map(|text| (text.to_owned(), http_date(text))),
            website_redirect: text(answer.website_redirect_location()),
            lock: Lock {
                mode: answer.object_lock_mode().map(|mode| mode.as_str().to_owned()),
                retain_until: answer.object_lock_retain_until_date().map(DateTime::secs),
                legal_hold: answer.object_lock_legal_hold_status().is_some_and(|hold| hold.as_str() == "ON"),
            },
            event_hold: answer.object_lock_event_hold().is_some_and(|hold| hold.as_str() == "ON"),
            last_modified: answer.last_modified().and_then(rfc3339),
            tag_count: count(answer.tag_count()),
            replication_status: answer.replication_status().map(|status| status.as_str().to_owned()),
            ..object_head!(answer)
        })
    }

    pub(super) fn of_get(answer: &GetObjectOutput) -> Option<Self> {
        Some(object_head!(answer))
    }
}

/// The ETag of an answer; some servers leave it empty. One that is longer than any is none: it is kept and sent again.
pub(super) fn etag_of(said: Option<&str>) -> Option<String> {
    let is_etag = |etag: &&str| etag.len() <= MAX_ETAG_BYTES && !etag.trim_matches('"').is_empty();
    said.filter(is_etag).map(str::to_owned)
}

fn http_date(text: &str) -> Option<i64> {
    DateTime::from_str(text, DateTimeFormat::HttpDate).ok().map(|date| date.secs())
}

fn other_checksum(answer: &HeadObjectOutput) -> Option<(&'static str, String)> {
    let known = [
        ("SHA512", answer.checksum_sha512()),
        ("MD5", answer.checksum_md5()),
        ("XXHASH64", answer.checksum_xxhash64()),
        ("XXHASH3", answer.checksum_xxhash3()),
        ("XXHASH128", answer.checksum_xxhash128()),
    ];
    known.into_iter().find_map(|(name, value)| value.map(|value| (name, value.to_owned())))
}
