//! Writes a range that arrives: checksum, decryption, file, record.

use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use tokio::task::coop::consume_budget;

use super::{BATCH, Piece, RangeRead, TargetFile};
use crate::checksum::Running;
use crate::error::{Error, Result};
use crate::seal::{Open, Output};
use crate::transfer::blocking;
use crate::transfer::sink::Sink;

/// Bytes that are written at once where they arrive, or decrypted at once: enough to be worth the call.
const BATCH_IN_PLACE: usize = 64 * 1024;
/// The most chunks of a batch, since each takes some memory however small it is.
const MAX_CHUNKS: usize = 1024;

/// What bytes pass through on their way into the file.
struct Passing {
    opening: Option<Opening>,
    /// The checksum of what is written since the last piece ended.
    written: Option<Running>,
}

/// The decryption of a range.
struct Opening {
    opener: Box<dyn Open>,
    /// The checksum of the stored bytes.
    stored: Option<Running>,
    plain: Output,
}

impl Opening {
    /// Returns the plaintext of the frames that `chunk` completes.
    fn open(&mut self, chunk: &[u8]) -> Result<&[u8]> {
        if let Some(stored) = &mut self.stored {
            stored.update(chunk);
        }
        self.plain.clear();
        self.opener.push(chunk, &mut self.plain)?;
        Ok(&self.plain)
    }
}

impl Passing {
    /// Writes what becomes of `batch` at `at`; returns where it ends.
    fn write(&mut self, batch: &[Bytes], sink: &Sink, mut at: u64) -> Result<u64> {
        let most = if self.opening.is_some() { BATCH_IN_PLACE } else { BATCH };
        for chunk in batch.iter().flat_map(|chunk| chunk.chunks(most)) {
            let bytes = match &mut self.opening {
                None => chunk,
                Some(opening) => opening.open(chunk)?,
            };
            if let Some(written) = &mut self.written {
                written.update(bytes);
            }
            sink.write_at(bytes, at)?;
            at += bytes.len() as u64;
        }
        Ok(at)
    }
}

/// A range that is being written.
pub(super) struct Writing<'a> {
    file: &'a TargetFile,
    /// The stored bytes.
    stored: Range<u64>,
    /// What is written since the last piece ended, in offsets in the content.
    written: Range<u64>,
    /// None while a write is under way, and after one has failed.
    passing: Option<Passing>,
    pieces: Vec<Piece>,
    batch: Vec<Bytes>,
    held: usize,
}

impl<'a> Writing<'a> {
    pub(super) fn new(file: &'a TargetFile, read: RangeRead) -> Self {
        let RangeRead { stored, at, opener } = read;
        let opening = opener.map(|opener| Opening {
            opener,
            stored: file.combines.map(Running::new),
            plain: Output::new(),
        });
        let passing = Some(Passing { opening, written: file.algorithm.map(Running::new) });
        Self { file, stored, written: at..at, passing, pieces: Vec::new(), batch: Vec::new(), held: 0 }
    }

    /// Takes the next stored bytes.
    pub(super) async fn take(&mut self, chunk: Bytes) -> Result<()> {
        self.held += chunk.len();
        self.batch.push(chunk);
        let enough = if self.file.load.is_light() { BATCH_IN_PLACE } else { BATCH };
        if self.held < enough && self.batch.len() < MAX_CHUNKS { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<()> {
        let mut passing = self.passing()?;
        let (sink, load) = (self.file.sink.clone(), self.file.load.clone());
        let start = self.file.content.range().start;
        let (batch, at) = (std::mem::take(&mut self.batch), self.written.end - start);
        let work = move || {
            let began = Instant::now();
            let end = passing.write(&batch, &sink, at)?;
            load.note(began, Instant::now());
            Ok::<_, Error>((passing, end))
        };
        let (passing, end) = if self.file.load.is_light() { work() } else { blocking(work).await? }?;
        (self.passing, self.held) = (Some(passing), 0);
        self.written.end = start + end;
        if self.written.end - self.written.start >= self.file.piece {
            self.end_piece();
        }
        // After a write in place, the other ranges and a signal have their turn.
        consume_budget().await;
        Ok(())
    }

    fn passing(&mut self) -> Result<Passing> {
        let failed = || Error::local("write", "the file")(std::io::Error::other("an earlier write failed"));
        self.passing.take().ok_or_else(failed)
    }

    /// Records what is written since the last piece, unless a write is under way or has failed.
    fn end_piece(&mut self) {
        let Some(passing) = self.passing.as_mut().filter(|_| !self.written.is_empty()) else { return };
        let next = self.file.algorithm.map(Running::new);
        let Some(running) = std::mem::replace(&mut passing.written, next) else { return };
        let (range, sum) = (self.written.clone(), running.finish());
        if let Some(kept) = &self.file.kept {
            kept.note(range.clone(), &sum);
        }
        self.written.start = range.end;
        if passing.opening.is_none() {
            self.pieces.push((range, sum));
        }
    }

    /// Writes the rest; returns the checksums of the stored bytes, where they are needed.
    pub(super) async fn finish(mut self) -> Result<Vec<Piece>> {
        if !self.batch.is_empty() {
            self.flush().await?;
        }
        self.end_piece();
        if let Some(opening) = self.passing()?.opening {
            opening.opener.finish(&mut Output::new())?;
            self.pieces.extend(opening.stored.map(|stored| (self.stored.clone(), stored.finish())));
        }
        Ok(std::mem::take(&mut self.pieces))
    }
}

/// A range that ends early, after a signal or an error, leaves what it has written to another run.
impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.end_piece();
    }
}
