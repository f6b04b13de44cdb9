//! Rotating everything under a prefix: which objects, a plan or an outcome for each, and the journal.
//!
//! An object that cannot be rotated is reported, and the others go on. One object is [`super`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;

use futures_util::{Stream, StreamExt};

use crate::aws::listing::{Listed, ListedKey};
use crate::commands::bulk::{Row, for_each_ordered, for_each_unordered};
use crate::error::{Error, Result, RotationRefusal};
use crate::limits::{MAX_ENCRYPTIONS_NAMED, MAX_REFUSALS_NAMED};
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::object::instruction_file_key;

use super::filters::Filters;
use super::journal::{Journal, ObjectJournal};
use super::object_state::ObjectState;
use super::rotation::Rotation;
use super::scratch;
use super::selector::Selector;
use super::strategy::{self, Cost, Desired, Server, Strategy};
use super::{Allowed, Plan, RotateOutcome, check, plan, write};

/// The outcome of one object; unselected is also one that an earlier run has rotated.
pub(crate) type RotateRow = Row<RotateOutcome>;

/// What would be done, by strategy.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    pub(crate) strategies: BTreeMap<Strategy, Cost>,
    /// How the objects that would be written are encrypted now, in words; at most one more than
    /// [`MAX_ENCRYPTIONS_NAMED`].
    pub(crate) current: BTreeSet<String>,
    /// Objects that could not be loaded, or are refused, by name.
    pub(crate) refused: Vec<Refused>,
    /// Refusals beyond those that are kept by name.
    pub(crate) more_refused: u64,
    /// Objects that an earlier run has rotated, or that are not selected.
    pub(crate) skipped: u64,
    /// Places in which nothing was found.
    pub(crate) empty: Vec<S3Uri>,
}

/// An object that would not be rotated.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The object, as the user would name it.
    pub(crate) name: String,
    /// Its version, if it is an older one.
    pub(crate) version_id: Option<String>,
    /// Why.
    pub(crate) error: Error,
}

impl fmt::Display for Refused {
    /// Its name, with its version.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.version_id.iter().try_for_each(|id| write!(f, " (version {id})"))
    }
}

impl Plans {
    /// Counts a plan.
    pub(crate) fn count(&mut self, plan: &Plan) {
        match &plan.strategy {
            Err(refusal) => {
                let ObjectState { uri, version_id, .. } = &plan.state;
                let error = Error::unsupported(plan.state.subject(), refusal.clone());
                self.refuse(Refused { name: uri.to_string(), version_id: version_id.clone(), error });
            }
            Ok(strategy) => {
                if *strategy != Strategy::Nothing && self.current.len() <= MAX_ENCRYPTIONS_NAMED {
                    self.current.insert(plan.state.current.to_string());
                }
                self.strategies.entry(*strategy).or_default().add(plan.cost);
            }
        }
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        if self.refused.len() < MAX_REFUSALS_NAMED {
            self.refused.push(refused);
        } else {
            self.more_refused += 1;
        }
    }

    /// Objects that cannot be rotated.
    pub(crate) fn cannot(&self) -> u64 {
        self.refused.len() as u64 + self.more_refused
    }

    /// Objects that were found.
    pub(crate) fn counted(&self) -> u64 {
        self.strategies.values().map(|cost| cost.objects).sum::<u64>() + self.cannot() + self.skipped
    }

    /// What would be written, by strategy.
    pub(crate) fn to_do(&self) -> impl Iterator<Item = (Strategy, Cost)> {
        let all = self.strategies.iter().map(|(strategy, cost)| (*strategy, *cost));
        all.filter(|(strategy, _)| *strategy != Strategy::Nothing)
    }
}

/// A rotation of many objects.
pub(crate) struct BulkRotation<'a> {
    /// What is the same for all objects.
    pub(crate) rotation: &'a Rotation<'a>,
    pub(crate) chosen: &'a Filters,
    /// What the rotation of each may do.
    pub(crate) allowed: Allowed,
    /// The journal.
    pub(crate) journal: Option<&'a Journal>,
    /// Concurrent objects.
    pub(crate) jobs: NonZeroUsize,
}

