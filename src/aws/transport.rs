//! How bytes travel to S3: scheme, TLS version, cipher, who vouches for the server, and a proxy.

use crate::aws::address::{authority_of, is_https};
use crate::aws::connection::Connection;
use crate::aws::http_client::proxy;
use crate::aws::probe::Probe;
use crate::aws::tls_session::TlsSession;

/// How requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transport {
    /// `https` or `http`.
    pub(crate) scheme: String,
    /// The server's name, with its port if the URL has one.
    pub(crate) host: String,
    /// The TLS connection; `None` for http.
    pub(crate) tls: Option<Probe<TlsSession>>,
}

impl Connection {
    /// How requests to S3 are sent; `None` before the first of them.
    pub(crate) fn transport(&self) -> Option<Transport> {
        let uri = self.observed_endpoint.uri()?;
        let host = authority_of(uri)?;
        let session = || match self.tls_sessions.with(&host) {
            Some(session) => Probe::Known(session),
            None if proxy(uri).is_some() => {
                Probe::Unavailable("the connection goes through a proxy".to_owned())
            }
            None => Probe::Unavailable("no connection was made".to_owned()),
        };
        let (scheme, tls) = if is_https(uri) { ("https", Some(session())) } else { ("http", None) };
        Some(Transport { scheme: scheme.to_owned(), host, tls })
    }

    /// The proxy that requests to S3 go through; known after the first of them.
    pub(crate) fn proxy(&self) -> Option<String> {
        proxy(self.observed_endpoint.uri()?)
    }
}
