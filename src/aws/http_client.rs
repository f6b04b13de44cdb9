//! Which connections a request goes over: past every proxy to this machine, through one where the environment names it,
//! and else over TLS by a connector of our own.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::aws::address::{is_https, is_loopback};
use crate::aws::body_watch::BodyWatch;
use crate::aws::connector::{DirectTls, MAX_IDLE};
use crate::aws::error::TlsUnusable;
use crate::aws::tls_config::{KeyExchange, client_config};
use crate::aws::tls_session::TlsSessions;
use crate::error::{Error, Result, Subject};

/// One set of connections for all services, over TLS 1.2 or newer. Where a key exchange is required, a request whose
/// connection the SDK would make, as through a proxy, is refused: its own client chooses for itself.
///
/// # Errors
/// `NotFound`, `Local` or `Unsupported` for a CA bundle that cannot be used.
pub(super) fn http_client(
    ca_bundle: Option<&Path>,
    key_exchange: KeyExchange,
    watch: BodyWatch,
    sessions: TlsSessions,
) -> Result<SharedHttpClient> {
    let mut context = TlsContext::builder();
    let mut roots = None;
    if let Some(path) = ca_bundle {
        let pem = read(path)?;
        roots = Some(parse(path, &pem)?);
        context = context.with_trust_store(TrustStore::empty().with_pem_certificate(pem));
    }
    let context = context.build().map_err(|error| {
        Error::unsupported(ca_bundle.map_or("TLS".into(), Subject::from), error.to_string())
    })?;
    let proxied = sdk_client(context.clone(), ProxyConfig::from_env());
    let direct = sdk_client(context, ProxyConfig::disabled());
    let tls = TlsPools { roots, key_exchange, sessions, config: OnceLock::new(), pools: Mutex::default() };
    let clients = Arc::new(Clients { proxied, direct, tls, proxies: Matcher::from_env() });
    Ok(http_client_fn(move |settings, components| {
        let connector = SharedHttpConnector::new(ByAddress {
            clients: clients.clone(),
            settings: settings.clone(),
            components: components.clone(),
        });
        match components.sleep_impl() {
            Some(sleep) => watch.over(connector, sleep),
            None => connector,
        }
    }))
}

/// The clients for each way, and which requests go through a proxy.
#[derive(Debug)]
struct Clients {
    proxied: SharedHttpClient,
    direct: SharedHttpClient,
    tls: TlsPools,
    proxies: Matcher,
}

/// Chooses the client by the request's address, so that none is made that is not needed. For a proxy, `localhost` would be
/// the proxy's own machine, and keys may go over plain http only because they do not leave this one.
#[derive(Debug)]
struct ByAddress {
    clients: Arc<Clients>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ByAddress {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (uri, clients) = (request.uri(), &self.clients);
        let is_loopback = is_loopback(uri);
        if is_https(uri) {
            match clients.tls.config() {
                // The SDK's client would trust none either, and call the server's certificate unknown.
                Err(why) => return HttpConnectorFuture::ready(Err(ConnectorError::other(why.into(), None))),
                Ok(config) => {
                    if (is_loopback || !clients.is_proxied(uri))
                        && let Some(pool) = clients.tls.pool(config, &self.settings)
                    {
                        return pool.call(request);
                    }
                    if clients.tls.key_exchange == KeyExchange::PostQuantum {
                        let why = ConnectorError::other(TlsUnusable::KeyExchangeNotOurs.into(), None);
                        return HttpConnectorFuture::ready(Err(why));
                    }
                }
            }
        }
        let client = if is_loopback { &clients.direct } else { &clients.proxied };
        client.http_connector(&self.settings, &self.components).call(request)
    }
}

impl Clients {
    fn is_proxied(&self, uri: &str) -> bool {
        uri.parse().map_or(true, |uri| self.proxies.intercept(&uri).is_some())
    }
}

/// A pool for each time that a connection may take: credential providers have times of their own.
#[derive(Debug)]
struct TlsPools {
    /// The certificates of the user's bundle; the system's where there is none.
    roots: Option<RootCertStore>,
    key_exchange: KeyExchange,
    sessions: TlsSessions,
    config: OnceLock<Result<ClientConfig, TlsUnusable>>,
    pools: Mutex<HashMap<Duration, DirectTls>>,
}

impl TlsPools {
    fn config(&self) -> Result<&ClientConfig, TlsUnusable> {
        self.config
            .get_or_init(|| client_config(self.roots.clone(), self.key_exchange))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The pool for these settings; none where only the SDK's connector does as they say.
    fn pool(&self, config: &ClientConfig, settings: &HttpConnectorSettings) -> Option<DirectTls> {
        let timeout = settings.connect_timeout().filter(|_| settings.read_timeout().is_none())?;
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        Some(
            pools
                .entry(timeout)
                .or_insert_with(|| DirectTls::new(config.clone(), timeout, self.sessions.clone()))
                .clone(),
        )
    }
}

/// The proxy that requests to a URL go through, without its password.
pub(super) fn proxy(url: &str) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    let proxy = Matcher::from_env().intercept(&url.parse().ok()?)?;
    let (scheme, authority) = (proxy.uri().scheme_str()?, proxy.uri().authority()?.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    Some(format!("{scheme}://{host}"))
}

/// The SDK's own client.
fn sdk_client(context: TlsContext, proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().pool_max_idle_per_host(MAX_IDLE).build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder();
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder
            .proxy_config(proxy.clone())
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone())
            .build()
    })
}

fn subject(path: &Path) -> Subject {
    Subject::CaBundle(path.to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::NotFound { subject: subject(path), source: Some(error.into()) }
        }
        _ => Error::local("read", subject(path))(error),
    })
}

fn parse(path: &Path, pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|why| {
            Error::unsupported(subject(path), format!("a certificate in it cannot be read ({why})"))
        })?;
    }
    if roots.is_empty() {
        return Err(Error::unsupported(subject(path), "it contains no PEM certificate"));
    }
    Ok(roots)
}
