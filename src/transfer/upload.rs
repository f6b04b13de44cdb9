//! Uploads an object: reads parts from the source and sends them to S3 in parallel, in bounded memory, all or nothing.
//!
//! Whatever ends it early (an error, a signal) aborts the multipart upload, so that no parts remain to be billed. The
//! requests are in `aws`, passed in as an [`UploadTarget`].

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::upload::{Completed, Sent, Started, UploadTarget};
use crate::checksum::{Sum, Whole};
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::transfer::clean_up::clean_up_within;
use crate::transfer::concurrency::Slot;
use crate::transfer::memory_budget::{MemoryBudget, Permit};
use crate::transfer::source::{Part, Parts};
use crate::transfer::{Cancellation, blocking, resume};

/// The result of an upload.
pub(crate) struct Uploaded {
    /// S3's last answer.
    pub(crate) completed: Completed,
    /// Plaintext bytes read.
    pub(crate) plain: u64,
    /// Bytes stored.
    pub(crate) stored: u64,
    /// Parts sent; 0 for an upload in one request.
    pub(crate) parts: u32,
}

/// Uploads everything that `parts` yields.
pub(crate) async fn run(
    mut parts: Parts,
    to: &UploadTarget<'_>,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Uploaded> {
    parts = parts.sharing(budget.buffers()).showing(meter);
    meter.shows(to.connection.traffic.outgoing());
    let outcome = match first_parts(parts, to, budget, cancellation).await {
        Ok(([Some(first), None], parts)) if !parts.more_is_sure() => {
            one(first, parts, to, budget, meter, cancellation).await
        }
        Ok((ready, parts)) => multipart(ready, parts, to, budget, meter, cancellation).await,
        Err(error) => {
            if let Some(found) = to.found.as_ref().filter(|_| !can_go_on(to, &error)) {
                clean_up_within(to.abort_earlier(found.id()), Some(&error), cancellation).await;
            }
            Err(error)
        }
    };
    match &outcome {
        Ok(_) => to.has_its_instruction_file(),
        Err(error) => {
            clean_up_within(to.put_back(), Some(error), cancellation).await;
        }
    }
    outcome
}

/// Uploads what fits into one part: in one request, unless an instruction file must be replaced. Without it nobody can open the
/// object that is there, so the new one must be sent before, and only be completed after.
async fn one(
    first: Made,
    parts: Parts,
    to: &UploadTarget<'_>,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Uploaded> {
    if cancellation.or(to.replaces_instruction_file()).await?? {
        multipart([Some(first), None], parts, to, budget, meter, cancellation).await
    } else {
        put_object(first, to, budget, meter, cancellation).await
    }
}

/// Whether the same command can go on with the upload after this error.
fn can_go_on(to: &UploadTarget<'_>, error: &Error) -> bool {
    to.is_resumable && resume::goes_on_after(error)
}

/// Reads what decides between one request and parts; nothing, where that is known and the parts need no memory.
async fn first_parts(
    mut parts: Parts,
    to: &UploadTarget<'_>,
    budget: &MemoryBudget,
    cancellation: &Cancellation,
) -> Result<([Option<Made>; 2], Parts)> {
    if parts.can_stay_on_disk() && parts.are_many() {
        return Ok(([None, None], parts));
    }
    let permit = Some(cancellation.or(budget.acquire(parts.next_memory())).await??);
    let (first, second);
    (first, parts) = next(parts, cancellation).await?;
    let first = first.ok_or_else(|| Error::tampered(to.subject(), "the source gave no first part"))?;
    let first = Made { part: first, permit, slot: None };
    // Only the next part shows that a stream has ended here. It takes no permit: a task that holds one must not
    // wait for more.
    (second, parts) =
        if parts.ended() || parts.more_is_sure() { (None, parts) } else { next(parts, cancellation).await? };
    let second = second.map(|part| Made { part, permit: None, slot: None });
    Ok(([Some(first), second], parts))
}

async fn next(mut parts: Parts, cancellation: &Cancellation) -> Result<(Option<Part>, Parts)> {
    let work = blocking(move || parts.next_part().map(|part| (part, parts)));
    cancellation.or(work).await??
}

async fn put_object(
    made: Made,
    to: &UploadTarget<'_>,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Uploaded> {
    let Made { part, permit: _permit, .. } = made;
    let (plain, stored) = (part.plain, part.body.len());
    let slot = cancellation.or(budget.slot()).await??;
    let sending = meter.sending();
    let completed = cancellation.or(to.put(part.body, &part.sum)).await??;
    drop((slot, sending));
    meter.add(plain);
    Ok(Uploaded { completed, plain, stored, parts: 0 })
}

