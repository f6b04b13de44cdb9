//! The JSON documents of `--json`, as types.
//!
//! Programs rely on these names and values, and on nothing else that is printed. The comments on fields are the
//! descriptions in the published schema, `man/s3seal.schema.json`, so they are written for readers of the documents.
//! Each verb has its own code that fills these types.

#![allow(clippy::struct_field_names, reason = "a field is named as its readers know it")]

use std::fmt::Write;

use serde::Serialize;

use super::sanitize::harmful;
use crate::aws::sse::Applied;
use crate::commands::inspect::summary::mode_word;
use crate::encryption::{KeyArn, Mode, StoredFormat};
use crate::error::WrapKind;
use crate::keys::Fingerprint;
use crate::location::S3Uri;
use crate::seal::OpenedWith;

pub(crate) mod bucket;
pub(crate) mod cleanup;
pub(crate) mod comparison;
pub(crate) mod doctor;
mod error;
pub(crate) mod inspection;
pub(crate) mod rotation;
pub(crate) mod transfer;

pub(crate) use error::{Error, RunError, causes};

/// The version of all documents.
const SCHEMA_VERSION: u32 = 1;

/// A document of `s3seal --json`, or of `s3seal inspect` with `--format json` or `ndjson`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Document {
    /// The version of this schema: 1. It is raised when a field goes or changes its meaning; a new field does not raise it.
    schema_version: u32,
    /// The verb that ran; null if the command line names none.
    command: Option<Command>,
    /// What the document is about.
    #[serde(flatten)]
    record: Record,
}

/// A verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Command {
    /// `s3seal put`.
    Put,
    /// `s3seal get`.
    Get,
    /// `s3seal inspect`.
    Inspect,
    /// `s3seal rotate`.
    Rotate,
    /// `s3seal keygen`.
    Keygen,
    /// `s3seal doctor`.
    Doctor,
    /// `s3seal cleanup`.
    Cleanup,
    /// `s3seal generate`.
    Generate,
}

impl Command {
    /// The verb of this name.
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "put" => Self::Put,
            "get" => Self::Get,
            "inspect" => Self::Inspect,
            "rotate" => Self::Rotate,
            "keygen" => Self::Keygen,
            "doctor" => Self::Doctor,
            "cleanup" => Self::Cleanup,
            "generate" => Self::Generate,
            _ => return None,
        })
    }
}

/// What a document is about.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Record {
    /// An object that `put` stored.
    #[serde(rename = "object")]
    Stored(transfer::StoredObject),
    /// An object that `get` wrote to a file or to standard output.
    #[serde(rename = "object")]
    Fetched(transfer::FetchedObject),
    /// An object that `rotate` changed, or found already as asked.
    #[serde(rename = "object")]
    Rotated(Box<rotation::RotatedObject>),
    /// An object that `inspect` looked at.
    #[serde(rename = "object")]
    Inspected(Box<inspection::InspectedObject>),
    /// An object that `inspect --manifest` compared.
    Compared(Box<comparison::ComparedObject>),
    /// One of many objects that was not touched, on purpose.
    Skipped(transfer::SkippedObject),
    /// What `put --dry-run` or `get --dry-run` would do.
    Planned(transfer::PlannedTransfer),
    /// An object or a file that `--delete` removed.
    Deleted(transfer::DeletedObject),
    /// One of many objects that failed.
    Failed(transfer::FailedObject),
    /// The end of a run over many objects.
    Summary(Summaries),
    /// What `rotate --dry-run` would do.
    Plan(rotation::Plan),
    /// The S3 Batch Operations job that `rotate --batch` created.
    Job(rotation::Job),
    /// A bucket that `inspect` looked at.
    Bucket(bucket::BucketDocument),
    /// The report of S3 Inventory that `inspect --inventory` reads.
    Inventory(bucket::InventoryDocument),
    /// The key that `keygen` made, or shows.
    Key(KeyDocument),
    /// Something that a broken run has left, and what `cleanup` does about it.
    Leftover(Box<cleanup::LeftoverDocument>),
    /// Something that `doctor` looked at.
    Check(doctor::CheckDocument),
    /// What ended the run; written to standard error.
    Error(RunError),
    /// All that `inspect --format json` found, in one document.
    #[expect(dead_code, reason = "written piece by piece, as objects are found")]
    Audit(inspection::Audit),
    /// All that `inspect --manifest --format json` compared, in one document.
    #[expect(dead_code, reason = "written piece by piece, as objects are compared")]
    Comparison(comparison::Comparison),
}

impl Document {
    /// Makes a document; the verb is unknown where the command line was not understood.
    pub(crate) fn new(command: impl Into<Option<Command>>, record: Record) -> Self {
        Self { schema_version: SCHEMA_VERSION, command: command.into(), record }
    }

