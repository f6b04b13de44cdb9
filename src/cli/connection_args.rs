//! The flags that say how to reach AWS, the same for every verb, and the environment variables for them that the SDK
//! does not read itself.
//!
//! The SDK finds credentials, profiles and endpoints by its own provider chains; nothing is looked up here.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::aws_flags::{AwsFlags, RegionInUse};
use super::duration;
use super::failure::Failure;
use super::output::Printer;
use super::remedies;
use super::sanitize::shell_word;
use crate::aws::address::is_endpoint;
use crate::aws::{Options, Trace};
use crate::defaults;

/// The variable that names a file of CA certificates; known from the AWS CLI, not read by the SDK.
pub(crate) const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct ConnectionArgs {
    /// The profile of the AWS configuration files
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,

    /// The AWS region
    #[arg(long, global = true, value_name = "NAME")]
    region: Option<String>,

    /// The address of S3, for servers other than AWS
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,

    /// The address of KMS, for servers other than AWS; --endpoint-url does not apply to KMS
    #[arg(long, global = true, value_name = "URL")]
    kms_endpoint_url: Option<String>,

    /// PEM file of the CA certificates to trust [default: $AWS_CA_BUNDLE, or the system's]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    ca_bundle: Option<PathBuf>,

    /// Name the bucket in the path, not in the host name
    #[arg(long, global = true)]
    path_style: bool,

    /// Use FIPS endpoints
    #[arg(long, global = true)]
    fips: bool,

    /// Use dual-stack endpoints (IPv6 and IPv4)
    #[arg(long, global = true)]
    dualstack: bool,

    /// Refuse connections without a post-quantum key exchange
    #[arg(long, global = true)]
    require_pq: bool,

    /// Send requests without credentials
    #[arg(long, global = true)]
    no_sign_request: bool,

    #[arg(help = format!(
        "How long to try again while nothing gets through (30s, 10m or 6h); 0 gives up after {} attempts [default: {}]",
        defaults::MAX_ATTEMPTS, Timeout(defaults::KEEP_TRYING)
    ))]
    #[arg(long, global = true, value_name = "TIME")]
    keep_trying: Option<KeepTrying>,

    /// The maximum number of attempts of a request [default: as many as --keep-trying allows]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: Option<u32>,

    #[arg(help = format!("How long to wait for a connection [default: {}]", Timeout(defaults::CONNECT_TIMEOUT)))]
    #[arg(long, global = true, value_name = "TIME")]
    connect_timeout: Option<Timeout>,

    #[arg(help = format!(
        "How long to wait while nothing moves on a connection [default: {}]",
        Timeout(defaults::READ_TIMEOUT)
    ))]
    #[arg(long, global = true, value_name = "TIME")]
    read_timeout: Option<Timeout>,

    /// Allow keys over http, to an endpoint on this machine only
    #[arg(long, global = true)]
    allow_http: bool,

    /// The account that must own the bucket
    #[arg(long, global = true, value_name = "ACCOUNT")]
    expected_bucket_owner: Option<String>,

    /// Agree to pay for the requests (Requester Pays buckets)
    #[arg(long, global = true, num_args = 0..=1, default_missing_value = "requester", require_equals = true)]
    #[arg(value_parser = ["requester"], value_name = "WHO", hide_possible_values = true)]
    request_payer: Option<String>,

    #[arg(skip)]
    pub(crate) region_in_use: RegionInUse,
}

impl ConnectionArgs {
    /// Returns what was asked for, and what the environment adds.
    pub(crate) fn options(&self, printer: &Printer) -> Result<Options, Failure> {
        for url in [&self.endpoint_url, &self.kms_endpoint_url].into_iter().flatten() {
            if !is_endpoint(url) {
                let why = format!("'{url}' is not an endpoint URL");
                return Err(Failure::usage(why).hint(remedies::ENDPOINT));
            }
        }
        if self.no_sign_request && self.profile.is_some() {
            return Err(Failure::usage("--no-sign-request and --profile contradict each other")
                .hint("leave out one of the two"));
        }
        let ca_bundle = self
            .ca_bundle
            .clone()
            .or_else(|| env::var_os(CA_BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from));
        let talk = printer.clone();
        let trace = match printer.verbosity() {
            0 | 1 => Trace::off(),
            _ => Trace::new(move |line| talk.detail(&line)),
        };
        Ok(Options {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            kms_endpoint_url: self.kms_endpoint_url.clone(),
            ca_bundle,
            path_style: self.path_style,
            fips: self.fips,
            dualstack: self.dualstack,
            require_pq: self.require_pq,
            no_sign_request: self.no_sign_request,
            max_attempts: self.max_attempts,
            keep_trying: self.keep_trying.map(|time| time.0),
            connect_timeout: self.connect_timeout.map(|time| time.0),
            read_timeout: self.read_timeout.map(|time| time.0),
            allow_http: self.allow_http,
            expected_bucket_owner: self.expected_bucket_owner.clone(),
            request_payer: self.request_payer.is_some(),
            trace,
            ..Options::default()
        })
    }

