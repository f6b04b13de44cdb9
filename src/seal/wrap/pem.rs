//! RSA keys in PEM ↔ the key types.
//!
//! People have them in four shapes (SubjectPublicKeyInfo, PKCS #8, and PKCS #1 for either half); below this file
//! there is one for each half. Other kinds of keys and encrypted ones are refused with what to do about it.

use ::rsa::pkcs1::DecodeRsaPublicKey;
use ::rsa::pkcs8::EncodePublicKey;
use ::rsa::pkcs8::der::pem;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, PrivateDecryptingKey, PublicEncryptingKey};
use zeroize::Zeroizing;

use crate::keys::{KeyError, RsaPrivateKey, RsaPublicKey};

/// The shortest modulus that is taken, in bits.
pub const MIN_BITS: usize = 2048;
/// The longest that AWS-LC uses a private key of, in bits.
pub const MAX_BITS: usize = 8192;

/// Reads a public key: `PUBLIC KEY` or `RSA PUBLIC KEY`.
///
/// # Errors
/// [`KeyError::Rsa`] says what was found instead, or what is wrong with the key.
pub fn public_key(text: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let (label, der) = decode(text)?;
    let der = match label {
        "PUBLIC KEY" => der.to_vec(),
        "RSA PUBLIC KEY" => ::rsa::PublicKey::from_pkcs1_der(&der)
            .ok()
            .and_then(|key| key.to_public_key_der().ok())
            .ok_or_else(|| fault("the PEM file holds no RSA public key that can be used"))?
            .into_vec(),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
            return Err(fault(
                "this is a private key; the public half is needed here: openssl pkey -in FILE -pubout",
            ));
        }
        "CERTIFICATE" => {
            return Err(fault(
                "this is a certificate; its public key is needed here: openssl x509 -in FILE -noout -pubkey",
            ));
        }
        other => return Err(unknown(other)),
    };
    let key = PublicEncryptingKey::from_der(&der)
        .map_err(|_| fault("the PEM file holds no RSA public key that can be used (2048 to 8192 bits)"))?;
    checked_size(key.key_size_bits())?;
    // Encoded anew, so that one key has one encoding and thus one fingerprint.
    let der: PublicKeyX509Der<'_> =
        key.as_der().map_err(|_| fault("the RSA public key cannot be encoded"))?;
    Ok(RsaPublicKey::from_checked_der(der.as_ref().to_vec()))
}

/// Reads a private key: `PRIVATE KEY` or `RSA PRIVATE KEY`, not encrypted.
///
/// # Errors
/// [`KeyError::Rsa`] says what was found instead, or what is wrong with the key.
pub fn private_key(text: &[u8]) -> Result<RsaPrivateKey, KeyError> {
    let (label, der) = decode(text)?;
    let unusable = || fault("the PEM file holds no RSA private key that can be used (2048 to 8192 bits)");
    let der = match label {
        "PRIVATE KEY" => der,
        "RSA PRIVATE KEY" => {
            let pair = KeyPair::from_der(&der).map_err(|_| unusable())?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| unusable())?;
            Zeroizing::new(der.as_ref().to_vec())
        }
        "ENCRYPTED PRIVATE KEY" => return Err(encrypted()),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {
            return Err(fault("this is a public key; the private one is needed to open"));
        }
        other => return Err(unknown(other)),
    };
    let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| unusable())?;
    checked_size(key.key_size_bits())?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| unusable())?;
    let public = RsaPublicKey::from_checked_der(public.as_ref().to_vec());
    Ok(RsaPrivateKey::from_checked_der(der, public))
}

fn decode(text: &[u8]) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    match pem::decode_vec(text) {
        Ok((label, der)) => Ok((label, Zeroizing::new(der))),
        // The old way to encrypt a PEM file, by headers inside it.
        Err(_) if contains(text, b"Proc-Type:") => Err(encrypted()),
        Err(_) if contains(text, b"-----BEGIN ") => Err(fault("the PEM file is damaged")),
        Err(_) => Err(fault("not a PEM file: it has no line '-----BEGIN …-----'")),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn checked_size(bits: usize) -> Result<(), KeyError> {
    if (MIN_BITS..=MAX_BITS).contains(&bits) {
        return Ok(());
    }
    Err(fault(&format!("the RSA key has {bits} bits; {MIN_BITS} to {MAX_BITS} are needed")))
}

fn encrypted() -> KeyError {
    fault("the private key is encrypted; decrypt it first: openssl pkey -in FILE (and mind where it goes)")
}

fn unknown(label: &str) -> KeyError {
    fault(&format!("the PEM file holds a '{}', not an RSA key", label.escape_default()))
}

fn fault(text: &str) -> KeyError {
    KeyError::Rsa(text.to_owned())
}
