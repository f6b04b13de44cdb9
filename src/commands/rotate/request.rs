//! A whole rotation: the journal, leftovers of an earlier run, the plan and its confirmation, the objects.
//!
//! [`super`] rotates one object, `bulk` finds the objects. The caller asks and prints: it gets the plan and each
//! object's outcome.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Semaphore;

use crate::aws::Connection;
use crate::aws::listing::Listed;
use crate::commands::bulk::{Row, counting_ahead};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::first_object_gate::FirstObjectGate;
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::rules::{Encrypted, Requirements};
use crate::transfer::{Cancellation, blocking};
use crate::transfer_options::TransferOptions;

use super::Allowed;
use super::bulk::{BulkRotation, Plans, RotateRow};
use super::cleanup;
use super::desired_encryption::DesiredEncryption;
use super::filters::Filters;
use super::identity::Identity;
use super::journal::{Journal, JournalLocation};
use super::lock::LockableBuckets;
use super::preserve::Loss;
use super::rotation::{LastKey, Rotation};
use super::scratch;
use super::strategy::Strategy;

/// What a rotation is asked to do.
pub(crate) struct RotateRequest {
    /// Objects, prefixes and buckets.
    pub(crate) places: Vec<S3Uri>,
    /// The version to change, of one object.
    pub(crate) version_id: Option<String>,
    /// Which objects under the prefixes.
    pub(crate) chosen: Filters,
    /// Their new encryption.
    pub(crate) target: DesiredEncryption,
    /// The keys that decrypt them now.
    pub(crate) decryption_keys: DecryptionKeys,
    /// What rules demand of the objects.
    pub(crate) rules: Requirements,
    /// The new encryption, as far as rules depend on it.
    pub(crate) asked: Encrypted,
    /// What may be lost.
    pub(crate) accepted: Vec<Loss>,
    /// What the rotation of each may do.
    pub(crate) allowed: Allowed,
    /// Whether there is nothing to confirm; then no plan is made.
    pub(crate) confirmed: bool,
    /// Where the journal is.
    pub(crate) journal: JournalLocation,
    /// Part size, and the number of concurrent parts or re-encrypted objects.
    pub(crate) transfer_options: TransferOptions,
    /// The number of concurrent objects.
    pub(crate) jobs: NonZeroUsize,
    /// Counts objects as they are planned.
    pub(crate) planned: Meter,
    /// Counts objects and bytes as they are rotated.
    pub(crate) meter: Meter,
}

/// What a run reports while it runs.
pub(crate) enum Report<'a> {
    /// The plan is confirmed, and the objects begin.
    Begin,
    /// An object has been rotated, skipped, or has failed.
    Object(&'a RotateRow),
}

/// What a run has done.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Whether the plan was not confirmed; then nothing was done.
    pub(crate) declined: bool,
    /// Rotated objects, by strategy.
    pub(crate) strategies: BTreeMap<Strategy, u64>,
    /// Objects that were not selected, or that an earlier run has done.
    pub(crate) skipped: u64,
    /// Places in which nothing was found.
    pub(crate) empty: Vec<S3Uri>,
    /// Objects that could not be rotated.
    pub(crate) failed: u64,
    /// Stored bytes of the rotated objects that needed a change.
    pub(crate) bytes: u64,
    /// Older versions that stay under their old keys.
    pub(crate) old_versions: u64,
    /// The journal, if it is kept because it may be the only place that has an object's envelope.
    pub(crate) envelopes_in: Option<PathBuf>,
}

/// A run that ended before it reached every object.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// The stage that it had reached.
    pub(crate) stage: Stage,
    /// Why it ended.
    pub(crate) error: Error,
    /// What it had done.
    pub(crate) summary: Summary,
}

/// A stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The journal could not be opened.
    Journal,
    /// No object was changed yet.
    Preparation,
    /// Some objects may be changed.
    Objects,
}

