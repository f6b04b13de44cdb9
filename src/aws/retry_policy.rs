//! How often and how fast a request is retried: by the flag, then the environment and the profile, then our default.
//!
//! For one object, retries with backoff are enough. For many objects the retry mode is adaptive: the request rate drops
//! when S3 throttles, and recovers afterwards. The SDK waits and counts.
//! Source: "Retry behavior", AWS SDKs and Tools Reference Guide; "Best practices design patterns", Amazon S3 user
//! guide.

use std::str::FromStr;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_s3::config::retry::{ClientRateLimiter, RetryPartition, TokenBucket};
use aws_sdk_s3::config::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::retry::{RetryConfig, RetryMode};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::aws::error::{is_not_trusted, is_too_long};
use crate::aws::keep_trying::{KeepTrying, Patience};
use crate::aws::options::Options;
use crate::aws::upload::is_unreadable;
use crate::defaults;
use crate::error::{Error, Result, Subject};
use crate::limits::{RETRY_BACKOFF_FIRST, RETRY_BACKOFF_MAX, RETRY_INITIAL_REQUESTS_PER_SECOND};

/// Makes the partition whose rate limiter gives adaptive retries their initial rate. Retries cost no tokens: time limits
/// them ([`KeepTrying`]), and backoff spaces them.
pub(super) fn partition() -> RetryPartition {
    let limiter =
        ClientRateLimiter::builder().tokens_retrieved_per_second(RETRY_INITIAL_REQUESTS_PER_SECOND).build();
    let tokens = TokenBucket::unlimited();
    RetryPartition::custom("s3seal").client_rate_limiter(limiter).token_bucket(tokens).build()
}

/// Works out the retries from the flags, the environment and the profile.
///
/// # Errors
/// `Unsupported` for an invalid setting.
pub(super) fn retries(options: &Options, shared: &SdkConfig) -> Result<(RetryConfig, Patience)> {
    let settings = shared.service_config();
    let mode = match setting(settings, "AWS_RETRY_MODE", "retry_mode")? {
        Some(Mode(mode)) => mode,
        None if options.many_objects => RetryMode::Adaptive,
        None => RetryMode::Standard,
    };
    let attempts = match options.max_attempts {
        Some(attempts) => Some(attempts),
        None => setting::<u32>(settings, "AWS_MAX_ATTEMPTS", "max_attempts")?
            // The command line precedes the environment.
            .filter(|_| options.keep_trying.is_none_or(|time| time.is_zero())),
    };
    let patience = Patience::new(options.keep_trying, attempts);
    // The SDK derives times for credentials from the number of attempts.
    let config = retry_config().with_max_attempts(attempts.unwrap_or(defaults::MAX_ATTEMPTS).max(1));
    Ok((config.with_retry_mode(mode), patience))
}

/// The default policy.
pub(super) fn retry_config() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(defaults::MAX_ATTEMPTS)
        .with_initial_backoff(RETRY_BACKOFF_FIRST)
        .with_max_backoff(RETRY_BACKOFF_MAX)
}

/// Retries response bodies that break off, which the SDK does not, by the policy of all requests.
pub(crate) struct BodyRetries {
    policy: RetryConfig,
    keep_trying: KeepTrying,
    sleep: Option<SharedAsyncSleep>,
    /// Failures in a row, and when the first of them was.
    failures: u32,
    since: Option<Instant>,
}

impl BodyRetries {
    pub(super) fn new(policy: RetryConfig, keep_trying: KeepTrying, sleep: Option<SharedAsyncSleep>) -> Self {
        Self { policy, keep_trying, sleep, failures: 0, since: None }
    }

    /// Records that some bytes arrived before the failure: only attempts without progress are counted.
    pub(crate) fn progressed(&mut self) {
        (self.failures, self.since) = (0, None);
    }

    /// Waits until the next attempt, or returns the error.
    ///
    /// # Errors
    /// `error`, if another attempt would not help, or after the last one.
    pub(crate) async fn wait_or_fail(&mut self, error: Error) -> Result<()> {
        self.failures += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        let KeepTrying { patience, outage, .. } = &self.keep_trying;
        if !matches!(error, Error::Network { .. }) || patience.is_over(since, self.failures, outage) {
            return Err(error);
        }
        if let Some(sleep) = &self.sleep {
            sleep.sleep(self.backoff()).await;
        }
        Ok(())
    }

    /// A random part of a time that doubles, as in the SDK's policy: many clients must not come back at once.
    fn backoff(&self) -> Duration {
        let doubled = self.policy.initial_backoff().saturating_mul(1 << (self.failures - 1).min(16));
        let longest = doubled.min(self.policy.max_backoff());
        let mut random = [0; 2];
        // Without random numbers, wait for the full time.
        let part = getrandom::fill(&mut random).map_or(u16::MAX, |()| u16::from_le_bytes(random));
        longest.mul_f64(f64::from(part) / f64::from(u16::MAX))
    }
}

