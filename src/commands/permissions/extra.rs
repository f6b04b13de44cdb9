//! Circumstances in which a verb needs more permissions than it does without them.

/// A circumstance that requires more permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extra {
    Parts,
    /// The checksum of an object in parts, where it is one of the parts' checksums.
    CompositeChecksum,
    /// Tags: those given with `--tag`, or those that the object has.
    Tags,
    /// `--acl`, or an object that others are granted something on.
    Acl,
    /// Retention and legal hold: those given with `--lock-mode` and `--legal-hold`, or those that the object has.
    Lock,
    /// An envelope in an instruction file.
    InstructionFile,
    /// Everything under a prefix.
    Recursive,
    /// `--update`
    Update,
    /// `--delete`
    Delete,
    /// `--version-id`
    Version,
    /// `--all-versions`
    AllVersions,
    /// A bucket that keeps versions.
    VersionedBucket,
    /// `--update-in-place`, on a server other than AWS.
    ScratchObject,
    /// A KMS key that is named by its alias.
    Alias,
}

impl Extra {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Parts => "parts",
            Self::CompositeChecksum => "composite-checksum",
            Self::Tags => "tags",
            Self::Acl => "acl",
            Self::Lock => "lock",
            Self::InstructionFile => "instruction-file",
            Self::Recursive => "recursive",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Version => "version",
            Self::AllVersions => "all-versions",
            Self::VersionedBucket => "versioned-bucket",
            Self::ScratchObject => "scratch-object",
            Self::Alias => "alias",
        }
    }
}
