//! What a rotation has done so far, written ahead, so that it can be stopped at any moment and go on.
//!
//! A line of JSON for each step: an object begun, an upload or a scratch object that must not stay behind, an object done.
//! No secret is in it. What a crash tears off the end costs a second look at an object and nothing else; the file is
//! locked, so that two runs do not write one journal.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::location::S3Uri;

/// The version of the journal's form.
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first one: which rotation this is.
    Journal { version: u32, rotation: String },
    /// An object is about to be written.
    Begin { object: String, version_id: Option<String>, etag: Option<String>, way: String, at: i64 },
    /// An upload was started.
    Upload { object: String, id: String },
    /// An object that may not need its instruction file any more is about to be replaced.
    Beside { object: String, file: String, etag: Option<String> },
    /// A scratch object is about to be written.
    Scratch { object: String },
    /// The scratch object is gone.
    Cleared { object: String },
    /// An object is done, and has this ETag now.
    Done { object: String, version_id: Option<String>, etag: Option<String> },
}

/// A journal, open and locked.
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    done: HashMap<(String, Option<String>), Option<String>>,
    /// Objects that were begun and not done, with the ETags that they had then.
    unfinished: HashMap<(String, Option<String>), Option<String>>,
    leftovers: Leftovers,
    /// Objects that this run has done, and scratch objects that are there now.
    worth: AtomicI64,
}

/// What an earlier run may have left in S3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Uploads: the object and the upload's id.
    pub uploads: Vec<(S3Uri, String)>,
    /// Objects that were begun, and when (seconds since 1970), whose uploads have left no id.
    pub begun: Vec<(S3Uri, i64)>,
    /// Objects, their instruction files, and the ETags that the objects had while they needed these.
    pub beside: Vec<(S3Uri, S3Uri, Option<String>)>,
    /// Scratch objects.
    pub scratch: Vec<S3Uri>,
}

