//! The services' refusals in s3seal's words: the only file that reads service error codes.
//!
//! Reading is pure: an answer is taken apart into a [`Refusal`], and [`classify`] finds the remedy.
//! Source of codes and texts: answers of Amazon S3 and AWS KMS, "Error responses" in the S3 API reference.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::error::{Cause, Denial, Error, KeyFault, KeyNeed, NetworkFault};
use http_body_util::LengthLimitError;

/// An SDK error of any operation.
pub(super) type Refused<E> = SdkError<E, HttpResponse>;

/// What an operation's own error offers.
pub(super) trait Coded: ProvideErrorMetadata + StdError + Send + Sync + 'static {}
impl<T: ProvideErrorMetadata + StdError + Send + Sync + 'static> Coded for T {}

/// A key was about to go over http.
#[derive(Debug)]
pub(super) struct OverHttp {
    pub(super) key: &'static str,
}

impl fmt::Display for OverHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must not go over http; nothing was sent (use an https endpoint)", self.key)
    }
}

impl StdError for OverHttp {}

/// A service's refusal, taken apart; shown as the cause of the error it became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) region: Option<String>,
    pub(super) request_id: Option<String>,
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

#[expect(clippy::needless_pass_by_value, reason = "made to be what map_err calls")]
/// Turns an SDK error into one of s3seal's. `what` was to be done `action` to (such as `s3:GetObject`).
pub(super) fn read<E: Coded>(what: &str, action: &str, error: Refused<E>) -> Error {
    match &error {
        SdkError::ServiceError(context) => {
            let header = |name: &str| context.raw().headers().get(name).map(str::to_owned);
            let refusal = Refusal {
                status: context.raw().status().as_u16(),
                code: context.err().code().unwrap_or_default().to_owned(),
                message: context.err().message().unwrap_or_default().to_owned(),
                region: header("x-amz-bucket-region"),
                request_id: header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
            };
            if refusal.code.is_empty() && context.raw().status().is_success() {
                let (why, source) = (other_document(&innermost(&error).to_string()), refusal.into());
                return Error::NotUnderstood { what: what.to_owned(), why, source: Some(source) };
            }
            match header("location") {
                Some(place) if refusal.code.is_empty() && refusal.region.is_none() => {
                    let why = format!("it redirects to {place}, and redirects are not followed");
                    Error::NotUnderstood { what: what.to_owned(), why, source: Some(refusal.into()) }
                }
                _ => classify(what, action, refusal),
            }
        }
        SdkError::ResponseError(_) if is_too_long(&error) => {
            Error::not_understood(what, "it is longer than any answer of S3 or KMS")
        }
        SdkError::TimeoutError(_) => network(what, NetworkFault::Timeout, &error),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => not_sent(what, &error),
        _ => network(what, NetworkFault::Broken, &error),
    }
}

