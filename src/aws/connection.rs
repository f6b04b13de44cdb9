//! The clients, created once: credentials, region, endpoint, certificates, retries and interceptors.
//!
//! The AWS SDK resolves most settings (SSO, roles, the environment). Added here: `AWS_CA_BUNDLE`, requests to this
//! machine that bypass the proxy, the refusal of keys over http, and a trace of requests without their secrets.
//! `custom_endpoints` finds the address of each service, `profile` the credentials of a profile that the user names.

use std::time::Duration;

use aws_config::profile::ProfileSet;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::config::{
    Region, RequestChecksumCalculation, ResponseChecksumValidation, StalledStreamProtectionConfig,
};
use aws_sdk_s3::types::RequestPayer;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::{TimeoutConfig, TimeoutConfigBuilder};

use crate::aws::address::{host_of, is_address, is_aws, is_https};
use crate::aws::body_watch::BodyWatch;
use crate::aws::custom_endpoints::Endpoints;
use crate::aws::http_client::http_client;
use crate::aws::interceptors::{Bounded, MergeRepeatedHeader, NoKeyOverHttp, NoteRegion, UnsignedOverTls};
use crate::aws::keep_trying::{KeepTrying, Outage, Patience};
use crate::aws::kms_alias_cache::KmsAliasCache;
use crate::aws::observed_endpoint::ObservedEndpoint;
use crate::aws::open_uploads::OpenUploads;
use crate::aws::options::Options;
use crate::aws::profile;
use crate::aws::retry_policy::{
    BodyRetries, NoRetryIfUseless, ThrottlingOn503, partition, retries, retry_config,
};
use crate::aws::server_clock::ServerClock;
use crate::aws::tls_config::KeyExchange;
use crate::aws::tls_session::TlsSessions;
use crate::aws::trace::{Trace, Tracer};
use crate::aws::traffic::Traffic;
use crate::defaults;
use crate::error::{Error, Result, Subject};
use crate::limits::SERVER_WORK_TIMEOUT;

/// The clients and what every request of this run shares.
pub(crate) struct Connection {
    pub(super) s3: aws_sdk_s3::Client,
    pub(super) kms: aws_sdk_kms::Client,
    pub(super) kms_alias_cache: KmsAliasCache,
    pub(super) endpoints: Endpoints,
    /// The configuration for clients of further services.
    pub(super) shared: SdkConfig,
    pub(super) trace: Trace,
    pub(super) keep_trying: KeepTrying,
    pub(crate) traffic: Traffic,
    pub(crate) open_uploads: OpenUploads,
    expected_bucket_owner: Option<String>,
    request_payer: bool,
    /// Whether a key may go over http to a loopback address.
    allow_http: bool,
    read_timeout: Duration,
    connect_timeout: Duration,
    pub(super) observed_endpoint: ObservedEndpoint,
    pub(super) server_clock: ServerClock,
    pub(super) tls_sessions: TlsSessions,
}

