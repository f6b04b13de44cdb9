//! The certificate authority of one sandbox, made at its start and gone at its end.
//!
//! A client trusts it by the PEM file that `AWS_CA_BUNDLE` names, and by nothing else. Both private keys stay in memory.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::config::Certificate;

/// The names the server answers under; the last is for buckets in the host name.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "*.localhost"];
/// Longer than any test or demo runs.
const VALID_FOR: Duration = Duration::from_hours(30 * 24);
/// Tolerance for a clock that a test has set back.
const VALID_BEFORE: Duration = Duration::from_hours(24);

/// The server's side of TLS 1.2 and 1.3, and the authority's certificate in PEM.
pub(super) fn server_config(
    certificate: Certificate,
    post_quantum: bool,
) -> io::Result<(Arc<ServerConfig>, String)> {
    let authority = CertifiedIssuer::self_signed(authority_params(), new_key()?).map_err(io::Error::other)?;
    let key = new_key()?;
    let leaf = leaf_params(certificate)?.signed_by(&key, &authority).map_err(io::Error::other)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut provider = aws_lc_rs::default_provider();
    if !post_quantum {
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone(), authority.der().clone()], private)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), authority.pem()))
}

fn new_key() -> io::Result<KeyPair> {
    KeyPair::generate().map_err(io::Error::other)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "s3seal sandbox authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    limit(&mut params);
    params
}

fn leaf_params(certificate: Certificate) -> io::Result<CertificateParams> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, "s3seal sandbox");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    limit(&mut params);
    let now = OffsetDateTime::now_utc();
    match certificate {
        Certificate::Valid => {}
        Certificate::EndsIn(time) => params.not_after = now + time,
        Certificate::Expired => params.not_after = now - VALID_BEFORE / 2,
        Certificate::NotYetValid => params.not_before = now + VALID_BEFORE,
    }
    Ok(params)
}

fn limit(params: &mut CertificateParams) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - VALID_BEFORE;
    params.not_after = now + VALID_FOR;
}

/// A folder with the authority's certificate in it; removed when dropped.
pub(super) struct CaFolder(PathBuf);

impl CaFolder {
    /// Makes a new folder, for this user alone, in the system's place for temporary files.
    pub(super) fn new(pem: &str) -> io::Result<Self> {
        let random: [u8; 8] = crate::kms::random();
        let name = format!("s3seal-sandbox-{:016x}", u64::from_ne_bytes(random));
        let folder = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let folder = Self(folder);
        fs::write(folder.file(), pem)?;
        Ok(folder)
    }

    pub(super) fn file(&self) -> PathBuf {
        self.path().join("ca.pem")
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for CaFolder {
    fn drop(&mut self) {
        // Nothing is left to do about a folder that cannot be removed: it holds a public certificate only.
        let _ = fs::remove_dir_all(&self.0);
    }
}
