//! One connection's bytes, and the power to end it as a broken network would.
//!
//! HTTP libraries close politely; a fault must not. [`Line`] is the string that a fault pulls from inside a request, and
//! [`Wire::end`] does what it says to the socket once the HTTP machinery has let go of it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::server::TlsStream;

/// How a connection ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum End {
    /// A TCP reset, unannounced.
    Reset = 1,
    /// TLS says goodbye, TCP closes in order.
    Close = 2,
    /// TCP closes in order, and TLS says nothing.
    HangUp = 3,
}

/// What a request holds of the connection it came on.
#[derive(Default)]
pub(super) struct Line {
    how: AtomicU8,
    due: Notify,
}

impl Line {
    /// Ends the connection at once.
    pub(super) fn end(&self, how: End) {
        self.how.store(how as u8, SeqCst);
        self.due.notify_one();
    }

    /// Ends the connection as soon as all that was written so far has left.
    pub(super) fn end_once_flushed(&self, how: End) {
        self.how.store(how as u8, SeqCst);
    }

    /// Resolves when the connection is to end.
    pub(super) async fn ended(&self) -> End {
        self.due.notified().await;
        match self.how.load(SeqCst) {
            2 => End::Close,
            3 => End::HangUp,
            _ => End::Reset,
        }
    }

    fn flushed(&self) {
        if self.how.load(SeqCst) != 0 {
            self.due.notify_one();
        }
    }
}

/// A connection with or without TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The stream that HTTP is spoken on; it tells its line when everything is flushed.
pub(super) struct Wire {
    pub(super) stream: Stream,
    pub(super) line: Arc<Line>,
}

impl Wire {
    pub(super) async fn end(mut self, how: End) {
        match how {
            // The peer may be gone already; then there is nothing to end.
            End::Close => drop(self.shutdown().await),
            End::HangUp => drop(match &mut self.stream {
                Stream::Plain(tcp) => tcp.shutdown().await,
                Stream::Tls(tls) => tls.get_mut().0.shutdown().await,
            }),
            End::Reset => drop(self.tcp().set_zero_linger()),
        }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// Calls a poll method on whichever stream it is.
macro_rules! on_stream {
    ($wire:expr, $method:ident, $cx:expr $(, $argument:expr)*) => {
        match &mut $wire.get_mut().stream {
            Stream::Plain(tcp) => Pin::new(tcp).$method($cx $(, $argument)*),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).$method($cx $(, $argument)*),
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, poll_read, cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        on_stream!(self, poll_write, cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_stream!(self, poll_write_vectored, cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(tcp) => tcp.is_write_vectored(),
            Stream::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(on_stream!(self.as_mut(), poll_flush, cx))?;
        self.line.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, poll_shutdown, cx)
    }
}