/// The object, if a rotation is about one only, whose failure is then the failure of the run.
pub(crate) fn single(places: &[S3Uri], all_versions: bool) -> Option<&S3Uri> {
    match places {
        [place] if place.is_object() && !all_versions => Some(place),
        _ => None,
    }
}

/// Plans a rotation; nothing is changed, in S3 or in the journal.
///
/// # Errors
/// What a listing says; for a single object, what its HEAD says; `Interrupted`.
pub(crate) async fn dry_run(
    connection: &Connection,
    request: &RotateRequest,
    cancellation: &Cancellation,
) -> Result<Plans> {
    let transfer_options = request.transfer_options_of_each();
    let rotation = request.rotation(connection, &transfer_options, cancellation);
    request.plans(&request.work(&rotation, None)).await
}

/// Rotates all objects of the request: those in progress when it is cancelled are completed.
///
/// # Errors
/// `confirm`'s and `report`'s; what the journal or a listing says; for a single object, its own failure; `Interrupted`.
pub(crate) async fn run(
    connection: &Connection,
    request: &RotateRequest,
    cancellation: &Cancellation,
    confirm: impl AsyncFnOnce(&Plans) -> Result<bool>,
    report: impl AsyncFnMut(Report<'_>) -> Result<()>,
) -> Result<Summary, Stopped> {
    let mut summary = Summary::default();
    let stopped = |stage, error, summary| Stopped { stage, error, summary };
    let journal = match request.open_journal(connection.s3_url(), cancellation).await {
        Ok(journal) => journal,
        Err(error) => return Err(stopped(Stage::Journal, error, summary)),
    };
    let transfer_options = request.transfer_options_of_each();
    let rotation = request.rotation(connection, &transfer_options, cancellation);
    let work = request.work(&rotation, journal.as_ref());
    let ended = match request.prepare(&work, confirm).await {
        Ok(true) => {
            request.rotate(&work, &mut summary, report).await.map_err(|error| (Stage::Objects, error))
        }
        Ok(false) => {
            summary.declined = true;
            Ok(())
        }
        Err(error) => Err((Stage::Preparation, error)),
    };
    if let Some(journal) = journal {
        let is_visible = request.target.is_visible();
        let ended = ended.as_ref().map(|()| &summary).map_err(|(_, error)| error);
        let needed = needs_journal(ended, is_visible, journal.is_worth_keeping());
        if journal.has_open_envelopes() {
            summary.envelopes_in = Some(journal.path().to_owned());
        } else if request.journal.is_default() && !needed {
            // A journal that the user has named always stays.
            journal.finish();
        }
    }
    match ended {
        Ok(()) => Ok(summary),
        Err((stage, error)) => Err(stopped(stage, error, summary)),
    }
}

impl RotateRequest {
    fn single(&self) -> Option<&S3Uri> {
        single(&self.places, self.chosen.all_versions)
    }

    /// Many objects are processed concurrently, each sequentially; one object is processed in concurrent parts.
    fn transfer_options_of_each(&self) -> TransferOptions {
        let jobs = if self.single().is_some() { self.transfer_options.jobs } else { Some(NonZeroUsize::MIN) };
        TransferOptions { jobs, ..self.transfer_options }
    }

    fn rotation<'a>(
        &'a self,
        connection: &'a Connection,
        transfer_options: &'a TransferOptions,
        cancellation: &'a Cancellation,
    ) -> Rotation<'a> {
        Rotation {
            connection,
            decryption_keys: &self.decryption_keys,
            target: &self.target,
            rules: &self.rules,
            asked: &self.asked,
            accepted: &self.accepted,
            transfer_options,
            last_key: LastKey::default(),
            lockable: LockableBuckets::default(),
            objects_in_memory: Semaphore::new(self.transfer_options.parts_in_memory().get()),
            mode_proof: FirstObjectGate::default(),
            first_object: FirstObjectGate::default(),
            meter: &self.meter,
            cancellation,
        }
    }

    fn work<'a>(&'a self, rotation: &'a Rotation<'a>, journal: Option<&'a Journal>) -> BulkRotation<'a> {
        BulkRotation { rotation, chosen: &self.chosen, allowed: self.allowed, journal, jobs: self.jobs }
    }

    /// Opens the journal; to read a long one takes a while, for which a signal does not wait.
    async fn open_journal(
        &self,
        endpoint: Option<&str>,
        cancellation: &Cancellation,
    ) -> Result<Option<Journal>> {
        let (version_id, suffix) = (self.version_id.as_deref(), self.decryption_keys.suffix.as_ref());
        let identity = Identity::new(endpoint, &self.places, &self.chosen, version_id, suffix, &self.target);
        let (location, name) = (self.journal.clone(), identity.name());
        let endpoint = endpoint.map(str::to_owned);
        let opening = blocking(move || location.open(&name, endpoint.as_deref()));
        match cancellation.or(opening).await?? {
            // One object needs no journal, which would only help to clean up after a crash.
            Err(Error::Local { .. }) if self.single().is_some() && self.journal.is_default() => Ok(None),
            opened => opened,
        }
    }

    /// Removes leftovers of an earlier run, tests the server, and has the plan confirmed; true to go on.
    async fn prepare(
        &self,
        work: &BulkRotation<'_>,
        confirm: impl AsyncFnOnce(&Plans) -> Result<bool>,
    ) -> Result<bool> {
        if let Some(journal) = work.journal {
            let cleared = cleanup::clear(work.rotation, journal, &self.places);
            work.rotation.cancellation.or(cleared).await??;
        }
        if let (true, Some(place)) = (self.allowed.update_in_place, self.places.first()) {
            scratch::prove_update(work.rotation, work.journal, place).await?;
        }
        if self.confirmed {
            return Ok(true);
        }
        confirm(&self.plans(work).await?).await
    }

    async fn plans(&self, work: &BulkRotation<'_>) -> Result<Plans> {
        let mut plans = Plans::default();
        if let Some(uri) = self.single() {
            match work.plan_with_keys(uri, uri, self.version_id.as_deref()).await {
                Ok(plan) => plans.count(&plan),
                Err(Row::Failed { error, .. }) => return Err(*error),
                Err(_) => plans.skipped += 1,
            }
        } else {
            let plan = async {
                for place in &self.places {
                    let before = plans.counted();
                    work.plan(place, &mut plans, &self.planned).await?;
                    plans.empty.extend((plans.counted() == before).then(|| place.clone()));
                }
                Ok(())
            };
            Box::pin(counting_ahead(&self.planned, self.listings(work), |_| 0, plan)).await?;
        }
        Ok(plans)
    }

    async fn rotate(
        &self,
        work: &BulkRotation<'_>,
        summary: &mut Summary,
        mut report: impl AsyncFnMut(Report<'_>) -> Result<()>,
    ) -> Result<()> {
        if let Some(uri) = self.single() {
            report(Report::Begin).await?;
            let row = work.rotate(uri, uri, self.version_id.as_deref(), None).await;
            summary.count(&row);
            return match row {
                Row::Failed { error, .. } => Err(*error),
                row => report(Report::Object(&row)).await,
            };
        }
        report(Report::Begin).await?;
        let rotate = async {
            for place in &self.places {
                let before = summary.found();
                let report = async |row| {
                    summary.count(&row);
                    report(Report::Object(&row)).await
                };
                work.run(place, report).await?;
                summary.empty.extend((summary.found() == before).then(|| place.clone()));
            }
            Ok(())
        };
        Box::pin(counting_ahead(&self.meter, self.listings(work), |listed| listed.len, rotate)).await
    }

    /// Lists what is selected in all places.
    fn listings<'a>(&'a self, work: &'a BulkRotation<'_>) -> impl Stream<Item = Result<Listed>> + 'a {
        stream::iter(&self.places).flat_map(|place| Box::pin(work.listing(place)))
    }
}