/// Whether an answer was ended because it is too long.
pub(super) fn is_too_long(error: &(dyn StdError + 'static)) -> bool {
    let mut link = Some(error);
    while let Some(cause) = link {
        if cause.is::<LengthLimitError>() {
            return true;
        }
        link = cause.source();
    }
    false
}

fn network(what: &str, why: NetworkFault, error: &(dyn StdError + 'static)) -> Error {
    Error::Network { what: what.to_owned(), why, source: Some(tip(error)) }
}

/// Says how a document differs from the one expected, from what the SDK's decoder says about its root.
fn other_document(text: &str) -> String {
    let between = |from: &str, to: &str| Some(text.split_once(from)?.1.split_once(to)?.0);
    match (between("expected ", " but got"), between("local: \"", "\"")) {
        (Some(expected), Some(found)) => format!("expected the document <{expected}>, found <{found}>"),
        _ => format!("not the document expected: {text}"),
    }
}

/// The innermost cause: what lies above it in the SDK's chain only says that something failed.
fn tip(error: &(dyn StdError + 'static)) -> Cause {
    innermost(error).to_string().into()
}

fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last
}

/// What hyper says of an answer's head that it cannot read.
const UNREADABLE: [&str; 2] = ["parsed", "message head is too large"];

/// Finds out why a request never became an answer.
fn not_sent(what: &str, error: &(dyn StdError + 'static)) -> Error {
    let mut link = Some(error);
    let mut words = String::new();
    while let Some(cause) = link {
        if let Some(refused) = cause.downcast_ref::<OverHttp>() {
            return Error::Unsupported { what: what.to_owned(), why: refused.to_string() };
        }
        if let Some(credentials) = cause.downcast_ref::<CredentialsError>() {
            let why = match credentials {
                CredentialsError::CredentialsNotLoaded(_) => Denial::NoCredentials,
                _ if wants_sso_login(credentials) => Denial::SsoLogin,
                _ => Denial::Credentials,
            };
            return Error::Denied { what: what.to_owned(), why, source: Some(tip(error)) };
        }
        words.push_str(&cause.to_string());
        words.push('\n');
        link = cause.source();
    }
    if ["no credentials", "no providers in chain provided"].iter().any(|said| words.contains(said)) {
        return Error::Denied { what: what.to_owned(), why: Denial::NoCredentials, source: None };
    }
    if UNREADABLE.iter().any(|said| words.contains(said)) {
        return Error::NotUnderstood {
            what: what.to_owned(),
            why: "it is not HTTP, or its headers are too many or too long".to_owned(),
            source: Some(tip(error)),
        };
    }
    network(what, fault(&words), error)
}

/// Whether a connector failed before it had a connection to send anything over.
pub(super) fn was_never_sent(error: &(dyn StdError + 'static)) -> bool {
    let mut words = error.to_string();
    let mut link = error.source();
    while let Some(cause) = link {
        words = format!("{words}\n{cause}");
        link = cause.source();
    }
    let was_sent = matches!(fault(&words), NetworkFault::Broken | NetworkFault::Timeout)
        || UNREADABLE.iter().any(|said| words.contains(said));
    !was_sent
}

/// Tells from the words of an error and its causes how the network gave up.
fn fault(words: &str) -> NetworkFault {
    let says = |word: &str| words.contains(word);
    if says("corrupt message") {
        NetworkFault::NotTls
    } else if says("certificate expired") || says("certificate not valid yet") {
        NetworkFault::CertificateTime
    } else if says("certificate") || says("UnknownIssuer") || says("TLS") {
        NetworkFault::Tls
    } else if says("timed out") || says("timeout") || says("throughput") {
        NetworkFault::Timeout
    } else if says("reset") || says("broken pipe") || says("closed") || says("IncompleteMessage") {
        NetworkFault::Broken
    } else {
        NetworkFault::Connect
    }
}

/// Whether credentials could not be had because there is no session of IAM Identity Center, or none that is still open. The
/// SDK's errors tell it in their texts only.
fn wants_sso_login(error: &(dyn StdError + 'static)) -> bool {
    let mut link = Some(error);
    while let Some(cause) = link {
        let text = cause.to_string();
        if ["SSO token", "/sso/cache/", "UnauthorizedException"].iter().any(|words| text.contains(words)) {
            return true;
        }
        link = cause.source();
    }
    false
}

/// Behind these words radosgw names a KMS key.
const RADOSGW_KMS_KEY: &str = "kms-keyid:";

/// Finds the remedy for a refusal.
pub(super) fn classify(what: &str, action: &str, refusal: Refusal) -> Error {
    let what = what.to_owned();
    let message = refusal.message.clone();
    let denied = |why| move |what, source| Error::Denied { what, why, source };
    let wrong = |why| move |what, source| Error::KeyWrong { what, why, source };
    let key_named = || named_key(&message);
    let build: Box<dyn FnOnce(String, Option<Cause>) -> Error> = match refusal.code.as_str() {
        "NoSuchBucket" => {
            let bucket = bucket_of(&what);
            return Error::NotFound { what: bucket, source: Some(refusal.into()) };
        }
        "NoSuchKey" | "NoSuchVersion" | "NoSuchUpload" | "NotFound" => {
            Box::new(|what, source| Error::NotFound { what, source })
        }
        // radosgw's code for a key that its KMS does not know.
        "InvalidAccessKeyId" if message.contains(RADOSGW_KMS_KEY) => {
            Box::new(wrong(KeyFault::KmsUnknown { key: key_named() }))
        }
        "InvalidAccessKeyId" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
            Box::new(denied(Denial::UnknownAccessKey))
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            Box::new(denied(Denial::BadSignature))
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            Box::new(denied(Denial::Expired))
        }
        "RequestTimeTooSkewed" | "RequestExpired" => Box::new(denied(Denial::ClockSkew)),
        "IncorrectKeyException" | "InvalidCiphertextException" => {
            Box::new(wrong(KeyFault::DoesNotUnwrap { fingerprint: None }))
        }
        code if code.ends_with("DisabledException") => {
            Box::new(wrong(KeyFault::KmsDisabled { key: key_named() }))
        }
        code if code.ends_with("KMSInvalidStateException") => {
            Box::new(wrong(KeyFault::KmsPendingDeletion { key: key_named() }))
        }
        code if code.ends_with("NotFoundException") => {
            Box::new(wrong(KeyFault::KmsUnknown { key: key_named() }))
        }
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            let region = refusal.region.clone().or_else(|| region_expected(&message));
            Box::new(|what, source| Error::WrongRegion { what, region, source })
        }
        "PreconditionFailed" | "ConditionalRequestConflict" => {
            Box::new(|what, source| Error::Changed { what, source })
        }
        "SlowDown" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
            Box::new(|what, source| Error::Network { what, why: NetworkFault::Throttled, source })
        }
        "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "IncompleteBody" => {
            Box::new(|what, source| Error::Garbled { what, source })
        }
        "EntityTooLarge" => {
            let why = message.clone();
            return Error::TooLarge { what, why };
        }
        _ => return by_text(what, action, refusal),
    };
    build(what, Some(refusal.into()))
}

/// Cases that S3 tells apart in the text only.
fn by_text(what: String, action: &str, refusal: Refusal) -> Error {
    let text = refusal.message.clone();
    let says = |words: &str| text.contains(words);
    let status = refusal.status;
    let region = refusal.region.clone();
    let code = if refusal.code.is_empty() { format!("HTTP {status}") } else { refusal.code.clone() };
    let source: Option<Cause> = Some(refusal.into());
    // The second text is radosgw's. Where an object is written, it says that the request was garbled.
    let of_another_key = action == "s3:GetObject" && says("calculated MD5 hash of the key did not match");
    if says("must provide the correct secret key") || of_another_key {
        return Error::KeyWrong { what, why: KeyFault::NotTheCustomerKey, source };
    }
    // The second text is that of servers other than S3; what they miss of the key, each says otherwise.
    if says("stored using a form of Server Side Encryption")
        || says("Server Side Encryption with Customer provided keys must provide")
    {
        return Error::KeyNeeded { what, need: KeyNeed::Customer };
    }
    if says("not applicable to this object") {
        let found = "not encrypted with SSE-C".to_owned();
        return Error::KeyWrong { what, why: KeyFault::NotApplicable { found }, source };
    }
    // S3 says so only if the copy changes nothing; others also where it is another encryption that is asked for.
    if says("trying to copy an object to itself") {
        let why = "this server does not copy an object onto itself for another encryption; \
                   `s3seal get` and `s3seal put` bring it there";
        return Error::Unsupported { what, why: why.to_owned() };
    }
    if says("blocked upload requests") && says("SSE-C") {
        return Error::Denied { what, why: Denial::SseCBlocked, source };
    }
    if let Some((action, key)) = not_authorized(&text) {
        let why =
            if action.starts_with("kms:") { Denial::Kms { action, key } } else { Denial::Action { action } };
        return Error::Denied { what, why, source };
    }
    match status {
        301 | 307 => Error::WrongRegion { what, region, source },
        401 | 403 => {
            let why = if action.starts_with("kms:") {
                Denial::Kms { action: action.to_owned(), key: None }
            } else {
                Denial::Unexplained { action: action.to_owned() }
            };
            Error::Denied { what, why, source }
        }
        404 => Error::NotFound { what, source },
        412 => Error::Changed { what, source },
        // S3 itself says EntityTooLarge, in a 400.
        413 => Error::ProxyLimit { what },
        429 => Error::Network { what, why: NetworkFault::Throttled, source },
        500..=599 if status != 501 => Error::Network { what, why: NetworkFault::Unavailable, source },
        501 => Error::Unsupported { what, why: format!("this server cannot do it: {text}") },
        _ => Error::Service { what, code, source },
    }
}

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

/// The key that a KMS refusal is about: an ARN in the text, what radosgw names, or what stands in quotes.
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

/// Reads "… the region 'a' is wrong; expecting 'b'".
fn region_expected(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("expecting '")?;
    rest.split('\'').next().map(str::to_owned)
}

fn bucket_of(what: &str) -> String {
    match what.strip_prefix("s3://") {
        Some(rest) => format!("the bucket {}", rest.split('/').next().unwrap_or_default()),
        None => what.to_owned(),
    }
}

/// Makes the error of a body that broke off on its way down.
pub(super) fn broken(what: &str, error: &aws_sdk_s3::primitives::ByteStreamError) -> Error {
    let text = innermost(error).to_string();
    let stalled = text.contains("throughput") || text.contains("timed out");
    let why = if stalled { NetworkFault::Timeout } else { NetworkFault::Broken };
    Error::Network { what: what.to_owned(), why, source: Some(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/k-1";

    fn read(status: u16, code: &str, message: &str) -> Error {
        let refusal = Refusal { status, code: code.into(), message: message.into(), ..Refusal::default() };
        classify("s3://bkt/key", "s3:PutObject", refusal)
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
        assert!(matches!(read(400, "BadDigest", ""), Error::Garbled { .. }));
        assert!(matches!(read(413, "", ""), Error::ProxyLimit { .. }));
        assert!(matches!(read(400, "InvalidArgument", "x"), Error::Service { .. }));
    }
}
