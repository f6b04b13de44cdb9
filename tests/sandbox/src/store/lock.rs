//! What an object's body is locked with: body keys, each wrapped under a key of S3, KMS or the customer.
//!
//! The body's own keys stay when the lock changes, so that `UpdateObjectEncryption` moves no data, and a customer's key
//! is never kept: a salted HMAC recognises it.
//!
//! What does not belong here: asking KMS, S3's codes.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;

use super::random;

/// The keys that encrypt a body, outermost last; none for a body that lies in the clear.
#[derive(Clone, Default)]
pub struct BodyKeys(pub(super) Vec<[u8; 32]>);

/// The key that wraps a body key, as far as it may be kept.
#[derive(Debug, Clone)]
pub enum Kek {
    /// S3's own key.
    Server,
    /// A data key of KMS.
    Kms {
        /// The data key as KMS wrapped it.
        blob: Vec<u8>,
        /// The encryption context it was made with.
        context: BTreeMap<String, String>,
    },
    /// The customer's key: only what recognises it.
    Customer {
        /// Random, for each object its own.
        salt: [u8; 16],
        /// HMAC-SHA-256 of the key under the salt.
        mac: Vec<u8>,
    },
}

impl Kek {
    /// What recognises a customer's key.
    #[must_use]
    pub fn customer(key: &[u8; 32]) -> Self {
        let salt = random();
        let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &salt), key);
        Self::Customer { salt, mac: mac.as_ref().to_vec() }
    }

    /// Whether this is the customer's key that was given then.
    #[must_use]
    pub fn is_customer(&self, key: &[u8; 32]) -> bool {
        let Self::Customer { salt, mac } = self else {
            return false;
        };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, salt), key, mac).is_ok()
    }
}

/// The lock on one body, or on all parts of one multipart upload: one layer for each body key.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    layers: Vec<(Kek, Vec<u8>)>,
}

impl Lock {
    /// Locks fresh body keys, one under each key given; with none the body lies in the clear.
    #[must_use]
    pub fn fresh(keks: Vec<(Kek, [u8; 32])>) -> (Self, BodyKeys) {
        let keys = BodyKeys(keks.iter().map(|_| random()).collect());
        (Self::over(&keys, keks), keys)
    }

    /// Locks body keys that are there already.
    ///
    /// # Panics
    /// If there are not as many keys as layers.
    #[must_use]
    pub fn over(keys: &BodyKeys, keks: Vec<(Kek, [u8; 32])>) -> Self {
        assert_eq!(keys.0.len(), keks.len(), "one layer for each body key");
        let layers =
            keks.into_iter().zip(&keys.0).map(|((kek, secret), key)| (kek, wrap(&secret, key))).collect();
        Self { layers }
    }

    /// The keys needed to open it, outermost last.
    pub fn keks(&self) -> impl Iterator<Item = &Kek> {
        self.layers.iter().map(|(kek, _)| kek)
    }

    /// Opens it with the secrets of [`Lock::keks`], in their order; `None` if one does not fit.
    #[must_use]
    pub fn open(&self, secrets: &[[u8; 32]]) -> Option<BodyKeys> {
        if secrets.len() != self.layers.len() {
            return None;
        }
        self.layers
            .iter()
            .zip(secrets)
            .map(|((_, wrapped), secret)| unwrap(secret, wrapped))
            .collect::<Option<_>>()
            .map(BodyKeys)
    }
}

/// S3's own keys, made at the start and gone at the end.
pub struct ServerKeys {
    key: [u8; 32],
}

impl ServerKeys {
    /// Makes new keys.
    #[must_use]
    pub fn fresh() -> Self {
        Self { key: random() }
    }

    /// The key that wraps body keys under SSE-S3 and the second layer of DSSE-KMS.
    #[must_use]
    pub fn kek(&self) -> (Kek, [u8; 32]) {
        (Kek::Server, self.key)
    }

    /// The secret of [`Kek::Server`].
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        self.key
    }
}

fn gcm(secret: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).expect("a key of 32 bytes"))
}

fn wrap(secret: &[u8; 32], key: &[u8; 32]) -> Vec<u8> {
    let nonce: [u8; 12] = random();
    let mut sealed = key.to_vec();
    gcm(secret)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .expect("sealing 32 bytes");
    [nonce.as_slice(), &sealed].concat()
}

fn unwrap(secret: &[u8; 32], wrapped: &[u8]) -> Option<[u8; 32]> {
    let (nonce, sealed) = wrapped.split_at_checked(12)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut sealed = sealed.to_vec();
    let key = gcm(secret).open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
    <[u8; 32]>::try_from(&*key).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_its_own_secrets_only() {
        let (lock, keys) = Lock::fresh(vec![(Kek::Server, [1; 32]), (Kek::customer(&[2; 32]), [2; 32])]);
        assert_eq!(lock.open(&[[1; 32], [2; 32]]).unwrap().0, keys.0);
        assert!(lock.open(&[[1; 32], [3; 32]]).is_none());
        assert!(lock.open(&[[1; 32]]).is_none());
    }

    #[test]
    fn recognises_the_customers_key_without_keeping_it() {
        let kek = Kek::customer(&[9; 32]);
        assert!(kek.is_customer(&[9; 32]));
        assert!(!kek.is_customer(&[8; 32]));
        assert!(!format!("{kek:?}").contains("9, 9, 9, 9"));
    }

    #[test]
    fn a_new_lock_keeps_the_body_keys() {
        let (old, keys) = Lock::fresh(vec![(Kek::Server, [1; 32])]);
        let new = Lock::over(&old.open(&[[1; 32]]).unwrap(), vec![(Kek::Server, [5; 32])]);
        assert_eq!(new.open(&[[5; 32]]).unwrap().0, keys.0);
        assert!(new.open(&[[1; 32]]).is_none());
    }
}
