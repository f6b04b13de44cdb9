//! RSA-OAEP with SHA-256, and SHA-1 in its mask: what the JDK means by `OAEPWithSHA-256AndMGF1Padding`. For reading.
//!
//! aws-lc-rs does not offer this pair of hashes; the C interface of AWS-LC does. This file and `seal::gcm` are the only ones
//! with `unsafe`.

#![expect(unsafe_code, reason = "AWS-LC offers two different hashes in OAEP only through its C interface")]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use aws_lc_sys as lc;
use zeroize::Zeroizing;

use crate::keys::RsaPrivateKey;

/// Decrypts a payload; `None` without a reason if it does not fit.
pub(super) fn decrypt_sha256_mgf1_sha1(wrapped: &[u8], key: &RsaPrivateKey) -> Option<Zeroizing<Vec<u8>>> {
    let context = Operation::new(&Key::parse(key.der())?)?;
    context.choose_hashes()?;
    context.decrypt(wrapped)
}

/// A private key of the library, freed and wiped on drop.
struct Key(NonNull<lc::EVP_PKEY>);

impl Key {
    fn parse(pkcs8: &[u8]) -> Option<Self> {
        let mut bytes = lc::CBS { data: ptr::null(), len: 0 };
        // SAFETY: `bytes` then points into `pkcs8`, which outlives the call that reads from it and copies.
        let key = unsafe {
            lc::CBS_init(&raw mut bytes, pkcs8.as_ptr(), pkcs8.len());
            lc::EVP_parse_private_key(&raw mut bytes)
        };
        NonNull::new(key).map(Self)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_parse_private_key`; a context counts its own reference.
        unsafe { lc::EVP_PKEY_free(self.0.as_ptr()) }
    }
}

/// One operation with a private key.
struct Operation(NonNull<lc::EVP_PKEY_CTX>);

impl Operation {
    fn new(key: &Key) -> Option<Self> {
        // SAFETY: the key is live, and the context takes a reference of its own to it; no engine is named.
        NonNull::new(unsafe { lc::EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) }).map(Self)
    }

    fn choose_hashes(&self) -> Option<()> {
        let context = self.0.as_ptr();
        // SAFETY: the context is live; the hashes are pointers to static tables. A key of another kind than RSA is refused.
        unsafe {
            ok(lc::EVP_PKEY_decrypt_init(context))?;
            ok(lc::EVP_PKEY_CTX_set_rsa_padding(context, lc::RSA_PKCS1_OAEP_PADDING))?;
            ok(lc::EVP_PKEY_CTX_set_rsa_oaep_md(context, lc::EVP_sha256()))?;
            ok(lc::EVP_PKEY_CTX_set_rsa_mgf1_md(context, lc::EVP_sha1()))
        }
    }

    fn decrypt(&self, wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // The library refuses any input that is not as long as the modulus, and writes at most that many bytes.
        let mut plain = Zeroizing::new(vec![0; wrapped.len()]);
        let mut len = plain.len();
        // SAFETY: the context is live; `plain` is valid for the `len` bytes that it is said to hold, `wrapped` for its own
        // length; the library checks the former against the modulus before it writes.
        ok(unsafe {
            lc::EVP_PKEY_decrypt(
                self.0.as_ptr(),
                plain.as_mut_ptr(),
                &raw mut len,
                wrapped.as_ptr(),
                wrapped.len(),
            )
        })?;
        plain.truncate(len);
        Some(plain)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_PKEY_CTX_new`, freed once.
        unsafe { lc::EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

fn ok(status: c_int) -> Option<()> {
    (status == 1).then_some(())
}
