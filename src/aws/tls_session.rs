//! What was agreed on over TLS with each server, as the connections that carry requests saw it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{CipherSuite, ClientConnection, ProtocolVersion};

mod certificate;

/// A TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsSession {
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

impl TlsSession {
    fn of(connection: &ClientConnection) -> Option<Self> {
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        Some(Self {
            version: connection.protocol_version().map(version_title)?,
            cipher: suite_title(connection.negotiated_cipher_suite()?.suite()),
            key_exchange: connection
                .negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name())),
            issuer: certificate.and_then(|certificate| certificate::issuer(certificate)),
            valid_until: certificate.and_then(|certificate| certificate::valid_until(certificate)),
        })
    }
}

impl fmt::Display for TlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.version, self.cipher)
    }
}

/// The sessions of this run, by the server's name with its port as the URL has them. Of several with one server the first
/// counts: they are made alike.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsSessions(Arc<Mutex<HashMap<String, Option<TlsSession>>>>);

impl TlsSessions {
    /// Notes what was agreed on.
    pub(super) fn note(&self, authority: &str, connection: &ClientConnection) {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !sessions.contains_key(authority) {
            sessions.insert(authority.to_owned(), TlsSession::of(connection));
        }
    }

    /// What was agreed on with a server; nothing if no connection was made to it.
    pub(super) fn with(&self, authority: &str) -> Option<TlsSession> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(authority)?.clone()
    }
}

fn version_title(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name in IANA's registry; the library prefixes those of TLS 1.3 differently.
fn suite_title(suite: CipherSuite) -> String {
    format!("{suite:?}").replacen("TLS13_", "TLS_", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_have_the_names_of_the_registry() {
        assert_eq!(suite_title(CipherSuite::TLS13_AES_256_GCM_SHA384), "TLS_AES_256_GCM_SHA384");
        assert_eq!(
            suite_title(CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
        );
    }
}
