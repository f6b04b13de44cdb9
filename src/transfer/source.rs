//! Reads a file, standard input or a command's output into the parts of an upload, in one sequential pass.
//!
//! Bytes are read, encrypted and checksummed while they are in the CPU cache. A retry sends the same bytes
//! again, from memory or from the file ([`on_disk`]), and nothing is encrypted twice. Reading blocks, so callers run it
//! on blocking threads.

use std::sync::Arc;

use bytes::Bytes;

use crate::aws::upload::PartBody;
use crate::checksum::{Algorithm, Sum};
use crate::error::{Error, Result, SizeLimit};
use crate::meter::Meter;
use crate::s3_limits::MAX_PARTS;
use crate::seal::{Output, Seal};
use crate::transfer::buffer_pool::BufferPool;
use crate::transfer::plan::UploadPlan;

mod command;
mod input;
mod on_disk;

pub(crate) use input::Input;
use input::Reader;
use on_disk::SourceFile;

/// Plaintext bytes read at once to be encrypted: few enough to stay in the cache.
const PIECE: usize = 256 * 1024;

/// Capacity for what a format adds, and for the piece that crosses a part's end.
const SLACK: usize = PIECE + 64 * 1024;

/// One part, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Counted from 1.
    pub(crate) number: u32,
    /// The stored bytes.
    pub(crate) body: PartBody,
    /// Their checksum.
    pub(crate) sum: Sum,
    /// How many plaintext bytes were read for it.
    pub(crate) plain: u64,
    /// The file, if the bytes are still there only.
    pub(crate) on_disk: Option<Arc<SourceFile>>,
}

/// Cuts a source into parts, in order, and encrypts them.
pub(crate) struct Parts {
    input: Input,
    /// Encrypts the bytes; `None` if only S3 does.
    encrypts: bool,
    /// `None` once finished.
    seal: Option<Box<dyn Seal>>,
    plan: UploadPlan,
    algorithm: Algorithm,
    /// Encrypted bytes beyond the end of the part they were made for.
    ahead: Vec<u8>,
    buffers: BufferPool,
    /// What parts on disk are read into while they are sent.
    pieces: BufferPool,
    piece: Output,
    number: u32,
    plain: u64,
    /// Bytes handed out in parts.
    stored: u64,
    ended: bool,
    refuse_empty: bool,
    /// Sees that the source gives something.
    meter: Meter,
}

impl Parts {
    /// Makes an empty source an error rather than an empty object.
    pub(crate) fn refusing_empty(self, refuse_empty: bool) -> Self {
        Self { refuse_empty, ..self }
    }

    /// Shows on a meter that the source gives something.
    pub(crate) fn showing(self, meter: &Meter) -> Self {
        Self { meter: meter.clone(), ..self }
    }

    /// Takes the memory for parts from buffers that others use too.
    pub(crate) fn sharing(self, buffers: &BufferPool) -> Self {
        Self { buffers: buffers.clone(), ..self }
    }

    /// Joins a source, a format (`None`: as it is) and a plan.
    pub(crate) fn new(
        input: Input,
        seal: Option<Box<dyn Seal>>,
        plan: UploadPlan,
        algorithm: Algorithm,
    ) -> Self {
        Self {
            input,
            encrypts: seal.is_some(),
            seal,
            plan,
            algorithm,
            ahead: Vec::new(),
            buffers: BufferPool::default(),
            pieces: BufferPool::default(),
            piece: Output::new(),
            number: 0,
            plain: 0,
            stored: 0,
            ended: false,
            refuse_empty: false,
            meter: Meter::default(),
        }
    }

    /// The size in bytes that the next part will have at most.
    fn next_size(&self) -> u64 {
        self.plan.part_size(self.number + 1)
    }

    /// The bytes of memory that the next part will take: a small file takes no whole part's.
    pub(crate) fn next_memory(&self) -> u64 {
        let rest = self.plan.total().map(|total| total.saturating_sub(self.stored));
        self.next_size().min(rest.unwrap_or(u64::MAX))
    }

    /// Whether the length says that there is a further part, before anything of it is read.
    pub(crate) fn more_is_sure(&self) -> bool {
        self.plan.total().is_some_and(|total| total > self.stored)
    }

    /// Whether its length says that it has more than one part.
    pub(crate) fn are_many(&self) -> bool {
        self.plan.has_many_parts()
    }

