//! The first step of every verb that touches something stored: what is there, and which key opens it.

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::aws::objects::{HeadOptions, Reader};
use crate::encryption::Mode;
use crate::error::{Denial, Error, KeyFault, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

/// What was found.
pub(crate) struct KeyedHead {
    /// What S3 says about the object.
    pub(crate) head: ObjectHead,
    /// The SSE-C key that opens it, if it needs one.
    pub(crate) customer_key: Option<CustomerKey>,
}

/// Looks at an object; offers the SSE-C keys, in their order, where S3's answer says that it needs one.
///
/// `expect` is the mode that the user requires.
///
/// # Errors
/// What S3 refuses; `KeyNeeded` without a key for SSE-C, `KeyWrong` where none of them fits.
pub(crate) async fn head(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    head_with_keys(Reader { connection, uri, version_id, key: None }, HeadRequest::ObjectHead, keys, expect)
        .await
}

/// Looks at an object as [`head`] does, but not at its checksum: so no permission on its KMS key is needed.
///
/// # Errors
/// As [`head`].
pub(crate) async fn head_without_checksum(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
) -> Result<KeyedHead> {
    head_with_keys(
        Reader { connection, uri, version_id, key: None },
        HeadRequest::FactsWithoutChecksum,
        keys,
        None,
    )
    .await
}

/// Looks at an object as [`head`] does, and brings all of its bytes along in the same request, if there are no more than
/// `limit`.
///
/// # Errors
/// As [`head`].
pub(crate) async fn head_with_body(
    connection: &Connection,
    uri: &S3Uri,
    limit: u64,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    let reader = Reader { connection, uri, version_id: None, key: None };
    head_with_keys(reader, HeadRequest::WithBody(limit), keys, expect).await
}

/// What S3 is asked for.
#[derive(Clone, Copy)]
enum HeadRequest {
    ObjectHead,
    FactsWithoutChecksum,
    WithBody(u64),
}

impl HeadRequest {
    async fn ask(self, reader: &Reader<'_>) -> Result<ObjectHead> {
        match self {
            Self::ObjectHead => reader.head().await,
            Self::FactsWithoutChecksum => {
                reader.head_with(HeadOptions { checksum: false, explain: true }).await
            }
            Self::WithBody(limit) => reader.head_with_body(limit).await,
        }
    }
}

async fn head_with_keys(
    without: Reader<'_>,
    asking: HeadRequest,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<KeyedHead> {
    let asked = match asking.ask(&without).await {
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
        match asking.ask(&Reader { key: Some(key), ..without }).await {
            Ok(head) => return Ok(KeyedHead { head, customer_key: Some(key.again()) }),
            // Only S3 itself says why; others refuse the wrong key without a word.
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
