//! The ways to encrypt an object, as one enum: made once at the edge, final below it.
//!
//! Illegal pairs have no spelling. Pure values; what they become on the wire is `aws::sse` and `seal`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

mod bound_name;
mod format;
mod kms;

pub use bound_name::BoundName;
pub use format::{Format, StoredFormat};
pub use kms::{Account, KeyArn, KmsKey};

use crate::keys::{CustomerKey, Fingerprint, Passphrase, RsaPublicKey, SymmetricKey};

/// How an object is encrypted, with everything needed to do it.
pub enum Encryption {
    /// S3 encrypts; the bytes pass as they are.
    Server(ServerSide),
    /// s3seal encrypts before the bytes leave the machine.
    Client(ClientSide),
}

/// The modes in which S3 encrypts.
pub enum ServerSide {
    /// SSE-S3: a key of S3's own.
    SseS3,
    /// SSE-KMS: a key in AWS KMS; none named means the account's `aws/s3` key.
    SseKms {
        /// The KMS key.
        key: Option<KmsKey>,
        /// The encryption context, authenticated and logged by KMS.
        context: Context,
        /// Whether S3 may use a bucket-level key to save KMS requests.
        bucket_key: bool,
    },
    /// DSSE-KMS: two layers; no bucket key here, it cannot be said.
    DsseKms {
        /// The KMS key.
        key: Option<KmsKey>,
        /// The encryption context.
        context: Context,
    },
    /// SSE-C: the customer's key, sent with every request and not kept by S3.
    SseC(CustomerKey),
}

impl ServerSide {
    /// The mode without what belongs to it.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
            Self::SseC(_) => Mode::SseC,
        }
    }
}

/// Client-side encryption in one of AWS's formats.
pub struct ClientSide {
    /// The format; none named means by the source's length.
    pub format: Option<Format>,
    /// Who can open it: one for the S3 Encryption Client's formats, one or more for the Encryption SDK's.
    pub recipients: Vec<Recipient>,
    /// The encryption context (KMS recipients; any recipient in the Encryption SDK's format).
    pub context: Context,
    /// Whether each object's name goes into its context.
    pub bind_name: bool,
    /// What S3 does to the sealed bytes; none means the bucket's default. SSE-C is not on offer here.
    pub at_rest: Option<ServerSide>,
    /// Whether the envelope goes into an instruction file beside the object (S3 Encryption Client).
    pub instruction_file: bool,
    /// Bytes of plain text in a frame (Encryption SDK); none means 64 KiB.
    pub frame_length: Option<u32>,
    /// The name that raw keys get (Encryption SDK); none means the namespace `s3seal` and the fingerprint.
    pub key_name: Option<KeyName>,
}

/// What may be opened beside objects whose key is committed to and whose bytes are authenticated.
///
/// Ordered: each step allows all that the one before it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Legacy {
    /// Nothing: key-committing formats only.
    #[default]
    Refused,
    /// `v2`: formats without key commitment, as long as their bytes are authenticated and their data key is
    /// wrapped in a current way.
    V2,
    /// `unauthenticated`: everything, also bytes that nothing proves (CBC, ranges) and outdated key wraps.
    Unauthenticated,
}

impl Legacy {
    /// The word on the command line; nothing for the default.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Refused => None,
            Self::V2 => Some("v2"),
            Self::Unauthenticated => Some("unauthenticated"),
        }
    }
}

/// A wrapping key to seal a data key with.
pub enum Recipient {
    /// A raw AES-256 key.
    Aes(SymmetricKey),
    /// An RSA public key.
    Rsa(RsaPublicKey),
    /// A key in AWS KMS.
    Kms(KmsKey),
    /// A passphrase, by Argon2id.
    Passphrase(Passphrase, Argon2),
}

/// Cost of Argon2id; the defaults are those of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2 {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes.
    pub time: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Argon2 {
    /// The costs of what is written.
    pub const DEFAULT: Self = Self { memory: 64 * 1024, time: 3, parallelism: 4 };
}

impl Default for Argon2 {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A mode by its name: the word on the command line, in messages and in results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// `sse-s3`
    SseS3,
    /// `sse-kms`
    SseKms,
    /// `dsse-kms`
    DsseKms,
    /// `sse-c`
    SseC,
    /// `client`
    Client,
}

impl Mode {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SseS3 => "sse-s3",
            Self::SseKms => "sse-kms",
            Self::DsseKms => "dsse-kms",
            Self::SseC => "sse-c",
            Self::Client => "client",
        }
    }

    /// The name that AWS documentation uses.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::SseS3 => "SSE-S3",
            Self::SseKms => "SSE-KMS",
            Self::DsseKms => "DSSE-KMS",
            Self::SseC => "SSE-C",
            Self::Client => "client-side",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name that other programs must give with a raw key: a namespace and a name in it (AWS Encryption SDK).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyName {
    namespace: String,
    name: String,
}

