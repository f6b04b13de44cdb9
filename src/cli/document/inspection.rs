//! The documents of `inspect`: one object in full, and the summary of many.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::timestamp::rfc3339_of_seconds;
use crate::commands::inspect::summary::Offender;
use crate::object::Lock;

use super::{Checksum, Document, KeyKind, Object, OpenedBy, Proof};

/// Something that may be out of reach: the value itself, or an object that says why there is none.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Probe_{T}"))]
#[serde(untagged)]
pub(crate) enum Probe<T> {
    /// The value.
    Known(T),
    /// Access is denied.
    AccessDenied {
        /// The action that must be allowed, such as `s3:GetBucketPolicy`.
        access_denied: String,
    },
    /// It is not available.
    Unavailable {
        /// Why.
        unavailable: String,
    },
}

/// An object that `inspect` looked at.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InspectedObject {
    /// The object.
    #[serde(flatten)]
    pub(crate) object: Object,
    /// Whether it is the newest version; null where versions are not listed.
    pub(crate) is_latest: Option<bool>,
    /// What is seen of client-side encryption; null if there is no sign of any.
    pub(crate) client: Option<Client>,
    /// Of an object in SSE-C, whether a key at hand matches; null for other modes.
    pub(crate) customer_key: Option<CustomerKeyMatch>,
    /// When it was stored (RFC 3339).
    pub(crate) last_modified: Option<String>,
    /// Its storage class, in S3's word.
    pub(crate) storage_class: String,
    /// Its Content-Type.
    pub(crate) content_type: Option<String>,
    /// The checksum that S3 keeps; null if it keeps none, or it was not asked for. With an object under a KMS key it takes
    /// the right to use the key.
    pub(crate) checksum: Probe<Option<Checksum>>,
    /// How Object Lock holds it; null if it does not.
    pub(crate) object_lock: Option<ObjectLock>,
    /// How many tags it has; null if S3 does not say, as of none.
    pub(crate) tag_count: Option<u32>,
    /// Whether its metadata marks it as an instruction file. Anyone who may write the object can write that.
    pub(crate) marked_instruction_file: bool,
    /// The archive that it must be restored from before it can be read, in S3's word; null if it can be read.
    pub(crate) archive_status: Option<String>,
    /// Its part in a replication, in S3's word.
    pub(crate) replication_status: Option<String>,
    /// Whether it is as `--expect` asks; null if nothing is expected.
    pub(crate) as_expected: Option<bool>,
    /// What `--read-data` has read; null without it.
    pub(crate) data: Option<ReadData>,
    /// The KMS key of S3's own encryption, as AWS KMS describes it; null for other modes, and for one of many objects.
    pub(crate) kms: Option<KmsKey>,
    /// How the requests to S3 travelled; null for one of many objects.
    pub(crate) transport: Option<Transport>,
}

/// The data of an object, which was read, decrypted, verified and not kept.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ReadData {
    /// The content's length in bytes.
    pub(crate) bytes: u64,
    /// What verified it: `tag` for the authentication tags of client-side encryption, and the algorithm of the checksum that
    /// S3 keeps, such as `crc64nvme`. Empty if nothing can verify it.
    pub(crate) verified_by: Vec<String>,
    /// Why no checksum was compared; null if one was.
    pub(crate) reason: Option<String>,
    /// How a client-side object was opened.
    #[serde(flatten)]
    pub(crate) proof: Proof,
}

/// Client-side encryption, as far as it is seen.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Client {
    /// How sure it is.
    pub(crate) state: ClientState,
    /// What is wrong with it, if it is broken.
    pub(crate) reason: Option<String>,
    /// Its envelope; null if none could be read.
    #[serde(flatten)]
    pub(crate) envelope: Option<Envelope>,
}

/// How sure it is that an object is encrypted client-side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientState {
    /// It says so itself, and no key at hand confirms it. Anyone who may write the object can write that.
    Claimed,
    /// A key at hand unwraps its data key.
    Opened,
    /// It says that its envelope is in an instruction file, which was not read.
    InInstructionFile,
    /// It is itself the instruction file of another object.
    InstructionFile,
    /// Its envelope is not complete or contradicts itself.
    Broken,
    /// Not known: its metadata cannot be read without the SSE-C key, or was not looked at.
    Unknown,
}

impl ClientState {
    /// The word in documents and tables.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Opened => "opened",
            Self::InInstructionFile => "in_instruction_file",
            Self::InstructionFile => "instruction_file",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        }
    }
}

