//! `put`: measure, begin, plan, run, check.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::aws::Connection;
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::aws::sse::Applied;
use crate::aws::upload::{Completed, UploadTarget};
use crate::checksum::Algorithm;
use crate::commands::asked_encryption::permitted;
use crate::commands::changes::{Action, Planned};
use crate::commands::encrypt::{Encryptor, ObjectEncryptor, prepare};
use crate::commands::verify_envelope::{SentEnvelope, verify_stored};
use crate::commands::verify_lock::{LockOutcome, verify_lock};
use crate::encryption::{Encryption, Format, KeyArn};
use crate::error::{Error, Result};
use crate::location::{S3Uri, Source};
use crate::meter::Meter;
use crate::object::{Lock, MTIME, Settings, WriteCondition, mtime_text};
use crate::rules::Requirements;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::pipe::pipe;
use crate::transfer::replaced_file::ReplacedFile;
use crate::transfer::resume::Records;
use crate::transfer::source::{Input, Parts};
use crate::transfer::upload::{self, Uploaded};
use crate::transfer::{Cancellation, blocking, plan};
use crate::transfer_options::TransferOptions;

pub(crate) mod bulk;
pub(crate) mod delete;
mod manifest;
mod resumption;
mod update;

use resumption::{Resumption, begun};

/// An upload of one object.
pub(crate) struct PutRequest {
    /// Where the bytes come from.
    pub(crate) source: Source,
    pub(crate) target: S3Uri,
    /// How it is stored.
    pub(crate) options: PutOptions,
}

/// How objects are stored, one or many.
pub(crate) struct PutOptions {
    /// How to encrypt; `None` is the bucket's default.
    pub(crate) encryption: Option<Encryption>,
    /// What rules demand of the objects.
    pub(crate) rules: Requirements,
    /// Headers, metadata, tags.
    pub(crate) settings: Settings,
    /// The condition of the write.
    pub(crate) condition: WriteCondition,
    /// The checksum sent along.
    pub(crate) checksum: Algorithm,
    /// Part size, jobs.
    pub(crate) transfer_options: TransferOptions,
    /// Whether an empty source is an error.
    pub(crate) fail_if_empty: bool,
    /// Where uploads under way are recorded.
    pub(crate) records: Records,
}

/// The outcome of `put`.
#[derive(Clone, Debug)]
pub(crate) struct PutOutcome {
    pub(crate) target: S3Uri,
    /// What S3 says it applied.
    pub(crate) applied: Applied,
    /// Bytes read.
    pub(crate) plain_len: u64,
    pub(crate) stored_len: u64,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub(crate) version_id: Option<String>,
    /// The checksum that was sent: algorithm and base64.
    pub(crate) checksum: Option<(Algorithm, String)>,
    /// Whether S3's answer was lost, and a comparison identified the stored object as the one sent.
    pub(crate) compared: bool,
    /// Whether the envelope of a client-side object was seen afterwards as it was sent.
    pub(crate) envelope: Option<Probe<()>>,
    /// The lock that was asked for.
    pub(crate) lock: Option<LockOutcome>,
    /// Parts sent; 0 for one request.
    pub(crate) parts: u32,
    /// The client-side format.
    pub(crate) format: Option<Format>,
    /// The fingerprint of the SSE-C key, or of the wrapping key if it is a local one.
    pub(crate) fingerprint: Option<String>,
    /// The keys in AWS KMS that wrap the data key of a client-side object.
    pub(crate) kms_keys: Vec<KeyArn>,
    /// Whether the encryption context contains the object's name.
    pub(crate) name_bound: bool,
    /// The namespace and name of each raw key, which other programs ask for (Encryption SDK).
    pub(crate) key_names: Vec<String>,
}

