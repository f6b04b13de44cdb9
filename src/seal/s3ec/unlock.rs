//! From an envelope to what can be done with its data key.
//!
//! Types in a row, so that policy, key and commitment are settled in that order and none is forgotten.

use std::collections::BTreeMap;
use std::ops::Range;

use zeroize::Zeroizing;

use super::description;
use super::message::GcmOpener;
use super::range::{self, RangeRead};
use super::{Content, Envelope, Storage, cbc, kdf, metadata};
use crate::encryption::{Context, Legacy};
use crate::error::{Error, KeyNeed, Result, WrapKind};
use crate::keys::{DataKey, KEY_LEN};
use crate::seal::wrap::{Alg, Wrap, WrappedKey};
use crate::seal::{Attributes, Open, OpenedWith};

/// An envelope that may be opened, by whoever has the key.
#[derive(Debug)]
pub struct Locked {
    envelope: Envelope,
    legacy: Legacy,
}

/// Who can unwrap the data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A local key: [`ring::Unlocker`](crate::seal::ring::Unlocker) does it.
    Local {
        /// The kind of key.
        kind: WrapKind,
        /// Its fingerprint, where the writer noted one.
        fingerprint: Option<String>,
    },
    /// AWS KMS: see [`Locked::kms`].
    Kms,
}

/// What to ask AWS KMS for.
#[derive(Debug)]
pub struct KmsRequest<'a> {
    /// The ciphertext blob.
    pub blob: &'a [u8],
    /// The whole encryption context, reserved entries and all.
    pub context: &'a BTreeMap<String, String>,
}

impl Locked {
    pub(super) fn new(envelope: Envelope, legacy: Legacy) -> Self {
        Self { envelope, legacy }
    }

    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Says who can unwrap the data key.
    #[must_use]
    pub fn need(&self) -> Need {
        let kind = match self.envelope.wrap.kind() {
            WrapKind::Kms => return Need::Kms,
            _ if self.envelope.needs_passphrase() => WrapKind::Passphrase,
            kind => kind,
        };
        Need::Local { kind, fingerprint: self.envelope.fingerprint().map(str::to_owned) }
    }

    /// Makes the request for AWS KMS, after checking what it cannot: that the context given by the user is the
    /// one stored, and that it binds the content algorithm. The request names the key that the user configured.
    ///
    /// # Errors
    /// `KeyWrong` if the context differs; `Tampered` if the stored one breaks the format's rules; `KeyNeeded` if
    /// the data key is not wrapped by KMS.
    pub fn kms(&self, given: &Context) -> Result<KmsRequest<'_>> {
        let envelope = &self.envelope;
        let subject = &envelope.subject;
        match envelope.wrap {
            Wrap::KmsContext => {
                description::check_context(subject, envelope.alg(), &envelope.description, given)?;
            }
            Wrap::Kms => description::check_outdated_context(subject, &envelope.description, given)?,
            wrap => {
                let need = KeyNeed::Wrapping {
                    kind: wrap.kind(),
                    fingerprint: envelope.fingerprint().map(str::to_owned),
                };
                return Err(Error::KeyNeeded { subject: subject.clone(), need });
            }
        }
        Ok(KmsRequest { blob: &envelope.wrapped_key, context: &envelope.description })
    }

    /// Takes the unwrapped data key, whoever unwrapped it, and checks the commitment before anything else.
    ///
    /// # Errors
    /// `Tampered` if the key is not the one that the envelope commits to, or not of a length the format knows.
    pub fn unlock(self, data_key: DataKey) -> Result<Unlocked> {
        let Self { envelope, legacy } = self;
        let content_key = match &envelope.content {
            Content::Committing { message_id, commitment } => {
                if data_key.as_bytes().len() != KEY_LEN {
                    return Err(envelope.tampered("its data key has not 256 bits"));
                }
                let derived = kdf::derive(&data_key, message_id)?;
                if !derived.commits_to(commitment) {
                    return Err(envelope.tampered(
                        "its data key is not the one it commits to: the envelope was changed or swapped",
                    ));
                }
                derived.key
            }
            Content::Gcm { .. } | Content::Cbc { .. } => Zeroizing::new(data_key.as_bytes().to_vec()),
        };
        let opened_with = OpenedWith::nameless(envelope.wrap.kind());
        Ok(Unlocked { envelope, legacy, data_key, content_key, opened_with, rejected: false })
    }

    /// Goes on where no key unwraps a data key padded by PKCS #1 v1.5: all bytes are asked for as if one did, and at
    /// their end the object is refused as one whose bytes were changed. So neither S3 nor who sees the result learns
    /// whether the padding was right.
    ///
    /// # Errors
    /// `Local` where the machine gives no random numbers.
    pub(in crate::seal) fn reject(self) -> Result<Unlocked> {
        let data_key = DataKey::new(Zeroizing::new(crate::seal::random::<KEY_LEN>()?.to_vec()))
            .map_err(|_| crate::seal::gcm::refused())?;
        Ok(Unlocked { rejected: true, ..self.unlock(data_key)? })
    }

    pub(in crate::seal) fn try_with(
        &self,
        unwrap: impl FnOnce(Wrap, Alg, &[u8]) -> Option<DataKey>,
    ) -> Option<DataKey> {
        unwrap(self.envelope.wrap, self.envelope.alg(), &self.envelope.wrapped_key)
    }
}