/// A client-side envelope: what stands with the ciphertext so that it can be opened.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Envelope {
    /// The format's name and generation, for people.
    pub(crate) title: String,
    /// The content algorithm, by its specification's name; null if the envelope is in the object's own bytes and they were
    /// not read.
    pub(crate) suite: Option<String>,
    /// Whether it commits to one data key; null as for `suite`.
    pub(crate) key_committing: Option<bool>,
    /// Whether the content algorithm authenticates what it encrypts; null as for `suite`.
    pub(crate) authenticated_encryption: Option<bool>,
    /// Whether a signature ends it; null as for `suite`.
    pub(crate) signed: Option<bool>,
    /// The content's length in each frame, in bytes; null if it has no frames.
    pub(crate) frame_bytes: Option<u32>,
    /// Who can open it.
    pub(crate) recipients: Vec<Recipient>,
    /// The encryption context, which the key authenticates.
    pub(crate) encryption_context: BTreeMap<String, String>,
    /// The name in the encryption context that `put --bind-name` bound the object to; null if it is bound to none.
    pub(crate) bound_name: Option<BoundName>,
    /// The material description, which nothing authenticates.
    pub(crate) material_description: BTreeMap<String, String>,
    /// Where the envelope is: `metadata`, `instruction_file`, or `object` for the object's own bytes.
    pub(crate) envelope_in: String,
    /// The content's length in bytes that the metadata claims.
    pub(crate) claimed_bytes: Option<u64>,
    /// What `get` needs to be told to open so old a format; null for the formats of today.
    pub(crate) legacy: Option<Legacy>,
    /// Whether a key at hand unwraps the data key; null if none was given that could, or it was not tried.
    pub(crate) key_given_opens: Option<bool>,
    /// That key.
    pub(crate) opened_by: Option<OpenedBy>,
}

/// The name that an object is bound to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct BoundName {
    /// That name, `s3://BUCKET/KEY`, with `?` for a half that is missing.
    pub(crate) uri: String,
    /// Whether the object has it.
    pub(crate) is_this: bool,
}

/// One who can open an envelope.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Recipient {
    /// The kind of the wrapping key.
    pub(crate) kind: KeyKind,
    /// How the data key is wrapped, by the format's name.
    pub(crate) wrap: String,
    /// The wrapping key's name, if the envelope notes it: an ARN, or a namespace and name.
    pub(crate) key_name: Option<String>,
    /// The wrapping key's fingerprint, if its writer noted it.
    pub(crate) key_fingerprint: Option<String>,
    /// How a passphrase becomes the wrapping key: an Argon2id PHC string.
    pub(crate) passphrase: Option<String>,
}

/// What `get --allow-legacy` needs to be told.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Legacy {
    /// Its value; null if none opens it.
    pub(crate) allow: Option<String>,
    /// Why the format is not opened without it.
    pub(crate) reason: String,
}

/// Whether a key at hand matches an object in SSE-C.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum CustomerKeyMatch {
    /// This one does.
    Matches {
        /// Its fingerprint.
        key_fingerprint: String,
    },
    /// No SSE-C key was given.
    NotGiven,
    /// None of those given.
    NoMatch {
        /// How many were tried.
        tried: usize,
    },
    /// A report of S3 Inventory does not say.
    Unknown,
}

/// How Object Lock holds an object.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ObjectLock {
    /// The retention mode, in S3's word; null without a retention.
    pub(crate) mode: Option<String>,
    /// The end of the retention (RFC 3339).
    pub(crate) retain_until: Option<String>,
    /// Whether a legal hold is on.
    pub(crate) legal_hold: bool,
}

impl From<&Offender> for NamedObject {
    fn from(offender: &Offender) -> Self {
        Self { name: offender.name.clone(), reason: offender.why.clone() }
    }
}

impl ObjectLock {
    /// Describes a lock, if there is one.
    pub(crate) fn of(lock: &Lock) -> Option<Self> {
        (*lock != Lock::default()).then(|| Self {
            mode: lock.mode.clone(),
            retain_until: lock.retain_until.and_then(rfc3339_of_seconds),
            legal_hold: lock.legal_hold,
        })
    }
}

