//! `inspect`: reports how objects and buckets are encrypted; nothing is changed.
//!
//! It covers one object in full, a bucket's settings, or an audit of many objects. A denied request becomes part of the
//! report, so that the report shows as much as the permissions allow. If the data is read too, a denied request is a
//! failure: an object passes only if all of it was read and verified.

use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{Stream, StreamExt};

use crate::aws::Connection;
use crate::aws::kms::KmsKeyFacts;
use crate::aws::listing::{Listed, ListedKey};
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::aws::transport::Transport;
use crate::commands::bulk::{Row, counting_ahead, for_each_ordered};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::sse_c_keys::{KeyedHead, head, head_without_checksum};
use crate::encryption::KmsKey;
use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::pattern::Filter;
use crate::rules::Requirements;
use crate::transfer::Cancellation;

mod bucket_requirements;
mod client_side;
pub(crate) mod comparison;
pub(crate) mod expect;
pub(crate) mod inventory;
pub(crate) mod outcome;
mod read_data;
pub(crate) mod sample;
pub(crate) mod summary;

pub(crate) use bucket_requirements::with_bucket_requirements;
use expect::{Expectation, judge};
use outcome::{CustomerKeyFit, InspectOutcome};
pub(crate) use read_data::ReadData;
use summary::Summary;

/// The options of `inspect`.
pub(crate) struct InspectOptions {
    /// SSE-C keys, with which such objects can be inspected in full, and keys to try on client-side envelopes. KMS is
    /// asked to decrypt only if the data is read.
    pub(crate) keys: DecryptionKeys,
    /// Whether to read the data, and of which objects.
    pub(crate) read: Option<ReadData>,
    /// How objects should be encrypted: any one of these is enough. Empty if nothing is expected.
    pub(crate) expected: Vec<Expectation>,
    /// For [`Expectation::Rules`]: what the configured rules require, or the bucket itself where no rule applies.
    pub(crate) rules: Requirements,
    /// Whether to search for client-side formats that leave no sign in the metadata, with one or two more requests per
    /// object.
    pub(crate) deep: bool,
    /// Whether to inspect all versions, not only the current one.
    pub(crate) all_versions: bool,
    /// Which keys under the prefix to inspect.
    pub(crate) filter: Filter,
    /// Objects inspected concurrently.
    pub(crate) jobs: NonZeroUsize,
}

/// The full report on one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectReport {
    pub(crate) outcome: InspectOutcome,
    /// The KMS key that S3 uses for it.
    pub(crate) kms_key: Option<KmsKeySeen>,
    /// How the requests were sent.
    pub(crate) transport: Option<Transport>,
}

/// What KMS says about a key, as far as permissions allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KmsKeySeen {
    /// The key, as S3 names it.
    pub(crate) key: String,
    /// The answer of `kms:DescribeKey`.
    pub(crate) metadata: Probe<KmsKeyFacts>,
    pub(crate) aliases: Probe<Vec<String>>,
}

/// The outcome of one of many objects.
pub(crate) type InspectRow = Row<InspectOutcome>;

/// What every inspection needs.
#[derive(Clone, Copy)]
pub(crate) struct Inspector<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) options: &'a InspectOptions,
    pub(crate) meter: &'a Meter,
    pub(crate) cancellation: &'a Cancellation,
}

/// Inspects one object in full.
pub(crate) async fn object(
    inspector: Inspector<'_>,
    uri: &S3Uri,
    version_id: Option<&str>,
) -> Result<ObjectReport> {
    let Inspector { connection, options, .. } = inspector;
    let keys = &options.keys.customer_keys;
    let mut checksum = None;
    let keyed = match head(connection, uri, version_id, keys, None).await {
        Err(error) if options.read.is_some() => return Err(error),
        Err(refusal) if is_about_checksum(&refusal) => {
            checksum = Some(Probe::of(Err(refusal), "kms:Decrypt"));
            head_without_checksum(connection, uri, version_id, keys).await
        }
        keyed => keyed,
    };
    let mut outcome = outcome(inspector, uri, version_id, keyed, true).await?;
    if outcome.stored_len.is_none() {
        outcome = listed(connection, outcome).await;
    }
    let kms_key = match &outcome.at_rest.applied.kms_key {
        Some(key) => Some(kms_key(connection, key).await),
        None => None,
    };
    let transport = connection.transport();
    if let Some(unseen) = checksum {
        outcome.checksum = unseen;
    }
    judge(&mut outcome, &options.expected, &options.rules);
    Ok(ObjectReport { outcome, kms_key, transport })
}

