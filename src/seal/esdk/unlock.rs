//! The key ring at a message: tries its wrapped data keys until one of them unwraps.
//!
//! Raw keys may be named at will, so the shape of a wrapped key decides whether a key is tried on it, and a name that is
//! a fingerprint only which is tried first. AWS KMS is the verb's to ask.

use super::edk::{Edk, EdkKind};
use super::marker::is_fingerprint;
use super::message::{Locked, Unlocked};
use crate::encryption::Legacy;
use crate::error::{Error, KeyFault, KeyNeed, Result, WrapKind};
use crate::keys::{DataKey, RsaPrivateKey, SymmetricKey};
use crate::limits::MAX_PASSPHRASE_DATA_KEYS;
use crate::seal::OpenedWith;
use crate::seal::passphrase::Phc;
use crate::seal::ring::Unlocker;
use crate::seal::wrap::rsa::Padding;

/// By likelihood. PKCS #1 v1.5 is tried after these, only if asked for, and counts only once the header is proven with it:
/// a failure must not tell what the padding was.
const OAEP: [Padding; 4] = [Padding::OaepSha256, Padding::OaepSha1, Padding::OaepSha384, Padding::OaepSha512];

/// How a search goes.
struct Search<'a> {
    locked: &'a Locked,
    /// Keys that were tried on something.
    tried: usize,
    /// The first kind of key that could do it.
    wanted: Option<WrapKind>,
    /// A fingerprint that the message names.
    named: Option<String>,
    named_is_there: bool,
    /// Whether something unwrapped that cannot be the data key.
    odd_length: bool,
    /// Why a passphrase could not be tried.
    refused: Option<Error>,
}

impl Unlocker {
    /// Finds a key of the ring that unwraps one of a message's data keys, and proves the header with it. A passphrase
    /// takes as long, and as much memory, as the message says, within caps: not for a thread that must not wait.
    ///
    /// # Errors
    /// `KeyNeeded` where no key of a kind that could do it is at hand; `KeyWrong` where none fits, or the context
    /// required is not the message's; `Tampered` where the key named is at hand and yet does not fit, or the header
    /// does not hold.
    pub fn unlock_esdk(&self, locked: &Locked) -> Result<Unlocked> {
        let mut search = Search::new(locked);
        if let Some((data_key, key)) = search.with_symmetric(&self.ring().symmetric)? {
            return Ok(locked.unlock(&data_key)?.by(OpenedWith::aes(key)));
        }
        if let Some((data_key, key)) = search.with_private(&self.ring().private) {
            return Ok(locked.unlock(&data_key)?.by(OpenedWith::rsa(key)));
        }
        if locked.legacy() == Legacy::Unauthenticated
            && let Some(unlocked) = search.with_private_pkcs1(&self.ring().private)
        {
            return Ok(unlocked);
        }
        if let Some(data_key) = search.with_passphrases(self)? {
            return Ok(locked.unlock(&data_key)?.by(OpenedWith::nameless(WrapKind::Passphrase)));
        }
        Err(search.not_found())
    }
}

impl Unlocked {
    /// The key that unwrapped the data key.
    #[must_use]
    pub fn opened_with(&self) -> &OpenedWith {
        &self.opened_with
    }

    fn by(mut self, opened_with: OpenedWith) -> Self {
        self.opened_with = opened_with;
        self
    }
}

impl<'a> Search<'a> {
    fn new(locked: &'a Locked) -> Self {
        let edks = locked.message().edks();
        let wanted = edks.iter().find_map(wrap_kind);
        let mut candidates = edks.iter().filter(|edk| wrap_kind(edk) == wanted).map(Edk::name);
        let named = candidates.find(|name| is_fingerprint(name));
        Self { locked, tried: 0, wanted, named, named_is_there: false, odd_length: false, refused: None }
    }

    fn edks(&self, kind: EdkKind) -> impl Iterator<Item = &'a Edk> + use<'a> {
        self.locked.message().edks().iter().filter(move |edk| edk.kind() == kind)
    }

    /// Keeps what can be the data key by its length.
    fn of_length(&mut self, data_key: Option<DataKey>) -> Option<DataKey> {
        let data_key = data_key?;
        if data_key.as_bytes().len() == self.locked.message().suite().key_len() {
            return Some(data_key);
        }
        self.odd_length = true;
        None
    }

    fn try_symmetric(&mut self, edk: &Edk, key: &SymmetricKey) -> Result<Option<DataKey>> {
        let data_key = edk.unwrap_aes(self.locked.full_context(), key);
        if data_key.is_some() {
            return Ok(self.of_length(data_key));
        }
        match self.locked.stored_context() {
            Some(stored) if edk.unwrap_aes(stored, key).is_some() => Err(self.locked.context_differs()),
            _ => Ok(None),
        }
    }

