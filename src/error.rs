//! What can go wrong, sorted by what the user can do about it.
//!
//! One enum for the whole core: `cli::hints` and `cli::exit` look up hints and exit codes from it, so neither stands here.
//! `Display` is one lower-case line without its cause; causes are the chain of [`std::error::Error::source`].

#![expect(missing_docs, reason = "fields of variants say it by their names; variants are documented")]

use std::fmt::Display;
use std::io;

mod lost;
mod reason;
mod rotation_refusal;
mod subject;
mod unsupported;

pub use lost::LostEnvelope;
pub use reason::{Aspect, Denial, KeyFault, KeyNeed, NetworkFault, Signal, WrapKind};
pub use rotation_refusal::RotationRefusal;
pub use subject::Subject;
pub use unsupported::{SizeLimit, Unsupported};

/// The core's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whatever lies behind an error, for the chain of causes.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An error by remedy; `subject` is what it is about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such object, version, bucket or file.
    #[error("{}", not_found(subject))]
    NotFound { subject: Subject, source: Option<Cause> },
    /// Credentials are missing or not good enough.
    #[error("{}", denied(subject, why))]
    Denied { subject: Subject, why: Denial, source: Option<Cause> },
    /// A key is needed and none was given.
    #[error("{subject} {need}")]
    KeyNeeded { subject: Subject, need: KeyNeed },
    /// A key was given, and it is not the one, or is of no use.
    #[error("{}", wrong(subject, why))]
    KeyWrong { subject: Subject, why: KeyFault, source: Option<Cause> },
    /// The bytes or the answer are not to be trusted.
    #[error("{subject} cannot be trusted: {why}")]
    Tampered { subject: Subject, why: String, source: Option<Cause> },
    /// The answer is not one of S3's or KMS's: another document than the one expected, a web page, a redirect, or too much.
    #[error("{subject}: the server sent an answer that was not understood: {why}")]
    NotUnderstood { subject: Subject, why: String, source: Option<Cause> },
    /// S3 received other bytes than were sent.
    #[error("{subject}: S3 received other bytes than were sent; nothing was stored")]
    AlteredInTransit { subject: Subject, source: Option<Cause> },
    /// The object is bound to another name than the one it has.
    #[error("{subject} cannot be trusted: it is bound to the name {bound}")]
    OtherName { subject: Subject, bound: String },
    /// The object is bound to no name, and it was required to be.
    #[error("{subject} is not bound to its name")]
    NoBoundName { subject: Subject },
    /// S3 stored the object otherwise than asked.
    #[error("{subject} is not {aspect} as asked: asked for {asked}, the answer says {got}")]
    NotAsAsked {
        subject: Subject,
        aspect: Aspect,
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
    #[error("{subject} changed while it was being read: {why}")]
    SourceChanged { subject: Subject, why: String },
    /// The target exists and must not be replaced.
    #[error("{subject} already exists")]
    TargetExists { subject: Subject },
    /// The object is no longer the one seen or named.
    #[error("{subject} is not the object expected: it has changed")]
    Changed { subject: Subject, source: Option<Cause> },
    /// Another run of this program is working on the same.
    #[error("{subject} is locked by another run")]
    InUse { subject: Subject },
    /// The object is not encrypted in the mode that was required.
    #[error("{subject} is not {expected} but {found}")]
    NotAsExpected { subject: Subject, expected: String, found: String },
    /// A rule of a configuration file demands another encryption.
    #[error("{subject}: {demander} demands {demanded}, not {found}")]
    BreaksRule { subject: Subject, demander: String, demanded: String, found: String },
    /// The source gave no bytes, and that was not to be stored.
    #[error("{subject} is empty; nothing was stored")]
    EmptySource { subject: Subject },
    /// Of the files or objects that could be meant, the filters take none.
    #[error("{}", none_match(*found, what, under, filter))]
    NoneMatch { found: u64, what: &'static str, under: String, filter: String },
    /// More would be deleted than is allowed.
    #[error(
        "{deletes} of {all} below {subject} would be deleted, and at most {max} may be; nothing was done"
    )]
    DeletesTooMuch { subject: Subject, deletes: u64, all: u64, max: String },
    /// A range beyond the end.
    #[error("{subject} has {len} bytes; range {range} is beyond its end")]
    OutOfRange { subject: Subject, range: String, len: u64 },
    /// It cannot be done this way.
    #[error("{subject}: {why}")]
    Unsupported { subject: Subject, why: Unsupported },
    /// More than a format or S3 can hold.
    #[error("{subject} is too large: {why}")]
    TooLarge { subject: Subject, why: SizeLimit },
    /// Something between here and the server takes no request of this size.
    #[error("{subject}: a proxy refuses a request of this size (HTTP 413)")]
    ProxyLimit { subject: Subject },
    /// The bucket is in another region than the one that was asked, as far as both are known.
    #[error("{subject} {}", region_found(region.as_deref(), asked.as_deref()))]
    WrongRegion { subject: Subject, region: Option<String>, asked: Option<String>, source: Option<Cause> },
    /// The network or the service gave up; the same command may work later.
    #[error("{subject}: {why}")]
    Network { subject: Subject, why: NetworkFault, source: Option<Cause> },
    /// This machine refused: a file, a folder, a command.
    #[error("cannot {action} {subject}")]
    Local { action: &'static str, subject: Subject, source: io::Error },
    /// The command whose output was to be stored failed; nothing was stored.
    #[error("{subject} failed ({status}); nothing was stored")]
    CommandFailed { subject: Subject, status: String },
    /// The service answered with something that has no remedy of its own.
    #[error("{subject}: the service answered {code}")]
    Service { subject: Subject, code: String, source: Option<Cause> },
    /// A signal asked to stop.
    #[error("interrupted by {0}")]
    Interrupted(Signal),
    /// The reader of standard output has left.
    #[error("the reader of standard output has left")]
    ReaderLeft,
}

