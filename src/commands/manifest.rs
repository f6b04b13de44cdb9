//! The manifest of a place: what `put -r` stored there, to be compared with what is there later.
//!
//! It is a text of JSON lines: a head, one line for each object in any order, and an end that says how many there are, so
//! that a manifest that was cut off is not taken for a whole one. s3seal-formats(7) describes it. What is read is not
//! trusted: lines and the whole have limits, and the names in it are only ever compared with those of a listing.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, Subject};
use crate::limits::{MAX_MANIFEST_BYTES, MAX_MANIFEST_LINE_BYTES};

/// The version of the format. A new field does not raise it.
const VERSION: u32 = 1;

/// A line of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(crate) enum Line {
    /// The first one.
    Manifest(Head),
    Object(Box<Entry>),
    /// The last one.
    End {
        /// The number of objects.
        objects: u64,
    },
}

/// What a manifest is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    manifest_version: u32,
    /// Where the objects were stored: `s3://BUCKET/` with the prefix.
    pub(crate) target: String,
    /// When the run began (RFC 3339).
    pub(crate) created: Option<String>,
}

impl Head {
    pub(crate) fn new(target: String, created: Option<String>) -> Self {
        Self { manifest_version: VERSION, target, created }
    }
}

/// An object as it was stored, or as a listing showed it where it stayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its key without the target's.
    pub(crate) name: String,
    /// The content's length, before client-side encryption.
    pub(crate) bytes: Option<u64>,
    /// The length of what S3 stores.
    pub(crate) stored_bytes: u64,
    /// Without quotes.
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    /// The checksum of what S3 stores.
    pub(crate) checksum: Option<EntryChecksum>,
    /// `client`, or S3's mode.
    pub(crate) mode: Option<String>,
    /// The client-side format.
    pub(crate) format: Option<String>,
    /// Whether its envelope is in an instruction file; `None` where that is not known.
    pub(crate) instruction_file: Option<bool>,
}

/// A checksum as S3 names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EntryChecksum {
    pub(crate) algorithm: String,
    /// Base64; with `-N` where it is one of the parts' checksums.
    pub(crate) value: String,
}

