//! The write test: a scratch object of a few bytes is put in the mode asked, read, compared and deleted.
//!
//! It goes the way of `put`, with its rules and its checks of the answer. The stored bytes are compared with what was sent,
//! and so is the envelope of a client-side object. That one is also decrypted and compared, if a key at hand decrypts.

use super::{Check, DoctorRequest, Name, Remedy, Verb};
use crate::aws::Connection;
use crate::aws::object_lock::BucketLock;
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::aws::sse::AppliedMode;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::encrypt::{Encryptor, prepare};
use crate::commands::open_envelope;
use crate::commands::put::{self, PutOptions, PutOutcome};
use crate::commands::rotate::scratch;
use crate::defaults;
use crate::encryption::{Encryption, Format, Legacy};
use crate::error::{Denial, Error, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{Settings, WriteCondition};
use crate::seal::Output;
use crate::transfer::Cancellation;
use crate::transfer::resume::Records;
use crate::transfer_options::TransferOptions;

/// The content of the scratch object.
const CONTENT: &[u8] = b"s3seal doctor tries what it may do here; this object can be deleted\n";

/// Tries it. The scratch object is removed also after a failure or a signal.
///
/// # Errors
/// `Interrupted`.
pub(super) async fn check(
    connection: &Connection,
    request: DoctorRequest,
    lock: &Probe<BucketLock>,
    cancellation: &Cancellation,
) -> Result<Check> {
    let name = Name::WriteTest;
    if request.only_decrypts {
        let seen = "not tried: a private key encrypts nothing; give the public key too";
        return Ok(Check::warning(name, seen));
    }
    if request.lacks_key() {
        return Ok(Check::warning(name, "not tried: its key cannot be read"));
    }
    // Where it is not known: few may ask that, and few buckets have it.
    if matches!(lock, Probe::Known(BucketLock::Each(_))) {
        return Ok(Check::warning(
            name,
            "not tried: what is stored here is locked, and could not be deleted",
        ));
    }
    let uri = scratch::name_next_to(&request.place)?;
    let keys = keys_for(&request);
    let DoctorRequest { encryption, rules, verb, .. } = request;
    let encryptor = match prepare(encryption.map(in_metadata)).await {
        Ok(encryptor) => encryptor,
        Err(error) => return Ok(Check::error(name, error)),
    };
    let options = PutOptions {
        encryption: None,
        rules,
        settings: Settings::default(),
        condition: WriteCondition::None,
        checksum: defaults::CHECKSUM,
        transfer_options: TransferOptions::default(),
        fail_if_empty: true,
        records: Records::default(),
    };
    let stored = put::store_bytes(connection, &encryptor, &options, CONTENT, &uri, cancellation).await;
    let stored = match stored {
        Ok(stored) => stored,
        Err(error @ Error::Interrupted(_)) => {
            let removal = scratch::remove(connection, &uri);
            let _ = scratch::in_time(removal, &uri, Some(&error), cancellation).await;
            return Err(error);
        }
        Err(error) => return Ok(failed(connection, &uri, error, cancellation).await),
    };
    let test = WriteTest { connection, uri: &uri, encryptor: &encryptor, stored: &stored };
    let read = cancellation.or(test.read(&keys, verb)).await;
    let removed = scratch::in_time(test.remove(), &uri, read.as_ref().err(), cancellation).await;
    Ok(match (read?, removed) {
        (Ok(read), Ok(())) => read.check(&test),
        (Err(error), _) => Check::error(name, error),
        (Ok(_), Err(error)) => {
            Check::warning(name, format!("stored, read and compared, but not deleted: {error}"))
                .mended_by(Remedy::CleanUp(uri))
        }
    })
}

/// The keys that decrypt what the test stores; those of a rotation are for what was there before.
fn keys_for(request: &DoctorRequest) -> DecryptionKeys {
    let mut keys = match request.verb {
        Verb::Rotate => DecryptionKeys::of(request.encryption.as_ref(), Vec::new()),
        Verb::Put | Verb::Get | Verb::Inspect => request.opening.clone(),
    };
    if let Some(client) = request.client_side() {
        keys.context = client.context.clone();
        if client.format == Some(Format::S3ecV2) {
            keys.legacy = keys.legacy.max(Legacy::V2);
        }
    }
    keys
}

/// The envelope of a scratch object goes into its metadata: that is one object less to remove.
fn in_metadata(encryption: Encryption) -> Encryption {
    match encryption {
        Encryption::Client(mut client) => {
            client.instruction_file = false;
            Encryption::Client(client)
        }
        server @ Encryption::Server(_) => server,
    }
}

/// Removes what may be stored in spite of an error.
async fn failed(connection: &Connection, uri: &S3Uri, error: Error, cancellation: &Cancellation) -> Check {
    let name = Name::WriteTest;
    let version_id = match &error {
        Error::NotAsAsked { version_id, .. } => version_id.clone(),
        Error::EnvelopeLost(lost) => lost.version_id.clone(),
        Error::Network { .. } | Error::NotUnderstood { .. } | Error::Tampered { .. } => None,
        _ => return Check::error(name, error),
    };
    let removal = async {
        match version_id {
            Some(id) => connection.remove(uri, Some(&id)).await,
            None => scratch::remove(connection, uri).await,
        }
    };
    let removed = scratch::in_time(removal, uri, Some(&error), cancellation).await;
    // What the hint says of such an error holds of an object that is still there.
    let check = Check::error(name, error.of_later());
    if removed.is_ok() { check } else { check.mended_by(Remedy::CleanUp(uri.clone())) }
}

/// A scratch object that is stored.
struct WriteTest<'a> {
    connection: &'a Connection,
    uri: &'a S3Uri,
    encryptor: &'a Encryptor,
    stored: &'a PutOutcome,
}