async fn multipart(
    ready: [Option<Made>; 2],
    parts: Parts,
    to: &UploadTarget<'_>,
    budget: &MemoryBudget,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Uploaded> {
    let started = start(to, cancellation).await?;
    let outcome = cancellation.or(send_all(ready, parts, to, &started, budget, meter)).await.flatten();
    if let Err(error) = &outcome
        && !can_go_on(to, error)
    {
        clean_up_within(to.abort(&started), Some(error), cancellation).await;
    }
    outcome
}

/// Starts a multipart upload. A signal in the meantime waits for the answer: an upload without a known id could not
/// be aborted.
pub(super) async fn start(to: &UploadTarget<'_>, cancellation: &Cancellation) -> Result<Started> {
    let mut starting = std::pin::pin!(to.start());
    let signal = tokio::select! {
        biased;
        signal = cancellation.wait() => signal,
        started = &mut starting => return started,
    };
    let late = async {
        if let Ok(started) = starting.await {
            to.abort(&started).await;
        }
    };
    let error = Error::Interrupted(signal);
    clean_up_within(late, Some(&error), cancellation).await;
    Err(error)
}

async fn send_all(
    ready: [Option<Made>; 2],
    parts: Parts,
    to: &UploadTarget<'_>,
    started: &Started,
    budget: &MemoryBudget,
    meter: &Meter,
) -> Result<Uploaded> {
    // Without TLS the signature covers the bytes, which must be in memory for it.
    let may_stay_on_disk = parts.can_stay_on_disk() && to.connection.is_over_tls();
    let sent: Vec<Done> = produce(ready, parts, budget, may_stay_on_disk)
        .map(|made| async move {
            let Made { part, permit: _permit, slot } = made?;
            let len = part.body.len();
            let found = to.found.as_ref().and_then(|found| found.part(part.number, &part.sum, len));
            let sent = if let Some(sent) = found {
                sent
            } else {
                let _slot = match slot {
                    Some(slot) => slot,
                    None => budget.slot().await?,
                };
                let _sending = meter.sending();
                let sent = to.send(started, part.number, part.body, &part.sum).await;
                // A file that has changed explains an error, and belies a success.
                if let Some(source) = &part.on_disk {
                    source.unchanged()?;
                }
                sent?
            };
            meter.add(part.plain);
            Ok::<_, Error>(Done { sent, sum: part.sum, len, plain: part.plain })
        })
        .buffer_unordered(budget.max_jobs())
        .try_collect()
        .await?;
    let _sending = meter.sending();
    complete(sent, to, started).await
}

struct Done {
    sent: Sent,
    sum: Sum,
    len: u64,
    plain: u64,
}

async fn complete(mut sent: Vec<Done>, to: &UploadTarget<'_>, started: &Started) -> Result<Uploaded> {
    sent.sort_by_key(|done| done.sent.number());
    let mut whole = Whole::new(to.algorithm());
    for done in &sent {
        whole.append(&done.sum, done.len);
    }
    let (plain, stored) =
        sent.iter().fold((0, 0), |(plain, stored), done| (plain + done.plain, stored + done.len));
    let parts = u32::try_from(sent.len()).unwrap_or(u32::MAX);
    let completed = to
        .complete(started, sent.into_iter().map(|done| done.sent).collect(), Some(&whole.base64()), stored)
        .await?;
    Ok(Uploaded { completed, plain, stored, parts })
}

/// A part with its permit, which is dropped once the part is sent.
struct Made {
    part: Part,
    permit: Option<Permit>,
    /// The slot that was taken before the part was read.
    slot: Option<Slot>,
}

/// Yields the parts that are ready, then reads further ones, each when the budget allows it.
fn produce(
    ready: [Option<Made>; 2],
    parts: Parts,
    budget: &MemoryBudget,
    may_stay_on_disk: bool,
) -> impl futures_util::Stream<Item = Result<Made>> {
    let rest = stream::unfold(Some(parts), move |parts| async move {
        let parts = parts.filter(|parts| !parts.ended())?;
        let made =
            if may_stay_on_disk { read_or_leave(parts, budget).await } else { read(parts, budget).await };
        match made {
            Ok((Some(made), parts)) => Some((Ok(made), Some(parts))),
            Ok((None, _)) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    stream::iter(ready.into_iter().flatten().map(Ok)).chain(rest)
}

async fn read(mut parts: Parts, budget: &MemoryBudget) -> Result<(Option<Made>, Parts)> {
    let permit = Some(budget.acquire(parts.next_memory()).await?);
    let part;
    (part, parts) = blocking(move || parts.next_part().map(|part| (part, parts))).await??;
    Ok((part.map(|part| Made { part, permit, slot: None }), parts))
}

/// As [`read`]: a part for which there is no memory stays on disk until it is sent. The slot is taken first, so that no part
/// is read before it can be sent.
async fn read_or_leave(mut parts: Parts, budget: &MemoryBudget) -> Result<(Option<Made>, Parts)> {
    let slot = Some(budget.slot().await?);
    let permit = budget.try_acquire(parts.next_memory());
    let stays = permit.is_none();
    let part;
    (part, parts) = blocking(move || {
        let part = if stays { parts.next_part_on_disk() } else { parts.next_part() };
        part.map(|part| (part, parts))
    })
    .await??;
    Ok((part.map(|part| Made { part, permit, slot }), parts))
}
