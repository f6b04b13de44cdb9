//! What an error is about, typed: hints match on it and print commands for it, and nobody parses a message.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::encryption::KmsKey;
use crate::location::{Bucket, S3Uri, Source, Target};

/// The thing that an error is about. `Display` is its name in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An object, or one version of it.
    Object {
        /// Where it is.
        uri: Box<S3Uri>,
        /// None is the current version.
        version_id: Option<String>,
    },
    /// Everything under a prefix; an empty key is the whole bucket.
    Prefix(Box<S3Uri>),
    /// The objects whose keys match that of this address.
    Pattern(Box<S3Uri>),
    /// The upload of an object in parts.
    Upload(Box<S3Uri>),
    /// A bucket and its settings.
    Bucket(Bucket),
    /// The instruction file at this address.
    InstructionFile(Box<S3Uri>),
    /// A KMS key as the user or an answer names it.
    KmsKey(KmsKey),
    /// An answer of AWS KMS.
    Kms,
    /// The S3 server.
    Server,
    /// A profile of the AWS configuration files.
    Profile(String),
    /// A file.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// The certificates to trust.
    CaBundle(PathBuf),
    /// The journal of a rotation.
    Journal(PathBuf),
    /// Standard input.
    StandardInput,
    /// Standard output.
    StandardOutput,
    /// The output of a command, with its arguments.
    CommandOutput(String),
    /// A program to start.
    Program(String),
    /// Anything that no hint has a command for.
    Other(Cow<'static, str>),
}

impl Subject {
    /// One version of an object; none is the current one.
    pub(crate) fn version(uri: &S3Uri, version_id: Option<&str>) -> Self {
        Self::Object { uri: Box::new(uri.clone()), version_id: version_id.map(str::to_owned) }
    }

    /// Everything under a prefix.
    pub(crate) fn prefix(uri: &S3Uri) -> Self {
        Self::Prefix(Box::new(uri.clone()))
    }

    /// The instruction file at this address.
    pub(crate) fn instruction_file(uri: &S3Uri) -> Self {
        Self::InstructionFile(Box::new(uri.clone()))
    }

    /// Names something that has no type.
    pub(crate) fn other(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Other(name.into())
    }

    /// Whether it is the object or the file that a user knows by this name.
    pub(super) fn is(&self, name: &str, version: Option<&str>) -> bool {
        match self {
            Self::Object { uri, version_id } => version_id.as_deref() == version && uri.to_string() == name,
            Self::Upload(uri) => uri.to_string() == name,
            Self::File(path) => path.display().to_string() == name,
            Self::Other(text) => text == name,
            _ => false,
        }
    }

    /// The address in S3, if it has one.
    pub(crate) fn uri(&self) -> Option<&S3Uri> {
        match self {
            Self::Object { uri, .. }
            | Self::Prefix(uri)
            | Self::Pattern(uri)
            | Self::Upload(uri)
            | Self::InstructionFile(uri) => Some(uri),
            _ => None,
        }
    }

    /// The bucket that it is or is in.
    pub(crate) fn bucket(&self) -> Option<&Bucket> {
        match self {
            Self::Bucket(bucket) => Some(bucket),
            _ => self.uri().map(|uri| &uri.bucket),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object { uri, version_id: Some(id) } => write!(f, "{uri} (version {id})"),
            Self::Object { uri, version_id: None } | Self::Prefix(uri) => uri.fmt(f),
            Self::Pattern(uri) => write!(f, "an object that matches {uri}"),
            Self::Upload(uri) => write!(f, "the upload of {uri}"),
            Self::Bucket(bucket) => write!(f, "the bucket {bucket}"),
            Self::InstructionFile(uri) => write!(f, "the instruction file {uri}"),
            Self::KmsKey(key) => write!(f, "the KMS key {key}"),
            Self::Kms => f.write_str("the answer of AWS KMS"),
            Self::Server => f.write_str("the server"),
            Self::Profile(name) => write!(f, "the profile {name}"),
            Self::File(path) => path.display().fmt(f),
            Self::Folder(path) => write!(f, "the folder {}", path.display()),
            Self::CaBundle(path) => write!(f, "the CA bundle {}", path.display()),
            Self::Journal(path) => write!(f, "the journal {}", path.display()),
            Self::StandardInput => f.write_str("standard input"),
            Self::StandardOutput => f.write_str("standard output"),
            Self::CommandOutput(command) => write!(f, "the output of {command}"),
            Self::Program(name) => f.write_str(name),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl From<&Self> for Subject {
    fn from(subject: &Self) -> Self {
        subject.clone()
    }
}

impl From<&S3Uri> for Subject {
    fn from(uri: &S3Uri) -> Self {
        Self::version(uri, None)
    }
}

impl From<&Bucket> for Subject {
    fn from(bucket: &Bucket) -> Self {
        Self::Bucket(bucket.clone())
    }
}

impl From<&KmsKey> for Subject {
    fn from(key: &KmsKey) -> Self {
        Self::KmsKey(key.clone())
    }
}

impl From<&Path> for Subject {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Subject {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

impl From<&'static str> for Subject {
    fn from(name: &'static str) -> Self {
        Self::other(name)
    }
}

impl From<&Source> for Subject {
    fn from(source: &Source) -> Self {
        match source {
            Source::File(path) => path.into(),
            Source::Stdin => Self::StandardInput,
            Source::Command(argv) => Self::CommandOutput(argv.join(" ")),
        }
    }
}

impl From<&Target> for Subject {
    fn from(target: &Target) -> Self {
        match target {
            Target::File(path) | Target::FileInNewDirectory(path) => path.into(),
            Target::Stdout | Target::Terminal => Self::StandardOutput,
        }
    }
}