impl Error {
    /// The same once more, where a server did not do what was asked: that ends everything under way.
    pub(crate) fn ends_run(&self) -> Option<Self> {
        match self {
            Self::EnvelopeLost(lost) => Some(Self::EnvelopeLost(lost.clone())),
            Self::NotAsAsked { subject, aspect, asked, got, stored, version_id } => {
                let (subject, asked, got) = (subject.clone(), asked.clone(), got.clone());
                Some(Self::NotAsAsked {
                    subject,
                    aspect: *aspect,
                    asked,
                    got,
                    stored: *stored,
                    version_id: version_id.clone(),
                })
            }
            _ => None,
        }
    }

    /// The same for an object that comes after the one that has shown it: nothing of that is stored.
    pub(crate) fn of_later(mut self) -> Self {
        match &mut self {
            Self::NotAsAsked { stored, version_id, .. } => (*stored, *version_id) = (false, None),
            Self::EnvelopeLost(lost) => (lost.stored, lost.version_id) = (false, None),
            _ => {}
        }
        self
    }

    /// Whether nothing of the object that it is about was stored, because another one has shown what the server does.
    pub(crate) fn is_of_later(&self) -> bool {
        match self {
            Self::NotAsAsked { stored, .. } => !stored,
            Self::EnvelopeLost(lost) => !lost.stored,
            _ => false,
        }
    }

    /// Whether an object stays hidden because it needs an SSE-C key that was not given.
    pub(crate) fn is_about_customer_key(&self) -> bool {
        matches!(
            self,
            Self::KeyNeeded { need: KeyNeed::Customer, .. }
                | Self::KeyWrong { why: KeyFault::NotTheCustomerKey | KeyFault::NoneFits { .. }, .. }
        )
    }

