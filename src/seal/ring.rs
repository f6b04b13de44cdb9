//! Finds the local key that unwraps an envelope's data key.
//!
//! The key whose fingerprint the envelope names is tried first, then the others: nothing authenticates the name. Keys
//! in AWS KMS are not in the ring.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::OpenedWith;
use super::argon2id::Phc;
use super::s3ec::{DecryptableEnvelope, Envelope, PermittedEnvelope};
use super::wrap::{self, PASSPHRASE_ENTRY, Wrap};
use crate::byte_size::ByteSize;
use crate::defaults;
use crate::error::{Error, KeyFault, KeyNeed, Result, Subject, WrapKind};
use crate::keys::{DataKey, KeyRing, SymmetricKey};
use crate::limits::MAX_DERIVED_KEYS_KEPT;

/// A key ring, with a cache of the keys derived from its passphrases.
pub struct Unwrapper {
    ring: KeyRing,
    /// The most memory that an object may make a passphrase cost, in KiB.
    kdf_memory: u32,
    /// By the passphrase's index in the ring and the parameters.
    derived: Mutex<BTreeMap<(usize, String), SymmetricKey>>,
}

impl Default for Unwrapper {
    fn default() -> Self {
        Self::new(KeyRing::default())
    }
}

/// A search that found no key.
struct FailedSearch {
    kind: WrapKind,
    /// How many keys of that kind were tried.
    tried: usize,
    /// Whether the key that the envelope names was among them.
    named_key_tried: bool,
}

/// A size in the unit of Argon2id's memory.
fn kib(size: ByteSize) -> u32 {
    u32::try_from(size.0 / 1024).unwrap_or(u32::MAX)
}

impl Unwrapper {
    /// Takes the keys.
    pub fn new(ring: KeyRing) -> Self {
        Self { ring, kdf_memory: kib(defaults::MAX_KDF_MEMORY), derived: Mutex::new(BTreeMap::new()) }
    }

    /// Limits the memory that an object may make a passphrase cost; `None` means [`defaults::MAX_KDF_MEMORY`].
    pub(crate) fn with_kdf_memory(self, most: Option<ByteSize>) -> Self {
        Self { kdf_memory: most.map_or(self.kdf_memory, kib), ..self }
    }

    /// Refuses an object whose passphrase costs more memory than is allowed, before any is allocated.
    pub(super) fn check_kdf_memory(&self, subject: &Subject, phc: &Phc) -> Result<()> {
        if phc.memory() <= self.kdf_memory {
            return Ok(());
        }
        let bytes = |kib| u64::from(kib) * 1024;
        let why = KeyFault::CostlyPassphrase { asked: bytes(phc.memory()), allowed: bytes(self.kdf_memory) };
        Err(Error::KeyWrong { subject: subject.clone(), why, source: None })
    }

    /// The keys.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Unwraps the data key with a key of the ring and checks the commitment. Blocks: a passphrase costs the time and
    /// memory that the envelope says, within limits.
    ///
    /// # Errors
    /// `KeyNeeded` if the ring has no key of the kind, and for a key in AWS KMS; `KeyWrong` if none fits; `Tampered` if
    /// the key that the envelope names does not fit, or the commitment does not match.
    pub fn unwrap_s3ec(&self, permitted: PermittedEnvelope) -> Result<DecryptableEnvelope> {
        let (data_key, opened_with) = match permitted.envelope().wrap().kind() {
            WrapKind::Aes => self.with_symmetric(&permitted)?,
            WrapKind::Rsa if permitted.envelope().wrap() == Wrap::RsaPkcs1 => {
                return self.with_private_pkcs1(permitted);
            }
            WrapKind::Rsa => self.with_private(&permitted)?,
            kind @ (WrapKind::Kms | WrapKind::Passphrase) => {
                return Err(not_found(&permitted, &FailedSearch { kind, tried: 0, named_key_tried: false }));
            }
        };
        Ok(permitted.with_data_key(data_key)?.by(opened_with))
    }

