//! get.

use crate::aws::connection::Connection;
use crate::aws::sse::Applied;
use crate::checksum::Algorithm;
use crate::encryption::{Context, KmsKey, Legacy, Mode};
use crate::error::{Error, Result};
use crate::keys::KeyRing;
use crate::location::{ByteRange, S3Uri, Target};
use crate::transfer::Stop;
use crate::tuning::{Meter, Tuning};

/// What to get.
#[expect(missing_docs, reason = "a stand-in")]
pub struct GetRequest {
    pub source: S3Uri,
    pub target: Target,
    pub keys: KeyRing,
    pub kms_context: Option<Context>,
    pub kms_keys: Vec<KmsKey>,
    pub expect: Option<Mode>,
    pub version_id: Option<String>,
    pub range: Option<ByteRange>,
    pub no_clobber: bool,
    pub if_match: Option<String>,
    pub legacy: Option<Legacy>,
    pub unproven: bool,
    pub instruction_suffix: Option<String>,
    pub tuning: Tuning,
}

/// What was got.
#[expect(missing_docs, reason = "a stand-in")]
pub struct GetOutcome {
    pub source: S3Uri,
    pub target: Target,
    pub plain_len: u64,
    pub stored_len: u64,
    pub applied: Applied,
    pub format: Option<String>,
    pub etag: Option<String>,
    pub version_id: Option<String>,
    pub checksum: ChecksumSeen,
    pub fingerprint: Option<String>,
    pub authenticated: bool,
}

/// What became of the checksum.
pub enum ChecksumSeen {
    /// It is the one computed.
    Verified(Algorithm, String),
    /// S3 keeps none.
    NotKept,
    /// It cannot be compared, and why.
    NotComparable(String),
}

/// Gets.
#[expect(clippy::unused_async, reason = "a stand-in")]
pub async fn run(_: &Connection, request: GetRequest, _: &Meter, _: &Stop) -> Result<GetOutcome> {
    Err(Error::Unsupported { what: request.source.to_string(), why: "not built yet".to_owned() })
}
