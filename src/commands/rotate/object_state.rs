//! The state of an object before a rotation and after: its head, its envelope, and what a strategy depends on.
//!
//! Nothing is changed here.

use std::collections::BTreeMap;

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::aws::probe::Probe;
use crate::aws::read_object::{HeadOptions, ObjectReader};
use crate::aws::sse::{Applied, AppliedMode};
use crate::aws::timestamp::local_now;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::encrypt::Wrapper;
use crate::commands::instruction_file::is_one;
use crate::commands::open_envelope;
use crate::commands::sse_c_keys::{KeyedHead, confirms, head};
use crate::commands::unwrapped_envelope::Envelope;
use crate::commands::verify_envelope::envelope_entries;
use crate::encryption::{BoundName, Format, Mode, StoredFormat};
use crate::error::{Error, Result, Subject, Unsupported, WrapKind};
use crate::keys::CustomerKey;
use crate::location::S3Uri;
use crate::object::{FileContent, PublicEnvelope};
use crate::seal::s3ec::{Storage, Version};
use crate::seal::{esdk, s3ec};

use super::desired_encryption::DesiredEncryption;
use super::instruction_file::InstructionFile;
use super::preserve::{CopyMethod, Found, Preserved};
use super::rotation::Rotation;
use super::strategy::{ClientSideState, Current};

/// An object with what S3 and its envelope say.
pub(crate) struct ObjectState {
    pub(crate) uri: S3Uri,
    /// The version that was asked for.
    pub(crate) version_id: Option<String>,
    /// What S3 says.
    pub(crate) head: ObjectHead,
    /// The SSE-C key that opens it.
    pub(crate) customer_key: Option<CustomerKey>,
    /// The fingerprints of its local key: S3's, the short one, or both.
    pub(crate) fingerprints: Vec<String>,
    /// The names in its client-side encryption context, as its users gave it.
    pub(crate) context: Vec<String>,
    /// What the strategy depends on.
    pub(crate) current: Current,
}

impl ObjectState {
    /// Reads the object as it was found.
    pub(crate) fn reader<'a>(&'a self, connection: &'a Connection) -> ObjectReader<'a> {
        let version_id = self.version_id.as_deref();
        ObjectReader { connection, uri: &self.uri, version_id, key: self.customer_key.as_ref() }
    }

    /// The object, for messages.
    pub(crate) fn subject(&self) -> Subject {
        Subject::version(&self.uri, self.version_id.as_deref())
    }

    /// The envelope, fetched again, because opening an envelope consumes it.
    ///
    /// # Errors
    /// As [`open_envelope::envelope`]; `Changed` if it is gone.
    pub(crate) async fn envelope(
        &self,
        connection: &Connection,
        decryption_keys: &DecryptionKeys,
    ) -> Result<Envelope> {
        let found = open_envelope::envelope(&self.reader(connection), &self.head, decryption_keys).await?;
        found.ok_or_else(|| Error::Changed { subject: self.subject(), source: None })
    }

    /// The public part of its envelope, if it has one; `file` is its instruction file.
    pub(crate) fn public_envelope(&self, file: Option<&InstructionFile>) -> Option<PublicEnvelope> {
        self.current.client_side.is_some().then(|| PublicEnvelope {
            metadata: envelope_entries(&self.head.metadata),
            instruction_file: file
                .map(|file| FileContent { uri: file.uri.to_string(), content: file.content.clone() }),
        })
    }

    /// Its attributes from HEAD.
    pub(crate) fn found(&self) -> Found<'_> {
        Found { client_side: self.current.client_side.is_some(), ..Found::of(&self.head, local_now()) }
    }

    /// Reads the object's other attributes, and refuses to lose any of them without consent.
    ///
    /// # Errors
    /// `Denied` for what may not be read; `Unsupported` names what would be lost otherwise; `NotFound` if the object was
    /// deleted in the meantime; `Network`.
    pub(super) async fn preserved(&self, rotation: &Rotation<'_>, by: CopyMethod) -> Result<Preserved> {
        let reader = self.reader(rotation.connection);
        let grants = Probe::decisive(reader.grants().await, "s3:GetObjectAcl")?;
        // HEAD counts tags only for readers with s3:GetObjectTagging.
        let tags = if by == CopyMethod::Upload {
            Probe::decisive(reader.tags().await, "s3:GetObjectTagging")?
        } else {
            Probe::Known(BTreeMap::new())
        };
        let annotations = if by == CopyMethod::Upload && rotation.connection.is_aws() {
            Probe::decisive(reader.annotations().await, "s3:ListObjectAnnotations")?
        } else {
            Probe::Known(0)
        };
        let lock = rotation.lockable.lock(&reader, &self.head).await?;
        let found = Found { tags, grants, lock, annotations, ..self.found() };
        let preserved = found.preserved(by, rotation.accepted, &self.subject());
        if preserved.is_err() {
            // Of an object that was deleted in the meantime nothing can be read, and nothing is lost. Its HEAD decides: a
            // server may answer that it does not exist for an attribute that it does not know.
            let options = HeadOptions { checksum: false, explain: false };
            if let Err(gone @ Error::NotFound { .. }) = reader.head_with(options).await {
                return Err(gone);
            }
        }
        preserved
    }

    /// The client-side format.
    pub(crate) fn format(&self) -> Option<StoredFormat> {
        self.current.client_side.map(|client_side| client_side.format)
    }
}

