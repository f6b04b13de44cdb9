//! Listing what a bucket holds, a page at a time: as a stream, so that a listing of any length takes one page of
//! memory.
//!
//! Keys are requested percent-encoded, because XML cannot represent every key. `read_object` gets what a listing omits
//! (encryption, metadata).
//! Source: ListObjectsV2 and ListObjectVersions in the Amazon S3 API reference.

use std::borrow::Cow;

use aws_sdk_s3::types::{DeleteMarkerEntry, EncodingType, Object, ObjectVersion};
use futures_util::stream::{self, Stream, TryStreamExt};
use percent_encoding::percent_decode_str;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::object_head::etag_of;
use crate::aws::request_fields::bucket_request;
use crate::aws::timestamp::rfc3339;
use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_EMPTY_LISTING_PAGES, MAX_LISTING_PAGE_ENTRIES};
use crate::location::S3Uri;

/// One entry of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The whole key, with the prefix.
    pub(crate) key: ListedKey,
    /// The version, in a listing of versions.
    pub(crate) version_id: Option<String>,
    /// Whether it is the newest version, in a listing of versions.
    pub(crate) latest: Option<bool>,
    /// Stored bytes.
    pub(crate) len: u64,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// When it was stored (RFC 3339).
    pub(crate) last_modified: Option<String>,
    /// The storage class, in S3's words.
    pub(crate) storage_class: Option<String>,
}

/// A key as a listing gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListedKey {
    /// A key that requests can name.
    Text(String),
    /// A key that is not UTF-8, percent-encoded as received: S3 has no such keys, other servers may.
    NotText(String),
}

impl ListedKey {
    /// The key for messages: the key itself, or percent-encoded.
    pub(crate) fn as_str(&self) -> &str {
        let (Self::Text(key) | Self::NotText(key)) = self;
        key
    }

    /// The bytes of the key, by which listings are sorted.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Text(key) => key.as_bytes().into(),
            Self::NotText(shown) => percent_decode_str(&shown.replace('+', " ")).collect::<Vec<u8>>().into(),
        }
    }
}

impl Default for ListedKey {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The start of the next page.
enum Next {
    First,
    Token(String),
    Marker { key: String, version: Option<String> },
    End,
}

impl Connection {
    /// Lists the newest objects whose keys begin with that of `uri`, in the bucket's order; refuses all others.
    pub(crate) fn list<'a>(&'a self, uri: &'a S3Uri) -> impl Stream<Item = Result<Listed>> + 'a {
        stream::try_unfold((Next::First, Markers::default()), move |(next, mut pages)| async move {
            let token = match next {
                Next::End => return Ok(None),
                Next::Token(token) => Some(token),
                Next::First | Next::Marker { .. } => None,
            };
            let answer = bucket_request!(self, list_objects_v2, uri)
                .set_prefix((!uri.key.is_empty()).then(|| uri.key.clone()))
                .set_continuation_token(token)
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|refusal| error::read(Subject::prefix(uri), "s3:ListBucket", refusal))?;
            let encoded = answer.encoding_type() == Some(&EncodingType::Url);
            check_page(uri, answer.contents().len())?;
            let page: Vec<_> = answer.contents().iter().map(|entry| object(entry, encoded)).collect();
            check_keys(uri, &page)?;
            let next = if answer.is_truncated() == Some(true) {
                let after = answer.next_continuation_token().map(str::to_owned);
                Next::Token(pages.next(uri, after, page.len())?)
            } else {
                Next::End
            };
            Ok(Some((page, (next, pages))))
        })
        .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
        .try_flatten()
    }