/// Whether the next run needs the journal of a run that ended like this; `is_visible` says whether S3 shows what was
/// done, `is_worth_keeping` whether the journal has anything to continue.
fn needs_journal(ended: Result<&Summary, &Error>, is_visible: bool, is_worth_keeping: bool) -> bool {
    match ended {
        // An interrupted run may have left something behind, which only the journal knows.
        Err(error) => !leaves_nothing(error) || is_worth_keeping,
        Ok(summary) if summary.failed > 0 => true,
        // Only the journal knows what was written with an encryption context; a run that found nothing leaves it alone.
        Ok(summary) => is_worth_keeping && (!is_visible || summary.found() == 0),
    }
}

/// Whether an error leaves nothing in progress in S3.
fn leaves_nothing(error: &Error) -> bool {
    match error {
        Error::Network { why, .. } => why.is_about_trust(),
        Error::Unsupported { .. }
        | Error::KeyNeeded { .. }
        | Error::KeyWrong { .. }
        | Error::Tampered { .. }
        | Error::NotUnderstood { .. }
        | Error::AlteredInTransit { .. }
        | Error::NotAsAsked { .. }
        | Error::EnvelopeLost(_)
        | Error::TargetExists { .. }
        | Error::Changed { .. }
        | Error::InUse { .. }
        | Error::NotAsExpected { .. }
        | Error::BreaksRule { .. }
        | Error::EmptySource { .. }
        | Error::NoneMatch { .. } => true,
        _ => false,
    }
}

