//! Parts that stay in their file until they are sent: read once for their checksum, and again while they are sent. So many
//! more requests can be in flight than parts fit into memory. S3 compares the checksum; not every server does, so the file
//! is looked at again once a part is sent.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::{PIECE, Part, Parts, Reader};
use crate::aws::upload::PartBody;
use crate::checksum::Running;
use crate::error::{Error, Result, Subject};
use crate::transfer::buffer_pool::BufferPool;
use crate::transfer::resume::FileIdentity;

/// The file of such a part, to see afterwards whether it has changed.
#[derive(Debug)]
pub(crate) struct SourceFile {
    file: File,
    identity: FileIdentity,
    subject: Subject,
}

impl SourceFile {
    /// Refuses a file that has changed since it was opened.
    ///
    /// # Errors
    /// `SourceChanged`.
    pub(crate) fn unchanged(&self) -> Result<()> {
        let is_same =
            self.file.metadata().is_ok_and(|now| self.identity.is_as_long_and_old_as(&(&now).into()));
        if is_same {
            return Ok(());
        }
        let why = "something else wrote to it".to_owned();
        Err(Error::SourceChanged { subject: self.subject.clone(), why })
    }

    fn read(&self, at: u64, most: usize, pieces: &BufferPool) -> io::Result<Bytes> {
        let mut bytes = pieces.take(most);
        let read = self.file.read_at(bytes.append(most), at)?;
        bytes.truncate(read);
        Ok(pieces.lend(bytes))
    }
}

impl Parts {
    /// Whether parts can stay on disk: those of a regular file that are stored as they are.
    pub(crate) fn can_stay_on_disk(&self) -> bool {
        !self.encrypts && matches!(self.input.reader, Reader::File(_)) && self.input.identity.is_some()
    }

    /// As [`Parts::next_part`], without keeping the bytes in memory; only for parts that
    /// [can](Self::can_stay_on_disk).
    ///
    /// # Errors
    /// As [`Parts::next_part`].
    pub(crate) fn next_part_on_disk(&mut self) -> Result<Option<Part>> {
        let (start, size) = (self.plain, self.next_memory());
        let source = self.source_file()?;
        let mut running = Running::new(self.algorithm);
        let mut piece = std::mem::take(&mut self.piece);
        let mut left = size;
        while left > 0 && !self.ended {
            piece.clear();
            let wanted = PIECE.min(usize::try_from(left).unwrap_or(PIECE));
            let read = self.read(wanted, &mut piece)?;
            running.update(&piece);
            left -= read as u64;
            self.end_if_over(read < wanted)?;
        }
        self.piece = piece;
        if size == 0 {
            return Ok(None);
        }
        let (from, pieces) = (source.clone(), self.pieces.clone());
        let read = Arc::new(move |offset, most| from.read(start + offset, most, &pieces));
        let body = PartBody::ReadWhileSent { len: size, read };
        self.numbered(body, running.finish(), start, Some(source)).map(Some)
    }

    fn source_file(&self) -> Result<Arc<SourceFile>> {
        let subject = self.input.subject.clone();
        let (Reader::File(file), Some((_, identity))) = (&self.input.reader, &self.input.identity) else {
            return Err(Error::unsupported(subject, "is no regular file".to_owned()));
        };
        let file = file.try_clone().map_err(Error::local("read", &subject))?;
        Ok(Arc::new(SourceFile { file, identity: identity.clone(), subject }))
    }
}
