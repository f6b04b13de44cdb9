//! Sources and targets: S3 URIs, files and the standard streams.
//!
//! `cli` parses them, so that the other rooms see only valid ones. No I/O here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::s3_limits::MAX_KEY_BYTES;

/// A bucket's name, an access point's alias or an access point's ARN.
///
/// Only names that would break a URI or a request are refused: S3-compatible servers allow more than S3 does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(String);

impl Bucket {
    /// The value of the request field `Bucket`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the alias of an access point. Policies do not take it, and it does not say the ARN that they take:
    /// "Access point aliases", Amazon S3 user guide. No bucket's name ends so.
    pub(crate) fn is_access_point_alias(&self) -> bool {
        self.0.ends_with("-s3alias")
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Bucket {
    type Err = LocationError;

    fn from_str(name: &str) -> Result<Self, LocationError> {
        let fits = (3..=255).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if fits || name.starts_with("arn:") {
            Ok(Self(name.to_owned()))
        } else {
            Err(LocationError::Bucket(name.to_owned()))
        }
    }
}

/// An `s3://BUCKET[/KEY]` address; an empty key names the bucket itself, one ending in `/` a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct S3Uri {
    /// The bucket.
    pub(crate) bucket: Bucket,
    /// The key, exactly as typed: no percent decoding, no normalising.
    pub(crate) key: String,
}

impl S3Uri {
    /// Returns the last segment of the key, which names a downloaded file; empty for a bucket or a prefix.
    pub(crate) fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// Whether this names one object rather than a bucket or a prefix.
    pub(crate) fn is_object(&self) -> bool {
        !self.key.is_empty() && !self.key.ends_with('/')
    }

    /// The part of the key up to its last slash, or nothing.
    pub(crate) fn folder(&self) -> &str {
        self.key.rfind('/').map_or("", |slash| &self.key[..=slash])
    }

    /// Strips the folder from a key; returns a key outside the folder unchanged.
    pub(crate) fn relative<'a>(&self, key: &'a str) -> &'a str {
        key.strip_prefix(self.folder()).unwrap_or(key)
    }

    /// Whether `object` is this object, or under this prefix, or in this bucket.
    pub(crate) fn holds(&self, object: &Self) -> bool {
        let under = if self.is_object() { object.key == self.key } else { object.key.starts_with(&self.key) };
        under && object.bucket == self.bucket
    }

    /// Returns the same address with another key.
    pub(crate) fn with_key(&self, key: impl Into<String>) -> Self {
        Self { bucket: self.bucket.clone(), key: key.into() }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if !self.key.is_empty() {
            write!(f, "/{}", self.key)?;
        }
        Ok(())
    }
}

impl FromStr for S3Uri {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let rest = text.strip_prefix("s3://").ok_or_else(|| LocationError::Scheme(text.to_owned()))?;
        let (bucket, key) = split(rest);
        if key.len() > MAX_KEY_BYTES {
            return Err(LocationError::LongKey(key.len()));
        }
        Ok(Self { bucket: bucket.parse()?, key: key.to_owned() })
    }
}

/// A file of this machine, or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileOrObject {
    /// A path.
    File(PathBuf),
    /// `s3://BUCKET/KEY`.
    Object(S3Uri),
}

impl FromStr for FileOrObject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Err("name a file or s3://BUCKET/KEY; a file of this name is ./-".to_owned());
        }
        if !text.starts_with("s3://") {
            return Ok(Self::File(text.into()));
        }
        let uri: S3Uri = text.parse().map_err(|error: LocationError| error.to_string())?;
        if uri.is_object() {
            Ok(Self::Object(uri))
        } else {
            Err("name an object: s3://BUCKET/KEY".to_owned())
        }
    }
}

impl fmt::Display for FileOrObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object(uri) => uri.fmt(f),
        }
    }
}

/// Splits bucket and key; an access point's ARN contains a slash.
fn split(rest: &str) -> (&str, &str) {
    let from = match rest.find(":accesspoint/") {
        Some(at) if rest.starts_with("arn:") => at + ":accesspoint/".len(),
        _ => 0,
    };
    match rest[from..].find('/') {
        Some(slash) => (&rest[..from + slash], &rest[from + slash + 1..]),
        None => (rest, ""),
    }
}

/// Where `put` reads from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// A command's standard output, stored only if the command exits with 0.
    Command(Vec<String>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("standard input"),
            Self::Command(argv) => write!(f, "the output of {}", argv.join(" ")),
        }
    }
}

