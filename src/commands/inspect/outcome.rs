//! What was found out about one object, as plain data to be shown, compared and counted.
//!
//! It is made from the answers of S3 and from the object's metadata; nothing is fetched or printed here.

use std::collections::BTreeMap;

use crate::aws::listing::Listed;
use crate::aws::object_head::{Checksum, ObjectHead};
use crate::aws::probe::Probe;
use crate::aws::sse::{Applied, AppliedMode};
use crate::commands::get::verify::Verified;
use crate::encryption::{Format, Legacy, Mode, StoredFormat};
use crate::error::WrapKind;
use crate::location::S3Uri;
use crate::object::{INSTRUCTION_FILE_MARKER, Lock};
use crate::rules::Unmet;
use crate::seal::OpenedWith;
use crate::seal::esdk::{self, EdkKind, Marker};
use crate::seal::s3ec::{self, Storage, Version};
use crate::seal::wrap::PASSPHRASE_ENTRY;

/// One object, or one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InspectOutcome {
    pub(crate) uri: S3Uri,
    pub(crate) version_id: Option<String>,
    /// Whether it is the current version; `None` without a listing of versions.
    pub(crate) latest: Option<bool>,
    /// How S3 encrypts the stored bytes.
    pub(crate) at_rest: AtRest,
    /// How the bytes were encrypted before they were stored.
    pub(crate) client: ClientSeen,
    /// The stored length, if it is known.
    pub(crate) stored_len: Option<u64>,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The storage class, as S3 names it; `None` means STANDARD.
    pub(crate) storage_class: Option<String>,
    /// `Content-Type`.
    pub(crate) content_type: Option<String>,
    /// The checksum, if it was requested and its algorithm is one that s3seal can compute. For an object under a KMS
    /// key, S3 returns it only to callers who may use the key.
    pub(crate) checksum: Probe<Option<Checksum>>,
    /// The algorithm and value of a checksum that s3seal does not compute.
    pub(crate) other_checksum: Option<(&'static str, String)>,
    /// RFC 3339.
    pub(crate) last_modified: Option<String>,
    pub(crate) lock: Lock,
    /// `None` without tags, or without permission to read them.
    pub(crate) tag_count: Option<u32>,
    /// The archive tier, or the state of a restore.
    pub(crate) archive_status: Option<String>,
    /// The state of replication.
    pub(crate) replication_status: Option<String>,
    /// Whether its metadata marks it as an instruction file. Anyone can write that: it may be shown, but not relied on.
    pub(crate) marked_instruction_file: bool,
    /// Whether it is as expected; `None` without an expectation.
    pub(crate) as_expected: Option<bool>,
    /// The requirement of a rule that it does not meet.
    pub(crate) unmet_rule: Option<Unmet>,
    /// What reading its data showed; `None` if it was not read.
    pub(crate) data: Option<Verified>,
}

/// Server-side encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AtRest {
    /// As S3 reports it.
    pub(crate) applied: Applied,
    /// For SSE-C: whether one of the given keys fits.
    pub(crate) customer_key: Option<CustomerKeyFit>,
}

/// Which key an SSE-C object has, as far as that is known: S3 says it only in answer to a request with that key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CustomerKeyFit {
    /// The given key with this short fingerprint.
    Fits {
        /// A truncated SHA-256, as `keygen` shows it.
        fingerprint: String,
    },
    /// No key was given.
    NotGiven,
    /// None of the given keys fits.
    NoneFits {
        /// How many were tried.
        tried: usize,
    },
    /// Unknown: a report of S3 Inventory does not say.
    NotSaid,
}

/// Client-side encryption, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientSeen {
    /// No sign of any.
    NoSign,
    /// An envelope.
    Envelope(Box<EnvelopeFacts>),
    /// The metadata points to an instruction file that was not fetched.
    InstructionFileNotRead,
    /// An instruction file, which holds another object's wrapped data key; its content was read to confirm that.
    InstructionFile,
    /// An incomplete or invalid envelope; the text says what is wrong.
    Broken(String),
    /// Unknown: the metadata cannot be read without the SSE-C key, or was not read.
    Unknown,
}

