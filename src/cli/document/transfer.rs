//! The documents of `put` and `get`, and those about skipped or failed objects and the summary of many.

use serde::Serialize;

use super::inspection::ObjectLock;
use super::{Checksum, Error, Object, Proof};

/// An object that `put` stored.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StoredObject {
    /// The object.
    #[serde(flatten)]
    pub(crate) object: Object,
    /// The file that it was read from; null for standard input and commands.
    pub(crate) file: Option<String>,
    /// The checksum sent with it; null if none was.
    pub(crate) checksum: Option<Checksum>,
    /// The parts of its multipart upload; 0 if it was stored by one request.
    pub(crate) parts: u32,
    /// Whether the server was seen to keep the envelope of a client-side object; null for other modes.
    pub(crate) envelope_check: Option<Check>,
    /// The Object Lock that was asked for; null without.
    pub(crate) object_lock: Option<ObjectLock>,
    /// Whether S3 was seen to keep the lock; null without one.
    pub(crate) lock_check: Option<Check>,
    /// Whether S3's answer was lost, and the object was found stored by comparing size and checksum.
    pub(crate) found_by_comparison: bool,
    /// The namespace and name of each raw key, as other programs of the AWS Encryption SDK ask for it.
    pub(crate) key_names: Vec<String>,
    /// Whether its encryption context contains its name (`--bind-name`).
    pub(crate) name_bound: bool,
    /// The rule that chose its encryption, as `FILE:LINE`; null if none did.
    pub(crate) encryption_rule: Option<String>,
    /// The rules that were set aside for it (`--override-rules`), each as `FILE:LINE`.
    pub(crate) overridden_rules: Vec<String>,
}

/// Whether the server was seen to keep something.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Check {
    /// Whether it was.
    pub(crate) verified: bool,
    /// Why it could not be seen; null if it was.
    pub(crate) reason: Option<String>,
}

/// An object that `get` wrote.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FetchedObject {
    /// The object.
    #[serde(flatten)]
    pub(crate) object: Object,
    /// The file that it was written to; null for standard output.
    pub(crate) file: Option<String>,
    /// What became of the checksum that S3 keeps; null if it keeps none that s3seal knows.
    pub(crate) checksum: Option<Checksum>,
    /// How a client-side object was opened.
    #[serde(flatten)]
    pub(crate) proof: Proof,
    /// The rules that were set aside for it (`--override-rules`), each as `FILE:LINE`.
    pub(crate) overridden_rules: Vec<String>,
}

/// One of many objects that was not touched, on purpose.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct SkippedObject {
    /// The object's address; null for a file that was not to be stored.
    pub(crate) uri: Option<String>,
    /// The file; null for an object that was not to be read.
    pub(crate) file: Option<String>,
    /// Why.
    pub(crate) reason: String,
}

/// What would be done without `--dry-run`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PlannedTransfer {
    /// What would be done.
    pub(crate) action: PlannedAction,
    /// The object; null for a file that would be deleted.
    pub(crate) uri: Option<String>,
    /// The file; null for standard output, and for an object that would be deleted.
    pub(crate) file: Option<String>,
    /// The length of the file, or of the stored object; null if it is not known.
    pub(crate) bytes: Option<u64>,
    /// Why: `missing`, `newer` or `another size`; null if nothing was compared.
    pub(crate) reason: Option<String>,
}

/// What would be done with an object or a file.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum PlannedAction {
    /// The file would become the object.
    Store,
    /// The object would become the file.
    Fetch,
    /// It would be removed.
    Delete,
}

/// An object or a file that was removed because the source no longer has it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DeletedObject {
    /// The object's address; null for a file.
    pub(crate) uri: Option<String>,
    /// The file; null for an object.
    pub(crate) file: Option<String>,
}

/// One of many objects that failed.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FailedObject {
    /// The object's address; null for a file that was not stored. A key that is not text is percent-encoded.
    pub(crate) uri: Option<String>,
    /// The file; null for an object.
    pub(crate) file: Option<String>,
    /// The version; null if none was named, or none was stored.
    pub(crate) version_id: Option<String>,
    /// What went wrong.
    pub(crate) error: Error,
    /// How S3 has stored the object instead of what was asked for, in words; null if it has not.
    pub(crate) stored_as: Option<String>,
    /// The command that removes what S3 has stored so; null if there is nothing to remove.
    pub(crate) remove: Option<String>,
}

/// The sum over many objects of `put` or `get`.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TransferSummary {
    /// Objects stored, or written; with `--dry-run` those that would be.
    pub(crate) objects: u64,
    /// Their content's bytes.
    pub(crate) bytes: u64,
    /// Objects and files skipped.
    pub(crate) skipped: u64,
    /// Objects and files that failed.
    pub(crate) failed: u64,
    /// Objects that S3 has stored otherwise than asked.
    pub(crate) stored_otherwise: u64,
    /// Files or objects that `--update` left as they are.
    pub(crate) unchanged: u64,
    /// Objects or files that `--delete` removed; with `--dry-run` those that would be.
    pub(crate) deleted: u64,
    /// Whether nothing was done (`--dry-run`).
    pub(crate) dry_run: bool,
    /// Where `put --manifest` wrote the manifest; null if none was asked for, or a file failed.
    pub(crate) manifest: Option<String>,
}