    /// Writes it in one line.
    pub(crate) fn text(&self) -> String {
        text(self)
    }
}

/// What stands before the objects where all of an audit or a comparison is one document, which is written as they come.
pub(crate) fn head(record: &str) -> String {
    format!(
        "{{\"schema_version\":{SCHEMA_VERSION},\"command\":\"inspect\",\"record\":\"{record}\",\"objects\":["
    )
}

/// Writes one line of JSON that also does no harm on a terminal: what a terminal would act on is escaped as JSON does.
pub(crate) fn text(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Such characters stand only inside of strings.
        if harmful(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// An object in S3.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Object {
    /// Its address, `s3://BUCKET/KEY`, with the key as it is.
    pub(crate) uri: String,
    /// Its bucket.
    pub(crate) bucket: String,
    /// Its key in the bucket.
    pub(crate) key: String,
    /// Its version, as S3 names it; null where the bucket keeps no versions.
    pub(crate) version_id: Option<String>,
    /// Its ETag, without quotes; null if S3 names none.
    pub(crate) etag: Option<String>,
    /// How it is encrypted.
    pub(crate) encryption: Encryption,
    /// Its content's length in bytes, before client-side encryption; of `get --range` the bytes written. Null if unknown.
    pub(crate) bytes: Option<u64>,
    /// The length in bytes of what S3 stores, with what client-side encryption adds; null if unknown.
    pub(crate) stored_bytes: Option<u64>,
}

impl Object {
    /// Describes an object.
    pub(crate) fn of(
        uri: &S3Uri,
        version_id: Option<&String>,
        etag: Option<&String>,
        encryption: Encryption,
    ) -> Self {
        Self {
            uri: uri.to_string(),
            bucket: uri.bucket.as_str().to_owned(),
            key: uri.key.clone(),
            version_id: version_id.cloned(),
            etag: etag.map(|etag| etag.trim_matches('"').to_owned()),
            encryption,
            bytes: None,
            stored_bytes: None,
        }
    }
}

/// How an object is encrypted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Encryption {
    /// `client` where it is encrypted before it is stored (in `inspect`: where it says so itself), else as `at_rest`.
    pub(crate) mode: String,
    /// What S3 does, as its answer says: `sse-s3`, `sse-kms`, `dsse-kms`, `sse-c`, `none`, or S3's word for a mode that
    /// s3seal does not know.
    pub(crate) at_rest: String,
    /// The client-side format: `s3ec`, `s3ec-v2`, `s3ec-v1` or `esdk`; null where there is none, or it is not known.
    pub(crate) format: Option<String>,
    /// The KMS key of S3's own encryption, as S3 names it; null for other modes, and where S3 does not say.
    pub(crate) kms_key: Option<String>,
    /// Whether S3 uses an S3 Bucket Key.
    pub(crate) bucket_key: bool,
    /// The fingerprint of the local key that encrypted it, opened it, or (SSE-C) matches it: the first 16 hex digits of
    /// SHA-256, as `keygen` shows it. Null where no such key was used.
    pub(crate) key_fingerprint: Option<String>,
    /// The MD5 of its SSE-C key in base64, as S3 shows it; null for other modes.
    pub(crate) customer_key_md5: Option<String>,
    /// The ARNs of the KMS keys that wrap the data key of client-side encryption; in `inspect` those that the object names.
    pub(crate) wrapping_kms_keys: Vec<String>,
}

impl Encryption {
    /// Describes S3's own encryption and the client-side one.
    pub(crate) fn of(
        applied: &Applied,
        format: Option<StoredFormat>,
        fingerprint: Option<&str>,
        wrapping_keys: &[KeyArn],
    ) -> Self {
        let at_rest = mode_word(&applied.mode).to_owned();
        Self {
            mode: if format.is_some() { Mode::Client.as_str().to_owned() } else { at_rest.clone() },
            at_rest,
            format: format.map(|format| format.to_string()),
            kms_key: applied.kms_key.clone(),
            bucket_key: applied.bucket_key,
            key_fingerprint: fingerprint.map(str::to_owned),
            customer_key_md5: applied.customer_key_md5.clone(),
            wrapping_kms_keys: wrapping_keys.iter().map(|key| key.as_str().to_owned()).collect(),
        }
    }
}