/// A client-side envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvelopeFacts {
    pub(crate) format: StoredFormat,
    /// The format's name and version, to be shown.
    pub(crate) title: &'static str,
    /// What only the envelope itself says; `None` if it is in the object's bytes and they were not read.
    pub(crate) content: Option<ContentFacts>,
    /// Who can open it.
    pub(crate) recipients: Vec<RecipientFacts>,
    /// The encryption context (of KMS, or of the Encryption SDK), which is authenticated.
    pub(crate) context: BTreeMap<String, String>,
    /// The material description, which is not authenticated.
    pub(crate) description: BTreeMap<String, String>,
    /// Where it is stored.
    pub(crate) place: EnvelopePlace,
    /// The length of the plaintext, if the format determines it.
    pub(crate) plain_len: Option<u64>,
    /// The length that the metadata claims.
    pub(crate) claimed_len: Option<u64>,
    /// The value of `get --allow-legacy` that it requires, with the reason.
    pub(crate) legacy: Option<(Legacy, String)>,
    /// Whether one of the given keys opens it.
    pub(crate) opens: Opens,
}

/// Whether one of the given keys unwraps the data key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Opens {
    /// No key that could do it was given, or it was not tried.
    #[default]
    NotTried,
    /// None does.
    WithNone,
    /// This one does.
    With(OpenedWith),
}

/// How the content is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentFacts {
    /// The content encryption algorithm, by its name in the format's specification.
    pub(crate) suite: String,
    /// Whether the algorithm has key commitment.
    pub(crate) committing: bool,
    /// Whether authentication tags verify the bytes.
    pub(crate) authenticated: bool,
    /// Whether the message ends with a signature.
    pub(crate) signed: bool,
    /// Plaintext bytes per frame, if the message is framed.
    pub(crate) frame_length: Option<u32>,
}

/// Where an envelope is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvelopePlace {
    Metadata,
    /// In an instruction file.
    InstructionFile,
    /// In the object's own bytes.
    Object,
}

impl EnvelopePlace {
    /// The word used in JSON documents.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::InstructionFile => "instruction_file",
            Self::Object => "object",
        }
    }
}

/// A recipient, whose key opens the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecipientFacts {
    /// The kind of key; `None` for one that s3seal cannot use.
    pub(crate) kind: Option<WrapKind>,
    /// How the data key is wrapped, by the format's name.
    pub(crate) wrap: String,
    /// The key's name, if the format records it: the ARN or ID of a KMS key, or the name of a raw key.
    pub(crate) key: Option<String>,
    /// The fingerprint of a local key, if the writer recorded it.
    pub(crate) fingerprint: Option<String>,
    /// How the key is derived from a passphrase: an Argon2id PHC string.
    pub(crate) passphrase: Option<String>,
}

impl InspectOutcome {
    /// Makes the outcome of an object from its head.
    pub(crate) fn of(
        uri: &S3Uri,
        head: ObjectHead,
        customer_key: Option<CustomerKeyFit>,
        client: ClientSeen,
    ) -> Self {
        Self {
            uri: uri.clone(),
            marked_instruction_file: head.metadata.contains_key(INSTRUCTION_FILE_MARKER),
            version_id: head.version_id,
            as_expected: None,
            unmet_rule: None,
            data: None,
            latest: None,
            at_rest: AtRest { applied: head.applied, customer_key },
            client,
            stored_len: Some(head.len),
            etag: head.etag,
            storage_class: head.storage_class,
            content_type: head.content_type,
            checksum: Probe::Known(head.checksum),
            other_checksum: head.other_checksum,
            last_modified: head.last_modified,
            lock: head.lock,
            tag_count: head.tag_count,
            archive_status: head.archive_status,
            replication_status: head.replication_status,
        }
    }

