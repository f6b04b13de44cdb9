//! The endpoint that the SDK resolved, observed on the first request to S3.

use std::sync::{Arc, OnceLock};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;

use crate::aws::address::{authority_of, host_of, is_https};

/// The URI of the first request to S3.
#[derive(Clone, Debug, Default)]
pub(super) struct ObservedEndpoint(Arc<OnceLock<String>>);

impl ObservedEndpoint {
    /// The address of the first request.
    pub(super) fn uri(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Scheme, name and port of the server.
    pub(super) fn origin(&self) -> Option<String> {
        let uri = self.uri()?;
        let scheme = if is_https(uri) { "https" } else { "http" };
        authority_of(uri).map(|authority| format!("{scheme}://{authority}"))
    }

    /// The server's name, without its port.
    pub(super) fn host(&self) -> Option<String> {
        host_of(self.uri()?)
    }
}

impl Intercept for ObservedEndpoint {
    fn name(&self) -> &'static str {
        "ObservedEndpoint"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        self.0.get_or_init(|| context.request().uri().to_owned());
        Ok(())
    }
}