impl KeyName {
    /// The namespace of keys that are given no name.
    pub const DEFAULT_NAMESPACE: &'static str = "s3seal";
    /// The longest namespace, and the longest name, in bytes.
    const MAX: usize = 512;

    /// Takes the two.
    ///
    /// # Errors
    /// [`EncryptionError::KeyName`] for an empty or overlong one, one with control characters, or a namespace that
    /// AWS keeps for itself (`aws-kms…`).
    pub fn new(namespace: &str, name: &str) -> Result<Self, EncryptionError> {
        let fine = |text: &str| (1..=Self::MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if !fine(namespace) || !fine(name) || namespace.starts_with("aws-kms") {
            return Err(EncryptionError::KeyName(format!("{namespace}/{name}")));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// Returns the name of a key that is given none: its fingerprint, in a namespace of s3seal's own.
    #[must_use]
    pub fn of(fingerprint: &Fingerprint) -> Self {
        Self { namespace: Self::DEFAULT_NAMESPACE.to_owned(), name: fingerprint.as_str().to_owned() }
    }

    /// The namespace: the provider id of the wrapped data key.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for KeyName {
    type Err = EncryptionError;

    /// Takes `NAMESPACE/NAME`; the name may have further slashes.
    fn from_str(text: &str) -> Result<Self, EncryptionError> {
        match text.split_once('/') {
            Some((namespace, name)) => Self::new(namespace, name),
            None => Err(EncryptionError::KeyName(text.to_owned())),
        }
    }
}

/// An encryption context: what KMS authenticates beside the key, in plain sight; sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, String>);

impl Context {
    /// Collects pairs.
    ///
    /// # Errors
    /// [`EncryptionError::Twice`] for a key given twice, [`EncryptionError::Reserved`] for one that AWS keeps
    /// for itself (`aws:…`, `aws-crypto-…`), [`EncryptionError::Name`] for those of a [`BoundName`].
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, EncryptionError> {
        let mut map = BTreeMap::new();
        for (key, value) in pairs {
            if key.starts_with("aws:") || key.starts_with("aws-crypto-") {
                return Err(EncryptionError::Reserved(key));
            }
            if BoundName::is_entry(&key) {
                return Err(EncryptionError::Name(key));
            }
            if map.insert(key.clone(), value).is_some() {
                return Err(EncryptionError::Twice(key));
            }
        }
        Ok(Self(map))
    }

    /// The pairs.
    #[must_use]
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Splits a `KEY=VALUE` argument at its first `=`.
///
/// # Errors
/// [`EncryptionError::Pair`] without a `=` or with nothing before it.
pub fn pair(text: &str) -> Result<(String, String), EncryptionError> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(EncryptionError::Pair(text.to_owned())),
    }
}

/// What is wrong with how encryption was described.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// Not a KMS key.
    #[error("'{0}' cannot name a KMS key: write its id, its ARN or alias/NAME")]
    KmsKey(String),
    /// Not a client-side format.
    #[error("'{0}' is not a client-side format: write s3ec, s3ec-v2, s3ec-v1 or esdk")]
    Format(String),
    /// Not a name for a raw key.
    #[error("'{0}' cannot name a raw key: write NAMESPACE/NAME, and no namespace that begins with aws-kms")]
    KeyName(String),
    /// Not a pair.
    #[error("'{0}' is not a pair: write KEY=VALUE")]
    Pair(String),
    /// A context key twice.
    #[error("the key '{0}' is given twice")]
    Twice(String),
    /// A context key that AWS keeps for itself.
    #[error("the context key '{0}' is reserved by AWS")]
    Reserved(String),
    /// A context key of a bound name.
    #[error("the context key '{0}' is reserved: --bind-name writes it, and it is compared wherever it is")]
    Name(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_name_is_two_names() {
        let name: KeyName = "ours/a/b".parse().unwrap();
        assert_eq!((name.namespace(), name.name(), name.to_string()), ("ours", "a/b", "ours/a/b".to_owned()));
        for text in ["", "ours", "/a", "ours/", "aws-kms/a", "aws-kms-rsa/a", "a\n/b"] {
            assert_eq!(text.parse::<KeyName>(), Err(EncryptionError::KeyName(text.to_owned())));
        }
        assert!(KeyName::new(&"n".repeat(513), "a").is_err());
        assert_eq!(KeyName::of(&Fingerprint::of(b"")).to_string(), "s3seal/e3b0c44298fc1c14");
    }

    #[test]
    fn a_context_refuses_what_aws_keeps_and_what_is_said_twice() {
        let context = |pairs: &[(&str, &str)]| {
            Context::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
        };
        assert_eq!(context(&[("b", "1"), ("a", "")]).unwrap().pairs().len(), 2);
        assert_eq!(context(&[("a", "1"), ("a", "1")]), Err(EncryptionError::Twice("a".to_owned())));
        assert_eq!(
            context(&[("aws:x-amz-cek-alg", "115")]),
            Err(EncryptionError::Reserved("aws:x-amz-cek-alg".to_owned()))
        );
    }
}
