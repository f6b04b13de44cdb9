//! What is read: a regular file, standard input, the output of a command, or a pipe within the program.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use super::command::{self, ChildGuard};
use crate::error::{Error, Result, Signal, Subject};
use crate::location::Source;
use crate::meter::Meter;
use crate::transfer::pipe;
use crate::transfer::resume::{self, FileIdentity};

/// An opened source.
pub(crate) struct Input {
    pub(super) subject: Subject,
    pub(super) reader: Reader,
    /// The length that a file had when it was opened.
    pub(super) len: Option<u64>,
    /// When a file was last written.
    modified: Option<SystemTime>,
    /// Which regular file it is, with its path.
    pub(super) identity: Option<(String, FileIdentity)>,
}

pub(super) enum Reader {
    File(File),
    Stdin(io::Stdin),
    Command(ChildGuard, ChildStdout),
    Pipe(pipe::Reader),
}

/// The interval between polls for a command's exit once its output has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

impl Input {
    /// A pipe as a source; `len` is its length in bytes, if it is known.
    pub(crate) fn pipe(subject: Subject, reader: pipe::Reader, len: Option<u64>) -> Self {
        Self { subject, reader: Reader::Pipe(reader), len, modified: None, identity: None }
    }

    /// A temporary file as a source, from its beginning.
    ///
    /// # Errors
    /// `Local` for what the system refuses.
    pub(crate) fn temporary(subject: Subject, mut file: File) -> Result<Self> {
        let len = file.rewind().and_then(|()| file.metadata()).map_err(Error::local("read", &subject))?.len();
        Ok(Self { subject, reader: Reader::File(file), len: Some(len), modified: None, identity: None })
    }

    /// Opens the source; a command is started.
    ///
    /// # Errors
    /// `NotFound` without the file, `Unsupported` for a folder, `Local` for what the system refuses.
    pub(crate) fn open(source: &Source) -> Result<Self> {
        let subject = Subject::from(source);
        let reader = match source {
            Source::File(path) => {
                let file = File::open(path).map_err(Error::not_opened(&subject))?;
                return Self::file(path, file);
            }
            Source::Stdin => Reader::Stdin(io::stdin()),
            Source::Command(argv) => {
                let (child_guard, stdout) = command::start(argv, &subject)?;
                Reader::Command(child_guard, stdout)
            }
        };
        Ok(Self { subject, reader, len: None, modified: None, identity: None })
    }

    /// Opens a file that was found as a regular one, and is possibly none any more: a pipe is opened without waiting for its
    /// writer, which may never come.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub(crate) fn open_found(path: &Path) -> Result<Self> {
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let file = match File::options().read(true).custom_flags(nonblocking).open(path) {
            // A file server may have a lease on it, and gives it back to whoever waits.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && path.is_file() => File::open(path),
            opened => opened,
        };
        Self::file(path, file.map_err(Error::not_opened(&path.into()))?)
    }

    fn file(path: &Path, file: File) -> Result<Self> {
        let metadata = file.metadata().map_err(Error::local("read", path))?;
        if metadata.is_dir() {
            return Err(Error::unsupported(
                path,
                "is a directory; put takes one file or - for standard input",
            ));
        }
        let len = metadata.is_file().then_some(metadata.len()).filter(|len| *len > 0 || is_empty(&file));
        let modified = len.and_then(|_| metadata.modified().ok());
        let identity = len.map(|_| (resume::absolute(path), FileIdentity::from(&metadata)));
        Ok(Self { subject: path.into(), reader: Reader::File(file), len, modified, identity })
    }

    /// The length in bytes, where it is known before reading: that of a regular file.
    pub(crate) fn len(&self) -> Option<u64> {
        self.len
    }

    /// When it was last written: of a regular file.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// The path of a regular file, and which file it was when it was opened.
    pub(crate) fn identity(&self) -> Option<(String, FileIdentity)> {
        self.identity.clone()
    }

    /// Whether a regular file is as it was opened; nothing else can be compared.
    pub(super) fn is_as_opened(&self) -> bool {
        let (Reader::File(file), Some((_, identity))) = (&self.reader, &self.identity) else { return true };
        file.metadata().is_ok_and(|now| identity.is_as_long_and_old_as(&(&now).into()))
    }

    /// Fills the buffer, unless the source ends first; returns the number of bytes.
    pub(super) fn read(&mut self, buffer: &mut [u8], meter: &Meter) -> Result<usize> {
        match &mut self.reader {
            Reader::File(file) => fill(file, buffer, meter),
            Reader::Stdin(stdin) => fill(stdin, buffer, meter),
            Reader::Command(_, stdout) => fill(stdout, buffer, meter),
            Reader::Pipe(pipe) => return pipe.read(buffer),
        }
        .map_err(Error::local("read", &self.subject))
    }

    /// Ends the source: a command must have succeeded.
    pub(super) fn close(&mut self) -> Result<()> {
        let Reader::Command(child_guard, _) = &self.reader else { return Ok(()) };
        // Waiting with the lock held would keep the guard from killing it.
        while let Some(status) = child_guard.with(Child::try_wait) {
            match status.map_err(Error::local("wait for", &self.subject))? {
                Some(status) if status.success() => break,
                // Ctrl-C goes to the command too, and may reach it first.
                Some(status) if status.signal() == Some(rustix::process::Signal::INT.as_raw()) => {
                    return Err(Error::Interrupted(Signal::Interrupt));
                }
                Some(status) => {
                    let (subject, status) = (self.subject.clone(), status.to_string());
                    return Err(Error::CommandFailed { subject, status });
                }
                None => thread::sleep(POLL_INTERVAL),
            }
        }
        Ok(())
    }

    /// Returns the guard that kills the command when dropped; for other sources it does nothing.
    pub(crate) fn child_guard(&self) -> ChildGuard {
        match &self.reader {
            Reader::Command(child_guard, _) => child_guard.clone(),
            Reader::File(_) | Reader::Stdin(_) | Reader::Pipe(_) => ChildGuard::default(),
        }
    }
}

/// Whether a file whose length is said to be 0 gives nothing: those of `/proc`, and of some file systems in user space,
/// give content of a length that nobody knows before.
fn is_empty(file: &File) -> bool {
    file.read_at(&mut [0], 0).map_or(true, |read| read == 0)
}

/// Reads in as few calls as the source allows.
fn fill(reader: &mut impl Read, buffer: &mut [u8], meter: &Meter) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                meter.moved();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