/// Names a rotation by what it does where: the same command finds its own journal again.
#[must_use]
pub fn name_of(places: &[S3Uri], target: &str, choice: &str) -> String {
    use std::fmt::Write;
    let mut digest = Sha256::new();
    for place in places {
        digest.update(place.to_string());
        digest.update([0]);
    }
    digest.update(target);
    digest.update([0]);
    digest.update(choice);
    digest.finalize()[..12].iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Journal {
    /// Opens or begins the journal of a rotation.
    ///
    /// # Errors
    /// `Unsupported` if it is another rotation's, or another run's at this moment; `Local` for what the system refuses.
    pub fn open(path: &Path, rotation: &str) -> Result<Self> {
        let name = format!("the journal {}", path.display());
        let refused = |error| Error::local(format!("cannot write {name}"))(error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(refused)?;
        }
        let file = File::options().read(true).append(true).create(true).open(path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let why = "another run is writing it at this moment".to_owned();
                return Err(Error::Unsupported { what: name, why });
            }
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
        let mut journal = Self {
            path: path.to_owned(),
            file: Mutex::new(file.try_clone().map_err(refused)?),
            done: HashMap::new(),
            unfinished: HashMap::new(),
            leftovers: Leftovers::default(),
            worth: AtomicI64::new(0),
        };
        if journal.read(file, rotation, &name)? {
            journal.put(&first_line(rotation))?;
        }
        Ok(journal)
    }

    /// Reads what is there; true if that is nothing yet.
    fn read(&mut self, mut file: File, rotation: &str, name: &str) -> Result<bool> {
        let refused = |error| Error::local(format!("cannot read {name}"))(error);
        file.seek(SeekFrom::Start(0)).map_err(refused)?;
        let mut uploads: HashMap<String, Vec<String>> = HashMap::new();
        let mut reader = BufReader::new(file);
        let (mut first, mut torn, mut text) = (true, false, Vec::new());
        loop {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(refused)? == 0 {
                break;
            }
            torn = text.last() != Some(&b'\n');
            let line = serde_json::from_slice::<Line>(&text);
            if first {
                let ours =
                    matches!(&line, Ok(Line::Journal { version: VERSION, rotation: of }) if of == rotation);
                // What a crash has torn of the first line is the beginning of it; anything else is somebody's.
                let ours_torn = torn && first_line(rotation).starts_with(&text);
                if !(ours || ours_torn) {
                    let why = "it belongs to something else; name another file with --journal".to_owned();
                    return Err(Error::Unsupported { what: name.to_owned(), why });
                }
                if ours_torn {
                    reader.get_ref().set_len(0).map_err(refused)?;
                    return Ok(true);
                }
                first = false;
            }
            // A line that a crash has torn says nothing.
            if let Ok(line) = line {
                self.take(line, &mut uploads);
            }
        }
        for (object, ids) in uploads {
            if let Ok(uri) = object.parse::<S3Uri>() {
                self.leftovers.uploads.extend(ids.into_iter().map(|id| (uri.clone(), id)));
            }
        }
        if torn {
            self.put(b"\n")?;
        }
        Ok(first)
    }

    fn take(&mut self, line: Line, uploads: &mut HashMap<String, Vec<String>>) {
        match line {
            Line::Journal { .. } => {}
            Line::Begin { object, at, version_id, etag, .. } => {
                self.unfinished.insert((object.clone(), version_id), etag);
                if let Ok(uri) = object.parse() {
                    self.leftovers.begun.push((uri, at));
                }
            }
            Line::Upload { object, id } => {
                self.leftovers.begun.retain(|(uri, _)| uri.to_string() != object);
                uploads.entry(object).or_default().push(id);
            }
            Line::Beside { object, file, etag } => {
                if let (Ok(object), Ok(file)) = (object.parse(), file.parse()) {
                    self.leftovers.beside.push((object, file, etag));
                }
            }
            Line::Scratch { object } => self.leftovers.scratch.extend(object.parse()),
            Line::Cleared { object } => self.leftovers.scratch.retain(|uri| uri.to_string() != object),
            Line::Done { object, version_id, etag } => {
                self.leftovers.begun.retain(|(uri, _)| uri.to_string() != object);
                self.leftovers.beside.retain(|(uri, ..)| uri.to_string() != object);
                uploads.remove(&object);
                self.unfinished.remove(&(object.clone(), version_id.clone()));
                self.done.insert((object, version_id), etag);
            }
        }
    }

    /// What an earlier run may have left behind.
    #[must_use]
    pub fn leftovers(&self) -> &Leftovers {
        &self.leftovers
    }

    /// How many objects an earlier run has done.
    #[must_use]
    pub fn done_before(&self) -> usize {
        self.done.len()
    }

    /// Whether an object is done, and still is what it became then.
    #[must_use]
    pub fn is_done(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        let name = (uri.to_string(), version_id.map(str::to_owned));
        etag.is_some() && self.done.get(&name).is_some_and(|done| done.as_deref() == etag)
    }

    /// Whether an earlier run has begun with an object, and it is another one since.
    #[must_use]
    pub fn has_changed_since(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> bool {
        let name = (uri.to_string(), version_id.map(str::to_owned));
        self.unfinished.get(&name).is_some_and(|begun| begun.as_deref() != etag)
    }

    /// Notes that an object is about to be written.
    ///
    /// # Errors
    /// `Local` for what the system refuses; then nothing must be written.
    pub fn begin(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>, way: &str) -> Result<()> {
        self.write(&Line::Begin {
            object: uri.to_string(),
            version_id: version_id.map(str::to_owned),
            etag: etag.map(str::to_owned),
            way: way.to_owned(),
            at: now(),
        })
    }

    /// Notes an upload.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub fn upload(&self, uri: &S3Uri, id: &str) -> Result<()> {
        self.write(&Line::Upload { object: uri.to_string(), id: id.to_owned() })
    }

    /// Notes that an object with this ETag needs its instruction file, and may soon need it no more.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub fn beside(&self, uri: &S3Uri, file: &S3Uri, etag: Option<&str>) -> Result<()> {
        self.write(&Line::Beside {
            object: uri.to_string(),
            file: file.to_string(),
            etag: etag.map(str::to_owned),
        })
    }

    /// Notes a scratch object, before it is there or after it has gone.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub fn scratch(&self, uri: &S3Uri, is_there: bool) -> Result<()> {
        self.worth.fetch_add(if is_there { 1 } else { -1 }, Ordering::Relaxed);
        let object = uri.to_string();
        self.write(&if is_there { Line::Scratch { object } } else { Line::Cleared { object } })
    }

    /// Notes that an object is done.
    ///
    /// # Errors
    /// As [`Journal::begin`].
    pub fn done(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> Result<()> {
        self.worth.fetch_add(1, Ordering::Relaxed);
        self.write(&Line::Done {
            object: uri.to_string(),
            version_id: version_id.map(str::to_owned),
            etag: etag.map(str::to_owned),
        })
    }

    /// Removes the journal of a rotation that has come to its end.
    pub fn finish(self) {
        // Nothing is lost if it stays: the next run finds everything done.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether a run that goes on later needs it: something is done, or may have been left behind.
    #[must_use]
    pub fn is_worth_keeping(&self) -> bool {
        !self.done.is_empty() || self.worth.load(Ordering::Relaxed) > 0
    }

    fn write(&self, line: &Line) -> Result<()> {
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.push(b'\n');
        self.put(&text)
    }

    /// Appends in one write, which a kill does not tear.
    fn put(&self, text: &[u8]) -> Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("cannot write the journal {}", self.path.display());
        file.write_all(text).map_err(Error::local(name))
    }
}

