//! An envelope with its data key still wrapped, and with the data key: what each allows.
//!
//! A type for each state, so that policy, key and commitment are checked in that order and none is left out.

use std::collections::BTreeMap;
use std::ops::Range;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::description;
use super::message::GcmOpener;
use super::range::{self, RangeRead};
use super::{ContentAlgorithm, Envelope, Storage, cbc, kdf, metadata};
use crate::encryption::{Context, Legacy};
use crate::error::{Error, KeyNeed, Result, Unsupported, WrapKind};
use crate::keys::{DataKey, KEY_LEN};
use crate::seal::wrap::{Alg, Wrap, WrappedKey};
use crate::seal::{Attributes, Open, OpenedWith};

/// An envelope that the policy permits, with its data key still wrapped.
#[derive(Debug)]
pub struct PermittedEnvelope {
    envelope: Envelope,
    legacy: Legacy,
}

/// The parameters of a `Decrypt` request to AWS KMS.
#[derive(Debug)]
pub struct KmsRequest<'a> {
    /// The ciphertext blob.
    pub blob: &'a [u8],
    /// The whole encryption context, with its reserved entries.
    pub context: &'a BTreeMap<String, String>,
}

impl PermittedEnvelope {
    pub(super) fn new(envelope: Envelope, legacy: Legacy) -> Self {
        Self { envelope, legacy }
    }

    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Whether AWS KMS unwraps the data key, see [`PermittedEnvelope::kms`]; else a local key does, see
    /// [`ring::Unwrapper`](crate::seal::ring::Unwrapper).
    pub fn needs_kms(&self) -> bool {
        self.envelope.wrap.kind() == WrapKind::Kms
    }

    /// Makes the request for AWS KMS, after checks that KMS cannot make: the user's context must be the stored one, and
    /// it must name the content algorithm. The caller adds the key that the user gave.
    ///
    /// # Errors
    /// `KeyWrong` if the context differs; `Tampered` if the stored one violates the format; `KeyNeeded` if the data key
    /// is not wrapped by KMS.
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

    /// Takes the unwrapped data key and checks the commitment. Fails with `Tampered` if the envelope commits to another
    /// key, or the key's length does not fit the format.
    pub fn with_data_key(self, data_key: DataKey) -> Result<DecryptableEnvelope> {
        let Self { envelope, legacy } = self;
        let content_key = match &envelope.content {
            ContentAlgorithm::Committing { message_id, commitment } => {
                if data_key.as_bytes().len() != KEY_LEN {
                    return Err(envelope.tampered("its data key does not have 256 bits"));
                }
                let derived = kdf::derive(&data_key, message_id)?;
                if !derived.commits_to(commitment) {
                    return Err(envelope.tampered(
                        "its data key is not the one it commits to: the envelope was changed or swapped",
                    ));
                }
                derived.key
            }
            ContentAlgorithm::Gcm { .. } | ContentAlgorithm::Cbc { .. } => {
                Zeroizing::new(data_key.as_bytes().to_vec())
            }
        };
        let opened_with = OpenedWith::without_fingerprint(envelope.wrap.kind());
        Ok(DecryptableEnvelope { envelope, legacy, data_key, content_key, opened_with, rejected: false })
    }

    /// Continues with a random key if no key unwraps a data key padded by PKCS #1 v1.5. The object is read to its end
    /// and then fails as one that was changed, so that neither S3 nor whoever sees the result learns whether the
    /// padding was right.
    pub(in crate::seal) fn reject(self) -> Result<DecryptableEnvelope> {
        let data_key = DataKey::new(Zeroizing::new(crate::seal::random::<KEY_LEN>()?.to_vec()))
            .map_err(|_| crate::seal::gcm::refused())?;
        Ok(DecryptableEnvelope { rejected: true, ..self.with_data_key(data_key)? })
    }

    pub(in crate::seal) fn try_with(
        &self,
        unwrap: impl FnOnce(Wrap, Alg, &[u8]) -> Option<DataKey>,
    ) -> Option<DataKey> {
        unwrap(self.envelope.wrap, self.envelope.alg(), &self.envelope.wrapped_key)
    }
}

