//! The files into which a run has put objects: where a file system does not tell two names apart, as one that ignores case,
//! the second object must not replace the first.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// How many inodes are kept together.
const BLOCK: u64 = 64;

/// Which files they are: a device and a block of inodes, and of each file in it a [`mark`]. Files that are made one after
/// another mostly have inodes close by, so that a million of them take some 5 MiB.
#[derive(Debug, Default)]
pub(crate) struct PlacedFiles(Mutex<BTreeMap<(u64, u64), Vec<u32>>>);

impl PlacedFiles {
    /// Gives `file` its `path` with `rename`, one at a time.
    ///
    /// # Errors
    /// `Unsupported` if the path leads to a file of the run already; those of `rename`.
    pub(crate) fn place(&self, file: &File, path: &Path, rename: impl FnOnce() -> Result<()>) -> Result<()> {
        let block = |file: &Metadata| (file.dev(), file.ino() / BLOCK);
        let mut placed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_placed =
            |there: &Metadata| placed.get(&block(there)).is_some_and(|marks| marks.contains(&mark(there)));
        if fs::symlink_metadata(path).is_ok_and(|there| is_placed(&there)) {
            let why =
                "is the file of another object already: this file system does not tell their names apart";
            return Err(Error::unsupported(path, why));
        }
        rename()?;
        if let Ok(file) = file.metadata() {
            placed.entry(block(&file)).or_default().push(mark(&file));
        }
        Ok(())
    }
}

/// The place of an inode in its block, and of when the file was made as much as fits in besides: a file system gives the
/// inode of a file that somebody has removed or replaced to the next one. Where it does not keep the time, the inode alone
/// counts.
fn mark(file: &Metadata) -> u32 {
    let mut hasher = DefaultHasher::new();
    file.created().ok().hash(&mut hasher);
    let time = hasher.finish() >> u32::BITS;
    u32::try_from(time / BLOCK * BLOCK + file.ino() % BLOCK).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_file_that_was_placed_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, temporary] = ["a", "b", "temporary"].map(|name| folder.path().join(name));
        let placed = PlacedFiles::default();
        let place = |path: &Path| {
            let file = File::create(&temporary).unwrap();
            placed.place(&file, path, || fs::rename(&temporary, path).map_err(Error::local("write", path)))
        };
        place(&a).unwrap();
        let is_a = fs::metadata(&a).unwrap();
        fs::hard_link(&a, &b).unwrap();
        assert!(matches!(place(&b), Err(Error::Unsupported { .. })));
        // Renamed, linked and written since, it is the same file.
        fs::remove_file(&a).unwrap();
        fs::write(&b, b"more").unwrap();
        assert!(matches!(place(&b), Err(Error::Unsupported { .. })));
        if is_a.created().is_err() {
            return;
        }
        // The next one may have its inode, but was made later; the clock of file systems goes in steps.
        loop {
            fs::remove_file(&b).unwrap();
            fs::write(&b, b"theirs").unwrap();
            let is_b = fs::metadata(&b).unwrap();
            if is_b.ino() != is_a.ino() || is_b.created().ok() != is_a.created().ok() {
                break;
            }
        }
        place(&b).unwrap();
    }
}
