//! What `doctor` says of one thing that it looked at: how it stands, what was seen, and what mends it.
//!
//! Commands and flags that mend something are worded in `cli`; here a remedy is what it is for.

use crate::error::Error;
use crate::location::{Bucket, S3Uri};

/// One thing that was looked at.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: Name,
    pub(crate) state: State,
    /// What was seen, in a few words.
    pub(crate) seen: String,
    /// What mends it, in addition to what helps with the error of a failed check.
    pub(crate) remedies: Vec<Remedy>,
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// The rules of the configuration files.
    Rule,
    Credentials,
    Clock,
    /// The address of S3.
    Address,
    Tls,
    KeyExchange,
    Certificate,
    Proxy,
    Bucket,
    Owner,
    DefaultEncryption,
    SseC,
    Versioning,
    ObjectLock,
    /// Whether the bucket's policy denies requests without TLS.
    PlainHttp,
    /// What else the bucket's policy says.
    Policy,
    IncompleteUploads,
    KmsKey,
    KmsPermissions,
    /// A key of this machine.
    Key,
    PassphraseMemory,
    /// Whether the keys of this machine open what is there.
    NewestObject,
    Leftovers,
    /// An action that the verb takes.
    Permission,
    WriteTest,
}

impl Name {
    /// The word in documents; the heading has blanks for its underscores.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Credentials => "credentials",
            Self::Clock => "clock",
            Self::Address => "address",
            Self::Tls => "tls",
            Self::KeyExchange => "key_exchange",
            Self::Certificate => "certificate",
            Self::Proxy => "proxy",
            Self::Bucket => "bucket",
            Self::Owner => "owner",
            Self::DefaultEncryption => "default_encryption",
            Self::SseC => "sse_c",
            Self::Versioning => "versioning",
            Self::ObjectLock => "object_lock",
            Self::PlainHttp => "plain_http",
            Self::Policy => "policy",
            Self::IncompleteUploads => "incomplete_uploads",
            Self::KmsKey => "kms_key",
            Self::KmsPermissions => "kms_permissions",
            Self::Key => "key",
            Self::PassphraseMemory => "passphrase_memory",
            Self::NewestObject => "newest_object",
            Self::Leftovers => "leftovers",
            Self::Permission => "permission",
            Self::WriteTest => "write_test",
        }
    }
}

/// How it stands.
#[derive(Debug)]
pub(crate) enum State {
    Ok,
    /// The verb works in spite of it, or it is not known.
    Warning,
    /// The verb will not work.
    Failed(Problem),
}

/// What the verb would end with, which gives the exit code.
#[derive(Debug)]
pub(crate) enum Problem {
    Error(Box<Error>),
    /// Access would be denied.
    Denied,
    /// A key is of no use.
    Key,
}

/// What mends something.
#[derive(Debug)]
pub(crate) enum Remedy {
    /// What helps with this error, of a check that has not failed for it.
    For(Box<Error>),
    /// A statement in a policy that allows an action.
    Allow {
        action: &'static str,
        /// The ARN; `None` of a KMS key whose ARN is not known.
        resource: Option<String>,
    },
    /// Removal of what broken runs left at a place.
    CleanUp(S3Uri),
    /// A lifecycle rule that aborts incomplete uploads.
    AbortUploads(Bucket),
    /// Versioning.
    KeepVersions(Bucket),
    /// A statement in the policy of the bucket with this ARN.
    DenyPlainHttp(String),
    /// The test that writes an object.
    WriteTest,
    /// The private key of a public one, for the same test.
    PrivateKey,
    SetClock,
    /// The ARN that a key of several regions has in the bucket's.
    Replica(String),
    /// S3 may be allowed what the user is not.
    ViaService,
    /// An object whose envelope says more.
    Inspect(S3Uri),
    MoreMemory,
    /// What the command line says where a key cannot be used.
    Advice(String),
    /// The account that is meant to own the bucket.
    NameOwner,
    /// Another bucket, or another account to demand.
    CheckOwner,
}

impl Check {
    pub(crate) fn ok(name: Name, seen: impl Into<String>) -> Self {
        Self { name, state: State::Ok, seen: seen.into(), remedies: Vec::new() }
    }

    pub(crate) fn warning(name: Name, seen: impl Into<String>) -> Self {
        Self { name, state: State::Warning, seen: seen.into(), remedies: Vec::new() }
    }

    pub(crate) fn failed(name: Name, problem: Problem, seen: impl Into<String>) -> Self {
        Self { name, state: State::Failed(problem), seen: seen.into(), remedies: Vec::new() }
    }

    /// A check that failed with the error that the verb would end with.
    pub(crate) fn error(name: Name, error: Error) -> Self {
        let seen = error.to_string();
        Self::failed(name, Problem::Error(Box::new(error)), seen)
    }

    /// A question that was not answered, which says nothing about the verb.
    pub(crate) fn unanswered(name: Name, question: &str, error: Error) -> Self {
        let check = Self::warning(name, format!("this server does not answer {question}: {error}"));
        check.mended_by(Remedy::For(Box::new(error)))
    }

    pub(crate) fn is_failed(&self) -> bool {
        matches!(self.state, State::Failed(_))
    }

    pub(crate) fn mended_by(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }
}
