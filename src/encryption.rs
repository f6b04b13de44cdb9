//! The ways to encrypt an object, as one enum.
//!
//! Pure values, made by `cli`. Invalid combinations cannot be expressed. `aws::sse` and `seal` carry them out.

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
    /// S3 encrypts.
    Server(ServerSide),
    /// s3seal encrypts before the bytes leave the machine.
    Client(ClientSide),
}

impl Encryption {
    /// How S3 is asked to encrypt; `None` is the bucket's default.
    pub(crate) fn server_side(&self) -> Option<&ServerSide> {
        match self {
            Self::Server(sse) => Some(sse),
            Self::Client(client) => client.at_rest.as_ref(),
        }
    }

    /// Client-side encryption, if it is that.
    pub(crate) fn client_side(&self) -> Option<&ClientSide> {
        match self {
            Self::Client(client) => Some(client),
            Self::Server(_) => None,
        }
    }
}

/// The modes in which S3 encrypts.
pub enum ServerSide {
    /// SSE-S3: with S3's own key.
    SseS3,
    /// SSE-KMS: with a key in AWS KMS.
    SseKms {
        /// `None` means the account's `aws/s3` key.
        key: Option<KmsKey>,
        /// The encryption context, which KMS authenticates and logs.
        context: Context,
        /// Whether S3 uses a bucket key to save KMS requests.
        bucket_key: bool,
    },
    /// DSSE-KMS: two layers of encryption. It has no bucket keys.
    DsseKms {
        /// As for SSE-KMS.
        key: Option<KmsKey>,
        /// As for SSE-KMS.
        context: Context,
    },
    /// SSE-C: with the customer's key, which is sent with every request and which S3 does not store.
    SseC(CustomerKey),
}

impl ServerSide {
    /// The mode without its parameters.
    pub fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
            Self::SseC(_) => Mode::SseC,
        }
    }

    /// The key in AWS KMS (`None` is the account's `aws/s3` key) and the encryption context, in the modes that have them.
    pub(crate) fn kms(&self) -> Option<(Option<&KmsKey>, &Context)> {
        match self {
            Self::SseKms { key, context, .. } | Self::DsseKms { key, context } => {
                Some((key.as_ref(), context))
            }
            Self::SseS3 | Self::SseC(_) => None,
        }
    }

    /// The key of SSE-C.
    pub(crate) fn customer_key(&self) -> Option<&CustomerKey> {
        match self {
            Self::SseC(key) => Some(key),
            Self::SseS3 | Self::SseKms { .. } | Self::DsseKms { .. } => None,
        }
    }
}

/// Client-side encryption in one of AWS's formats.
pub struct ClientSide {
    /// The format; `None` means by the source's length.
    pub format: Option<Format>,
    /// Who can decrypt: one in the S3 Encryption Client's formats, one or more in the Encryption SDK's.
    pub recipients: Vec<Recipient>,
    /// The encryption context. The S3 Encryption Client's formats have one for KMS recipients only.
    pub context: Context,
    /// Whether each object's context binds its name: see [`BoundName`].
    pub bind_name: bool,
    /// How S3 encrypts the ciphertext; `None` means the bucket's default. Never SSE-C.
    pub at_rest: Option<ServerSide>,
    /// Whether the envelope goes into an instruction file (S3 Encryption Client).
    pub instruction_file: bool,
    /// Plaintext bytes in a frame (Encryption SDK); `None` means 64 KiB.
    pub frame_length: Option<u32>,
    /// The name of raw keys (Encryption SDK); `None` means [`KeyName::of`].
    pub key_name: Option<KeyName>,
}

impl ClientSide {
    /// The recipients that are keys in AWS KMS.
    pub(crate) fn kms_keys(&self) -> impl Iterator<Item = &KmsKey> {
        self.recipients.iter().filter_map(|recipient| match recipient {
            Recipient::Kms(key) => Some(key),
            Recipient::Aes(_) | Recipient::Rsa(_) | Recipient::Passphrase(..) => None,
        })
    }
}

/// Which outdated or insecure objects may be decrypted. Each level includes the previous one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Legacy {
    /// None: only key-committing, authenticated formats.
    #[default]
    Refused,
    /// `v2`: authenticated formats without key commitment, if their data key is wrapped with a current algorithm.
    V2,
    /// `unauthenticated`: also unauthenticated bytes (CBC, ranges) and outdated key wraps.
    Unauthenticated,
}

