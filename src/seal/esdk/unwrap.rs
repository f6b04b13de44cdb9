//! Tries the keys of the ring on a message's wrapped data keys until one unwraps.
//!
//! Raw keys can have any name, so the form of a wrapped key decides which keys are tried on it; a name that is a
//! fingerprint only decides which is tried first. The caller asks AWS KMS.

use super::edk::{Edk, EdkKind};
use super::message::{DecryptableMessage, PermittedMessage};
use crate::encryption::Legacy;
use crate::error::{Error, KeyFault, KeyNeed, Result, WrapKind};
use crate::keys::{DataKey, Fingerprint, RsaPrivateKey, SymmetricKey};
use crate::limits::MAX_PASSPHRASE_DATA_KEYS;
use crate::seal::OpenedWith;
use crate::seal::argon2id::Phc;
use crate::seal::ring::{NOT_UNWRAPPED, Unwrapper};
use crate::seal::wrap::rsa_padding::Padding;

/// The most common first. PKCS #1 v1.5 is tried after these, only if the user allows it, and counts only if the header
/// is authentic under its result: a failure must not reveal whether the padding was right.
const OAEP: [Padding; 4] = [Padding::OaepSha256, Padding::OaepSha1, Padding::OaepSha384, Padding::OaepSha512];

/// The state of a search for a key.
struct EdkSearch<'a> {
    permitted: &'a PermittedMessage,
    /// How many keys were tried.
    tried: usize,
    /// The first kind of key that could unwrap one.
    wanted: Option<WrapKind>,
    /// The fingerprint of a key of that kind that the message names.
    named: Option<String>,
    named_key_tried: bool,
    /// Whether something unwrapped whose length is not that of a data key.
    wrong_length: bool,
    /// Why no passphrase could be tried.
    refused: Option<Error>,
}

impl Unwrapper {
    /// Unwraps one of a message's data keys with a key of the ring, and authenticates the header with it. Blocks: a
    /// passphrase costs the time and memory that the message says, within limits.
    ///
    /// # Errors
    /// `KeyNeeded` if the ring has no key of a kind that could fit; `KeyWrong` if none fits, or the required context is
    /// not the message's; `Tampered` if the key that the message names does not fit, or the header is not authentic.
    pub fn unwrap_esdk(&self, permitted: &PermittedMessage) -> Result<DecryptableMessage> {
        let mut search = EdkSearch::new(permitted);
        if let Some((data_key, key)) = search.with_symmetric(&self.ring().symmetric)? {
            return Ok(permitted.with_data_key(&data_key)?.by(OpenedWith::aes(key)));
        }
        if let Some((data_key, key)) = search.with_private(&self.ring().private) {
            return Ok(permitted.with_data_key(&data_key)?.by(OpenedWith::rsa(key)));
        }
        if permitted.legacy() == Legacy::Unauthenticated
            && let Some(decryptable) = search.with_private_pkcs1(&self.ring().private)
        {
            return Ok(decryptable);
        }
        if let Some(data_key) = search.with_passphrases(self)? {
            return Ok(permitted
                .with_data_key(&data_key)?
                .by(OpenedWith::without_fingerprint(WrapKind::Passphrase)));
        }
        Err(search.not_found())
    }
}

impl DecryptableMessage {
    /// The key that unwrapped the data key.
    pub fn opened_with(&self) -> &OpenedWith {
        &self.opened_with
    }

    fn by(mut self, opened_with: OpenedWith) -> Self {
        self.opened_with = opened_with;
        self
    }
}

impl<'a> EdkSearch<'a> {
    fn new(permitted: &'a PermittedMessage) -> Self {
        let edks = permitted.message().edks();
        let wanted = edks.iter().find_map(wrap_kind);
        let mut candidates = edks.iter().filter(|edk| wrap_kind(edk) == wanted).map(Edk::name);
        let named = candidates.find(|name| Fingerprint::is_one(name));
        Self {
            permitted,
            tried: 0,
            wanted,
            named,
            named_key_tried: false,
            wrong_length: false,
            refused: None,
        }
    }