    /// Whether the source has ended, so that the part last returned is the last one.
    pub(crate) fn ended(&self) -> bool {
        self.ended && self.ahead.is_empty()
    }

    /// Reads and encrypts the next part; `None` after the last. The first part is returned even if it is empty.
    ///
    /// # Errors
    /// `TooLarge` beyond S3's number of parts, `SourceChanged` if a file is not as it was when it was opened,
    /// `CommandFailed` at the end of a command that did not succeed.
    pub(crate) fn next_part(&mut self) -> Result<Option<Part>> {
        let size =
            usize::try_from(self.next_size()).map_err(|_| self.too_large("a part does not fit in memory"))?;
        let before = self.plain;
        let bytes = if self.encrypts { self.encrypted_part(size)? } else { self.as_it_is(size)? };
        if bytes.is_empty() && self.number > 0 {
            return Ok(None);
        }
        let sum = self.algorithm.sum(&bytes);
        self.numbered(PartBody::InMemory(bytes), sum, before, None).map(Some)
    }

    /// Makes the next part, whose plaintext begins at `start`.
    fn numbered(
        &mut self,
        body: PartBody,
        sum: Sum,
        start: u64,
        on_disk: Option<Arc<SourceFile>>,
    ) -> Result<Part> {
        self.number += 1;
        self.stored += body.len();
        if self.number > MAX_PARTS {
            return Err(self.too_large(SizeLimit::Parts(MAX_PARTS)));
        }
        Ok(Part { number: self.number, body, sum, plain: self.plain - start, on_disk })
    }

    /// Reads straight into the part: bytes that S3 encrypts are touched once.
    fn as_it_is(&mut self, size: usize) -> Result<Bytes> {
        let wanted = size.min(self.rest());
        let mut out = self.buffers.take(wanted);
        if !self.ended {
            let read = self.read(wanted, &mut out)?;
            self.end_if_over(read < wanted)?;
        }
        Ok(self.buffers.lend(out))
    }

    /// Ends the source, which is not encrypted, if all of it is read; `is_short` if less came than was wanted.
    fn end_if_over(&mut self, is_short: bool) -> Result<()> {
        if self.input.len == Some(self.plain) {
            // One more byte means that the file has grown.
            self.read(1, &mut Output::new())?;
            self.end(&mut Output::new())
        } else if is_short {
            self.end(&mut Output::new())
        } else {
            Ok(())
        }
    }

    fn encrypted_part(&mut self, size: usize) -> Result<Bytes> {
        let capacity = size.min(self.rest().saturating_add(self.ahead.len())).saturating_add(SLACK);
        let mut out = self.buffers.take(capacity);
        out.extend_from_slice(&self.ahead);
        self.ahead.clear();
        let mut piece = std::mem::take(&mut self.piece);
        while out.len() < size && !self.ended {
            piece.clear();
            // One more byte than expected means that the file has grown.
            let wanted = PIECE.min(self.rest().saturating_add(1));
            let read = self.read(wanted, &mut piece)?;
            if let Some(seal) = &mut self.seal {
                seal.push(&piece, &mut out)?;
            }
            if read < wanted {
                self.end(&mut out)?;
            }
        }
        self.piece = piece;
        if out.len() > size {
            self.ahead.extend_from_slice(&out[size..]);
            out.truncate(size);
        }
        Ok(self.buffers.lend(out))
    }

    /// Appends up to `limit` bytes to `out`; fewer only at the end of the source.
    fn read(&mut self, limit: usize, out: &mut Output) -> Result<usize> {
        let before = out.len();
        let read = self.input.read(out.append(limit), &self.meter)?;
        out.truncate(before + read);
        self.plain += read as u64;
        match self.input.len {
            Some(len) if self.plain > len => Err(self.changed(&format!("it had {len} bytes and has grown"))),
            _ => Ok(read),
        }
    }

    /// Stored bytes still to come from a file, so that a small one does not take a whole part's memory.
    fn rest(&self) -> usize {
        let rest = self.input.len.map(|len| len.saturating_sub(self.plain));
        rest.and_then(|rest| usize::try_from(rest).ok()).unwrap_or(usize::MAX)
    }

