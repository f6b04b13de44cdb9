//! `get`: sends a HEAD, unwraps the data key, downloads, decrypts, and commits the target file.

use std::path::PathBuf;
use std::sync::Arc;

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::aws::sse::{Applied, AppliedMode};
use crate::checksum::{Algorithm, Verifier};
use crate::commands::changes::{Action, Planned};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::open_envelope;
use crate::commands::put::same_etag;
use crate::commands::sse_c_keys::{KeyedHead, head, head_with_body};
use crate::commands::unwrapped_envelope::{self, DecryptedBy, Envelope};
use crate::encryption::{KeyArn, Mode, StoredFormat};
use crate::error::{Error, Result, Subject};
use crate::keys::CustomerKey;
use crate::location::{ByteRange, S3Uri, Target};
use crate::meter::Meter;
use crate::rules::Requirements;
use crate::seal::detect::{self, Detected};
use crate::transfer::download::Pipeline;
use crate::transfer::memory_budget::{MemoryBudget, Permit};
use crate::transfer::parallel_write::Downloaded;
use crate::transfer::pending_file::{PendingFile, sync_directory};
use crate::transfer::repeat::Repeat;
use crate::transfer::resume::{Left, Records};
use crate::transfer::sink::{self, Sink, SinkTarget};
use crate::transfer::{Cancellation, blocking};
use crate::transfer_options::TransferOptions;

pub(crate) mod bulk;
mod decryption;
pub(crate) mod delete;
mod instruction_files;
mod resumption;
pub(crate) mod selection;
pub(crate) mod verify;
mod written;

use decryption::{Described, Opening, Transfer};
use resumption::Resumption;
use written::Written;

/// A download of one object. The keys are passed separately, as [`DecryptionKeys`].
pub(crate) struct GetRequest {
    pub(crate) source: S3Uri,
    /// Where the bytes go.
    pub(crate) target: Target,
    /// The version; `None` means the current one.
    pub(crate) version_id: Option<String>,
    /// The range of the plaintext; `None` means all of it.
    pub(crate) range: Option<ByteRange>,
    /// The ETag that the object must have.
    pub(crate) if_match: Option<String>,
    /// Whether a stream may receive plaintext before it is verified.
    pub(crate) unverified: bool,
    /// How it is fetched.
    pub(crate) options: GetOptions,
}

/// How objects are fetched, one or many.
#[derive(Clone)]
pub(crate) struct GetOptions {
    /// Whether to write the stored bytes, without client-side decryption.
    pub(crate) raw: bool,
    /// The encryption mode that an object must have; keys are used for no other mode.
    pub(crate) expect: Option<Mode>,
    /// What the configured rules require of an object.
    pub(crate) rules: Requirements,
    /// Whether an existing file must not be replaced.
    pub(crate) no_clobber: bool,
    /// Where downloads under way are recorded.
    pub(crate) records: Records,
    /// Range size and concurrency.
    pub(crate) transfer_options: TransferOptions,
}

/// The outcome of `get`.
#[derive(Clone, Debug)]
pub(crate) struct GetOutcome {
    pub(crate) source: S3Uri,
    /// Where the bytes went.
    pub(crate) target: Target,
    /// Bytes written.
    pub(crate) plain_len: u64,
    pub(crate) stored_len: u64,
    pub(crate) applied: Applied,
    /// The client-side format.
    pub(crate) format: Option<StoredFormat>,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    /// The result of the comparison with the checksum that S3 stores.
    pub(crate) checksum: ChecksumSeen,
    /// The fingerprint of the SSE-C key that it was fetched with.
    pub(crate) customer_key: Option<String>,
    /// How a client-side object was decrypted.
    pub(crate) opened: Option<DecryptedBy>,
}

/// The result of the comparison with the checksum that S3 stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumSeen {
    /// It matches.
    Verified(Algorithm, String),
    /// S3 stores none that s3seal can compute.
    NotKept,
    /// It could not be compared; the text says why.
    NotComparable(String),
}

