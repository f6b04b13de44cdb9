//! A service's refusal: codes and texts that S3, KMS and servers like them answer with, and the error that each is.
//!
//! Pure. Source of codes and texts: answers of Amazon S3 and AWS KMS, "Error responses" in the S3 API reference.

use std::error::Error as StdError;
use std::fmt;

use crate::error::{Cause, Denial, Error, KeyFault, KeyNeed, NetworkFault, Subject, Unsupported};

/// A service's error, parsed; shown as the cause of s3seal's error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// The region that the bucket is in, and the one that was asked.
    pub(super) region: Option<String>,
    pub(super) asked_region: Option<String>,
    pub(super) request_id: Option<String>,
    /// Whether it says that the version is a delete marker.
    pub(super) is_delete_marker: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code.is_empty() {
            write!(f, "HTTP status {}", self.status)?;
        } else {
            write!(f, "{}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.request_id {
            Some(id) => write!(f, " (HTTP {}, request {id})", self.status),
            None => Ok(()),
        }
    }
}

impl StdError for Refusal {}

impl Refusal {
    /// Finds s3seal's error for `action` on `subject`.
    pub(super) fn classify(self, subject: Subject, action: &str) -> Error {
        let source: Option<Cause> = Some(self.clone().into());
        if let Some(why) = self.key_fault() {
            return Error::KeyWrong { subject, why, source };
        }
        if let Some(why) = self.denial() {
            return Error::Denied { subject, why, source };
        }
        match self.code.as_str() {
            "NoSuchBucket" => {
                let bucket = subject.bucket().map(Subject::from);
                Error::NotFound { subject: bucket.unwrap_or(subject), source }
            }
            "NoSuchKey" | "NoSuchVersion" | "NotFound" => Error::NotFound { subject, source },
            "NoSuchUpload" => {
                let upload = subject.uri().map(|uri| Subject::Upload(Box::new(uri.clone())));
                Error::NotFound { subject: upload.unwrap_or(subject), source }
            }
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                let region = self.region.or_else(|| region_expected(&self.message));
                Error::WrongRegion { subject, region, asked: self.asked_region, source }
            }
            "PreconditionFailed" | "ConditionalRequestConflict" => Error::Changed { subject, source },
            "SlowDown" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
                Error::Network { subject, why: NetworkFault::Throttled, source }
            }
            // Also inside a 200, after which S3 can only say it in the body: CopyObject, CompleteMultipartUpload.
            "InternalError" | "ServiceUnavailable" => {
                Error::Network { subject, why: NetworkFault::Unavailable, source }
            }
            "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody" => {
                Error::AlteredInTransit { subject, source }
            }
            "EntityTooLarge" => Error::too_large(subject, self.message),
            // To a GET or HEAD of a version. A 405 alone may be a server that knows no versions.
            _ if self.status == 405 && self.is_delete_marker && is_version(&subject) => {
                let source = Some("that version is a delete marker, which has no content".into());
                Error::NotFound { subject, source }
            }
            "InvalidArgument" if is_version(&subject) && says_no_version_id(&self.message) => {
                Error::NotFound { subject, source }
            }
            _ => self.by_text(subject, action, source),
        }
    }

    fn key_fault(&self) -> Option<KeyFault> {
        let key = || named_key(&self.message);
        Some(match self.code.as_str() {
            // radosgw's code for a key that its KMS does not know.
            "InvalidAccessKeyId" if self.message.contains(RADOSGW_KMS_KEY) => {
                KeyFault::KmsUnknown { key: key() }
            }
            "IncorrectKeyException" | "InvalidCiphertextException" => {
                KeyFault::DoesNotUnwrap { fingerprint: None }
            }
            code if code.ends_with("DisabledException") => KeyFault::KmsDisabled { key: key() },
            code if code.ends_with("KMSInvalidStateException") => {
                invalid_state(key(), self.message.contains("pending import"))
            }
            code if code.ends_with("NotFoundException") => KeyFault::KmsUnknown { key: key() },
            _ => return None,
        })
    }

    fn denial(&self) -> Option<Denial> {
        Some(match self.code.as_str() {
            "InvalidAccessKeyId" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
                Denial::UnknownAccessKey
            }
            // KMS has one code for both.
            "InvalidSignatureException" if is_out_of_time(&self.message) => Denial::ClockSkew,
            "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
                Denial::BadSignature
            }
            "InvalidToken" => Denial::BadToken,
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => Denial::Expired,
            "RequestTimeTooSkewed" | "RequestExpired" => Denial::ClockSkew,
            _ => return None,
        })
    }

    /// Cases that S3 distinguishes only in the text.
    fn by_text(self, subject: Subject, action: &str, source: Option<Cause>) -> Error {
        let says = |words: &str| self.message.contains(words);
        // The second text is radosgw's. Where an object is written, it is about the request's own checksum.
        let of_another_key = action == "s3:GetObject" && says("calculated MD5 hash of the key did not match");
        if says("must provide the correct secret key") || of_another_key {
            return Error::KeyWrong { subject, why: KeyFault::NotTheCustomerKey, source };
        }
        // The second text is that of servers other than S3, each of which ends it differently.
        if says("stored using a form of Server Side Encryption")
            || says("Server Side Encryption with Customer provided keys must provide")
        {
            return Error::KeyNeeded { subject, need: KeyNeed::Customer };
        }
        if says("not applicable to this object") {
            let found = "not encrypted with SSE-C".to_owned();
            return Error::KeyWrong { subject, why: KeyFault::NotApplicable { found }, source };
        }
        // S3 says so only if the copy changes nothing; other servers also if it changes the encryption.
        if says("trying to copy an object to itself") {
            return Error::unsupported(subject, Unsupported::NoSelfCopy);
        }
        // The second text is MinIO's, the third radosgw's.
        if says("missing Object Lock Configuration")
            || says("missing ObjectLockConfiguration")
            || says("bucket object lock not configured")
        {
            let bucket = subject.bucket().map(Subject::from);
            return Error::unsupported(bucket.unwrap_or(subject), Unsupported::NoObjectLock);
        }
        if says("blocked upload requests") && says("SSE-C") {
            return Error::Denied { subject, why: Denial::SseCBlocked, source };
        }
        if let Some((action, key)) = not_authorized(&self.message) {
            let is_kms = action.starts_with("kms:");
            let why = if is_kms { Denial::Kms { action, key } } else { Denial::Action { action } };
            return Error::Denied { subject, why, source };
        }
        self.by_status(subject, action, source)
    }

    fn by_status(self, subject: Subject, action: &str, source: Option<Cause>) -> Error {
        match self.status {
            301 | 307 => {
                Error::WrongRegion { subject, region: self.region, asked: self.asked_region, source }
            }
            401 | 403 => {
                let action = action.to_owned();
                let is_kms = action.starts_with("kms:");
                let why =
                    if is_kms { Denial::Kms { action, key: None } } else { Denial::Unexplained { action } };
                Error::Denied { subject, why, source }
            }
            404 => Error::NotFound { subject, source },
            412 => Error::Changed { subject, source },
            // S3 itself says EntityTooLarge, in a 400.
            413 => Error::ProxyLimit { subject },
            429 => Error::Network { subject, why: NetworkFault::Throttled, source },
            501 => Error::unsupported(subject, format!("the server does not support it: {}", self.message)),
            500..=599 => Error::Network { subject, why: NetworkFault::Unavailable, source },
            status => {
                let code = if self.code.is_empty() { format!("HTTP {status}") } else { self.code };
                Error::Service { subject, code, source }
            }
        }
    }
}