/// Reports on one object as on one of many: from its head, and from its envelope if its metadata points to one.
pub(crate) async fn brief_outcome(
    connection: &Connection,
    uri: &S3Uri,
    keys: &DecryptionKeys,
    cancellation: &Cancellation,
) -> Result<InspectOutcome> {
    let options = InspectOptions {
        keys: keys.clone(),
        read: None,
        expected: Vec::new(),
        rules: Requirements::default(),
        deep: false,
        all_versions: false,
        filter: Filter::default(),
        jobs: NonZeroUsize::MIN,
    };
    let inspector = Inspector { connection, options: &options, meter: &Meter::default(), cancellation };
    let keyed = head_without_checksum(connection, uri, None, &keys.customer_keys).await;
    outcome(inspector, uri, None, keyed, false).await
}

/// Inspects every object under a prefix, or all versions of one, and reports and counts each one.
///
/// # Errors
/// Errors of the listing and of `report`; `Interrupted`. What has been reported and counted by then is valid.
pub(crate) async fn audit(
    inspector: Inspector<'_>,
    place: &S3Uri,
    summary: &mut Summary,
    mut report: impl AsyncFnMut(&InspectRow) -> Result<()>,
) -> Result<()> {
    let Inspector { connection, options, meter, cancellation } = inspector;
    let markers = AtomicUsize::new(0);
    let count_markers = |count| {
        markers.fetch_add(count, Ordering::Relaxed);
    };
    let (taken, filtered_out) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let deleted_meanwhile = AtomicUsize::new(0);
    let count_filtered = |takes| {
        (if takes { &taken } else { &filtered_out }).fetch_add(1, Ordering::Relaxed);
    };
    let ahead = listing(connection, place, options, &|_| {}, &|_| {});
    let work = for_each_ordered(
        listing(connection, place, options, &count_markers, &count_filtered),
        options.jobs,
        cancellation,
        |entry| row(inspector, place, entry),
        async |row| match row {
            Row::Failed { error, .. } if is_gone(&error) => {
                deleted_meanwhile.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            // The transfer may have seen the signal first.
            Row::Failed { error, .. } if matches!(*error, Error::Interrupted(_)) => Err(*error),
            row => {
                count(summary, &row);
                report(&row).await
            }
        },
    );
    let len = |entry: &Listed| if options.read.is_some() { entry.len } else { 0 };
    let ended = Box::pin(counting_ahead(meter, ahead, len, work)).await;
    summary.delete_markers += markers.into_inner() as u64;
    summary.filtered_out += filtered_out.into_inner() as u64;
    summary.deleted_meanwhile += deleted_meanwhile.into_inner() as u64;
    summary.find(taken.into_inner() as u64);
    ended
}

/// Whether an object was deleted after it was listed. A missing instruction file does not count: that is a failure of
/// its object.
fn is_gone(error: &Error) -> bool {
    matches!(error, Error::NotFound { subject, .. } if !matches!(subject, Subject::InstructionFile(_)))
}

/// Lists the selected objects under a prefix, those of one key, or a sample of them. Calls `markers` with the number of delete markers,
/// and `filtered` for every object with whether it passes the filters.
fn listing<'a>(
    connection: &'a Connection,
    place: &'a S3Uri,
    options: &'a InspectOptions,
    markers: &'a (dyn Fn(usize) + Sync),
    filtered: &'a (dyn Fn(bool) + Sync),
) -> impl Stream<Item = Result<Listed>> + 'a {
    let listing = if options.all_versions {
        connection.list_versions(place, markers).left_stream()
    } else {
        connection.list(place).right_stream()
    };
    // The listing of one key also contains longer keys.
    let alone = place.is_object();
    let meant = listing.filter(move |listed| {
        let is_meant = listed.as_ref().map_or(true, |entry| !alone || entry.key.as_str() == place.key);
        std::future::ready(is_meant)
    });
    let taken = meant.filter(|listed| {
        let takes = listed.as_ref().map(|entry| options.filter.takes(place.relative(entry.key.as_str())));
        if let Ok(takes) = takes {
            filtered(takes);
        }
        std::future::ready(takes.unwrap_or(true))
    });
    match options.read.as_ref().and_then(|read| read.sample) {
        Some(sample) => sample.choose(taken).left_stream(),
        None => taken.right_stream(),
    }
}

/// Replaces expected aliases with the keys that they point to, so that these can be compared with the keys of objects.
///
/// # Errors
/// Errors of KMS, which requires `kms:DescribeKey`.
pub(crate) async fn resolve(connection: &Connection, expected: &mut [Expectation]) -> Result<()> {
    for one in expected {
        if let Expectation::Kms { key, .. } = one
            && key.is_alias()
        {
            *key = (&connection.resolve_key(key).await?).into();
        }
    }
    Ok(())
}

/// Asks KMS about the key of an object.
pub(crate) async fn kms_key(connection: &Connection, key: &str) -> KmsKeySeen {
    let not_a_key = || Probe::Unavailable("not a name that KMS accepts".to_owned());
    let Ok(named) = key.parse::<KmsKey>() else {
        return KmsKeySeen { key: key.to_owned(), metadata: not_a_key(), aliases: Probe::Known(Vec::new()) };
    };
    let (metadata, aliases) =
        futures_util::future::join(connection.describe_key(&named), connection.key_aliases(&named)).await;
    KmsKeySeen {
        key: key.to_owned(),
        metadata: Probe::of(metadata, "kms:DescribeKey"),
        aliases: Probe::of(aliases, "kms:ListAliases"),
    }
}

