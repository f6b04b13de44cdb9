//! S3's refusals: codes, statuses and texts as S3 gives them.
//!
//! They stand in one place because they are what a client's messages are tested against, word for word.
//!
//! What does not belong here: deciding when to refuse.

use s3s::{S3Error, S3ErrorCode};

use crate::kms::KmsRefusal;

fn refuse(code: S3ErrorCode, text: impl Into<String>) -> S3Error {
    S3Error::with_message(code, text.into())
}

fn custom(status: u16, code: &str, text: impl Into<String>) -> S3Error {
    let mut error = refuse(S3ErrorCode::Custom(code.into()), text);
    error.set_status_code(http::StatusCode::from_u16(status).expect("a status of HTTP"));
    error
}

/// 400 `InvalidArgument`
pub fn invalid_argument(text: impl Into<String>) -> S3Error {
    refuse(S3ErrorCode::InvalidArgument, text)
}

/// 400 `InvalidRequest`
pub fn invalid_request(text: impl Into<String>) -> S3Error {
    refuse(S3ErrorCode::InvalidRequest, text)
}

/// 501 `NotImplemented`
pub fn not_implemented() -> S3Error {
    let text = "A header you provided implies functionality that is not implemented";
    refuse(S3ErrorCode::NotImplemented, text)
}

/// 403 `AccessDenied` without a reason
pub fn access_denied() -> S3Error {
    denied("Access Denied")
}

/// 403 `AccessDenied` with a reason
pub fn denied(text: impl Into<String>) -> S3Error {
    refuse(S3ErrorCode::AccessDenied, text)
}

/// 400 `MalformedPolicy`
pub fn malformed_policy(text: impl Into<String>) -> S3Error {
    refuse(S3ErrorCode::MalformedPolicy, text)
}

/// 500 `InternalError`: the sandbox itself failed.
pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    let text = format!("We encountered an internal error. Please try again. ({error})");
    refuse(S3ErrorCode::InternalError, text)
}

/// 404 `NoSuchBucket`
pub fn no_such_bucket() -> S3Error {
    refuse(S3ErrorCode::NoSuchBucket, "The specified bucket does not exist")
}