/// Creates the clients; sends nothing.
///
/// # Errors
/// `NotFound` or `Unsupported` for a CA bundle that cannot be read, `Unsupported` for an invalid setting, `Denied` for a
/// profile that does not exist.
pub(crate) async fn connect(options: Options) -> Result<Connection> {
    let read_timeout = options.read_timeout.unwrap_or(defaults::READ_TIMEOUT);
    let watch = BodyWatch::new(read_timeout, options.limit_rate, options.traffic.clone());
    let tls_sessions = TlsSessions::default();
    let key_exchange = if options.require_pq { KeyExchange::PostQuantum } else { KeyExchange::Any };
    let http = http_client(options.ca_bundle.as_deref(), key_exchange, watch, tls_sessions.clone())?;
    let selected = options.profile.clone().or_else(profile::of_environment);
    let profile = profile::load(selected.as_deref()).await?;
    let endpoints = Endpoints::find(&options, &profile, |name| std::env::var(name).ok())?;
    if options.require_pq {
        endpoints.require_https()?;
    }
    let (shared, patience) = shared_config(&options, selected, &profile, http).await?;
    for (kind, is_asked) in [("FIPS", shared.use_fips()), ("dual-stack", shared.use_dual_stack())] {
        if is_asked == Some(true) {
            endpoints.require_none_for(kind)?;
        }
    }
    let keep_trying =
        KeepTrying { patience, outage: options.outage.clone(), traffic: options.traffic.clone() };
    let observed_endpoint = ObservedEndpoint::default();
    let server_clock = ServerClock::default();
    let mut s3 = aws_sdk_s3::config::Builder::from(&shared);
    s3.set_endpoint_url(endpoints.s3.clone());
    let s3 = s3
        .force_path_style(options.path_style || endpoints.s3.as_deref().is_some_and(is_address))
        .interceptor(NoKeyOverHttp { allow_loopback: options.allow_http })
        .interceptor(UnsignedOverTls)
        .interceptor(MergeRepeatedHeader)
        .interceptor(NoteRegion)
        .interceptor(Bounded)
        .interceptor(Tracer(options.trace.clone()))
        .interceptor(keep_trying.clone())
        .interceptor(observed_endpoint.clone())
        .interceptor(server_clock.clone())
        .retry_classifier(ThrottlingOn503)
        .retry_classifier(NoRetryIfUseless)
        .retry_partition(partition())
        .build();
    let mut kms = aws_sdk_kms::config::Builder::from(&shared);
    kms.set_endpoint_url(endpoints.kms.clone());
    let kms = kms
        .interceptor(NoKeyOverHttp { allow_loopback: options.allow_http })
        .interceptor(Bounded)
        .interceptor(Tracer(options.trace.clone()))
        .interceptor(keep_trying.clone())
        .retry_classifier(NoRetryIfUseless)
        .retry_partition(partition())
        .build();
    Ok(Connection {
        s3: aws_sdk_s3::Client::from_conf(s3),
        kms: aws_sdk_kms::Client::from_conf(kms),
        kms_alias_cache: KmsAliasCache::default(),
        endpoints,
        shared,
        trace: options.trace,
        keep_trying,
        traffic: options.traffic,
        open_uploads: options.open_uploads,
        expected_bucket_owner: options.expected_bucket_owner,
        request_payer: options.request_payer,
        allow_http: options.allow_http,
        read_timeout,
        connect_timeout: options.connect_timeout.unwrap_or(defaults::CONNECT_TIMEOUT),
        observed_endpoint,
        server_clock,
        tls_sessions,
    })
}

async fn shared_config(
    options: &Options,
    selected: Option<String>,
    profile: &ProfileSet,
    http: SharedHttpClient,
) -> Result<(SdkConfig, Patience)> {
    let mut timeouts = TimeoutConfig::builder();
    timeouts.set_connect_timeout(Some(options.connect_timeout.unwrap_or(defaults::CONNECT_TIMEOUT)));
    let read = options.read_timeout.unwrap_or(defaults::READ_TIMEOUT);
    timeouts.set_operation_attempt_timeout(Some(read));
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http.clone())
        .timeout_config(timeouts.build())
        // Keeps the SDK from reading the setting, which is read below.
        .retry_config(RetryConfig::standard())
        // `body_watch` sees what stalls, in requests too.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // `transfer` computes and compares checksums, in the pass that encrypts or decrypts.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(name) = selected {
        loader = loader.profile_name(name);
    }
    if let Some(region) = region(options, profile) {
        loader = loader.region(region);
    }
    if options.fips {
        loader = loader.use_fips(true);
    }
    if options.dualstack {
        loader = loader.use_dual_stack(true);
    }
    if options.no_sign_request {
        loader = loader.no_credentials();
    }
    let shared = loader.load().await;
    let (retries, patience) = retries(options, &shared)?;
    // S3-compatible servers have no regions, but a signature needs one.
    let region = shared.region().filter(|region| !region.as_ref().is_empty()).cloned();
    let region = region.unwrap_or(Region::new("us-east-1"));
    let credentials = options.profile.as_deref().map(|name| profile::credentials(name, &shared, http));
    let mut shared = shared.into_builder().retry_config(retries).region(region);
    if let Some(credentials) = credentials {
        shared.set_credentials_provider(Some(credentials));
    }
    Ok((shared.build(), patience))
}

/// The region by the flag, the environment and the profile; unlike the SDK, a variable that is empty is not set.
fn region(options: &Options, profile: &ProfileSet) -> Option<Region> {
    let mut set =
        ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().filter_map(|name| std::env::var(name).ok());
    let region = options.region.clone().or_else(|| set.find(|name| !name.is_empty()));
    region.or_else(|| profile.get("region").map(str::to_owned)).map(Region::new)
}

