//! What can go wrong, sorted by what the user can do about it.
//!
//! One enum for the whole core: `cli::report` looks up hints and exit codes from it, so neither stands here.
//! `Display` is one lower-case line without its cause; causes are the chain of [`std::error::Error::source`].

#![expect(missing_docs, reason = "fields of variants say it by their names; variants are documented")]

use std::fmt;
use std::io;

use crate::encryption::KeyArn;
use crate::tuning::ByteSize;

mod lost;

pub use lost::LostEnvelope;

/// The core's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whatever lies behind an error, for the chain of causes.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An error by remedy. `what` names the thing concerned, as the user typed it where that is possible.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such object, version, bucket or file.
    #[error("{what} does not exist")]
    NotFound { what: String, source: Option<Cause> },
    /// Credentials are missing or not good enough.
    #[error("{}", denied(what, why))]
    Denied { what: String, why: Denial, source: Option<Cause> },
    /// A key is needed and none was given.
    #[error("{what} {need}")]
    KeyNeeded { what: String, need: KeyNeed },
    /// A key was given, and it is not the one, or is of no use.
    #[error("{}", wrong(what, why))]
    KeyWrong { what: String, why: KeyFault, source: Option<Cause> },
    /// The bytes or the answer are not to be trusted.
    #[error("{what} cannot be trusted: {why}")]
    Tampered { what: String, why: String, source: Option<Cause> },
    /// The answer is not one of S3's or KMS's: another document than the one expected, a web page, a redirect, or too much.
    #[error("{what}: the server sent an answer that was not understood: {why}")]
    NotUnderstood { what: String, why: String, source: Option<Cause> },
    /// S3 received other bytes than were sent.
    #[error("{what}: S3 received other bytes than were sent; nothing was stored")]
    Garbled { what: String, source: Option<Cause> },
    /// The object is bound to another name than the one it has.
    #[error("{what} cannot be trusted: it is bound to the name {bound}")]
    OtherName { what: String, bound: String },
    /// The object is bound to no name, and it was required to be.
    #[error("{what} is not bound to its name")]
    NoBoundName { what: String },
    /// S3 stored the object otherwise than asked.
    #[error("{what} is not encrypted as asked: asked for {asked}, the answer says {got}")]
    NotAsAsked {
        what: String,
        asked: String,
        got: String,
        /// Whether the object is stored all the same; if not, the upload was given up before its end.
        stored: bool,
        /// The version stored, where the bucket keeps versions.
        version_id: Option<String>,
    },
    /// S3 stored a client-side object, and not the envelope that was sent with it.
    #[error("{0}")]
    EnvelopeLost(Box<LostEnvelope>),
    /// The source gave other bytes than it promised.
    #[error("{what} changed while it was being read: {why}")]
    SourceChanged { what: String, why: String },
    /// The target exists and must not be replaced.
    #[error("{what} exists already")]
    TargetExists { what: String },
    /// The object is no longer the one seen or named.
    #[error("{what} is not the object expected: its ETag has changed")]
    Changed { what: String, source: Option<Cause> },
    /// Another run of this program is working on the same.
    #[error("another run is at work: {what} is locked")]
    InUse { what: String },
    /// The object is not encrypted in the mode that was required.
    #[error("{what} is not {expected} but {found}")]
    NotAsExpected { what: String, expected: String, found: String },
    /// The source gave no bytes, and that was not to be stored.
    #[error("{what} is empty; nothing was stored")]
    EmptySource { what: String },
    /// A range beyond the end.
    #[error("{what} has {len} bytes; range {range} is beyond its end")]
    OutOfRange { what: String, range: String, len: u64 },
    /// A refusal: cannot be done this way, and what can be is in the text.
    #[error("{what}: {why}")]
    Unsupported { what: String, why: String },
    /// More than a format or S3 can hold.
    #[error("{what} is too large: {why}")]
    TooLarge { what: String, why: String },
    /// Something between here and the server takes no request of this size.
    #[error("{what}: a proxy refuses a request of this size (HTTP 413)")]
    ProxyLimit { what: String },
    /// The bucket lives elsewhere.
    #[error("{what} is in another region than the one asked{}", region_found(region.as_deref()))]
    WrongRegion { what: String, region: Option<String>, source: Option<Cause> },
    /// The network or the service gave up; the same command may work later.
    #[error("{what}: {why}")]
    Network { what: String, why: NetworkFault, source: Option<Cause> },
    /// This machine refused: a file, a folder, a command.
    #[error("{what}")]
    Local { what: String, source: io::Error },
    /// The command whose output was to be stored failed; nothing was stored.
    #[error("{what} failed ({status}); nothing was stored")]
    CommandFailed { what: String, status: String },
    /// The service answered with something that has no remedy of its own.
    #[error("{what}: the service answered {code}")]
    Service { what: String, code: String, source: Option<Cause> },
    /// A signal asked to stop.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
    /// The reader of standard output has left.
    #[error("the reader of standard output has left")]
    ReaderLeft,
}

