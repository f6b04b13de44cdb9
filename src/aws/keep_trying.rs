//! How long a request is tried again: by the time since nothing got through, not by a number of attempts.
//!
//! The SDK waits between attempts and counts them. This interceptor counts time, and allows the SDK one more attempt or
//! none. [`Outage`] is what all requests of a run know together: whether an answer came lately.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context;
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use aws_smithy_types::retry::RetryConfig;

use crate::aws::traffic::Traffic;
use crate::defaults::{KEEP_TRYING, MAX_ATTEMPTS};

/// Whether the services answer. Cheap to clone; every clone knows the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outage(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The first failure since the last answer.
    since: Option<Instant>,
    /// Whether there was an answer in this run.
    was_reached: bool,
    /// Objects that were given up since the last answer.
    objects_given_up: u32,
}

impl Outage {
    /// When attempts began to fail, if none has succeeded since.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.lock().since
    }

    /// Records an object whose requests were given up; true if nothing got through since another one was, so that the
    /// service is gone, and not in trouble with the one object.
    pub(crate) fn gives_up_object(&self) -> bool {
        let mut state = self.lock();
        state.objects_given_up += 1;
        state.objects_given_up > 1
    }

    /// Records an attempt without an answer, or with one that says that the service is in trouble.
    pub(super) fn failed(&self, is_answer: bool) {
        let mut state = self.lock();
        state.since.get_or_insert_with(Instant::now);
        state.was_reached |= is_answer;
    }

    /// Records an answer.
    pub(super) fn answered(&self) {
        *self.lock() = State { since: None, was_reached: true, objects_given_up: 0 };
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// The time without an answer after which a request is given up.
    time: Duration,
    /// Whether it applies before the first answer too. Otherwise a mistyped address would be tried for minutes.
    from_the_start: bool,
    /// The most attempts.
    most: Option<u32>,
}

impl Patience {
    /// Takes the time and the number of attempts that the user asked for, if any. No time at all leaves it to the
    /// attempts.
    pub(super) fn new(asked: Option<Duration>, most: Option<u32>) -> Self {
        let (time, most) = match asked {
            Some(Duration::ZERO) => (Duration::MAX, most.or(Some(MAX_ATTEMPTS))),
            asked => (asked.unwrap_or(KEEP_TRYING), most),
        };
        Self { time, from_the_start: asked.is_some(), most }
    }

    /// The most attempts, where they are limited.
    #[cfg(test)]
    pub(super) fn most(self) -> Option<u32> {
        self.most
    }

    /// Whether to give up after so many attempts in a row without progress, the first of which failed at `since`.
    pub(super) fn is_over(self, since: Instant, attempts: u32, outage: &Outage) -> bool {
        if self.most.is_some_and(|most| attempts >= most) {
            return true;
        }
        let state = outage.lock();
        if !state.was_reached && !self.from_the_start && attempts >= MAX_ATTEMPTS {
            return true;
        }
        let first = state.since.map_or(since, |outage| outage.min(since));
        first.elapsed() >= self.time
    }
}

/// Whether a status says that the service is in trouble. 501 says that it does not know the request.
fn is_trouble(status: u16) -> bool {
    matches!(status, 500 | 502..=599)
}

fn is_timeout(error: &OrchestratorError<context::Error>) -> bool {
    error.is_timeout_error() || error.as_connector_error().is_some_and(ConnectorError::is_timeout)
}

/// When the first attempt at a request failed.
#[derive(Debug)]
struct FailedAt(Instant);

impl Storable for FailedAt {
    type Storer = StoreReplace<Self>;
}

/// Ends the attempts at a request when the time is over.
#[derive(Clone)]
pub(super) struct KeepTrying {
    pub(super) patience: Patience,
    pub(super) outage: Outage,
    pub(super) traffic: Traffic,
}

impl fmt::Debug for KeepTrying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeepTrying")
    }
}