/// Loads the state of an object with the old keys, or with the new one if it has been rotated already.
///
/// # Errors
/// What S3 refuses; `KeyNeeded` and `KeyWrong` where no key fits.
pub(crate) async fn load(
    rotation: &Rotation<'_>,
    uri: &S3Uri,
    version_id: Option<&str>,
) -> Result<ObjectState> {
    let Rotation { connection, decryption_keys, target, .. } = *rotation;
    let KeyedHead { head, customer_key } = match with_last_key(rotation, uri, version_id).await {
        Some(keyed) => keyed,
        None => with_any_key(rotation, uri, version_id).await?,
    };
    rotation.last_key.set(&uri.bucket, customer_key.as_ref());
    let reader = ObjectReader { connection, uri, version_id, key: customer_key.as_ref() };
    let found = open_envelope::envelope(&reader, &head, decryption_keys).await;
    // With a suffix every object is asked for its file, and with a bound name for that: an instruction file has neither.
    let instruction_file = match &found {
        Ok(None) | Err(Error::NotFound { .. } | Error::NoBoundName { .. }) => {
            is_one(&reader, &head, decryption_keys.suffix.as_ref()).await?
        }
        Ok(Some(_)) | Err(_) => false,
    };
    let envelope = if instruction_file { None } else { found? };
    let mut fingerprints = names_of(customer_key.as_ref());
    let context = envelope.as_ref().map(context_of).unwrap_or_default();
    let client_side = match envelope {
        None => None,
        Some(envelope) => {
            if let Envelope::S3ec(envelope) = &envelope {
                fingerprints.extend(envelope.fingerprint().map(str::to_owned));
            }
            let mut client_side = describe(&envelope);
            client_side.as_desired = is_as_desired(connection, envelope, target, decryption_keys).await?;
            Some(client_side)
        }
    };
    let superseded = is_superseded(connection, uri, version_id, customer_key.as_ref()).await?;
    let current = Current {
        applied: head.applied.clone(),
        client_side,
        len: head.len,
        archived: archived(&head),
        locked: head.lock.legal_hold || head.lock.mode.is_some(),
        superseded,
        instruction_file,
    };
    Ok(ObjectState {
        uri: uri.clone(),
        version_id: version_id.map(str::to_owned),
        head,
        customer_key,
        fingerprints,
        context,
        current,
    })
}

/// Sends a HEAD with the key that fitted the last object of the bucket; a failure means nothing.
async fn with_last_key(rotation: &Rotation<'_>, uri: &S3Uri, version_id: Option<&str>) -> Option<KeyedHead> {
    let key = rotation.last_key.get(&uri.bucket)?;
    let reader = ObjectReader { connection: rotation.connection, uri, version_id, key: Some(&key) };
    let head = reader.head_with(HeadOptions { checksum: true, explain: false }).await.ok()?;
    confirms(&head, &key).then_some(KeyedHead { head, customer_key: Some(key) })
}

/// Sends a HEAD without a key, with the old ones, with the new one.
async fn with_any_key(rotation: &Rotation<'_>, uri: &S3Uri, version_id: Option<&str>) -> Result<KeyedHead> {
    let Rotation { connection, decryption_keys, target, .. } = *rotation;
    let keyed = head(connection, uri, version_id, &decryption_keys.customer_keys, None).await;
    let (Err(refusal), Some(key)) = (&keyed, target.customer_key()) else { return keyed };
    if !refusal.is_about_customer_key() {
        return keyed;
    }
    let reader = ObjectReader { connection, uri, version_id, key: Some(key) };
    match reader.head().await {
        Ok(head) if confirms(&head, key) => Ok(KeyedHead { head, customer_key: Some(key.again()) }),
        Ok(_) | Err(_) => keyed,
    }
}

/// The names of an SSE-C key.
fn names_of(key: Option<&CustomerKey>) -> Vec<String> {
    key.map_or_else(Vec::new, |key| vec![key.md5().to_owned(), key.fingerprint().to_string()])
}

/// The names in an encryption context, without those that the formats add.
fn context_of(envelope: &Envelope) -> Vec<String> {
    let is_formats = |name: &str| match envelope {
        Envelope::S3ec(_) => s3ec::RESERVED.contains(&name),
        Envelope::Esdk(_) => name.starts_with(esdk::RESERVED),
    };
    let own = |name: &&String| !(is_formats(name) || BoundName::is_entry(name));
    envelope.context().map_or_else(Vec::new, |pairs| pairs.keys().filter(own).cloned().collect())
}

