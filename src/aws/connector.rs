//! The connections over TLS to AWS and to servers like it, where no proxy is in between.
//!
//! The SDK's own connector reads from a socket 16 KiB at a time, one record of TLS, and lets hyper hold megabytes that no
//! budget counts. Here a socket is read [`READ_AHEAD`] at a time, and hyper holds no more than that. Signing,
//! retries and timeouts stay in the SDK, and so does everything over http or through a proxy.

use std::fmt;
use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpInfo, capture_connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;

use crate::aws::dialer::{Dialer, READ_AHEAD, TooSlow};
use crate::aws::error::find;
use crate::aws::tls_session::TlsSessions;

/// Idle connections that are kept to a server.
pub(super) const MAX_IDLE: usize = 64;

/// A pool of connections over TLS.
#[derive(Clone)]
pub(super) struct DirectTls(Client<Dialer, SdkBody>);

impl DirectTls {
    /// A pool whose connections are made in `connect_timeout` each, the handshake included.
    pub(super) fn new(config: ClientConfig, connect_timeout: Duration, sessions: TlsSessions) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(READ_AHEAD)
            .build(Dialer::new(config, connect_timeout, sessions));
        Self(client)
    }
}

impl fmt::Debug for DirectTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirectTls")
    }
}

impl HttpConnector for DirectTls {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(classified)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK needs to give up a connection on which a request went wrong.
fn metadata(capture: &CaptureConnection) -> Option<ConnectionMetadata> {
    let mut extras = hyper::http::Extensions::new();
    capture.connection_metadata().as_ref()?.get_extras(&mut extras);
    let addresses = extras.get::<HttpInfo>();
    let capture = capture.clone();
    let mut builder = ConnectionMetadata::builder().proxied(false).poison_fn(move || {
        if let Some(connection) = capture.connection_metadata().as_ref() {
            connection.poison();
        }
    });
    builder
        .set_local_addr(addresses.map(HttpInfo::local_addr))
        .set_remote_addr(addresses.map(HttpInfo::remote_addr));
    Some(builder.build())
}

/// Says of an error whether the SDK may try again, as its own connector does.
fn classified(error: Error) -> ConnectorError {
    let is_connect = error.is_connect();
    let error: BoxError = error.into();
    if find::<TooSlow>(&*error).is_some() {
        return ConnectorError::timeout(error);
    }
    let is_io = find::<io::Error>(&*error).is_some();
    match find::<hyper::Error>(&*error) {
        Some(hyper) if hyper.is_timeout() => ConnectorError::timeout(error),
        Some(hyper) if hyper.is_user() => ConnectorError::user(error),
        Some(hyper) if hyper.is_closed() || hyper.is_canceled() || is_io => ConnectorError::io(error),
        Some(hyper) if hyper.is_incomplete_message() => {
            ConnectorError::other(error, Some(ErrorKind::TransientError))
        }
        None if is_connect || is_io => ConnectorError::io(error),
        _ => ConnectorError::other(error, None),
    }
}
