//! `get` of many objects into a directory.
//!
//! A small object takes one request, which returns its head and its bytes; nothing is released before both are checked.
//! All objects share one memory budget.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::aws::Connection;
use crate::aws::listing::ListedKey;
use crate::aws::read_object::ObjectReader;
use crate::commands::bulk::{Row, counting_ahead, for_each_unordered};
use crate::commands::changes::{Action, Change, LocalFile, Planned, Reason, reason_to_fetch};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::put::same_etag;
use crate::commands::sse_c_keys::{self, KeyedHead};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_FOLDER_OBJECT_BYTES;
use crate::location::{S3Uri, Target};
use crate::meter::Meter;
use crate::transfer::fetched_from;
use crate::transfer::memory_budget::MemoryBudget;
use crate::transfer::resume::Left;
use crate::transfer::target_directory::TargetDirectory;
use crate::transfer::{Cancellation, blocking};

use super::instruction_files::InstructionFiles;
use super::selection::{Selected, Selection, of_all};
use super::{Download, GetOptions, GetOutcome, GetRequest};

/// A download of many objects. The keys are passed separately, as [`DecryptionKeys`].
pub(crate) struct GetMany {
    pub(crate) selections: Vec<Selection>,
    /// The target directory.
    pub(crate) target: PathBuf,
    /// Whether to skip objects whose file is up to date.
    pub(crate) update: bool,
    /// Whether to write nothing, and only report what would be done.
    pub(crate) dry_run: bool,
    /// How the objects are fetched.
    pub(crate) options: GetOptions,
}

/// The outcome of one object; [`Row::Unselected`] for one that does not become a file.
pub(crate) type GetRow = Row<Change<GetOutcome>>;

/// Downloads all the objects, and reports each one.
///
/// # Errors
/// Errors of the listing, of [`Selection::objects`] and of `report`; errors that would affect every object;
/// `Interrupted`. What has been reported by then is complete.
pub(crate) async fn run(
    connection: &Connection,
    request: GetMany,
    decryption_keys: &DecryptionKeys,
    meter: &Meter,
    cancellation: &Cancellation,
    report: impl AsyncFnMut(GetRow) -> Result<()>,
) -> Result<()> {
    let folder = Arc::new(TargetDirectory::new(request.target.clone(), request.options.no_clobber)?);
    let budget = MemoryBudget::new(&request.options.transfer_options, &connection.traffic);
    let fetching = Download { connection, decryption_keys, budget: &budget, meter, cancellation };
    let instruction_files =
        InstructionFiles { download: fetching, raw: request.options.raw, expect: request.options.expect };
    let many = Many { fetching, request: &request, folder: folder.clone(), instruction_files };
    let (listing, ahead) = match request.selections.as_slice() {
        [one] => (one.objects(connection).left_stream(), one.objects(connection).left_stream()),
        // Two objects that map to the same file are detected before the first is fetched.
        several => {
            let objects = of_all(several, connection, cancellation).await?;
            if objects.iter().all(|object| object.len.is_some()) {
                let bytes = objects.iter().filter_map(|object| object.len).fold(0, u64::saturating_add);
                meter.find_all(objects.len() as u64, bytes);
            } else {
                meter.find_all(objects.len() as u64, 0);
            }
            (stream::iter(objects.into_iter().map(Ok)).right_stream(), stream::empty().right_stream())
        }
    };
    let work = |selected| many.object(selected);
    let work =
        for_each_unordered(listing, request.options.transfer_options.objects, cancellation, work, report);
    let len = |selected: &Selected<'_>| selected.len.unwrap_or_default();
    let ended = Box::pin(counting_ahead(meter, ahead, len, work)).await;
    // Complete files are kept, however the run ends.
    blocking(move || folder.sync_directory()).await?;
    ended
}

struct Many<'a> {
    fetching: Download<'a>,
    request: &'a GetMany,
    folder: Arc<TargetDirectory>,
    instruction_files: InstructionFiles<'a>,
}