/// A KMS key, as far as AWS KMS describes it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct KmsKey {
    /// The key, as S3 names it.
    pub(crate) kms_key: String,
    /// What DescribeKey says.
    pub(crate) metadata: Probe<KmsKeyMetadata>,
    /// Its aliases.
    pub(crate) aliases: Probe<Vec<String>>,
}

/// What AWS KMS says of a key.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct KmsKeyMetadata {
    /// Its ARN.
    pub(crate) arn: String,
    /// Its state, in KMS's word, such as `Enabled` or `PendingDeletion`.
    pub(crate) state: Option<String>,
    /// Who manages it: `AWS` or `CUSTOMER`.
    pub(crate) manager: Option<String>,
    /// When it will be deleted (RFC 3339); null if it will not.
    pub(crate) deletion_date: Option<String>,
}

/// How requests travelled.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Transport {
    /// `https` or `http`.
    pub(crate) scheme: String,
    /// The server, with its port if that is not the scheme's own.
    pub(crate) host: String,
    /// What TLS came to; null for http.
    pub(crate) tls: Option<Probe<Tls>>,
}

/// A TLS connection.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Tls {
    /// Its version, such as `TLS 1.3`.
    pub(crate) version: String,
    /// Its cipher suite, by IANA's name.
    pub(crate) cipher_suite: String,
    /// Its key exchange, by IANA's name.
    pub(crate) key_exchange: Option<String>,
    /// The issuer of the server's certificate.
    pub(crate) certificate_issuer: Option<String>,
}

/// The sum of an audit.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct InspectionSummary {
    /// Whether everything was looked at; false if the run ended before.
    pub(crate) complete: bool,
    /// Objects looked at, or versions.
    pub(crate) objects: u64,
    /// Bytes that S3 stores of them.
    pub(crate) stored_bytes: u64,
    /// The objects by mode and key, the largest group first.
    pub(crate) groups: Vec<Group>,
    /// What is counted in no group, because there are too many.
    pub(crate) ungrouped: Amount,
    /// Of the objects in mode `client`, those whose state is not `opened`.
    pub(crate) claimed_client: u64,
    /// Delete markers, which are not objects.
    pub(crate) delete_markers: u64,
    /// What was expected, any of these.
    pub(crate) expected: Vec<String>,
    /// Objects that are not as expected; null if nothing was expected.
    pub(crate) unexpected: Option<u64>,
    /// The first 1,000 of them.
    pub(crate) unexpected_objects: Vec<NamedObject>,
    /// What `--read-data` has read; null without it.
    pub(crate) data: Option<DataSum>,
    /// Objects that could not be looked at, or with `--read-data` not be read and verified.
    pub(crate) failed: u64,
    /// The first 1,000 of them.
    pub(crate) failed_objects: Vec<NamedObject>,
}

/// The sum of the data that was read.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct DataSum {
    /// Objects that were read.
    pub(crate) objects: u64,
    /// Their content's bytes.
    pub(crate) bytes: u64,
    /// Those of them that nothing can verify.
    pub(crate) not_verifiable: u64,
    /// All objects, of which these are a part with `--sample`.
    pub(crate) of_objects: u64,
    /// The share that `--sample` asked for, such as `5%`; null without it.
    pub(crate) sample: Option<String>,
}

/// Objects of one mode and key.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Group {
    /// The mode, as an object's `encryption.mode`.
    pub(crate) mode: String,
    /// The key as far as it is known, for people: a KMS key's ARN, an SSE-C key's fingerprint, or a client-side format
    /// and its recipients.
    pub(crate) encryption_key: Option<String>,
    /// How many there are.
    #[serde(flatten)]
    pub(crate) amount: Amount,
}

/// Objects and bytes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Amount {
    /// Objects, or versions.
    pub(crate) objects: u64,
    /// Bytes that S3 stores of them.
    pub(crate) stored_bytes: u64,
}

/// An object in a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NamedObject {
    /// Its address, followed by its version where versions are listed.
    pub(crate) name: String,
    /// What it is, or why it could not be looked at.
    pub(crate) reason: String,
}

/// All that `inspect --format json` found over many objects.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Audit {
    /// The objects: documents whose `record` is `object` or `failed`.
    pub(crate) objects: Vec<Document>,
    /// The buckets: documents whose `record` is `bucket`.
    pub(crate) buckets: Vec<Document>,
    /// The report of S3 Inventory: a document whose `record` is `inventory`. Left out if none was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inventory: Option<Box<Document>>,
    /// The sum: left out if only buckets were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<InspectionSummary>,
}
