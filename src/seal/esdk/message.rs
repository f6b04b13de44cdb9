//! A message with its data key still wrapped, and with the data key: what each allows.
//!
//! A type for each state, so that policy, key, commitment, header tag and required context are checked in that order
//! and none is left out (format, section 1.8).

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::context::{PUBLIC_KEY, Pairs, RESERVED};
use super::edk::{Edk, EdkKind};
use super::frame::{FrameCipher, SINGLE_OVERHEAD};
use super::header::{Framing, Header};
use super::layout::Layout;
use super::opener::FramedOpener;
use super::range::{MessageRanges, RangeRead};
use super::signature::SignatureVerifier;
use super::single::SingleOpener;
use super::suite::{Derived, Suite};
use crate::encryption::{Context, KeyArn, Legacy};
use crate::error::{Cause, Error, KeyFault, Result, Subject, Unsupported, WrapKind};
use crate::keys::DataKey;
use crate::seal::{Open, OpenedWith, out_of_range};

/// A message's header: well-formed, but not authenticated.
#[derive(Clone, Debug)]
pub struct Message {
    subject: Subject,
    header: Header,
}

impl Message {
    pub(super) fn new(subject: Subject, header: Header) -> Self {
        Self { subject, header }
    }

    /// The object's name, for messages.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The algorithm suite.
    pub fn suite(&self) -> Suite {
        self.header.suite
    }

    /// How the body is framed.
    pub fn framing(&self) -> Framing {
        self.header.framing
    }

    /// The length of the header in bytes, which is the offset of the body.
    pub fn header_len(&self) -> u64 {
        self.header.raw().len() as u64
    }

    /// The message id.
    pub fn id(&self) -> &[u8] {
        &self.header.message_id
    }

    /// The stored encryption context, including the format's own pair.
    pub fn context(&self) -> &Pairs {
        &self.header.context
    }

    /// The wrapped data keys.
    pub fn edks(&self) -> &[Edk] {
        &self.header.edks
    }

    /// The plaintext's length of a message stored in `stored` bytes, not authenticated. `None` if no message has that
    /// length, and for signed messages, the signatures of which vary in length.
    pub fn plain_len(&self, stored: u64) -> Option<u64> {
        match self.header.framing {
            _ if self.header.suite.is_signed() => None,
            Framing::Single => stored.checked_sub(self.header_len())?.checked_sub(SINGLE_OVERHEAD),
            Framing::Frames(_) => Some(self.layout(stored)?.plain_len()),
        }
    }

    /// The layout of an unsigned, framed message stored in `stored` bytes.
    pub fn layout(&self, stored: u64) -> Option<Layout> {
        match self.header.framing {
            Framing::Frames(length) if !self.header.suite.is_signed() => {
                Layout::of_stored(self.header_len(), length, stored, 0)
            }
            _ => None,
        }
    }