impl Legacy {
    /// The word on the command line; `None` for the default.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Refused => None,
            Self::V2 => Some("v2"),
            Self::Unauthenticated => Some("unauthenticated"),
        }
    }
}

/// A wrapping key for the data key.
pub enum Recipient {
    /// A raw AES-256 key.
    Aes(SymmetricKey),
    /// An RSA public key.
    Rsa(RsaPublicKey),
    /// A key in AWS KMS.
    Kms(KmsKey),
    /// A passphrase, from which Argon2id derives the key.
    Passphrase(Passphrase, Argon2),
}

/// The costs of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2 {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes.
    pub time: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// The name of an encryption mode.
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
    /// All of them. Another mode goes before `Client`, so that this list must grow with it.
    pub const ALL: [Self; Self::Client as usize + 1] =
        [Self::SseS3, Self::SseKms, Self::DsseKms, Self::SseC, Self::Client];

    /// The word on the command line, in messages and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SseS3 => "sse-s3",
            Self::SseKms => "sse-kms",
            Self::DsseKms => "dsse-kms",
            Self::SseC => "sse-c",
            Self::Client => "client",
        }
    }

    /// The name in AWS documentation.
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

/// The name of a raw key, by which other programs of the AWS Encryption SDK find it: a namespace and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyName {
    namespace: String,
    name: String,
}

impl KeyName {
    /// The longest namespace, and the longest name, in bytes.
    const MAX: usize = 512;

    /// Refuses empty and overlong names, control characters, and the namespaces that AWS reserves (`aws-kms…`).
    pub fn new(namespace: &str, name: &str) -> Result<Self, EncryptionError> {
        let fine = |text: &str| (1..=Self::MAX).contains(&text.len()) && !text.chars().any(char::is_control);
        if !fine(namespace) || !fine(name) || namespace.starts_with("aws-kms") {
            return Err(EncryptionError::KeyName(format!("{namespace}/{name}")));
        }
        Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// The name of a key that was given none: its fingerprint, in this namespace.
    pub(crate) fn of(namespace: &str, fingerprint: &Fingerprint) -> Self {
        Self { namespace: namespace.to_owned(), name: fingerprint.as_str().to_owned() }
    }

    /// The namespace, which is the provider id of the wrapped data key.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name.
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

/// An encryption context: public pairs that are authenticated with the data key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, String>);

impl Context {
    /// A context to write. Refuses a duplicate key, and the keys that AWS (`aws:…`, `aws-crypto-…`) and [`BoundName`]
    /// reserve.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, EncryptionError> {
        Self::without(&["aws:", "aws-crypto-"], pairs)
    }

    /// A context that an object must have. As [`Context::new`], but `aws:…` is allowed: the official clients write such keys,
    /// because the formats reserve no more than one of them.
    pub fn demanded(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, EncryptionError> {
        Self::without(&["aws-crypto-"], pairs)
    }

    fn without(
        reserved: &[&str],
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, EncryptionError> {
        let mut map = BTreeMap::new();
        for (key, value) in pairs {
            if reserved.iter().any(|prefix| key.starts_with(prefix)) {
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
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Splits a `KEY=VALUE` argument at its first `=`. The key must not be empty.
pub fn pair(text: &str) -> Result<(String, String), EncryptionError> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(EncryptionError::Pair(text.to_owned())),
    }
}

/// What is wrong with the description of an encryption.
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
    /// A duplicate context key.
    #[error("the key '{0}' is given twice")]
    Twice(String),
    /// A context key that AWS reserves.
    #[error("the context key '{0}' is reserved by AWS")]
    Reserved(String),
    /// A context key that [`BoundName`] reserves.
    #[error("the context key '{0}' is reserved for the name that an object is bound to")]
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
        assert_eq!(KeyName::of("ns", &Fingerprint::of(b"")).to_string(), "ns/e3b0c44298fc1c14");
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
        let demanded = |key: &str| Context::demanded([(key.to_owned(), String::new())]);
        assert!(demanded("aws:a").is_ok() && demanded("aws-crypto-a").is_err());
    }
}
