//! The envelope of a client-side object, before and after its data key is unwrapped: one interface to both formats.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::encryption::{BoundName, Format, KeyArn, StoredFormat};
use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::DataKey;
use crate::limits::MAX_ESDK_FRAME_BYTES_PER_CONNECTION;
use crate::location::ByteRange;
use crate::seal::esdk::EdkKind;
use crate::seal::{Open, OpenedWith, esdk, s3ec};

/// An envelope as it was found, not yet verified.
pub(crate) enum Envelope {
    /// The S3 Encryption Client's, from metadata or an instruction file.
    S3ec(s3ec::Envelope),
    /// The AWS Encryption SDK's, from the beginning of the object itself.
    Esdk(Box<esdk::Message>),
}

impl Envelope {
    /// The encryption context, which is authenticated when the data key is unwrapped. The material description of local
    /// keys is never authenticated, and not returned.
    pub(crate) fn context(&self) -> Option<&BTreeMap<String, String>> {
        match self {
            Self::Esdk(message) => Some(message.context()),
            Self::S3ec(envelope) => s3ec_context(envelope),
        }
    }

    /// The KMS keys that it names. Empty for the S3 Encryption Client's formats: only KMS knows their key.
    pub(crate) fn kms_keys(&self) -> Vec<String> {
        let Self::Esdk(message) = self else { return Vec::new() };
        let recipients = message.describe().recipients.into_iter();
        recipients.filter(|one| one.kind == EdkKind::Kms).map(|one| one.name).collect()
    }

    /// The object's name in its encryption context.
    pub(crate) fn bound_name(&self) -> Option<BoundName<'_>> {
        self.context().and_then(BoundName::of)
    }
}

fn s3ec_context(envelope: &s3ec::Envelope) -> Option<&BTreeMap<String, String>> {
    (envelope.wrap().kind() == WrapKind::Kms).then(|| envelope.description())
}

/// An envelope with its data key. It can decrypt the object more than once.
pub(crate) struct UnwrappedEnvelope {
    pub(crate) content: Content,
    /// The KMS key that unwrapped the data key; `None` for local keys.
    pub(crate) kms_key: Option<KeyArn>,
}

/// An object whose data key is known.
pub(crate) enum Content {
    /// The S3 Encryption Client's.
    S3ec(s3ec::DecryptableEnvelope),
    /// The AWS Encryption SDK's.
    Esdk(esdk::DecryptableMessage),
}

/// Which key decrypted an object, and whether its bytes are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecryptedBy {
    pub(crate) with: OpenedWith,
    /// The same key's ARN, if it is in AWS KMS.
    pub(crate) kms_key: Option<KeyArn>,
    /// Whether the plaintext is verified to be what was encrypted; `None` if only the data key was unwrapped.
    pub(crate) intact: Option<bool>,
    /// Whether the encryption context contains the object's name, which was then compared with its actual name.
    pub(crate) name_bound: bool,
}

impl DecryptedBy {
    /// Whether the writer must have had the key. For an RSA key pair that does not follow: anybody may have its public
    /// key.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.intact == Some(true) && self.with.kind != WrapKind::Rsa
    }
}

/// A range of an object, ready to be decrypted.
pub(crate) struct Part {
    /// The stored bytes to fetch, and what decrypts them; `OutOfRange` where the object ends before, which `proof` shows.
    pub(crate) content: Result<(Range<u64>, Box<dyn Open>)>,
    /// What else must be verified first: the end of the message, which shows that nothing was cut off.
    pub(crate) proof: Option<(Range<u64>, Box<dyn Open>)>,
    /// Whether decryption verifies the plaintext.
    pub(crate) authenticated: bool,
}

/// The bytes of a range of an object of `len` bytes.
///
/// # Errors
/// `OutOfRange` where S3 would answer 416.
pub(super) fn within(range: ByteRange, subject: &Subject, len: u64) -> Result<Range<u64>> {
    let out_of_range = || Error::OutOfRange { subject: subject.clone(), range: range.to_string(), len };
    range.within(len).ok_or_else(out_of_range)
}

impl UnwrappedEnvelope {
    /// Whether this is the data key. That of a message of the AWS Encryption SDK is never wrapped anew.
    pub(crate) fn has(&self, data_key: &DataKey) -> bool {
        match &self.content {
            Content::S3ec(unwrapped) => unwrapped.has(data_key),
            Content::Esdk(_) => false,
        }
    }