/// What was read of it.
enum Read {
    /// The bytes that were sent.
    AsSent,
    /// Those, and decrypted the content.
    Decrypted,
    /// The bytes that were sent, which no key at hand decrypts.
    NotDecrypted,
    /// The same, and the error of KMS, which lets the user encrypt only.
    MayNotDecrypt(Error),
}

impl Read {
    /// The check of a test that went well.
    fn check(self, test: &WriteTest<'_>) -> Check {
        let applied = &test.stored.applied;
        let stored = match (&applied.mode, test.encryptor.client_side()) {
            (AppliedMode::NotSaid, Some(_)) => "stored, encrypted on this machine".to_owned(),
            (AppliedMode::NotSaid, _) => "stored, and the server names no encryption".to_owned(),
            _ => format!("stored in {applied}"),
        };
        let seen = |how: &str| format!("{stored}, read, {how} and deleted");
        let name = Name::WriteTest;
        match self {
            Self::AsSent => Check::ok(name, seen("compared")),
            Self::Decrypted => Check::ok(name, seen("decrypted, compared")),
            Self::NotDecrypted => {
                let why = "not decrypted: a public key only encrypts";
                Check::ok(name, format!("{}; {why}", seen("compared"))).mended_by(Remedy::PrivateKey)
            }
            Self::MayNotDecrypt(error) => {
                Check::ok(name, format!("{}; not decrypted: {error}", seen("compared")))
            }
        }
    }
}

impl WriteTest<'_> {
    /// Reads what is stored, and compares it with what was sent.
    async fn read(&self, keys: &DecryptionKeys, verb: Verb) -> Result<Read> {
        let Self { connection, uri, encryptor, stored } = *self;
        let reader = ObjectReader { connection, uri, version_id: None, key: encryptor.customer_key() };
        let bytes = reader.whole(MAX_INSTRUCTION_FILE_BYTES).await?;
        let bytes = bytes.ok_or_else(|| Error::NotFound { subject: uri.into(), source: None })?;
        match &stored.checksum {
            Some((algorithm, sent)) if algorithm.sum(&bytes).base64() == *sent => {}
            _ => return Err(Error::tampered(uri, "the server gives other bytes than it was sent")),
        }
        if encryptor.client_side().is_none() {
            return Ok(Read::AsSent);
        }
        if keys.opens_nothing_client_side() {
            return Ok(Read::NotDecrypted);
        }
        match decrypt(&reader, &bytes, keys).await {
            Ok(content) if content == CONTENT => Ok(Read::Decrypted),
            Ok(_) => Err(Error::tampered(uri, "it decrypts to other bytes than were encrypted")),
            // Who only writes, or looks at modes, needs no permission to decrypt.
            Err(error @ Error::Denied { why: Denial::Kms { .. }, .. })
                if matches!(verb, Verb::Put | Verb::Inspect) =>
            {
                Ok(Read::MayNotDecrypt(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Removes the scratch object as it was stored; of a bucket with versions that version, for good.
    async fn remove(&self) -> Result<()> {
        let Self { connection, uri, encryptor, stored } = *self;
        match (&stored.version_id, &stored.etag) {
            (None, Some(etag)) => connection.remove_if(uri, etag, encryptor.customer_key()).await,
            (version_id, _) => connection.remove(uri, version_id.as_deref()).await,
        }
    }
}

/// Decrypts a client-side object of these bytes.
async fn decrypt(reader: &ObjectReader<'_>, bytes: &[u8], keys: &DecryptionKeys) -> Result<Vec<u8>> {
    let head = reader.head().await?;
    let envelope = open_envelope::envelope(reader, &head, keys).await?;
    let envelope = envelope.ok_or_else(|| Error::tampered(reader.uri, "its envelope is gone"))?;
    let mut opener = open_envelope::unwrap_data_key(reader.connection, envelope, keys).await?.opener()?;
    let mut content = Output::default();
    opener.push(bytes, &mut content)?;
    opener.finish(&mut content)?;
    Ok(content.to_vec())
}