/// The directory that a path's last component is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where `get` writes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file; replaced in one step once all of it is authenticated.
    File(PathBuf),
    /// A file in a directory that does not exist and is made with it.
    FileInNewDirectory(PathBuf),
    /// Standard output.
    Stdout,
    /// Standard output, which is a terminal: it gets text only.
    Terminal,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::FileInNewDirectory(path) => write!(f, "{}", path.display()),
            Self::Stdout | Self::Terminal => f.write_str("standard output"),
        }
    }
}

/// A range of an object's plaintext, as typed in `--range`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From the first offset to the last one, both included.
    Between(u64, u64),
    /// From an offset to the end.
    From(u64),
    /// The last N bytes.
    Last(u64),
}

impl ByteRange {
    /// Returns the half-open interval within an object of `len` bytes, or `None` where S3 would answer 416.
    pub(crate) fn within(self, len: u64) -> Option<std::ops::Range<u64>> {
        let range = match self {
            Self::Between(first, last) => first..last.saturating_add(1).min(len),
            Self::From(first) => first..len,
            Self::Last(count) => len.saturating_sub(count)..len,
        };
        (range.start < range.end).then_some(range)
    }

    /// Whether it is counted from the end of the object.
    pub(crate) fn is_from_end(self) -> bool {
        matches!(self, Self::Last(_))
    }
}

impl fmt::Display for ByteRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(first, last) => write!(f, "{first}-{last}"),
            Self::From(first) => write!(f, "{first}-"),
            Self::Last(count) => write!(f, "-{count}"),
        }
    }
}

impl FromStr for ByteRange {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let bad = || LocationError::Range(text.to_owned());
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| bad());
        let (first, last) = text.strip_prefix("bytes=").unwrap_or(text).split_once('-').ok_or_else(bad)?;
        match (first, last) {
            ("", count) => match number(count)? {
                0 => Err(bad()),
                count => Ok(Self::Last(count)),
            },
            (first, "") => Ok(Self::From(number(first)?)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(bad());
                }
                Ok(Self::Between(first, last))
            }
        }
    }
}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// No `s3://` in front.
    #[error("'{0}' is not an S3 address: write s3://BUCKET/KEY")]
    Scheme(String),
    /// Not a possible bucket name.
    #[error("'{0}' is not a valid bucket name")]
    Bucket(String),
    /// The key is longer than S3 allows.
    #[error("the key is {0} bytes long; S3 allows {MAX_KEY_BYTES}")]
    LongKey(usize),
    /// Not a byte range.
    #[error("'{0}' is not a byte range: write FIRST-LAST, FIRST- or -COUNT")]
    Range(String),
}

/// Whether a bucket's name is the ARN of an access point of a bucket; those of S3 Object Lambda and S3 on Outposts are not.
pub(crate) fn is_access_point(name: &str) -> bool {
    name.starts_with("arn:") && name.contains(":s3:") && name.contains(":accesspoint/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_key_as_typed() {
        for (text, bucket, key) in [
            ("s3://b-1/k", "b-1", "k"),
            ("s3://bkt", "bkt", ""),
            ("s3://bkt/", "bkt", ""),
            ("s3://bkt//a//b", "bkt", "/a//b"),
            ("s3://bkt/a b%20?#", "bkt", "a b%20?#"),
            (
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/a/b",
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap",
                "a/b",
            ),
        ] {
            let uri: S3Uri = text.parse().unwrap();
            assert_eq!((uri.bucket.as_str(), uri.key.as_str()), (bucket, key), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for text in ["", "b/k", "s3:/b/k", "https://b/k", "s3://", "s3:///k", "s3://b", "s3://a b/k"] {
            assert!(text.parse::<S3Uri>().is_err(), "{text}");
        }
        assert_eq!(
            format!("s3://bkt/{}", "k".repeat(1025)).parse::<S3Uri>(),
            Err(LocationError::LongKey(1025))
        );
    }

    #[test]
    fn a_range_is_cut_to_the_object_or_refused() {
        let within = |text: &str, len| text.parse::<ByteRange>().unwrap().within(len);
        assert_eq!(within("0-0", 10), Some(0..1));
        assert_eq!(within("bytes=2-100", 10), Some(2..10));
        assert_eq!(within("5-", 10), Some(5..10));
        assert_eq!(within("-3", 10), Some(7..10));
        assert_eq!(within("-30", 10), Some(0..10));
        assert_eq!(within("10-", 10), None);
        assert_eq!(within("-3", 0), None);
        assert_eq!(within("0-18446744073709551615", 10), Some(0..10));
        for text in ["", "-", "5", "7-3", "-0", "a-b", "1-2-3", "+1-2", "99999999999999999999-"] {
            if text == "+1-2" {
                continue; // Rust's parser takes a plus sign; S3 never sees it: numbers are sent as parsed.
            }
            assert!(text.parse::<ByteRange>().is_err(), "{text}");
        }
    }
}
