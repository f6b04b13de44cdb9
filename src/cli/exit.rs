//! The exit codes: few, stable, and grouped by what a script would do about them.
//!
//! The table in the man page is generated from here, so the two cannot diverge. Error messages are not worded here.

use std::io;
use std::process::ExitCode;

use crate::error::{Error, Signal, Subject};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done and checked.
    Done,
    /// Failed in a way that has no code of its own.
    Failed,
    /// Invalid command line, or an unsupported request.
    Usage,
    /// Something named does not exist.
    NotFound,
    /// Access denied by S3 or KMS, or no credentials.
    Denied,
    /// Key missing, wrong or disabled.
    Key,
    /// Data or an answer that cannot be trusted.
    Untrusted,
    /// Network error.
    Network,
    /// A condition does not hold.
    Condition,
    /// Some of many failed.
    Some,
    /// SIGHUP.
    Hangup,
    /// SIGINT.
    Interrupt,
    /// SIGPIPE: nobody reads standard output any more.
    ReaderLeft,
    /// SIGTERM.
    Terminate,
}

impl Exit {
    pub(crate) const ALL: [Self; 14] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Denied,
        Self::Key,
        Self::Untrusted,
        Self::Network,
        Self::Condition,
        Self::Some,
        Self::Hangup,
        Self::Interrupt,
        Self::ReaderLeft,
        Self::Terminate,
    ];

    /// The number; from a signal, 128 and the signal's number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Denied => 4,
            Self::Key => 5,
            Self::Untrusted => 6,
            Self::Network => 7,
            Self::Condition => 8,
            Self::Some => 9,
            Self::Hangup => 129,
            Self::Interrupt => 130,
            Self::ReaderLeft => 141,
            Self::Terminate => 143,
        }
    }

    /// The description in the table of exit codes.
    pub(crate) fn when(self) -> &'static str {
        match self {
            Self::Done => "Done and checked.",
            Self::Failed => "Anything else.",
            Self::Usage => "Usage: invalid command line or configuration file, or an unsupported request.",
            Self::NotFound => "No such object, bucket or file; nothing found.",
            Self::Denied => "Credentials missing, or access denied (by S3 or KMS).",
            Self::Key => "Key missing, wrong or disabled.",
            Self::Untrusted => {
                "Data or server not trusted: wrong tag, commitment, checksum, length or certificate, or an answer that is \
                 not as requested or not understood; no file was written, and what was stored is named."
            }
            Self::Network => "Network error; the same command tries again, and continues where it can.",
            Self::Condition => {
                "A condition does not hold: the target exists, the object has changed or is not in the mode \
                 expected, a rule is not met, the source is empty, its upload was aborted by somebody else, or another \
                 run is in progress."
            }
            Self::Some => "Some of many objects failed; each one is named, by `inspect -q` the first 1,000.",
            Self::Hangup => {
                "SIGHUP: what the same command can go on with is kept, and named; other uploads were aborted, or what is \
                 left is named with the command that removes it, and other temporary files are removed."
            }
            Self::Interrupt => "SIGINT: as above.",
            Self::ReaderLeft => "Standard output was closed by its reader.",
            Self::Terminate => "SIGTERM: as above.",
        }
    }

    /// The code for an error of the core.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Denied { .. } => Self::Denied,
            Error::KeyNeeded { .. } | Error::KeyWrong { .. } => Self::Key,
            Error::Tampered { .. }
            | Error::OtherName { .. }
            | Error::NotUnderstood { .. }
            | Error::AlteredInTransit { .. }
            | Error::NotAsAsked { .. }
            | Error::EnvelopeLost(_) => Self::Untrusted,
            Error::Network { why, .. } if why.is_about_trust() => Self::Untrusted,
            Error::NotFound { subject: Subject::Upload(_), .. }
            | Error::TargetExists { .. }
            | Error::Changed { .. }
            | Error::InUse { .. }
            | Error::NotAsExpected { .. }
            | Error::BreaksRule { .. }
            | Error::DeletesTooMuch { .. }
            | Error::NoBoundName { .. }
            | Error::EmptySource { .. } => Self::Condition,
            Error::NotFound { .. } | Error::NoneMatch { .. } => Self::NotFound,
            Error::Unsupported { .. } => Self::Usage,
            Error::Network { .. } => Self::Network,
            Error::Local { source, .. } if source.kind() == io::ErrorKind::NotFound => Self::NotFound,
            Error::SourceChanged { .. }
            | Error::OutOfRange { .. }
            | Error::TooLarge { .. }
            | Error::ProxyLimit { .. }
            | Error::WrongRegion { .. }
            | Error::Local { .. }
            | Error::CommandFailed { .. }
            | Error::Service { .. } => Self::Failed,
            Error::Interrupted(signal) => (*signal).into(),
            Error::ReaderLeft => Self::ReaderLeft,
        }
    }
}