/// An envelope with its data key. It can be opened more than once: a stream is authenticated in a first pass and
/// written in a second.
pub struct DecryptableEnvelope {
    envelope: Envelope,
    legacy: Legacy,
    data_key: DataKey,
    content_key: Zeroizing<Vec<u8>>,
    opened_with: OpenedWith,
    /// Whether no key fitted, which must show only at the end.
    rejected: bool,
}

impl DecryptableEnvelope {
    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The key that unwrapped the data key.
    pub fn opened_with(&self) -> &OpenedWith {
        &self.opened_with
    }

    /// Records which local key unwrapped the data key.
    pub(in crate::seal) fn by(self, opened_with: OpenedWith) -> Self {
        Self { opened_with, ..self }
    }

    /// The data key, to rewrap.
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// Whether this is the data key, compared in constant time.
    pub(crate) fn has(&self, data_key: &DataKey) -> bool {
        self.data_key.as_bytes().ct_eq(data_key.as_bytes()).into()
    }

    /// Starts to open the whole object.
    pub fn opener(&self) -> Result<Box<dyn Open>> {
        match &self.envelope.content {
            ContentAlgorithm::Cbc { iv } => {
                let Self { envelope, content_key, rejected, .. } = self;
                let fit = match envelope.wrap {
                    Wrap::RsaPkcs1 => cbc::Fit::Hidden { rejected: *rejected },
                    _ => cbc::Fit::Yes,
                };
                Ok(Box::new(cbc::CbcOpener::new(&envelope.subject, content_key, *iv, fit)?))
            }
            ContentAlgorithm::Gcm { .. } | ContentAlgorithm::Committing { .. } => {
                Ok(Box::new(GcmOpener::new(&self.envelope, &self.content_key)?))
            }
        }
    }

    /// Starts to open the range `plain` of the plaintext of an object stored in `stored` bytes. An end beyond the
    /// object's is clamped.
    ///
    /// # Errors
    /// `OutOfRange` if the range begins at or after the end; `Unsupported` unless the user allows unauthenticated
    /// bytes, for a part of a message has no tag; `Tampered` if `stored` cannot be the length of a message.
    pub fn range(&self, plain: Range<u64>, stored: u64) -> Result<RangeRead> {
        if self.legacy < Legacy::Unauthenticated {
            let why = "a range of it cannot be authenticated, only the whole object can".into();
            let why = Unsupported::Legacy { why, least: Legacy::Unauthenticated };
            return Err(Error::unsupported(&self.envelope.subject, why));
        }
        if self.envelope.wrap == Wrap::RsaPkcs1 {
            return Err(Error::unsupported(
                &self.envelope.subject,
                "its data key is wrapped with RSA PKCS #1 v1.5, so it can only be read whole: \
                      a part would reveal whether the key fits",
            ));
        }
        range::open(&self.envelope, &self.content_key, plain, stored)
    }

    /// Makes the envelope with the rewrapped data key; the ciphertext stays.
    ///
    /// `metadata` is the object's current user metadata. The result replaces it, and the instruction file if there is
    /// one. Fails with `Unsupported` for objects that are not authenticated: they must be re-encrypted.
    pub fn rewrap(&self, metadata: &BTreeMap<String, String>, wrapped: WrappedKey) -> Result<Attributes> {
        let subject = &self.envelope.subject;
        if matches!(self.envelope.content, ContentAlgorithm::Cbc { .. }) {
            return Err(Error::unsupported(
                subject,
                "its bytes are not authenticated, so a new key would vouch for what may have been changed: \
                      it must be re-encrypted",
            ));
        }
        if wrapped.alg != self.envelope.alg() {
            return Err(Error::unsupported(
                subject,
                format!(
                    "its data key must be wrapped for '{}', not for '{}'",
                    self.envelope.alg().as_str(),
                    wrapped.alg.as_str()
                ),
            ));
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

    /// The content algorithm that a new wrap must be bound to.
    pub fn alg(&self) -> Alg {
        self.envelope.alg()
    }
}
