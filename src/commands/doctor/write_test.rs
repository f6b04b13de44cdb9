//! The write test: a scratch object of a few bytes is put in the mode asked, read, compared and deleted.
//!
//! It goes the way of `put`, with its rules and its checks of the answer. Of a client-side object the stored bytes and the
//! envelope are compared with what was sent; it is not decrypted, because the key at hand may be one that only encrypts.

use super::{Check, DoctorRequest, Name, Remedy};
use crate::aws::Connection;
use crate::aws::object_lock::BucketLock;
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::commands::encrypt::{Encryptor, prepare};
use crate::commands::put::{self, PutOptions, PutOutcome};
use crate::commands::rotate::scratch;
use crate::defaults;
use crate::encryption::{Encryption, ServerSide};
use crate::error::{Error, Result};
use crate::keys::CustomerKey;
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{Settings, WriteCondition};
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
    let uri = scratch::name_next_to(&request.place);
    let DoctorRequest { encryption, rules, .. } = request;
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
            let _ = scratch::remove(connection, &uri).await;
            return Err(error);
        }
        Err(error) => return Ok(failed(connection, &uri, error).await),
    };
    let compared = cancellation.or(compare(connection, &uri, &encryptor, &stored)).await;
    let removed = remove(connection, &uri, &encryptor, &stored).await;
    Ok(match (compared?, removed) {
        (Ok(()), Ok(())) => {
            Check::ok(name, format!("stored in {}, read, compared and deleted", stored.applied))
        }
        (Err(error), _) => Check::error(name, error),
        (Ok(()), Err(error)) => {
            Check::warning(name, format!("stored, read and compared, but not deleted: {error}"))
                .mended_by(Remedy::CleanUp(uri))
        }
    })
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
async fn failed(connection: &Connection, uri: &S3Uri, error: Error) -> Check {
    let name = Name::WriteTest;
    let version_id = match &error {
        Error::NotAsAsked { version_id, .. } => version_id.clone(),
        Error::EnvelopeLost(lost) => lost.version_id.clone(),
        Error::Network { .. } | Error::NotUnderstood { .. } | Error::Tampered { .. } => None,
        _ => return Check::error(name, error),
    };
    let removed = match version_id {
        Some(id) => connection.remove(uri, Some(&id)).await,
        None => scratch::remove(connection, uri).await,
    };
    // What the hint says of such an error holds of an object that is still there.
    let check = Check::error(name, error.of_later());
    if removed.is_ok() { check } else { check.mended_by(Remedy::CleanUp(uri.clone())) }
}

fn customer_key(encryptor: &Encryptor) -> Option<&CustomerKey> {
    match encryptor {
        Encryptor::Server(Some(ServerSide::SseC(key))) => Some(key),
        _ => None,
    }
}

/// Reads what is stored, and compares it with what was sent.
async fn compare(
    connection: &Connection,
    uri: &S3Uri,
    encryptor: &Encryptor,
    stored: &PutOutcome,
) -> Result<()> {
    let reader = ObjectReader { connection, uri, version_id: None, key: customer_key(encryptor) };
    let bytes = reader.whole(MAX_INSTRUCTION_FILE_BYTES).await?;
    let bytes = bytes.ok_or_else(|| Error::NotFound { subject: uri.into(), source: None })?;
    let sum = stored.checksum.as_ref().map(|(algorithm, sent)| (algorithm.sum(&bytes).base64(), sent));
    match sum {
        Some((read, sent)) if read == *sent => Ok(()),
        _ => Err(Error::tampered(uri, "the server gives other bytes than it was sent")),
    }
}

/// Removes the scratch object as it was stored; of a bucket with versions that version, for good.
async fn remove(
    connection: &Connection,
    uri: &S3Uri,
    encryptor: &Encryptor,
    stored: &PutOutcome,
) -> Result<()> {
    match (&stored.version_id, &stored.etag) {
        (None, Some(etag)) => connection.remove_if(uri, etag, customer_key(encryptor)).await,
        (version_id, _) => connection.remove(uri, version_id.as_deref()).await,
    }
}
