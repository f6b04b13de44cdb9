//! The envelope of a client-side object, before and after its data key is unwrapped: one interface to both formats.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::encryption::{BoundName, Format, KeyArn, StoredFormat};
use crate::error::{Result, WrapKind};
use crate::limits::MAX_ESDK_FRAME_BYTES_PER_CONNECTION;
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
    /// The stored bytes to fetch and decrypt.
    pub(crate) sealed: Range<u64>,
    /// Decrypts them.
    pub(crate) opener: Box<dyn Open>,
    /// What else must be verified first: the end of the message, which shows that nothing was cut off.
    pub(crate) proof: Option<(Range<u64>, Box<dyn Open>)>,
    /// Whether decryption verifies the plaintext.
    pub(crate) authenticated: bool,
}

impl UnwrappedEnvelope {
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
    /// `OutOfRange` beyond the end; `Unsupported` if the format cannot verify a range.
    pub(crate) fn part(&self, plain: Range<u64>, stored: u64) -> Result<Part> {
        match &self.content {
            Content::S3ec(unwrapped) => {
                let s3ec::RangeRead { sealed, opener } = unwrapped.range(plain, stored)?;
                Ok(Part { sealed, opener, proof: None, authenticated: false })
            }
            Content::Esdk(unwrapped) => {
                let esdk::RangeRead { sealed, opener, proves_length, .. } = unwrapped.range(plain, stored)?;
                let proof = if proves_length {
                    None
                } else {
                    let end = unwrapped.ranges(stored)?.final_frame();
                    Some((end.sealed, end.opener))
                };
                Ok(Part { sealed, opener, proof, authenticated: true })
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