fn first_line(rotation: &str) -> Vec<u8> {
    let line = Line::Journal { version: VERSION, rotation: rotation.to_owned() };
    let mut text = serde_json::to_vec(&line).unwrap_or_default();
    text.push(b'\n');
    text
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    i64::try_from(since).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_done_is_known_again_and_what_was_left_behind_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/j");
        {
            let journal = Journal::open(&path, "r").unwrap();
            journal.begin(&uri("s3://bkt/a"), None, Some("\"1\""), "server-copy").unwrap();
            journal.upload(&uri("s3://bkt/a"), "u1").unwrap();
            journal.done(&uri("s3://bkt/a"), None, Some("\"2\"")).unwrap();
            journal.begin(&uri("s3://bkt/b"), None, None, "reseal").unwrap();
            journal.upload(&uri("s3://bkt/b"), "u2").unwrap();
            journal.begin(&uri("s3://bkt/c"), None, None, "reseal").unwrap();
            journal.scratch(&uri("s3://bkt/.x"), true).unwrap();
            journal.scratch(&uri("s3://bkt/.y"), true).unwrap();
            journal.scratch(&uri("s3://bkt/.y"), false).unwrap();
        }
        let journal = Journal::open(&path, "r").unwrap();
        let done = |key: &str, etag| journal.is_done(&uri(key), None, etag);
        assert!(done("s3://bkt/a", Some("\"2\"")));
        assert!(
            !done("s3://bkt/a", Some("\"3\""))
                && !done("s3://bkt/a", None)
                && !done("s3://bkt/b", Some("\"2\""))
        );
        assert_eq!(journal.leftovers().uploads, [(uri("s3://bkt/b"), "u2".to_owned())]);
        let begun: Vec<_> = journal.leftovers().begun.iter().map(|(uri, _)| uri.clone()).collect();
        assert_eq!(begun, [uri("s3://bkt/c")]);
        assert_eq!(journal.leftovers().scratch, [uri("s3://bkt/.x")]);
        journal.finish();
        assert!(!path.exists());
    }

    #[test]
    fn a_torn_line_costs_a_second_look_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        {
            let journal = Journal::open(&path, "r").unwrap();
            journal.done(&uri("s3://bkt/a"), None, Some("1")).unwrap();
            journal.done(&uri("s3://bkt/b"), None, Some("1")).unwrap();
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            {
                let journal = Journal::open(&path, "r").unwrap();
                journal.done(&uri("s3://bkt/c"), None, Some("1")).unwrap();
            }
            let journal = Journal::open(&path, "r").unwrap();
            assert!(journal.is_done(&uri("s3://bkt/c"), None, Some("1")), "{cut}");
        }
    }

    #[test]
    fn another_rotations_journal_is_not_touched_and_two_runs_do_not_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let journal = Journal::open(&path, "r").unwrap();
        assert!(matches!(Journal::open(&path, "r"), Err(Error::Unsupported { .. })));
        drop(journal);
        assert!(matches!(Journal::open(&path, "other"), Err(Error::Unsupported { .. })));
        for data in [&b"data\n"[..], b"data"] {
            let file = folder.path().join("precious");
            std::fs::write(&file, data).unwrap();
            assert!(Journal::open(&file, "r").is_err());
            assert_eq!(std::fs::read(&file).unwrap(), data);
        }
    }

    #[test]
    fn the_same_command_has_the_same_name() {
        let places = [uri("s3://bkt/a/")];
        let name = name_of(&places, "t", "c");
        assert_eq!(name, name_of(&places, "t", "c"));
        assert_ne!(name, name_of(&places, "u", "c"));
        assert_ne!(name, name_of(&[uri("s3://bkt/b/")], "t", "c"));
    }
}
