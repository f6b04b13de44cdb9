//! RSA keys as DER. `seal::wrap::rsa_pem` reads and checks them.

use zeroize::Zeroizing;

use super::Fingerprint;

/// An RSA public key as DER (SubjectPublicKeyInfo).
#[derive(Clone)]
pub struct RsaPublicKey {
    der: Vec<u8>,
}

impl RsaPublicKey {
    /// Takes DER that `seal::wrap::rsa_pem` has checked.
    pub fn from_checked_der(der: Vec<u8>) -> Self {
        Self { der }
    }

    /// The SubjectPublicKeyInfo.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Computes the fingerprint, which names the pair.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }
}

/// An RSA private key as DER (PKCS #8), with its public half.
pub struct RsaPrivateKey {
    der: Zeroizing<Vec<u8>>,
    public: RsaPublicKey,
}

impl RsaPrivateKey {
    /// Takes DER that `seal::wrap::rsa_pem` has checked, and the public half that belongs to it.
    pub fn from_checked_der(der: Zeroizing<Vec<u8>>, public: RsaPublicKey) -> Self {
        Self { der, public }
    }

    /// The PKCS #8 encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public half.
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }
}
