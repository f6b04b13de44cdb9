//! The words for what broken runs left: a line, a document, the question and the sum. Pure.

use std::fmt::Write;
use std::path::Path;

use crate::aws::timestamp::rfc3339_of_seconds;
use crate::byte_size::ByteSize;
use crate::cli::document::cleanup::{CleanupSummary, LeftoverDocument, LeftoverKind, LeftoverState};
use crate::cli::document::{self, Record};
use crate::cli::progress::amounts;
use crate::commands::cleanup::{Kept, Leftover, What};
use crate::error::Error;
use crate::location::S3Uri;
use crate::transfer::stale_records::{About, RecordSurvey};

impl LeftoverKind {
    fn of(what: &What) -> Self {
        match what {
            What::Upload { .. } => Self::Upload,
            What::InstructionFile { .. } => Self::InstructionFile,
            What::Scratch { .. } => Self::ScratchObject,
            What::Journal(_) => Self::Journal,
            What::Record(_) => Self::Record,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::InstructionFile => "instruction file",
            Self::ScratchObject => "scratch object",
            Self::Journal => "journal",
            Self::Record => "record",
        }
    }
}

/// What it is and where.
pub(super) fn name(what: &What) -> String {
    match what {
        What::Upload { uri, id, .. } => format!("upload of {uri} (id {id})"),
        What::InstructionFile { uri, .. } => format!("instruction file {uri}"),
        What::Scratch { uri, .. } => format!("scratch object {uri}"),
        What::Journal(journal) => format!("journal {}", journal.file.path.display()),
        What::Record(record) => format!("record {}", record.file.path.display()),
    }
}

/// Everything about it in one line.
pub(super) fn line(leftover: &Leftover) -> String {
    let mut line = name(&leftover.what);
    let mut facts = Vec::new();
    let created =
        leftover.created.and_then(rfc3339_of_seconds).unwrap_or_else(|| "an unknown time".to_owned());
    match &leftover.what {
        What::Upload { initiator, size, journal, .. } => {
            let by = initiator.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
            facts.push(format!("begun {created}{by}"));
            match size {
                Some(Ok(size)) => facts.push(format!(
                    "{} in {} part{}",
                    ByteSize(size.bytes),
                    amounts::count(size.parts),
                    if size.parts == 1 { "" } else { "s" }
                )),
                Some(Err(error)) => facts.push(format!("size not known ({error})")),
                None => {}
            }
            facts.extend(
                journal.as_ref().map(|path| format!("of the rotation with journal {}", path.display())),
            );
        }
        What::InstructionFile { object, .. } => {
            facts.push(format!("written {created}"));
            if !matches!(leftover.kept, Some(Kept::NotKnown(_))) {
                facts.push(format!("{object} does not exist"));
            }
        }
        What::Scratch { .. } => facts.push(format!("written {created}")),
        What::Journal(journal) => {
            facts.push(format!("last written {created}"));
            facts.push(format!("knows of {} done", amounts::counted(journal.done, "object")));
        }
        What::Record(record) => {
            facts.push(format!("last written {created}"));
            facts.push(match &record.about {
                About::Upload(upload) => format!("of a put to {} that did not end", upload.target),
                About::Download { source, .. } => format!("of a get of {source} that did not end"),
                About::Nothing => "cut off, and of no use".to_owned(),
            });
            let file = temporary_file(record);
            facts.extend(file.map(|path| format!("with the temporary file {}", path.display())));
        }
    }
    if let (false, Some(bytes)) = (matches!(leftover.what, What::Upload { .. }), leftover.bytes) {
        facts.push(ByteSize(bytes).to_string());
    }
    facts.extend(leftover.kept.as_ref().map(reason));
    let _ = write!(line, ": {}", facts.join(", "));
    line
}

/// The temporary file that goes with a record.
fn temporary_file(record: &RecordSurvey) -> Option<&Path> {
    match &record.about {
        About::Download { file, .. } => file.as_ref().map(|file| file.path.as_path()),
        About::Upload(_) | About::Nothing => None,
    }
}

