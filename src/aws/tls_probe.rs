//! How bytes travel to S3: scheme, TLS version, cipher, and who vouches for the server.
//!
//! The SDK's client does not expose its connections, so this makes a handshake of its own with the same endpoint, with
//! the same library, cipher suites and trusted certificates. It sends no request.

use std::fmt;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CipherSuite, ClientConfig, ClientConnection, RootCertStore};

use crate::aws::address::is_loopback;
use crate::aws::connection::Connection;
use crate::aws::probe::Probe;
use crate::limits::TLS_HANDSHAKE_TIMEOUT;

mod certificate;

/// The cipher suites of the SDK's client, in its order of preference.
const SUITES: [CipherSuite; 7] = [
    CipherSuite::TLS13_AES_256_GCM_SHA384,
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

/// How requests are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transport {
    /// `https` or `http`.
    pub(crate) scheme: String,
    /// The server's name, with its port if the URL has one.
    pub(crate) host: String,
    /// The TLS connection; `None` for http.
    pub(crate) tls: Option<Probe<TlsFacts>>,
}

/// A TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFacts {
    /// `TLS 1.3`.
    pub(crate) version: String,
    /// The cipher suite, by IANA's name.
    pub(crate) cipher: String,
    /// The key exchange, by IANA's name.
    pub(crate) key_exchange: Option<String>,
    /// Who issued the server's certificate, as the certificate says.
    pub(crate) issuer: Option<String>,
    /// When the certificate expires, in seconds since 1970.
    pub(crate) valid_until: Option<i64>,
}

/// A probe of the TLS connection. It blocks on the network, so it must not run on the runtime's threads.
pub(crate) struct TlsProbe {
    uri: String,
    ca_bundle: Option<PathBuf>,
}

impl Connection {
    /// Prepares a probe of how requests to S3 are sent; `None` before the first of them.
    pub(crate) fn tls_probe(&self) -> Option<TlsProbe> {
        let uri = self.observed_endpoint.uri()?.to_owned();
        Some(TlsProbe { uri, ca_bundle: self.ca_bundle.clone() })
    }

    /// The proxy that requests to S3 go through; known after the first of them.
    pub(crate) fn proxy(&self) -> Option<String> {
        proxy(self.observed_endpoint.uri()?)
    }
}

impl TlsProbe {
    /// Makes the handshake. Takes at most about half a minute.
    pub(crate) fn run(&self) -> Transport {
        let (scheme, rest) = self.uri.split_once("://").unwrap_or(("", &self.uri));
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let tls = (scheme == "https").then(|| {
            if proxy(&self.uri).is_some() {
                return Probe::Unavailable("the connection goes through a proxy".to_owned());
            }
            match handshake(host, self.ca_bundle.as_deref()) {
                Ok(session) => Probe::Known(session),
                Err(error) => Probe::Unavailable(error.to_string()),
            }
        });
        Transport { scheme: scheme.to_owned(), host: host.to_owned(), tls }
    }
}

/// The proxy that requests to a URL go through, without its password.
fn proxy(url: &str) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    let proxy = Matcher::from_env().intercept(&url.parse().ok()?)?;
    let (scheme, authority) = (proxy.uri().scheme_str()?, proxy.uri().authority()?.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn handshake(authority: &str, ca_bundle: Option<&Path>) -> Result<TlsFacts, Failure> {
    let (host, port) = host_and_port(authority).ok_or("the endpoint's address cannot be read")?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let suites = SUITES
        .iter()
        .filter_map(|name| provider.cipher_suites.iter().find(|suite| suite.suite() == *name).copied());
    let provider = CryptoProvider { cipher_suites: suites.collect(), ..provider };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(ca_bundle)?)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())?;
    let mut connection = ClientConnection::new(Arc::new(config), name)?;
    let mut socket = dial(host, port)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    connection.send_close_notify();
    // The handshake is complete; the server may have closed the connection.
    let _ = connection.write_tls(&mut socket);
    let certificate = connection.peer_certificates().and_then(|chain| chain.first());
    let suite = connection.negotiated_cipher_suite().ok_or("no cipher was agreed on")?;
    Ok(TlsFacts {
        version: connection.protocol_version().map(version_title).unwrap_or_default(),
        cipher: suite_title(suite.suite()),
        key_exchange: connection.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name())),
        issuer: certificate.and_then(|certificate| certificate::issuer(certificate)),
        valid_until: certificate.and_then(|certificate| certificate::valid_until(certificate)),
    })
}

fn dial(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let mut refusal: Failure = format!("{host} has no address").into();
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TLS_HANDSHAKE_TIMEOUT) {
            Ok(socket) => {
                socket.set_read_timeout(Some(TLS_HANDSHAKE_TIMEOUT))?;
                socket.set_write_timeout(Some(TLS_HANDSHAKE_TIMEOUT))?;
                return Ok(socket);
            }
            Err(error) => refusal = error.into(),
        }
    }
    Err(refusal)
}

fn roots(ca_bundle: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path)? {
                roots.add(certificate?)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(roots)
}

/// Splits `host:port`, `host` and `[v6]:port`.
fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = if rest.is_empty() { 443 } else { rest.strip_prefix(':')?.parse().ok()? };
        return Some((host, port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, 443)),
    }
}

fn version_title(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name in IANA's registry; the library prefixes those of TLS 1.3 differently.
fn suite_title(suite: CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

impl fmt::Display for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.cipher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_parted() {
        for (authority, parted) in [
            ("b.s3.eu-west-1.amazonaws.com", Some(("b.s3.eu-west-1.amazonaws.com", 443))),
            ("127.0.0.1:9000", Some(("127.0.0.1", 9000))),
            ("[::1]:9000", Some(("::1", 9000))),
            ("[::1]", Some(("::1", 443))),
            ("host:port", None),
            ("[::1", None),
        ] {
            assert_eq!(host_and_port(authority), parted, "{authority}");
        }
    }

    #[test]
    fn ciphers_have_the_names_of_the_registry() {
        assert_eq!(suite_title(CipherSuite::TLS13_AES_256_GCM_SHA384), "TLS_AES_256_GCM_SHA384");
        assert_eq!(
            suite_title(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
    }
}
