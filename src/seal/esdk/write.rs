//! Begins a message: data key, context and recipients, in the order in which each needs the one before.
//!
//! The data key goes in and does not come out again, so that it seals this object and no other.

use std::sync::Arc;

use super::context::{self, Pairs};
use super::edk::{Edk, PASSPHRASE_NAMESPACE};
use super::frame::FrameCipher;
use super::header::{Draft, Header};
use super::layout::{Layout, MAX_FRAMES};
use super::marker::{Marker, Recipient};
use super::sealer::{self, Sealer};
use super::suite;
use crate::encryption::{Context, KeyArn, KeyName};
use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::{DataKey, Fingerprint};
use crate::limits::{MAX_ESDK_DATA_KEYS, MAX_ESDK_HEADER_BYTES};
use crate::seal::Seal;
use crate::seal::gcm;
use crate::seal::wrap::LocalKey;

/// The length of frames where none is asked for, in bytes.
pub const FRAME_LENGTH: u32 = 64 << 10;
/// The shortest frames that are written, in bytes.
pub const MIN_FRAME_LENGTH: u32 = 4 << 10;
/// The longest frames that are written, in bytes.
pub const MAX_FRAME_LENGTH: u32 = 16 << 20;
/// What a frame length must be a multiple of: other programs write no others.
const FRAME_STEP: u32 = 128;

/// A message about to be sealed.
pub struct NewMessage {
    data_key: DataKey,
    context: Pairs,
    edks: Vec<Edk>,
    recipients: Vec<Recipient>,
}

impl NewMessage {
    /// Takes the data key, made here or by AWS KMS for this object alone, and the user's context. AWS KMS is to be
    /// asked with exactly this context: [`NewMessage::context`].
    ///
    /// # Errors
    /// `Unsupported` for a data key of less than 256 bits; `TooLarge` for more context than the format holds.
    pub fn new(data_key: DataKey, context: &Context) -> Result<Self> {
        if data_key.as_bytes().len() != suite::WRITTEN.key_len() {
            return Err(Error::Unsupported {
                subject: "a data key of less than 256 bits".into(),
                why: "objects are sealed with data keys of 256 bits".to_owned(),
            });
        }
        context::encode(context.pairs())?;
        let context = context.pairs().clone();
        Ok(Self { data_key, context, edks: Vec::new(), recipients: Vec::new() })
    }

    /// The data key, for AWS KMS to wrap for a further recipient.
    #[must_use]
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// The context that AWS KMS is to bind.
    #[must_use]
    pub fn context(&self) -> &Pairs {
        &self.context
    }

    /// Adds a recipient with a local key. Raw keys get `name`, by which other programs ask for them, or the one of
    /// [`KeyName::of`]; a passphrase's key is named by how it is derived.
    ///
    /// # Errors
    /// `Unsupported` for an AES key of less than 256 bits, and for too many recipients; `Local` where the machine
    /// gives no random numbers.
    pub fn add(&mut self, key: &LocalKey<'_>, name: Option<&KeyName>) -> Result<()> {
        let chosen = |print: &Fingerprint| name.cloned().unwrap_or_else(|| KeyName::of(print));
        let (edk, recipient) = match key {
            LocalKey::Aes(key) => {
                let print = key.fingerprint();
                let name = chosen(&print);
                let name = (name.namespace(), name.name());
                (Edk::aes(&self.data_key, &self.context, name, key)?, Recipient::key(WrapKind::Aes, &print))
            }
            LocalKey::Rsa(key) => {
                let print = key.fingerprint();
                let name = chosen(&print);
                let name = (name.namespace(), name.name());
                (Edk::rsa(&self.data_key, name, key)?, Recipient::key(WrapKind::Rsa, &print))
            }
            LocalKey::Passphrase(derived) => {
                let phc = derived.phc().to_string();
                let name = (PASSPHRASE_NAMESPACE, phc.as_str());
                let edk = Edk::aes(&self.data_key, &self.context, name, derived.key())?;
                (edk, Recipient::nameless(WrapKind::Passphrase))
            }
        };
        self.push(edk, recipient)
    }

    /// Adds a recipient in AWS KMS: the key's ARN and the ciphertext blob, both as AWS KMS answered.
    ///
    /// # Errors
    /// `Unsupported` for too many recipients.
    pub fn add_kms(&mut self, key: &KeyArn, blob: Vec<u8>) -> Result<()> {
        let edk = Edk::kms(key.as_str(), blob);
        self.push(edk, Recipient::nameless(WrapKind::Kms))
    }

