//! Dates as text (RFC 3339 in UTC, whole seconds), and as seconds since 1970.
//!
//! Dates of answers are shown and compared, never computed with, so they are text wherever the SDK's type is not known.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

/// Formats the date of an answer; `None` if no calendar has it.
pub(super) fn rfc3339(date: &DateTime) -> Option<String> {
    DateTime::from_secs(date.secs()).fmt(DateTimeFormat::DateTime).ok()
}

/// Parses a date with time and offset (RFC 3339) to seconds since 1970.
pub(crate) fn seconds_of(text: &str) -> Option<i64> {
    DateTime::from_str(text, DateTimeFormat::DateTimeWithOffset).ok().map(|date| date.secs())
}

/// This machine's time in seconds since 1970.
pub(crate) fn local_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

/// Formats seconds since 1970.
pub(crate) fn rfc3339_of_seconds(seconds: i64) -> Option<String> {
    rfc3339(&DateTime::from_secs(seconds))
}
