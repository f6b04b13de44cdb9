//! Compares what is under a place with a manifest: from the listing, and from checksums only where the ETags differ.
//!
//! A copy or a rotation gives an object another ETag, although it stores the same bytes; then its checksum tells. Nothing is
//! read or changed. Both sides come sorted, so that memory does not grow with them.

use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::aws::Connection;
use crate::aws::listing::Listed;
use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::bulk::{Row, for_each_ordered};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::get::Download;
use crate::commands::manifest::{self, Entry, Head};
use crate::commands::merge::{Pair, merge};
use crate::commands::sse_c_keys::{KeyedHead, head};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_MANIFEST_BYTES;
use crate::location::{FileOrObject, S3Uri};
use crate::meter::Meter;
use crate::object::instruction_file_key;
use crate::pattern::Filter;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::sorter::{Sorted, Sorter};
use crate::transfer::{Cancellation, blocking, sink};
use crate::transfer_options::TransferOptions;

/// Entries that are taken from disk at once.
const BATCH: usize = 1000;

/// What is compared with what.
pub(crate) struct ComparisonRequest {
    /// The bucket, or a prefix that ends in `/`.
    pub(crate) place: S3Uri,
    pub(crate) manifest: FileOrObject,
    /// Which names under the place are compared.
    pub(crate) filter: Filter,
    /// Keys for objects in SSE-C, and for a manifest that is encrypted.
    pub(crate) keys: DecryptionKeys,
    /// Requests at once.
    pub(crate) jobs: NonZeroUsize,
}

/// One object, in the manifest or in the place or in both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) uri: S3Uri,
    /// What the manifest says; `None` for what it does not have, and for an instruction file, of which it has only the name.
    pub(crate) entry: Option<Entry>,
    /// What the listing says; `None` for what is not there.
    pub(crate) found: Option<Listed>,
    pub(crate) verdict: Verdict,
}

/// How an object compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same(By),
    /// Only the manifest has it.
    Missing,
    /// Why it is not the same.
    Changed(String),
    /// Only the place has it.
    Extra,
}

/// What shows that an object is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Size and ETag.
    Etag,
    /// Size and checksum.
    Checksum,
    /// Its name: an instruction file is only there.
    Name,
}

/// The outcome of one object.
pub(crate) type ComparedRow = Row<Compared>;

/// What the manifest lets one expect in the listing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Expected {
    name: String,
    kind: Kind,
}

/// An object comes before an instruction file of its name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Object(Box<Entry>),
    InstructionFile {
        /// Whether it must be there.
        is_needed: bool,
    },
}

/// A manifest that was read, and found whole.
pub(crate) struct ReadManifest {
    pub(crate) head: Head,
    subject: Subject,
    sorted: Sorted<Expected>,
}

/// Reads the manifest, and finds it whole before anything is compared. Only [`compare`] sees a name that comes twice.
///
/// # Errors
/// `NotFound`; those of a download; `Tampered`, `Unsupported` or `TooLarge` for what is no manifest.
pub(crate) async fn read(
    connection: &Connection,
    request: &ComparisonRequest,
    cancellation: &Cancellation,
) -> Result<ReadManifest> {
    let (subject, file) = match &request.manifest {
        FileOrObject::File(path) => {
            let opened = path.clone();
            // That of a pipe waits for its writer.
            let file = cancellation.or(blocking(move || File::open(opened))).await??;
            let file = file.map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => {
                    Error::NotFound { subject: path.into(), source: Some(error.into()) }
                }
                _ => Error::local("open", path)(error),
            })?;
            (Subject::from(path), file)
        }
        FileOrObject::Object(uri) => (uri.into(), fetch(connection, uri, &request.keys, cancellation).await?),
    };
    let (name, filter) = (subject.clone(), request.filter.clone());
    let reading = blocking(move || {
        let not_sorted = || Error::local("sort", &name);
        let mut sorter = Sorter::new();
        let head = manifest::read(&name, BufReader::new(file), |entry, len| {
            for expected in expectations(entry) {
                let len = match expected.kind {
                    Kind::Object(_) => len,
                    Kind::InstructionFile { .. } => expected.name.len(),
                };
                if filter.takes(&expected.name) {
                    sorter.push(expected, len).map_err(not_sorted())?;
                }
            }
            Ok(())
        })?;
        Ok((head, sorter.finish().map_err(not_sorted())?))
    });
    let (head, sorted) = cancellation.or(reading).await???;
    Ok(ReadManifest { head, subject, sorted })
}

/// Fetches a manifest into a file without a name, as `get` would.
async fn fetch(
    connection: &Connection,
    uri: &S3Uri,
    keys: &DecryptionKeys,
    cancellation: &Cancellation,
) -> Result<File> {
    let work = async {
        let KeyedHead { head, customer_key } = head(connection, uri, None, &keys.customer_keys, None).await?;
        if head.len > MAX_MANIFEST_BYTES {
            return Err(Error::too_large(uri, "it is longer than a manifest may be"));
        }
        let reader = ObjectReader { connection, uri, version_id: None, key: customer_key.as_ref() };
        let budget = MemoryBudget::new(&TransferOptions::default(), &connection.traffic);
        let meter = Meter::default();
        let download =
            Download { connection, decryption_keys: keys, budget: &budget, meter: &meter, cancellation };
        let (sink, file) = sink::spool()?;
        download.read(&reader, &head, false, sink).await?;
        Ok(file)
    };
    let mut file = cancellation.or(work).await??;
    std::io::Seek::rewind(&mut file).map_err(Error::local("read", uri))?;
    Ok(file)
}

