//! What TLS with AWS is made of: the cipher suites and key exchanges of the SDK's own client, and whom it trusts.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::{CipherSuite, ClientConfig, RootCertStore};

use crate::aws::error::TlsUnusable;

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

/// Which key exchanges may be agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyExchange {
    /// A post-quantum one is preferred; TLS 1.2 has none.
    Any,
    /// ML-KEM together with an elliptic curve, in TLS 1.3 ("hybrid post-quantum TLS" in AWS's documentation).
    PostQuantum,
}

/// TLS 1.2 or newer, with these certificates trusted, or else the system's.
///
/// # Errors
/// `NoCaCertificates` if the system has none.
pub(super) fn client_config(
    roots: Option<RootCertStore>,
    key_exchange: KeyExchange,
) -> Result<ClientConfig, TlsUnusable> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let versions: &[_] = match key_exchange {
        KeyExchange::Any => rustls::DEFAULT_VERSIONS,
        KeyExchange::PostQuantum => {
            provider.kx_groups = vec![kx_group::X25519MLKEM768, kx_group::SECP256R1MLKEM768];
            &[&rustls::version::TLS13]
        }
    };
    let suites = SUITES
        .iter()
        .filter_map(|name| provider.cipher_suites.iter().find(|suite| suite.suite() == *name).copied());
    let provider = CryptoProvider { cipher_suites: suites.collect(), ..provider };
    let roots = roots.map_or_else(of_system, Ok)?;
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .map_err(TlsUnusable::Configuration)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn of_system() -> Result<RootCertStore, TlsUnusable> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(TlsUnusable::NoCaCertificates { cause: found.errors.first().map(ToString::to_string) });
    }
    Ok(roots)
}
