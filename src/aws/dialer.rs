//! Makes one connection over TLS, and reads ahead from its socket.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::aws::address;
use crate::aws::tls_session::TlsSessions;

/// Bytes that are read from a socket at once: some 16 records of TLS, of which its library takes one at a time.
pub(super) const READ_AHEAD: usize = 256 << 10;

/// Makes connections.
#[derive(Clone)]
pub(super) struct Dialer {
    tcp: HttpConnector,
    tls: TlsConnector,
    timeout: Duration,
    sessions: TlsSessions,
}

impl Dialer {
    pub(super) fn new(mut config: ClientConfig, timeout: Duration, sessions: TlsSessions) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        Self { tcp, tls: TlsConnector::from(Arc::new(config)), timeout, sessions }
    }

    async fn dial(mut self, uri: Uri) -> Result<Encrypted, BoxError> {
        let host = uri.host().ok_or("the address names no host")?;
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
        let server = address::server(&uri);
        let tcp = self.tcp.call(uri).await?;
        let tls = self.tls.connect(name, BufReader::with_capacity(READ_AHEAD, tcp.into_inner())).await?;
        if let Some(server) = server {
            self.sessions.note(&server, tls.get_ref().1);
        }
        Ok(Encrypted { tls: TokioIo::new(tls) })
    }
}

impl Service<Uri> for Dialer {
    type Response = Encrypted;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.clone();
        let timeout = self.timeout;
        Box::pin(async move {
            tokio::time::timeout(timeout, dialer.dial(uri)).await.map_err(|_| TooSlow(timeout))?
        })
    }
}

/// A connection was not made in this time.
#[derive(Debug)]
pub(super) struct TooSlow(Duration);

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out: no connection within {} s", self.0.as_secs_f32())
    }
}

impl std::error::Error for TooSlow {}

/// A connection over TLS.
pub(super) struct Encrypted {
    tls: TokioIo<TlsStream<BufReader<TcpStream>>>,
}

impl Connection for Encrypted {
    fn connected(&self) -> Connected {
        self.tls.inner().get_ref().0.get_ref().connected()
    }
}

impl Read for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_read(context, into)
    }
}

impl Write for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tls).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
