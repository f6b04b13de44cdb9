//! Going on with an upload that an earlier run of the same command has begun.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::aws::upload::{FoundUpload, UploadTarget};
use crate::aws::{Connection, sse};
use crate::encryption::ServerSide;
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::object::{SECONDS_PER_DAY, Settings};
use crate::transfer::plan::UploadPlan;
use crate::transfer::resume::{self, BegunUpload, FileIdentity, Kind, Record, Records, UploadRecord};

/// The record of an upload, and what is to be recorded.
pub(super) struct Resumption {
    record: Record,
    content: UploadRecord,
    is_on: bool,
    /// Whether another run goes on with the upload, and does not only abort it: what is encrypted here is encrypted anew.
    goes_on: bool,
    /// Whether there is an upload.
    is_begun: AtomicBool,
}

impl Resumption {
    /// Opens the record of an upload from a file, which `path` names.
    ///
    /// # Errors
    /// `InUse` while another run uploads the same file to the same place.
    pub(super) fn open(
        records: &Records,
        path: &str,
        source: FileIdentity,
        plan: &UploadPlan,
        to: &UploadTarget<'_>,
    ) -> Result<Option<Self>> {
        let upload = begun(to.connection, to.uri, "");
        let endpoint = upload.endpoint.as_deref().unwrap_or_default();
        let opened = records.open(Kind::Upload, &[endpoint, path, &upload.target])?;
        let content = UploadRecord {
            upload,
            options: resume::fingerprint(&[
                &to.sse.map(described).unwrap_or_default(),
                // The condition is only that of the end.
                &format!("{:?}", without_date(to.settings)),
                to.algorithm.as_str(),
                if to.client_side { "client-side" } else { "" },
            ]),
            part_size: plan.part_size(1),
            source,
            retain_until: to.settings.lock.retain_until,
        };
        Ok(opened.map(|record| Self {
            record,
            content,
            is_on: records.is_on,
            goes_on: !to.client_side,
            is_begun: AtomicBool::new(false),
        }))
    }

    /// Finds the upload of an earlier run. One that does not fit any longer is aborted.
    ///
    /// # Errors
    /// `Network`, where nobody answers.
    pub(super) async fn find(&mut self, to: &UploadTarget<'_>) -> Result<Option<FoundUpload>> {
        let Some((recorded, _)) = self.record.read::<UploadRecord, ()>() else { return Ok(None) };
        let id = recorded.upload.upload_id.as_str();
        // Of a lock for a day, a run that goes on could find nothing left.
        let until = to.settings.retain_days.filter(|days| *days > 1).and_then(|_| self.kept_date(&recorded));
        let expected =
            UploadRecord { retain_until: until.or(self.content.retain_until), ..self.content_of(id) };
        if self.is_on && self.goes_on && recorded == expected && !id.is_empty() {
            match to.find(id).await {
                Ok(found) => {
                    if found.is_some() {
                        self.content.retain_until = expected.retain_until;
                    }
                    return Ok(found);
                }
                Err(error @ Error::Network { .. }) => return Err(error),
                // Without permission to list them, it starts anew.
                Err(_) => {}
            }
        }
        if recorded.upload.target == self.content.upload.target && !id.is_empty() {
            to.abort_earlier(id).await;
        }
        Ok(None)
    }

    /// The end of the retention of the recorded upload, which cannot be changed, if it is less than a day before the end that
    /// is asked for now.
    fn kept_date(&self, recorded: &UploadRecord) -> Option<i64> {
        let (recorded, asked) = (recorded.retain_until?, self.content.retain_until?);
        (asked - SECONDS_PER_DAY + 1..=asked).contains(&recorded).then_some(recorded)
    }

    /// The end of the retention that the object gets.
    pub(super) fn retain_until(&self) -> Option<i64> {
        self.content.retain_until
    }

    fn content_of(&self, id: &str) -> UploadRecord {
        let mut content = self.content.clone();
        id.clone_into(&mut content.upload.upload_id);
        content
    }

    /// Whether another run can go on with the upload once it is recorded.
    pub(super) fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Goes on with the upload that was found, or writes a record that names none yet, in place of an earlier one. Nothing, if
    /// that is not wanted or the record cannot be written, which would be too late once an upload is created: then the
    /// upload is aborted if it fails.
    pub(super) fn begin(self, found: Option<&FoundUpload>) -> Option<Self> {
        if found.is_some() {
            // The record says just this. Written again, it would be lost on a full disk.
            self.is_begun.store(true, Ordering::Relaxed);
            return Some(self);
        }
        if self.is_on && self.note("").is_ok() {
            return Some(self);
        }
        self.record.remove();
        None
    }

    /// Records the upload, before its first part is sent.
    ///
    /// # Errors
    /// `Local` for what the system refuses.
    pub(super) fn note(&self, id: &str) -> Result<()> {
        self.is_begun.store(!id.is_empty(), Ordering::Relaxed);
        self.record.write(&self.content_of(id))
    }

    /// Ends with the upload: the record stays only if the same command can go on.
    pub(super) fn end<T>(self, outcome: &Result<T>) {
        match outcome {
            Err(error) if self.goes_on && self.is_begun.into_inner() && resume::goes_on_after(error) => {}
            _ => self.record.remove(),
        }
    }
}

/// The settings without the end of the retention, if it was asked for in days, and so is another one in each run.
fn without_date(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    if settings.retain_days.is_some() {
        settings.lock.retain_until = None;
    }
    settings
}

/// The words in which a record names an upload.
pub(super) fn begun(connection: &Connection, target: &S3Uri, id: &str) -> BegunUpload {
    let endpoint = connection.s3_url().map(str::to_owned);
    BegunUpload { endpoint, target: target.to_string(), upload_id: id.to_owned() }
}

/// The mode with all that decides what S3 stores; of a key its fingerprint.
fn described(sse: &ServerSide) -> String {
    let more = match sse {
        ServerSide::SseKms { context, bucket_key, .. } => format!("{:?}{bucket_key}", context.pairs()),
        ServerSide::DsseKms { context, .. } => format!("{:?}", context.pairs()),
        ServerSide::SseS3 | ServerSide::SseC(_) => String::new(),
    };
    format!("{} {more}", sse::describe(sse))
}