fn describe(envelope: &Envelope) -> ClientSideState {
    let name_bound = envelope.bound_name().is_some();
    match envelope {
        Envelope::S3ec(envelope) => {
            let authenticated = envelope.plain_len(u64::MAX).is_some();
            ClientSideState {
                format: envelope.version().into(),
                in_instruction_file: envelope.storage() == Storage::InstructionFile,
                rewrappable: authenticated && envelope.version() != Version::V1,
                name_bound,
                as_desired: false,
            }
        }
        Envelope::Esdk(_) => ClientSideState {
            format: Format::Esdk.into(),
            in_instruction_file: false,
            rewrappable: false,
            name_bound,
            as_desired: false,
        },
    }
}

/// Whether the target's keys, and only those, already decrypt it.
async fn is_as_desired(
    connection: &Connection,
    envelope: Envelope,
    target: &DesiredEncryption,
    decryption_keys: &DecryptionKeys,
) -> Result<bool> {
    let Some(client) = target.client() else { return Ok(false) };
    match &envelope {
        Envelope::Esdk(message) if message.edks().len() != client.wrappers.len() => return Ok(false),
        Envelope::S3ec(envelope) => match client.wrappers.as_slice() {
            [Wrapper::Rsa(key)] => {
                let same = envelope.fingerprint() == Some(key.fingerprint().as_str());
                return Ok(same && envelope.wrap().kind() == WrapKind::Rsa);
            }
            // An outdated wrap is renewed even under the same key.
            _ if envelope.wrap().is_outdated() => return Ok(false),
            // A key of another kind wraps it, so KMS is not asked.
            [Wrapper::Kms(_)] if envelope.wrap().kind() != WrapKind::Kms => return Ok(false),
            [Wrapper::Aes(key)] => {
                let named = envelope.fingerprint();
                if named.is_some_and(|print| print != key.fingerprint().as_str()) {
                    return Ok(false);
                }
            }
            [Wrapper::Passphrase(..)] if !envelope.needs_passphrase() => return Ok(false),
            _ => {}
        },
        Envelope::Esdk(_) => {}
    }
    let Some(opens) = &target.decryption_keys else { return Ok(false) };
    let opens = DecryptionKeys {
        legacy: decryption_keys.legacy.max(opens.legacy),
        suffix: None,
        ..opens.client_side()
    };
    match open_envelope::unwrap_data_key(connection, envelope, &opens).await {
        Ok(_) => Ok(true),
        Err(error @ (Error::Network { .. } | Error::Interrupted(_))) => Err(error),
        Err(_) => Ok(false),
    }
}

/// Whether there is a newer version.
async fn is_superseded(
    connection: &Connection,
    uri: &S3Uri,
    version_id: Option<&str>,
    key: Option<&CustomerKey>,
) -> Result<bool> {
    let Some(version) = version_id else { return Ok(false) };
    let newest = ObjectReader { connection, uri, version_id: None, key };
    match newest.head().await {
        Ok(head) => Ok(head.version_id.as_deref() != Some(version)),
        // Deleted, or under another key: another version at any rate.
        Err(Error::NotFound { .. } | Error::KeyNeeded { .. } | Error::KeyWrong { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The archive class of an object that has not been restored.
fn archived(head: &ObjectHead) -> Option<String> {
    let class = head.storage_class.as_deref();
    let cold = match class {
        Some("GLACIER" | "DEEP_ARCHIVE") => class,
        Some("INTELLIGENT_TIERING") => {
            head.archive_status.as_deref().filter(|state| state.ends_with("ARCHIVE_ACCESS"))
        }
        _ => None,
    };
    cold.filter(|_| !head.restored).map(str::to_owned)
}

/// The server-side encryption of an object as a request for the same; `None` where S3 reports none.
///
/// # Errors
/// `Unsupported` for a mode that s3seal cannot request.
pub(crate) fn current_server_side(
    applied: &Applied,
    key: Option<&CustomerKey>,
    subject: &Subject,
) -> Result<Option<crate::encryption::ServerSide>> {
    use crate::encryption::{Context, KmsKey, ServerSide};
    let kms_key = applied.kms_key.as_deref().and_then(|arn| arn.parse::<KmsKey>().ok());
    Ok(match (&applied.mode, key) {
        (AppliedMode::NotSaid, _) => None,
        (AppliedMode::Known(Mode::SseC), Some(key)) => Some(ServerSide::SseC(key.again())),
        (AppliedMode::Known(Mode::SseS3), _) => Some(ServerSide::SseS3),
        (AppliedMode::Known(Mode::SseKms), _) => Some(ServerSide::SseKms {
            key: kms_key,
            context: Context::default(),
            bucket_key: applied.bucket_key,
        }),
        (AppliedMode::Known(Mode::DsseKms), _) => {
            Some(ServerSide::DsseKms { key: kms_key, context: Context::default() })
        }
        (mode, _) => {
            return Err(Error::unsupported(subject, Unsupported::UnknownMode(mode.to_string())));
        }
    })
}
