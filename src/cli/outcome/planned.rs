//! Formats what a dry run would do, and what was deleted: a line, or a document.

use super::{OutcomeKind, OutcomeText};
use crate::byte_size::ByteSize;
use crate::cli::document::transfer::{DeletedObject, PlannedAction, PlannedTransfer};
use crate::cli::document::{Command, Document, Record};
use crate::commands::changes::{Action, Change, Deleted, Planned};

/// The text for one of many; `transferred` makes that of what was transferred.
pub(crate) fn change<T>(
    change: &Change<T>,
    command: Command,
    json: bool,
    transferred: impl FnOnce(&T) -> OutcomeText,
) -> OutcomeText {
    match change {
        Change::Transferred(outcome) => transferred(outcome),
        Change::Unchanged => OutcomeText { text: String::new(), bytes: 0, kind: OutcomeKind::Unchanged },
        Change::Planned(planned) => OutcomeText {
            text: if json { document(planned, command).text() } else { line(planned) },
            bytes: planned.bytes.unwrap_or(0),
            kind: OutcomeKind::Planned(planned.action),
        },
        Change::Deleted(deleted) => OutcomeText {
            text: if json { deleted_document(deleted, command).text() } else { deleted_line(deleted) },
            bytes: 0,
            kind: OutcomeKind::Deleted,
        },
    }
}

/// A plan in words.
pub(crate) fn line(planned: &Planned) -> String {
    let Planned { action, uri, file, bytes, reason } = planned;
    let uri = uri.as_ref().map(ToString::to_string);
    let file = file.as_ref().map(|file| file.display().to_string());
    let (verb, from, to) = match action {
        Action::Store => ("store", file, uri),
        Action::Fetch => ("fetch", uri, file.or_else(|| Some("-".to_owned()))),
        Action::Delete => ("delete", uri.or(file), None),
    };
    let arrow = to.map_or_else(String::new, |to| format!(" as {to}"));
    let why = reason.map(|reason| reason.to_string()).into_iter();
    let why: Vec<String> = why.chain(bytes.map(|bytes| ByteSize(bytes).to_string())).collect();
    let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
    format!("would {verb}: {}{arrow}{why}", from.unwrap_or_default())
}

/// A plan as a document.
pub(crate) fn document(planned: &Planned, command: Command) -> Document {
    let record = PlannedTransfer {
        action: match planned.action {
            Action::Store => PlannedAction::Store,
            Action::Fetch => PlannedAction::Fetch,
            Action::Delete => PlannedAction::Delete,
        },
        uri: planned.uri.as_ref().map(ToString::to_string),
        file: planned.file.as_ref().map(|file| file.to_string_lossy().into_owned()),
        bytes: planned.bytes,
        reason: planned.reason.map(|reason| reason.to_string()),
    };
    Document::new(command, Record::Planned(record))
}

fn deleted_line(deleted: &Deleted) -> String {
    match deleted {
        Deleted::Object(uri) => format!("deleted: {uri}"),
        Deleted::File(file) => format!("deleted: {}", file.display()),
    }
}

fn deleted_document(deleted: &Deleted, command: Command) -> Document {
    let (uri, file) = match deleted {
        Deleted::Object(uri) => (Some(uri.to_string()), None),
        Deleted::File(file) => (None, Some(file.to_string_lossy().into_owned())),
    };
    Document::new(command, Record::Deleted(DeletedObject { uri, file }))
}
