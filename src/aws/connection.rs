//! The clients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;

/// How to connect.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch")]
pub struct Options {
    /// Profile.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Endpoint.
    pub endpoint_url: Option<String>,
    /// CA certificates.
    pub ca_bundle: Option<PathBuf>,
    /// Bucket in the path.
    pub path_style: bool,
    /// FIPS endpoints.
    pub fips: bool,
    /// IPv6 too.
    pub dualstack: bool,
    /// Anonymous.
    pub no_sign_request: bool,
    /// Attempts.
    pub max_attempts: Option<u32>,
    /// Timeout.
    pub connect_timeout: Option<Duration>,
    /// Timeout.
    pub read_timeout: Option<Duration>,
    /// http on loopback.
    pub allow_http: bool,
    /// Account.
    pub expected_bucket_owner: Option<String>,
    /// Requester pays.
    pub request_payer: bool,
    /// Trace.
    pub trace: Trace,
}

/// Where requests are told.
#[derive(Clone, Default)]
pub struct Trace {
    /// 0 nothing, 1 what is decided, 2 each request.
    pub level: u8,
    tell: Option<Arc<dyn Fn(String) + Send + Sync>>,
}

impl Trace {
    /// Tells lines up to a level.
    pub fn new(level: u8, tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self { level, tell: Some(Arc::new(tell)) }
    }

    /// Tells nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Tells a line.
    pub fn tell(&self, line: String) {
        if let Some(tell) = &self.tell {
            tell(line);
        }
    }
}

/// The clients.
pub struct Connection;

/// Connects.
#[expect(clippy::unused_async, reason = "a stand-in")]
pub async fn connect(_options: Options) -> Result<Connection> {
    Ok(Connection)
}
