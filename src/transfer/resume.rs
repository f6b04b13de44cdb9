//! Records of transfers under way, so that the same command goes on after the process has ended in whatever way.
//!
//! A record is a file in the state directory, only for its owner, locked while a run works on it. That of an upload is
//! written before it is created, and gets its id before the first part is sent; that of a download before the first byte comes,
//! and lengthened when a piece is written. It is gone when the transfer is complete. It is not trusted: what it says is
//! compared with the source, with what S3 has, and with what is on disk. A record that is cut short or not understood counts
//! as none. An upload with which no run goes on has a record, too, as long as a run is at work on it: so others see that it is
//! in use.
//! All records are read, written and named here.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::checksum::Sum;
use crate::error::{Denial, Error, NetworkFault, Result, Subject};
use crate::transfer::locked_file;

/// A record is read up to here; one of a download of the most pieces takes nearly as much.
const MAX_RECORD_BYTES: u64 = 8 << 20;
/// The version of the format.
const VERSION: u32 = 1;

/// Whether the same command can go on after this error: it did not come from the transfer itself.
pub(crate) fn goes_on_after(error: &Error) -> bool {
    use NetworkFault::{Broken, Connect, Throttled, Timeout, Unavailable};
    matches!(
        error,
        Error::Network { why: Broken | Connect | Throttled | Timeout | Unavailable, .. }
            | Error::Interrupted(_)
            | Error::Denied { why: Denial::Expired, .. }
    )
}

/// Where records are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    /// The state directory; without one there are no records.
    pub(crate) folder: Option<PathBuf>,
    /// Whether to go on with what earlier runs have begun, and to leave records. Otherwise what they began is given up.
    pub(crate) is_on: bool,
}

impl Records {
    /// These, of a transfer with which no run goes on unless `can_go_on`: what an earlier run has begun is given up.
    pub(crate) fn only_if(&self, can_go_on: bool) -> Self {
        Self { is_on: self.is_on && can_go_on, ..self.clone() }
    }

    /// Marks an upload with which no run goes on as in use, as long as the mark is kept. Where it cannot be written, there is
    /// none: the upload works without.
    pub(crate) fn mark(&self, upload: &BegunUpload) -> Option<Mark> {
        let records = Self { is_on: true, ..self.clone() };
        let record = records.open(Kind::Upload, &[&upload.target, &upload.upload_id]).ok().flatten();
        let mark = Mark(record?);
        // Nobody needs it after a crash of the machine, so it need not be on the disk.
        mark.0.put(&Versioned { version: VERSION, content: upload }).ok()?;
        Some(mark)
    }

    /// Opens the record of this name, and locks it. Without a directory that can be written, or a record that is this
    /// user's own, there is none: a transfer works without.
    ///
    /// # Errors
    /// `InUse` while another run works on the same.
    pub(crate) fn open(&self, kind: Kind, names: &[&str]) -> Result<Option<Record>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        let path = folder.join(format!("{}-{}.json", kind.word(), name(names)));
        if !self.is_on && !path.exists() {
            return Ok(None);
        }
        let subject = Subject::other(names.last().copied().unwrap_or_default().to_owned());
        let owned = || {
            locked_file::close_folder(folder)?;
            let file = locked_file::open(&path, &subject)?;
            locked_file::claim(&file, geteuid().as_raw(), &subject)?;
            Ok(file)
        };
        match owned() {
            Ok(file) => Ok(Some(Record { path, file, is_surveyed: false })),
            Err(error @ Error::InUse { .. }) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Upload,
    Download,
    /// An instruction file that is replaced before its object.
    InstructionFile,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Upload => "put",
            Self::Download => "get",
            Self::InstructionFile => "instruction",
        }
    }
}

/// What the name of a record says that it is about; `None` for other files.
pub(super) fn kind_of(path: &Path) -> Option<Kind> {
    let (word, _) = path.file_name()?.to_str()?.strip_suffix(".json")?.split_once('-')?;
    [Kind::Upload, Kind::Download, Kind::InstructionFile].into_iter().find(|kind| kind.word() == word)
}

/// A record, open, and locked by whoever works with it. What it says when it is dropped is for the next run; one that says
/// nothing is gone then.
pub(crate) struct Record {
    path: PathBuf,
    file: File,
    /// Whether it is only read, by somebody who goes on with nothing.
    is_surveyed: bool,
}

/// The version with the content, so that another version is not misread.
#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    content: T,
}

impl Record {
    /// Takes a file that is open, to read it.
    pub(super) fn surveyed(path: PathBuf, file: File) -> Self {
        Self { path, file, is_surveyed: true }
    }

    /// Whether not even its first line is whole.
    pub(super) fn was_cut_off(&mut self) -> io::Result<bool> {
        let mut text = Vec::new();
        self.file.rewind()?;
        (&self.file).take(MAX_RECORD_BYTES).read_to_end(&mut text)?;
        Ok(!text.contains(&b'\n'))
    }

