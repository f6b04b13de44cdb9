//! The documents of `rotate`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Encryption, Object, Proof};
use crate::commands::rotate::strategy;

/// An object that `rotate` changed, or found already as asked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RotatedObject {
    /// The object as it is now.
    #[serde(flatten)]
    pub(crate) object: Object,
    /// How it was done.
    pub(crate) strategy: Strategy,
    /// How it was encrypted before; keys are those that opened it.
    pub(crate) previous_encryption: Encryption,
    /// How the client-side object was opened.
    #[serde(flatten)]
    pub(crate) proof: Proof,
    /// The version that stays in the bucket under the old key; null if none does.
    pub(crate) previous_version_id: Option<String>,
    /// Whether the new key was seen to open it; null if it is not client-side, or the key that opens is not at hand.
    pub(crate) opens_with_new_key: Option<bool>,
    /// Whether S3's answer was lost, and the object was found stored by comparing size and checksum.
    pub(crate) found_by_comparison: bool,
    /// Whether its checksum was compared with the one before, or with the one sent.
    pub(crate) checksum_compared: bool,
    /// Whether all of it was read once more and compared (`--verify`).
    pub(crate) verified: bool,
    /// The rule that chose its encryption, as `FILE:LINE`; null if none did.
    pub(crate) encryption_rule: Option<String>,
    /// The rules that were set aside for it (`--override-rules`), each as `FILE:LINE`.
    pub(crate) overridden_rules: Vec<String>,
}

/// How `rotate` changes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Strategy {
    /// It is already as asked.
    None,
    /// S3 changes the key with UpdateObjectEncryption; no data moves.
    UpdateInPlace,
    /// S3 copies the object onto itself.
    ServerCopy,
    /// The data key is wrapped anew; S3 copies the object onto itself with new metadata.
    Rewrap,
    /// The data key is wrapped anew in the instruction file; the object is not touched.
    RewrapInstructionFile,
    /// The data key is wrapped for another reader, in an instruction file of its own.
    Share,
    /// The content is read, decrypted, and encrypted with a new data key.
    ReEncrypt,
}

impl Strategy {
    /// The word in documents and plans.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::UpdateInPlace => "update-in-place",
            Self::ServerCopy => "server-copy",
            Self::Rewrap => "rewrap",
            Self::RewrapInstructionFile => "rewrap-instruction-file",
            Self::Share => "share",
            Self::ReEncrypt => "re-encrypt",
        }
    }

    /// What was done to objects, in the outcome and in the summary.
    pub(crate) fn past(self) -> &'static str {
        match self {
            Self::None => "already done",
            Self::UpdateInPlace => "updated in place",
            Self::ServerCopy => "copied within S3",
            Self::Rewrap => "rewrapped",
            Self::RewrapInstructionFile => "rewrapped in the instruction file",
            Self::Share => "shared",
            Self::ReEncrypt => "re-encrypted",
        }
    }
}

impl From<strategy::Strategy> for Strategy {
    fn from(strategy: strategy::Strategy) -> Self {
        match strategy {
            strategy::Strategy::Nothing => Self::None,
            strategy::Strategy::Reencrypt => Self::ReEncrypt,
            strategy::Strategy::Rewrap => Self::Rewrap,
            strategy::Strategy::RewrapInstructionFile => Self::RewrapInstructionFile,
            strategy::Strategy::ServerCopy => Self::ServerCopy,
            strategy::Strategy::Share => Self::Share,
            strategy::Strategy::UpdateInPlace => Self::UpdateInPlace,
        }
    }
}

/// The sum over many objects of `rotate`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RotationSummary {
    /// Objects that are as asked now.
    pub(crate) objects: u64,
    /// Of these, how many by which strategy; a strategy that did none is left out.
    pub(crate) strategies: BTreeMap<Strategy, u64>,
    /// Objects that were not chosen, or that an earlier run has done.
    pub(crate) skipped: u64,
    /// Objects that failed.
    pub(crate) failed: u64,
    /// Versions that stay in the bucket under their old keys.
    pub(crate) previous_versions: u64,
}

/// What `rotate --dry-run` would do.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Plan {
    /// By strategy; a strategy that is not needed is left out.
    pub(crate) strategies: BTreeMap<Strategy, PlannedCost>,
    /// Objects that cannot be rotated so, the first 100.
    pub(crate) refused: Vec<RefusedObject>,
    /// How many more cannot.
    pub(crate) refused_unlisted: u64,
    /// Objects that are not chosen, or that an earlier run has done.
    pub(crate) skipped: u64,
}

/// What a strategy takes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PlannedCost {
    /// Objects.
    pub(crate) objects: u64,
    /// Bytes that S3 stores of them.
    pub(crate) stored_bytes: u64,
    /// Bytes that pass through this machine, down and up.
    pub(crate) moved_bytes: u64,
    /// Requests to S3.
    pub(crate) requests: u64,
    /// Requests to AWS KMS.
    pub(crate) kms_calls: u64,
}

/// An object that cannot be rotated.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RefusedObject {
    /// Its address, followed by its version if it is not the newest that is meant.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

/// The S3 Batch Operations job that `rotate --batch` created.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Job {
    /// The job's id.
    pub(crate) job_id: String,
    /// The account in which it runs.
    pub(crate) account_id: String,
    /// What was asked for, in the shape and words of CreateJob of the Amazon S3 Control API.
    pub(crate) request: Value,
}
