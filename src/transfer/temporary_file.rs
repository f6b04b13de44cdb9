//! Temporary files next to their targets: their names, how they are made, and which one of an earlier run is used again.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use tempfile::{NamedTempFile, TempPath};

use crate::location::folder_of;
use crate::transfer::resume::LeftFile;

/// Stands in the names of temporary files.
const TEMPORARY: &str = ".s3seal-";

/// Whether a file has the name of a temporary one, which another run may be writing or may have left.
pub(crate) fn has_temporary_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let random = name.strip_prefix('.').and_then(|name| name.rsplit_once(TEMPORARY));
    random.is_some_and(|(_, random)| is_random(random))
}

/// Random letters and digits at the end of the name of a temporary file.
const RANDOM: usize = 6;

/// What the names of the temporary files of one target begin with.
fn beginning_of_temporary(target: &Path) -> String {
    format!(".{}{TEMPORARY}", beginning_of_name(target))
}

/// Whether a file has the name of a temporary one of this target.
fn is_temporary_of(target: &Path, path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let random = name.and_then(|name| name.strip_prefix(&beginning_of_temporary(target)));
    random.is_some_and(is_random)
}

fn is_random(name: &str) -> bool {
    name.len() == RANDOM && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Makes a temporary file that only its owner can open, from its first moment on.
pub(super) fn create(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(&beginning_of_temporary(path))
        .rand_bytes(RANDOM)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder_of(path))
}

/// Opens a temporary file that an earlier run has left for the target at `path`. Nothing, if it could be anything else: who
/// says that it was left is a record, which may be forged.
pub(super) fn reopen(path: &Path, left: &LeftFile) -> Option<(File, TempPath)> {
    Some((open(path, left)?, TempPath::try_from_path(&left.path).ok()?))
}

fn open(path: &Path, left: &LeftFile) -> Option<File> {
    if !is_temporary_of(path, &left.path)
        || fs::canonicalize(folder_of(&left.path)).ok()? != fs::canonicalize(folder_of(path)).ok()?
    {
        return None;
    }
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let file = File::options().read(true).write(true).custom_flags(flags).open(&left.path).ok()?;
    let metadata = file.metadata().ok()?;
    let is_it = (metadata.dev(), metadata.ino()) == (left.device, left.inode) && is_own_file(&metadata);
    is_it.then_some(file)
}

/// Whether a file is one that only this user can open, and by one name, as temporary ones are.
pub(crate) fn is_own_file(metadata: &Metadata) -> bool {
    metadata.is_file()
        && metadata.nlink() == 1
        && metadata.uid() == geteuid().as_raw()
        && metadata.mode() & 0o777 == 0o600
}

/// Whether a file is surely one that an earlier run has left, by its own name: whoever asks does not know the target.
pub(super) fn is_left(left: &LeftFile) -> bool {
    target_of(left).is_some_and(|target| open(&target, left).is_some())
}

/// Removes a file that is surely one that an earlier run has left.
pub(super) fn remove(left: &LeftFile) -> io::Result<()> {
    let temporary = target_of(left).and_then(|target| reopen(&target, left));
    temporary.map_or(Ok(()), |(_, path)| path.close())
}

/// The target by the name of its temporary file.
fn target_of(left: &LeftFile) -> Option<PathBuf> {
    let name = left.path.file_name()?.to_str()?;
    let (target, _) = name.strip_prefix('.')?.rsplit_once(TEMPORARY)?;
    Some(left.path.with_file_name(target))
}

/// A file's name, shortened so that a suffix fits into the 255 bytes that file systems allow.
fn beginning_of_name(path: &Path) -> String {
    const MOST: usize = 200;
    let mut name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.truncate(name.floor_char_boundary(MOST));
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_is_closed_to_others_from_its_first_moment() {
        let folder = tempfile::tempdir().unwrap();
        let made = create(&folder.path().join("t")).unwrap();
        assert_eq!(made.as_file().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn only_the_names_of_temporary_files_are_taken_for_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let made = create(&folder.path().join("größe.s3seal-x.txt")).unwrap();
        assert!(
            has_temporary_name(made.path()) && is_own_file(&made.as_file().metadata().unwrap()),
            "{made:?}"
        );
        for name in
            ["a.s3seal-x1y2z3", ".a.s3seal-x1y2z", ".a.s3seal-x1y2z3.txt", ".a.s3seal-x1-2z3", ".s3seal"]
        {
            assert!(!has_temporary_name(Path::new(name)), "{name}");
        }
    }
}