    /// Makes the outcome of an SSE-C object for which no fitting key was given.
    pub(crate) fn behind_customer_key(uri: &S3Uri, version_id: Option<&str>, fit: CustomerKeyFit) -> Self {
        let applied = Applied { mode: AppliedMode::Known(Mode::SseC), ..Applied::default() };
        let at_rest = AtRest { applied, customer_key: Some(fit) };
        Self { version_id: version_id.map(str::to_owned), ..Self::without_head(uri, at_rest) }
    }

    /// Makes the outcome of an object whose HEAD was refused or not sent; a listing adds the rest.
    pub(crate) fn without_head(uri: &S3Uri, at_rest: AtRest) -> Self {
        let head = ObjectHead { applied: at_rest.applied, ..ObjectHead::default() };
        let outcome = Self::of(uri, head, at_rest.customer_key, ClientSeen::Unknown);
        Self { stored_len: None, ..outcome }
    }

    /// Adds what a listing says and the HEAD did not.
    pub(crate) fn listed(mut self, entry: &Listed) -> Self {
        self.latest = entry.latest;
        self.stored_len = self.stored_len.or(Some(entry.len));
        self.etag = self.etag.or_else(|| entry.etag.clone());
        self.version_id = self.version_id.or_else(|| entry.version_id.clone());
        self.storage_class = self.storage_class.or_else(|| entry.storage_class.clone());
        self.last_modified = self.last_modified.or_else(|| entry.last_modified.clone());
        self
    }

    /// Adds what reading the data showed, including which key opened the envelope.
    pub(crate) fn with_data(mut self, data: Option<Verified>) -> Self {
        if let (ClientSeen::Envelope(envelope), Some(opened)) =
            (&mut self.client, data.as_ref().and_then(|data| data.opened.as_ref()))
        {
            envelope.opens = Opens::With(opened.with.clone());
        }
        Self { data, ..self }
    }

    /// The length of its plaintext, if it is known: without client-side encryption, the stored length.
    pub(crate) fn plain_len(&self) -> Option<u64> {
        let read = self.data.as_ref().map(|data| data.plain_len);
        read.or(match &self.client {
            ClientSeen::NoSign | ClientSeen::InstructionFile => self.stored_len,
            ClientSeen::Envelope(envelope) => envelope.plain_len,
            ClientSeen::InstructionFileNotRead | ClientSeen::Broken(_) | ClientSeen::Unknown => None,
        })
    }

    /// The mode to report: client-side if there is an envelope, otherwise the server-side mode.
    pub(crate) fn mode(&self) -> AppliedMode {
        match self.client {
            ClientSeen::Envelope(_) | ClientSeen::InstructionFileNotRead => AppliedMode::Known(Mode::Client),
            _ => self.at_rest.applied.mode.clone(),
        }
    }

    /// Whether only its metadata or its first bytes say that it is client-side, and no given key proved it: anyone can
    /// write those.
    pub(crate) fn is_claimed(&self) -> bool {
        match &self.client {
            ClientSeen::Envelope(envelope) => !matches!(envelope.opens, Opens::With(_)),
            ClientSeen::InstructionFileNotRead => true,
            _ => false,
        }
    }

    /// The envelope, if one was found.
    pub(crate) fn envelope(&self) -> Option<&EnvelopeFacts> {
        match &self.client {
            ClientSeen::Envelope(envelope) => Some(envelope),
            _ => None,
        }
    }
}

