//! Going on with a download to a file that an earlier run of the same command has begun.

use std::fs;

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::checksum::Verifier;
use crate::error::Result;
use crate::location::Target;
use crate::transfer::parallel_write::ParallelSink;
use crate::transfer::resume::{self, DownloadRecord, Kept, Kind, LeftFile, Record, Written};
use crate::transfer::sink::PendingFile;

use super::GetRequest;
use super::decryption::Opening;

/// The record of a download, and what is to be recorded.
pub(super) struct Resumption {
    record: Record,
    content: DownloadRecord,
    is_on: bool,
    /// What an earlier run has left.
    found: Option<(LeftFile, Vec<Written>)>,
}

impl Resumption {
    /// Opens the record of a download of a whole object of more than one range to a file.
    ///
    /// # Errors
    /// `InUse` while another run fetches the same object to the same file.
    pub(super) fn open(
        request: &GetRequest,
        reader: &ObjectReader<'_>,
        head: &ObjectHead,
        opening: &Opening,
        verifier: Option<&Verifier>,
        range_len: u64,
    ) -> Result<Option<Self>> {
        let (Target::File(path) | Target::FileInNewDirectory(path)) = &request.target else {
            return Ok(None);
        };
        let Some(etag) = head.etag.clone().filter(|_| head.len > range_len && head.body.is_none()) else {
            return Ok(None);
        };
        let format = match opening {
            Opening::AsItIs(range) if *range == (0..head.len) && ParallelSink::takes(verifier) => {
                "as it is".to_owned()
            }
            Opening::Whole(unwrapped) if unwrapped.opener()?.resumes_at().is_some() => {
                format!("{:?}", unwrapped.format())
            }
            _ => return Ok(None),
        };
        let source = request.source.to_string();
        let endpoint = reader.connection.s3_url().unwrap_or_default();
        let version = request.version_id.as_deref().unwrap_or_default();
        let target = resume::absolute(path);
        let opened = request.records.open(Kind::Download, &[endpoint, &source, version, &target])?;
        let content = DownloadRecord {
            source,
            version_id: head.version_id.clone(),
            etag,
            stored_len: head.len,
            options: resume::fingerprint(&[&format]),
            file: LeftFile { path: path.clone(), device: 0, inode: 0 },
        };
        Ok(opened.map(|record| Self { record, content, is_on: request.records.is_on, found: None }))
    }

    /// The temporary file of an earlier run, if it has this object's bytes. That of another object is removed.
    pub(super) fn left(&mut self) -> Option<LeftFile> {
        let (recorded, written) = self.record.read::<DownloadRecord, Written>()?;
        let fits = DownloadRecord { file: recorded.file.clone(), ..self.content.clone() };
        if self.is_on && recorded == fits {
            self.found = Some((recorded.file.clone(), written));
            return Some(recorded.file);
        }
        if recorded.file.is_there() {
            let _ = fs::remove_file(&recorded.file.path);
        }
        None
    }

    /// Begins to record what comes into `pending`. Nothing, if that is not wanted or the record cannot be written: then
    /// nothing stays if the download fails.
    pub(super) fn begin(self, pending: &PendingFile) -> Option<Kept> {
        let Self { record, content, is_on, found } = self;
        let file = pending.left_file().filter(|_| is_on);
        let Some(file) = file else {
            record.remove();
            return None;
        };
        if let Some((_, written)) = found.filter(|(left, _)| *left == file) {
            return Some(Kept { record, written });
        }
        if record.write(&DownloadRecord { file, ..content }).is_ok() {
            return Some(Kept { record, written: Vec::new() });
        }
        record.remove();
        None
    }
}
