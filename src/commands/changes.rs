//! What differs between files and a listing, and what is to be done about it: pure.
//!
//! A listing shows sizes and when objects were stored, so that no request is needed for an object that stays.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::aws::listing::Listed;
use crate::aws::timestamp::seconds_of;
use crate::limits::{CLOCK_SKEW_UNSURE, MAX_ESDK_OVERHEAD_EXPECTED, MIN_ESDK_OVERHEAD_EXPECTED};
use crate::location::S3Uri;

/// Why something is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The target does not have it.
    Missing,
    /// The source was written after the target.
    Newer,
    /// The target has another size.
    OtherSize,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Newer => "newer",
            Self::OtherSize => "another size",
        })
    }
}

/// What became of one of many files or objects.
#[derive(Debug)]
pub(crate) enum Change<T> {
    Transferred(T),
    /// It stays as it is.
    Unchanged,
    /// Nothing was done; this would be.
    Planned(Planned),
    Deleted(Deleted),
}

/// An object or a file that was deleted.
#[derive(Clone, Debug)]
pub(crate) enum Deleted {
    Object(S3Uri),
    File(PathBuf),
}

/// What a run that changes nothing would do.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) action: Action,
    /// The object.
    pub(crate) uri: Option<S3Uri>,
    /// The file; none for standard output.
    pub(crate) file: Option<PathBuf>,
    /// Of a file its length, of an object the stored bytes, if they are known.
    pub(crate) bytes: Option<u64>,
    /// None where nothing was compared.
    pub(crate) reason: Option<Reason>,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Store,
    Fetch,
    Delete,
}

/// Why a file is to be stored; `None` if the object is the one that it would become. `stored_len` is the length that it
/// would have there.
///
/// A listing shows whole seconds, and some file systems keep no finer ones: what was written in the second in which the
/// object was stored counts as newer, for it may be. So does what was written before that by a clock that is behind the
/// service's, which is `ahead` by so many seconds: it may have been written after.
pub(crate) fn reason_to_store(
    modified: Option<SystemTime>,
    stored_len: u64,
    there: &Listed,
    ahead: Option<i64>,
) -> Option<Reason> {
    if stored_len != there.len {
        return Some(Reason::OtherSize);
    }
    let stored = there.last_modified.as_deref().and_then(seconds_of);
    let modified = modified.map(|modified| seconds(modified).saturating_add(noted(ahead).max(0)));
    is_newer(modified, stored).then_some(Reason::Newer)
}

/// How far the service's clock is ahead, or behind if it is less than 0. Some seconds say nothing: its answers name whole
/// ones, and travel.
fn noted(ahead: Option<i64>) -> i64 {
    ahead.filter(|ahead| ahead.unsigned_abs() > CLOCK_SKEW_UNSURE.as_secs()).unwrap_or_default()
}

/// What is known of a file that may have been fetched before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalFile {
    /// In bytes.
    pub(crate) len: u64,
    /// When the system last changed anything about it, in seconds since 1970. Nobody can set it back, so it shows when it
    /// was fetched, although its modification time is the source's.
    pub(crate) changed: i64,
    /// Whether it has what was fetched of the object as it is now; `None` if that is not known.
    pub(crate) is_of_this: Option<bool>,
}

/// Why an object is to be fetched; `None` if the file is what it would become. As in [`reason_to_store`], it is fetched where
/// the clocks leave it open.
pub(crate) fn reason_to_fetch(
    here: LocalFile,
    stored_len: u64,
    last_modified: Option<&str>,
    may_be_client_side: bool,
    ahead: Option<i64>,
) -> Option<Reason> {
    let same_size =
        here.len == stored_len || may_be_client_side && may_be_ciphertext_of(here.len, stored_len);
    if !same_size {
        return Some(Reason::OtherSize);
    }
    if let Some(is_of_this) = here.is_of_this {
        return (!is_of_this).then_some(Reason::Newer);
    }
    let stored = last_modified.and_then(seconds_of);
    is_newer(stored, Some(here.changed.saturating_add(noted(ahead).min(0)))).then_some(Reason::Newer)
}

/// Whether `stored` bytes may be the ciphertext of `plain` bytes. The formats of the S3 Encryption Client add 1 to 16
/// bytes. How long the header and the frames of the Encryption SDK are only the object itself says, so this is a range.
fn may_be_ciphertext_of(plain: u64, stored: u64) -> bool {
    let Some(added) = stored.checked_sub(plain) else { return false };
    let most = plain / 32 + MAX_ESDK_OVERHEAD_EXPECTED;
    (1..=16).contains(&added) || (MIN_ESDK_OVERHEAD_EXPECTED..=most).contains(&added)
}

/// What is not known counts as newer.
fn is_newer(source: Option<i64>, target: Option<i64>) -> bool {
    source.zip(target).is_none_or(|(source, target)| source >= target)
}

