//! Where the requests to S3 go, as the first of them shows.

use std::sync::{Arc, OnceLock};

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;

/// Where S3 requests go, noted from the first of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin(Arc<OnceLock<String>>);

impl Origin {
    /// The address of the first request.
    pub(super) fn uri(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// The server's name, without its port.
    pub(super) fn host(&self) -> Option<&str> {
        let (_, rest) = self.uri()?.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        Some(authority.split_once(':').map_or(authority, |(host, _)| host))
    }
}

impl Intercept for Origin {
    fn name(&self) -> &'static str {
        "Origin"
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