/// The object of an entry, and its instruction file where it has one or may have one.
fn expectations(entry: Entry) -> impl Iterator<Item = Expected> {
    let file = (entry.instruction_file != Some(false)).then(|| Expected {
        name: instruction_file_key(&entry.name, None),
        kind: Kind::InstructionFile { is_needed: entry.instruction_file == Some(true) },
    });
    let object = Expected { name: entry.name.clone(), kind: Kind::Object(Box::new(entry)) };
    [object].into_iter().chain(file)
}

/// What is expected, sorted by name, each name once.
fn stream(
    subject: Subject,
    sorted: Sorted<Expected>,
) -> impl Stream<Item = Result<(Option<String>, Expected)>> {
    let batches = stream::try_unfold(sorted, |mut sorted| async move {
        let (batch, sorted) = blocking(move || {
            let batch: std::io::Result<Vec<_>> = sorted.by_ref().take(BATCH).collect();
            (batch, sorted)
        })
        .await?;
        let batch = batch.map_err(Error::local("read", Subject::other("a temporary file")))?;
        Ok((!batch.is_empty()).then(|| (stream::iter(batch.into_iter().map(Ok)), sorted)))
    });
    let mut last = None::<String>;
    batches.try_flatten().try_filter_map(move |expected: Expected| {
        let is_repeated = last.as_deref() == Some(&expected.name);
        let taken = match &expected.kind {
            Kind::Object(_) if is_repeated => {
                let why = format!("it has {} twice", expected.name);
                Err(Error::tampered(&subject, why))
            }
            // A file of that name was stored, too.
            Kind::InstructionFile { .. } if is_repeated => Ok(None),
            _ => {
                last = Some(expected.name.clone());
                Ok(Some((Some(expected.name.clone()), expected)))
            }
        };
        std::future::ready(taken)
    })
}

/// Compares everything under the place, and reports each object in the order of the keys.
///
/// # Errors
/// Errors of the listing and of `report`; `Tampered` for a name that comes twice; `Interrupted`.
pub(crate) async fn compare(
    connection: &Connection,
    request: &ComparisonRequest,
    manifest: ReadManifest,
    cancellation: &Cancellation,
    report: impl AsyncFnMut(ComparedRow) -> Result<()>,
) -> Result<()> {
    let ComparisonRequest { place, filter, keys, jobs, .. } = request;
    // What has a key that is not UTF-8 is extra: no manifest has it.
    let listed = connection.list(place).try_filter_map(|listed| {
        let is_taken = filter.takes(place.relative(listed.key.as_str()));
        let name = listed.key.bytes();
        let name = name.strip_prefix(place.key.as_bytes()).unwrap_or(&name).to_owned();
        std::future::ready(Ok(is_taken.then_some((name, listed))))
    });
    let pairs = merge(stream(manifest.subject, manifest.sorted), listed, Subject::prefix(place));
    let work = |pair| async move { one(connection, place, keys, pair).await };
    for_each_ordered(pairs.boxed_local(), *jobs, cancellation, work, report).await
}

async fn one(
    connection: &Connection,
    place: &S3Uri,
    keys: &DecryptionKeys,
    pair: Pair<Expected, Listed>,
) -> ComparedRow {
    let (expected, found) = match pair {
        Pair::First(expected) => (Some(expected), None),
        Pair::Both(expected, found) => (Some(expected), Some(found)),
        Pair::Second(found) => (None, Some(found)),
    };
    let name = expected.as_ref().map(|expected| format!("{}{}", place.key, expected.name));
    let key = name.or_else(|| found.as_ref().map(|found| found.key.as_str().to_owned()));
    let uri = place.with_key(key.unwrap_or_default());
    let kind = expected.map(|expected| expected.kind);
    let done =
        |entry, found, verdict| Row::Done(Box::new(Compared { uri: uri.clone(), entry, found, verdict }));
    match (kind, found) {
        (None, found) => done(None, found, Verdict::Extra),
        (Some(Kind::Object(entry)), None) => done(Some(*entry), None, Verdict::Missing),
        (Some(Kind::InstructionFile { is_needed: true }), None) => done(None, None, Verdict::Missing),
        (Some(Kind::InstructionFile { is_needed: false }), None) => Row::Unselected,
        (Some(Kind::InstructionFile { .. }), found) => done(None, found, Verdict::Same(By::Name)),
        (Some(Kind::Object(entry)), Some(found)) => {
            let verdict = match by_listing(&entry, &found) {
                Some(verdict) => Ok(verdict),
                None => by_checksum(connection, &uri, keys, &entry).await,
            };
            match verdict {
                Ok(verdict) => done(Some(*entry), Some(found), verdict),
                Err(error) => Row::failed(uri.to_string(), None, error),
            }
        }
    }
}

