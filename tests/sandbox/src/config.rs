//! What a sandbox is told at its start.
//!
//! The values are parsed by the binary or written by a test; nothing here opens a socket or a file.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// The account that owns everything, as long as none is given.
pub const ACCOUNT: &str = "111122223333";
/// The region, as long as none is given.
pub const REGION: &str = "us-east-1";

/// How a sandbox is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// The port for HTTPS; 0 takes a free one.
    pub port: u16,
    /// Whether to serve plain HTTP as well, on a free port of its own.
    pub http: bool,
    /// Where objects' bodies are kept, encrypted; in memory if there is none.
    pub folder: Option<PathBuf>,
    /// Buckets to make at the start.
    pub buckets: Vec<String>,
    /// Aliases, with or without `alias/`, to make a KMS key for at the start.
    pub kms_aliases: Vec<String>,
    /// The region that clients must sign for.
    pub region: String,
    /// The account that owns buckets and keys: twelve digits.
    pub account: String,
    /// Whether to remember requests. It takes about 2 KiB for each, so whoever asks nobody had better not.
    pub record: bool,
    /// Whether to keep every byte that is received. It takes as much memory as clients send.
    pub record_bodies: bool,
    /// When the server's certificate is valid.
    pub certificate: Certificate,
    /// Whether to offer the key exchange that withstands quantum computers, as S3 does.
    pub post_quantum: bool,
    /// What clients must sign with.
    pub credentials: Credentials,
}

/// When a certificate is valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Certificate {
    /// Now, and longer than any test or demo runs.
    #[default]
    Valid,
    /// Now, and so long.
    EndsIn(Duration),
    /// No more; it looks so too to a client whose clock is fast.
    Expired,
    /// Not yet; it looks so too to a client whose clock is slow.
    NotYetValid,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            http: false,
            folder: None,
            buckets: Vec::new(),
            kms_aliases: Vec::new(),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            record: true,
            certificate: Certificate::default(),
            post_quantum: true,
            record_bodies: false,
            credentials: Credentials::default(),
        }
    }
}

impl Config {
    /// With these buckets, and otherwise as by default.
    #[must_use]
    pub fn with_buckets<const N: usize>(buckets: [&str; N]) -> Self {
        Self { buckets: buckets.map(str::to_owned).to_vec(), ..Self::default() }
    }

    /// For a server that is to be [hostile](crate::hostile): with a bucket `bench`, plain HTTP too, and a record of every byte.
    #[must_use]
    pub fn hostile() -> Self {
        Self { http: true, record_bodies: true, ..Self::with_buckets(["bench"]) }
    }

    /// The user whom the credentials stand for, as messages of S3 and KMS name him.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("arn:aws:iam::{}:user/sandbox", self.account)
    }
}

/// An access key with its secret. They open nothing but a sandbox.
#[derive(Clone)]
pub struct Credentials {
    /// The public part.
    pub access_key: String,
    /// The secret part.
    pub secret_key: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            access_key: "AKIASANDBOXSANDBOX00".to_owned(),
            secret_key: "sandbox/secret/access/key/opens/nothing0".to_owned(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}
