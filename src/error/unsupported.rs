//! Why something cannot be done this way, or is too large: what a hint acts upon has a variant of its own.
//!
//! Texts say what is so; which flag changes it is said by `cli`.

use std::borrow::Cow;
use std::fmt;

use super::RotationRefusal;
use crate::encryption::Legacy;

/// Why something cannot be done this way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// An object cannot be rotated as asked.
    Rotation(RotationRefusal),
    /// A rotation would lose something about an object.
    WouldLose {
        /// The word for it.
        loss: &'static str,
        /// What would be lost, and why.
        why: String,
    },
    /// A rotation would lose an object's encryption context.
    WouldLoseContext {
        /// Its pairs.
        pairs: String,
    },
    /// S3 stores the object in a mode that cannot be asked for.
    UnknownMode(String),
    /// The object opens only where older formats are allowed.
    Legacy {
        /// What is weak about it.
        why: Cow<'static, str>,
        /// What must be allowed at least.
        least: Legacy,
    },
    /// An instruction file was named for an object that has none.
    EnvelopeInMetadata,
    /// The envelope does not fit into the object's metadata.
    EnvelopeTooLarge {
        /// What S3 keeps, in bytes.
        limit: usize,
    },
    /// An encryption context that S3 metadata cannot carry.
    ContextNotAscii,
    /// The encryption context has a key that the S3 Encryption Client's formats reserve.
    ContextKeyReserved(&'static str),
    /// The formats of the S3 Encryption Client keep an encryption context only with a KMS key.
    ContextNeedsKms,
    /// Only the format of the AWS Encryption SDK has it.
    EsdkOnly,
    /// The file is not the journal of this rotation.
    OtherJournal,
    /// The server does not know `UpdateObjectEncryption`; what it said.
    NoUpdateInPlace(String),
    /// Objects of the bucket cannot be locked.
    NoObjectLock,
    /// The server does not copy an object onto itself.
    NoSelfCopy,
    /// A setting is not the address of a service.
    NotAnEndpoint {
        /// What it is.
        url: String,
    },
    /// What no hint acts upon.
    Other(Cow<'static, str>),
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rotation(refusal) => refusal.fmt(f),
            Self::WouldLose { why, .. } => f.write_str(why),
            Self::WouldLoseContext { pairs } => write!(f, "its encryption context ({pairs}) would be lost"),
            Self::UnknownMode(mode) => write!(f, "S3 stores it as '{mode}', which s3seal cannot ask for"),
            Self::EnvelopeInMetadata => f.write_str("its envelope is in its metadata"),
            Self::EnvelopeTooLarge { limit } => {
                write!(f, "S3 stores at most {limit} bytes, the envelope included")
            }
            Self::ContextNotAscii => f.write_str("S3 metadata can contain only ASCII"),
            Self::ContextKeyReserved(key) => {
                write!(f, "the key '{key}' is reserved in the S3 Encryption Client's formats")
            }
            Self::ContextNeedsKms => {
                f.write_str("the S3 Encryption Client's formats support one only with a KMS key")
            }
            Self::EsdkOnly => f.write_str("only the format esdk has them"),
            Self::OtherJournal => f.write_str("it does not belong to this rotation"),
            Self::NoUpdateInPlace(why) => write!(f, "it does not support UpdateObjectEncryption ({why})"),
            Self::NoObjectLock => f.write_str("Object Lock is not enabled, so nothing can be locked"),
            Self::NoSelfCopy => {
                f.write_str("this server does not copy an object onto itself for another encryption")
            }
            Self::NotAnEndpoint { url } => write!(f, "'{url}' is not an endpoint URL"),
            Self::Legacy { why, .. } | Self::Other(why) => f.write_str(why),
        }
    }
}

impl From<&'static str> for Unsupported {
    fn from(why: &'static str) -> Self {
        Self::Other(why.into())
    }
}

impl From<String> for Unsupported {
    fn from(why: String) -> Self {
        Self::Other(why.into())
    }
}

impl From<RotationRefusal> for Unsupported {
    fn from(refusal: RotationRefusal) -> Self {
        Self::Rotation(refusal)
    }
}

/// Which limit is passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SizeLimit {
    /// The longest message of AES-GCM, in bytes.
    GcmMessage(u64),
    /// The number of parts of an upload.
    Parts(u32),
    /// The bytes of a listing that are kept in memory.
    Listing(u64),
    /// What no hint acts upon.
    Other(Cow<'static, str>),
}

impl fmt::Display for SizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GcmMessage(limit) => {
                write!(f, "AES-GCM encrypts at most {limit} bytes (64 GiB) in one message")
            }
            Self::Parts(limit) => write!(f, "it needs more than {limit} parts"),
            Self::Listing(limit) => {
                write!(f, "its listing goes on beyond {limit} bytes, the most that is kept; nothing was done")
            }
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl From<&'static str> for SizeLimit {
    fn from(why: &'static str) -> Self {
        Self::Other(why.into())
    }
}

impl From<String> for SizeLimit {
    fn from(why: String) -> Self {
        Self::Other(why.into())
    }
}
