//! The documents of `inspect --manifest`.

use serde::Serialize;

use super::inspection::NamedObject;
use super::{Checksum, Document};

/// An object that was compared with a manifest.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ComparedObject {
    /// Its address.
    pub(crate) uri: String,
    /// How it compares.
    pub(crate) state: ComparedState,
    /// What shows that it is the same; null if it is not.
    pub(crate) compared_by: Option<ComparedBy>,
    /// Why it is not the same; null unless `state` is `changed`.
    pub(crate) reason: Option<String>,
    /// What the manifest has; null if it does not have the object, and for an instruction file.
    pub(crate) expected: Option<ExpectedObject>,
    /// What the listing has; null if the object is missing.
    pub(crate) found: Option<FoundObject>,
}

/// How an object compares with a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComparedState {
    /// It is the same.
    Same,
    /// The manifest has it, the place does not.
    Missing,
    /// It is another one.
    Changed,
    /// The place has it, the manifest does not.
    Extra,
}

impl ComparedState {
    /// The word in documents and tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Extra => "extra",
        }
    }
}

/// What shows that an object is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComparedBy {
    /// Its size and its ETag, from the listing.
    Etag,
    /// Its size and the checksum that S3 keeps, from a request of its own.
    Checksum,
    /// Only its name: it is the instruction file of another object.
    Name,
}

impl ComparedBy {
    /// The word in documents and tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Etag => "etag",
            Self::Checksum => "checksum",
            Self::Name => "name",
        }
    }
}

/// An object as a manifest has it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ExpectedObject {
    /// Its content's length in bytes, before client-side encryption; null if unknown.
    pub(crate) bytes: Option<u64>,
    /// The length in bytes of what S3 stored.
    pub(crate) stored_bytes: u64,
    /// Its ETag, without quotes; null if S3 named none.
    pub(crate) etag: Option<String>,
    /// Its version; null where the bucket kept none, and where it was only listed.
    pub(crate) version_id: Option<String>,
    /// The checksum sent with it; null where it was only listed.
    pub(crate) checksum: Option<Checksum>,
}

/// An object as a listing has it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FoundObject {
    /// The length in bytes of what S3 stores.
    pub(crate) stored_bytes: u64,
    /// Its ETag, without quotes; null if S3 names none.
    pub(crate) etag: Option<String>,
    /// When it was stored (RFC 3339).
    pub(crate) last_modified: Option<String>,
}

/// The sum of a comparison with a manifest.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ComparisonSummary {
    /// Whether everything was compared; false if the run ended before.
    pub(crate) complete: bool,
    /// Where the objects of the manifest were stored.
    pub(crate) manifest_target: String,
    /// When the manifest was begun (RFC 3339).
    pub(crate) manifest_created: Option<String>,
    /// Objects in the manifest, in the place, or in both.
    pub(crate) objects: u64,
    /// Objects that are the same by size and ETag.
    pub(crate) same_by_etag: u64,
    /// Objects that are the same by size and checksum.
    pub(crate) same_by_checksum: u64,
    /// Instruction files that are there; they are not compared.
    pub(crate) same_by_name: u64,
    /// Objects that only the manifest has.
    pub(crate) missing: u64,
    /// Objects that are not the same.
    pub(crate) changed: u64,
    /// Objects that only the place has.
    pub(crate) extra: u64,
    /// The first 1,000 of those that are missing, changed or extra.
    pub(crate) different_objects: Vec<NamedObject>,
    /// Objects that could not be compared.
    pub(crate) failed: u64,
    /// The first 1,000 of them.
    pub(crate) failed_objects: Vec<NamedObject>,
}

/// All that `inspect --manifest --format json` compared.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Comparison {
    /// The objects: documents whose `record` is `compared` or `failed`.
    pub(crate) objects: Vec<Document>,
    /// The sum.
    pub(crate) summary: ComparisonSummary,
}
