//! Opens a journal or a record as a file that only this user can write.
//!
//! Anybody who can write one, or choose the file that is used as one, influences the next run.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::{Error, Result, Subject};
use crate::location::folder_of;

/// Permission bits that let others write.
const OTHERS_WRITE: u32 = 0o022;
/// What the owner may do with the journal, and nobody else.
const OWNER_ONLY: u32 = 0o600;
/// The same of the folder that is made for it.
const FOLDER_OWNER_ONLY: u32 = 0o700;

/// How often a file is opened that was removed before it was locked. Each time, another run has ended in between.
const MOST_OPENED: u32 = 100;

/// Opens the file, or makes it, and locks it; `name` names it in messages.
///
/// # Errors
/// `Tampered` for a link, something that is no file, or a file that others can write; `InUse` while another run has it;
/// `Local` for what the system refuses.
pub(crate) fn open(path: &Path, name: &Subject) -> Result<File> {
    let refused = |error| Error::local("write", name)(error);
    DirBuilder::new().recursive(true).mode(FOLDER_OWNER_ONLY).create(folder_of(path)).map_err(refused)?;
    for _ in 0..MOST_OPENED {
        let file = open_and_lock(path, name)?;
        let metadata = file.metadata().map_err(refused)?;
        // Whoever had it locked before may have removed it; what is written to it then is lost.
        if metadata.nlink() == 0 {
            continue;
        }
        if metadata.mode() & OTHERS_WRITE != 0 {
            return Err(Error::tampered(name, "other users can write to it"));
        }
        return Ok(file);
    }
    Err(Error::InUse { subject: name.clone() })
}

fn open_and_lock(path: &Path, name: &Subject) -> Result<File> {
    let refused = |error| Error::local("write", name)(error);
    // Non-blocking, because opening a named pipe would wait for its other end.
    let opened = File::options()
        .read(true)
        .append(true)
        .create(true)
        .mode(OWNER_ONLY)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
        .open(path);
    let file = match opened {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
            return Err(Error::tampered(name, "it is a symbolic link"));
        }
        opened => opened.map_err(refused)?,
    };
    if !file.metadata().map_err(refused)?.is_file() {
        return Err(Error::tampered(name, "it is not a regular file"));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { subject: name.clone() }),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// Opens a file that somebody else may have locked, only to read it; `None` if there is none, or a link, which is not
/// followed.
pub(crate) fn open_to_read(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    match File::options().read(true).custom_flags(flags).open(path) {
        Err(error)
            if error.kind() == ErrorKind::NotFound || Errno::from_io_error(&error) == Some(Errno::LOOP) =>
        {
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// Takes the lock, until the file is closed; false while a run is at work, which has it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes the lock, until the file is closed, together with others that only keep runs away; false while a run is at work.
pub(crate) fn try_lock_shared(file: &File) -> io::Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes a file that [`open`] has opened for this user's own, whose number is `user`, and hides it from others.
///
/// # Errors
/// `Tampered` for somebody else's; `Local` for what the system refuses.
pub(crate) fn claim(file: &File, user: u32, name: &Subject) -> Result<()> {
    let refused = |error| Error::local("write", name)(error);
    let metadata = file.metadata().map_err(refused)?;
    if metadata.uid() != user {
        return Err(Error::tampered(name, format!("it belongs to another user (uid {})", metadata.uid())));
    }
    if metadata.mode() & 0o777 != OWNER_ONLY {
        file.set_permissions(Permissions::from_mode(OWNER_ONLY)).map_err(refused)?;
    }
    Ok(())
}

/// Removes other users' access to a directory that already exists.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn close_folder(folder: &Path) -> Result<()> {
    match std::fs::metadata(folder) {
        Ok(metadata) if metadata.mode() & 0o077 != 0 => {
            let closed = std::fs::set_permissions(folder, Permissions::from_mode(FOLDER_OWNER_ONLY));
            closed.map_err(Error::local("restrict access to", folder))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_file_that_is_removed_before_it_is_locked_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let open_and_remove = || {
            for _ in 0..5_000 {
                match open(&path, &"the journal".into()) {
                    Ok(file) => {
                        assert_eq!(file.metadata().unwrap().nlink(), 1);
                        std::fs::remove_file(&path).unwrap();
                    }
                    Err(error) => assert!(matches!(error, Error::InUse { .. }), "{error}"),
                }
            }
        };
        thread::scope(|scope| {
            scope.spawn(open_and_remove);
            scope.spawn(open_and_remove);
        });
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = open(&folder.path().join("made/j"), &"the journal".into()).unwrap();
        let own = file.metadata().unwrap().uid();
        assert!(matches!(claim(&file, own + 1, &"the journal".into()), Err(Error::Tampered { .. })));
        claim(&file, own, &"the journal".into()).unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("made")).unwrap().mode() & 0o777, 0o700);
    }
}