/// What the listing alone shows; `None` if only the checksum can tell.
fn by_listing(entry: &Entry, found: &Listed) -> Option<Verdict> {
    if entry.stored_bytes != found.len {
        return Some(Verdict::Changed(format!("{} B, not {} B", found.len, entry.stored_bytes)));
    }
    let etag = found.etag.as_deref().map(|etag| etag.trim_matches('"'));
    if etag.is_some() && etag == entry.etag.as_deref() {
        return Some(Verdict::Same(By::Etag));
    }
    let why = "another ETag, and the manifest has no checksum of it";
    entry.checksum.is_none().then(|| Verdict::Changed(why.to_owned()))
}

/// Asks for the checksum that S3 keeps.
async fn by_checksum(
    connection: &Connection,
    uri: &S3Uri,
    keys: &DecryptionKeys,
    entry: &Entry,
) -> Result<Verdict> {
    match head(connection, uri, None, &keys.customer_keys, None).await {
        Ok(KeyedHead { head, .. }) => Ok(by_head(entry, &head)),
        // Since it was listed.
        Err(Error::NotFound { .. }) => Ok(Verdict::Missing),
        Err(error) => Err(error),
    }
}

fn by_head(entry: &Entry, head: &ObjectHead) -> Verdict {
    let changed = |why: &str| Verdict::Changed(why.to_owned());
    let (Some(was), Some(is)) = (&entry.checksum, &head.checksum) else {
        return changed("another ETag, and S3 keeps no checksum that could be compared");
    };
    match () {
        () if head.len != entry.stored_bytes => changed("another size"),
        () if is.algorithm.as_str() != was.algorithm => Verdict::Changed(format!(
            "another ETag, and its checksum is {}, not {}",
            is.algorithm, was.algorithm
        )),
        () if is.value == was.value => Verdict::Same(By::Checksum),
        // Of other parts, which says nothing about the bytes.
        () if is.composite || was.value.contains('-') => {
            changed("another ETag, and a checksum of other parts")
        }
        () => Verdict::Changed(format!("another {}", is.algorithm)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::object_head::Checksum;
    use crate::checksum::Algorithm;
    use crate::commands::manifest::EntryChecksum;

    fn entry(checksum: Option<&str>) -> Entry {
        let checksum = checksum
            .map(|value| EntryChecksum { algorithm: "crc64nvme".to_owned(), value: value.to_owned() });
        Entry { stored_bytes: 3, etag: Some("e".to_owned()), checksum, ..Entry::default() }
    }

    #[test]
    fn a_listing_decides_by_size_and_etag_and_leaves_the_rest_to_the_checksum() {
        let listed = |len, etag: &str| Listed { len, etag: Some(etag.to_owned()), ..Listed::default() };
        let (with, without) = (entry(Some("c")), entry(None));
        for one in [&with, &without] {
            assert_eq!(by_listing(one, &listed(3, "\"e\"")), Some(Verdict::Same(By::Etag)));
            assert!(matches!(by_listing(one, &listed(4, "\"e\"")), Some(Verdict::Changed(_))));
        }
        assert_eq!(by_listing(&with, &listed(3, "\"f\"")), None);
        assert!(matches!(by_listing(&without, &listed(3, "\"f\"")), Some(Verdict::Changed(_))));
        let nothing = Entry { etag: None, ..without };
        let unlisted = Listed { len: 3, ..Listed::default() };
        assert!(
            matches!(by_listing(&nothing, &unlisted), Some(Verdict::Changed(_))),
            "no ETag is not the same ETag"
        );
    }

    #[test]
    fn a_checksum_decides_only_if_it_is_of_the_same_kind() {
        let head = |algorithm, value: &str| ObjectHead {
            len: 3,
            checksum: Some(Checksum { algorithm, value: value.to_owned(), composite: value.contains('-') }),
            ..ObjectHead::default()
        };
        let words = |entry: &Entry, head: &ObjectHead| match by_head(entry, head) {
            Verdict::Changed(why) => why,
            other => format!("{other:?}"),
        };
        let of = entry(Some("c"));
        assert_eq!(by_head(&of, &head(Algorithm::Crc64Nvme, "c")), Verdict::Same(By::Checksum));
        assert_eq!(words(&of, &head(Algorithm::Crc64Nvme, "d")), "another crc64nvme");
        assert!(words(&of, &head(Algorithm::Sha256, "c")).contains("is sha256, not crc64nvme"));
        assert!(words(&of, &head(Algorithm::Crc64Nvme, "d-2")).contains("of other parts"));
        assert!(words(&of, &ObjectHead { len: 3, ..ObjectHead::default() }).contains("no checksum"));
        let longer = ObjectHead { len: 4, ..head(Algorithm::Crc64Nvme, "c") };
        assert_eq!(words(&of, &longer), "another size");
    }
}