/// Writes one line.
pub(crate) fn text(line: &Line) -> String {
    // No value of these types cannot be written.
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

/// Reads a manifest, and passes each object to `each` with the length of its line. Blocks.
///
/// # Errors
/// `Tampered` for what is no manifest, or not a whole one; `Unsupported` for another version; `TooLarge`; errors of
/// `each`.
pub(crate) fn read(
    subject: &Subject,
    reader: impl BufRead,
    mut each: impl FnMut(Entry, usize) -> Result<()>,
) -> Result<Head> {
    let mut lines = Lines { subject, reader, number: 0, bytes: 0, text: Vec::new() };
    let head = lines.head()?;
    let mut objects = 0_u64;
    loop {
        let Some(text) = lines.next()? else {
            return Err(Error::tampered(subject, "it was cut off: the line that ends a manifest is missing"));
        };
        let len = text.len();
        match serde_json::from_slice(text) {
            Ok(Line::Object(entry)) => {
                objects += 1;
                each(*entry, len)?;
            }
            Ok(Line::End { objects: said }) if said == objects => break,
            Ok(Line::End { objects: said }) => {
                let why = format!("its end says that it has {said} objects, and it has {objects}");
                return Err(Error::tampered(subject, why));
            }
            Ok(Line::Manifest(_)) => return Err(lines.wrong("a second head")),
            Err(error) => return Err(lines.wrong(&error.to_string())),
        }
    }
    match lines.next()? {
        None => Ok(head),
        Some(_) => Err(lines.wrong("it comes after the end")),
    }
}

/// Only the version, whatever else that version has.
#[derive(Deserialize)]
struct Version {
    manifest_version: u32,
}

struct Lines<'a, R> {
    subject: &'a Subject,
    reader: R,
    number: u64,
    bytes: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Lines<'_, R> {
    /// Reads the next line, without its end.
    fn next(&mut self) -> Result<Option<&[u8]>> {
        self.text.clear();
        let most = MAX_MANIFEST_LINE_BYTES as u64 + 1;
        let read = (&mut self.reader).take(most).read_until(b'\n', &mut self.text);
        let read = read.map_err(Error::local("read", self.subject))?;
        self.number += 1;
        self.bytes += read as u64;
        if self.bytes > MAX_MANIFEST_BYTES {
            return Err(Error::too_large(self.subject, "it is longer than a manifest may be"));
        }
        match self.text.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(&self.text)),
            Some(_) if read as u64 == most => Err(self.wrong("the line is too long")),
            Some(_) => Err(self.wrong("the line was cut off")),
        }
    }

    fn head(&mut self) -> Result<Head> {
        let subject = self.subject;
        let foreign = || Error::tampered(subject, "it is not a manifest of s3seal");
        let text = match self.next() {
            Ok(Some(text)) => text,
            Ok(None) | Err(Error::Tampered { .. }) => return Err(foreign()),
            Err(error) => return Err(error),
        };
        match serde_json::from_slice(text) {
            Ok(Version { manifest_version: VERSION }) => {}
            Ok(Version { manifest_version }) => {
                let why = format!(
                    "it is a manifest of version {manifest_version}; this s3seal reads version {VERSION}"
                );
                return Err(Error::unsupported(subject, why));
            }
            Err(_) => return Err(foreign()),
        }
        match serde_json::from_slice(text) {
            Ok(Line::Manifest(head)) => Ok(head),
            _ => Err(foreign()),
        }
    }

    fn wrong(&self, why: &str) -> Error {
        Error::tampered(self.subject, format!("line {}: {why}", self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry { name: name.to_owned(), stored_bytes: 3, etag: Some("e".to_owned()), ..Entry::default() }
    }

    fn whole(names: &[&str]) -> String {
        let head = text(&Line::Manifest(Head::new("s3://bkt/p/".to_owned(), None)));
        let objects: String = names.iter().map(|name| text(&Line::Object(Box::new(entry(name))))).collect();
        head + &objects + &text(&Line::End { objects: names.len() as u64 })
    }

    fn read_text(text: &str) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let head = read(&"m".into(), text.as_bytes(), |entry, _| {
            entries.push(entry);
            Ok(())
        })?;
        assert_eq!(head.target, "s3://bkt/p/");
        Ok(entries)
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(read_text(&whole(&[])).unwrap(), []);
        let names = ["b", "a\n\u{1b}ä\"", ""];
        assert_eq!(read_text(&whole(&names)).unwrap(), names.map(entry));
    }

    #[test]
    fn a_manifest_that_is_cut_anywhere_is_not_taken_for_a_whole_one() {
        let text = whole(&["a", "b"]);
        for cut in 0..text.len() {
            assert!(matches!(read_text(&text[..cut]), Err(Error::Tampered { .. })), "{cut}");
        }
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for left_out in 0..lines.len() {
            let rest: String =
                lines.iter().enumerate().filter(|(n, _)| *n != left_out).map(|(_, line)| *line).collect();
            assert!(matches!(read_text(&rest), Err(Error::Tampered { .. })), "{left_out}");
        }
    }

    #[test]
    fn what_is_foreign_too_long_or_follows_the_end_is_refused() {
        let good = whole(&["a"]);
        let long = whole(&[&"x".repeat(MAX_MANIFEST_LINE_BYTES)]);
        let empty = String::new();
        for text in [
            empty,
            "\n".to_owned(),
            "{}\n".to_owned(),
            "{\"schema_version\":1}\n".to_owned(),
            format!("{good}\n"),
            format!("{good}{good}"),
            good.replace("\"stored_bytes\":3", "\"stored_bytes\":-3"),
            good.replace("\"record\":\"object\"", "\"record\":\"thing\""),
            long,
        ] {
            assert!(matches!(read_text(&text), Err(Error::Tampered { .. })), "{text}");
        }
        let newer = good.replace("\"manifest_version\":1", "\"manifest_version\":2");
        let error = read_text(&newer).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
        let more = good.replace("\"stored_bytes\":3", "\"stored_bytes\":3,\"new\":[1]");
        assert_eq!(read_text(&more).unwrap().len(), 1, "a new field");
    }
}