    /// Returns the flags with which the AWS CLI reaches the same places, for commands in hints.
    pub(crate) fn aws_cli_flags(&self) -> AwsFlags {
        AwsFlags {
            s3: self.flags_to(self.endpoint_url.as_deref()),
            kms: self.flags_to(self.kms_endpoint_url.as_deref()),
            control: self.flags_to(None),
            own: self.flags_to(self.endpoint_url.as_deref()) + &self.switches(),
            profile: self.profile.clone().or_else(|| env::var("AWS_PROFILE").ok()),
            region: self.region_in_use.clone(),
        }
    }

    /// The flags of s3seal that the AWS CLI has no need of, or other words for.
    fn switches(&self) -> String {
        let mut flags = String::new();
        for (flag, is_given) in [
            ("--path-style", self.path_style),
            ("--fips", self.fips),
            ("--dualstack", self.dualstack),
            ("--require-pq", self.require_pq),
            ("--request-payer", self.request_payer.is_some()),
            ("--no-sign-request", self.no_sign_request),
        ] {
            if is_given {
                flags = format!("{flags} {flag}");
            }
        }
        if let Some(account) = &self.expected_bucket_owner {
            flags = format!("{flags} --expected-bucket-owner {}", shell_word(account));
        }
        flags
    }

    fn flags_to(&self, endpoint_url: Option<&str>) -> String {
        let mut flags = String::new();
        let ca_bundle = self.ca_bundle.as_ref().map(|path| path.to_string_lossy());
        for (flag, value) in [
            ("--profile", self.profile.as_deref()),
            ("--region", self.region.as_deref()),
            ("--endpoint-url", endpoint_url),
            ("--ca-bundle", ca_bundle.as_deref()),
        ] {
            if let Some(value) = value {
                flags = format!("{flags} {flag} {}", shell_word(value));
            }
        }
        flags
    }
}

/// A time as typed: `500ms`, `10s`, `2m`, or plain seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Timeout(Duration);

/// The units of a timeout; without one it is in seconds.
const TIMEOUT_UNITS: [(&str, u64); 5] =
    [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1), ("", 1_000)];

impl FromStr for Timeout {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = duration::parse(text, &TIMEOUT_UNITS).filter(|time| !time.is_zero());
        time.map(Self).ok_or("write a time such as 10s, 2m or 500ms")
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Minutes are the longest unit that people use for a timeout.
        f.write_str(&duration::text(self.0, &TIMEOUT_UNITS[1..]))
    }
}

/// How long to try again: a time, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeepTrying(Duration);

impl FromStr for KeepTrying {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let time = text.parse::<Timeout>().map(|time| Self(time.0));
        time.map_err(|_| "write a time such as 30s, 10m or 6h, or 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_to_keep_trying_is_a_time_too() {
        assert_eq!("0".parse(), Ok(KeepTrying(Duration::ZERO)));
        assert_eq!("6h".parse(), Ok(KeepTrying(Duration::from_hours(6))));
        for text in ["", "0s", "-1", "off"] {
            assert!(text.parse::<KeepTrying>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Timeout>().map(|time| time.0.as_millis());
        assert_eq!(read("10"), Ok(10_000));
        assert_eq!(read("10s"), Ok(10_000));
        assert_eq!(read("2m"), Ok(120_000));
        assert_eq!(read("1h"), Ok(3_600_000));
        assert_eq!(read("500ms"), Ok(500));
        for text in ["10s", "2m", "60m", "500ms"] {
            assert_eq!(text.parse::<Timeout>().unwrap().to_string(), text);
        }
        for text in ["", "0", "0s", "-1", "1.5s", "10 s", "s", "1d", "99999999999999999999"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