/// Stores one object.
///
/// # Errors
/// Errors of the source and S3; `Interrupted`; nothing partial remains. `NotAsAsked` and `EnvelopeLost` if the object
/// is stored otherwise than requested; `BreaksRule` before anything is sent.
pub(crate) async fn run(
    connection: &Connection,
    request: PutRequest,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<PutOutcome> {
    let PutRequest { source, target, mut options } = request;
    let beginning = begin(connection, source, &target, &mut options);
    let (input, encryptor) = cancellation.or(beginning).await.flatten()?;
    let budget = MemoryBudget::of_upload(&options.transfer_options, &connection.traffic);
    let storing =
        PutRun { connection, encryptor: &encryptor, options: &options, budget: &budget, meter, cancellation };
    storing.store(input, target, options.settings.clone()).await
}

/// Stores a few bytes, as [`run`] stores a file. `encryptor` takes the place of the encryption in `options`.
///
/// # Errors
/// As [`run`].
pub(crate) async fn store_bytes(
    connection: &Connection,
    encryptor: &Encryptor,
    options: &PutOptions,
    bytes: &[u8],
    target: &S3Uri,
    cancellation: &Cancellation,
) -> Result<PutOutcome> {
    cancellation.or(permitted(connection, encryptor, &options.rules, target)).await.flatten()?;
    let (mut writer, reader) = pipe();
    // One piece and the end are fewer than the pipe holds.
    writer.write(bytes)?;
    writer.end()?;
    let input = Input::pipe(target.into(), reader, Some(bytes.len() as u64));
    let (budget, meter) =
        (MemoryBudget::of_upload(&options.transfer_options, &connection.traffic), Meter::default());
    let storing = PutRun { connection, encryptor, options, budget: &budget, meter: &meter, cancellation };
    storing.store(input, target.clone(), options.settings.clone()).await
}

/// Finds out what [`run`] would do with a file; stores nothing.
///
/// # Errors
/// Those of the source; `BreaksRule`; `TargetExists` and `Changed` if the condition does not hold.
pub(crate) async fn plan(
    connection: &Connection,
    file: PathBuf,
    target: S3Uri,
    mut options: PutOptions,
    cancellation: &Cancellation,
) -> Result<Planned> {
    let beginning = begin(connection, Source::File(file.clone()), &target, &mut options);
    let (input, _) = cancellation.or(beginning).await.flatten()?;
    Ok(Planned {
        action: Action::Store,
        uri: Some(target),
        file: Some(file),
        bytes: input.len(),
        reason: None,
    })
}

/// Checks that an object may be stored so, and opens its source.
async fn begin(
    connection: &Connection,
    source: Source,
    target: &S3Uri,
    options: &mut PutOptions,
) -> Result<(Input, Encryptor)> {
    let encryptor = prepare(options.encryption.take()).await?;
    permitted(connection, &encryptor, &options.rules, target).await?;
    let input = blocking(move || Input::open(&source)).await??;
    may_write(connection, target, &options.condition).await?;
    Ok((input, encryptor))
}

/// What is the same for all objects of a run.
struct PutRun<'a> {
    connection: &'a Connection,
    encryptor: &'a Encryptor,
    options: &'a PutOptions,
    budget: &'a MemoryBudget,
    meter: &'a Meter,
    cancellation: &'a Cancellation,
}

