//! Reasons that hints act upon, by the kind of error that they belong to.

#![expect(missing_docs, reason = "fields of variants say it by their names; variants are documented")]

use std::fmt;

use crate::byte_size::ByteSize;
use crate::encryption::KeyArn;

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
    /// The service does not accept the session token.
    BadToken,
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
    /// An attribute of the object cannot be read, and would be lost.
    Attribute {
        /// The word for it.
        loss: &'static str,
        /// Such as `s3:GetObjectAcl`.
        action: &'static str,
        /// What cannot be read, and all else that would be lost.
        why: String,
    },
    /// Credentials are configured, and could not be had.
    Credentials,
    /// Refused without a reason.
    Unexplained {
        /// What was tried, such as `s3:PutObject`.
        action: String,
    },
}

impl Denial {
    /// Whether it is about who asks, and not about what that one may do.
    pub(crate) fn is_about_credentials(&self) -> bool {
        matches!(
            self,
            Self::NoCredentials
                | Self::NoProfile { .. }
                | Self::SsoLogin
                | Self::Credentials
                | Self::Expired
                | Self::UnknownAccessKey
                | Self::BadSignature
                | Self::BadToken
        )
    }
}

/// In what an object is not as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aspect {
    /// Its server-side encryption.
    Encryption,
    /// Its Object Lock.
    Lock,
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encryption => "encrypted",
            Self::Lock => "locked",
        })
    }
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
    /// The KMS key has no key material yet.
    KmsPendingImport { key: String },
    /// KMS knows no such key (in this region and account).
    KmsUnknown { key: String },
    /// The data key is wrapped with a KMS key of an account that is not allowed to choose.
    KmsAccount { key: KeyArn },
    /// The encryption context given is not the one the object was encrypted with.
    Context,
    /// To try a passphrase would take more memory than is allowed; in bytes.
    CostlyPassphrase { asked: u64, allowed: u64 },
}

impl KeyFault {
    /// Whether a KMS key is of no use to anybody, whatever is to be done with it.
    pub(crate) fn is_about_kms_key(&self) -> bool {
        matches!(
            self,
            Self::KmsDisabled { .. }
                | Self::KmsPendingDeletion { .. }
                | Self::KmsPendingImport { .. }
                | Self::KmsUnknown { .. }
        )
    }
}

/// How the network gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// No connection could be made.
    Connect,
    /// The server's certificate is not trusted.
    Tls,
    /// There is no certificate on this system by which a server could be trusted.
    NoCaCertificates,
    /// The server's certificate is not valid at the time that this machine's clock shows.
    CertificateTime,
    /// The server takes none of the TLS versions, cipher suites and key exchanges that it was offered.
    TlsParameters,
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

impl NetworkFault {
    /// Whether the server did not prove over TLS who it is: another attempt would end in the same way.
    pub(crate) fn is_about_trust(self) -> bool {
        matches!(
            self,
            Self::Tls | Self::NoCaCertificates | Self::CertificateTime | Self::TlsParameters | Self::NotTls
        )
    }
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
            Self::DoesNotUnwrap { fingerprint: None } => f.write_str("wrong key or passphrase"),
            Self::DoesNotUnwrap { fingerprint: Some(print) } => {
                write!(f, "wrong key or passphrase; the object names key {print}")
            }
            Self::DoesNotUnwrapWithOaep => {
                f.write_str("wrong private key, or a data key wrapped with RSA PKCS #1 v1.5")
            }
            Self::NotApplicable { found } => write!(f, "a key was given, but the object is {found}"),
            Self::KmsDisabled { key } => write!(f, "the KMS key {key} is disabled"),
            Self::KmsPendingDeletion { key } => write!(f, "the KMS key {key} is pending deletion"),
            Self::KmsPendingImport { key } => write!(f, "the KMS key {key} has no key material yet"),
            Self::KmsUnknown { key } => write!(f, "AWS KMS does not know the key {key}"),
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
            Self::NoCaCertificates => "no CA certificates were found on this system",
            Self::CertificateTime => "the server's certificate has expired, or is not valid yet",
            Self::TlsParameters => {
                "the server takes none of the TLS versions, cipher suites and key exchanges offered"
            }
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