impl EnvelopeFacts {
    /// Describes the S3 Encryption Client's envelope of an object of `stored` bytes.
    pub(crate) fn s3ec(envelope: &s3ec::Envelope, stored: u64) -> Self {
        let (title, committing) = match envelope.version() {
            Version::V1 => ("S3 Encryption Client, format V1", false),
            Version::V2 => ("S3 Encryption Client, format V2", false),
            Version::V3 => ("S3 Encryption Client, format V3", true),
        };
        let wrap = envelope.wrap();
        let mut description = envelope.description().clone();
        let passphrase =
            envelope.needs_passphrase().then(|| description.get(PASSPHRASE_ENTRY).cloned()).flatten();
        let kind = if passphrase.is_some() { WrapKind::Passphrase } else { wrap.kind() };
        let context = match wrap.kind() {
            WrapKind::Kms => std::mem::take(&mut description),
            _ => BTreeMap::new(),
        };
        Self {
            format: envelope.version().into(),
            title,
            content: Some(ContentFacts {
                suite: envelope.suite().to_owned(),
                committing,
                authenticated: envelope.is_authenticated(),
                signed: false,
                frame_length: None,
            }),
            recipients: vec![RecipientFacts {
                kind: Some(kind),
                wrap: wrap.title().to_owned(),
                // Only the oldest clients recorded their KMS key.
                key: context.get("kms_cmk_id").cloned(),
                fingerprint: envelope.fingerprint().map(str::to_owned),
                passphrase,
            }],
            context,
            description,
            place: match envelope.storage() {
                Storage::Metadata => EnvelopePlace::Metadata,
                Storage::InstructionFile => EnvelopePlace::InstructionFile,
            },
            plain_len: envelope.plain_len(stored),
            claimed_len: envelope.claimed_len(),
            legacy: envelope.legacy(),
            opens: Opens::NotTried,
        }
    }

    /// Describes an AWS Encryption SDK message of `stored` bytes by its header. Fingerprints come from the marker, if
    /// its writer left one.
    pub(crate) fn esdk(message: &esdk::Message, marker: Option<&Marker>, stored: u64) -> Self {
        let said = message.describe();
        let noted: Vec<_> = marker.map(Marker::recipients).unwrap_or_default().to_vec();
        let is_noted = |name: &str| noted.iter().any(|one| one.fingerprint.as_deref() == Some(name));
        let same_number = noted.len() == said.recipients.len();
        let recipients = said.recipients.into_iter().enumerate().map(|(place, recipient)| RecipientFacts {
            kind: match recipient.kind {
                EdkKind::Aes => Some(WrapKind::Aes),
                EdkKind::Rsa => Some(WrapKind::Rsa),
                EdkKind::Passphrase => Some(WrapKind::Passphrase),
                EdkKind::Kms => Some(WrapKind::Kms),
                EdkKind::Other => None,
            },
            wrap: recipient.provider,
            // s3seal names a raw key by its fingerprint, which is reported in its own field.
            key: Some(recipient.name).filter(|name| !name.is_empty() && !is_noted(name)),
            fingerprint: noted.get(place).filter(|_| same_number).and_then(|noted| noted.fingerprint.clone()),
            passphrase: recipient.passphrase.map(|phc| phc.to_string()),
        });
        let legacy = (!said.committing).then(|| {
            (Legacy::V2, format!("its algorithm suite ({}) does not commit to one key", said.suite_name))
        });
        Self {
            recipients: recipients.collect(),
            content: Some(ContentFacts {
                suite: said.suite_name.to_owned(),
                committing: said.committing,
                authenticated: true,
                signed: said.signed,
                frame_length: said.frame_length,
            }),
            context: said.context,
            plain_len: message.plain_len(stored),
            legacy,
            ..Self::esdk_marked(&Marker::default())
        }
    }

    /// Describes a message of the AWS Encryption SDK by the marker that s3seal leaves in the metadata.
    pub(crate) fn esdk_marked(marker: &Marker) -> Self {
        let recipients = marker.recipients().iter().map(|recipient| RecipientFacts {
            kind: Some(recipient.kind),
            wrap: "in its header".to_owned(),
            key: None,
            fingerprint: recipient.fingerprint.clone(),
            passphrase: None,
        });
        Self {
            format: Format::Esdk.into(),
            title: "AWS Encryption SDK",
            content: None,
            recipients: recipients.collect(),
            context: BTreeMap::new(),
            description: BTreeMap::new(),
            place: EnvelopePlace::Object,
            plain_len: None,
            claimed_len: None,
            legacy: None,
            opens: Opens::NotTried,
        }
    }
}