    fn edks(&self, kind: EdkKind) -> impl Iterator<Item = &'a Edk> + use<'a> {
        self.permitted.message().edks().iter().filter(move |edk| edk.kind() == kind)
    }

    /// Keeps a data key of the right length.
    fn check_length(&mut self, data_key: Option<DataKey>) -> Option<DataKey> {
        let data_key = data_key?;
        if data_key.as_bytes().len() == self.permitted.message().suite().key_len() {
            return Some(data_key);
        }
        self.wrong_length = true;
        None
    }

    fn try_symmetric(&mut self, edk: &Edk, key: &SymmetricKey) -> Result<Option<DataKey>> {
        let data_key = edk.unwrap_aes(self.permitted.full_context(), key);
        if data_key.is_some() {
            return Ok(self.check_length(data_key));
        }
        match self.permitted.stored_context() {
            Some(stored) if edk.unwrap_aes(stored, key).is_some() => Err(self.permitted.context_differs()),
            _ => Ok(None),
        }
    }

    /// Also tries keys that are derived from a passphrase: whoever has the derived key needs no passphrase.
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
            self.named_key_tried |=
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
            self.named_key_tried |= !first.is_empty();
            for edk in first.into_iter().chain(rest) {
                for padding in OAEP {
                    let data_key = edk.unwrap_rsa(padding, key);
                    if let Some(data_key) = self.check_length(data_key) {
                        return Some((data_key, key));
                    }
                }
            }
        }
        None
    }

    fn with_private_pkcs1(&self, keys: &[RsaPrivateKey]) -> Option<DecryptableMessage> {
        let edks: Vec<_> = self.edks(EdkKind::Rsa).collect();
        let pairs = keys.iter().flat_map(|key| edks.iter().map(move |edk| (key, edk)));
        pairs.filter_map(|(key, edk)| Some((edk.unwrap_rsa(Padding::Pkcs1, key)?, key))).find_map(
            |(data_key, key)| Some(self.permitted.with_data_key(&data_key).ok()?.by(OpenedWith::rsa(key))),
        )
    }

    fn with_passphrases(&mut self, unwrapper: &Unwrapper) -> Result<Option<DataKey>> {
        let edks: Vec<_> = self.edks(EdkKind::Passphrase).take(MAX_PASSPHRASE_DATA_KEYS).collect();
        if edks.is_empty() || unwrapper.ring().passphrases.is_empty() {
            return Ok(None);
        }
        self.tried += unwrapper.ring().passphrases.len();
        let subject = self.permitted.message().subject();
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
            if let Err(error) = unwrapper.check_kdf_memory(subject, &phc) {
                self.refused = Some(error);
                continue;
            }
            for place in 0..unwrapper.ring().passphrases.len() {
                let tried = unwrapper.with_derived(place, &phc, |key| self.try_symmetric(edk, key))?;
                if let Some(Some(data_key)) = tried.transpose()? {
                    return Ok(Some(data_key));
                }
            }
        }
        Ok(None)
    }

    fn not_found(self) -> Error {
        let subject = self.permitted.message().subject().clone();
        if self.wrong_length {
            return Error::tampered(
                subject,
                "its data key does not have the length that its algorithm suite needs",
            );
        }
        if self.named_key_tried {
            return Error::tampered(subject, "its data key cannot be unwrapped with the key that it names");
        }
        if let Some(error) = self.refused {
            return error;
        }
        let Some(kind) = self.wanted else {
            let why = "its data key is wrapped in unknown ways".to_owned();
            return Error::unsupported(subject, why);
        };
        let fingerprint = self.named;
        let pkcs1_not_tried = kind == WrapKind::Rsa && self.permitted.legacy() < Legacy::Unauthenticated;
        let why = match self.tried {
            0 => {
                let need = KeyNeed::Wrapping { kind, fingerprint };
                return Error::KeyNeeded { subject, need };
            }
            _ if pkcs1_not_tried => KeyFault::DoesNotUnwrapWithOaep,
            tried if tried > 1 && fingerprint.is_none() => KeyFault::NoneFits { tried },
            _ => KeyFault::DoesNotUnwrap { fingerprint },
        };
        Error::KeyWrong { subject, why, source: Some(NOT_UNWRAPPED.into()) }
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
