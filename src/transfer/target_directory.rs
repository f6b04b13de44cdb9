//! The target directory of a download of many objects: each object goes to the path given by its key, never outside.
//!
//! Anybody who can write to the bucket chooses its keys, so a key whose path leads out of the directory, or through a
//! symbolic link in it, is refused. Links are checked when a file is created; only the directory's permissions protect
//! against somebody who changes it at the same moment.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::geteuid;

use crate::error::{Error, Result, Subject};
use crate::transfer::pending_file::sync_directory;
use crate::transfer::placed_files::PlacedFiles;
use crate::transfer::sink::{SinkTarget, kept_of};

/// The longest name of a file or folder, in bytes (NAME_MAX of the usual file systems).
const MAX_NAME: usize = 255;

/// The most directories with new entries before they are synced together.
const MAX_UNSYNCED: usize = 1024;

/// The folder.
pub(crate) struct TargetDirectory {
    root: PathBuf,
    no_clobber: bool,
    placed: Arc<PlacedFiles>,
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl TargetDirectory {
    /// Takes a directory, which need not exist.
    ///
    /// # Errors
    /// `Unsupported` if it exists and is not a directory.
    pub(crate) fn new(root: PathBuf, no_clobber: bool) -> Result<Self> {
        if root.exists() && !root.is_dir() {
            return Err(refused((&root).into(), "is not a directory"));
        }
        Ok(Self { root, no_clobber, placed: Arc::default(), unsynced: Mutex::default() })
    }

    /// The path for a key whose name below the prefix is this; creates nothing.
    ///
    /// # Errors
    /// `Unsupported` for a name that cannot be a file's within the folder, `TargetExists` for a file that must stay.
    pub(crate) fn find(&self, name: &str) -> Result<PathBuf> {
        self.visit(name, Making::Nothing).map(|(path, _)| path)
    }

    /// Returns the path for a key of this name, and creates its parent directories.
    ///
    /// # Errors
    /// As [`TargetDirectory::find`]; `Local` for what the system refuses.
    pub(crate) fn place(&self, name: &str) -> Result<SinkTarget> {
        self.visit(name, Making::Folders).map(|(_, place)| place)
    }

    /// Creates the directory for a key that ends in `/`.
    ///
    /// # Errors
    /// As [`TargetDirectory::place`].
    pub(crate) fn make(&self, name: &str) -> Result<()> {
        let folders = components(name.strip_suffix('/').unwrap_or(name));
        let folders = folders.map_err(|why| refused(Subject::other(name.to_owned()), why))?;
        self.make_root()?;
        self.lead(&folders, Making::Folders).map(|_| ())
    }

    /// Records that a directory has a new entry. Returns whether so many have that they should be synced now.
    pub(crate) fn note_new_entry(&self, folder: PathBuf) -> bool {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        unsynced.insert(folder);
        unsynced.len() >= MAX_UNSYNCED
    }

    /// Syncs all new entries, which may take long.
    pub(crate) fn sync_directory(&self) {
        let unsynced = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in &unsynced {
            sync_directory(folder);
        }
    }

    fn visit(&self, name: &str, making: Making) -> Result<(PathBuf, SinkTarget)> {
        let mut folders = components(name).map_err(|why| refused(Subject::other(name.to_owned()), why))?;
        let file = folders.pop().unwrap_or_default();
        if making == Making::Folders {
            self.make_root()?;
        }
        let path = self.lead(&folders, making)?.join(file);
        let subject = Subject::from(&path);
        let permissions = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(Error::local("write", subject)(error)),
            Ok(metadata) if metadata.is_symlink() => return Err(refused(subject, IS_LINK)),
            Ok(metadata) if metadata.is_dir() => return Err(refused(subject, "is a directory")),
            Ok(metadata) if !metadata.is_file() => return Err(refused(subject, "is not a regular file")),
            Ok(_) if self.no_clobber => return Err(Error::TargetExists { subject }),
            Ok(metadata) => Some(kept_of(&metadata, geteuid().as_raw())),
        };
        let (no_clobber, placed) = (self.no_clobber, self.placed.clone());
        let place = SinkTarget::File { path: path.clone(), permissions, no_clobber, placed };
        Ok((path, place))
    }