    /// Applies what the user allows, before any key is tried: suites of version 1 need [`Legacy::V2`], for they do not
    /// commit to one key. `required` is the context that the user demands; pairs of it that the message does not store
    /// must have been authenticated with it.
    ///
    /// # Errors
    /// `Unsupported` for a suite that is not allowed; `Tampered` for reserved pairs that the suite does not use.
    pub fn permit(self, legacy: Legacy, required: &Context) -> Result<PermittedMessage> {
        let suite = self.header.suite;
        if !suite.commits() && legacy < Legacy::V2 {
            let why = format!("its algorithm suite ({}) does not commit to one key", suite.name()).into();
            return Err(Error::unsupported(self.subject, Unsupported::Legacy { why, least: Legacy::V2 }));
        }
        if suite.is_signed() != self.header.context.contains_key(PUBLIC_KEY) {
            return Err(
                self.tampered("its context must have a public key if, and only if, its suite is signed")
            );
        }
        let unknown = |key: &&String| key.starts_with(RESERVED) && key.as_str() != PUBLIC_KEY;
        if let Some(key) = self.header.context.keys().find(unknown) {
            let key = key.escape_default();
            return Err(self.tampered(format!("its context has an unknown reserved key, '{key}'")));
        }
        let unstored: Pairs = required
            .pairs()
            .iter()
            .filter(|(key, _)| !self.header.context.contains_key(*key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut full = self.header.context.clone();
        full.extend(unstored.clone());
        Ok(PermittedMessage { message: self, legacy, required: required.clone(), unstored, full })
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

/// A message that the policy permits, with its data key still wrapped.
#[derive(Clone, Debug)]
pub struct PermittedMessage {
    message: Message,
    legacy: Legacy,
    required: Context,
    /// Pairs that are authenticated but not stored.
    unstored: Pairs,
    /// All pairs that are authenticated.
    full: Pairs,
}

/// The parameters of a `Decrypt` request to AWS KMS.
#[derive(Debug)]
pub struct KmsRequest<'a> {
    /// The key that the message names, not authenticated: compare it with the keys that may be used, and with the
    /// response.
    pub arn: KeyArn,
    /// The ciphertext blob.
    pub blob: &'a [u8],
    /// The whole encryption context.
    pub context: &'a Pairs,
}

impl PermittedMessage {
    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The legacy level that the user allows.
    pub(super) fn legacy(&self) -> Legacy {
        self.legacy
    }

    /// Returns the possible requests to AWS KMS, in the message's order. Data keys that name no key ARN are skipped.
    pub fn kms(&self) -> impl Iterator<Item = KmsRequest<'_>> {
        self.message.header.edks.iter().filter(|edk| edk.kind() == EdkKind::Kms).filter_map(|edk| {
            let arn = KeyArn::parse(edk.arn()?)?;
            Some(KmsRequest { arn, blob: edk.ciphertext(), context: &self.full })
        })
    }

    /// All authenticated pairs: stored and only required ones.
    pub(super) fn full_context(&self) -> &Pairs {
        &self.full
    }

    /// The stored pairs, if the user requires others in addition.
    pub(super) fn stored_context(&self) -> Option<&Pairs> {
        (!self.unstored.is_empty()).then_some(&self.message.header.context)
    }

    /// Takes the unwrapped data key and checks, in this order: its length, the commitment, the header's tag, the
    /// context that the user requires. Fails with `KeyWrong` if that context differs, else with `Tampered`.
    pub fn with_data_key(&self, data_key: &DataKey) -> Result<DecryptableMessage> {
        let Message { header, .. } = &self.message;
        if data_key.as_bytes().len() != header.suite.key_len() {
            return Err(self
                .message
                .tampered("its data key does not have the length that its algorithm suite needs"));
        }
        let derived = header.suite.derive(data_key, &header.message_id)?;
        if !derived.commits_to(header.commitment.as_ref()) {
            return Err(self.message.tampered("its data key is not the one that it commits to"));
        }
        let Derived { key, .. } = derived;
        if !header.is_authentic(&key, &self.unstored)? {
            if !self.unstored.is_empty() && header.is_authentic(&key, &Pairs::new())? {
                return Err(self.context_differs());
            }
            return Err(self.message.tampered("its header was changed"));
        }
        let differs = |(key, value)| header.context.get(key).is_some_and(|stored| stored != value);
        if self.required.pairs().iter().any(differs) {
            return Err(self.context_differs());
        }
        let cipher = Arc::new(FrameCipher::new(key, header.message_id.clone()));
        let opened_with = OpenedWith::without_fingerprint(WrapKind::Kms);
        let (message, unstored) = (self.message.clone(), self.unstored.clone());
        Ok(DecryptableMessage { message, unstored, cipher, opened_with })
    }

    /// Returns the error for a data key that AWS KMS did not unwrap. AWS KMS does not tell a wrong context from a wrong
    /// key; if the user requires pairs that the message does not store, the context is the likelier reason.
    pub fn not_unwrapped(&self, source: Option<Cause>) -> Error {
        let why = match self.stored_context() {
            Some(_) => KeyFault::Context,
            None => KeyFault::DoesNotUnwrap { fingerprint: None },
        };
        Error::KeyWrong { subject: self.message.subject.clone(), why, source }
    }

    pub(super) fn context_differs(&self) -> Error {
        Error::KeyWrong { subject: self.message.subject.clone(), why: KeyFault::Context, source: None }
    }
}

/// A message whose header is authenticated. It can be opened more than once: whole, in ranges, its final frame.
pub struct DecryptableMessage {
    message: Message,
    /// Pairs that are authenticated but not stored.
    unstored: Pairs,
    cipher: Arc<FrameCipher>,
    /// AWS KMS, unless `unwrap` records a local key.
    pub(super) opened_with: OpenedWith,
}

impl DecryptableMessage {
    /// The message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The pairs that it authenticates and does not store: whoever opens it must know them.
    pub fn unstored_context(&self) -> &Pairs {
        &self.unstored
    }

    /// Starts to open the whole message from its first byte; its header must be the one read before. Fails with
    /// `Tampered` if a signed message has no valid public key.
    pub fn opener(&self) -> Result<Box<dyn Open>> {
        let Message { subject, header } = &self.message;
        let cipher = self.cipher.clone();
        let raw: Bytes = header.raw().clone();
        let verifier = self.signature_verifier()?;
        Ok(match header.framing {
            Framing::Frames(length) => Box::new(FramedOpener::new(subject, raw, cipher, length, verifier)),
            Framing::Single => Box::new(SingleOpener::new(subject, raw, cipher, verifier)),
        })
    }

    fn signature_verifier(&self) -> Result<Option<SignatureVerifier>> {
        let Message { header, .. } = &self.message;
        let Some(curve) = header.suite.curve() else { return Ok(None) };
        let mut verifier = header
            .context
            .get(PUBLIC_KEY)
            .and_then(|key| SignatureVerifier::new(curve, key))
            .ok_or_else(|| self.message.tampered("the public key of its signature is not valid"))?;
        verifier.update(header.raw());
        Ok(Some(verifier))
    }

    /// Starts to open the range `plain` of the plaintext of a message stored in `stored` bytes. An end beyond the
    /// message's is clamped.
    ///
    /// # Errors
    /// `OutOfRange` if the range begins at or after the end, and those of [`DecryptableMessage::ranges`].
    pub fn range(&self, plain: Range<u64>, stored: u64) -> Result<RangeRead> {
        let ranges = self.ranges(stored)?;
        let len = ranges.plain_len();
        ranges
            .range(plain.start..plain.end.min(len))
            .ok_or_else(|| out_of_range(&self.message.subject, &plain, len))
    }

    /// The ranges of a message stored in `stored` bytes.
    ///
    /// # Errors
    /// `Unsupported` for signed and unframed messages; `Tampered` if `stored` cannot be the length of the message.
    pub fn ranges(&self, stored: u64) -> Result<MessageRanges> {
        let unsupported = |why: &'static str| Error::unsupported(&self.message.subject, why);
        let Framing::Frames(frame_length) = self.message.header.framing else {
            return Err(unsupported("it is not framed, so it can only be read whole"));
        };
        if self.message.header.suite.is_signed() {
            return Err(unsupported(
                "its signature covers all of it, so a part cannot be authenticated; it can only be read whole",
            ));
        }
        let layout = self
            .message
            .layout(stored)
            .ok_or_else(|| self.message.tampered(format!("no message of its kind has {stored} bytes")))?;
        let Message { subject, header } = &self.message;
        let (subject, header, cipher) = (subject.clone(), header.raw().clone(), self.cipher.clone());
        Ok(MessageRanges { subject, header, cipher, frame_length, layout })
    }
}