    /// Reads what an earlier run has written: its content, and the lines after it, without those that a
    /// crash or a full disk has cut off.
    pub(crate) fn read<T: DeserializeOwned, L: DeserializeOwned>(&mut self) -> Option<(T, Vec<L>)> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0)).ok()?;
        (&self.file).take(MAX_RECORD_BYTES).read_to_end(&mut text).ok()?;
        let mut lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let first: Versioned<T> = serde_json::from_slice(lines.next()?).ok()?;
        let lines = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        (first.version == VERSION).then_some((first.content, lines))
    }

    /// Replaces all that is recorded.
    ///
    /// # Errors
    /// `Local` for what the system refuses, such as a full disk.
    pub(crate) fn write<T: Serialize>(&self, content: &T) -> Result<()> {
        let written = self.file.set_len(0).and_then(|()| self.put(&Versioned { version: VERSION, content }));
        written.and_then(|()| self.file.sync_all()).map_err(Error::local("write", &self.path))
    }

    /// Adds a line.
    ///
    /// # Errors
    /// As [`Record::write`].
    pub(crate) fn append<L: Serialize>(&self, line: &L) -> Result<()> {
        self.put(line).map_err(Error::local("write", &self.path))
    }

    fn put<L: Serialize>(&self, line: &L) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        (&self.file).write_all(&text)
    }

    /// Removes it: there is nothing to go on with.
    pub(crate) fn remove(self) {
        // One that stays is compared with the facts by the next run, and found useless.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        // Once it has no name any more, the name may be that of another run's.
        let is_empty = |file: Metadata| file.len() == 0 && file.nlink() > 0;
        if !self.is_surveyed && self.file.metadata().is_ok_and(is_empty) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The record of an upload that says only that a run is at work on it, and is gone with it.
pub(crate) struct Mark(Record);

impl Drop for Mark {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0.path);
    }
}

fn name(names: &[&str]) -> String {
    let mut digest = Sha256::new();
    for name in names {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
    }
    hex::encode(&digest.finalize()[..16])
}

/// A text that is equal only if all of these are; it does not reveal them.
pub(crate) fn fingerprint(texts: &[&str]) -> String {
    name(texts)
}

/// Which file it is, and whether it was written since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileIdentity {
    /// Whether the path leads to the same file with the same content, as far as its length and time say.
    pub(crate) fn is_content_of(&self, path: &Path) -> bool {
        fs::metadata(path).map(|now| Self::from(&now)).is_ok_and(|now| {
            (self.device, self.inode) == (now.device, now.inode) && self.is_as_long_and_old_as(&now)
        })
    }

    /// Whether the same file has the same content as far as its length and time say; its name, mode and links may be others.
    pub(crate) fn is_as_long_and_old_as(&self, other: &Self) -> bool {
        (self.len, self.modified) == (other.len, other.modified)
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The path by which a file is named in the name of a record: the same from each directory.
pub(crate) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// Which upload in parts is under way: all that a record says of one with which no run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BegunUpload {
    /// The server; `None` for AWS.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
    /// `s3://BUCKET/KEY`.
    pub(crate) target: String,
    /// Empty if none is begun yet.
    pub(crate) upload_id: String,
}

/// An upload in parts that is under way, with which the same command can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadRecord {
    #[serde(flatten)]
    pub(crate) upload: BegunUpload,
    /// The fingerprint of all that decides what is stored: encryption, settings, checksum.
    pub(crate) options: String,
    pub(crate) part_size: u64,
    pub(crate) source: FileIdentity,
    /// The end of the retention that the upload was begun with, in seconds since 1970.
    #[serde(default)]
    pub(crate) retain_until: Option<i64>,
}

/// A download to a file that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DownloadRecord {
    /// The server; `None` for AWS.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
    /// `s3://BUCKET/KEY`.
    pub(crate) source: String,
    pub(crate) version_id: Option<String>,
    pub(crate) etag: String,
    pub(crate) stored_len: u64,
    /// The fingerprint of what is made of the stored bytes.
    pub(crate) options: String,
    pub(crate) file: LeftFile,
}

/// A temporary file that a run has left: where it is, and which file it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftFile {
    pub(crate) path: PathBuf,
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// What is to become of such a file.
#[derive(Clone, Debug)]
pub(crate) enum Left {
    /// It is written further.
    GoOn(LeftFile),
    /// It is removed.
    GiveUp(LeftFile),
}

/// Bytes of the temporary file, with their checksum as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrittenRange {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) sum: String,
}

/// The record of a download under way, and what an earlier run has written.
pub(crate) struct Kept {
    pub(crate) record: Record,
    pub(crate) written: Vec<WrittenRange>,
}

impl Kept {
    /// Records bytes that are written. A line that cannot be written costs the next run the fetching of its bytes.
    pub(crate) fn note(&self, bytes: Range<u64>, sum: &Sum) {
        let _ = self.record.append(&WrittenRange { start: bytes.start, end: bytes.end, sum: sum.base64() });
    }

