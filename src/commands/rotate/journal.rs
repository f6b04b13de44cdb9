//! A write-ahead log of a rotation, so that an interrupted one can be continued.
//!
//! One line of JSON for each step: an object started, an upload or a scratch object that must be removed, an object
//! done. It contains no secret. A line that a crash of the machine loses mostly costs a second HEAD of an object and nothing
//! else. That of an upload, an instruction file or an envelope costs more, and is on disk before S3 gets the request that it
//! is about, or the next one. The file is locked, so that two runs do not write the same journal. Memory does not grow with
//! the number of objects: they are looked up in a table on disk, which is rebuilt from the lines.
//!
//! A journal is not trusted: a run deletes nothing only because a line names it. `cleanup` decides by the places of the
//! command line.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aws::timestamp::local_now;
use crate::commands::rotate::strategy::Strategy;
use crate::error::{Error, Result, Subject, Unsupported};
use crate::location::{S3Uri, folder_of};
use crate::object::PublicEnvelope;
use crate::transfer::pending_file::sync_directory;
use crate::transfer::{blocking, locked_file};

mod file;
mod leftovers;
mod line;
mod location;
mod object;
mod progress;
pub(crate) mod survey;

pub(crate) use leftovers::{LeftInstructionFile, Leftovers, Upload};
pub(crate) use location::JournalLocation;
pub(crate) use object::ObjectJournal;

use file::JournalFile;
use leftovers::OpenSteps;
use line::{Line, Lines, VERSION, is_torn_first_line};
use progress::Progress;

/// A journal, open and locked.
pub(crate) struct Journal {
    path: PathBuf,
    file: JournalFile,
    /// How far earlier runs have come with each object.
    progress: Progress,
    leftovers: Leftovers,
    /// The number of objects done, and of scratch objects that exist.
    worth: AtomicI64,
    /// Objects whose new envelope is not yet confirmed to be stored: the journal may be the only place that has it. With
    /// their stored bytes before.
    envelopes: Mutex<HashMap<String, Option<u64>>>,
}

impl Journal {
    /// Opens or creates the journal of a rotation, whose name depends on the server (`None` for AWS).
    ///
    /// # Errors
    /// `Unsupported` if it is another rotation's, `InUse` if another run has it at this moment; `Tampered` if it is not
    /// this user's alone; `Local` for what the system refuses.
    pub(crate) fn open(path: &Path, rotation: &str, endpoint: Option<&str>) -> Result<Self> {
        let name = Subject::Journal(path.to_owned());
        let refused = |error| Error::local("write", &name)(error);
        let file = locked_file::open(path, &name)?;
        let lines = line::count(BufReader::new(&file)).map_err(refused)?;
        let progress = Progress::new(folder_of(path), lines).map_err(refused)?;
        locked_file::claim(&file, progress.owner().map_err(refused)?, &name)?;
        let ended = file.metadata().map_err(refused)?.mtime();
        let (mut steps, is_torn) = read(&file, &progress, rotation, endpoint, &name)?;
        let is_begun = steps.is_begun();
        let journal = Self {
            path: path.to_owned(),
            file: JournalFile::new(file, is_torn),
            progress,
            worth: AtomicI64::new(steps.done.cast_signed()),
            envelopes: Mutex::new(std::mem::take(&mut steps.envelopes)),
            leftovers: steps.leftovers(ended),
        };
        if !is_begun {
            journal.write(&line::first(rotation, endpoint, local_now()))?;
            // A file that is on disk needs a name there, too.
            sync_directory(folder_of(path));
        }
        Ok(journal)
    }

    /// What an earlier run may have left behind.
    pub(crate) fn leftovers(&self) -> &Leftovers {
        &self.leftovers
    }

    /// Whether an earlier run has rotated an object, and its ETag has not changed since. A failed lookup counts as no:
    /// a second HEAD does no harm.
    pub(crate) fn is_done(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        etag.is_some() && self.progress.is_done(&uri.to_string(), version_id, etag)
    }

    /// Whether an earlier run has done that, and has read and verified all of the object.
    pub(crate) fn is_verified(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        etag.is_some() && self.progress.is_verified(&uri.to_string(), version_id, etag)
    }

    /// Whether an earlier run has started an object, and its ETag has changed since.
    pub(crate) fn has_changed_since(
        &self,
        uri: &S3Uri,
        version_id: Option<&str>,
        etag: Option<&str>,
    ) -> bool {
        self.progress.is_started_with_other_etag(&uri.to_string(), version_id, etag)
    }