/// An envelope with its data key. Can be opened more than once: a stream is proven in a first pass and released
/// in a second.
pub struct Unlocked {
    envelope: Envelope,
    legacy: Legacy,
    data_key: DataKey,
    content_key: Zeroizing<Vec<u8>>,
    opened_with: OpenedWith,
    /// Whether no key fitted, which shows only at the end.
    rejected: bool,
}

impl Unlocked {
    /// The envelope.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The key that unwrapped the data key.
    #[must_use]
    pub fn opened_with(&self) -> &OpenedWith {
        &self.opened_with
    }

    /// Names the local key that unwrapped the data key.
    pub(in crate::seal) fn by(self, opened_with: OpenedWith) -> Self {
        Self { opened_with, ..self }
    }

    /// The data key, to be wrapped anew (by AWS KMS; local keys: [`wrap::wrap`]).
    #[must_use]
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// Starts to open the whole object.
    ///
    /// # Errors
    /// `Local` where the library refuses.
    pub fn opener(&self) -> Result<Box<dyn Open>> {
        match &self.envelope.content {
            Content::Cbc { iv } => {
                let Self { envelope, content_key, rejected, .. } = self;
                Ok(Box::new(cbc::CbcOpener::new(&envelope.subject, content_key, *iv, *rejected)?))
            }
            Content::Gcm { .. } | Content::Committing { .. } => {
                Ok(Box::new(GcmOpener::new(&self.envelope, &self.content_key)?))
            }
        }
    }

    /// Starts to open the plain bytes `plain` of an object stored in `stored` bytes. An end beyond the object's is
    /// brought back to it.
    ///
    /// # Errors
    /// `OutOfRange` where the range begins at or after the end; `Unsupported` unless unauthenticated bytes were
    /// asked for: a part of a message is never proven; `Tampered` if `stored` cannot be the length of a message.
    pub fn range(&self, plain: Range<u64>, stored: u64) -> Result<RangeRead> {
        if self.legacy < Legacy::Unauthenticated {
            return Err(Error::Unsupported {
                subject: self.envelope.subject.clone(),
                why: "a range of it cannot be authenticated, only the whole object can; \
                      --allow-legacy unauthenticated reads it all the same"
                    .to_owned(),
            });
        }
        if self.envelope.wrap == Wrap::RsaPkcs1 {
            return Err(Error::Unsupported {
                subject: self.envelope.subject.clone(),
                why: "its data key is wrapped with RSA PKCS #1 v1.5, so it can only be read whole: \
                      a part would show whether the key fits"
                    .to_owned(),
            });
        }
        range::open(&self.envelope, &self.content_key, plain, stored)
    }

    /// Makes what goes beside the object once its data key is wrapped anew; the object's bytes stay.
    ///
    /// `metadata` is the object's present user metadata; what is returned replaces it (and the instruction file, if
    /// the envelope is in one).
    ///
    /// # Errors
    /// `Unsupported` for formats whose bytes nothing authenticates: they are to be sealed anew.
    pub fn rewrap(&self, metadata: &BTreeMap<String, String>, wrapped: WrappedKey) -> Result<Attributes> {
        let subject = &self.envelope.subject;
        if matches!(self.envelope.content, Content::Cbc { .. }) {
            return Err(Error::Unsupported {
                subject: subject.clone(),
                why: "nothing authenticates its bytes, so a new key would vouch for what may be changed: \
                      it has to be sealed anew"
                    .to_owned(),
            });
        }
        if wrapped.alg != self.envelope.alg() {
            return Err(Error::Unsupported {
                subject: subject.clone(),
                why: format!(
                    "its data key must be wrapped for '{}', not for '{}'",
                    self.envelope.alg().as_str(),
                    wrapped.alg.as_str()
                ),
            });
        }
        let renewed = Envelope {
            wrap: wrapped.wrap,
            wrapped_key: wrapped.bytes,
            description: wrapped.description,
            ..self.envelope.clone()
        };
        let mut attributes = metadata::write(&renewed)?;
        let mut kept = metadata.clone();
        if renewed.storage == Storage::Metadata {
            kept.retain(|name, _| !metadata::is_wrap_entry(name));
        }
        kept.append(&mut attributes.metadata);
        Ok(Attributes { metadata: kept, instruction: attributes.instruction })
    }

    /// Returns what a new wrap must be made for.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.envelope.alg()
    }
}