    /// Lists at most one object, only to see what S3 answers.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn list_one(&self, uri: &S3Uri) -> Result<()> {
        bucket_request!(self, list_objects_v2, uri)
            .set_prefix((!uri.key.is_empty()).then(|| uri.key.clone()))
            .max_keys(1)
            .send()
            .await
            .map(drop)
            .map_err(|refusal| error::read(Subject::prefix(uri), "s3:ListBucket", refusal))
    }

    /// Lists all versions of the objects whose keys begin with that of `uri`, and refuses all others; delete markers are
    /// only counted, with `markers`.
    pub(crate) fn list_versions<'a>(
        &'a self,
        uri: &'a S3Uri,
        markers: &'a (dyn Fn(usize) + Sync),
    ) -> impl Stream<Item = Result<Listed>> + 'a {
        stream::try_unfold((Next::First, Markers::default()), move |(next, mut pages)| async move {
            let (key, version) = match next {
                Next::End => return Ok(None),
                Next::Marker { key, version } => (Some(key), version),
                Next::First | Next::Token(_) => (None, None),
            };
            let answer = bucket_request!(self, list_object_versions, uri)
                .set_prefix((!uri.key.is_empty()).then(|| uri.key.clone()))
                .set_key_marker(key)
                .set_version_id_marker(version)
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|refusal| error::read(Subject::prefix(uri), "s3:ListBucketVersions", refusal))?;
            let encoded = answer.encoding_type() == Some(&EncodingType::Url);
            let deleted: &[DeleteMarkerEntry] = answer.delete_markers();
            check_page(uri, answer.versions().len())?;
            let is_meant = |marker: &&DeleteMarkerEntry| {
                let text = |key: &str| marker_text(key, encoded);
                !uri.is_object() || marker.key().is_some_and(|key| text(key) == uri.key)
            };
            markers(deleted.iter().filter(is_meant).count());
            let page: Vec<_> = answer.versions().iter().map(|entry| self::version(entry, encoded)).collect();
            check_keys(uri, &page)?;
            let next = if answer.is_truncated() == Some(true) {
                let after = answer.next_key_marker().map(|marker| marker_text(marker, encoded));
                let after_version = answer.next_version_id_marker().map(str::to_owned);
                let after = after.map(|key| (key, after_version));
                let (key, version) = pages.next(uri, after, page.len() + deleted.len())?;
                Next::Marker { key, version }
            } else {
                Next::End
            };
            Ok(Some((page, (next, pages))))
        })
        .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
        .try_flatten()
    }
}

/// Sees that the pages of a listing go on to something: neither round in a circle, nor without an entry for ever. Their order does not show a circle: directory buckets have none,
/// and continuation tokens mean nothing to others. A marker is kept, and a later one instead after twice as many pages, so
/// that a circle of any length is found with one in memory.
/// Source: R. P. Brent, "An improved Monte Carlo factorization algorithm", BIT 20 (1980).
#[derive(Debug)]
pub(super) struct Markers<T> {
    kept: Option<T>,
    /// Pages since that marker.
    since: u64,
    /// Pages after which another one is kept.
    most: u64,
    /// Pages without an entry since the last one that had any.
    empty: u32,
}

impl<T> Default for Markers<T> {
    fn default() -> Self {
        Self { kept: None, since: 0, most: 1, empty: 0 }
    }
}

impl<T: PartialEq + Clone> Markers<T> {
    /// Takes the marker with which a truncated page says where the next one begins, and how many entries the page has.
    ///
    /// # Errors
    /// `Tampered` without a marker, or for a page that was listed before: going on would omit objects, or never end.
    /// `NotUnderstood` for too many pages without an entry.
    pub(super) fn next(&mut self, uri: &S3Uri, marker: Option<T>, entries: usize) -> Result<T> {
        let wrong = |why: &str| Error::tampered(Subject::prefix(uri), why);
        let marker =
            marker.ok_or_else(|| wrong("its listing is truncated, but does not say where to continue"))?;
        if self.kept.as_ref() == Some(&marker) {
            return Err(wrong("its listing goes round in a circle"));
        }
        self.empty = if entries == 0 { self.empty + 1 } else { 0 };
        if self.empty >= MAX_EMPTY_LISTING_PAGES {
            let why = format!("{} pages of the listing, one after the other, have no entry", self.empty);
            return Err(Error::not_understood(Subject::prefix(uri), why));
        }
        self.since += 1;
        if self.since == self.most {
            (self.kept, self.since, self.most) = (Some(marker.clone()), 0, self.most.saturating_mul(2));
        }
        Ok(marker)
    }
}

/// Refuses a page with too many entries: each would cost a request.
pub(super) fn check_page(uri: &S3Uri, entries: usize) -> Result<()> {
    if entries <= MAX_LISTING_PAGE_ENTRIES {
        return Ok(());
    }
    Err(Error::not_understood(Subject::prefix(uri), format!("a page of the listing has {entries} entries")))
}

/// Refuses a page with a key outside the prefix: verbs act on what is listed. What is no text cannot be acted on.
fn check_keys(uri: &S3Uri, page: &[Listed]) -> Result<()> {
    let foreign = page.iter().find_map(|entry| match &entry.key {
        ListedKey::Text(key) if !key.starts_with(&uri.key) => Some(uri.with_key(key.as_str())),
        _ => None,
    });
    let Some(foreign) = foreign else { return Ok(()) };
    let why = format!("the server listed {foreign}, whose key does not begin with the prefix");
    Err(Error::tampered(Subject::prefix(uri), why))
}