/// Downloads one object.
pub(crate) async fn run(
    connection: &Connection,
    request: GetRequest,
    decryption_keys: &DecryptionKeys,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<GetOutcome> {
    let place = sink::prepare(&request.target, request.options.no_clobber)?;
    let budget = MemoryBudget::new(&request.options.transfer_options, &connection.traffic);
    let fetching = Download { connection, decryption_keys, budget: &budget, meter, cancellation };
    let waits_for_reader = matches!(place, SinkTarget::Stream(_));
    let open = move |left: Option<&Left>| place.open_over(left);
    let (outcome, folder) = fetching.fetch(request, None, open, waits_for_reader).await?;
    if let Some(folder) = folder {
        blocking(move || sync_directory(&folder)).await?;
    }
    Ok(outcome)
}

/// Finds out, for a dry run, what [`run`] would do.
///
/// # Errors
/// Errors of the target and of S3; `Changed` if the object has another ETag.
pub(crate) async fn plan(
    connection: &Connection,
    request: GetRequest,
    decryption_keys: &DecryptionKeys,
    cancellation: &Cancellation,
) -> Result<Planned> {
    sink::prepare(&request.target, request.options.no_clobber)?;
    let (keys, version_id) = (&decryption_keys.customer_keys, request.version_id.as_deref());
    let keyed = head(connection, &request.source, version_id, keys, request.options.expect);
    let keyed = cancellation.or(keyed).await.flatten()?;
    request.check_etag(&keyed.head)?;
    let file = match request.target {
        Target::File(path) | Target::FileInNewDirectory(path) => Some(path),
        Target::Stdout | Target::Terminal => None,
    };
    let (uri, bytes) = (Some(request.source), Some(keyed.head.len));
    Ok(Planned { action: Action::Fetch, uri, file, bytes, reason: None })
}

/// What all objects of a run share.
#[derive(Clone, Copy)]
pub(crate) struct Download<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) decryption_keys: &'a DecryptionKeys,
    pub(crate) budget: &'a MemoryBudget,
    pub(crate) meter: &'a Meter,
    pub(crate) cancellation: &'a Cancellation,
}

