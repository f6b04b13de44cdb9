//! Builds a new message from a data key, a context and recipients.
//!
//! The message consumes the data key, so that it seals this object and no other.

use std::sync::Arc;

use super::context::{self, Pairs};
use super::edk::{Edk, PASSPHRASE_NAMESPACE};
use super::frame::FrameCipher;
use super::header::{Header, NewHeader};
use super::layout::{Layout, MAX_FRAMES};
use super::marker::{self, Marker};
use super::sealer::{self, Sealer};
use super::suite;
use crate::defaults;
use crate::encryption::{Context, KeyArn, KeyName};
use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::{DataKey, Fingerprint};
use crate::limits::{MAX_ESDK_DATA_KEYS, MAX_ESDK_HEADER_BYTES};
use crate::seal::wrap::LocalKey;
use crate::seal::{Seal, gcm, require_256_bits};

/// The shortest frame length that is written, in bytes.
pub const MIN_FRAME_LENGTH: u32 = 4 << 10;
/// The longest frame length that is written, in bytes.
pub const MAX_FRAME_LENGTH: u32 = 16 << 20;
/// Frame lengths are multiples of this, as other programs require when they write.
pub const FRAME_STEP: u32 = 128;

/// Whether frames of this length are written.
pub fn writes_frames_of(length: u32) -> bool {
    (MIN_FRAME_LENGTH..=MAX_FRAME_LENGTH).contains(&length) && length.is_multiple_of(FRAME_STEP)
}

/// A message to be sealed.
pub struct NewMessage {
    data_key: DataKey,
    context: Pairs,
    edks: Vec<Edk>,
    recipients: Vec<marker::Recipient>,
}

impl NewMessage {
    /// Takes a data key that was generated for this object, and the user's context. Requests to AWS KMS must have exactly
    /// that context: [`NewMessage::context`]. Fails with `Unsupported` for a data key of less than 256 bits, and with
    /// `TooLarge` for a context beyond the format's limit.
    pub fn new(data_key: DataKey, context: &Context) -> Result<Self> {
        require_256_bits(&data_key)?;
        context::encode(context.pairs())?;
        let context = context.pairs().clone();
        Ok(Self { data_key, context, edks: Vec::new(), recipients: Vec::new() })
    }

    /// The data key, for AWS KMS to wrap for another recipient.
    pub fn data_key(&self) -> &DataKey {
        &self.data_key
    }

    /// The context for requests to AWS KMS.
    pub fn context(&self) -> &Pairs {
        &self.context
    }

    /// Adds a recipient with a local key. A raw key gets `name`, which other programs need to find it, or [`KeyName::of`];
    /// the name of a key derived from a passphrase is its parameters. Fails with `Unsupported` for an AES key of less than
    /// 256 bits, and for too many recipients.
    pub fn add(&mut self, key: &LocalKey<'_>, name: Option<&KeyName>) -> Result<()> {
        let chosen = |print: &Fingerprint| {
            name.cloned().unwrap_or_else(|| KeyName::of(defaults::KEY_NAMESPACE, print))
        };
        let (edk, recipient) = match key {
            LocalKey::Aes(key) => {
                let print = key.fingerprint();
                let name = chosen(&print);
                let name = (name.namespace(), name.name());
                (
                    Edk::aes(&self.data_key, &self.context, name, key)?,
                    marker::Recipient::key(WrapKind::Aes, &print),
                )
            }
            LocalKey::Rsa(key) => {
                let print = key.fingerprint();
                let name = chosen(&print);
                let name = (name.namespace(), name.name());
                (Edk::rsa(&self.data_key, name, key)?, marker::Recipient::key(WrapKind::Rsa, &print))
            }
            LocalKey::Passphrase(derived) => {
                let phc = derived.phc().to_string();
                let name = (PASSPHRASE_NAMESPACE, phc.as_str());
                let edk = Edk::aes(&self.data_key, &self.context, name, derived.key())?;
                (edk, marker::Recipient::without_fingerprint(WrapKind::Passphrase))
            }
        };
        self.push(edk, recipient)
    }

    /// Adds a recipient in AWS KMS: the key's ARN and the ciphertext blob, both as AWS KMS returned them.
    pub fn add_kms(&mut self, key: &KeyArn, blob: Vec<u8>) -> Result<()> {
        let edk = Edk::kms(key.as_str(), blob);
        self.push(edk, marker::Recipient::without_fingerprint(WrapKind::Kms))
    }

    fn push(&mut self, edk: Edk, recipient: marker::Recipient) -> Result<()> {
        if self.edks.len() == MAX_ESDK_DATA_KEYS {
            return Err(Error::unsupported(
                Subject::other(format!("more than {MAX_ESDK_DATA_KEYS} recipients")),
                "readers accept no more",
            ));
        }
        self.edks.push(edk);
        self.recipients.push(recipient);
        Ok(())
    }

    /// Starts to seal, with frames of `frame_length` plaintext bytes (see [`choose_frame_length`]). If `plain_len` is given,
    /// the sealer fails on any other length.
    ///
    /// # Errors
    /// `Unsupported` without a recipient and for frame lengths that are not written; `TooLarge` if the object would have
    /// too many frames.
    pub fn seal(self, frame_length: Option<u32>, plain_len: Option<u64>) -> Result<Box<dyn Seal>> {
        if self.edks.is_empty() {
            return Err(Error::unsupported(
                "a message without recipients",
                "at least one recipient is needed",
            ));
        }
        let frame_length = choose_frame_length(frame_length, plain_len)?;
        let message_id: [u8; 32] = crate::seal::random()?;
        let derived = suite::WRITTEN.derive(&self.data_key, &message_id)?;
        let commitment = derived.commitment.ok_or_else(gcm::refused)?;
        let draft = NewHeader {
            message_id: &message_id,
            context: &self.context,
            edks: self.edks,
            frame_length,
            commitment,
        };
        let header = Header::new(draft, &derived.key)?;
        if header.raw().len() > MAX_ESDK_HEADER_BYTES {
            return Err(Error::too_large(
                "the header",
                format!("readers accept no more than {MAX_ESDK_HEADER_BYTES} bytes"),
            ));
        }
        let cipher = Arc::new(FrameCipher::new(derived.key, message_id.to_vec()));
        let marker = Marker::new(self.recipients);
        Ok(Box::new(Sealer::new(header.raw().clone(), marker, cipher, frame_length, plain_len)))
    }
}

/// Chooses the frame length: the one asked for, or the default, doubled until the object fits.
pub fn choose_frame_length(asked: Option<u32>, plain_len: Option<u64>) -> Result<u32> {
    let fits = |length: u32| plain_len.is_none_or(|plain| Layout::of_plain(0, length, plain).is_some());
    if let Some(length) = asked {
        if !writes_frames_of(length) {
            return Err(Error::unsupported(
                Subject::other(format!("a frame length of {length} bytes")),
                format!(
                    "it must be a multiple of {FRAME_STEP} between {MIN_FRAME_LENGTH} and {MAX_FRAME_LENGTH}"
                ),
            ));
        }
        return if fits(length) { Ok(length) } else { Err(sealer::too_long(length)) };
    }
    let mut length = defaults::ESDK_FRAME_LENGTH;
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