    fn end(&mut self, out: &mut Output) -> Result<()> {
        if let Some(len) = self.input.len.filter(|len| self.plain != *len) {
            return Err(self.changed(&format!("it had {len} bytes, but {} were read", self.plain)));
        }
        if !self.input.is_as_opened() {
            return Err(self.changed("something else wrote to it"));
        }
        self.input.close()?;
        if self.refuse_empty && self.plain == 0 {
            return Err(Error::EmptySource { subject: self.input.subject.clone() });
        }
        if let Some(seal) = self.seal.take() {
            seal.finish(out)?;
        }
        self.ended = true;
        Ok(())
    }

    fn too_large(&self, why: impl Into<SizeLimit>) -> Error {
        Error::too_large(&self.input.subject, why)
    }

    fn changed(&self, why: &str) -> Error {
        Error::SourceChanged { subject: self.input.subject.clone(), why: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::error::Signal;
    use crate::location::Source;
    use crate::s3_limits::MIN_PART_BYTES;
    use crate::transfer::plan;
    use crate::transfer_options::TransferOptions;

    /// A file of so many bytes, opened, and still at hand.
    fn opened(len: usize) -> (tempfile::NamedTempFile, Input) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; len]).unwrap();
        let input = Input::open(&Source::File(file.path().to_owned())).unwrap();
        (file, input)
    }

    fn parts(input: Input) -> Parts {
        let transfer_options = TransferOptions { part_size: MIN_PART_BYTES, ..TransferOptions::default() };
        let plan = plan::upload(input.len(), &transfer_options).unwrap();
        Parts::new(input, None, plan, Algorithm::Crc64Nvme)
    }

    fn lengths(mut parts: Parts) -> Result<Vec<usize>> {
        let mut lengths = Vec::new();
        while let Some(part) = parts.next_part()? {
            lengths.push(usize::try_from(part.body.len()).unwrap());
        }
        Ok(lengths)
    }

    #[test]
    fn a_file_is_cut_at_the_part_size() {
        let part = usize::try_from(MIN_PART_BYTES).unwrap();
        for (len, expected) in [
            (0, vec![0]),
            (1, vec![1]),
            (part - 1, vec![part - 1]),
            (part, vec![part]),
            (part + 1, vec![part, 1]),
            (2 * part, vec![part, part]),
        ] {
            assert_eq!(lengths(parts(opened(len).1)).unwrap(), expected, "{len}");
        }
    }

    #[test]
    fn a_single_part_is_known_to_be_the_last() {
        let part = usize::try_from(MIN_PART_BYTES).unwrap();
        for (len, last) in [(0, true), (part, true), (part + 1, false)] {
            let mut parts = parts(opened(len).1);
            parts.next_part().unwrap();
            assert_eq!(parts.ended(), last, "{len}");
        }
    }

    #[test]
    fn a_file_that_changes_is_told() {
        let (mut file, input) = opened(100);
        file.write_all(b"more").unwrap();
        assert!(matches!(lengths(parts(input)), Err(Error::SourceChanged { .. })));

        let (file, input) = opened(100);
        file.as_file().set_len(50).unwrap();
        assert!(matches!(lengths(parts(input)), Err(Error::SourceChanged { .. })));
    }

    #[test]
    fn an_empty_source_is_stored_only_if_that_is_wanted() {
        assert_eq!(lengths(parts(opened(0).1)).unwrap(), [0]);
        let refused = lengths(parts(opened(0).1).refusing_empty(true));
        assert!(matches!(refused, Err(Error::EmptySource { .. })));
    }

    #[test]
    fn a_command_that_fails_gives_no_last_part() {
        let command = |text: &str| Source::Command(vec!["sh".into(), "-c".into(), text.into()]);
        let ok = Input::open(&command("printf abc")).unwrap();
        assert_eq!(lengths(parts(ok)).unwrap(), [3]);
        let bad = Input::open(&command("printf abc; exit 3")).unwrap();
        assert!(matches!(lengths(parts(bad)), Err(Error::CommandFailed { .. })));
        // Also where the tests run in the background: there a shell ignores SIGINT.
        let kill = "exec env --default-signal=INT sh -c 'printf abc; kill -INT $$'";
        let interrupted = Input::open(&command(kill)).unwrap();
        assert!(matches!(lengths(parts(interrupted)), Err(Error::Interrupted(Signal::Interrupt))));
        let missing = Input::open(&Source::Command(vec!["/no/such/program".into()]));
        assert!(matches!(missing, Err(Error::NotFound { .. })));
    }
}