    fn make_root(&self) -> Result<()> {
        if self.root.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.root).map_err(Error::local("make", Subject::Folder(self.root.clone())))
    }

    /// Descends the path; none of its directories may be a link.
    fn lead(&self, folders: &[&str], making: Making) -> Result<PathBuf> {
        let mut path = self.root.clone();
        for folder in folders {
            path.push(folder);
            let subject = Subject::from(&path);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(metadata) if metadata.is_symlink() => return Err(refused(subject, IS_LINK)),
                Ok(_) => {
                    return Err(refused(subject, "is a file, but the key needs a directory of that name"));
                }
                Err(error) if error.kind() == ErrorKind::NotFound => match making {
                    Making::Nothing => {}
                    Making::Folders => self.make_folder(&path)?,
                },
                Err(error) => return Err(Error::local("write below", subject)(error)),
            }
        }
        Ok(path)
    }

    fn make_folder(&self, path: &Path) -> Result<()> {
        match DirBuilder::new().create(path) {
            // Another object has just made it; a link would not be a folder.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_real_folder(path) => Ok(()),
            made => {
                made.map_err(Error::local("make", Subject::Folder(path.to_owned())))?;
                if self.note_new_entry(path.parent().unwrap_or(&self.root).to_owned()) {
                    self.sync_directory();
                }
                Ok(())
            }
        }
    }
}

/// What may be made on the way to a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Making {
    Nothing,
    Folders,
}

const IS_LINK: &str = "is a symbolic link, which could lead out of the directory";

fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

fn refused(subject: Subject, why: &'static str) -> Error {
    Error::unsupported(subject, why)
}

/// Splits a name into what leads to the file and the file.
fn components(name: &str) -> Result<Vec<&str>, &'static str> {
    let parts: Vec<&str> = name.split('/').collect();
    for part in &parts {
        match *part {
            "" => return Err("a directory in its key has no name"),
            "." | ".." => return Err("its key would lead out of the directory (. or ..)"),
            part if part.contains('\0') => return Err("its key contains a NUL, which a file name cannot"),
            part if part.len() > MAX_NAME => return Err("a name in its key is longer than 255 bytes"),
            _ => {}
        }
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn no_name_leads_out() {
        for name in ["", "/etc/passwd", "a//b", "a/", "..", "../a", "a/../b", "a/..", ".", "./a", "a\0b"] {
            assert!(components(name).is_err(), "{name:?}");
        }
        assert!(components(&"n".repeat(256)).is_err());
        assert_eq!(components(&format!("a/{}", "n".repeat(255))).unwrap().len(), 2);
        for name in ["a", "...", "..a", "-rf", "a b", "a\nb", "größe", "a\\b", "~"] {
            assert_eq!(components(name).unwrap(), [name]);
        }
    }

    #[test]
    fn a_link_in_the_folder_is_not_gone_through() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        fs::write(outside.path().join("file"), b"old").unwrap();
        symlink(outside.path().join("file"), root.path().join("file")).unwrap();
        let folder = TargetDirectory::new(root.path().to_owned(), false).unwrap();
        for name in ["out/a", "out/b/c", "file", "out"] {
            assert!(matches!(folder.find(name), Err(Error::Unsupported { .. })), "{name}");
            assert!(matches!(folder.place(name), Err(Error::Unsupported { .. })), "{name}");
        }
        assert!(folder.make("out/d/").is_err());
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }

    #[test]
    fn folders_are_made_only_when_a_place_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let folder = TargetDirectory::new(root.path().join("new"), false).unwrap();
        let path = folder.find("a/b/c").unwrap();
        assert!(!root.path().join("new").exists());
        let (_, pending) = folder.place("a/b/c").unwrap().open().unwrap();
        assert_eq!(pending.commit().unwrap().as_deref(), path.parent());
        assert!(path.is_file());
        assert!(folder.place("a/b").is_err(), "a folder is in the way");
        assert!(folder.place("a/b/c/d").is_err(), "a file is in the way");
        folder.make("e/f/").unwrap();
        assert!(root.path().join("new/e/f").is_dir());
        folder.sync_directory();
    }
}