/// Whole seconds since 1970.
fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs().cast_signed(),
        Err(before) => -before.duration().as_secs().cast_signed() - 1,
    }
}

/// How much may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxDelete {
    Count(u64),
    /// Of what the target has.
    Percent(u8),
}

impl MaxDelete {
    /// Whether `deleted` of `all` may go.
    pub(crate) fn allows(self, deleted: u64, all: u64) -> bool {
        match self {
            Self::Count(most) => deleted <= most,
            Self::Percent(most) => u128::from(deleted) * 100 <= u128::from(all) * u128::from(most),
        }
    }
}

impl fmt::Display for MaxDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => most.fmt(f),
            Self::Percent(most) => write!(f, "{most}%"),
        }
    }
}

impl FromStr for MaxDelete {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const USE: &str = "use a number such as 100, or a share such as 10%";
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(Self::Count).map_err(|_| USE);
        };
        let percent = percent.parse().ok().filter(|percent| *percent <= 100);
        percent.map(Self::Percent).ok_or(USE)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn listed(len: u64, last_modified: &str) -> Listed {
        Listed { len, last_modified: Some(last_modified.to_owned()), ..Listed::default() }
    }

    #[test]
    fn a_file_is_stored_if_it_is_newer_or_has_another_size() {
        let at = |millis| Some(UNIX_EPOCH + Duration::from_millis(millis));
        let there = listed(5, "1970-01-01T00:00:10Z");
        for (modified, stored_len, ahead, expected) in [
            (at(9_999), 5, None, None),
            (at(10_000), 5, None, Some(Reason::Newer)),
            (at(10_999), 5, None, Some(Reason::Newer)),
            (at(9_000), 6, None, Some(Reason::OtherSize)),
            (None, 5, None, Some(Reason::Newer)),
            (Some(UNIX_EPOCH - Duration::from_millis(1)), 5, None, None),
            (at(3_000), 5, Some(7), Some(Reason::Newer)),
            (at(2_000), 5, Some(7), None),
            (at(10_000), 5, Some(-7), Some(Reason::Newer)),
            (at(9_999), 5, Some(2), None),
        ] {
            let found = reason_to_store(modified, stored_len, &there, ahead);
            assert_eq!(found, expected, "{modified:?} {stored_len} {ahead:?}");
        }
        let unknown = Listed { last_modified: None, ..there };
        assert_eq!(reason_to_store(at(0), 5, &unknown, None), Some(Reason::Newer));
    }

    #[test]
    fn an_object_is_fetched_if_it_is_newer_or_has_another_size() {
        let here = LocalFile { len: 100, changed: 10, is_of_this: None };
        let newer = Some("1970-01-01T00:00:10Z");
        let older = Some("1970-01-01T00:00:09Z");
        for (stored, stored_at, may_be_client_side, expected) in [
            (100, older, false, None),
            (100, newer, false, Some(Reason::Newer)),
            (100, None, false, Some(Reason::Newer)),
            (116, older, false, Some(Reason::OtherSize)),
            (116, older, true, None),
            (101, older, true, None),
            (117, older, true, Some(Reason::OtherSize)),
            (99, older, true, Some(Reason::OtherSize)),
            (100 + 700, older, true, None),
            (100 + (1 << 20), older, true, Some(Reason::OtherSize)),
        ] {
            let found = reason_to_fetch(here, stored, stored_at, may_be_client_side, None);
            assert_eq!(found, expected, "{stored} {stored_at:?} {may_be_client_side}");
        }
        for (changed, ahead, expected) in [
            (16, -7, Some(Reason::Newer)),
            (17, -7, None),
            (10, 7, None),
            (9, 7, Some(Reason::Newer)),
            (10, -2, None),
        ] {
            let found = reason_to_fetch(LocalFile { changed, ..here }, 100, older, false, Some(ahead));
            assert_eq!(found, expected, "{changed} {ahead}");
        }
        for (len, is_of_this, stored_at, expected) in [
            (100, true, newer, None),
            (100, false, older, Some(Reason::Newer)),
            (101, true, older, Some(Reason::OtherSize)),
        ] {
            let here = LocalFile { len, is_of_this: Some(is_of_this), ..here };
            assert_eq!(reason_to_fetch(here, 100, stored_at, false, None), expected, "{len} {is_of_this}");
        }
    }

    #[test]
    fn a_limit_is_a_number_or_a_share() {
        let max = |text: &str| text.parse::<MaxDelete>();
        assert!(max("3").unwrap().allows(3, 3) && !max("3").unwrap().allows(4, 100));
        assert!(max("50%").unwrap().allows(1, 2) && !max("50%").unwrap().allows(2, 3));
        assert!(max("0").unwrap().allows(0, 9) && !max("0%").unwrap().allows(1, 9));
        assert!(max("100%").unwrap().allows(9, 9));
        for text in ["", "%", "101%", "-1", "1.5%", "ten"] {
            assert!(max(text).is_err(), "{text}");
        }
    }
}