/// A retry mode, in the spelling of the AWS tools.
struct Mode(RetryMode);

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "adaptive" => Ok(Self(RetryMode::Adaptive)),
            // `legacy` is the mode of older tools; this SDK never had it.
            "legacy" | "standard" => Ok(Self(RetryMode::Standard)),
            _ => Err(()),
        }
    }
}

/// Reads a setting from the environment, else from the profile. The SDK does not distinguish a set value from
/// its default, and panics on an invalid one.
fn setting<T: FromStr>(
    settings: Option<&dyn LoadServiceConfig>,
    variable: &'static str,
    in_profile: &'static str,
) -> Result<Option<T>> {
    let key = ServiceConfigKey::builder().service_id("s3").env(variable).profile(in_profile).build();
    let text = settings.zip(key.ok()).and_then(|(settings, key)| settings.load_config(key));
    let Some(text) = text else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| {
        Error::unsupported(
            Subject::other(format!("{variable} or the profile's {in_profile}")),
            format!("'{text}' is not a valid value"),
        )
    })
}

/// Treats every 503 as throttling, as S3 means it: the answer to a HEAD has no body that could contain the code.
#[derive(Debug)]
pub(super) struct ThrottlingOn503;

impl ClassifyRetry for ThrottlingOn503 {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|answer| answer.status().as_u16()) {
            Some(503) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "ThrottlingOn503"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Does not retry where it cannot help and the SDK sees a broken connection: after an answer that is too long, for a part
/// that cannot be read, and where the server cannot be trusted.
#[derive(Debug)]
pub(super) struct NoRetryIfUseless;

impl ClassifyRetry for NoRetryIfUseless {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.output_or_error() {
            Some(Err(error)) if is_too_long(error) || is_unreadable(error) => RetryAction::RetryForbidden,
            Some(Err(error)) if error.as_connector_error().is_some_and(|error| is_not_trusted(error)) => {
                RetryAction::RetryForbidden
            }
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "NoRetryIfUseless"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Settings(&'static [(&'static str, &'static str)]);

    impl LoadServiceConfig for Settings {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            let value =
                |name| self.0.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
            value(key.env()).or_else(|| value(key.profile()))
        }
    }

    fn worked_out(
        settings: &'static [(&'static str, &'static str)],
        options: &Options,
    ) -> Option<(RetryMode, Option<u32>)> {
        let shared = SdkConfig::builder().service_config(Settings(settings)).build();
        retries(options, &shared).ok().map(|(config, patience)| (config.mode(), patience.most()))
    }

    #[test]
    fn whoever_says_it_first_is_heard() {
        use RetryMode::{Adaptive, Standard};
        let one = Options::default();
        let many = Options { many_objects: true, ..Options::default() };
        let off = Options { keep_trying: Some(Duration::ZERO), ..Options::default() };
        let hours = Options { keep_trying: Some(Duration::from_hours(6)), ..Options::default() };
        let three = Options { max_attempts: Some(3), ..Options::default() };
        for (settings, options, expected) in [
            (&[][..], &one, Some((Standard, None))),
            (&[], &many, Some((Adaptive, None))),
            (&[], &off, Some((Standard, Some(defaults::MAX_ATTEMPTS)))),
            (&[], &three, Some((Standard, Some(3)))),
            (&[("retry_mode", "standard"), ("max_attempts", "3")], &many, Some((Standard, Some(3)))),
            (&[("AWS_RETRY_MODE", "adaptive"), ("retry_mode", "standard")], &one, Some((Adaptive, None))),
            (&[("AWS_MAX_ATTEMPTS", "9")], &three, Some((Standard, Some(3)))),
            (&[("AWS_MAX_ATTEMPTS", "9")], &hours, Some((Standard, None))),
            (&[("AWS_MAX_ATTEMPTS", "9")], &off, Some((Standard, Some(9)))),
            (&[("AWS_MAX_ATTEMPTS", "9"), ("max_attempts", "2")], &many, Some((Adaptive, Some(9)))),
            (&[("retry_mode", "legacy")], &many, Some((Standard, None))),
            (&[("AWS_MAX_ATTEMPTS", "0")], &one, Some((Standard, Some(0)))),
            (&[("AWS_MAX_ATTEMPTS", "many")], &one, None),
            (&[("AWS_RETRY_MODE", "bold")], &many, None),
        ] {
            assert_eq!(worked_out(settings, options), expected, "{settings:?}");
        }
    }
}
