//! Reads RSA keys in PEM.
//!
//! PEM files have four forms (SubjectPublicKeyInfo, PKCS #8, and PKCS #1 for each half); the key types have one for each
//! half. Other kinds of keys and encrypted ones are refused with a message that says what to do.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, PrivateDecryptingKey, PublicEncryptingKey, PublicKey};
use zeroize::Zeroizing;

use crate::keys::{KeyError, RsaPrivateKey, RsaPublicKey};
use crate::limits::RSA_KEY_BITS;

const BEGIN: &[u8] = b"-----BEGIN ";

/// Reads a public key: `PUBLIC KEY` or `RSA PUBLIC KEY`.
pub fn public_key(text: &[u8]) -> Result<RsaPublicKey, KeyError> {
    let (label, der) = decode(text)?;
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => {
            return Err(rsa_error(
                "this is a private key; the public key is needed here: openssl pkey -in FILE -pubout",
            ));
        }
        other => return Err(unknown(other)),
    }
    let unusable = || unusable_key("public");
    // Re-encoded, so that a key has one encoding and thus one fingerprint.
    let key = PublicKey::from_der(&der).map_err(|_| unusable())?;
    let der: PublicKeyX509Der<'_> = key.as_der().map_err(|_| unusable())?;
    PublicEncryptingKey::from_der(der.as_ref())
        .ok()
        .filter(|key| RSA_KEY_BITS.contains(&key.key_size_bits()))
        .ok_or_else(unusable)?;
    Ok(RsaPublicKey::from_checked_der(der.as_ref().to_vec()))
}

/// Reads a private key: `PRIVATE KEY` or `RSA PRIVATE KEY`, not encrypted.
pub fn private_key(text: &[u8]) -> Result<RsaPrivateKey, KeyError> {
    let (label, der) = decode(text)?;
    let unusable = || unusable_key("private");
    let der = match label {
        "PRIVATE KEY" => der,
        "RSA PRIVATE KEY" => {
            let pair = KeyPair::from_der(&der).map_err(|_| unusable())?;
            let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| unusable())?;
            Zeroizing::new(der.as_ref().to_vec())
        }
        "ENCRYPTED PRIVATE KEY" => return Err(encrypted()),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => {
            return Err(rsa_error("this is a public key; decryption needs the private key"));
        }
        other => return Err(unknown(other)),
    };
    let key = PrivateDecryptingKey::from_pkcs8(&der)
        .ok()
        .filter(|key| RSA_KEY_BITS.contains(&key.key_size_bits()))
        .ok_or_else(unusable)?;
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().map_err(|_| unusable())?;
    let public = RsaPublicKey::from_checked_der(public.as_ref().to_vec());
    Ok(RsaPrivateKey::from_checked_der(der, public))
}

fn decode(text: &[u8]) -> Result<(&str, Zeroizing<Vec<u8>>), KeyError> {
    // There may be comments before a key and empty lines after it.
    let begin = text.windows(BEGIN.len()).position(|window| window == BEGIN);
    let begin = begin.ok_or_else(|| rsa_error("not a PEM file: it has no line '-----BEGIN …-----'"))?;
    let block = text[begin..].trim_ascii_end();
    match pem_rfc7468::decode_vec(block) {
        Ok((label, der)) => Ok((label, Zeroizing::new(der))),
        // Traditional PEM encryption, with headers inside the block.
        Err(_) if contains(block, b"Proc-Type:") => Err(encrypted()),
        Err(_) => Err(rsa_error("the PEM file is damaged")),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn encrypted() -> KeyError {
    rsa_error("the private key is encrypted; decrypt it first: `openssl pkey -in FILE` prints it")
}

fn unknown(label: &str) -> KeyError {
    rsa_error(&format!("the PEM file holds a '{}', not an RSA key", label.escape_default()))
}

fn unusable_key(half: &str) -> KeyError {
    let (least, most) = (RSA_KEY_BITS.start(), RSA_KEY_BITS.end());
    rsa_error(&format!("the PEM file holds no RSA {half} key that can be used ({least} to {most} bits)"))
}

fn rsa_error(text: &str) -> KeyError {
    KeyError::Rsa(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! file {
        ($name:literal) => {
            include_bytes!(concat!("../../../tests/keys/", $name))
        };
    }

    #[test]
    fn one_key_has_one_fingerprint_in_each_shape() {
        // openssl pkey -in rsa_a.pem -pubout -outform DER | sha256sum
        let expected = "ca7830de691804fd";
        for text in [&file!("rsa_a.pub.pem")[..], file!("rsa_a.pub.pkcs1.pem")] {
            assert_eq!(public_key(text).unwrap().fingerprint().as_str(), expected);
        }
        for text in [&file!("rsa_a.pem")[..], file!("rsa_a.pkcs1.pem")] {
            assert_eq!(private_key(text).unwrap().public().fingerprint().as_str(), expected);
        }
    }

    #[test]
    fn what_editors_and_tools_add_around_a_key_does_not_matter() {
        let text = String::from_utf8(file!("rsa_a.pem").to_vec()).unwrap();
        assert!(private_key(text.replace('\n', "\r\n").as_bytes()).is_ok());
        assert!(private_key(format!("Key of the backup host\n\n{text}\n\n").as_bytes()).is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_what_to_do() {
        let public = |text: &[u8]| public_key(text).map(|_| ()).unwrap_err().to_string();
        let private = |text: &[u8]| private_key(text).map(|_| ()).unwrap_err().to_string();
        for (said, needle) in [
            (public(file!("rsa_a.pem")), "openssl pkey -in FILE -pubout"),
            (public(file!("rsa_a.encrypted.pem")), "openssl pkey -in FILE -pubout"),
            (public(file!("rsa_1024.pub.pem")), "2048 to 8192 bits"),
            (public(file!("ec.pub.pem")), "no RSA public key"),
            (public(b"ssh-ed25519 AAAA"), "not a PEM file"),
            (public(b""), "not a PEM file"),
            (private(file!("rsa_a.pub.pem")), "this is a public key"),
            (private(file!("rsa_a.encrypted.pem")), "is encrypted; decrypt it first"),
            (private(file!("rsa_a.encrypted.pkcs1.pem")), "is encrypted; decrypt it first"),
            (private(file!("rsa_1024.pem")), "2048 to 8192 bits"),
            (private(file!("ec.pem")), "no RSA private key"),
            (private(&file!("rsa_a.pem")[..900]), "damaged"),
        ] {
            assert!(said.contains(needle), "'{said}' does not say '{needle}'");
        }
    }
}