/// 404 `NoSuchKey`
pub fn no_such_key() -> S3Error {
    refuse(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

/// 404 `NoSuchVersion`
pub fn no_such_version() -> S3Error {
    refuse(S3ErrorCode::NoSuchVersion, "The specified version does not exist.")
}

/// 404 `NoSuchUpload`
pub fn no_such_upload() -> S3Error {
    let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been \
                aborted or completed.";
    refuse(S3ErrorCode::NoSuchUpload, text)
}

/// 405 `MethodNotAllowed`: a delete marker was named.
pub fn method_not_allowed() -> S3Error {
    let text = "The specified method is not allowed against this resource.";
    refuse(S3ErrorCode::MethodNotAllowed, text)
}

/// 412 `PreconditionFailed`
pub fn precondition_failed() -> S3Error {
    let text = "At least one of the pre-conditions you specified did not hold";
    refuse(S3ErrorCode::PreconditionFailed, text)
}

/// 304, without a body
pub fn not_modified() -> S3Error {
    S3ErrorCode::NotModified.into()
}

/// 416 `InvalidRange`
pub fn invalid_range() -> S3Error {
    refuse(S3ErrorCode::InvalidRange, "The requested range is not satisfiable")
}

/// 416 `InvalidPartNumber`
pub fn invalid_part_number() -> S3Error {
    custom(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
}

/// 400 `MalformedXML`
pub fn malformed_xml() -> S3Error {
    let text = "The XML you provided was not well-formed or did not validate against our published schema";
    refuse(S3ErrorCode::MalformedXML, text)
}

/// 400 `BadDigest`: a checksum of `name` does not fit the bytes.
pub fn bad_checksum(name: &str) -> S3Error {
    let text = format!("The {name} you specified did not match the calculated checksum.");
    refuse(S3ErrorCode::BadDigest, text)
}

/// 400 `BadDigest`: the MD5 does not fit the bytes.
pub fn bad_md5() -> S3Error {
    let text = "The Content-MD5 you specified did not match what we received.";
    refuse(S3ErrorCode::BadDigest, text)
}

/// 400 `InvalidDigest`
pub fn invalid_md5() -> S3Error {
    refuse(S3ErrorCode::InvalidDigest, "The Content-MD5 you specified was invalid.")
}

/// 400 `EntityTooSmall`
pub fn entity_too_small() -> S3Error {
    let text = "Your proposed upload is smaller than the minimum allowed size";
    refuse(S3ErrorCode::EntityTooSmall, text)
}

/// 400 `EntityTooLarge`
pub fn entity_too_large() -> S3Error {
    let text = "Your proposed upload exceeds the maximum allowed size";
    refuse(S3ErrorCode::EntityTooLarge, text)
}

/// 400 `InvalidPart`
pub fn invalid_part() -> S3Error {
    let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                specified entity tag may not match the part's entity tag.";
    refuse(S3ErrorCode::InvalidPart, text)
}

/// 400 `InvalidPartOrder`
pub fn invalid_part_order() -> S3Error {
    let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
    refuse(S3ErrorCode::InvalidPartOrder, text)
}

/// 400 `MetadataTooLarge`
pub fn metadata_too_large() -> S3Error {
    let text = "Your metadata headers exceed the maximum allowed metadata size";
    refuse(S3ErrorCode::MetadataTooLarge, text)
}

/// 403 `InvalidObjectState`: archived and not restored.
pub fn archived() -> S3Error {
    let text = "The operation is not valid for the object's storage class";
    refuse(S3ErrorCode::InvalidObjectState, text)
}

/// 400 for a request whose body broke off, was longer than said, or did not have the hash it was signed with.
pub fn broken_body(error: &(dyn std::error::Error + 'static)) -> S3Error {
    let text = format!("{error:?} {error}");
    if text.contains("Sha256Mismatch") {
        let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return custom(400, "XAmzContentSHA256Mismatch", text);
    }
    if text.contains("SignatureMismatch") {
        return refuse(S3ErrorCode::SignatureDoesNotMatch, super::service::WRONG_SECRET);
    }
    let text = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    refuse(S3ErrorCode::IncompleteBody, text)
}

/// 400 `InvalidEncryptionAlgorithmError`
pub fn invalid_encryption_algorithm() -> S3Error {
    let text = "The Encryption request you specified is not valid. Supported value: AES256.";
    refuse(S3ErrorCode::InvalidEncryptionAlgorithmError, text)
}

/// 400 `InvalidRequest`: an SSE-C object, and no key.
pub fn customer_key_missing() -> S3Error {
    invalid_request(
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
         retrieve the object.",
    )
}

/// 403 `AccessDenied`: an SSE-C object, and another key.
pub fn customer_key_wrong() -> S3Error {
    denied(
        "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
    )
}

/// 400 `InvalidRequest`: a key for an object that has none.
pub fn customer_key_needless() -> S3Error {
    invalid_request("The encryption parameters are not applicable to this object.")
}

/// 403 `AccessDenied`: the bucket blocks SSE-C writes.
pub fn sse_c_blocked(principal: &str, bucket: &str, key: &str) -> S3Error {
    denied(format!(
        "User: {principal} is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::{bucket}/{key}\" \
         because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided \
         keys (SSE-C). Please specify a different server-side encryption type"
    ))
}

/// KMS's refusal, as S3 hands it on.
pub fn kms(refusal: &KmsRefusal) -> S3Error {
    match refusal {
        KmsRefusal::Denied { .. } => denied(refusal.text()),
        other => custom(400, &format!("KMS.{}", other.exception()), other.text()),
    }
}

/// 403 `InvalidObjectState`: a copy from an archived object.
pub fn archived_source() -> S3Error {
    let text = "Operation is not valid for the source object's storage class";
    refuse(S3ErrorCode::InvalidObjectState, text)
}

/// 400 `IdempotencyException`: a token that stands for another job already.
pub fn idempotency() -> S3Error {
    custom(400, "IdempotencyException", "The client request token was used for another job.")
}

/// 400 `BadRequest`
pub fn bad_request(text: &str) -> S3Error {
    custom(400, "BadRequest", text)
}
