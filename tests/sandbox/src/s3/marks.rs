//! What a request that makes an object says of it beside its bytes and its encryption.
//!
//! What does not belong here: giving it back (see `ops::get`).

use http::HeaderMap;
use s3s::dto::{Metadata, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::object::{Attributes, Hold, Marks};
use super::sse::header;
use super::{error, url};

/// The most bytes that the names and values of an object's metadata may have together.
const MAX_METADATA: usize = 2048;

/// The most tags of one object.
const MAX_TAGS: usize = 10;

const CLASSES: [&str; 10] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "EXPRESS_ONEZONE",
    "OUTPOSTS",
];

const ACLS: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// Reads all of it.
///
/// # Errors
/// For values S3 does not know, and for too much metadata.
pub fn read(headers: &HeaderMap, metadata: Option<Metadata>) -> S3Result<Marks> {
    Ok(Marks {
        attributes: attributes(headers, metadata)?,
        tags: tags(headers)?,
        storage_class: storage_class(headers)?,
        acl: acl(headers)?,
        hold: hold(headers)?,
    })
}

/// Reads the content headers and the metadata.
///
/// # Errors
/// For too much metadata.
pub fn attributes(headers: &HeaderMap, metadata: Option<Metadata>) -> S3Result<Attributes> {
    let text = |name| header(headers, name).map(str::to_owned);
    let metadata = metadata.unwrap_or_default();
    let size: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_METADATA {
        return Err(error::metadata_too_large());
    }
    let encoding = text("content-encoding").map(|value| {
        let kept = value.split(',').map(str::trim).filter(|each| *each != "aws-chunked");
        kept.collect::<Vec<_>>().join(",")
    });
    Ok(Attributes {
        content_type: text("content-type"),
        cache_control: text("cache-control"),
        content_disposition: text("content-disposition"),
        content_encoding: encoding.filter(|value| !value.is_empty()),
        content_language: text("content-language"),
        expires: text("expires"),
        website_redirect: text("x-amz-website-redirect-location"),
        metadata: metadata.into_iter().collect(),
    })
}

/// Reads the tags of `x-amz-tagging`.
///
/// # Errors
/// If it is no query string, or has too many.
pub fn tags(headers: &HeaderMap) -> S3Result<Vec<(String, String)>> {
    let Some(text) = header(headers, "x-amz-tagging") else {
        return Ok(Vec::new());
    };
    let wrong = || {
        error::invalid_argument(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag \
             name duplicates.",
        )
    };
    let tags = url::pairs(text).ok_or_else(wrong)?;
    check_tags(&tags)?;
    Ok(tags)
}

/// Refuses tags that S3 would not keep.
///
/// # Errors
/// For too many, for one named twice, for one too long.
pub fn check_tags(tags: &[(String, String)]) -> S3Result<()> {
    let invalid = |text: &str| Err(S3Error::with_message(S3ErrorCode::InvalidTag, text.to_owned()));
    if tags.len() > MAX_TAGS {
        let text = "Object tags cannot be greater than 10";
        return Err(error::bad_request(text));
    }
    for (at, (name, value)) in tags.iter().enumerate() {
        if tags[..at].iter().any(|(other, _)| other == name) {
            return invalid("Cannot provide multiple Tags with the same key");
        }
        if name.is_empty() || name.chars().count() > 128 {
            return invalid("The TagKey you have provided is invalid");
        }
        if value.chars().count() > 256 {
            return invalid("The TagValue you have provided is invalid");
        }
    }
    Ok(())
}

/// Reads the storage class.
///
/// # Errors
/// If S3 has none of that name.
pub fn storage_class(headers: &HeaderMap) -> S3Result<Option<String>> {
    let class = header(headers, "x-amz-storage-class");
    if class.is_some_and(|class| !CLASSES.contains(&class)) {
        let text = "The storage class you specified is not valid";
        return Err(S3Error::with_message(S3ErrorCode::InvalidStorageClass, text));
    }
    Ok(class.map(str::to_owned))
}

/// Reads the canned ACL.
///
/// # Errors
/// If S3 has none of that name.
pub fn acl(headers: &HeaderMap) -> S3Result<Option<String>> {
    let acl = header(headers, "x-amz-acl");
    if acl.is_some_and(|acl| !ACLS.contains(&acl)) {
        return Err(error::invalid_argument(""));
    }
    Ok(acl.map(str::to_owned))
}

fn hold(headers: &HeaderMap) -> S3Result<Hold> {
    let mode = header(headers, "x-amz-object-lock-mode");
    let until = header(headers, "x-amz-object-lock-retain-until-date");
    if mode.is_some() != until.is_some() {
        return Err(error::invalid_argument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        ));
    }
    let until = until.map(|text| Timestamp::parse(TimestampFormat::DateTime, text));
    let until = until
        .transpose()
        .map_err(|_| error::invalid_argument("The retain until date must be provided in ISO 8601 format"))?;
    Ok(Hold {
        mode: mode.map(str::to_owned),
        until: until.map(Into::into),
        legal: header(headers, "x-amz-object-lock-legal-hold") == Some("ON"),
    })
}
