//! How to reach the services: the options of the command line, which precede the environment and the profile.

use std::path::PathBuf;
use std::time::Duration;

use crate::aws::keep_trying::Outage;
use crate::aws::open_uploads::OpenUploads;
use crate::aws::trace::Trace;
use crate::aws::traffic::Traffic;

/// How to reach the services. `Default` leaves everything to the SDK and the environment.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the command line")]
pub(crate) struct Options {
    /// The profile of the AWS config files; its credentials win over the environment's.
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    /// The address of S3, for S3-compatible servers and tests.
    pub(crate) endpoint_url: Option<String>,
    /// The address of KMS, which generates and decrypts data keys.
    pub(crate) kms_endpoint_url: Option<String>,
    /// A PEM file of certificate authorities to trust instead of the system's.
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Whether the bucket is in the path rather than in the host's name.
    pub(crate) path_style: bool,
    /// Whether to use FIPS endpoints.
    pub(crate) fips: bool,
    /// Whether to use dual-stack endpoints.
    pub(crate) dualstack: bool,
    /// Whether a connection without a post-quantum key exchange is refused.
    pub(crate) require_pq: bool,
    /// Whether to leave requests unsigned.
    pub(crate) no_sign_request: bool,
    /// All attempts of a request.
    pub(crate) max_attempts: Option<u32>,
    /// How long a request is tried again while nothing gets through; zero leaves it to the attempts.
    pub(crate) keep_trying: Option<Duration>,
    /// The most bytes of objects a second, over all connections.
    pub(crate) limit_rate: Option<u64>,
    /// Whether the run is about many objects, so that the request rate adapts to throttling.
    pub(crate) many_objects: bool,
    /// The longest wait for a connection.
    pub(crate) connect_timeout: Option<Duration>,
    /// The longest wait for an answer, or for further bytes of it.
    pub(crate) read_timeout: Option<Duration>,
    /// Whether a key may go over http to a loopback address.
    pub(crate) allow_http: bool,
    /// The account that must own the bucket.
    pub(crate) expected_bucket_owner: Option<String>,
    /// Whether the requester pays.
    pub(crate) request_payer: bool,
    /// Receives a line for each request.
    pub(crate) trace: Trace,
    /// Counts what moves over all connections.
    pub(crate) traffic: Traffic,
    /// Knows since when nothing gets through.
    pub(crate) outage: Outage,
    /// Records uploads that are created and not yet completed or aborted.
    pub(crate) open_uploads: OpenUploads,
}
