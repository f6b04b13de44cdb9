//! The documents of `cleanup`.

use serde::Serialize;

use super::Error;

/// Something that a broken run has left.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct LeftoverDocument {
    /// What it is.
    pub(crate) kind: LeftoverKind,
    /// What became of it.
    pub(crate) state: LeftoverState,
    /// The object that an upload or a record is about, or the address of a leftover object; null for a journal.
    pub(crate) uri: Option<String>,
    /// The file, for a journal or a record; null for what is in S3.
    pub(crate) file: Option<String>,
    /// The temporary file of a download that goes with its record; null for others.
    pub(crate) temporary_file: Option<String>,
    /// The id of an upload.
    pub(crate) upload_id: Option<String>,
    /// Who began the upload, as S3 names it; null if it does not.
    pub(crate) initiator: Option<String>,
    /// The journal on this machine of the rotation that began the upload; null if none names it.
    pub(crate) journal: Option<String>,
    /// When it was begun or last written (RFC 3339).
    pub(crate) created: Option<String>,
    /// The bytes that its removal frees; null if they are not known.
    pub(crate) bytes: Option<u64>,
    /// Why it was kept; null if it was not.
    pub(crate) reason: Option<String>,
    /// Why it could not be removed; null if it was not tried, or is gone.
    pub(crate) error: Option<Error>,
}

/// What a leftover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeftoverKind {
    /// A multipart upload that is neither completed nor aborted.
    Upload,
    /// An instruction file whose object does not exist.
    InstructionFile,
    /// An object on which `rotate` or `doctor` tried what the server can do.
    ScratchObject,
    /// The journal of a rotation that is not at work.
    Journal,
    /// The record of a `put` or a `get` that is not at work.
    Record,
}

/// What became of a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeftoverState {
    /// It can be removed (`--dry-run`).
    Found,
    /// It is gone.
    Removed,
    /// It stays; `reason` says why.
    Kept,
    /// It could not be removed; `error` says why.
    Failed,
}

/// The sum of a cleanup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CleanupSummary {
    /// What can be removed, before anything is.
    pub(crate) found: u64,
    /// What was removed.
    pub(crate) removed: u64,
    /// The bytes that the removal freed, as far as they are known; with `--dry-run` those that it would free.
    pub(crate) bytes: u64,
    /// What was kept.
    pub(crate) kept: u64,
    /// What could not be removed.
    pub(crate) failed: u64,
}
