//! Listens, and serves each connection until it ends or a fault ends it.
//!
//! Only the loopback address is bound, whatever the configuration says: a sandbox knows no other protection.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::dispatch::Dispatch;
use super::wire::{End, Line, Stream, Wire};
use crate::s3::Scheme;

/// The most that HTTP reads or holds back at once for one connection.
const HTTP_BUFFER: usize = 512 * 1024;
/// The most that TLS holds back: the default of 64 KiB makes an answer's body wait for the socket too often.
const TLS_BUFFER: usize = 512 * 1024;

/// Binds a port of the loopback address; 0 takes a free one.
pub(super) fn bind(port: u16) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Accepts connections for ever, over TLS if there is an acceptor.
pub(super) async fn accept(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    dispatch: Arc<Dispatch>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener made non-blocking");
    loop {
        // An error here is about one connection that is gone already, or about too many of them for a moment.
        let Ok((tcp, _peer)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        if let Some(tcp) = dispatch.absence.pass(tcp) {
            tokio::spawn(serve(tcp, tls.clone(), dispatch.clone()));
        }
    }
}

async fn serve(tcp: TcpStream, tls: Option<TlsAcceptor>, dispatch: Arc<Dispatch>) {
    // Without it small answers would only be slower.
    let _ = tcp.set_nodelay(true);
    let (stream, scheme) = match tls {
        None => (Stream::Plain(tcp), Scheme::Http),
        Some(tls) => {
            let limit = |connection: &mut tokio_rustls::rustls::ServerConnection| {
                connection.set_buffer_limit(Some(TLS_BUFFER));
            };
            // A client that does not trust us hangs up here: that is its own to report.
            let Ok(stream) = tls.accept_with(tcp, limit).await else {
                return;
            };
            (Stream::Tls(Box::new(stream)), Scheme::Https)
        }
    };
    let line = Arc::new(Line::default());
    let wire = TokioIo::new(Wire { stream, line: line.clone() });
    let service = {
        let (line, dispatch) = (line.clone(), dispatch.clone());
        service_fn(move |request| dispatch.clone().answer(request, line.clone(), scheme))
    };
    let mut connection = http1::Builder::new().max_buf_size(HTTP_BUFFER).serve_connection(wire, service);
    let how = tokio::select! {
        // However it ended, the client has seen it too.
        _ = &mut connection => return,
        how = line.ended() => how,
        () = dispatch.absence.begun() => End::Reset,
    };
    connection.into_parts().io.into_inner().end(how).await;
}