/// Why access was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// No credentials were found anywhere.
    NoCredentials,
    /// The profile that was named is not there.
    NoProfile {
        /// The files that were searched.
        files: String,
    },
    /// The profile's session of IAM Identity Center (SSO) must be opened.
    SsoLogin,
    /// The credentials' session is over.
    Expired,
    /// The service does not know the access key.
    UnknownAccessKey,
    /// The secret key does not fit the access key.
    BadSignature,
    /// This machine's clock is too far from the service's.
    ClockSkew,
    /// The bucket refuses writes with SSE-C.
    SseCBlocked,
    /// KMS refuses an action.
    Kms {
        /// Such as `kms:GenerateDataKey`.
        action: String,
        /// The key's ARN, where the answer names it.
        key: Option<String>,
    },
    /// S3 refuses an action.
    Action {
        /// Such as `s3:PutObject`.
        action: String,
    },
    /// Credentials are configured, and could not be had.
    Credentials,
    /// Refused without a reason.
    Unexplained {
        /// What was tried, such as `s3:PutObject`.
        action: String,
    },
}

/// What kind of key an object needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyNeed {
    /// The customer key of SSE-C.
    Customer,
    /// A wrapping key of a client-side envelope; the text says which kind, and its fingerprint if recorded.
    Wrapping { kind: WrapKind, fingerprint: Option<String> },
}

/// The kinds of wrapping keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapKind {
    /// A raw AES key.
    Aes,
    /// An RSA key pair.
    Rsa,
    /// A key in AWS KMS.
    Kms,
    /// A passphrase.
    Passphrase,
}

/// Why the keys at hand are of no use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// SSE-C: S3 says that the key is not the object's.
    NotTheCustomerKey,
    /// None of several keys fits; how many were tried.
    NoneFits { tried: usize },
    /// The data key does not unwrap; the fingerprint that the object names, if any.
    DoesNotUnwrap { fingerprint: Option<String> },
    /// The data key does not unwrap with RSA-OAEP, and PKCS #1 v1.5 was not to be tried.
    DoesNotUnwrapWithOaep,
    /// A key was given for an object that is not encrypted with one.
    NotApplicable {
        /// How the object is encrypted, in words.
        found: String,
    },
    /// The KMS key is disabled.
    KmsDisabled { key: String },
    /// The KMS key is waiting to be deleted.
    KmsPendingDeletion { key: String },
    /// KMS knows no such key (in this region and account).
    KmsUnknown { key: String },
    /// The data key is wrapped with a KMS key of an account that is not allowed to choose.
    KmsAccount { key: KeyArn },
    /// The encryption context given is not the one the object was sealed with.
    Context,
    /// To try a passphrase would take more memory than is allowed; in bytes.
    CostlyPassphrase { asked: u64, allowed: u64 },
}

/// How the network gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// No connection could be made.
    Connect,
    /// The server's certificate is not trusted.
    Tls,
    /// The server's certificate is not valid at the time that this machine's clock shows.
    CertificateTime,
    /// The server answers something other than TLS.
    NotTls,
    /// No answer, or no further bytes, in time.
    Timeout,
    /// The connection broke.
    Broken,
    /// The service asked to slow down, and still did after all attempts.
    Throttled,
    /// The service failed on its side, each time.
    Unavailable,
}

/// The signals that end a transfer in good order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP.
    Hangup,
    /// SIGINT.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Error {
    /// The same once more, where a server did not do what was asked: that ends everything under way.
    #[must_use]
    pub fn ends_run(&self) -> Option<Self> {
        match self {
            Self::EnvelopeLost(lost) => Some(Self::EnvelopeLost(lost.clone())),
            Self::NotAsAsked { what, asked, got, stored, version_id } => {
                let (what, asked, got) = (what.clone(), asked.clone(), got.clone());
                Some(Self::NotAsAsked { what, asked, got, stored: *stored, version_id: version_id.clone() })
            }
            _ => None,
        }
    }

    /// The same for an object that comes after the one that has shown it: nothing of that is stored.
    #[must_use]
    pub fn of_later(mut self) -> Self {
        match &mut self {
            Self::NotAsAsked { stored, version_id, .. } => (*stored, *version_id) = (false, None),
            Self::EnvelopeLost(lost) => (lost.stored, lost.version_id) = (false, None),
            _ => {}
        }
        self
    }

    /// Whether nothing of the object that it is about was stored, because another one has shown what the server does.
    #[must_use]
    pub fn is_of_later(&self) -> bool {
        match self {
            Self::NotAsAsked { stored, .. } => !stored,
            Self::EnvelopeLost(lost) => !lost.stored,
            _ => false,
        }
    }

    /// Makes the error of a failed action on this machine.
    pub fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Local { what, source }
    }

    /// Makes the error of data that does not hold.
    pub fn tampered(what: impl fmt::Display, why: impl Into<String>) -> Self {
        Self::Tampered { what: what.to_string(), why: why.into(), source: None }
    }

    /// Makes the error of an answer that says too little or something else.
    pub fn not_understood(what: impl fmt::Display, why: impl Into<String>) -> Self {
        Self::NotUnderstood { what: what.to_string(), why: why.into(), source: None }
    }
}