    /// Records that an object is about to be written.
    ///
    /// # Errors
    /// `Local` for an error of the system; then nothing must be written.
    pub(crate) fn begin(
        &self,
        uri: &S3Uri,
        version_id: Option<&str>,
        etag: Option<&str>,
        strategy: Strategy,
    ) -> Result<()> {
        self.write(&Line::Begin {
            object: uri.to_string(),
            version_id: version_id.map(str::to_owned),
            etag: etag.map(str::to_owned),
            way: strategy.as_str().to_owned(),
            at: local_now(),
        })
    }

    /// Records an upload.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn upload(&self, uri: &S3Uri, id: &str) -> Result<()> {
        self.write(&Line::Upload { object: uri.to_string(), id: id.to_owned(), at: local_now() })?;
        self.file.to_sync().sync_data().map_err(self.not_written())
    }

    /// Records that an object with this ETag needs its instruction file, and its replacement may not.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn instruction_file(&self, uri: &S3Uri, etag: Option<&str>, file_etag: &str) -> Result<()> {
        self.write(&Line::InstructionFile {
            object: uri.to_string(),
            etag: etag.map(str::to_owned),
            file_etag: file_etag.to_owned(),
        })
    }

    /// Records an object's new envelope before it is written, its current one, and its stored bytes.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn envelope(
        &self,
        uri: &S3Uri,
        old: Option<&PublicEnvelope>,
        new: Option<&PublicEnvelope>,
        len: u64,
    ) -> Result<()> {
        let len = Some(len);
        self.open_envelopes().insert(uri.to_string(), len);
        self.write(&Line::Envelope { object: uri.to_string(), old: old.cloned(), new: new.cloned(), len })
    }

    fn close_envelope(&self, object: &str) {
        self.open_envelopes().remove(object);
    }

    fn open_envelopes(&self) -> MutexGuard<'_, HashMap<String, Option<u64>>> {
        self.envelopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an object's new envelope is not confirmed to be stored.
    pub(crate) fn has_open_envelope(&self, uri: &S3Uri) -> bool {
        self.open_envelopes().contains_key(&uri.to_string())
    }

    /// Whether an earlier run was about to replace an object's envelope, and the object has another length now: ciphertext
    /// is longer than its plaintext in every format, and a copy keeps the length.
    pub(crate) fn has_other_length_now(&self, uri: &S3Uri, len: u64) -> bool {
        let before = self.open_envelopes().get(&uri.to_string()).copied().flatten();
        before.is_some_and(|before| before != len)
    }

    /// Whether the journal may be the only place that has an object's envelope.
    pub(crate) fn has_open_envelopes(&self) -> bool {
        !self.open_envelopes().is_empty()
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Records a scratch object, before it is written or after it is removed.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn scratch(&self, uri: &S3Uri, is_there: bool) -> Result<()> {
        self.worth.fetch_add(if is_there { 1 } else { -1 }, Ordering::Relaxed);
        let object = uri.to_string();
        self.write(&if is_there { Line::Scratch { object } } else { Line::Cleared { object } })
    }

    /// Records that an object is done, and whether all of it was read and verified.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn done(
        &self,
        uri: &S3Uri,
        version_id: Option<&str>,
        etag: Option<&str>,
        verified: bool,
    ) -> Result<()> {
        self.worth.fetch_add(1, Ordering::Relaxed);
        self.close_envelope(&uri.to_string());
        self.write(&Line::Done {
            object: uri.to_string(),
            version_id: version_id.map(str::to_owned),
            etag: etag.map(str::to_owned),
            verified,
        })
    }

    /// Records that S3 has refused an object: nothing of it is in progress any more.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub(crate) fn refused(&self, uri: &S3Uri) -> Result<()> {
        self.close_envelope(&uri.to_string());
        self.write(&Line::Refused { object: uri.to_string() })
    }

    /// Removes the journal of a complete rotation.
    pub(crate) fn finish(self) {
        // If it stays, the next run finds everything done.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether a later run needs it: an object is done, or something may have been left behind.
    pub(crate) fn is_worth_keeping(&self) -> bool {
        self.worth.load(Ordering::Relaxed) > 0
    }

    fn write(&self, line: &Line) -> Result<()> {
        self.file.append(line).map_err(self.not_written())
    }

    /// Waits until what was recorded is on disk.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    async fn sync(&self) -> Result<()> {
        let file = self.file.to_sync();
        blocking(move || file.sync_data()).await?.map_err(self.not_written())
    }

    fn not_written(&self) -> impl FnOnce(io::Error) -> Error {
        Error::local("write", Subject::Journal(self.path.clone()))
    }
}

