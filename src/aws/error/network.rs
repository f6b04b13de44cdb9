//! Requests without an answer: finds the reason in the SDK's chain of causes.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use hyper_util::client::legacy;

use super::chain::{chain, find, innermost};
use crate::error::{Cause, Denial, Error, NetworkFault, Subject};

/// A key would have been sent over http.
#[derive(Debug)]
pub(in crate::aws) struct OverHttp {
    pub(in crate::aws) key: &'static str,
}

impl fmt::Display for OverHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must not go over http; nothing was sent (use an https endpoint)", self.key)
    }
}

impl StdError for OverHttp {}

/// No connection over TLS can be made from this machine.
#[derive(Clone, Debug)]
pub(in crate::aws) enum TlsUnusable {
    /// There is no certificate on this system by which a server could be trusted, and the first reason for that.
    NoCaCertificates {
        cause: Option<String>,
    },
    Configuration(rustls::Error),
    /// A key exchange is required, and the SDK would choose it.
    KeyExchangeNotOurs,
}

impl fmt::Display for TlsUnusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCaCertificates { .. } => NetworkFault::NoCaCertificates.fmt(f),
            Self::Configuration(error) => write!(f, "TLS cannot be used: {error}"),
            Self::KeyExchangeNotOurs => f.write_str(
                "a post-quantum key exchange cannot be required through a proxy, or of a server of credentials; nothing was sent",
            ),
        }
    }
}

impl StdError for TlsUnusable {}

/// Nothing moved over a connection for this long.
#[derive(Debug)]
pub(in crate::aws) struct Stalled(pub(in crate::aws) Duration);

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timed out: nothing moved over the connection for {} s", self.0.as_secs_f32())
    }
}

impl StdError for Stalled {}

/// Words of hyper's errors about an invalid response head.
const UNREADABLE: [&str; 2] = ["parsed", "message head is too large"];

/// Words of rustls about a handshake in which one side takes nothing that the other offers.
const NO_AGREEMENT: [&str; 4] = [
    "fatal alert: HandshakeFailure",
    "fatal alert: ProtocolVersion",
    "fatal alert: InsufficientSecurity",
    "peer is incompatible",
];

/// Finds out why a request has no answer.
pub(super) fn not_sent(subject: Subject, error: &(dyn StdError + 'static)) -> Error {
    if let Some(credentials) = find::<CredentialsError>(error) {
        let why = match credentials {
            CredentialsError::CredentialsNotLoaded(_) => Denial::NoCredentials,
            _ if wants_sso_login(credentials) => Denial::SsoLogin,
            _ => Denial::Credentials,
        };
        return Error::Denied { subject, why, source: Some(tip(error)) };
    }
    if let Some(refused) = find::<OverHttp>(error) {
        return Error::unsupported(subject, refused.to_string());
    }
    if let Some(refused @ TlsUnusable::KeyExchangeNotOurs) = find(error) {
        return Error::unsupported(subject, refused.to_string());
    }
    let words = all_words(error);
    if ["no credentials", "no providers in chain provided"].iter().any(|said| words.contains(said)) {
        return Error::Denied { subject, why: Denial::NoCredentials, source: None };
    }
    if UNREADABLE.iter().any(|said| words.contains(said)) {
        return Error::NotUnderstood {
            subject,
            why: "it is not HTTP, or has too many or too long headers".to_owned(),
            source: Some(tip(error)),
        };
    }
    self::error(subject, fault(error, &words), error)
}

/// Whether a connector failed before it had a connection to send anything over.
pub(in crate::aws) fn was_never_sent(error: &(dyn StdError + 'static)) -> bool {
    let words = all_words(error);
    let was_sent = matches!(fault(error, &words), NetworkFault::Broken | NetworkFault::Timeout)
        || UNREADABLE.iter().any(|said| words.contains(said));
    !was_sent
}

/// Whether a connector failed because the server is not the one meant, or speaks no TLS.
pub(in crate::aws) fn is_not_trusted(error: &(dyn StdError + 'static)) -> bool {
    fault(error, &all_words(error)).is_about_trust()
}

/// The texts of an error and its causes.
fn all_words(error: &(dyn StdError + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Finds the network fault of an error, whose own words and those of its causes are given.
fn fault(error: &(dyn StdError + 'static), words: &str) -> NetworkFault {
    let says = |word: &str| words.contains(word);
    if find::<legacy::Error>(error).is_some_and(|client| !client.is_connect()) {
        // The server has proved who it is. What TLS says afterwards, as of a connection that ends without a goodbye, is
        // about the connection.
        return if says("timed out") || says("timeout") {
            NetworkFault::Timeout
        } else {
            NetworkFault::Broken
        };
    }
    if matches!(find(error), Some(TlsUnusable::NoCaCertificates { .. })) {
        NetworkFault::NoCaCertificates
    } else if says("corrupt message") {
        NetworkFault::NotTls
    } else if NO_AGREEMENT.iter().any(|said| says(said)) {
        NetworkFault::TlsParameters
    } else if says("certificate expired") || says("certificate not valid yet") {
        NetworkFault::CertificateTime
    } else if says("certificate") || says("UnknownIssuer") || says("TLS") {
        NetworkFault::Tls
    } else if says("timed out") || says("timeout") {
        NetworkFault::Timeout
    } else if says("reset") || says("broken pipe") || says("closed") || says("IncompleteMessage") {
        NetworkFault::Broken
    } else {
        NetworkFault::Connect
    }
}

/// Whether credentials could not be had because there is no session of IAM Identity Center, or none that is still open.
/// Only the texts of the SDK's errors say so.
fn wants_sso_login(error: &(dyn StdError + 'static)) -> bool {
    let said = all_words(error);
    ["SSO token", "/sso/cache/", "UnauthorizedException"].iter().any(|words| said.contains(words))
}

pub(super) fn error(subject: Subject, why: NetworkFault, error: &(dyn StdError + 'static)) -> Error {
    let source = match find(error) {
        Some(TlsUnusable::NoCaCertificates { cause }) => cause.as_deref().map(Into::into),
        _ => Some(tip(error)),
    };
    Error::Network { subject, why, source }
}

/// Makes the error of an answer that broke off, or did not go on.
pub(in crate::aws) fn broken(subject: Subject, error: &(dyn StdError + 'static)) -> Error {
    let text = innermost(error).to_string();
    let stalled = text.contains("timed out");
    let why = if stalled { NetworkFault::Timeout } else { NetworkFault::Broken };
    Error::Network { subject, why, source: Some(text.into()) }
}

fn tip(error: &(dyn StdError + 'static)) -> Cause {
    innermost(error).to_string().into()
}