impl BulkRotation<'_> {
    /// Plans everything under a prefix, or one object.
    ///
    /// # Errors
    /// What the listing says; `Interrupted`.
    pub(crate) async fn plan(&self, place: &S3Uri, plans: &mut Plans, planned: &Meter) -> Result<()> {
        let work = |listed| async move {
            let (uri, version) = match named(place, listed) {
                Ok(named) => named,
                Err(row) => return Err(row),
            };
            self.plan_with_keys(place, &uri, version.as_deref()).await
        };
        let count = async |looked: Result<Plan, RotateRow>| {
            planned.end_object();
            match looked {
                Ok(plan) => plans.count(&plan),
                Err(Row::Failed { name, version_id, error }) => {
                    plans.refuse(Refused { name, version_id, error: *error });
                }
                Err(_) => plans.skipped += 1,
            }
            Ok(())
        };
        Box::pin(for_each_ordered(self.listing(place), self.jobs, self.rotation.cancellation, work, count))
            .await
    }

    /// Rotates everything under a prefix, and reports each object.
    ///
    /// # Errors
    /// What the listing, `report` or the journal says; `Interrupted`; `NotAsAsked` once the server ignores the requested encryption.
    /// What was reported until then is done.
    pub(crate) async fn run(
        &self,
        place: &S3Uri,
        mut report: impl AsyncFnMut(RotateRow) -> Result<()>,
    ) -> Result<()> {
        let work = |listed: Listed| async move {
            let len = listed.len;
            let row = self.rotate_listed(place, listed).await?;
            if !moves_bytes(&row) {
                self.rotation.meter.pass_over(len);
            }
            Ok(row)
        };
        let report = async |row: RotateRow| {
            let ignored = row.ends_run();
            report(row).await?;
            ignored.map_or(Ok(()), Err)
        };
        let (jobs, cancellation) = (self.jobs, self.rotation.cancellation);
        Box::pin(for_each_unordered(self.listing(place), jobs, cancellation, work, report)).await
    }

    async fn rotate_listed(&self, place: &S3Uri, listed: Listed) -> Result<RotateRow> {
        let etag = listed.etag.clone();
        let (uri, version) = match named(place, listed) {
            Ok(named) => named,
            Err(row) => return Ok(row),
        };
        match self.rotate(place, &uri, version.as_deref(), etag.as_deref()).await {
            // It was deleted in the meantime.
            Row::Failed { error, .. } if is_gone(&error, &uri) => Ok(Row::Unselected),
            Row::Failed { error, .. } if error.is_of_later() => Err(*error),
            row => Ok(row),
        }
    }

    /// Rotates one object of a place; a failure becomes a row.
    pub(crate) async fn rotate(
        &self,
        place: &S3Uri,
        uri: &S3Uri,
        version_id: Option<&str>,
        etag: Option<&str>,
    ) -> RotateRow {
        if self.is_finished(uri, version_id, etag) {
            return Row::Unselected;
        }
        let plan = match self.plan_object(place, uri, version_id).await {
            Ok(plan) => plan,
            Err(row) => return row,
        };
        match self.carry_out(plan).await {
            Ok(outcome) => Row::Done(Box::new(outcome)),
            Err(error) => Row::failed(uri.to_string(), version_id, error),
        }
    }

    /// One object goes first, to find out whether the server applies the requested encryption.
    async fn carry_out(&self, plan: Plan) -> Result<RotateOutcome> {
        let Rotation { target, first_object, cancellation, .. } = self.rotation;
        if plan.strategy == Ok(Strategy::Nothing) {
            return self.carry_out_alone(plan).await;
        }
        let replaces_ciphertext =
            plan.strategy == Ok(Strategy::Reencrypt) && plan.state.current.client_side.is_some();
        if replaces_ciphertext && target.client().is_none() {
            scratch::prove_mode(self.rotation, self.journal, &plan.state.uri).await?;
        }
        let admission = cancellation.or(first_object.admit()).await??;
        let outcome = self.carry_out_alone(plan).await;
        admission.end(&outcome);
        outcome
    }

    async fn carry_out_alone(&self, plan: Plan) -> Result<RotateOutcome> {
        let Plan { state, strategy, .. } = plan;
        let (uri, version) = (state.uri.clone(), state.version_id.clone());
        let journal = ObjectJournal { journal: self.journal, uri: &uri, version_id: version.as_deref() };
        self.rotation.meter.expect(state.head.len);
        let strategy = strategy.map_err(|refusal| Error::unsupported(state.subject(), refusal))?;
        let begins = strategy != Strategy::Nothing;
        let before = state.head.etag.clone();
        let is_recorded = self.is_done(&uri, version.as_deref(), before.as_deref());
        if begins {
            journal.begin(before.as_deref(), strategy)?;
        }
        let written = match write(self.rotation, &state, strategy, journal).await {
            Ok(written) => written,
            Err(error) => {
                if begins && is_final(&error) {
                    journal.refused()?;
                }
                return Err(error);
            }
        };
        let outcome = check(self.rotation, state, strategy, written, self.allowed).await?;
        // An ETag that stays cannot identify a rotated object: a rotation back to the old key has it, too.
        let identifies = outcome.etag != before || !begins && is_recorded;
        journal.done(outcome.etag.as_deref().filter(|_| identifies), outcome.verified)?;
        Ok(outcome)
    }

    /// Plans one object of a place, and tries the old keys on it: one that they do not open cannot be rotated.
    pub(crate) async fn plan_with_keys(
        &self,
        place: &S3Uri,
        uri: &S3Uri,
        version_id: Option<&str>,
    ) -> Result<Plan, RotateRow> {
        let plan = self.plan_object(place, uri, version_id).await?;
        match self.rotation.opens(&plan).await {
            Ok(()) => Ok(plan),
            Err(error) => Err(Row::failed(uri.to_string(), version_id, error)),
        }
    }

    /// Plans one object of a place; an object that will not be rotated becomes a row.
    pub(crate) async fn plan_object(
        &self,
        place: &S3Uri,
        uri: &S3Uri,
        version_id: Option<&str>,
    ) -> Result<Plan, RotateRow> {
        let only = &self.chosen.only;
        let planned = match plan(self.rotation, uri, version_id, self.allowed).await {
            // An instruction file is rewritten once, with its object, by this run too.
            Err(Error::Changed { .. }) if uri.key.ends_with(&instruction_file_key("", None)) => {
                plan(self.rotation, uri, version_id, self.allowed).await
            }
            planned => planned,
        };
        match planned {
            Ok(plan) if !self.chosen.selects(&plan.state) => Err(Row::Unselected),
            // One that is named itself is refused, so that nobody takes it for rotated.
            Ok(Plan { strategy: Err(RotationRefusal::InstructionFile), .. }) if !place.is_object() => {
                Err(Row::Unselected)
            }
            Ok(plan) if plan.state.current.instruction_file && version_id.is_none() => {
                match self.chosen.selects_object_of(self.rotation, place, uri).await {
                    Ok(true) => Err(Row::Unselected),
                    Ok(false) => Ok(self.already_written(plan)),
                    Err(error) => Err(Row::failed(uri.to_string(), version_id, error)),
                }
            }
            Ok(plan) => Ok(self.already_written(plan)),
            // An object in SSE-C with an unknown key is not selected by other modes.
            Err(error)
                if error.is_about_customer_key()
                    && !only.is_empty()
                    && !only.iter().any(Selector::may_be_hidden) =>
            {
                Err(Row::Unselected)
            }
            Err(error) => Err(Row::failed(uri.to_string(), version_id, error)),
        }
    }

    /// Whether the journal says that the object is rotated. Rotations to different passphrases share a journal, so it
    /// is not consulted for a passphrase.
    fn is_done(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        !self.rotation.target.has_passphrase()
            && self.journal.is_some_and(|journal| journal.is_done(uri, version_id, etag))
    }

    /// Whether nothing is left to do for an object, by the journal: where all of each is to be read, one that was not read,
    /// or was found damaged, is read now.
    fn is_finished(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        let is_verified = |journal: &Journal| journal.is_verified(uri, version_id, etag);
        self.is_done(uri, version_id, etag) && (!self.allowed.verify || self.journal.is_some_and(is_verified))
    }

    /// Consults the journal for what S3 does not show: a new data key or an encryption context.
    fn already_written(&self, plan: Plan) -> Plan {
        let Some(journal) = self.journal else { return plan };
        let Plan { state, strategy, cost } = plan;
        let (version, etag) = (state.version_id.as_deref(), state.head.etag.as_deref());
        let changed = journal.has_changed_since(&state.uri, version, etag);
        if self.is_done(&state.uri, version, etag) || changed && self.is_already_reencrypted(&state) {
            return Plan { state, strategy: Ok(Strategy::Nothing), cost };
        }
        // Ciphertext without an envelope looks like plaintext: an earlier run has written it, or did not come to decrypt it.
        let may_be_ciphertext = match self.rotation.target.desired {
            Desired::Client { .. } => changed && strategy == Ok(Strategy::Reencrypt),
            Desired::Server(_) => !journal.has_other_length_now(&state.uri, state.head.len),
        };
        let is_lost =
            may_be_ciphertext && state.current.client_side.is_none() && journal.has_open_envelope(&state.uri);
        let strategy = if is_lost { Err(RotationRefusal::EnvelopeLost) } else { strategy };
        Plan { state, strategy, cost }
    }

    /// Whether an earlier run completed a write but crashed before recording it: the object has changed since, and the
    /// new key decrypts it.
    fn is_already_reencrypted(&self, state: &ObjectState) -> bool {
        let mut desired = self.rotation.target.desired.clone();
        let Desired::Client { new_data_key: new_data_key @ true, .. } = &mut desired else { return false };
        *new_data_key = false;
        let server = Server { updates_in_place: false };
        strategy::strategy(&state.current, &desired, server) == Ok(Strategy::Nothing)
    }

    /// Lists the selected objects under a prefix, or the one object.
    pub(super) fn listing<'a>(&'a self, place: &'a S3Uri) -> impl Stream<Item = Result<Listed>> + 'a {
        let connection = self.rotation.connection;
        let listing = if self.chosen.all_versions {
            connection.list_versions(place, &|_| {}).left_stream()
        } else {
            connection.list(place).right_stream()
        };
        // The listing of one key also contains longer keys.
        let alone = place.is_object();
        listing.filter(move |listed| {
            let takes = listed.as_ref().map_or(true, |entry| {
                let key = entry.key.as_str();
                if alone { key == place.key } else { self.chosen.filter.takes(place.relative(key)) }
            });
            std::future::ready(takes)
        })
    }
}