impl Many<'_> {
    async fn object(&self, selected: Selected<'_>) -> Result<GetRow> {
        let len = selected.len.unwrap_or_default();
        let row = self.row(selected).await?;
        if !matches!(&row, Row::Done(done) if matches!(**done, Change::Transferred(_))) {
            self.fetching.meter.pass_over(len);
        }
        Ok(row)
    }

    async fn row(&self, selected: Selected<'_>) -> Result<GetRow> {
        let Selected { key, len, last_modified, etag, base } = selected;
        let ListedKey::Text(key) = &key else {
            return Ok(Row::not_text(&base.bucket, key.as_str(), None));
        };
        let uri = base.with_key(key.clone());
        let name = base.relative(key).to_owned();
        if name.is_empty() || name.ends_with('/') {
            return self.marker(&uri, name, len.unwrap_or_default()).await;
        }
        let shown = uri.to_string();
        let fetched = async {
            let target = self.folder.find(&name).map_err(|error| about(&uri, error))?;
            let reason = match len.filter(|_| self.request.update) {
                None => None,
                Some(len) => match self.reason(&target, len, last_modified.as_deref(), etag.as_deref()) {
                    None => return Ok(Some(Change::Unchanged)),
                    reason => reason,
                },
            };
            // An object that was not listed was named by the user, who wants it even if it is an instruction file.
            if let Some(len) = len
                && self.instruction_files.contain(&uri, len).await?
            {
                return Ok(None);
            }
            if self.request.dry_run {
                let (uri, file) = (Some(uri), Some(target));
                let planned = Planned { action: Action::Fetch, uri, file, bytes: len, reason };
                return Ok(Some(Change::Planned(planned)));
            }
            let _permit = self
                .fetching
                .cancellation
                .or(self.fetching.budget.acquire_object(len.unwrap_or(u64::MAX)))
                .await??;
            let fetched = self.fetch(uri, name, target, len).await?;
            Ok(Some(Change::Transferred(fetched)))
        };
        match fetched.await {
            Ok(None) => Ok(Row::Unselected),
            Ok(Some(change)) => Row::of(shown, Ok(change)),
            Err(error) => Row::over_network(shown, Err(error), self.fetching.connection.outage()),
        }
    }

    /// Why an object is to be fetched; `None` if its file is up to date.
    fn reason(
        &self,
        target: &Path,
        len: u64,
        last_modified: Option<&str>,
        etag: Option<&str>,
    ) -> Option<Reason> {
        let Ok(metadata) = fs::symlink_metadata(target) else { return Some(Reason::Missing) };
        let fetched = fetched_from::etag(target, &metadata).filter(|_| !self.request.options.raw);
        let is_of_this = fetched.zip(etag).map(|(fetched, etag)| same_etag(Some(&fetched), etag));
        let here = LocalFile { len: metadata.len(), changed: metadata.ctime(), is_of_this };
        let keys = self.fetching.decryption_keys;
        let may_be_client_side = !self.request.options.raw && !keys.opens_nothing_client_side();
        reason_to_fetch(here, len, last_modified, may_be_client_side, self.fetching.connection.clock_ahead())
    }

    async fn fetch(&self, uri: S3Uri, name: String, target: PathBuf, len: Option<u64>) -> Result<GetOutcome> {
        let request = GetRequest {
            source: uri,
            target: Target::File(target),
            version_id: None,
            range: None,
            if_match: None,
            unverified: false,
            options: self.request.options.clone(),
        };
        let folder = self.folder.clone();
        let open = move |left: Option<&Left>| folder.place(&name)?.open_over(left);
        let (outcome, new_in) = self.fetching.fetch(request, len, open, false).await?;
        if new_in.is_some_and(|new_in| self.folder.note_new_entry(new_in)) {
            let folder = self.folder.clone();
            blocking(move || folder.sync_directory()).await?;
        }
        Ok(outcome)
    }

    /// Makes the directory for a folder object: an empty object whose key ends in `/`, as the S3 console creates it.
    async fn marker(&self, uri: &S3Uri, name: String, len: u64) -> Result<GetRow> {
        match self.has_content(uri, len).await {
            Ok(false) => {}
            Ok(true) => {
                let why = format!("its key ends in / like a folder's, but it has {len} bytes");
                return Ok(Row::refused(uri, why));
            }
            Err(error) => {
                let outage = self.fetching.connection.outage();
                return Row::over_network(uri.to_string(), Err(error), outage);
            }
        }
        if name.is_empty() || self.request.dry_run {
            return Ok(Row::Unselected);
        }
        let folder = self.folder.clone();
        let made = {
            let name = name.clone();
            blocking(move || folder.make(&name)).await?
        };
        match made.map_err(|error| about(uri, error)) {
            Ok(()) => Ok(Row::Unselected),
            Err(error) => Row::of(uri.to_string(), Err(error)),
        }
    }

    /// Whether an object with so many bytes has any content: encrypted client-side, an empty one has bytes, too.
    async fn has_content(&self, uri: &S3Uri, len: u64) -> Result<bool> {
        if len == 0 || len > MAX_FOLDER_OBJECT_BYTES || self.request.options.raw {
            return Ok(len > 0);
        }
        let Download { connection, decryption_keys, cancellation, .. } = self.fetching;
        let keyed = sse_c_keys::head(connection, uri, None, &decryption_keys.customer_keys, None);
        let KeyedHead { head, customer_key } = cancellation.or(keyed).await??;
        let reader = ObjectReader { connection, uri, version_id: None, key: customer_key.as_ref() };
        let verified = cancellation.or(self.fetching.verify(&reader, &head, false)).await??;
        Ok(verified.plain_len > 0)
    }
}

/// Makes an error name the object instead of its path in the directory.
fn about(uri: &S3Uri, error: Error) -> Error {
    match error {
        Error::Unsupported { subject: Subject::Other(_), why } => Error::unsupported(uri, why),
        error => error,
    }
}