/// Why it stays.
fn reason(kept: &Kept) -> String {
    match kept {
        Kept::Young => "younger than the limit".to_owned(),
        Kept::InUse(record) => format!("another run is at work with it ({})", record.display()),
        Kept::Needed => "its rotation must go on: run the same rotate command again".to_owned(),
        Kept::NotKnown(error) => format!("whether it is needed could not be seen: {error}"),
        Kept::Changed => "it has changed since it was found".to_owned(),
    }
}

/// Whether it stays for the usual reason, about which nobody has to do anything.
pub(super) fn is_silent(leftover: &Leftover) -> bool {
    matches!(leftover.kept, Some(Kept::Young | Kept::InUse(_)))
}

/// The document about it.
pub(super) fn document(leftover: &Leftover, state: LeftoverState, error: Option<&Error>) -> Record {
    let (mut uri, mut file, mut upload_id, mut initiator, mut journal) = (None, None, None, None, None);
    let mut temporary = None;
    match &leftover.what {
        What::Upload { uri: of, id, initiator: by, journal: path, .. } => {
            uri = Some(of.to_string());
            upload_id = Some(id.clone());
            initiator.clone_from(by);
            journal = path.as_ref().map(|path| path.to_string_lossy().into_owned());
        }
        What::InstructionFile { uri: of, .. } | What::Scratch { uri: of, .. } => uri = Some(of.to_string()),
        What::Journal(journal) => file = Some(journal.file.path.to_string_lossy().into_owned()),
        What::Record(record) => {
            uri = record.about.object().map(|(_, uri)| uri.to_owned());
            file = Some(record.file.path.to_string_lossy().into_owned());
            temporary = temporary_file(record).map(|path| path.to_string_lossy().into_owned());
        }
    }
    Record::Leftover(Box::new(LeftoverDocument {
        kind: LeftoverKind::of(&leftover.what),
        state,
        uri,
        file,
        temporary_file: temporary,
        upload_id,
        initiator,
        journal,
        created: leftover.created.and_then(rfc3339_of_seconds),
        bytes: leftover.bytes,
        reason: leftover.kept.as_ref().map(reason),
        error: error.map(document::Error::of),
    }))
}

/// Asks whether to remove all of it.
pub(super) fn question(found: &[Leftover], place: &S3Uri) -> String {
    let kinds = [
        LeftoverKind::Upload,
        LeftoverKind::InstructionFile,
        LeftoverKind::ScratchObject,
        LeftoverKind::Journal,
        LeftoverKind::Record,
    ];
    let counts = kinds.map(|kind| found.iter().filter(|one| LeftoverKind::of(&one.what) == kind).count());
    let parts: Vec<_> = kinds
        .iter()
        .zip(counts)
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| amounts::counted(count as u64, kind.noun()))
        .collect();
    let what = amounts::listed(&parts);
    let bytes = found.iter().filter_map(|one| one.bytes).fold(0, u64::saturating_add);
    format!("Remove {what} ({}) {}?", ByteSize(bytes), at(place))
}

fn at(place: &S3Uri) -> String {
    match () {
        () if place.is_object() => format!("of {place}"),
        () if place.key.is_empty() => format!("in {place}"),
        () => format!("below {place}"),
    }
}

/// The last line.
pub(super) fn summary(sum: CleanupSummary, place: &S3Uri, is_dry_run: bool, names_each: bool) -> String {
    let kept = if names_each { "kept" } else { "kept (-v names them)" };
    let mut parts = Vec::new();
    if sum.found == 0 {
        parts.push(format!("nothing to remove {}", at(place)));
    } else if is_dry_run {
        let found = amounts::counted(sum.found, "leftover");
        parts.push(format!("would remove: {found}, {}", ByteSize(sum.bytes)));
    } else {
        parts.push(format!(
            "removed: {}, {}",
            amounts::counted(sum.removed, "leftover"),
            ByteSize(sum.bytes)
        ));
    }
    for (number, word) in [(sum.kept, kept), (sum.failed, "failed")] {
        if number > 0 {
            parts.push(format!("{} {word}", amounts::count(number)));
        }
    }
    parts.join(", ")
}
