//! Going on with a download to a file that an earlier run of the same command has begun.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::error::Result;
use crate::location::Target;
use crate::transfer::pending_file::PendingFile;
use crate::transfer::resume::{self, DownloadRecord, Kept, Kind, Left, LeftFile, Record, WrittenRange};

use super::GetRequest;
use super::decryption::{Described, Opening};

/// Whether another run could go on with a download to a file: of a whole object larger than a part, whose format can be
/// decrypted in pieces.
///
/// # Errors
/// `Unsupported` for a message that cannot be decrypted.
pub(super) fn can_go_on(head: &ObjectHead, opening: &Opening, range_len: u64) -> Result<bool> {
    if head.etag.is_none() || head.len <= range_len || head.body.is_some() {
        return Ok(false);
    }
    Ok(match opening {
        Opening::AsItIs(range) => *range == (0..head.len),
        Opening::Range(..) => false,
        Opening::Whole(unwrapped) => unwrapped.opener()?.resumes_at().is_some(),
    })
}

/// The record of a download, and what is to be recorded.
pub(super) struct Resumption {
    record: Record,
    content: DownloadRecord,
    is_on: bool,
    /// What an earlier run has left.
    found: Option<(LeftFile, Vec<WrittenRange>)>,
}

impl Resumption {
    /// Opens the record of a download to a file. One with which no run `can_go_on` only gives up what was begun.
    ///
    /// # Errors
    /// `InUse` while another run fetches the same object to the same file.
    pub(super) fn open(
        request: &GetRequest,
        reader: &ObjectReader<'_>,
        head: &ObjectHead,
        opening: &Opening,
        can_go_on: bool,
    ) -> Result<Option<Self>> {
        let (Target::File(path) | Target::FileInNewDirectory(path)) = &request.target else {
            return Ok(None);
        };
        let format = Described::of(opening)
            .format
            .map_or_else(|| "as it is".to_owned(), |format| format!("{format:?}"));
        // The server chooses the ETag. The frames of two messages, each authentic, must not become one file.
        let message = opening.message_id().map(hex::encode).unwrap_or_default();
        let records = request.options.records.only_if(can_go_on);
        let source = request.source.to_string();
        let endpoint = reader.connection.s3_url();
        let version = request.version_id.as_deref().unwrap_or_default();
        let target = resume::absolute(path);
        let opened =
            records.open(Kind::Download, &[endpoint.unwrap_or_default(), &source, version, &target])?;
        let content = DownloadRecord {
            endpoint: endpoint.map(str::to_owned),
            source,
            version_id: head.version_id.clone(),
            etag: head.etag.clone().unwrap_or_default(),
            stored_len: head.len,
            options: resume::fingerprint(&[&format, &message]),
            file: LeftFile { path: path.clone(), device: 0, inode: 0 },
        };
        Ok(opened.map(|record| Self { record, content, is_on: records.is_on, found: None }))
    }

    /// Reads the record. Returns with it the temporary file of an earlier run: to go on with, if it has this object's bytes.
    pub(super) fn read(mut self) -> (Option<Self>, Option<Left>) {
        let left = self.left();
        (Some(self), left)
    }

    fn left(&mut self) -> Option<Left> {
        let (recorded, written) = self.record.read::<DownloadRecord, WrittenRange>()?;
        let fits = DownloadRecord { file: recorded.file.clone(), ..self.content.clone() };
        if self.is_on && recorded == fits {
            self.found = Some((recorded.file.clone(), written));
            return Some(Left::GoOn(recorded.file));
        }
        Some(Left::GiveUp(recorded.file))
    }

    /// Removes the record, once what it names is gone or in use.
    pub(super) fn give_up(self) {
        self.record.remove();
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