fn object(entry: &Object, encoded: bool) -> Listed {
    Listed {
        key: listed_key(entry.key().unwrap_or_default(), encoded),
        version_id: None,
        latest: None,
        len: entry.size().unwrap_or_default().unsigned_abs(),
        etag: etag_of(entry.e_tag()),
        last_modified: entry.last_modified().and_then(rfc3339),
        storage_class: entry.storage_class().map(|class| class.as_str().to_owned()),
    }
}

fn version(entry: &ObjectVersion, encoded: bool) -> Listed {
    Listed {
        key: listed_key(entry.key().unwrap_or_default(), encoded),
        version_id: entry.version_id().map(str::to_owned),
        latest: entry.is_latest(),
        len: entry.size().unwrap_or_default().unsigned_abs(),
        etag: etag_of(entry.e_tag()),
        last_modified: entry.last_modified().and_then(rfc3339),
        storage_class: entry.storage_class().map(|class| class.as_str().to_owned()),
    }
}

pub(in crate::aws) fn listed_key(text: &str, encoded: bool) -> ListedKey {
    if !encoded {
        return ListedKey::Text(text.to_owned());
    }
    match decoded(text) {
        Some(key) => ListedKey::Text(key),
        None => ListedKey::NotText(text.to_owned()),
    }
}

pub(super) fn marker_text(text: &str, encoded: bool) -> String {
    if encoded { decoded(text).unwrap_or_else(|| text.to_owned()) } else { text.to_owned() }
}

/// Decodes percent-encoded text in which a plus sign is a space; `None` if that is not UTF-8, or not encoded so.
fn decoded(text: &str) -> Option<String> {
    let is_byte = |after: &str| {
        after.as_bytes().first_chunk::<2>().is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_byte) {
        return None;
    }
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_as_they_were() {
        for (encoded, plain) in [
            ("a%2Fb", "a/b"),
            ("a+b%2Bc", "a b+c"),
            ("%0A%1B%5B31m", "\n\x1b[31m"),
            ("gr%C3%B6%C3%9Fe", "größe"),
            ("größe", "größe"),
            ("..%2F..%2Fetc", "../../etc"),
        ] {
            assert_eq!(listed_key(encoded, true), ListedKey::Text(plain.to_owned()), "{encoded}");
        }
        assert_eq!(listed_key("a%2Fb", false), ListedKey::Text("a%2Fb".to_owned()));
    }

    #[test]
    fn a_circle_of_pages_is_found_and_a_listing_without_one_goes_on() {
        let uri: S3Uri = "s3://bkt/".parse().unwrap();
        for (before, circle) in [(0, 1), (0, 2), (1, 3), (100, 7), (5, 1000)] {
            let mut markers = Markers::default();
            let page =
                |number: u64| if number < before { number } else { before + (number - before) % circle };
            let refused =
                (0..4 * (before + circle)).find(|number| markers.next(&uri, Some(page(*number)), 1).is_err());
            assert!(
                refused.is_some_and(|number| number >= before + circle),
                "{before} {circle}: {refused:?}"
            );
        }
        let mut markers = Markers::default();
        assert!((0..10_000).all(|number| markers.next(&uri, Some(number), 1).is_ok()));
        assert!(markers.next(&uri, None, 1).is_err());
    }

    #[test]
    fn empty_pages_are_given_up_only_if_very_many_follow_each_other() {
        let uri: S3Uri = "s3://bkt/".parse().unwrap();
        let limit = u64::from(MAX_EMPTY_LISTING_PAGES);
        let mut markers = Markers::default();
        let entries = |number: u64| usize::from((number + 1).is_multiple_of(limit));
        assert!((0..5 * limit).all(|number| markers.next(&uri, Some(number), entries(number)).is_ok()));
        let refused = (5 * limit..7 * limit).position(|number| markers.next(&uri, Some(number), 0).is_err());
        assert_eq!(refused, Some(MAX_EMPTY_LISTING_PAGES as usize - 1));
    }

    #[test]
    fn what_is_no_text_is_shown_as_it_came() {
        for text in ["%FF", "a%", "a%2", "%zz", "%+1"] {
            assert_eq!(listed_key(text, true), ListedKey::NotText(text.to_owned()));
        }
        assert_eq!(*listed_key("a+%FF", true).bytes(), *b"a \xff");
    }
}
