//! The headers that the answers of many operations share.
//!
//! They are set as headers, not through the protocol crate's fields, because those of HEAD, GET, put and copy are the same
//! and some are newer than the crate.
//!
//! What does not belong here: bodies.

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::{Timestamp, TimestampFormat};
use time::OffsetDateTime;

use crate::s3::checksum::{ChecksumType, Sum};
use crate::s3::object::Object;
use crate::s3::state::{Lie, S3State};
use crate::s3::unlock::echo_headers;

/// Sets a header, if the value can be one.
pub fn set(headers: &mut HeaderMap, name: &'static str, value: impl AsRef<str>) {
    if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Sets the checksum and its type.
pub fn set_sum(state: &S3State, headers: &mut HeaderMap, sum: &Sum, kind: Option<ChecksumType>) {
    if state.lies(Lie::IgnoreChecksums) {
        return;
    }
    let name = format!("x-amz-checksum-{}", sum.algorithm.lower());
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), sum.value.parse()) {
        headers.insert(name, value);
    }
    if let Some(kind) = kind {
        set(headers, "x-amz-checksum-type", kind.name());
    }
}

/// A time as HTTP writes it.
pub fn http_date(time: OffsetDateTime) -> String {
    let mut text = Vec::new();
    let written = Timestamp::from(time).format(TimestampFormat::HttpDate, &mut text);
    written.expect("writing into memory");
    String::from_utf8(text).expect("a date in ASCII")
}

/// A time as XML writes it.
pub fn iso_date(time: OffsetDateTime) -> String {
    let mut text = Vec::new();
    let written = Timestamp::from(time).format(TimestampFormat::DateTime, &mut text);
    written.expect("writing into memory");
    String::from_utf8(text).expect("a date in ASCII")
}

/// An entity tag as a header shows it.
pub fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// All that HEAD and GET say of an object beside length, range, parts, checksum and metadata.
pub fn of_object(
    state: &S3State,
    object: &Object,
    modified: OffsetDateTime,
    version: Option<&str>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    set(&mut headers, "accept-ranges", "bytes");
    set(&mut headers, "last-modified", http_date(modified));
    set(&mut headers, "etag", quoted(&object.etag));
    let attributes = &object.marks.attributes;
    let plain = "binary/octet-stream".to_owned();
    let class = object.marks.storage_class.as_ref();
    let fields = [
        ("content-type", attributes.content_type.as_ref().or(Some(&plain))),
        ("cache-control", attributes.cache_control.as_ref()),
        ("content-disposition", attributes.content_disposition.as_ref()),
        ("content-encoding", attributes.content_encoding.as_ref()),
        ("content-language", attributes.content_language.as_ref()),
        ("expires", attributes.expires.as_ref()),
        ("x-amz-website-redirect-location", attributes.website_redirect.as_ref()),
        ("x-amz-storage-class", class.filter(|class| *class != "STANDARD")),
        ("x-amz-object-lock-mode", object.marks.hold.mode.as_ref()),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            set(&mut headers, name, value);
        }
    }
    if let Some(until) = object.marks.hold.until {
        set(&mut headers, "x-amz-object-lock-retain-until-date", iso_date(until));
    }
    if object.marks.hold.legal {
        set(&mut headers, "x-amz-object-lock-legal-hold", "ON");
    }
    if let Some(version) = version {
        set(&mut headers, "x-amz-version-id", version);
    }
    if object.restored {
        let restore = "ongoing-request=\"false\", expiry-date=\"Fri, 31 Dec 2100 00:00:00 GMT\"";
        set(&mut headers, "x-amz-restore", restore);
    }
    echo_headers(state, &object.sse, &mut headers);
    headers
}

/// Sets the five checksum fields of one of the protocol crate's outputs.
macro_rules! fill_sum {
    ($target:expr, $sum:expr) => {
        if let Some(sum) = $sum {
            let value = Some(sum.value.clone());
            match sum.algorithm {
                $crate::s3::Algorithm::Crc32 => $target.checksum_crc32 = value,
                $crate::s3::Algorithm::Crc32C => $target.checksum_crc32c = value,
                $crate::s3::Algorithm::Crc64Nvme => $target.checksum_crc64nvme = value,
                $crate::s3::Algorithm::Sha1 => $target.checksum_sha1 = value,
                $crate::s3::Algorithm::Sha256 => $target.checksum_sha256 = value,
            }
        }
    };
}
pub(crate) use fill_sum;
