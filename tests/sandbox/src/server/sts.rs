//! The one question to STS that the sandbox answers: who the credentials stand for.
//!
//! Source: GetCallerIdentity in the AWS Security Token Service API reference.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use s3s::Body;

use crate::config::Config;
use crate::kms::Failure;

/// Whether a request is in the protocol of STS, which no request of S3 or KMS is.
pub(super) fn is_sts(method: &Method, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    method == Method::POST && kind == Some("application/x-www-form-urlencoded")
}

/// Answers a request whose signature was checked.
pub(super) fn answer(
    config: &Config,
    checked: Result<(), Failure>,
    head: &Parts,
    body: &Bytes,
) -> Response<Body> {
    let asks = head.uri.path() == "/" && body.starts_with(b"Action=GetCallerIdentity&");
    let (status, text) = match checked {
        Err(failure) => {
            let json = failure.to_json();
            let field = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
            (StatusCode::FORBIDDEN, error(&code(&field("__type")), &field("message")))
        }
        Ok(()) if asks => (StatusCode::OK, identity(config)),
        Ok(()) => (StatusCode::BAD_REQUEST, error("InvalidAction", "Could not find operation")),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

/// The query protocol's code for an exception of the JSON protocol.
fn code(exception: &str) -> String {
    match exception {
        "UnrecognizedClientException" => "InvalidClientTokenId".to_owned(),
        "InvalidSignatureException" => "SignatureDoesNotMatch".to_owned(),
        other => other.trim_end_matches("Exception").to_owned(),
    }
}

fn identity(config: &Config) -> String {
    let (arn, account) = (config.principal(), &config.account);
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>AIDASANDBOX</UserId><Account>{account}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>SANDBOX000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
}

fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>SANDBOX000000000</RequestId></ErrorResponse>"
    )
}
