//! Circumstances in which a verb needs more permissions than it does without them.

use super::{Rotation, Scope, Task};

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
    /// Client-side objects whose ciphertext is under a KMS key at rest.
    AtRest,
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
    /// All that a user chooses; whether everything under a prefix is meant, the address says, and a key at rest its flag.
    pub(crate) const CHOSEN: [Self; 13] = [
        Self::Parts,
        Self::CompositeChecksum,
        Self::Tags,
        Self::Acl,
        Self::Lock,
        Self::InstructionFile,
        Self::Update,
        Self::Delete,
        Self::Version,
        Self::AllVersions,
        Self::VersionedBucket,
        Self::ScratchObject,
        Self::Alias,
    ];

    /// Whether it makes a difference to a task.
    pub(crate) fn matters_to(self, task: Task) -> bool {
        match self {
            Self::Tags | Self::Acl | Self::Parts => matches!(task, Task::Put(_) | Task::Rotate(..)),
            Self::Lock => matches!(task, Task::Put(_) | Task::Rotate(..) | Task::Inspect(..)),
            Self::InstructionFile => match task {
                Task::Put(protection) | Task::Rotate(_, protection, _) => protection.is_client(),
                _ => false,
            },
            Self::Recursive => matches!(task, Task::Get(_) | Task::Rotate(..)),
            Self::AtRest => match task {
                Task::Put(to) | Task::Get(to) | Task::Inspect(_, to) | Task::Rotate(_, _, to) => {
                    to.is_client()
                }
                Task::Batch | Task::Cleanup => false,
            },
            Self::Update | Self::Delete => matches!(task, Task::Put(_)),
            Self::CompositeChecksum => matches!(task, Task::Get(_)),
            Self::Version => matches!(task, Task::Get(_) | Task::Inspect(Scope::Object, _)),
            Self::AllVersions => matches!(
                task,
                Task::Inspect(Scope::Prefix | Scope::WholeBucket, _)
                    | Task::Rotate(Rotation::UpdateInPlace, ..)
            ),
            Self::ScratchObject => matches!(task, Task::Rotate(Rotation::UpdateInPlace, ..)),
            Self::VersionedBucket => matches!(task, Task::Cleanup | Task::Rotate(..)),
            Self::Alias => task == Task::Batch,
        }
    }

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Parts => "parts",
            Self::CompositeChecksum => "composite-checksum",
            Self::Tags => "tags",
            Self::Acl => "acl",
            Self::Lock => "lock",
            Self::InstructionFile => "instruction-file",
            Self::AtRest => "at-rest",
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