impl Intercept for KeepTrying {
    fn name(&self) -> &'static str {
        "KeepTrying"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        match context.response().map(|answer| answer.status().as_u16()) {
            None => self.outage.failed(false),
            Some(status) if is_trouble(status) => self.outage.failed(true),
            Some(_) => self.outage.answered(),
        }
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        match context.response().map(|answer| answer.status().as_u16()) {
            Some(429 | 503) => self.traffic.overloaded(),
            None if is_timeout(error) => self.traffic.overloaded(),
            None => self.traffic.failed(),
            Some(_) => {}
        }
        let since = bag.load::<FailedAt>().map_or_else(Instant::now, |failed| failed.0);
        let attempts = bag.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        if let Some(policy) = bag.load::<RetryConfig>().cloned() {
            let is_over = self.patience.is_over(since, attempts, &self.outage);
            // The SDK asks the policy after each attempt, and derives times for credentials from it: one more at a time.
            let allowed = if is_over { 1 } else { attempts.saturating_add(1) };
            bag.interceptor_state().store_put(policy.with_max_attempts(allowed));
        }
        bag.interceptor_state().store_put(FailedAt(since));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ago(seconds: u64) -> Instant {
        Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn the_time_counts_from_the_first_failure_of_the_request_or_of_all() {
        let patience = Patience::new(Some(Duration::from_secs(30)), None);
        let outage = Outage::default();
        assert!(!patience.is_over(ago(29), 1000, &outage));
        assert!(patience.is_over(ago(31), 2, &outage));
        outage.lock().since = Some(ago(31));
        assert!(patience.is_over(ago(0), 1, &outage), "nothing got through for others either");
        outage.answered();
        assert!(!patience.is_over(ago(0), 1, &outage));
        assert!(patience.is_over(ago(31), 2, &outage), "others get through, and this one does not");
    }

    #[test]
    fn without_a_time_a_server_that_never_answered_is_not_waited_for() {
        let outage = Outage::default();
        outage.failed(false);
        let default = Patience::new(None, None);
        assert!(!default.is_over(ago(1), MAX_ATTEMPTS - 1, &outage));
        assert!(default.is_over(ago(1), MAX_ATTEMPTS, &outage));
        assert!(!Patience::new(Some(KEEP_TRYING), None).is_over(ago(1), 99, &outage));
        outage.failed(true);
        assert!(!default.is_over(ago(1), 99, &outage), "it was reached");
    }

    #[test]
    fn no_time_is_as_many_attempts_as_ever() {
        let off = Patience::new(Some(Duration::ZERO), None);
        let outage = Outage::default();
        assert!(!off.is_over(ago(999), MAX_ATTEMPTS - 1, &outage));
        assert!(off.is_over(ago(0), MAX_ATTEMPTS, &outage));
    }

    #[test]
    fn a_number_of_attempts_ends_it_before_the_time() {
        let outage = Outage::default();
        let two = Patience::new(Some(KEEP_TRYING), Some(2));
        assert!(!two.is_over(ago(1), 1, &outage));
        assert!(two.is_over(ago(1), 2, &outage));
    }

    #[test]
    fn a_service_that_does_not_know_a_request_is_in_no_trouble() {
        for status in [500, 502, 503, 504, 599] {
            assert!(is_trouble(status), "{status}");
        }
        for status in [200, 301, 403, 429, 501, 600] {
            assert!(!is_trouble(status), "{status}");
        }
    }

    #[test]
    fn two_objects_are_given_up_for_all_if_nothing_got_through_in_between() {
        let outage = Outage::default();
        assert!(!outage.gives_up_object());
        outage.answered();
        assert!(!outage.gives_up_object());
        outage.failed(true);
        assert!(outage.gives_up_object());
    }

    #[test]
    fn an_outage_lasts_from_its_first_failure_to_the_next_answer() {
        let outage = Outage::default();
        outage.failed(false);
        let since = outage.since();
        outage.failed(true);
        assert_eq!(outage.since(), since);
        outage.answered();
        assert_eq!(outage.since(), None);
    }
}