    /// What it is about, where that is one thing.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        match self {
            Self::NotFound { subject, .. }
            | Self::Denied { subject, .. }
            | Self::KeyNeeded { subject, .. }
            | Self::KeyWrong { subject, .. }
            | Self::Tampered { subject, .. }
            | Self::NotUnderstood { subject, .. }
            | Self::AlteredInTransit { subject, .. }
            | Self::OtherName { subject, .. }
            | Self::NoBoundName { subject }
            | Self::NotAsAsked { subject, .. }
            | Self::SourceChanged { subject, .. }
            | Self::TargetExists { subject }
            | Self::Changed { subject, .. }
            | Self::InUse { subject }
            | Self::NotAsExpected { subject, .. }
            | Self::BreaksRule { subject, .. }
            | Self::EmptySource { subject }
            | Self::OutOfRange { subject, .. }
            | Self::Unsupported { subject, .. }
            | Self::TooLarge { subject, .. }
            | Self::ProxyLimit { subject }
            | Self::WrongRegion { subject, .. }
            | Self::Network { subject, .. }
            | Self::Local { subject, .. }
            | Self::CommandFailed { subject, .. }
            | Self::Service { subject, .. } => Some(subject),
            Self::EnvelopeLost(_)
            | Self::NoneMatch { .. }
            | Self::DeletesTooMuch { .. }
            | Self::Interrupted(_)
            | Self::ReaderLeft => None,
        }
    }

    /// Whether its text names this object or file, so that no other text needs to.
    pub(crate) fn names(&self, name: &str, version_id: Option<&str>) -> bool {
        match self {
            Self::EnvelopeLost(lost) => lost.uri.to_string() == name,
            _ => self.subject().is_some_and(|subject| subject.is(name, version_id)),
        }
    }

    /// Makes the error of a failed action on this machine.
    pub fn local(action: &'static str, subject: impl Into<Subject>) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.into();
        move |source| Self::Local { action, subject, source }
    }

    /// Makes the error of an operating system that provides no random numbers.
    pub(crate) fn no_random_numbers(error: impl Display) -> Self {
        Self::local("read", "random numbers of the system")(io::Error::other(error.to_string()))
    }

    /// Makes the error of standard output, or of a file, that could not be written: a pipe may have lost its reader.
    pub(crate) fn not_written(subject: &Subject) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.clone();
        let action = if subject == Subject::StandardOutput { "write to" } else { "write" };
        move |error| match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderLeft,
            _ => Self::local(action, subject)(error),
        }
    }

    /// Makes the error of a file or program that cannot be opened: one that is missing is `NotFound`.
    pub(crate) fn not_opened(subject: &Subject) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.clone();
        move |error| match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { subject, source: Some(error.into()) },
            _ => Self::local("open", subject)(error),
        }
    }

    /// Makes the error of data that does not hold.
    pub fn tampered(subject: impl Into<Subject>, why: impl Into<String>) -> Self {
        Self::Tampered { subject: subject.into(), why: why.into(), source: None }
    }

    /// Makes the error of what cannot be done this way.
    pub(crate) fn unsupported(subject: impl Into<Subject>, why: impl Into<Unsupported>) -> Self {
        Self::Unsupported { subject: subject.into(), why: why.into() }
    }

    /// Makes the error of more than can be held.
    pub(crate) fn too_large(subject: impl Into<Subject>, why: impl Into<SizeLimit>) -> Self {
        Self::TooLarge { subject: subject.into(), why: why.into() }
    }

    /// Makes the error of an answer that says too little or something else.
    pub fn not_understood(subject: impl Into<Subject>, why: impl Into<String>) -> Self {
        Self::NotUnderstood { subject: subject.into(), why: why.into(), source: None }
    }
}

fn not_found(subject: &Subject) -> String {
    match subject {
        Subject::Prefix(uri) => format!("nothing found under {uri}"),
        Subject::Pattern(uri) => format!("no object matches {uri}"),
        Subject::Upload(uri) => format!("somebody else has aborted the upload of {uri}; nothing was stored"),
        Subject::Program(name) => format!("command not found: {name}"),
        other => format!("{other} does not exist"),
    }
}

fn none_match(found: u64, what: &str, under: &str, filter: &str) -> String {
    match found {
        0 => format!("no {what}s under {under}"),
        1 => format!("1 {what}, which does not match {filter}"),
        _ => format!("{found} {what}s, none match {filter}"),
    }
}

fn denied(subject: &Subject, why: &Denial) -> String {
    match why {
        Denial::NoCredentials => format!("no AWS credentials were found for {subject}"),
        Denial::NoProfile { files } => format!("{subject} was not found in {files}"),
        Denial::SsoLogin => format!("the AWS credentials for {subject} need an SSO login"),
        Denial::Expired => format!("the AWS credentials for {subject} have expired"),
        Denial::UnknownAccessKey => format!("the access key used for {subject} is not known to the service"),
        Denial::BadToken => format!("the session token used for {subject} is not one that the service takes"),
        Denial::BadSignature => {
            format!("the secret access key used for {subject} does not match its access key")
        }
        Denial::ClockSkew => format!("{subject} was refused: this machine's clock is off"),
        Denial::SseCBlocked if matches!(subject, Subject::Bucket(_)) => format!("{subject} blocks SSE-C"),
        Denial::SseCBlocked => format!("{subject} was refused: the bucket blocks SSE-C"),
        Denial::Kms { action, key: Some(key) } => {
            format!("{subject} was refused: AWS KMS denies {action} on {key}")
        }
        Denial::Kms { action, key: None } => format!("{subject} was refused: AWS KMS denies {action}"),
        Denial::Action { action } => format!("access to {subject} is denied: {action} is not allowed"),
        Denial::Attribute { why, .. } => format!("{subject} was not changed: {why}"),
        Denial::Credentials => format!("the AWS credentials for {subject} could not be loaded"),
        Denial::Unexplained { action } => format!("access to {subject} is denied ({action})"),
    }
}

/// KMS keys serve for writing as well, where nothing is opened.
fn wrong(subject: &Subject, why: &KeyFault) -> String {
    if why.is_about_kms_key() { format!("{subject}: {why}") } else { format!("cannot open {subject}: {why}") }
}

fn region_found(region: Option<&str>, asked: Option<&str>) -> String {
    match (region, asked) {
        (Some(region), Some(asked)) => format!("is in region {region}, not {asked}"),
        (Some(region), None) => format!("is in region {region}"),
        (None, Some(asked)) => format!("is not in region {asked}"),
        (None, None) => "is in another region".to_owned(),
    }
}
