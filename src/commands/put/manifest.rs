//! The manifest of a run of `put -r`: written as objects are stored, and at its place only when all of them are.

use std::fs::File;
use std::sync::{Mutex, PoisonError};

use crate::aws::listing::Listed;
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::commands::inspect::summary::mode_word;
use crate::commands::manifest::{Entry, EntryChecksum, Head, Line, text};
use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_MANIFEST_BYTES, MAX_MANIFEST_LINE_BYTES};
use crate::location::{FileOrObject, S3Uri, Target};
use crate::transfer::blocking;
use crate::transfer::pending_file::PendingFile;
use crate::transfer::sink::{self, Sink};
use crate::transfer::source::Input;

use super::{PutOutcome, PutRun};

/// Lines are written in pieces of about this length.
const PIECE: usize = 64 << 10;

/// A manifest that is being written.
pub(super) struct Manifest {
    subject: Subject,
    target: S3Uri,
    /// Whether the run stores envelopes in instruction files.
    instruction_files: bool,
    place: Place,
    lines: Mutex<Lines>,
}

/// Where it will be.
enum Place {
    File(PendingFile),
    /// An object, which is stored from a temporary file.
    Object(S3Uri, File),
}

struct Lines {
    sink: Sink,
    piece: String,
    written: u64,
    objects: u64,
}

impl Manifest {
    /// Begins one, about what is stored at `target`; `instruction_files` is whether envelopes go into such files. Blocks.
    ///
    /// # Errors
    /// Those of the file.
    pub(super) fn begin(
        place: FileOrObject,
        target: S3Uri,
        instruction_files: bool,
        now: i64,
    ) -> Result<Self> {
        let (subject, place, sink) = match place {
            FileOrObject::File(path) => {
                let subject = Subject::from(&path);
                let (sink, pending) = sink::prepare(&Target::File(path), false)?.open()?;
                (subject, Place::File(pending), sink)
            }
            FileOrObject::Object(uri) => {
                let (sink, file) = sink::spool()?;
                (Subject::from(&uri), Place::Object(uri, file), sink)
            }
        };
        let head = Line::Manifest(Head::new(target.to_string(), rfc3339_of_seconds(now)));
        let lines = Lines { sink, piece: text(&head), written: 0, objects: 0 };
        Ok(Self { subject, target, instruction_files, place, lines: Mutex::new(lines) })
    }

    /// Adds an object that was stored.
    pub(super) fn add_stored(&self, outcome: &PutOutcome) -> Result<()> {
        let mode = if outcome.format.is_some() { "client" } else { mode_word(&outcome.applied.mode) };
        let checksum = outcome.checksum.as_ref().map(|(algorithm, value)| EntryChecksum {
            algorithm: algorithm.as_str().to_owned(),
            value: value.clone(),
        });
        self.add(Entry {
            name: self.name(&outcome.target.key),
            bytes: Some(outcome.plain_len),
            stored_bytes: outcome.stored_len,
            etag: outcome.etag.as_deref().map(unquoted),
            version_id: outcome.version_id.clone(),
            checksum,
            mode: Some(mode.to_owned()),
            format: outcome.format.map(|format| format.to_string()),
            instruction_file: Some(self.instruction_files),
        })
    }

    /// Adds an object that stays, as a listing shows it; `len` is the length of its file.
    pub(super) fn add_unchanged(&self, listed: &Listed, len: u64) -> Result<()> {
        self.add(Entry {
            name: self.name(listed.key.as_str()),
            bytes: Some(len),
            stored_bytes: listed.len,
            etag: listed.etag.as_deref().map(unquoted),
            ..Entry::default()
        })
    }

    fn name(&self, key: &str) -> String {
        self.target.relative(key).to_owned()
    }

    fn add(&self, entry: Entry) -> Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.objects += 1;
        lines.add(&Line::Object(Box::new(entry)), &self.subject)
    }

    /// Ends it, and puts it at its place: an object is stored as all others of the run are.
    ///
    /// # Errors
    /// Those of writing or storing it.
    pub(super) async fn finish(self, run: &PutRun<'_>) -> Result<()> {
        let Self { subject, place, lines, .. } = self;
        let mut lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        lines.add(&Line::End { objects: lines.objects }, &subject)?;
        let name = subject.clone();
        blocking(move || lines.flush(&name)).await??;
        match place {
            Place::File(pending) => blocking(move || pending.keep()).await?,
            Place::Object(uri, file) => {
                let input = Input::temporary(subject, file)?;
                let settings = run.options.settings.of_file(uri.name());
                run.store(input, uri, settings).await.map(|_| ())
            }
        }
    }
}

impl Lines {
    /// Adds a line, unless it could not be read again.
    fn add(&mut self, line: &Line, subject: &Subject) -> Result<()> {
        let text = text(line);
        if text.len() > MAX_MANIFEST_LINE_BYTES {
            let why = "a line of the manifest would be longer than s3seal reads";
            return Err(Error::too_large(subject.clone(), why));
        }
        self.piece += &text;
        if self.piece.len() < PIECE { Ok(()) } else { self.flush(subject) }
    }

    fn flush(&mut self, subject: &Subject) -> Result<()> {
        self.written += self.piece.len() as u64;
        if self.written > MAX_MANIFEST_BYTES {
            let why = "the manifest would be longer than s3seal reads";
            return Err(Error::too_large(subject.clone(), why));
        }
        let written = self.sink.write(self.piece.as_bytes());
        self.piece.clear();
        written
    }
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_and_no_piece_is_written_that_could_not_be_read_again() {
        let (sink, _file) = sink::spool().unwrap();
        let mut lines = Lines { sink, piece: String::new(), written: 0, objects: 0 };
        let name = |len: usize| Line::Object(Box::new(Entry { name: "n".repeat(len), ..Entry::default() }));
        let refused = lines.add(&name(MAX_MANIFEST_LINE_BYTES), &"m".into());
        assert!(matches!(refused, Err(Error::TooLarge { .. })) && lines.piece.is_empty());
        lines.add(&name(MAX_MANIFEST_LINE_BYTES / 2), &"m".into()).unwrap();
        lines.written = MAX_MANIFEST_BYTES - lines.piece.len() as u64;
        lines.flush(&"m".into()).unwrap();
        // The last piece, too.
        lines.add(&Line::End { objects: 1 }, &"m".into()).unwrap();
        assert!(matches!(lines.flush(&"m".into()), Err(Error::TooLarge { .. })));
    }
}
