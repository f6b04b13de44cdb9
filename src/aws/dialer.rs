//! Makes one connection over TLS, and reads ahead from its socket.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::aws::tls_session::TlsSessions;

/// Bytes that are read from a socket at once: some 16 records of TLS.
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
        let authority = uri.authority().map(|authority| authority.as_str().to_owned());
        let tcp = self.tcp.call(uri).await?;
        let tls = self.tls.connect(name, ReadAhead::new(tcp.into_inner())).await?;
        if let Some(authority) = authority {
            self.sessions.note(&authority, tls.get_ref().1);
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
    tls: TokioIo<TlsStream<ReadAhead>>,
}

impl Connection for Encrypted {
    fn connected(&self) -> Connected {
        self.tls.inner().get_ref().0.socket.connected()
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

/// A socket below TLS, whose library takes no more than a record at a time.
struct ReadAhead {
    socket: TcpStream,
    /// What was read and not taken yet is between `taken` and `filled`.
    buffer: Box<[u8]>,
    taken: usize,
    filled: usize,
}

impl ReadAhead {
    fn new(socket: TcpStream) -> Self {
        Self { socket, buffer: vec![0; READ_AHEAD].into_boxed_slice(), taken: 0, filled: 0 }
    }
}

impl AsyncRead for ReadAhead {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.taken == this.filled {
            let mut buffer = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.socket).poll_read(context, &mut buffer))?;
            (this.taken, this.filled) = (0, buffer.filled().len());
        }
        let taken = (this.filled - this.taken).min(into.remaining());
        into.put_slice(&this.buffer[this.taken..this.taken + taken]);
        this.taken += taken;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReadAhead {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn what_is_read_ahead_comes_out_in_order_and_to_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let sent: Vec<u8> = (0..3 * READ_AHEAD + 7).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let content = sent.clone();
        let sending = tokio::spawn(async move { server.write_all(&content).await.unwrap() });
        let mut ahead = ReadAhead::new(client);
        let mut received = Vec::new();
        let mut piece = vec![0; 5 + (16 << 10)];
        loop {
            let read = ahead.read(&mut piece).await.unwrap();
            if read == 0 {
                break;
            }
            received.extend_from_slice(&piece[..read]);
        }
        sending.await.unwrap();
        assert!(received == sent);
    }
}