    /// Also on what names a passphrase: whoever has the derived key needs none.
    fn with_symmetric<'k>(
        &mut self,
        keys: &'k [SymmetricKey],
    ) -> Result<Option<(DataKey, &'k SymmetricKey)>> {
        let edks: Vec<_> = self.edks(EdkKind::Aes).chain(self.edks(EdkKind::Passphrase)).collect();
        if edks.is_empty() {
            return Ok(None);
        }
        self.tried += keys.len();
        for key in keys {
            let print = key.fingerprint();
            self.named_is_there |=
                edks.iter().any(|edk| edk.kind() == EdkKind::Aes && edk.name() == print.as_str());
            for edk in &edks {
                if let Some(data_key) = self.try_symmetric(edk, key)? {
                    return Ok(Some((data_key, key)));
                }
            }
        }
        Ok(None)
    }

    fn with_private<'k>(&mut self, keys: &'k [RsaPrivateKey]) -> Option<(DataKey, &'k RsaPrivateKey)> {
        let edks: Vec<_> = self.edks(EdkKind::Rsa).collect();
        if edks.is_empty() {
            return None;
        }
        self.tried += keys.len();
        for key in keys {
            let print = key.public().fingerprint();
            let (first, rest): (Vec<&Edk>, Vec<&Edk>) =
                edks.iter().partition(|edk| edk.name() == print.as_str());
            self.named_is_there |= !first.is_empty();
            for edk in first.into_iter().chain(rest) {
                for padding in OAEP {
                    let data_key = edk.unwrap_rsa(padding, key);
                    if let Some(data_key) = self.of_length(data_key) {
                        return Some((data_key, key));
                    }
                }
            }
        }
        None
    }

    fn with_private_pkcs1(&self, keys: &[RsaPrivateKey]) -> Option<Unlocked> {
        let edks: Vec<_> = self.edks(EdkKind::Rsa).collect();
        let pairs = keys.iter().flat_map(|key| edks.iter().map(move |edk| (key, edk)));
        pairs
            .filter_map(|(key, edk)| Some((edk.unwrap_rsa(Padding::Pkcs1, key)?, key)))
            .find_map(|(data_key, key)| Some(self.locked.unlock(&data_key).ok()?.by(OpenedWith::rsa(key))))
    }

    fn with_passphrases(&mut self, unlocker: &Unlocker) -> Result<Option<DataKey>> {
        let edks: Vec<_> = self.edks(EdkKind::Passphrase).take(MAX_PASSPHRASE_DATA_KEYS).collect();
        if edks.is_empty() || unlocker.ring().passphrases.is_empty() {
            return Ok(None);
        }
        self.tried += unlocker.ring().passphrases.len();
        let subject = self.locked.message().subject();
        for edk in edks {
            let phc: Phc = match edk.phc() {
                Some(Ok(phc)) => phc,
                Some(Err(why)) => {
                    let why = format!("the parameters of its passphrase are refused: {why}");
                    self.refused = Some(Error::tampered(subject, why));
                    continue;
                }
                None => continue,
            };
            if let Err(error) = unlocker.affords(subject, &phc) {
                self.refused = Some(error);
                continue;
            }
            for place in 0..unlocker.ring().passphrases.len() {
                let tried = unlocker.with_derived(place, &phc, |key| self.try_symmetric(edk, key))?;
                if let Some(Some(data_key)) = tried.transpose()? {
                    return Ok(Some(data_key));
                }
            }
        }
        Ok(None)
    }

    fn not_found(self) -> Error {
        let subject = self.locked.message().subject().clone();
        if self.odd_length {
            return Error::tampered(subject, "its data key has not the length of its algorithm suite");
        }
        if self.named_is_there {
            return Error::tampered(subject, "its data key does not unwrap with the very key that it names");
        }
        if let Some(error) = self.refused {
            return error;
        }
        let Some(kind) = self.wanted else {
            let why = "its data key is wrapped in ways that are not known here".to_owned();
            return Error::Unsupported { subject, why };
        };
        let fingerprint = self.named;
        let pkcs1_not_tried = kind == WrapKind::Rsa && self.locked.legacy() < Legacy::Unauthenticated;
        let why = match self.tried {
            0 => {
                let need = KeyNeed::Wrapping { kind, fingerprint };
                return Error::KeyNeeded { subject, need };
            }
            _ if pkcs1_not_tried => KeyFault::DoesNotUnwrapWithOaep,
            tried if tried > 1 && fingerprint.is_none() => KeyFault::NoneFits { tried },
            _ => KeyFault::DoesNotUnwrap { fingerprint },
        };
        Error::KeyWrong { subject, why, source: None }
    }
}

fn wrap_kind(edk: &Edk) -> Option<WrapKind> {
    match edk.kind() {
        EdkKind::Aes => Some(WrapKind::Aes),
        EdkKind::Passphrase => Some(WrapKind::Passphrase),
        EdkKind::Rsa => Some(WrapKind::Rsa),
        EdkKind::Kms => Some(WrapKind::Kms),
        EdkKind::Other => None,
    }
}
