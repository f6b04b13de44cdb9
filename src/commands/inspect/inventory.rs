//! An audit from an S3 Inventory report: reads its manifest, then its files one after another, without a request per
//! object.
//!
//! Each file is downloaded to disk, checked against the manifest and read there; memory does not grow with its size.
//! What a report does not contain (keys, client-side envelopes) remains unknown.

use tokio::sync::mpsc;

use super::expect::judge;
use super::outcome::{AtRest, CustomerKeyFit, InspectOutcome};
use super::summary::Summary;
use super::{InspectOptions, InspectRow, count};
use crate::aws::Connection;
use crate::aws::inventory::{self, DataFile, Inventoried, Manifest};
use crate::aws::read_object::ObjectReader;
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_INVENTORY_MANIFEST_BYTES;
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::transfer::download::{self, Out, Pipeline};
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::pipe::other_end_dropped;
use crate::transfer::repeat::Repeat;
use crate::transfer::{Cancellation, blocking, sink};
use crate::transfer_options::TransferOptions;

/// The most batches that wait to be reported.
const WAITING: usize = 4;

/// Fetches and reads a manifest.
///
/// # Errors
/// Errors of S3; `NotFound`; `Tampered` or `Unsupported` if the object is not a manifest, or not one that can be used.
pub(crate) async fn manifest(connection: &Connection, uri: &S3Uri) -> Result<Manifest> {
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    let missing = || Error::NotFound { subject: uri.into(), source: None };
    let json = reader.whole(MAX_INVENTORY_MANIFEST_BYTES).await?.ok_or_else(missing)?;
    inventory::manifest(&uri.into(), &json)
}

/// Reports and counts every object of an inventory report.
///
/// # Errors
/// Errors of S3 and of `report`; `Tampered` for a file that does not match the manifest; `Interrupted`.
pub(crate) async fn audit(
    connection: &Connection,
    uri: &S3Uri,
    manifest: &Manifest,
    options: &InspectOptions,
    cancellation: &Cancellation,
    summary: &mut Summary,
    mut report: impl AsyncFnMut(&InspectRow) -> Result<()>,
) -> Result<()> {
    let source = S3Uri { bucket: manifest.source.clone(), key: String::new() };
    for data in &manifest.files {
        let place = uri.with_key(data.key.clone());
        let file = fetch(connection, &place, data, cancellation).await?;
        let (sender, mut batches) = mpsc::channel::<Vec<Inventoried>>(WAITING);
        let (format, data, subject) = (manifest.format.clone(), data.clone(), Subject::from(&place));
        let reading = tokio::spawn(blocking(move || {
            inventory::read(&subject, &format, &data, file, &mut |batch| {
                // The receiver is gone: the run has ended, and reports why.
                sender.blocking_send(batch).map_err(|_| other_end_dropped())
            })
        }));
        loop {
            let batch = tokio::select! {
                biased;
                signal = cancellation.wait() => return Err(Error::Interrupted(signal)),
                batch = batches.recv() => batch,
            };
            let Some(batch) = batch else { break };
            for object in batch {
                if object.deleted {
                    summary.delete_markers += 1;
                } else if is_wanted(&source, &object, options) {
                    let row = row(&source, object, options);
                    count(summary, &row);
                    report(&row).await?;
                } else {
                    summary.filtered_out += 1;
                }
            }
        }
        reading.await.map_err(|error| Error::local("read", "the report")(error.into()))???;
    }
    Ok(())
}

async fn fetch(
    connection: &Connection,
    uri: &S3Uri,
    data: &DataFile,
    cancellation: &Cancellation,
) -> Result<std::fs::File> {
    let reader = ObjectReader { connection, uri, version_id: None, key: None };
    let (sink, file) = sink::spool()?;
    if data.len > 0 {
        let pipeline = Pipeline { verifier: None, open: None, out: Out::Sink(sink), repeat: Repeat::No };
        let budget = MemoryBudget::new(&TransferOptions::default(), &connection.traffic);
        let meter = Meter::default();
        download::run(&reader, 0..data.len, None, pipeline, &budget, &meter, cancellation).await?;
    }
    Ok(file)
}

fn is_wanted(source: &S3Uri, object: &Inventoried, options: &InspectOptions) -> bool {
    let version = options.all_versions || object.listed.latest != Some(false);
    version && options.filter.takes(source.relative(object.listed.key.as_str()))
}

fn row(source: &S3Uri, object: Inventoried, options: &InspectOptions) -> InspectRow {
    let Inventoried { listed, applied, .. } = object;
    let customer_key = (applied.mode == AppliedMode::Known(Mode::SseC)).then_some(CustomerKeyFit::NotSaid);
    let uri = source.with_key(listed.key.as_str());
    let outcome = InspectOutcome::without_head(&uri, AtRest { applied, customer_key });
    let mut outcome = outcome.listed(&listed);
    if !options.all_versions {
        outcome.latest = None;
    }
    judge(&mut outcome, &options.expected, &options.rules);
    InspectRow::Done(Box::new(outcome))
}