impl From<Signal> for Exit {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Hangup => Self::Hangup,
            Signal::Interrupt => Self::Interrupt,
            Signal::Terminate => Self::Terminate,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Aspect, Denial, KeyFault, KeyNeed, NetworkFault, Subject};
    use crate::location::S3Uri;

    fn subject() -> Subject {
        (&"s3://bkt/k".parse::<S3Uri>().unwrap()).into()
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        // The table that users were promised; a change here breaks their scripts.
        let table = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 129, 130, 141, 143];
        assert_eq!(Exit::ALL.map(Exit::code), table);
    }

    #[test]
    fn every_error_has_the_code_of_its_remedy() {
        let local = |kind: io::ErrorKind| Error::local("read", subject())(kind.into());
        let table = [
            (Error::NotFound { subject: subject(), source: None }, 3),
            (Error::Denied { subject: subject(), why: Denial::NoCredentials, source: None }, 4),
            (Error::Denied { subject: subject(), why: Denial::SseCBlocked, source: None }, 4),
            (Error::KeyNeeded { subject: subject(), need: KeyNeed::Customer }, 5),
            (Error::KeyWrong { subject: subject(), why: KeyFault::NotTheCustomerKey, source: None }, 5),
            (Error::tampered("s3://bkt/k", "the tag does not hold"), 6),
            (Error::not_understood("s3://bkt/k", "it is empty"), 6),
            (Error::AlteredInTransit { subject: subject(), source: None }, 6),
            (Error::ProxyLimit { subject: subject() }, 1),
            (Error::Network { subject: subject(), why: NetworkFault::Tls, source: None }, 6),
            (Error::Network { subject: subject(), why: NetworkFault::NoCaCertificates, source: None }, 6),
            (Error::Network { subject: subject(), why: NetworkFault::CertificateTime, source: None }, 6),
            (Error::Network { subject: subject(), why: NetworkFault::TlsParameters, source: None }, 6),
            (Error::Network { subject: subject(), why: NetworkFault::NotTls, source: None }, 6),
            (
                Error::NotAsAsked {
                    subject: subject(),
                    aspect: Aspect::Encryption,
                    asked: "SSE-KMS".to_owned(),
                    got: "SSE-S3".to_owned(),
                    stored: true,
                    version_id: None,
                },
                6,
            ),
            (Error::SourceChanged { subject: subject(), why: "it grew".to_owned() }, 1),
            (Error::TargetExists { subject: subject() }, 8),
            (
                Error::NotAsExpected {
                    subject: subject(),
                    expected: "SSE-KMS".to_owned(),
                    found: "SSE-S3".to_owned(),
                },
                8,
            ),
            (
                Error::BreaksRule {
                    subject: subject(),
                    demander: "the rule at /etc/c:1".to_owned(),
                    demanded: "SSE-KMS".to_owned(),
                    found: "SSE-S3".to_owned(),
                },
                8,
            ),
            (Error::EmptySource { subject: subject() }, 8),
            (Error::DeletesTooMuch { subject: subject(), deletes: 2, all: 3, max: "50%".to_owned() }, 8),
            (Error::Changed { subject: subject(), source: None }, 8),
            (Error::InUse { subject: subject() }, 8),
            (Error::OutOfRange { subject: subject(), range: "9-".to_owned(), len: 3 }, 1),
            (Error::unsupported(subject(), "no"), 2),
            (Error::too_large(subject(), "no"), 1),
            (Error::WrongRegion { subject: subject(), region: None, asked: None, source: None }, 1),
            (Error::Network { subject: subject(), why: NetworkFault::Timeout, source: None }, 7),
            (local(io::ErrorKind::NotFound), 3),
            (local(io::ErrorKind::StorageFull), 1),
            (Error::CommandFailed { subject: subject(), status: "exit status: 1".to_owned() }, 1),
            (Error::Service { subject: subject(), code: "Odd".to_owned(), source: None }, 1),
            (Error::Interrupted(Signal::Hangup), 129),
            (Error::Interrupted(Signal::Interrupt), 130),
            (Error::Interrupted(Signal::Terminate), 143),
            (Error::ReaderLeft, 141),
        ];
        for (error, code) in table {
            assert_eq!(Exit::of(&error).code(), code, "{error}");
        }
    }
}
