//! Where plaintext goes: a file that appears only once everything is verified, or a stream.
//!
//! A file's bytes go into a temporary one, a [`PendingFile`]: if the transfer fails, it is removed, and the old file
//! remains unchanged. Writing blocks, so callers run it on blocking threads.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::Mode;
use rustix::process::{geteuid, umask};

use crate::checksum::{Algorithm, Running, Sum};
use crate::error::{Error, Result, Subject};
use crate::location::{Target, folder_of};
use crate::transfer::pending_file::{PendingFile, TemporaryFile};
use crate::transfer::placed_files::PlacedFiles;
use crate::transfer::resume::Left;
use crate::transfer::temporary_file;
use crate::transfer::terminal_text::TerminalText;

/// Bytes that are read at once: few enough for the cache.
const PIECE: usize = 256 * 1024;

/// Finds out what the target is; writes nothing.
///
/// # Errors
/// `TargetExists` for a file that must stay, `NotFound` for a missing directory.
pub(crate) fn prepare(target: &Target, no_clobber: bool) -> Result<SinkTarget> {
    let path = match target {
        Target::File(path) => path,
        Target::FileInNewDirectory(path) if folder_of(path).exists() => {
            return Err(Error::unsupported(folder_of(path), "is not a directory"));
        }
        Target::FileInNewDirectory(path) => {
            return Ok(SinkTarget::FileInNewDirectory { path: path.clone(), no_clobber });
        }
        Target::Stdout => return Ok(SinkTarget::Stream(None)),
        Target::Terminal => return Ok(SinkTarget::Terminal),
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(Error::unsupported(path, "is a directory")),
        // A pipe or a device is written to directly; there is nothing to rename.
        Ok(metadata) if !metadata.is_file() => Ok(SinkTarget::Stream(Some(path.clone()))),
        Ok(_) if no_clobber => Err(Error::TargetExists { subject: path.into() }),
        Ok(metadata) => {
            // If the path is a symbolic link, its target is replaced, not the link.
            let path = fs::canonicalize(path).map_err(Error::local("open", path))?;
            Ok(SinkTarget::File {
                path,
                permissions: Some(kept_of(&metadata, geteuid().as_raw())),
                no_clobber,
                placed: Arc::default(),
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A symbolic link to a file that does not exist yet: the file is made, and the link stays. Links in a circle are
            // another error.
            if let Ok(pointed) = fs::read_link(path) {
                return prepare(&Target::File(folder_of(path).join(pointed)), no_clobber);
            }
            let folder = folder_of(path);
            if !folder.is_dir() {
                let subject = Subject::Folder(folder.to_owned());
                return Err(Error::NotFound { subject, source: Some(error.into()) });
            }
            Ok(SinkTarget::File { path: path.clone(), permissions: None, no_clobber, placed: Arc::default() })
        }
        Err(error) => Err(Error::local("open", path)(error)),
    }
}

/// A target, not opened yet.
#[derive(Debug)]
pub(crate) enum SinkTarget {
    /// Standard output, or a pipe or device by its path.
    Stream(Option<PathBuf>),
    /// Standard output, which is a terminal.
    Terminal,
    /// A regular file whose directory is to be made.
    FileInNewDirectory { path: PathBuf, no_clobber: bool },
    /// A regular file.
    File {
        /// Its final path.
        path: PathBuf,
        /// The permissions kept of the file that is replaced.
        permissions: Option<Permissions>,
        /// Whether a file that appears in the meantime must stay.
        no_clobber: bool,
        /// The files of other objects of the run, none of which it may replace.
        placed: Arc<PlacedFiles>,
    },
}

impl SinkTarget {
    /// Opens the target: bytes are written through the [`Sink`], and the [`PendingFile`] keeps or drops them.
    ///
    /// # Errors
    /// `Local` for what the system refuses.
    pub(crate) fn open(self) -> Result<(Sink, PendingFile)> {
        self.open_over(None)
    }

    /// The same, over a temporary file that an earlier run has left for this target, if it is still that file; one that is
    /// given up is removed.
    ///
    /// # Errors
    /// As [`SinkTarget::open`].
    pub(crate) fn open_over(self, left: Option<&Left>) -> Result<(Sink, PendingFile)> {
        match self {
            Self::Stream(None) => Ok((Sink::new(stdout()?, Subject::StandardOutput), PendingFile::Stream)),
            Self::Terminal => {
                let sink = Sink::new(stdout()?, Subject::StandardOutput);
                Ok((Sink { text: Some(TerminalText::default()), ..sink }, PendingFile::Stream))
            }
            Self::Stream(Some(path)) => {
                // As a shell opens it: the kernel protects from pipes that another user planted (fs.protected_fifos) only
                // who would also make the file.
                let options = &mut File::options();
                let file = options.write(true).create(true).truncate(false).open(&path);
                let file = file.map_err(Error::local("open", &path))?;
                Ok((Sink::new(file, &path), PendingFile::Stream))
            }
            Self::FileInNewDirectory { path, no_clobber } => {
                let folder = folder_of(&path);
                let subject = Subject::Folder(folder.to_owned());
                fs::create_dir_all(folder).map_err(Error::local("make", subject))?;
                let placed = Arc::default();
                Self::File { path, permissions: None, no_clobber, placed }.open_over(left)
            }
            Self::File { path, permissions, no_clobber, placed } => {
                let refused = || Error::local("write next to", &path);
                let left = match left {
                    Some(Left::GoOn(left)) => temporary_file::reopen(&path, left),
                    Some(Left::GiveUp(left)) => {
                        drop(temporary_file::reopen(&path, left));
                        None
                    }
                    None => None,
                };
                let (file, temp) = match left {
                    Some(left) => left,
                    None => temporary_file::create(&path).map_err(refused())?.into_parts(),
                };
                let sink = Sink::new(file.try_clone().map_err(refused())?, &path);
                let permissions = permissions.unwrap_or_else(of_a_new_file);
                let hidden = TemporaryFile { file, temp, path, permissions, no_clobber, placed };
                Ok((sink, PendingFile::File(Box::new(hidden))))
            }
        }
    }
}

/// The descriptor itself: Rust's standard output would look for line ends in the data.
fn stdout() -> Result<File> {
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    stdout.map(File::from).map_err(Error::local("write to", Subject::StandardOutput))
}

/// The permissions that the system gives a new file of this process.
fn of_a_new_file() -> Permissions {
    static MODE: OnceLock<u32> = OnceLock::new();
    // The umask cannot be read without setting it; a file that another thread creates in between is closed to others.
    let mode = MODE.get_or_init(|| {
        let masked = umask(Mode::RWXG | Mode::RWXO);
        umask(masked);
        0o666 & !masked.bits()
    });
    Permissions::from_mode(*mode)
}

/// Writes a whole file in one step: one that cannot be written whole stays as it was.
///
/// # Errors
/// `NotFound` for a missing directory, `Local` for what the system refuses.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let (mut sink, pending) = prepare(&Target::File(path.to_owned()), false)?.open()?;
    sink.write(content)?;
    pending.keep()
}

/// The permissions that a new file keeps of the one that it replaces. Of a file that is not the user's it gets none that a
/// new file would not have: in a shared directory, somebody else may have made that file, open to himself.
pub(super) fn kept_of(replaced: &Metadata, user: u32) -> Permissions {
    let permissions = replaced.permissions();
    if replaced.uid() == user {
        return permissions;
    }
    Permissions::from_mode(permissions.mode() & of_a_new_file().mode())
}

/// Opens a nameless temporary file: what is written through the sink is read through the file, once it is rewound.
///
/// # Errors
/// `Local` for what the system refuses.
pub(crate) fn spool() -> Result<(Sink, File)> {
    let subject = Subject::other(format!("a temporary file in {}", std::env::temp_dir().display()));
    let file = tempfile::tempfile().map_err(Error::local("make", &subject))?;
    let copy = file.try_clone().map_err(Error::local("make", &subject))?;
    Ok((Sink::new(copy, subject), file))
}

/// An open file or stream.
pub(crate) struct Sink {
    /// None keeps nothing.
    file: Option<File>,
    /// The target, for messages.
    subject: Subject,
    /// For a terminal, which gets nothing but text.
    text: Option<TerminalText>,
}

impl Sink {
    fn new(file: File, subject: impl Into<Subject>) -> Self {
        Self { file: Some(file), subject: subject.into(), text: None }
    }

    /// A sink that keeps nothing, for bytes that are only to be verified.
    pub(crate) fn nowhere() -> Self {
        Self { file: None, subject: Subject::other("nothing"), text: None }
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// `ReaderLeft` where nobody reads the stream any longer, `Unsupported` for bytes that a terminal does not show,
    /// `Local` for what the system refuses.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(text) = &mut self.text
            && let Err(why) = text.take(bytes)
        {
            return Err(Error::unsupported(&self.subject, why));
        }
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes));
        written.map_err(Error::not_written(&self.subject))
    }

    /// Writes all of the bytes at an offset; only for a file.
    ///
    /// # Errors
    /// As [`Sink::write`].
    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let written = self.file.as_ref().map_or(Ok(()), |file| file.write_all_at(bytes, offset));
        written.map_err(Error::not_written(&self.subject))
    }

    /// Passes bytes that are written already to `take`, piece by piece, up to the file's end; none of what goes nowhere.
    /// Returns how many there are.
    ///
    /// # Errors
    /// `Local` for what the system refuses, and those of `take`.
    pub(crate) fn read(&self, range: Range<u64>, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let Some(file) = &self.file else { return Ok(0) };
        let (mut at, mut bytes) = (range.start, vec![0; PIECE]);
        while at < range.end {
            let most = usize::try_from(range.end - at).unwrap_or(PIECE).min(PIECE);
            match file.read_at(&mut bytes[..most], at) {
                Ok(0) => break,
                Ok(read) => {
                    take(&bytes[..read])?;
                    at += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::local("read", &self.subject)(error)),
            }
        }
        Ok(at - range.start)
    }

    /// The checksum of bytes that are written already; `None` if the file ends before them.
    ///
    /// # Errors
    /// `Local` for what the system refuses.
    pub(crate) fn sum(&self, range: Range<u64>, algorithm: Algorithm) -> Result<Option<Sum>> {
        let mut running = Running::new(algorithm);
        let read = self.read(range.clone(), |bytes| {
            running.update(bytes);
            Ok(())
        })?;
        Ok((read == range.end - range.start).then(|| running.finish()))
    }

    /// Cuts off what is behind `len`, if anything is; only for a file.
    pub(crate) fn cut_off_behind(&mut self, len: u64) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let metadata = file.metadata().map_err(Error::not_written(&self.subject))?;
        if metadata.len() > len { self.cut_off(len) } else { Ok(()) }
    }

    /// Cuts the file off at `len`, and goes on there; only for a file.
    pub(crate) fn cut_off(&mut self, len: u64) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let cut = file.set_len(len).and_then(|()| file.seek(SeekFrom::Start(len)));
        cut.map(|_| ()).map_err(Error::not_written(&self.subject))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(folder: &Path, name: &str) -> Target {
        Target::File(folder.join(name))
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("t"), b"old").unwrap();
        fs::set_permissions(folder.path().join("t"), Permissions::from_mode(0o640)).unwrap();
        {
            let (mut sink, pending) = prepare(&file(folder.path(), "t"), false).unwrap().open().unwrap();
            sink.write(b"half").unwrap();
            assert_eq!(names(folder.path()).len(), 2);
            let hidden = names(folder.path()).remove(0);
            let mode = fs::metadata(folder.path().join(&hidden)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            drop(pending);
        }
        assert_eq!(names(folder.path()), ["t"]);
        assert_eq!(fs::read(folder.path().join("t")).unwrap(), b"old");

        let (mut sink, pending) = prepare(&file(folder.path(), "t"), false).unwrap().open().unwrap();
        sink.write(b"new").unwrap();
        pending.keep().unwrap();
        assert_eq!(names(folder.path()), ["t"]);
        assert_eq!(fs::read(folder.path().join("t")).unwrap(), b"new");
        assert_eq!(fs::metadata(folder.path().join("t")).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn special_bits_of_the_file_that_is_replaced_go_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o6755)).unwrap();
        let (mut sink, pending) = prepare(&file(folder.path(), "t"), false).unwrap().open().unwrap();
        sink.write(b"new").unwrap();
        pending.keep().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o755);
    }

    #[test]
    fn a_new_file_has_the_permissions_that_the_system_gives_one() {
        let folder = tempfile::tempdir().unwrap();
        let (_, pending) = prepare(&file(folder.path(), "ours"), false).unwrap().open().unwrap();
        pending.keep().unwrap();
        fs::write(folder.path().join("theirs"), b"").unwrap();
        let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode("ours"), mode("theirs"));
    }

    #[test]
    fn a_file_of_another_user_hands_down_no_permission_that_a_new_file_would_not_have() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs");
        fs::write(&path, b"").unwrap();
        let new = of_a_new_file().mode();
        for mode in [0o777, 0o666, 0o640, 0o600] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let metadata = fs::metadata(&path).unwrap();
            let kept = |user| kept_of(&metadata, user).mode() & 0o777;
            assert_eq!((kept(metadata.uid()), kept(metadata.uid() + 1)), (mode, mode & new), "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_must_stay_stays_also_if_it_comes_late() {
        let folder = tempfile::tempdir().unwrap();
        let target = file(folder.path(), "t");
        let (mut sink, pending) = prepare(&target, true).unwrap().open().unwrap();
        sink.write(b"mine").unwrap();
        fs::write(folder.path().join("t"), b"theirs").unwrap();
        assert!(matches!(pending.commit(), Err(Error::TargetExists { .. })));
        assert!(matches!(prepare(&target, true), Err(Error::TargetExists { .. })));
        assert_eq!(fs::read(folder.path().join("t")).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["t"]);
    }

    #[test]
    fn a_link_keeps_pointing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("real"), b"old").unwrap();
        std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
        let (mut sink, pending) = prepare(&file(folder.path(), "link"), false).unwrap().open().unwrap();
        sink.write(b"new").unwrap();
        pending.keep().unwrap();
        assert!(fs::symlink_metadata(folder.path().join("link")).unwrap().is_symlink());
        assert_eq!(fs::read(folder.path().join("real")).unwrap(), b"new");
    }

    #[test]
    fn a_device_is_a_stream_and_a_missing_folder_is_named() {
        let device = prepare(&Target::File("/dev/null".into()), false).unwrap();
        assert!(!device.open().unwrap().1.hides());
        let missing = prepare(&Target::File("/no/such/folder/t".into()), false).unwrap_err();
        assert!(missing.to_string().contains("/no/such/folder"), "{missing}");
    }
}