impl Summary {
    fn count(&mut self, row: &RotateRow) {
        match row {
            Row::Skipped { .. } | Row::Unselected => self.skipped += 1,
            Row::Failed { .. } => self.failed += 1,
            Row::Done(outcome) => {
                *self.strategies.entry(outcome.strategy).or_default() += 1;
                if outcome.strategy != Strategy::Nothing {
                    self.bytes = self.bytes.saturating_add(outcome.stored_len);
                }
                self.old_versions += u64::from(outcome.old_version.is_some());
            }
        }
    }

    /// Objects that were found.
    pub(crate) fn found(&self) -> u64 {
        self.selected() + self.skipped
    }

    /// Objects that were to be rotated.
    pub(crate) fn selected(&self) -> u64 {
        self.failed + self.strategies.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{NetworkFault, Signal, Subject};

    #[test]
    fn a_journal_stays_as_long_as_the_next_run_needs_it() {
        let subject = || Subject::other("s3://bkt/k");
        let done =
            |failed| Summary { strategies: [(Strategy::Reencrypt, 1)].into(), failed, ..Summary::default() };
        let (complete, partly, nothing) = (done(0), done(1), Summary::default());
        let refused = Error::Changed { subject: subject(), source: None };
        let interrupted = Error::Interrupted(Signal::Terminate);
        let timeout = Error::Network { subject: subject(), why: NetworkFault::Timeout, source: None };
        let stranger = Error::Network { subject: subject(), why: NetworkFault::Tls, source: None };
        // Visible and worthless, visible and worth keeping, invisible and worth keeping.
        for (ended, needed) in [
            (Ok(&complete), [false, false, true]),
            (Ok(&partly), [true, true, true]),
            (Ok(&nothing), [false, true, true]),
            (Err(&refused), [false, true, true]),
            (Err(&stranger), [false, true, true]),
            (Err(&interrupted), [true, true, true]),
            (Err(&timeout), [true, true, true]),
        ] {
            let cases = [(true, false), (true, true), (false, true)];
            assert_eq!(
                cases.map(|(visible, worth)| needs_journal(ended, visible, worth)),
                needed,
                "{ended:?}"
            );
        }
    }
}
