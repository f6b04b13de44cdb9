//! The lines of a journal: the format of its file.
//!
//! Names in the file stay as in the first release, so that any version can continue a journal: `way` is the name of the
//! strategy, in which `reseal` is [`Strategy::Reencrypt`](crate::commands::rotate::strategy::Strategy::Reencrypt), and
//! `beside` is a line about an instruction file.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

use crate::object::PublicEnvelope;

/// The version of the format.
pub(super) const VERSION: u32 = 2;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first one: which rotation this is, on which server (none for AWS), and since when (seconds since 1970).
    Journal {
        version: u32,
        rotation: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        endpoint: Option<String>,
        at: i64,
    },
    /// An object is about to be written.
    Begin { object: String, version_id: Option<String>, etag: Option<String>, way: String, at: i64 },
    /// An upload was started.
    Upload { object: String, id: String, at: i64 },
    /// An object that may not need its instruction file any more is about to be replaced; the ETags of both.
    #[serde(rename = "beside")]
    InstructionFile { object: String, etag: Option<String>, file_etag: String },
    /// The envelope of an object is about to be replaced; what is public of both, and the object's stored bytes before.
    Envelope {
        object: String,
        old: Option<PublicEnvelope>,
        new: Option<PublicEnvelope>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        len: Option<u64>,
    },
    /// A scratch object is about to be written.
    Scratch { object: String },
    /// The scratch object is gone.
    Cleared { object: String },
    /// An object is done, and has this ETag now; whether all of it was read and verified, too.
    Done {
        object: String,
        version_id: Option<String>,
        etag: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        verified: bool,
    },
    /// An object was refused: nothing of it is in progress.
    Refused { object: String },
}

impl Line {
    /// The object that it is about.
    pub(super) fn object(&self) -> Option<&str> {
        match self {
            Self::Journal { .. } => None,
            Self::Begin { object, .. }
            | Self::Upload { object, .. }
            | Self::InstructionFile { object, .. }
            | Self::Envelope { object, .. }
            | Self::Scratch { object }
            | Self::Cleared { object }
            | Self::Done { object, .. }
            | Self::Refused { object } => Some(object),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Reads the lines of a journal, one after the other.
pub(super) struct Lines<R> {
    reader: R,
    text: Vec<u8>,
    is_torn: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, text: Vec::new(), is_torn: false }
    }

    /// Reads the next line; false at the end.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        self.text.clear();
        let is_there = self.reader.read_until(b'\n', &mut self.text)? > 0;
        self.is_torn |= is_there && !self.text.ends_with(b"\n");
        Ok(is_there)
    }

    /// The line that was read; `None` for one that a crash cut off.
    pub(super) fn line(&self) -> Option<Line> {
        serde_json::from_slice(&self.text).ok()
    }

    /// The same as text.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether the last line that was read lacks its end.
    pub(super) fn is_torn(&self) -> bool {
        self.is_torn
    }
}

/// The first line of a rotation on a server that begins at this time.
pub(super) fn first(rotation: &str, endpoint: Option<&str>, at: i64) -> Line {
    let (rotation, endpoint) = (rotation.to_owned(), endpoint.map(str::to_owned));
    Line::Journal { version: VERSION, rotation, endpoint, at }
}

/// Counts lines, and what is behind the end of the last one as another.
pub(super) fn count(mut reader: impl BufRead) -> io::Result<u64> {
    let mut lines = 1;
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(lines);
        }
        lines += piece.split(|byte| *byte == b'\n').count() as u64 - 1;
        let len = piece.len();
        reader.consume(len);
    }
}

/// Whether a text without a line's end is the beginning of a first line of this rotation on this server.
pub(super) fn is_torn_first_line(text: &[u8], rotation: &str, endpoint: Option<&str>) -> bool {
    let whole = serde_json::to_vec(&first(rotation, endpoint, 0)).unwrap_or_default();
    // Up to the time, which nobody knows any more.
    let sure = whole.strip_suffix(b"0}}").unwrap_or_default();
    sure.starts_with(text)
        || text.strip_prefix(sure).is_some_and(|rest| rest.iter().all(|c| c.is_ascii_digit() || *c == b'}'))
}
