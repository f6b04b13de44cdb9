//! Runs a multipart copy: S3 copies ranges of an object into a multipart upload, several at once.
//!
//! No data passes through this machine. A failure or a signal aborts the multipart upload, as in
//! [`upload`](super::upload).

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::copy::CopySource;
use crate::aws::upload::{Completed, Sent, Started, UploadTarget};
use crate::checksum::{Sum, Whole};
use crate::defaults;
use crate::error::{Error, Result};
use crate::meter::Meter;
use crate::transfer::clean_up::clean_up_within;
use crate::transfer::upload::start;
use crate::transfer::{Cancellation, plan};
use crate::transfer_options::TransferOptions;

/// A copy in parts.
pub(crate) struct MultipartCopy<'a> {
    pub(crate) source: CopySource<'a>,
    /// Its length in bytes.
    pub(crate) len: u64,
    /// The size of a part in bytes.
    pub(crate) part_size: u64,
    /// The full-object checksum, if known, which S3 compares with that of the parts.
    pub(crate) whole: Option<&'a str>,
}

/// Copies all of the ranges into one object.
pub(crate) async fn run(
    copy: &MultipartCopy<'_>,
    to: &UploadTarget<'_>,
    transfer_options: &TransferOptions,
    meter: &Meter,
    cancellation: &Cancellation,
) -> Result<Completed> {
    let started = start(to, cancellation).await?;
    let outcome = cancellation.or(copy_all(copy, to, &started, transfer_options, meter)).await.flatten();
    if let Err(error) = &outcome {
        clean_up_within(to.abort(&started), Some(error), cancellation).await;
    }
    outcome
}

async fn copy_all(
    copy: &MultipartCopy<'_>,
    to: &UploadTarget<'_>,
    started: &Started,
    transfer_options: &TransferOptions,
    meter: &Meter,
) -> Result<Completed> {
    let numbered = (1_u32..).zip(plan::ranges(0..copy.len, copy.part_size));
    let mut copied: Vec<(Sent, Option<Sum>, u64)> = stream::iter(numbered)
        .map(|(number, range)| async move {
            let len = range.end - range.start;
            let _sending = meter.sending();
            let (sent, sum) = to.copy_part(started, number, copy.source, range).await?;
            meter.add(len);
            Ok::<_, Error>((sent, sum, len))
        })
        .buffer_unordered(transfer_options.jobs.unwrap_or(defaults::JOBS).get())
        .try_collect()
        .await?;
    copied.sort_by_key(|(sent, ..)| sent.number());
    let combined = combine(&copied, to);
    let whole = copy.whole.map(str::to_owned).or(combined);
    let sent = copied.into_iter().map(|(sent, ..)| sent).collect();
    to.complete(started, sent, whole.as_deref(), copy.len).await
}

/// The full-object checksum from those of the parts, if the server has sent them all.
fn combine(copied: &[(Sent, Option<Sum>, u64)], to: &UploadTarget<'_>) -> Option<String> {
    let mut whole = Whole::new(to.algorithm());
    for (_, sum, len) in copied {
        whole.append(sum.as_ref()?, *len);
    }
    Some(whole.base64())
}