impl Connection {
    /// The address of S3, where it is not AWS's own.
    pub(crate) fn s3_url(&self) -> Option<&str> {
        self.endpoints.s3.as_deref()
    }

    /// Whether the services answer.
    pub(crate) fn outage(&self) -> &Outage {
        &self.keep_trying.outage
    }

    /// The same policy for the body of a GET, which the SDK does not retry.
    pub(crate) fn body_retries(&self) -> BodyRetries {
        let config = self.s3.config();
        let policy = config.retry_config().cloned().unwrap_or_else(retry_config);
        BodyRetries::new(policy, self.keep_trying.clone(), config.sleep_impl())
    }

    /// Whether requests go to AWS itself, and not to a server of another make; known after the first request.
    pub(crate) fn is_aws(&self) -> bool {
        self.observed_endpoint.host().is_some_and(|host| is_aws(&host))
    }

    /// Whether KMS is the one that S3 itself uses, as far as their addresses say: a store of another make has none of AWS's.
    pub(crate) fn is_kms_that_of_s3(&self) -> bool {
        let is_of_aws = |url: &str| host_of(url).is_some_and(|host| is_aws(&host));
        self.endpoints.kms.is_some() || self.s3_url().is_none_or(is_of_aws)
    }

    /// The account of the credentials, where they name it, as those of a role do; no request is sent to ask for it.
    pub(crate) async fn account(&self) -> Option<String> {
        let credentials = self.shared.credentials_provider()?.provide_credentials().await.ok()?;
        credentials.account_id().map(|account| account.as_str().to_owned())
    }

    /// Scheme, name and port of S3; known after the first request.
    pub(crate) fn origin(&self) -> Option<String> {
        self.observed_endpoint.origin()
    }

    /// The host of S3; known after the first request.
    pub(crate) fn host(&self) -> Option<String> {
        self.observed_endpoint.host()
    }

    /// Whether requests to S3 are sent over TLS; known after the first request.
    pub(crate) fn is_over_tls(&self) -> bool {
        self.observed_endpoint.uri().is_some_and(is_https)
    }

    /// Fails where a request that carries an SSE-C key would not be sent; known after the first request.
    ///
    /// # Errors
    /// `Unsupported`, as that request.
    pub(crate) fn carries_keys(&self) -> Result<()> {
        let guard = NoKeyOverHttp { allow_loopback: self.allow_http };
        let refusal = self.observed_endpoint.uri().and_then(|uri| guard.refusal(uri, true, false));
        refusal.map_or(Ok(()), |refusal| Err(Error::unsupported(Subject::Server, refusal.to_string())))
    }

    /// The server's time in seconds since 1970, as its last answer tells it.
    pub(crate) fn server_now(&self) -> i64 {
        self.server_clock.now()
    }

    /// How many seconds the server's clock is ahead of this machine's; `None` if no answer has said so.
    pub(crate) fn clock_ahead(&self) -> Option<i64> {
        self.server_clock.ahead()
    }

    /// The region that requests are signed for.
    pub(crate) fn region(&self) -> &str {
        self.shared.region().map_or("unknown", |region| region.as_ref())
    }

    pub(super) fn owner(&self) -> Option<String> {
        self.expected_bucket_owner.clone()
    }

    pub(super) fn payer(&self) -> Option<RequestPayer> {
        self.request_payer.then_some(RequestPayer::Requester)
    }

    /// The timeout of an attempt that makes S3 join parts or copy.
    pub(super) fn timeout_for_server_work(&self) -> aws_sdk_s3::config::Builder {
        let wait = self.read_timeout + SERVER_WORK_TIMEOUT;
        self.with_timeouts(TimeoutConfig::builder().operation_attempt_timeout(wait))
    }

    /// Settings of an attempt that sends an object's bytes: it takes as long as they move, which `body_watch` sees.
    pub(super) fn while_it_moves(&self) -> aws_sdk_s3::config::Builder {
        self.with_timeouts(TimeoutConfig::builder().disable_operation_attempt_timeout())
    }

    fn with_timeouts(&self, timeouts: TimeoutConfigBuilder) -> aws_sdk_s3::config::Builder {
        // What is not set here does not come from the client's settings.
        let timeouts = timeouts.connect_timeout(self.connect_timeout);
        aws_sdk_s3::config::Builder::new().timeout_config(timeouts.build())
    }
}
