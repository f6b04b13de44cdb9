//! The first step of every verb that touches something stored: what is there, and which key opens it.

use crate::aws::Connection;
use crate::aws::objects::{Facts, Reader};
use crate::encryption::Mode;
use crate::error::{Denial, Error, KeyFault, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

/// What was found.
pub struct Sighting {
    /// What S3 says about the object.
    pub facts: Facts,
    /// The SSE-C key that opens it, if it needs one.
    pub customer_key: Option<CustomerKey>,
}

/// Looks at an object; offers the SSE-C keys, in their order, where S3's answer says that it needs one.
///
/// `expect` is the mode that the user requires.
///
/// # Errors
/// What S3 refuses; `KeyNeeded` without a key for SSE-C, `KeyWrong` where none of them fits.
pub async fn look(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<Sighting> {
    seek(Reader { connection, uri, version_id, key: None }, Asking::Facts, keys, expect).await
}

/// Looks at an object as [`look`] does, but not at its checksum: so no permission on its KMS key is needed.
///
/// # Errors
/// As [`look`].
pub async fn glance(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    keys: &[CustomerKey],
) -> Result<Sighting> {
    seek(Reader { connection, uri, version_id, key: None }, Asking::FactsWithoutChecksum, keys, None).await
}

/// Looks at an object as [`look`] does, and brings all of its bytes along in the same request, if there are no more than
/// `limit`.
///
/// # Errors
/// As [`look`].
pub async fn look_into(
    connection: &Connection,
    uri: &S3Uri,
    limit: u64,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<Sighting> {
    let reader = Reader { connection, uri, version_id: None, key: None };
    seek(reader, Asking::WithBody(limit), keys, expect).await
}

/// What S3 is asked for.
#[derive(Clone, Copy)]
enum Asking {
    Facts,
    FactsWithoutChecksum,
    WithBody(u64),
}

impl Asking {
    async fn ask(self, reader: &Reader<'_>) -> Result<Facts> {
        match self {
            Self::Facts => reader.head().await,
            Self::FactsWithoutChecksum => reader.head_without_checksum().await,
            Self::WithBody(limit) => reader.with_body(limit).await,
        }
    }
}

async fn seek(
    without: Reader<'_>,
    asking: Asking,
    keys: &[CustomerKey],
    expect: Option<Mode>,
) -> Result<Sighting> {
    let asked = match asking.ask(&without).await {
        Ok(facts) => return Ok(Sighting { facts, customer_key: None }),
        Err(asked @ Error::KeyNeeded { .. }) => asked,
        Err(error) => return Err(error),
    };
    if let Some(expected) = expect.filter(|mode| *mode != Mode::SseC) {
        return Err(match asked {
            Error::KeyNeeded { what, .. } => Error::NotAsExpected {
                what,
                expected: expected.title().to_owned(),
                found: Mode::SseC.title().to_owned(),
            },
            error => error,
        });
    }
    let mut refusal = None;
    for key in keys {
        match asking.ask(&Reader { key: Some(key), ..without }).await {
            Ok(facts) => return Ok(Sighting { facts, customer_key: Some(key.again()) }),
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
            Error::KeyWrong { what: without.name(), why, source }
        }
        Some(error) => error,
    })
}