impl Download<'_> {
    /// Downloads one object to the target that `open` opens; `listed` is its length from a listing. A pipe opens only when
    /// somebody reads it: where it `waits_for_reader`, a signal ends that. Returns the directory that has a new entry, if it
    /// must still be synced.
    async fn fetch(
        &self,
        request: GetRequest,
        listed: Option<u64>,
        open: impl FnOnce(Option<&Left>) -> Result<(Sink, PendingFile)> + Send + 'static,
        waits_for_reader: bool,
    ) -> Result<(GetOutcome, Option<PathBuf>)> {
        let Self { connection, budget, meter, cancellation, .. } = *self;
        let ready = cancellation.or(self.prepare(&request, listed)).await??;
        let Ready { keyed: KeyedHead { mut head, customer_key }, opening, verifier, checksum, _permit } =
            ready;
        let reader = request.reader(connection, customer_key.as_ref());
        let described = Described::of(&opening);
        let can_go_on = resumption::can_go_on(&head, &opening, budget.part_size())?;
        let (resumption, left) = match Resumption::open(&request, &reader, &head, &opening, can_go_on)? {
            Some(resumption) => blocking(move || resumption.read()).await?,
            None => (None, None),
        };
        let in_memory = match (&opening, head.body.take()) {
            (Opening::AsItIs(_), Some(stored)) => Some((stored, None)),
            (Opening::Whole(unwrapped), Some(stored)) => Some((stored, Some(unwrapped.opener()?))),
            (Opening::Range(..), Some(_)) | (_, None) => None,
        };
        let written = if let Some((stored, opener)) = in_memory {
            meter.expect(head.len);
            let pipeline = move |out| Pipeline { verifier, open: opener, out, repeat: Repeat::No };
            let open = move || open(left.as_ref());
            Written::from_memory(stored, reader.subject(), pipeline, open, resumption, meter).await?
        } else {
            let opening_target = blocking(move || open(left.as_ref()));
            let (sink, pending) = if waits_for_reader {
                cancellation.or(opening_target).await???
            } else {
                opening_target.await??
            };
            let kept = resumption.and_then(|resumption| resumption.begin(&pending)).map(Arc::new);
            let transfer =
                Transfer { reader: &reader, head: &head, budget, meter, cancellation, kept: kept.clone() };
            let downloaded = transfer.run(opening, verifier, sink, pending.hides(), request.unverified).await;
            drop(transfer);
            Written { downloaded, pending, kept }
        };
        let (Downloaded { plain_len, is_some_skipped }, folder) =
            written.end(&request, &head, connection, cancellation).await?;
        let checksum = if is_some_skipped {
            ChecksumSeen::NotComparable("an earlier run fetched some of it".to_owned())
        } else {
            checksum
        };
        let outcome = GetOutcome {
            source: request.source,
            target: request.target,
            plain_len,
            stored_len: head.len,
            applied: head.applied,
            format: described.format,
            etag: head.etag,
            version_id: head.version_id,
            checksum,
            customer_key: customer_key.map(|key| key.fingerprint().to_string()),
            opened: described.opened,
        };
        Ok((outcome, folder))
    }

    /// Sends a HEAD, checks the object against what is required, unwraps the data key, and plans the download.
    async fn prepare(&self, request: &GetRequest, listed: Option<u64>) -> Result<Ready> {
        let (keyed, permit) = self.head(request, listed).await?;
        let (decryption_keys, head) = (self.decryption_keys, &keyed.head);
        let reader = request.reader(self.connection, keyed.customer_key.as_ref());
        request.check_etag(head)?;
        let envelope = if request.options.raw {
            None
        } else {
            open_envelope::envelope(&reader, head, decryption_keys).await?
        };
        let mut found = head
            .applied
            .encrypted(envelope.is_some() || request.options.raw && is_client_side(&reader, head));
        found.kms_keys.extend(envelope.iter().flat_map(Envelope::kms_keys));
        request.options.rules.permit(&request.source, &found)?;
        as_required(request.options.expect, decryption_keys, envelope.is_some(), head, &reader)?;
        let opening = match envelope {
            None => Opening::AsItIs(match request.range {
                None => 0..head.len,
                Some(range) => unwrapped_envelope::within(range, &reader.subject(), head.len)?,
            }),
            Some(envelope) => {
                let unwrapped =
                    open_envelope::unwrap_data_key(self.connection, envelope, decryption_keys).await?;
                found.kms_keys.extend(unwrapped.kms_key.iter().map(KeyArn::to_string));
                request.options.rules.permit(&request.source, &found)?;
                match request.range {
                    None => Opening::Whole(Box::new(unwrapped)),
                    Some(range) => {
                        let part = unwrapped.part(range, head.len)?;
                        let described = Described::of_sealed(&unwrapped, part.authenticated);
                        Opening::Range(Box::new(part), described)
                    }
                }
            }
        };
        let is_whole = match &opening {
            Opening::AsItIs(range) => *range == (0..head.len),
            Opening::Range(..) => false,
            Opening::Whole(_) => true,
        };
        let (verifier, checksum) = verifier(&reader, head, is_whole).await;
        Ok(Ready { keyed, opening, verifier, checksum, _permit: permit })
    }

    /// Gets the object's head. A small object's bytes come in the same response, and count against the memory budget.
    async fn head(&self, request: &GetRequest, listed: Option<u64>) -> Result<(KeyedHead, Option<Permit>)> {
        let (connection, uri, keys) = (self.connection, &request.source, &self.decryption_keys.customer_keys);
        let most = self.budget.part_size();
        if let Some(len) = listed.filter(|len| *len <= most) {
            let permit = self.budget.acquire(len).await?;
            let _slot = self.budget.slot().await?;
            let keyed = head_with_body(connection, uri, len, keys, request.options.expect).await?;
            // Without a body, the ranges fetched later take their own permits.
            let permit = keyed.head.body.is_some().then_some(permit);
            return Ok((keyed, permit));
        }
        let keyed =
            head(connection, uri, request.version_id.as_deref(), keys, request.options.expect).await?;
        Ok((keyed, None))
    }
}

