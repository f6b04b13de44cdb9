//! Interceptors of every request: no key without TLS, no repeated header, no endless answer.
//!
//! They run in the SDK, so they apply to each attempt and to whatever endpoint a request is resolved to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, Region, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

use crate::aws::address::{is_https, is_loopback};
use crate::aws::error::{self, ASKED_REGION_HEADER, OverHttp};
use crate::aws::sse::{KEY_HEADERS, KEY_MD5_HEADER};
use crate::limits::{MAX_ANSWER_BYTES, MAX_ERROR_ANSWER_BYTES};

/// Refuses requests that would send a key without TLS, whatever endpoint they were resolved to.
#[derive(Debug)]
pub(super) struct NoKeyOverHttp {
    pub(super) allow_loopback: bool,
}

impl NoKeyOverHttp {
    pub(super) fn refusal(&self, uri: &str, has_key_header: bool, is_kms: bool) -> Option<OverHttp> {
        let key = match (has_key_header, is_kms) {
            (true, _) => "an SSE-C key",
            (_, true) => "a data key from AWS KMS",
            _ => return None,
        };
        if is_https(uri) {
            return None;
        }
        (!(self.allow_loopback && is_loopback(uri))).then_some(OverHttp { key })
    }
}

impl Intercept for NoKeyOverHttp {
    fn name(&self) -> &'static str {
        "NoKeyOverHttp"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let request = context.request();
        let has_key = KEY_HEADERS.iter().any(|name| request.headers().contains_key(name));
        let is_kms = bag.load::<Metadata>().is_some_and(|metadata| metadata.service() == "KMS");
        match self.refusal(request.uri(), has_key, is_kms) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }
}

/// The operations that carry an object's bytes.
const UPLOADS: [&str; 2] = ["PutObject", "UploadPart"];

/// Leaves the bytes of an upload out of its signature where TLS protects them: hashing them takes longer than
/// encrypting them. Decided by the address that the request was resolved to.
#[derive(Debug)]
pub(super) struct UnsignedOverTls;

impl Intercept for UnsignedOverTls {
    fn name(&self) -> &'static str {
        "UnsignedOverTls"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let uploads = bag.load::<Metadata>().is_some_and(|metadata| UPLOADS.contains(&metadata.name()));
        if uploads && is_https(context.request().uri()) {
            bag.interceptor_state().store_put(PayloadSigningOverride::unsigned_payload());
        }
        Ok(())
    }
}

/// Some servers send the MD5 of a customer key twice, and the SDK rejects such an answer.
#[derive(Debug)]
pub(super) struct MergeRepeatedHeader;

impl Intercept for MergeRepeatedHeader {
    fn name(&self) -> &'static str {
        "MergeRepeatedHeader"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let headers = context.response_mut().headers_mut();
        let values: Vec<&str> = headers.get_all(KEY_MD5_HEADER).collect();
        if let [first, rest @ ..] = values.as_slice()
            && !rest.is_empty()
            && rest.iter().all(|value| value == first)
        {
            let value = (*first).to_owned();
            headers.insert(KEY_MD5_HEADER, value);
        }
        Ok(())
    }
}

/// Notes in a refusal which region was asked, which S3 does not say.
#[derive(Debug)]
pub(super) struct NoteRegion;

impl Intercept for NoteRegion {
    fn name(&self) -> &'static str {
        "NoteRegion"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let response = context.response_mut();
        response.headers_mut().remove(ASKED_REGION_HEADER);
        if let (false, Some(region)) = (response.status().is_success(), bag.load::<Region>()) {
            response.headers_mut().try_insert(ASKED_REGION_HEADER, region.as_ref().to_owned())?;
        }
        Ok(())
    }
}

/// Cuts off an answer that is longer than any of S3's or KMS's: the SDK reads all but objects into memory.
#[derive(Debug)]
pub(super) struct Bounded;

impl Intercept for Bounded {
    fn name(&self) -> &'static str {
        "Bounded"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let is_object = bag.load::<Metadata>().is_some_and(|metadata| metadata.name() == "GetObject");
        let response = context.response_mut();
        let limit = match (response.status().is_success(), is_object) {
            // Objects are read in chunks.
            (true, true) => return Ok(()),
            (true, false) => MAX_ANSWER_BYTES,
            (false, _) => MAX_ERROR_ANSWER_BYTES,
        };
        let body = std::mem::replace(response.body_mut(), SdkBody::taken());
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, limit));
        Ok(())
    }
}

/// Records attempts at one request that ended without an answer: the server may have executed them.
#[derive(Clone, Debug, Default)]
pub(super) struct Unanswered(Arc<AtomicBool>);

impl Unanswered {
    /// Whether there was such an attempt.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Intercept for Unanswered {
    fn name(&self) -> &'static str {
        "Unanswered"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let is_open = match error.as_connector_error() {
            Some(broken) => !error::was_never_sent(broken),
            // After a failure of the server or a proxy, the request may have been executed; after a 503 it was not. A 200
            // with an error in its body is S3's own failure, late.
            None if error.is_operation_error() => context
                .response()
                .is_some_and(|answer| matches!(answer.status().as_u16(), 200 | 500..=502 | 504..)),
            None => error.is_timeout_error() || error.is_response_error(),
        };
        if is_open {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_over_http_only_to_loopback_and_only_when_allowed() {
        for (allow, uri, header, kms, refused) in [
            (false, "https://s3.example/b/k", true, false, false),
            (false, "http://s3.example/b/k", true, false, true),
            (false, "http://127.0.0.1:9/b/k", true, false, true),
            (true, "http://127.0.0.1:9/b/k", true, false, false),
            (true, "http://[::1]:9/b/k", true, false, false),
            (true, "http://localhost:9/b/k", true, false, false),
            (true, "http://127.0.0.1.example/b/k", true, false, true),
            (true, "http://s3.example/b/k", true, false, true),
            (true, "http://127.0.0.1:9@s3.example/b/k", true, false, true),
            (false, "HTTP://s3.example/b/k", true, false, true),
            (false, "http://s3.example/b/k", false, false, false),
            (false, "http://kms.example/", false, true, true),
        ] {
            let found = NoKeyOverHttp { allow_loopback: allow }.refusal(uri, header, kms);
            assert_eq!(found.is_some(), refused, "{allow} {uri} {header} {kms}");
        }
    }
}