/// The checksum that S3 keeps of what it stores.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Checksum {
    /// Its algorithm, such as `crc64nvme` or `sha256`; null if it is not known.
    pub(crate) algorithm: Option<String>,
    /// Its value in base64, of a composite one with `-N` for N parts; null if it is not known.
    pub(crate) value: Option<String>,
    /// `FULL_OBJECT` or `COMPOSITE`; null if it is not known.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Whether the bytes that `get` read have it; null for other verbs.
    pub(crate) verified: Option<bool>,
    /// Why it was not compared; null if it was, or need not be.
    pub(crate) reason: Option<String>,
}

/// The kind of a key that wraps data keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyKind {
    /// A symmetric key (AES).
    Aes,
    /// An RSA key pair: the public key wraps, the private key unwraps.
    Rsa,
    /// A key in AWS KMS.
    Kms,
    /// A passphrase.
    Passphrase,
    /// A key that s3seal cannot use.
    Other,
}

impl From<Option<WrapKind>> for KeyKind {
    fn from(kind: Option<WrapKind>) -> Self {
        match kind {
            Some(WrapKind::Aes) => Self::Aes,
            Some(WrapKind::Rsa) => Self::Rsa,
            Some(WrapKind::Kms) => Self::Kms,
            Some(WrapKind::Passphrase) => Self::Passphrase,
            None => Self::Other,
        }
    }
}

/// The key that opened a client-side object.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct OpenedBy {
    /// Its kind.
    pub(crate) kind: KeyKind,
    /// The fingerprint of an AES key, or of the public half of an RSA key; null for other kinds.
    pub(crate) key_fingerprint: Option<String>,
}

impl From<&OpenedWith> for OpenedBy {
    fn from(with: &OpenedWith) -> Self {
        let fingerprint = with.fingerprint.as_ref().map(Fingerprint::as_str);
        Self { kind: Some(with.kind).into(), key_fingerprint: fingerprint.map(str::to_owned) }
    }
}

/// Which key opened a client-side object, and what that proves.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Proof {
    /// The key that opened it; null if it is not client-side.
    pub(crate) opened_by: Option<OpenedBy>,
    /// Whether its bytes are those that were encrypted; null if they were not read, or it is not client-side.
    pub(crate) intact: Option<bool>,
    /// Whether it was encrypted by a holder of the key that opened it: false for RSA, whose public key anyone may have.
    pub(crate) authenticated: bool,
    /// Whether its encryption context contains its name (`put --bind-name`), which was compared.
    pub(crate) name_bound: bool,
}

/// The end of a run over many objects.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Summaries {
    /// The sum.
    pub(crate) summary: Summary,
}

/// The sum over many objects.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(crate) enum Summary {
    /// Of `put` and `get`.
    Transfer(transfer::TransferSummary),
    /// Of `rotate`.
    Rotation(rotation::RotationSummary),
    /// Of `inspect`.
    Inspection(inspection::InspectionSummary),
    /// Of `inspect --manifest`.
    Comparison(comparison::ComparisonSummary),
    /// Of `cleanup`.
    Cleanup(cleanup::CleanupSummary),
    /// Of `doctor`.
    Doctor(doctor::DoctorSummary),
}

/// The key that `keygen` made, or shows.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct KeyDocument {
    /// The file that holds it; null if it came from another source.
    pub(crate) file: Option<String>,
    /// What it is.
    pub(crate) kind: KeyFileKind,
    /// Its fingerprint: the first 16 hex digits of SHA-256. Both halves of an RSA pair have the same.
    pub(crate) key_fingerprint: String,
    /// Its MD5 in base64, which S3 shows of objects that have it as SSE-C key; null if it cannot be one.
    pub(crate) customer_key_md5: Option<String>,
}

/// A kind of key.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyFileKind {
    /// An AES key.
    Aes,
    /// The private half of an RSA pair.
    RsaPrivate,
    /// The public half of an RSA pair.
    RsaPublic,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::generate::SchemaSettings;

    use super::*;

    /// After a change: `S3SEAL_WRITE=1 cargo test --lib schema`.
    #[test]
    fn the_published_schema_is_that_of_the_types() {
        let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let schema = generator.into_root_schema_for::<Document>();
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("man/s3seal.schema.json");
        if std::env::var_os("S3SEAL_WRITE").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == schema, "out of date: S3SEAL_WRITE=1 cargo test --lib schema");
    }

    #[test]
    fn documents_are_harmless_on_a_terminal_and_say_the_same() {
        let file = "a\u{9b}31m\u{202e}gpj.\u{1b}[2J\n\u{e0001}ä";
        let key = KeyDocument {
            file: Some(file.to_owned()),
            kind: KeyFileKind::Aes,
            key_fingerprint: String::new(),
            customer_key_md5: None,
        };
        let text = Document::new(Command::Keygen, Record::Key(key)).text();
        assert!(!text.contains(harmful), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["file"], file);
    }
}
