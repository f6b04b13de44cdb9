//! What S3 notes about an object beside its encryption: dates, locks, tags, parts, archive.
//!
//! Kept apart from [`ObjectHead`](super::objects::Facts), which every verb needs; these only matter to who looks.
//! Dates are text (RFC 3339, UTC) from here on: they are shown and compared, never computed with.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

/// Notes about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadDetails {
    /// When it was stored.
    pub(crate) last_modified: Option<String>,
    /// How it is locked.
    pub(crate) lock: Option<Lock>,
    /// How many tags it has; `None` where S3 does not say (it says nothing of none).
    pub(crate) tags: Option<u32>,
    /// The state of an archived object: S3's word for its archive, or for a restore under way.
    pub(crate) archive: Option<String>,
    /// Its part in a replication, in S3's word.
    pub(crate) replication: Option<String>,
    /// A checksum of an algorithm that s3seal does not compute: its name and value.
    pub(crate) other_checksum: Option<(&'static str, String)>,
}

/// Object Lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The retention mode, in S3's word.
    pub(crate) mode: Option<String>,
    /// The end of the retention.
    pub(crate) until: Option<String>,
    /// Whether a legal hold is on.
    pub(crate) legal_hold: bool,
}

impl From<&HeadObjectOutput> for HeadDetails {
    fn from(answer: &HeadObjectOutput) -> Self {
        let lock = Lock {
            mode: answer.object_lock_mode().map(|mode| mode.as_str().to_owned()),
            until: answer.object_lock_retain_until_date().and_then(date),
            legal_hold: answer.object_lock_legal_hold_status().is_some_and(|hold| hold.as_str() == "ON"),
        };
        let archive = answer.archive_status().map(|status| status.as_str().to_owned());
        Self {
            last_modified: answer.last_modified().and_then(date),
            lock: (lock != Lock::default()).then_some(lock),
            tags: answer.tag_count().and_then(|count| u32::try_from(count).ok()),
            archive: archive.or_else(|| answer.restore().map(str::to_owned)),
            replication: answer.replication_status().map(|status| status.as_str().to_owned()),
            other_checksum: other_checksum(answer),
        }
    }
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

/// Writes a date of an answer as RFC 3339, in whole seconds; `None` for one that no calendar holds.
pub(super) fn date(date: &DateTime) -> Option<String> {
    DateTime::from_secs(date.secs()).fmt(DateTimeFormat::DateTime).ok()
}

/// Writes a date given in seconds since 1970 as RFC 3339.
#[must_use]
pub(crate) fn date_of(seconds: u64) -> Option<String> {
    date(&DateTime::from_secs(i64::try_from(seconds).ok()?))
}