impl PutRun<'_> {
    /// Uploads an opened source.
    async fn store(&self, input: Input, target: S3Uri, mut settings: Settings) -> Result<PutOutcome> {
        let Self { connection, encryptor, options, meter, cancellation, .. } = *self;
        if let Some(modified) = input.modified() {
            settings.metadata.entry(MTIME.to_owned()).or_insert_with(|| mtime_text(modified));
        }
        // Kills a source command when this ends, even while its output is still being read.
        let _child_guard = input.child_guard();
        let making = ObjectEncryptor::new(connection, encryptor, &target, input.len(), &mut settings);
        let mut object = cancellation.or(making).await.flatten()?;
        let sent = object.envelope(&target);
        if let Some(len) = input.len() {
            meter.expect(len);
        }
        let plan = plan::upload(input.len().map(|len| object.stored_len(len)), &options.transfer_options)?;
        let identity = input.identity();
        let records = options.records.only_if(plan.has_many_parts());
        let parts = Parts::new(input, object.seal.take(), plan, options.checksum)
            .refusing_empty(options.fail_if_empty);
        let replaced = OnceLock::new();
        let keep = |replacement| {
            let (record, old) = ReplacedFile::keep(&options.records, replacement);
            let _ = replaced.set(record);
            old
        };
        let to = UploadTarget {
            connection,
            uri: &target,
            sse: object.sse,
            rules: Some(&options.rules),
            client_side: object.format.is_some(),
            settings: &settings,
            condition: &options.condition,
            algorithm: options.checksum,
            instruction_file: object.instruction_file(connection, &target).map(|file| file.calling(&keep)),
            on_start: None,
            is_resumable: false,
            found: None,
        };
        let resumption = match identity {
            Some((path, source)) => Resumption::open(&records, &path, source, &plan, &to)?,
            None => None,
        };
        let uploaded = self.upload(parts, to, resumption).await;
        if let Some(record) = replaced.into_inner().flatten() {
            record.end(&connection.open_uploads.replaced_instruction_files());
        }
        let (uploaded, lock) = uploaded?;
        let (envelope, lock) = self.verify(&target, &uploaded.completed, sent.as_ref(), &lock).await?;
        let client = encryptor.client_side();
        Ok(PutOutcome {
            envelope,
            lock,
            applied: uploaded.completed.applied,
            compared: uploaded.completed.compared,
            plain_len: uploaded.plain,
            stored_len: uploaded.stored,
            etag: uploaded.completed.etag,
            version_id: uploaded.completed.version_id,
            checksum: Some((options.checksum, uploaded.completed.checksum)),
            parts: uploaded.parts,
            format: object.format,
            fingerprint: object.fingerprint,
            kms_keys: client.map(|client| client.kms_arns(connection)).unwrap_or_default(),
            name_bound: client.is_some_and(|client| client.bind_name),
            key_names: object.key_names,
            target,
        })
    }

    /// Uploads, and goes on with the upload of an earlier run if there is one. Returns the lock that the object gets, too.
    async fn upload(
        &self,
        parts: Parts,
        mut to: UploadTarget<'_>,
        mut resumption: Option<Resumption>,
    ) -> Result<(Uploaded, Lock)> {
        let Self { connection, options, budget, meter, cancellation, .. } = *self;
        let mut lock = to.settings.lock.clone();
        if let Some(resumption) = &mut resumption {
            to.found = cancellation.or(resumption.find(&to)).await??;
            lock.retain_until = resumption.retain_until();
        }
        let resumption = resumption.and_then(|resumption| resumption.begin(to.found.as_ref()));
        let (uri, mark) = (to.uri, OnceLock::new());
        let note = |id: &str| {
            if let Some(resumption) = &resumption {
                return resumption.note(id);
            }
            let _ = mark.set(options.records.mark(&begun(connection, uri, id)));
            Ok(())
        };
        to.is_resumable = resumption.as_ref().is_some_and(Resumption::goes_on);
        to.on_start = Some(&note);
        let uploaded = upload::run(parts, &to, budget, meter, cancellation).await;
        if let Some(resumption) = resumption {
            resumption.end(&uploaded);
        }
        Ok((uploaded?, lock))
    }

    /// Looks at the stored object for what its upload's answer does not say: the envelope of a client-side object, and the
    /// lock that was asked for.
    async fn verify(
        &self,
        target: &S3Uri,
        stored: &Completed,
        sent: Option<&SentEnvelope>,
        lock: &Lock,
    ) -> Result<(Option<Probe<()>>, Option<LockOutcome>)> {
        let Self { connection, cancellation, .. } = *self;
        let reader = ObjectReader { connection, uri: target, version_id: None, key: None };
        let envelope = match sent {
            None => None,
            Some(sent) => Some(verify_stored(&reader, stored, sent, cancellation).await?),
        };
        let reader = ObjectReader { version_id: stored.version_id.as_deref(), ..reader };
        let lock = if *lock == Lock::default() {
            None
        } else {
            Some(verify_lock(&reader, lock, cancellation).await?)
        };
        Ok((envelope, lock))
    }
}

/// Checks the write condition before the upload, which S3 would refuse only at its end. S3 still decides; a denied HEAD
/// is ignored.
async fn may_write(connection: &Connection, target: &S3Uri, condition: &WriteCondition) -> Result<()> {
    if *condition == WriteCondition::None {
        return Ok(());
    }
    let reader = ObjectReader { connection, uri: target, version_id: None, key: None };
    let subject = target.into();
    match (reader.head().await, condition) {
        (Ok(_) | Err(Error::KeyNeeded { .. }), WriteCondition::Absent) => {
            Err(Error::TargetExists { subject })
        }
        (Ok(head), WriteCondition::Matches(etag)) if !same_etag(head.etag.as_deref(), etag) => {
            Err(Error::Changed { subject, source: None })
        }
        _ => Ok(()),
    }
}

/// Compares ETags, with or without their quotes.
pub(super) fn same_etag(found: Option<&str>, asked: &str) -> bool {
    found.is_some_and(|found| found.trim_matches('"') == asked.trim_matches('"'))
}