    fn with_private(&self, permitted: &PermittedEnvelope) -> Result<(DataKey, OpenedWith)> {
        let keys = &self.ring.private;
        let noted = permitted.envelope().fingerprint();
        let (first, rest): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| noted == Some(key.public().fingerprint().as_str()));
        first
            .iter()
            .chain(&rest)
            .find_map(|key| {
                let data_key =
                    permitted.try_with(|wrap, alg, bytes| wrap::unwrap_rsa(wrap, alg, bytes, key))?;
                Some((data_key, OpenedWith::rsa(key)))
            })
            .ok_or_else(|| {
                let search = FailedSearch {
                    kind: WrapKind::Rsa,
                    tried: keys.len(),
                    named_key_tried: !first.is_empty(),
                };
                not_found(permitted, &search)
            })
    }

    fn with_private_pkcs1(&self, permitted: PermittedEnvelope) -> Result<DecryptableEnvelope> {
        let keys = &self.ring.private;
        if keys.is_empty() {
            return Err(not_found(
                &permitted,
                &FailedSearch { kind: WrapKind::Rsa, tried: 0, named_key_tried: false },
            ));
        }
        match permitted.try_with(|_, _, bytes| wrap::unwrap_pkcs1(bytes, keys)) {
            Some(data_key) => permitted.with_data_key(data_key),
            None => permitted.reject(),
        }
    }

    fn with_symmetric(&self, permitted: &PermittedEnvelope) -> Result<(DataKey, OpenedWith)> {
        let keys = &self.ring.symmetric;
        let noted = permitted.envelope().fingerprint();
        let (first, rest): (Vec<_>, Vec<_>) =
            keys.iter().partition(|key| noted == Some(key.fingerprint().as_str()));
        let unwrapped = first
            .iter()
            .chain(&rest)
            .find_map(|key| try_symmetric(permitted, key).map(|data_key| (data_key, OpenedWith::aes(key))));
        if let Some(unwrapped) = unwrapped {
            return Ok(unwrapped);
        }
        let mut search =
            FailedSearch { kind: WrapKind::Aes, tried: keys.len(), named_key_tried: !first.is_empty() };
        if permitted.envelope().needs_passphrase() {
            if let Some(data_key) = self.with_passphrase(permitted)? {
                return Ok((data_key, OpenedWith::without_fingerprint(WrapKind::Passphrase)));
            }
            search.kind = WrapKind::Passphrase;
            search.tried = self.ring.passphrases.len();
        }
        Err(not_found(permitted, &search))
    }

    fn with_passphrase(&self, permitted: &PermittedEnvelope) -> Result<Option<DataKey>> {
        let envelope = permitted.envelope();
        let Some(text) = envelope.description().get(PASSPHRASE_ENTRY) else { return Ok(None) };
        let phc: Phc = text.parse().map_err(|why| {
            Error::tampered(envelope.subject(), format!("its {PASSPHRASE_ENTRY} is refused: {why}"))
        })?;
        if !self.ring.passphrases.is_empty() {
            self.check_kdf_memory(envelope.subject(), &phc)?;
        }
        for place in 0..self.ring.passphrases.len() {
            if let Some(Some(data_key)) =
                self.with_derived(place, &phc, |key| try_symmetric(permitted, key))?
            {
                return Ok(Some(data_key));
            }
        }
        Ok(None)
    }

    /// Calls `use_it` with the key derived from the passphrase at index `place` in the ring, which is derived only
    /// once.
    pub(super) fn with_derived<T>(
        &self,
        place: usize,
        phc: &Phc,
        use_it: impl FnOnce(&SymmetricKey) -> T,
    ) -> Result<Option<T>> {
        let Some(passphrase) = self.ring.passphrases.get(place) else { return Ok(None) };
        let name = (place, phc.to_string());
        // Locked during the derivation too: two at a time would need twice the memory.
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = derived.get(&name) {
            return Ok(Some(use_it(key)));
        }
        let key = phc.derive(passphrase)?;
        let used = use_it(&key);
        if derived.len() < MAX_DERIVED_KEYS_KEPT {
            derived.insert(name, key);
        }
        Ok(Some(used))
    }
}

/// The cause that is shown below "wrong key or passphrase".
pub(super) const NOT_UNWRAPPED: &str = "the object's data key cannot be unwrapped with it";

fn try_symmetric(permitted: &PermittedEnvelope, key: &SymmetricKey) -> Option<DataKey> {
    permitted.try_with(|wrap, alg, bytes| wrap::unwrap_aes(wrap, alg, bytes, key))
}

fn not_found(permitted: &PermittedEnvelope, search: &FailedSearch) -> Error {
    let envelope: &Envelope = permitted.envelope();
    let subject = envelope.subject().clone();
    let fingerprint = envelope.fingerprint().map(str::to_owned);
    if search.tried == 0 {
        return Error::KeyNeeded { subject, need: KeyNeed::Wrapping { kind: search.kind, fingerprint } };
    }
    if search.named_key_tried {
        return Error::tampered(subject, "its data key cannot be unwrapped with the key that it names");
    }
    let why = match search.tried {
        1 => KeyFault::DoesNotUnwrap { fingerprint },
        tried if fingerprint.is_none() => KeyFault::NoneFits { tried },
        _ => KeyFault::DoesNotUnwrap { fingerprint },
    };
    Error::KeyWrong { subject, why, source: Some(NOT_UNWRAPPED.into()) }
}
