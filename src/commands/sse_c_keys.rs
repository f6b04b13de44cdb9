//! HEAD with the SSE-C key that an object needs: the first step of every command that reads an object.
//!
//! The first request has no key. Only if S3 answers that the object needs one are the user's keys tried, in order. Keys
//! for client-side encryption are tried in `open_envelope`.

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::{HeadOptions, ObjectReader};
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;
use crate::error::{Denial, Error, KeyFault, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

/// An object's head, and the SSE-C key that was needed to get it.
pub(crate) struct KeyedHead {
    pub(crate) head: ObjectHead,
    pub(crate) customer_key: Option<CustomerKey>,
}

/// Sends a HEAD; `expect` is the mode that the user requires.
///
/// # Errors
/// For an object in SSE-C, `KeyNeeded` if there are no keys, `KeyWrong` if none of them fits, `NotUnderstood` if an answer
/// does not confirm the key, and `NotAsExpected` if the user requires another mode.
pub(crate) async fn head(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    let reader = ObjectReader { connection, uri, version_id, key: None };
    head_with_keys(reader, HeadRequest::Head { checksum: true }, keys, expect).await
}

/// As [`head`], but without the checksum, which requires permission to use the object's KMS key.
pub(crate) async fn head_without_checksum(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
) -> Result<KeyedHead> {
    let reader = ObjectReader { connection, uri, version_id, key: None };
    head_with_keys(reader, HeadRequest::Head { checksum: false }, keys, None).await
}

/// As [`head`], with all of the object's bytes in the same response if there are no more than `limit`.
pub(crate) async fn head_with_body(
    connection: &Connection,
    uri: &S3Uri,
    limit: u64,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    head_with_keys(reader, HeadRequest::GetUpTo(limit), keys, expect).await
}

#[derive(Clone, Copy)]
enum HeadRequest {
    Head { checksum: bool },
    GetUpTo(u64),
}

impl HeadRequest {
    async fn send(self, reader: &ObjectReader<'_>) -> Result<ObjectHead> {
        match self {
            Self::Head { checksum } => reader.head_with(HeadOptions { checksum, explain: true }).await,
            Self::GetUpTo(limit) => reader.head_with_body(limit).await,
        }
    }
}

/// Whether an answer to a request with this key says that the object is encrypted with it. S3 does, with the key's MD5; a
/// server that does not know SSE-C takes any key for any object.
pub(crate) fn confirms(head: &ObjectHead, key: &CustomerKey) -> bool {
    head.applied.mode == AppliedMode::Known(Mode::SseC)
        && head.applied.customer_key_md5.as_deref() == Some(key.md5())
}

async fn head_with_keys(
    without: ObjectReader<'_>,
    request: HeadRequest,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    let asked = match request.send(&without).await {
        Ok(head) => return Ok(KeyedHead { head, customer_key: None }),
        Err(asked @ Error::KeyNeeded { .. }) => asked,
        Err(error) => return Err(error),
    };
    if let Some(expected) = expect.filter(|mode| *mode != Mode::SseC) {
        return Err(match asked {
            Error::KeyNeeded { subject, .. } => Error::NotAsExpected {
                subject,
                expected: expected.title().to_owned(),
                found: Mode::SseC.title().to_owned(),
            },
            error => error,
        });
    }
    let mut refusal = None;
    for key in keys {
        match request.send(&ObjectReader { key: Some(key), ..without }).await {
            Ok(head) if confirms(&head, key) => {
                return Ok(KeyedHead { head, customer_key: Some(key.again()) });
            }
            Ok(head) if head.applied.mode == AppliedMode::Known(Mode::SseC) => {
                let (subject, why) = (without.subject(), KeyFault::NotTheCustomerKey);
                refusal = Some(Error::KeyWrong { subject, why, source: None });
            }
            Ok(_) => {
                return Err(Error::not_understood(without.subject(), "it does not confirm the SSE-C key"));
            }
            // Only S3 itself says that the key is wrong; other servers refuse it without a reason.
            Err(
                error @ (Error::KeyWrong { .. }
                | Error::Service { .. }
                | Error::Denied { why: Denial::Unexplained { .. }, .. }),
            ) => refusal = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(match refusal {
        None => asked,
        Some(Error::KeyWrong { source, .. } | Error::Denied { source, .. }) => {
            let why = match keys.len() {
                1 => KeyFault::NotTheCustomerKey,
                tried => KeyFault::NoneFits { tried },
            };
            Error::KeyWrong { subject: without.subject(), why, source }
        }
        Some(error) => error,
    })
}