impl GetRequest {
    fn check_etag(&self, head: &ObjectHead) -> Result<()> {
        match &self.if_match {
            Some(etag) if !same_etag(head.etag.as_deref(), etag) => {
                let subject = Subject::version(&self.source, self.version_id.as_deref());
                Err(Error::Changed { subject, source: None })
            }
            _ => Ok(()),
        }
    }

    fn reader<'a>(&'a self, connection: &'a Connection, key: Option<&'a CustomerKey>) -> ObjectReader<'a> {
        ObjectReader { connection, uri: &self.source, version_id: self.version_id.as_deref(), key }
    }
}

/// A download that is ready to start.
struct Ready {
    keyed: KeyedHead,
    opening: Opening,
    verifier: Option<Verifier>,
    checksum: ChecksumSeen,
    /// The permit for the bytes that came with the head.
    _permit: Option<Permit>,
}

/// Whether the metadata says that an object is encrypted client-side; without decryption, nothing proves it.
fn is_client_side(reader: &ObjectReader<'_>, head: &ObjectHead) -> bool {
    matches!(
        detect::detect(reader.subject(), &head.metadata),
        Ok(Detected::S3ec(_) | Detected::Esdk(_) | Detected::InstructionFileNeeded)
    )
}

/// Refuses an object that is not in the required mode, or that needs none of the given keys.
fn as_required(
    expect: Option<Mode>,
    decryption_keys: &DecryptionKeys,
    client_side: bool,
    head: &ObjectHead,
    reader: &ObjectReader<'_>,
) -> Result<()> {
    let found = if client_side { AppliedMode::Known(Mode::Client) } else { head.applied.mode.clone() };
    if let Some(expected) = expect
        && found != AppliedMode::Known(expected)
    {
        return Err(Error::NotAsExpected {
            subject: reader.subject(),
            expected: expected.title().to_owned(),
            found: found.to_string(),
        });
    }
    // Keys were given, so the object must need one: otherwise the user would believe that its bytes had been decrypted.
    if decryption_keys.has_keys() && !client_side && reader.key.is_none() {
        return Err(decryption_keys.not_applicable(reader.subject(), &head.applied));
    }
    Ok(())
}

/// Prepares the comparison with the checksum that S3 stores, if one is possible.
pub(super) async fn verifier(
    reader: &ObjectReader<'_>,
    head: &ObjectHead,
    is_whole: bool,
) -> (Option<Verifier>, ChecksumSeen) {
    let Some(kept) = &head.checksum else { return (None, ChecksumSeen::NotKept) };
    if !is_whole {
        return (
            None,
            ChecksumSeen::NotComparable(
                "it covers the whole object, but only a range was fetched".to_owned(),
            ),
        );
    }
    let seen = ChecksumSeen::Verified(kept.algorithm, kept.value.clone());
    if !kept.composite {
        return (Some(Verifier::full_object(kept.algorithm, &kept.value)), seen);
    }
    match reader.part_sizes().await {
        // The sizes are the server's: their sum may be beyond what can be counted.
        Ok(sizes) if sizes.iter().try_fold(0_u64, |sum, size| sum.checked_add(*size)) == Some(head.len) => {
            (Some(Verifier::composite(kept.algorithm, &kept.value, sizes)), seen)
        }
        Ok(_) => {
            (None, ChecksumSeen::NotComparable("the server does not list the sizes of the parts".to_owned()))
        }
        Err(error) => (None, ChecksumSeen::NotComparable(error.to_string())),
    }
}