    fn push(&mut self, edk: Edk, recipient: Recipient) -> Result<()> {
        if self.edks.len() == MAX_ESDK_DATA_KEYS {
            return Err(Error::Unsupported {
                subject: Subject::other(format!("more than {MAX_ESDK_DATA_KEYS} recipients")),
                why: "no more are read".to_owned(),
            });
        }
        self.edks.push(edk);
        self.recipients.push(recipient);
        Ok(())
    }

    /// Starts to seal, with frames of `frame_length` plain bytes, or of [`FRAME_LENGTH`] and more if the object needs
    /// it. `plain_len` is given where it is known, and then must come true.
    ///
    /// # Errors
    /// `Unsupported` without a recipient and for frame lengths that are not written; `TooLarge` where the object would
    /// have too many frames; `Local` where the machine gives no random numbers.
    pub fn seal(self, frame_length: Option<u32>, plain_len: Option<u64>) -> Result<Box<dyn Seal>> {
        if self.edks.is_empty() {
            return Err(Error::Unsupported {
                subject: "a message for nobody".into(),
                why: "at least one recipient is needed".to_owned(),
            });
        }
        let frame_length = choose_frame_length(frame_length, plain_len)?;
        let message_id: [u8; 32] = crate::seal::random()?;
        let derived = suite::WRITTEN.derive(&self.data_key, &message_id)?;
        let commitment = derived.commitment.ok_or_else(gcm::refused)?;
        let draft = Draft {
            message_id: &message_id,
            context: &self.context,
            edks: self.edks,
            frame_length,
            commitment,
        };
        let header = Header::new(draft, &derived.key)?;
        if header.raw().len() > MAX_ESDK_HEADER_BYTES {
            return Err(Error::TooLarge {
                subject: "the header".into(),
                why: format!("no more than {MAX_ESDK_HEADER_BYTES} bytes are read"),
            });
        }
        let cipher = Arc::new(FrameCipher::new(derived.key, message_id.to_vec()));
        let marker = Marker::new(self.recipients);
        Ok(Box::new(Sealer::new(header.raw().clone(), marker, cipher, frame_length, plain_len)))
    }
}

/// Chooses the length of frames: the one asked for, or the usual one, doubled until the object fits.
///
/// # Errors
/// `Unsupported` for a length that is not written; `TooLarge` where the object would have too many frames.
pub fn choose_frame_length(asked: Option<u32>, plain_len: Option<u64>) -> Result<u32> {
    let fits = |length: u32| plain_len.is_none_or(|plain| Layout::of_plain(0, length, plain).is_some());
    if let Some(length) = asked {
        let written = (MIN_FRAME_LENGTH..=MAX_FRAME_LENGTH).contains(&length);
        if !written || !length.is_multiple_of(FRAME_STEP) {
            return Err(Error::Unsupported {
                subject: Subject::other(format!("a frame length of {length} bytes")),
                why: format!(
                    "it must be a multiple of {FRAME_STEP} between {MIN_FRAME_LENGTH} and {MAX_FRAME_LENGTH}"
                ),
            });
        }
        return if fits(length) { Ok(length) } else { Err(sealer::too_long(length)) };
    }
    let mut length = FRAME_LENGTH;
    while !fits(length) {
        if length >= MAX_FRAME_LENGTH {
            return Err(sealer::too_long(length));
        }
        length *= 2;
    }
    Ok(length)
}

const _: () = assert!(MAX_FRAMES < u32::MAX as u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_grow_with_the_object_or_are_refused() {
        let most = |length: u64| Some(length * MAX_FRAMES);
        assert_eq!(choose_frame_length(None, None).unwrap(), 65_536);
        assert_eq!(choose_frame_length(None, most(65_536)).unwrap(), 65_536);
        assert_eq!(choose_frame_length(None, most(65_536).map(|n| n + 1)).unwrap(), 131_072);
        assert!(choose_frame_length(None, Some(u64::MAX)).is_err());
        assert_eq!(choose_frame_length(Some(4096), most(4096)).unwrap(), 4096);
        for (asked, plain) in
            [(4096, most(4096).map(|n| n + 1)), (2048, None), (4096 + 64, None), (0, None), (1 << 25, None)]
        {
            assert!(choose_frame_length(Some(asked), plain).is_err(), "{asked}");
        }
    }
}