    /// The recorded pieces of the first `len` bytes, in order and without overlaps. What was written last counts.
    pub(crate) fn pieces(&self, len: u64) -> Vec<WrittenRange> {
        let mut pieces: BTreeMap<u64, &WrittenRange> = BTreeMap::new();
        for written in self.written.iter().rev() {
            let before = pieces.range(..written.end).next_back();
            let is_free = before.is_none_or(|(_, before)| before.end <= written.start);
            if written.start < written.end && written.end <= len && is_free {
                pieces.insert(written.start, written);
            }
        }
        pieces.into_values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn records() -> (tempfile::TempDir, Records) {
        let folder = tempfile::tempdir().unwrap();
        let records = Records { folder: Some(folder.path().join("state")), is_on: true };
        (folder, records)
    }

    fn upload(folder: &Path) -> UploadRecord {
        UploadRecord {
            upload: BegunUpload {
                endpoint: Some("http://127.0.0.1".to_owned()),
                target: "s3://bkt/k".to_owned(),
                upload_id: "1".to_owned(),
            },
            options: fingerprint(&["a"]),
            part_size: 5,
            source: (&fs::metadata(folder).unwrap()).into(),
            retain_until: None,
        }
    }

    #[test]
    fn a_record_is_found_by_its_names_until_it_is_removed() {
        let (folder, records) = records();
        let mut record = records.open(Kind::Upload, &["a", "b"]).unwrap().unwrap();
        assert!(record.read::<UploadRecord, String>().is_none());
        let content = upload(folder.path());
        record.write(&content).unwrap();
        record.append(&"x").unwrap();
        assert!(matches!(records.open(Kind::Upload, &["a", "b"]), Err(Error::InUse { .. })));
        drop(record);
        assert!(
            records
                .open(Kind::Upload, &["ab", ""])
                .unwrap()
                .unwrap()
                .read::<UploadRecord, String>()
                .is_none()
        );
        let mut record = records.open(Kind::Upload, &["a", "b"]).unwrap().unwrap();
        assert_eq!(record.read(), Some((content, vec!["x".to_owned()])));
        assert_eq!(fs::metadata(&record.path).unwrap().mode() & 0o777, 0o600);
        record.remove();
        assert!(
            records
                .open(Kind::Upload, &["a", "b"])
                .unwrap()
                .unwrap()
                .read::<UploadRecord, String>()
                .is_none()
        );
    }

    #[test]
    fn recorded_pieces_are_in_order_and_do_not_overlap() {
        let (_folder, records) = records();
        let record = records.open(Kind::Download, &["a"]).unwrap().unwrap();
        let written = |(start, end): (u64, u64)| WrittenRange { start, end, sum: format!("{start}-{end}") };
        let lines = [(4, 8), (0, 4), (8, 12), (6, 9), (3, 3), (9, 2), (12, 99), (16, 20), (16, 20)];
        let kept = Kept { record, written: lines.map(written).to_vec() };
        let pieces: Vec<_> = kept.pieces(20).iter().map(|piece| (piece.start, piece.end)).collect();
        assert_eq!(pieces, [(0, 4), (6, 9), (16, 20)], "(6, 9) is newer than what it overlaps");
    }

    #[test]
    fn the_folder_of_records_is_closed_to_others() {
        let (folder, records) = records();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
        records.open(Kind::Upload, &["a"]).unwrap().unwrap();
        assert_eq!(fs::metadata(&state).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_only_the_one_after_it() {
        let (folder, records) = records();
        let mut record = records.open(Kind::Upload, &["a"]).unwrap().unwrap();
        record.write(&upload(folder.path())).unwrap();
        record.append(&"1").unwrap();
        (&record.file).write_all(b"\"2").unwrap();
        for line in ["3", "4"] {
            record.append(&line).unwrap();
        }
        assert_eq!(record.read::<UploadRecord, String>().unwrap().1, ["1", "4"]);
    }

    #[test]
    fn what_is_cut_short_or_of_another_version_is_not_read() {
        let (folder, records) = records();
        let mut record = records.open(Kind::Upload, &["a"]).unwrap().unwrap();
        record.write(&upload(folder.path())).unwrap();
        for line in ["1", "2"] {
            record.append(&line).unwrap();
        }
        let whole = fs::read(&record.path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&record.path, &whole[..cut]).unwrap();
            let lines = record.read::<UploadRecord, String>().map(|(_, lines)| lines.len());
            let ends = whole[..cut].split(|byte| *byte == b'\n').count() - 1;
            assert_eq!(lines, ends.checked_sub(1), "{cut}");
        }
        let text = String::from_utf8(whole).unwrap();
        fs::write(&record.path, text.replace("\"version\":1", "\"version\":2")).unwrap();
        assert!(record.read::<UploadRecord, String>().is_none());
    }
}
