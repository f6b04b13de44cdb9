//! What `-vv` shows of each attempt of a request: no header and no body, which may be secret.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aws_sdk_s3::config::interceptors::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::config_bag::{Storable, StoreReplace};

/// Describes each attempt of a request to a listener, without secrets.
#[derive(Clone, Default)]
pub(crate) struct Trace(Option<Arc<dyn Fn(String) + Send + Sync>>);

impl Trace {
    /// Calls `listener` with a line for each attempt.
    pub(crate) fn new(listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Describes nothing.
    pub(crate) fn off() -> Self {
        Self(None)
    }
}

/// When a request was sent and its URL, without headers, which may contain a key.
#[derive(Debug)]
struct Began(Instant, String);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

/// Passes each attempt to a [`Trace`].
pub(super) struct Tracer(pub(super) Trace);

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tracer")
    }
}

impl Intercept for Tracer {
    fn name(&self) -> &'static str {
        "Tracer"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        if self.0.0.is_some() {
            let uri = context.request().uri();
            let place = uri.split_once("://").map_or(uri, |(_, rest)| rest);
            bag.interceptor_state().store_put(Began(Instant::now(), place.to_owned()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let (Some(listener), Some(Began(at, place))) = (&self.0.0, bag.load::<Began>()) else {
            return Ok(());
        };
        let name =
            bag.load::<Metadata>().map_or_else(String::new, |m| format!("{} {}", m.service(), m.name()));
        let answer = context.response().map_or_else(
            || "no answer".to_owned(),
            |response| {
                let id =
                    ["x-amz-request-id", "x-amzn-requestid"].iter().find_map(|id| response.headers().get(id));
                format!("{} (request {})", response.status().as_u16(), id.unwrap_or("-"))
            },
        );
        listener(format!("{name} {place}: {answer} in {} ms", at.elapsed().as_millis()));
        Ok(())
    }
}