fn is_version(subject: &Subject) -> bool {
    matches!(subject, Subject::Object { version_id: Some(_), .. })
}

/// S3's words about a version id that it never gave: "Invalid version id specified".
fn says_no_version_id(message: &str) -> bool {
    message.to_ascii_lowercase().contains("invalid version id")
}

/// radosgw names a KMS key after these words.
const RADOSGW_KMS_KEY: &str = "kms-keyid:";

/// Reads "… is not authorized to perform: ACTION on resource: ARN because …".
fn not_authorized(text: &str) -> Option<(String, Option<String>)> {
    let (_, rest) = text.split_once("not authorized to perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    let key = rest
        .split_once("on resource: ")
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .filter(|key| action.starts_with("kms:") && key.starts_with("arn:"));
    Some((action.to_owned(), key.map(str::to_owned)))
}

/// The key that a KMS refusal is about: an ARN in the text, what radosgw names, or quoted text.
fn named_key(text: &str) -> String {
    if let Some((_, key)) = text.split_once(RADOSGW_KMS_KEY) {
        return key.split_whitespace().next().unwrap_or_default().to_owned();
    }
    if let Some(at) = text.find("arn:") {
        let end =
            text[at..].find(|c: char| c.is_whitespace() || c == '\'').map_or(text.len(), |len| at + len);
        return text[at..end].to_owned();
    }
    match text.split('\'').nth(1) {
        Some(quoted) => quoted.to_owned(),
        None => "(not named in the answer)".to_owned(),
    }
}

/// Whether a signature is refused for its time ("Signature expired: … is now earlier than …").
fn is_out_of_time(message: &str) -> bool {
    ["Signature expired", "Signature not yet current"].iter().any(|words| message.starts_with(words))
}

/// Nearly always a key is pending deletion, so whatever is not known to be another state counts as that.
fn invalid_state(key: String, is_pending_import: bool) -> KeyFault {
    if is_pending_import { KeyFault::KmsPendingImport { key } } else { KeyFault::KmsPendingDeletion { key } }
}

/// Reads "… the region 'a' is wrong; expecting 'b'".
fn region_expected(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("expecting '")?;
    rest.split('\'').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::S3Uri;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/k-1";

    fn read(status: u16, code: &str, message: &str) -> Error {
        let refusal = Refusal { status, code: code.into(), message: message.into(), ..Refusal::default() };
        let uri: S3Uri = "s3://bkt/key".parse().unwrap();
        refusal.classify((&uri).into(), "s3:PutObject")
    }

    fn key_fault(error: Error) -> KeyFault {
        match error {
            Error::KeyWrong { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    fn denial(error: Error) -> Denial {
        match error {
            Error::Denied { why, .. } => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_customer_key() {
        let error = read(
            403,
            "AccessDenied",
            "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
        );
        assert_eq!(key_fault(error), KeyFault::NotTheCustomerKey);
    }

    #[test]
    fn a_missing_customer_key() {
        let error = read(
            400,
            "InvalidRequest",
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
        );
        assert!(matches!(error, Error::KeyNeeded { need: KeyNeed::Customer, .. }), "{error:?}");
    }

    #[test]
    fn a_server_that_copies_nothing_onto_itself() {
        let error = read(
            400,
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        );
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }

    #[test]
    fn a_bucket_whose_objects_cannot_be_locked() {
        let error = read(400, "InvalidRequest", "Bucket is missing Object Lock Configuration");
        assert!(matches!(error, Error::Unsupported { why: Unsupported::NoObjectLock, .. }), "{error:?}");
        assert_eq!(error.to_string(), "the bucket bkt: Object Lock is not enabled, so nothing can be locked");
    }

    #[test]
    fn a_key_for_an_object_that_has_none() {
        let error =
            read(400, "InvalidRequest", "The encryption parameters are not applicable to this object.");
        assert!(matches!(key_fault(error), KeyFault::NotApplicable { .. }));
    }

    #[test]
    fn sse_c_blocked_on_the_bucket() {
        let error = read(
            403,
            "AccessDenied",
            "User: arn:aws:iam::1:user/u is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::bkt/key\" \
             because this bucket has blocked upload requests that specify Server Side Encryption with Customer \
             provided keys (SSE-C). Please specify a different server-side encryption type",
        );
        assert_eq!(denial(error), Denial::SseCBlocked);
    }

    #[test]
    fn kms_denied_says_which_action_and_key() {
        let text = format!(
            "User: arn:aws:iam::1:user/u is not authorized to perform: kms:GenerateDataKey on resource: {ARN} \
             because no identity-based policy allows the kms:GenerateDataKey action"
        );
        let expected = Denial::Kms { action: "kms:GenerateDataKey".into(), key: Some(ARN.into()) };
        assert_eq!(denial(read(403, "AccessDenied", &text)), expected);
        assert_eq!(denial(read(400, "AccessDeniedException", &text)), expected);
    }

    #[test]
    fn denied_without_a_reason_says_what_was_tried() {
        let unexplained = Denial::Unexplained { action: "s3:PutObject".into() };
        assert_eq!(denial(read(403, "AccessDenied", "Access Denied")), unexplained);
        assert_eq!(denial(read(403, "", "")), unexplained);
    }

    #[test]
    fn kms_keys_that_are_of_no_use() {
        for (code, text, expected) in [
            (
                "KMS.DisabledException",
                format!("{ARN} is disabled."),
                KeyFault::KmsDisabled { key: ARN.into() },
            ),
            ("DisabledException", format!("{ARN} is disabled."), KeyFault::KmsDisabled { key: ARN.into() }),
            (
                "KMS.KMSInvalidStateException",
                format!("{ARN} is pending deletion."),
                KeyFault::KmsPendingDeletion { key: ARN.into() },
            ),
            (
                "KMS.NotFoundException",
                format!("Key '{ARN}' does not exist"),
                KeyFault::KmsUnknown { key: ARN.into() },
            ),
            ("KMS.NotFoundException", "Invalid keyId 'x'".into(), KeyFault::KmsUnknown { key: "x".into() }),
        ] {
            assert_eq!(key_fault(read(400, code, &text)), expected, "{code} {text}");
        }
    }

    #[test]
    fn a_data_key_that_this_kms_key_does_not_unwrap() {
        for code in ["IncorrectKeyException", "InvalidCiphertextException"] {
            assert_eq!(
                key_fault(read(400, code, "")),
                KeyFault::DoesNotUnwrap { fingerprint: None },
                "{code}"
            );
        }
    }

    #[test]
    fn a_bucket_elsewhere_names_its_region() {
        for (error, expected) in [
            (
                read(400, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'eu-west-1'"),
                Some("eu-west-1"),
            ),
            (read(301, "", ""), None),
        ] {
            let Error::WrongRegion { region, .. } = error else { panic!("{error:?}") };
            assert_eq!(region.as_deref(), expected);
        }
    }

    #[test]
    fn credentials_and_clocks() {
        for (code, expected) in [
            ("InvalidAccessKeyId", Denial::UnknownAccessKey),
            ("SignatureDoesNotMatch", Denial::BadSignature),
            ("ExpiredToken", Denial::Expired),
            ("InvalidToken", Denial::BadToken),
            ("RequestTimeTooSkewed", Denial::ClockSkew),
        ] {
            assert_eq!(denial(read(403, code, "")), expected, "{code}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = read(404, "NoSuchBucket", "The specified bucket does not exist");
        assert_eq!(error.to_string(), "the bucket bkt does not exist");
        assert_eq!(read(404, "NoSuchKey", "").to_string(), "s3://bkt/key does not exist");
        assert!(matches!(read(404, "", ""), Error::NotFound { .. }));
    }

    #[test]
    fn trouble_that_may_pass_is_told_from_a_refusal() {
        for (status, code, expected) in [
            (503, "SlowDown", NetworkFault::Throttled),
            (500, "InternalError", NetworkFault::Unavailable),
            (503, "ServiceUnavailable", NetworkFault::Unavailable),
        ] {
            let Error::Network { why, .. } = read(status, code, "") else { panic!("{code}") };
            assert_eq!(why, expected, "{code}");
        }
        assert!(matches!(read(501, "NotImplemented", "x"), Error::Unsupported { .. }));
        assert!(matches!(read(412, "PreconditionFailed", ""), Error::Changed { .. }));
        assert!(matches!(read(400, "BadDigest", ""), Error::AlteredInTransit { .. }));
        assert!(matches!(read(413, "", ""), Error::ProxyLimit { .. }));
        assert!(matches!(read(400, "InvalidArgument", "x"), Error::Service { .. }));
    }
}