/// The object and, for an older version, the version id of a listing's entry.
fn named(place: &S3Uri, listed: Listed) -> Result<(S3Uri, Option<String>), RotateRow> {
    let version = listed.version_id.filter(|_| listed.latest == Some(false));
    match listed.key {
        ListedKey::Text(key) => {
            // A leftover scratch object, or one that is about to be removed.
            if scratch::is_name(key.rsplit('/').next().unwrap_or_default()) {
                Err(Row::Unselected)
            } else {
                Ok((place.with_key(key), version))
            }
        }
        ListedKey::NotText(encoded) => Err(Row::not_text(&place.bucket, &encoded, version.as_deref())),
    }
}

/// Whether an object's bytes were counted as it was rotated.
fn moves_bytes(row: &RotateRow) -> bool {
    let Row::Done(outcome) = row else { return false };
    !matches!(outcome.strategy, Strategy::Nothing | Strategy::RewrapInstructionFile | Strategy::Share)
}

/// Whether the object itself, not its instruction file, no longer exists.
fn is_gone(error: &Error, uri: &S3Uri) -> bool {
    matches!(error, Error::NotFound { subject, .. } if *subject == uri.into())
}

/// Whether nothing is in progress after an error; after other errors S3 may still be writing.
fn is_final(error: &Error) -> bool {
    matches!(
        error,
        Error::Denied { .. }
            | Error::KeyNeeded { .. }
            | Error::KeyWrong { .. }
            | Error::Unsupported { .. }
            | Error::BreaksRule { .. }
            | Error::Changed { .. }
            | Error::NotFound { .. }
            | Error::Service { .. }
    )
}
