//! Modification times as metadata: in decimal seconds since 1970, as rclone keeps them.
//!
//! Source: the metadata entry `mtime` of rclone's S3 backend ("Modified time", rclone.org/s3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The metadata entry.
pub(crate) const MTIME: &str = "mtime";

/// More than the text of any time that a file system keeps.
const MAX_TEXT_BYTES: usize = 40;

/// Writes a time, with as many digits behind the point as it has.
pub(crate) fn mtime_text(time: SystemTime) -> String {
    let (sign, since) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => ("", since),
        Err(before) => ("-", before.duration()),
    };
    let text = format!("{sign}{}.{:09}", since.as_secs(), since.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads a time. Digits beyond nanoseconds are dropped; anything else is no time.
pub(crate) fn read_mtime(text: &str) -> Option<SystemTime> {
    if text.len() > MAX_TEXT_BYTES {
        return None;
    }
    let (is_before, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (seconds, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let nanos = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = nanos.fold(0, |nanos, digit| nanos * 10 + u32::from(digit - b'0'));
    let since = Duration::new(seconds.parse().ok()?, nanos);
    if is_before { UNIX_EPOCH.checked_sub(since) } else { UNIX_EPOCH.checked_add(since) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rclone_writes_them_and_come_back() {
        for (seconds, nanos, text) in [
            (1_354_040_105, 123_456_789, "1354040105.123456789"),
            (1_354_040_105, 120_000_000, "1354040105.12"),
            (1_354_040_100, 0, "1354040100"),
            (0, 1, "0.000000001"),
            (0, 0, "0"),
        ] {
            let time = UNIX_EPOCH + Duration::new(seconds, nanos);
            assert_eq!(mtime_text(time), text);
            assert_eq!(read_mtime(text), Some(time));
        }
        let before = UNIX_EPOCH - Duration::new(1, 500_000_000);
        assert_eq!(mtime_text(before), "-1.5");
        assert_eq!(read_mtime("-1.5"), Some(before));
    }

    #[test]
    fn what_is_no_time_is_none_and_digits_beyond_nanoseconds_are_dropped() {
        let time = UNIX_EPOCH + Duration::new(1, 999_999_999);
        assert_eq!(read_mtime("1.9999999999999"), Some(time));
        let long = "1".repeat(41);
        for text in
            ["", "-", ".5", "1e9", "+1", "1.5.5", "1,5", "--1", "2024-01-01", "99999999999999999999", &long]
        {
            assert_eq!(read_mtime(text), None, "{text}");
        }
    }
}
