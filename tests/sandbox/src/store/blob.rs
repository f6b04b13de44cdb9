//! A blob: bytes at rest, in memory or in a file that goes when the blob goes; or a hole, which takes no room.
//!
//! Files carry no names of objects: a blob knows only its bytes, so nothing of a bucket can be guessed from the folder.
//!
//! What does not belong here: ciphers (these bytes are what a thief of the disk would see).

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

/// Where the bodies of objects are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory.
    Memory,
    /// As files in this folder, which is made if it is not there.
    Folder(PathBuf),
}

/// Makes blobs in one storage.
#[derive(Debug)]
pub struct Shelf {
    storage: Storage,
}

impl Shelf {
    /// Opens a storage.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(storage: Storage) -> io::Result<Self> {
        if let Storage::Folder(folder) = &storage {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { storage })
    }

    /// Begins a blob; what is not finished leaves nothing behind.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn writer(&self) -> io::Result<BlobWriter> {
        Ok(match &self.storage {
            Storage::Memory => BlobWriter::Memory(Vec::new()),
            Storage::Folder(folder) => {
                let path = folder.join(format!("{}.blob", super::random_hex::<16>()));
                let file = File::options().write(true).create_new(true).open(&path)?;
                BlobWriter::File(OnDisk(path), file, 0)
            }
        })
    }

    /// Makes a blob of bytes at hand, always in memory.
    #[must_use]
    pub fn at_hand(bytes: Vec<u8>) -> Arc<Blob> {
        Arc::new(Blob::Memory(bytes.into()))
    }
}

/// A file that is removed when it is dropped.
#[derive(Debug)]
pub struct OnDisk(PathBuf);

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A blob that is being written.
#[derive(Debug)]
pub enum BlobWriter {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file, of which this many bytes are written.
    File(OnDisk, File, u64),
}

impl BlobWriter {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(all) => all.extend_from_slice(bytes),
            Self::File(_, file, len) => {
                file.write_all(bytes)?;
                *len += bytes.len() as u64;
            }
        }
        Ok(())
    }

    /// Ends the blob: from now on it can be read.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn finish(self) -> io::Result<Arc<Blob>> {
        Ok(Arc::new(match self {
            Self::Memory(all) => Blob::Memory(all.into()),
            Self::File(path, _, len) => Blob::File(path, len),
        }))
    }
}

/// Bytes at rest.
#[derive(Debug)]
pub enum Blob {
    /// In memory.
    Memory(Bytes),
    /// In a file of this many bytes.
    File(OnDisk, u64),
    /// So many zeros, kept nowhere.
    Hole(u64),
}

impl Blob {
    /// The number of bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "nothing asks whether it is empty")]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(_, len) | Self::Hole(len) => *len,
        }
    }

    /// Opens it for reading from `offset` on.
    ///
    /// # Errors
    /// If the file is gone.
    pub fn reader(&self, offset: u64) -> io::Result<BlobReader> {
        Ok(match self {
            Self::Memory(bytes) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                BlobReader::Memory(bytes.slice(offset..), 0)
            }
            Self::File(path, _) => BlobReader::File(File::open(&path.0)?, offset, Vec::new()),
            Self::Hole(_) => BlobReader::Hole(Vec::new()),
        })
    }

    /// All bytes at once, without a runtime: for a test that looks in. Of a hole there is nothing to see.
    ///
    /// # Panics
    /// If the file is gone.
    #[must_use]
    pub fn all(&self) -> Vec<u8> {
        match self {
            Self::Memory(bytes) => bytes.to_vec(),
            Self::File(path, _) => std::fs::read(&path.0).expect("the file of a blob"),
            Self::Hole(_) => Vec::new(),
        }
    }
}

/// Reads a blob front to back. That blocks, but mostly for no longer than it takes to copy the bytes.
#[derive(Debug)]
pub enum BlobReader {
    /// The bytes, and where to go on.
    Memory(Bytes, usize),
    /// The open file, where to go on, and what was read last.
    File(File, u64, Vec<u8>),
    /// Zeros.
    Hole(Vec<u8>),
}

impl BlobReader {
    /// The next `len` bytes.
    ///
    /// # Errors
    /// If there are not so many bytes left.
    pub fn next(&mut self, len: usize) -> io::Result<&[u8]> {
        match self {
            Self::Memory(bytes, at) => {
                let next = bytes.get(*at..*at + len).ok_or(io::ErrorKind::UnexpectedEof)?;
                *at += len;
                Ok(next)
            }
            Self::File(file, at, bytes) => {
                bytes.resize(len, 0);
                file.read_exact_at(bytes, *at)?;
                *at += len as u64;
                Ok(bytes)
            }
            Self::Hole(zeros) => {
                zeros.resize(len, 0);
                Ok(zeros)
            }
        }
    }
}