/// Reads what earlier runs have written, and notes in `progress` how far each object has come. Returns with it whether the
/// last line lacks its end.
fn read(
    mut file: &File,
    progress: &Progress,
    rotation: &str,
    endpoint: Option<&str>,
    name: &Subject,
) -> Result<(OpenSteps, bool)> {
    let refused = |error| Error::local("read", name)(error);
    file.seek(SeekFrom::Start(0)).map_err(refused)?;
    let (mut lines, mut steps) = (Lines::new(BufReader::new(file)), OpenSteps::default());
    while lines.read().map_err(refused)? {
        let line = lines.line();
        let is_ours = |line: &Line| matches!(line, Line::Journal { version: VERSION, rotation: of, .. } if of == rotation);
        if !steps.is_begun() && !line.as_ref().is_some_and(is_ours) {
            // A crash leaves a beginning of the first line; anything else is another file.
            if lines.is_torn() && is_torn_first_line(lines.text(), rotation, endpoint) {
                file.set_len(0).map_err(refused)?;
                return Ok((steps, false));
            }
            return Err(Error::unsupported(name, Unsupported::OtherJournal));
        }
        // A line that a crash cut off is ignored.
        if let Some(line) = line {
            progress.take(&line).map_err(refused)?;
            steps.take(line);
        }
    }
    Ok((steps, lines.is_torn()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::object::FileContent;

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_done_is_known_again_and_what_was_left_behind_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/j");
        {
            let journal = Journal::open(&path, "r", None).unwrap();
            assert!(!journal.is_worth_keeping());
            journal.begin(&uri("s3://bkt/a"), None, Some("\"1\""), Strategy::ServerCopy).unwrap();
            journal.upload(&uri("s3://bkt/a"), "u1").unwrap();
            journal.done(&uri("s3://bkt/a"), None, Some("\"2\""), false).unwrap();
            journal.begin(&uri("s3://bkt/b"), None, None, Strategy::Reencrypt).unwrap();
            journal.upload(&uri("s3://bkt/b"), "u2").unwrap();
            journal.begin(&uri("s3://bkt/c"), None, None, Strategy::Reencrypt).unwrap();
            journal.scratch(&uri("s3://bkt/.x"), true).unwrap();
            journal.scratch(&uri("s3://bkt/.y"), true).unwrap();
            journal.scratch(&uri("s3://bkt/.y"), false).unwrap();
        }
        let journal = Journal::open(&path, "r", None).unwrap();
        let done = |key: &str, etag| journal.is_done(&uri(key), None, etag);
        assert!(done("s3://bkt/a", Some("\"2\"")));
        assert!(
            !done("s3://bkt/a", Some("\"3\""))
                && !done("s3://bkt/a", None)
                && !done("s3://bkt/b", Some("\"2\""))
        );
        let mut uploads: Vec<_> =
            journal.leftovers().uploads.iter().map(|one| (one.uri.to_string(), one.id.clone())).collect();
        uploads.sort();
        let expected = [("s3://bkt/b".to_owned(), Some("u2".to_owned())), ("s3://bkt/c".to_owned(), None)];
        assert_eq!(uploads, expected);
        assert!(journal.leftovers().uploads.iter().all(|one| one.since > 0));
        assert_eq!(journal.leftovers().scratch, [uri("s3://bkt/.x")]);
        assert!(journal.is_worth_keeping());
        journal.finish();
        assert!(!path.exists());
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn versions_and_steps_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let (a, b) = (uri("s3://bkt/a"), uri("s3://bkt/b"));
        {
            let journal = Journal::open(&path, "r", None).unwrap();
            journal.done(&a, Some("v1"), Some("1"), false).unwrap();
            journal.begin(&a, None, Some("1"), Strategy::Reencrypt).unwrap();
            journal.begin(&b, None, Some("1"), Strategy::Reencrypt).unwrap();
            journal.done(&b, None, Some("2"), false).unwrap();
        }
        let journal = Journal::open(&path, "r", None).unwrap();
        assert!(journal.is_done(&a, Some("v1"), Some("1")) && !journal.is_done(&a, Some("v2"), Some("1")));
        assert!(!journal.is_done(&a, None, Some("1")) && journal.is_done(&b, None, Some("2")));
        let changed = |uri, etag| journal.has_changed_since(uri, None, Some(etag));
        assert!(changed(&a, "2") && !changed(&a, "1"));
        assert!(!changed(&b, "2") && !changed(&b, "3"), "done is no longer started");
        assert!(!journal.has_changed_since(&a, Some("v1"), Some("3")));
    }

    #[test]
    fn an_envelope_stands_in_it_under_the_documented_names_until_the_object_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let envelope = |value: &str, file: Option<&str>| PublicEnvelope {
            metadata: [("x-amz-3".to_owned(), value.to_owned())].into(),
            instruction_file: file.map(|content| FileContent {
                uri: "s3://bkt/a.instruction".to_owned(),
                content: content.to_owned(),
            }),
        };
        let (a, b) = (uri("s3://bkt/a"), uri("s3://bkt/b"));
        {
            let journal = Journal::open(&path, "r", None).unwrap();
            journal.envelope(&a, Some(&envelope("1", None)), Some(&envelope("2", Some("{}"))), 9).unwrap();
            journal.envelope(&b, None, None, 9).unwrap();
            journal.refused(&b).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(
                r#"{"envelope":{"object":"s3://bkt/a","old":{"metadata":{"x-amz-3":"1"}},"new":{"metadata":{"x-amz-3":"2"},"instruction_file":{"uri":"s3://bkt/a.instruction","content":"{}"}},"len":9}}"#
            ),
            "{text}"
        );
        let journal = Journal::open(&path, "r", None).unwrap();
        assert!(journal.has_open_envelope(&a) && !journal.has_open_envelope(&b));
        assert!(journal.has_other_length_now(&a, 8) && !journal.has_other_length_now(&a, 9));
        assert!(!journal.has_other_length_now(&b, 8));
        assert!(journal.has_open_envelopes());
        journal.done(&a, None, Some("1"), false).unwrap();
        assert!(!journal.has_open_envelopes());
        drop(journal);
        assert!(!Journal::open(&path, "r", None).unwrap().has_open_envelopes());
    }

    #[test]
    fn what_was_refused_has_left_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        {
            let journal = Journal::open(&path, "r", None).unwrap();
            for number in 0..1000 {
                let object = uri(&format!("s3://bkt/{number}"));
                journal.begin(&object, None, Some("1"), Strategy::ServerCopy).unwrap();
                journal.refused(&object).unwrap();
            }
        }
        assert_eq!(*Journal::open(&path, "r", None).unwrap().leftovers(), Leftovers::default());
    }

    #[test]
    fn a_torn_line_costs_a_second_look_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        {
            let journal = Journal::open(&path, "r", Some("http://127.0.0.1")).unwrap();
            journal.done(&uri("s3://bkt/a"), None, Some("1"), false).unwrap();
            journal.done(&uri("s3://bkt/b"), None, Some("1"), false).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            {
                let journal = Journal::open(&path, "r", Some("http://127.0.0.1")).unwrap();
                journal.done(&uri("s3://bkt/c"), None, Some("1"), false).unwrap();
            }
            let journal = Journal::open(&path, "r", Some("http://127.0.0.1")).unwrap();
            assert!(journal.is_done(&uri("s3://bkt/c"), None, Some("1")), "{cut}");
        }
    }

    #[test]
    fn another_rotations_journal_is_not_touched_and_two_runs_do_not_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let journal = Journal::open(&path, "r", None).unwrap();
        assert!(matches!(Journal::open(&path, "r", None), Err(Error::InUse { .. })));
        drop(journal);
        assert!(matches!(Journal::open(&path, "other", None), Err(Error::Unsupported { .. })));
        for data in [&b"data\n"[..], b"data"] {
            let file = folder.path().join("precious");
            std::fs::write(&file, data).unwrap();
            assert!(Journal::open(&file, "r", None).is_err());
            assert_eq!(std::fs::read(&file).unwrap(), data);
        }
    }

    #[test]
    fn no_line_makes_an_upload_older_than_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        drop(Journal::open(&path, "r", None).unwrap());
        let mut file = File::options().append(true).open(&path).unwrap();
        writeln!(file, r#"{{"upload":{{"object":"s3://bkt/a","id":"u","at":7}}}}"#).unwrap();
        writeln!(file, r#"{{"journal":{{"version":2,"rotation":"r","at":7}}}}"#).unwrap();
        drop(file);
        let journal = Journal::open(&path, "r", None).unwrap();
        assert!(matches!(journal.leftovers().uploads.as_slice(), [Upload { since: 8.., .. }]));
    }
}
