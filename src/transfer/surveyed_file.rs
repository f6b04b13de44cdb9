//! Journals and records as they are seen by somebody who goes on with none of them: which are in use, and removing them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{Error, Result, Subject};
use crate::transfer::locked_file::{open_to_read, try_lock, try_lock_shared};
use crate::transfer::resume::FileIdentity;

/// A journal or a record.
#[derive(Clone, Debug)]
pub(crate) struct SurveyedFile {
    pub(crate) path: PathBuf,
    /// When it was last written, in seconds since 1970, by this machine's clock.
    pub(crate) modified: i64,
    pub(crate) len: u64,
    identity: FileIdentity,
    /// Whether a run has it at this moment.
    pub(crate) is_in_use: bool,
}

/// Reads the files of a directory whose names are of a kind; there are none in one that does not exist. `read` takes those
/// that are this user's own: no run of this user goes on with any other.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn in_directory<K, T>(
    folder: &Path,
    kind_of: impl Fn(&Path) -> Option<K>,
    read: impl Fn(K, SurveyedFile, File) -> io::Result<Option<T>>,
) -> Result<Vec<T>> {
    let refused = |error| Error::local("read", Subject::Folder(folder.to_owned()))(error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(refused)?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(refused)?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let Some(kind) = kind_of(&path) else { continue };
        let one = match open(&path) {
            Ok(Some((seen, file))) => read(kind, seen, file),
            Ok(None) => continue,
            Err(error) => Err(error),
        };
        found.extend(one.map_err(Error::local("read", &path))?);
    }
    Ok(found)
}

/// `None` for what is no regular file of this user.
fn open(path: &Path) -> io::Result<Option<(SurveyedFile, File)>> {
    let file = match open_to_read(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        opened => opened?,
    };
    let Some(file) = file else { return Ok(None) };
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != geteuid().as_raw() {
        return Ok(None);
    }
    let is_in_use = !try_lock(&file)?;
    if !is_in_use {
        // Whoever wants to go on with it must not find it locked.
        file.unlock()?;
    }
    let (modified, len, identity) = (metadata.mtime(), metadata.len(), FileIdentity::from(&metadata));
    Ok(Some((SurveyedFile { path: path.to_owned(), modified, len, identity, is_in_use }, file)))
}

/// Removes a file that has not been written since it was read, and is in nobody's use, and before it what goes with it;
/// returns whether it is gone.
///
/// # Errors
/// `Local` for what the system refuses; those of `before`.
pub(crate) fn remove(seen: &SurveyedFile, before: impl FnOnce() -> Result<()>) -> Result<bool> {
    let refused = |error| Error::local("remove", &seen.path)(error);
    let Some(file) = open_to_read(&seen.path).map_err(refused)? else { return Ok(true) };
    // From here on locked: nobody writes it after it was looked at.
    if !try_lock(&file).map_err(refused)?
        || FileIdentity::from(&file.metadata().map_err(refused)?) != seen.identity
    {
        return Ok(false);
    }
    before()?;
    fs::remove_file(&seen.path).map_err(refused)?;
    Ok(true)
}

/// A file with which no run begins to work as long as this is kept; also one that does not exist any more.
pub(crate) struct Held {
    _locked: Option<File>,
}

/// Holds a file, which others may hold, too; `None` while a run works with it.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn hold(path: &Path) -> Result<Option<Held>> {
    let refused = |error| Error::local("lock", path)(error);
    let file = open_to_read(path).map_err(refused)?;
    let is_free = file.as_ref().map_or(Ok(true), try_lock_shared).map_err(refused)?;
    Ok(is_free.then_some(Held { _locked: file }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_again_stays_however_long_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("put-1.json");
        fs::write(&path, "one").unwrap();
        let survey = || {
            let found = in_directory(folder.path(), |_| Some(()), |(), seen, _| Ok(Some(seen))).unwrap();
            found.into_iter().next().unwrap()
        };
        let seen = survey();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "two").unwrap();
        // File systems may give it the same number and, within a tick of the clock, the same times.
        File::open(&path).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        assert!(!remove(&seen, || Ok(())).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert!(remove(&survey(), || Ok(())).unwrap());
        assert!(!path.exists());
    }
}