    /// Returns the decryptor of the whole object.
    pub(crate) fn opener(&self) -> Result<Box<dyn Open>> {
        match &self.content {
            Content::S3ec(unwrapped) => unwrapped.opener(),
            Content::Esdk(unwrapped) => unwrapped.opener(),
        }
    }

    /// Prepares to decrypt a range of an object of `stored` bytes.
    ///
    /// # Errors
    /// `OutOfRange` beyond the end of an object whose format does not verify a range; `Unsupported` if it can verify none
    /// and that is not allowed, or if it does not say where the plaintext ends and the range is counted from there.
    pub(crate) fn part(&self, range: ByteRange, stored: u64) -> Result<Part> {
        match &self.content {
            Content::S3ec(unwrapped) => {
                let envelope = unwrapped.envelope();
                let len = match envelope.plain_len(stored) {
                    Some(len) => len,
                    None if range.is_from_end() => {
                        return Err(Error::unsupported(
                            envelope.subject(),
                            "how long its plaintext is shows only when it is read whole, so no range can be counted from its end",
                        ));
                    }
                    None => stored,
                };
                let read = unwrapped.range(within(range, envelope.subject(), len)?, stored)?;
                Ok(Part { content: Ok((read.sealed, read.opener)), proof: None, authenticated: false })
            }
            Content::Esdk(unwrapped) => {
                let ranges = unwrapped.ranges(stored)?;
                let plain = within(range, unwrapped.message().subject(), ranges.plain_len());
                let read = plain.and_then(|plain| unwrapped.range(plain, stored));
                let proves_length = read.as_ref().is_ok_and(|read| read.proves_length);
                let end = (!proves_length).then(|| ranges.final_frame());
                let proof = end.map(|end| (end.sealed, end.opener));
                Ok(Part { content: read.map(|read| (read.sealed, read.opener)), proof, authenticated: true })
            }
        }
    }

    /// The ranges of an object of `stored` bytes, if each is verified on its own; `None` if not, or if its frames are too
    /// long to hold one for each connection.
    pub(crate) fn ranges(&self, stored: u64) -> Option<esdk::MessageRanges> {
        let Content::Esdk(unwrapped) = &self.content else { return None };
        unwrapped
            .ranges(stored)
            .ok()
            .filter(|ranges| ranges.frame_length() <= MAX_ESDK_FRAME_BYTES_PER_CONNECTION)
    }

    /// What each frame of it authenticates, and no other message has.
    pub(crate) fn message_id(&self) -> Option<&[u8]> {
        match &self.content {
            Content::S3ec(_) => None,
            Content::Esdk(unwrapped) => Some(unwrapped.message().id()),
        }
    }

    /// Whether decrypting the whole object verifies it.
    pub(crate) fn is_authenticated(&self) -> bool {
        match &self.content {
            Content::S3ec(unwrapped) => unwrapped.envelope().is_authenticated(),
            Content::Esdk(_) => true,
        }
    }

    /// The plaintext length, if the stored length determines it.
    pub(crate) fn plain_len(&self, stored: u64) -> Option<u64> {
        match &self.content {
            Content::S3ec(unwrapped) => unwrapped.envelope().plain_len(stored),
            Content::Esdk(unwrapped) => unwrapped.message().plain_len(stored),
        }
    }

    pub(crate) fn format(&self) -> StoredFormat {
        match &self.content {
            Content::Esdk(_) => Format::Esdk.into(),
            Content::S3ec(unwrapped) => unwrapped.envelope().version().into(),
        }
    }

    /// The key that unwrapped the data key, and whether the plaintext is `intact`.
    pub(crate) fn decrypted_by(&self, intact: Option<bool>) -> DecryptedBy {
        let (with, context) = match &self.content {
            Content::S3ec(unwrapped) => (unwrapped.opened_with(), s3ec_context(unwrapped.envelope())),
            Content::Esdk(unwrapped) => (unwrapped.opened_with(), Some(unwrapped.message().context())),
        };
        let name_bound = context.and_then(BoundName::of).is_some();
        DecryptedBy { with: with.clone(), kms_key: self.kms_key.clone(), intact, name_bound }
    }
}
