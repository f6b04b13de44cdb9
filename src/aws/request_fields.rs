//! The fields that many requests have: bucket and key, owner and payer, headers and metadata, checksums.
//!
//! The SDK has a type for each operation and none in common, so these are macros. Encryption fields are in `sse`.

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, ObjectLockLegalHoldStatus, ObjectLockMode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::checksum::Algorithm;
use crate::object::{Lock, Settings};

/// Starts a request to a bucket, with its expected owner and the requester-pays header.
macro_rules! bucket_request {
    ($connection:expr, $operation:ident, $uri:expr) => {
        $connection
            .s3
            .$operation()
            .bucket($uri.bucket.as_str())
            .set_expected_bucket_owner($connection.owner())
            .set_request_payer($connection.payer())
    };
}

/// Starts a request to an object, or to one version of it.
macro_rules! object_request {
    ($connection:expr, $operation:ident, $uri:expr) => {
        crate::aws::request_fields::bucket_request!($connection, $operation, $uri).key(&$uri.key)
    };
    ($connection:expr, $operation:ident, $uri:expr, $version_id:expr) => {
        crate::aws::request_fields::object_request!($connection, $operation, $uri)
            .set_version_id($version_id.map(str::to_owned))
    };
}

/// Sets the fields that CopyObject can also copy from the source: content headers and metadata.
macro_rules! set_content_headers {
    ($request:expr, $settings:expr) => {
        $request
            .set_content_type($settings.content_type.clone())
            .set_cache_control($settings.cache_control.clone())
            .set_content_encoding($settings.content_encoding.clone())
            .set_content_disposition($settings.content_disposition.clone())
            .set_content_language($settings.content_language.clone())
            .set_expires($settings.expires.map(aws_sdk_s3::primitives::DateTime::from_secs))
            .set_metadata(Some($settings.metadata.clone().into_iter().collect()))
    };
}

/// Sets the fields that CopyObject never copies: storage class, ACL, Object Lock, redirect.
macro_rules! set_properties {
    ($request:expr, $settings:expr) => {
        $request
            .set_storage_class($settings.storage_class.as_deref().map(aws_sdk_s3::types::StorageClass::from))
            .set_acl($settings.acl.as_deref().map(aws_sdk_s3::types::ObjectCannedAcl::from))
            .set_grant_full_control(crate::aws::request_fields::granted(&$settings.grants.full_control))
            .set_grant_read(crate::aws::request_fields::granted(&$settings.grants.read))
            .set_grant_read_acp(crate::aws::request_fields::granted(&$settings.grants.read_acp))
            .set_grant_write_acp(crate::aws::request_fields::granted(&$settings.grants.write_acp))
            .set_website_redirect_location($settings.website_redirect.clone())
            .set_object_lock_mode(crate::aws::request_fields::lock_mode(&$settings.lock))
            .set_object_lock_retain_until_date(crate::aws::request_fields::lock_until(&$settings.lock))
            .set_object_lock_legal_hold_status(crate::aws::request_fields::legal_hold(&$settings.lock))
    };
}

/// Sets the checksum field of the algorithm.
macro_rules! set_checksum {
    ($request:expr, $algorithm:expr, $value:expr) => {
        match $algorithm {
            Algorithm::Crc64Nvme => $request.checksum_crc64_nvme($value),
            Algorithm::Crc32 => $request.checksum_crc32($value),
            Algorithm::Crc32c => $request.checksum_crc32_c($value),
            Algorithm::Sha1 => $request.checksum_sha1($value),
            Algorithm::Sha256 => $request.checksum_sha256($value),
        }
    };
}

/// The checksum field of the algorithm in an answer.
macro_rules! checksum_in {
    ($answer:expr, $algorithm:expr) => {
        match $algorithm {
            Algorithm::Crc64Nvme => $answer.checksum_crc64_nvme(),
            Algorithm::Crc32 => $answer.checksum_crc32(),
            Algorithm::Crc32c => $answer.checksum_crc32_c(),
            Algorithm::Sha1 => $answer.checksum_sha1(),
            Algorithm::Sha256 => $answer.checksum_sha256(),
        }
    };
}

pub(super) use {
    bucket_request, checksum_in, object_request, set_checksum, set_content_headers, set_properties,
};

/// The value of a grant header.
pub(super) fn granted(to: &[String]) -> Option<String> {
    (!to.is_empty()).then(|| to.join(", "))
}

pub(super) fn lock_mode(lock: &Lock) -> Option<ObjectLockMode> {
    lock.mode.as_deref().map(ObjectLockMode::from)
}

pub(super) fn lock_until(lock: &Lock) -> Option<DateTime> {
    lock.retain_until.map(DateTime::from_secs)
}

pub(super) fn legal_hold(lock: &Lock) -> Option<ObjectLockLegalHoldStatus> {
    lock.legal_hold.then_some(ObjectLockLegalHoldStatus::On)
}

/// The tags in the format of their header.
pub(super) fn tagging(settings: &Settings) -> Option<String> {
    if settings.tags.is_empty() {
        return None;
    }
    let pairs = settings.tags.iter().map(|(key, value)| format!("{}={}", percent(key), percent(value)));
    Some(pairs.collect::<Vec<_>>().join("&"))
}

/// Percent-encodes a part of a query string or path, such as a tag or a key's segment.
pub(super) fn percent(text: &str) -> PercentEncode<'_> {
    /// RFC 3986, section 2.3: all but the unreserved characters.
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED)
}

pub(super) fn sdk_algorithm(algorithm: Algorithm) -> ChecksumAlgorithm {
    match algorithm {
        Algorithm::Crc64Nvme => ChecksumAlgorithm::Crc64Nvme,
        Algorithm::Crc32 => ChecksumAlgorithm::Crc32,
        Algorithm::Crc32c => ChecksumAlgorithm::Crc32C,
        Algorithm::Sha1 => ChecksumAlgorithm::Sha1,
        Algorithm::Sha256 => ChecksumAlgorithm::Sha256,
    }
}

pub(super) fn sdk_type(algorithm: Algorithm) -> ChecksumType {
    if algorithm.is_full_object() { ChecksumType::FullObject } else { ChecksumType::Composite }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_travel_as_a_query_string() {
        let mut settings = Settings::default();
        assert_eq!(tagging(&settings), None);
        settings.tags.insert("team".to_owned(), "a&b=c ü".to_owned());
        settings.tags.insert("x".to_owned(), String::new());
        assert_eq!(tagging(&settings).as_deref(), Some("team=a%26b%3Dc%20%C3%BC&x="));
    }
}
