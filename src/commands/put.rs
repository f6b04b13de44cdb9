//! put.

use crate::aws::connection::Connection;
use crate::aws::sse::Applied;
use crate::checksum::Algorithm;
use crate::encryption::{Encryption, Format};
use crate::error::{Error, Result};
use crate::location::{S3Uri, Source};
use crate::object::{Settings, WriteCondition};
use crate::transfer::Stop;
use crate::tuning::{Meter, Tuning};

/// What to put.
#[expect(missing_docs, reason = "a stand-in")]
pub struct PutRequest {
    pub source: Source,
    pub target: S3Uri,
    pub encryption: Option<Encryption>,
    pub settings: Settings,
    pub condition: WriteCondition,
    pub checksum: Algorithm,
    pub tuning: Tuning,
    pub fail_if_empty: bool,
}

/// What was put.
#[expect(missing_docs, reason = "a stand-in")]
pub struct PutOutcome {
    pub target: S3Uri,
    pub applied: Applied,
    pub plain_len: u64,
    pub stored_len: u64,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub checksum: Option<(Algorithm, String)>,
    pub parts: u32,
    pub format: Option<Format>,
    pub fingerprint: Option<String>,
}

/// Puts.
#[expect(clippy::unused_async, reason = "a stand-in")]
pub async fn run(_: &Connection, request: PutRequest, _: &Meter, _: &Stop) -> Result<PutOutcome> {
    Err(Error::Unsupported { what: request.target.to_string(), why: "not built yet".to_owned() })
}