fn denied(what: &str, why: &Denial) -> String {
    match why {
        Denial::NoCredentials => format!("no AWS credentials were found for {what}"),
        Denial::NoProfile { files } => format!("{what} was not found in {files}"),
        Denial::SsoLogin => format!("the AWS credentials for {what} need an SSO login"),
        Denial::Expired => format!("the AWS credentials for {what} have expired"),
        Denial::UnknownAccessKey => format!("the access key used for {what} is not known to the service"),
        Denial::BadSignature => format!("the secret access key used for {what} does not fit its access key"),
        Denial::ClockSkew => format!("{what} was refused: this machine's clock is off"),
        Denial::SseCBlocked => format!("{what} was refused: the bucket blocks SSE-C"),
        Denial::Kms { action, key: Some(key) } => {
            format!("{what} was refused: AWS KMS denies {action} on {key}")
        }
        Denial::Kms { action, key: None } => format!("{what} was refused: AWS KMS denies {action}"),
        Denial::Action { action } => format!("access to {what} is denied: {action} is not allowed"),
        Denial::Credentials => format!("the AWS credentials for {what} could not be loaded"),
        Denial::Unexplained { action } => format!("access to {what} is denied ({action})"),
    }
}

/// KMS keys serve for writing as well, where nothing is opened.
fn wrong(what: &str, why: &KeyFault) -> String {
    match why {
        KeyFault::KmsDisabled { .. } | KeyFault::KmsPendingDeletion { .. } | KeyFault::KmsUnknown { .. } => {
            format!("{what}: {why}")
        }
        _ => format!("cannot open {what}: {why}"),
    }
}

fn region_found(region: Option<&str>) -> String {
    region.map_or_else(String::new, |name| format!(": {name}"))
}

impl fmt::Display for KeyNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("is encrypted with SSE-C and needs its key"),
            Self::Wrapping { kind, fingerprint } => {
                write!(f, "is encrypted client-side and needs {kind}")?;
                match fingerprint {
                    Some(print) => write!(f, " (fingerprint {print})"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for WrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes => "an AES key",
            Self::Rsa => "an RSA private key",
            Self::Kms => "a KMS key",
            Self::Passphrase => "a passphrase",
        })
    }
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotTheCustomerKey => f.write_str("the key given is not the one it was encrypted with"),
            Self::NoneFits { tried } => write!(f, "none of the {tried} keys given fits"),
            Self::DoesNotUnwrap { fingerprint: None } => {
                f.write_str("the data key does not unwrap with the key given")
            }
            Self::DoesNotUnwrap { fingerprint: Some(print) } => {
                write!(f, "the data key does not unwrap with the key given; the object names key {print}")
            }
            Self::DoesNotUnwrapWithOaep => {
                f.write_str("wrong private key, or a data key wrapped with RSA PKCS #1 v1.5")
            }
            Self::NotApplicable { found } => write!(f, "a key was given, but the object is {found}"),
            Self::KmsDisabled { key } => write!(f, "the KMS key {key} is disabled"),
            Self::KmsPendingDeletion { key } => write!(f, "the KMS key {key} is pending deletion"),
            Self::KmsUnknown { key } => write!(f, "AWS KMS knows no key {key}"),
            Self::KmsAccount { key } => {
                write!(f, "its data key is wrapped with {key}, a KMS key of an account that is not allowed")
            }
            Self::Context => f.write_str("the encryption context given is not the object's"),
            Self::CostlyPassphrase { asked, allowed } => write!(
                f,
                "its key derivation asks for {} of memory, and {} is allowed",
                ByteSize(*asked),
                ByteSize(*allowed)
            ),
        }
    }
}

impl fmt::Display for NetworkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Tls => "the server's certificate is not trusted",
            Self::CertificateTime => "the server's certificate has expired, or is not valid yet",
            Self::NotTls => "the server does not speak TLS at this port",
            Self::Timeout => "the server did not answer in time",
            Self::Broken => "the connection broke",
            Self::Throttled => "the service still asks to slow down",
            Self::Unavailable => "the service failed each time",
        })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}
