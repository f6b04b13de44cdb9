//! The server's clock, from the Date headers of its answers.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_smithy_runtime_api::box_error::BoxError;

use crate::aws::timestamp::local_now;

/// How many seconds the server's clock is ahead of this machine's, from the last answer with a date.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerClock(Arc<OnceLock<AtomicI64>>);

impl ServerClock {
    /// The server's time in seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        local_now() + self.ahead().unwrap_or_default()
    }

    /// How many seconds it is ahead; `None` before an answer with a date.
    pub(super) fn ahead(&self) -> Option<i64> {
        self.0.get().map(|ahead| ahead.load(Relaxed))
    }
}

impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let date = context.response().headers().get("date");
        if let Some(date) = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok()) {
            self.0.get_or_init(AtomicI64::default).store(date.secs() - local_now(), Relaxed);
        }
        Ok(())
    }
}
