//! Service errors as s3seal's errors: the only files that read service error codes.
//!
//! An answer is parsed into a [`Refusal`], from which [`Refusal::classify`] makes the error; requests without
//! an answer are read in `network`.

use std::error::Error as StdError;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use http_body_util::LengthLimitError;

use crate::error::{Error, NetworkFault, Subject};

mod chain;
mod network;
mod service_codes;

pub(super) use chain::find;
pub(super) use network::{OverHttp, Stalled, TlsUnusable, broken, is_not_trusted, was_never_sent};
use service_codes::Refusal;

/// The header in which an interceptor notes the region that was asked.
pub(super) const ASKED_REGION_HEADER: &str = "s3seal-asked-region";

/// An SDK error of any operation.
pub(super) type Refused<E> = SdkError<E, HttpResponse>;

/// The error type of an operation.
pub(super) trait Coded: ProvideErrorMetadata + StdError + Send + Sync + 'static {}
impl<T: ProvideErrorMetadata + StdError + Send + Sync + 'static> Coded for T {}

/// Turns an SDK error into one of s3seal's; `action` is what was tried, such as `s3:GetObject`.
#[expect(clippy::needless_pass_by_value, reason = "made to be what map_err calls")]
pub(super) fn read<E: Coded>(subject: impl Into<Subject>, action: &str, error: Refused<E>) -> Error {
    let subject = subject.into();
    match &error {
        SdkError::ServiceError(context) => {
            let header = |name: &str| context.raw().headers().get(name).map(str::to_owned);
            let refusal = Refusal {
                status: context.raw().status().as_u16(),
                code: context.err().code().unwrap_or_default().to_owned(),
                message: context.err().message().unwrap_or_default().to_owned(),
                region: header("x-amz-bucket-region"),
                asked_region: header(ASKED_REGION_HEADER),
                request_id: header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
                is_delete_marker: header("x-amz-delete-marker").is_some_and(|said| said == "true"),
            };
            if refusal.code.is_empty() && context.raw().status().is_success() {
                let (why, source) = (other_document(&chain::innermost(&error).to_string()), refusal.into());
                return Error::NotUnderstood { subject, why, source: Some(source) };
            }
            match header("location") {
                Some(place) if refusal.code.is_empty() && refusal.region.is_none() => {
                    let why = format!("it redirects to {place}, and redirects are not followed");
                    Error::NotUnderstood { subject, why, source: Some(refusal.into()) }
                }
                _ => refusal.classify(subject, action),
            }
        }
        SdkError::ResponseError(_) if is_too_long(&error) => {
            Error::not_understood(subject, "it is longer than any answer from S3 or KMS")
        }
        SdkError::TimeoutError(_) => network::error(subject, NetworkFault::Timeout, &error),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => network::not_sent(subject, &error),
        _ => broken(subject, &error),
    }
}

/// Whether an answer was cut off because it is too long.
pub(super) fn is_too_long(error: &(dyn StdError + 'static)) -> bool {
    find::<LengthLimitError>(error).is_some()
}

/// Says how a document differs from the one expected, from what the SDK's decoder says about its root.
fn other_document(text: &str) -> String {
    let between = |from: &str, to: &str| Some(text.split_once(from)?.1.split_once(to)?.0);
    match (between("expected ", " but got"), between("local: \"", "\"")) {
        (Some(expected), Some(found)) => format!("expected the document <{expected}>, found <{found}>"),
        _ => format!("not the document expected: {text}"),
    }
}