pub(crate) fn count(summary: &mut Summary, row: &InspectRow) {
    match row {
        Row::Done(outcome) => summary.count(outcome),
        Row::Skipped { .. } | Row::Unselected => {}
        Row::Failed { name, error, .. } => summary.fail(name.clone(), reason(error)),
    }
}

/// Why an object could not be inspected, in one line: the error without the object's name in front.
pub(crate) fn reason(error: &Error) -> String {
    match error {
        Error::NotFound { subject: Subject::Object { .. }, .. } => "does not exist".to_owned(),
        Error::Network { why, .. } => why.to_string(),
        Error::KeyNeeded { need, .. } => need.to_string(),
        Error::KeyWrong { why, .. } => why.to_string(),
        Error::Tampered { why, .. } => format!("cannot be trusted: {why}"),
        Error::Unsupported { why, .. } => why.to_string(),
        Error::NotUnderstood { why, .. } => {
            format!("the server sent an answer that was not understood: {why}")
        }
        Error::Service { code, source: Some(source), .. } => format!("{code}: {source}"),
        error => error.to_string(),
    }
}

async fn row(inspector: Inspector<'_>, place: &S3Uri, entry: Listed) -> InspectRow {
    let Inspector { connection, options, meter, .. } = inspector;
    let version_id = entry.version_id.as_deref();
    let uri = match &entry.key {
        ListedKey::Text(key) => place.with_key(key.clone()),
        ListedKey::NotText(encoded) => return Row::not_text(&place.bucket, encoded, version_id),
    };
    let keys = &options.keys.customer_keys;
    let keyed = if options.read.is_some() {
        head(connection, &uri, version_id, keys, None).await
    } else {
        head_without_checksum(connection, &uri, version_id, keys).await
    };
    match outcome(inspector, &uri, version_id, keyed, false).await {
        Ok(found) => {
            let mut outcome = found.listed(&entry);
            judge(&mut outcome, &options.expected, &options.rules);
            Row::Done(Box::new(outcome))
        }
        Err(error) => {
            if options.read.is_some() {
                meter.pass_over(entry.len);
            }
            Row::failed(uri.to_string(), version_id, error)
        }
    }
}

/// Whether a HEAD may be answered without the checksum: that alone needs the KMS key, and permission to use it.
fn is_about_checksum(refusal: &Error) -> bool {
    match refusal {
        Error::Denied { .. } => true,
        Error::KeyWrong { why, .. } => why.is_about_kms_key(),
        _ => false,
    }
}

/// Makes the outcome from a HEAD. A missing or wrong SSE-C key is an outcome too, unless the data is to be read.
async fn outcome(
    inspector: Inspector<'_>,
    uri: &S3Uri,
    version_id: Option<&str>,
    keyed: Result<KeyedHead>,
    alone: bool,
) -> Result<InspectOutcome> {
    let Inspector { connection, options, .. } = inspector;
    let tried = options.keys.customer_keys.len();
    let hidden = |fit| Ok(InspectOutcome::behind_customer_key(uri, version_id, fit));
    let keyed = match keyed {
        Ok(keyed) => keyed,
        Err(error) if options.read.is_some() => return Err(error),
        Err(error) if error.is_about_customer_key() => {
            return hidden(if tried == 0 {
                CustomerKeyFit::NotGiven
            } else {
                CustomerKeyFit::NoneFits { tried }
            });
        }
        Err(error) => return Err(error),
    };
    let KeyedHead { head, customer_key } = keyed;
    let reader = ObjectReader { connection, uri, version_id, key: customer_key.as_ref() };
    let client = client_side::detect(&reader, &head, options, alone).await?;
    let verified = match &options.read {
        Some(read) => Some(read.verify(inspector, &reader, &head, &client, alone).await?),
        None => None,
    };
    let fit =
        customer_key.as_ref().map(|key| CustomerKeyFit::Fits { fingerprint: key.fingerprint().to_string() });
    Ok(InspectOutcome::of(uri, head, fit, client).with_data(verified))
}

/// Adds what a listing says about an object whose HEAD was refused, if listing is allowed.
async fn listed(connection: &Connection, outcome: InspectOutcome) -> InspectOutcome {
    if outcome.version_id.is_some() {
        return outcome;
    }
    let uri = outcome.uri.clone();
    let first = pin!(connection.list(&uri)).next().await;
    match first {
        Some(Ok(entry)) if entry.key == ListedKey::Text(uri.key.clone()) => outcome.listed(&entry),
        _ => outcome,
    }
}
