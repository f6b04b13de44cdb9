//! How many objects on their way up or down are told: a line or a JSON document for each, and the sum.
//!
//! What one outcome is in words stands in `outcome`; what is to be done about a failure, in `hints`.

use super::document::transfer::{FailedObject, SkippedObject, TransferSummary};
use super::document::{self, Command, Document, Record, Summaries, Summary};
use super::exit::Exit;
use super::failure::Failure;
use super::lost_envelope;
use super::outcome::Said;
use super::output;
use super::sanitize::escaped;
use super::session::Session;
use crate::commands::bulk::Row;
use crate::error::{Error, LostEnvelope, Result};
use crate::tuning::{ByteSize, Meter};

/// Which way they go.
#[derive(Clone, Copy)]
pub(crate) enum Verb {
    /// Up.
    Put,
    /// Down.
    Get,
}

impl Verb {
    fn command(self) -> Command {
        match self {
            Self::Put => Command::Put,
            Self::Get => Command::Get,
        }
    }

    /// Where a row's name belongs: that of a source, an address or a file.
    fn uri_and_file(self, name: &str) -> (Option<String>, Option<String>) {
        match self {
            Self::Put => (None, Some(name.to_owned())),
            Self::Get => (Some(name.to_owned()), None),
        }
    }

    /// What has happened to those that went.
    fn done(self) -> &'static str {
        match self {
            Self::Put => "stored",
            Self::Get => "fetched",
        }
    }

    /// What there would have been, had there been any.
    fn nothing(self) -> &'static str {
        match self {
            Self::Put => "no matching files; nothing stored",
            Self::Get => "no object matches the filters; nothing fetched",
        }
    }
}

/// Tells rows as they come and counts them.
pub(crate) struct Reporter<'a> {
    verb: Verb,
    session: &'a Session,
    /// Counts rows, for whoever shows progress.
    objects: Meter,
    done: u64,
    bytes: u64,
    left_out: u64,
    failed: u64,
    /// Objects that the server has stored otherwise than asked.
    stored_otherwise: u64,
}

impl<'a> Reporter<'a> {
    /// Begins with nothing told.
    #[must_use]
    pub(crate) fn new(verb: Verb, session: &'a Session, objects: &Meter) -> Self {
        Self {
            verb,
            session,
            objects: objects.clone(),
            done: 0,
            bytes: 0,
            left_out: 0,
            failed: 0,
            stored_otherwise: 0,
        }
    }

    /// Tells one object; `say` puts an outcome into words.
    ///
    /// # Errors
    /// What standard output says.
    pub(crate) fn tell<O>(&mut self, row: &Row<O>, say: impl FnOnce(&O) -> Said) -> Result<()> {
        self.objects.add(1);
        let printer = &self.session.printer;
        match row {
            Row::Done(outcome) => {
                let Said { text, bytes } = say(outcome);
                self.done += 1;
                self.bytes += bytes;
                if self.session.json {
                    return printer.beside_bar(|| output::document(&text));
                }
                printer.say(&text);
            }
            Row::Skipped { name, why } => {
                self.left_out += 1;
                if self.session.json {
                    let (uri, file) = self.verb.uri_and_file(name);
                    return self.document(Record::Skipped(SkippedObject { uri, file, reason: why.clone() }));
                }
                printer.say(&format!("left out: {name}: {why}"));
            }
            Row::Failed { name, error } => {
                match &**error {
                    Error::NotAsAsked { stored: true, .. } => return self.tell_stored_otherwise(name, error),
                    Error::EnvelopeLost(lost) if lost.stored => {
                        return self.tell_lost_envelope(name, error, lost);
                    }
                    _ => {}
                }
                self.failed += 1;
                let error = document::Error::of(error);
                if self.session.json {
                    let (uri, file) = self.verb.uri_and_file(name);
                    return self.document(Record::Failed(FailedObject {
                        uri,
                        file,
                        error,
                        ..FailedObject::default()
                    }));
                }
                let said = [&[error.message][..], &error.causes].concat().join(": ");
                let named = if said.starts_with(name.as_str()) { said } else { format!("{name}: {said}") };
                printer.line(&escaped(&format!("failed: {named}")));
            }
        }
        Ok(())
    }

    /// Tells an object that is there and must not be: what it is now, and the command that removes it.
    fn tell_stored_otherwise(&mut self, name: &str, error: &Error) -> Result<()> {
        let Error::NotAsAsked { subject, got, version_id, .. } = error else { return Ok(()) };
        self.stored_otherwise += 1;
        let aws = self.session.aws_flags();
        let removal = subject.uri().map(|uri| aws.removal(uri, version_id.as_deref()));
        if self.session.json {
            let (_, file) = self.verb.uri_and_file(name);
            return self.document(Record::Failed(FailedObject {
                uri: subject.uri().map(ToString::to_string),
                file,
                version_id: version_id.clone(),
                error: document::Error::of(error),
                stored_as: Some(got.clone()),
                remove: removal,
            }));
        }
        let printer = &self.session.printer;
        printer.line(&escaped(&format!("stored as {got}: {name}: {error}")));
        if let Some(removal) = removal {
            printer.line(&escaped(&format!("  remove it: {removal}")));
        }
        Ok(())
    }

    /// Tells an object that is there without its envelope: what that was, and the command that removes the object.
    fn tell_lost_envelope(&mut self, name: &str, error: &Error, lost: &LostEnvelope) -> Result<()> {
        self.stored_otherwise += 1;
        let removal = self.session.aws_flags().removal(&lost.uri, lost.version_id.as_deref());
        if self.session.json {
            let (_, file) = self.verb.uri_and_file(name);
            return self.document(Record::Failed(FailedObject {
                uri: Some(lost.uri.to_string()),
                file,
                version_id: lost.version_id.clone(),
                error: document::Error::of(error),
                stored_as: None,
                remove: Some(removal),
            }));
        }
        let printer = &self.session.printer;
        printer.line(&escaped(&format!("stored: {name}: {lost}")));
        printer.line(&format!("  envelope: {}", lost_envelope::line(lost)));
        printer.line(&escaped(&format!("  remove it: {removal}")));
        Ok(())
    }

    /// Tells the sum, and what all of it comes to.
    ///
    /// # Errors
    /// How the run ended; exit 9 if some failed.
    pub(crate) fn end(self, ended: Result<()>) -> Result<(), Failure> {
        let told = self.done + self.left_out + self.failed + self.stored_otherwise;
        let silent = match &ended {
            Ok(()) => false,
            Err(error) => told == 0 || matches!(error, Error::ReaderLeft),
        };
        if !silent {
            self.sum()?;
        }
        let again = "the same command with --no-clobber goes on with the rest";
        if let Err(error @ (Error::NotAsAsked { .. } | Error::EnvelopeLost(_))) = ended {
            return Err(self.ignored(error));
        }
        if let Err(error) = ended {
            let failure = Failure::from(error);
            return Err(if silent { failure } else { failure.hint(again) });
        }
        match self.failed {
            0 => Ok(()),
            failed => {
                let all = self.done + failed;
                let message = anyhow::anyhow!("{failed} of {all} objects were not {}", self.verb.done());
                Err(Failure::new(Exit::Some, message).hint(format!("each of them is named above; {again}")))
            }
        }
    }

    /// The end of a run in which the server did not do what was asked.
    fn ignored(&self, error: Error) -> Failure {
        let (subject, hint) = match &error {
            Error::NotAsAsked { asked, .. } => (
                format!("the server does not do what was asked ({asked})"),
                "no further file was begun; take a mode that this server knows, or -e client",
            ),
            _ => (
                "the server does not keep the envelopes of client-side objects".to_owned(),
                "no further file was begun; this server drops metadata, or a proxy in front of it: use one that keeps them",
            ),
        };
        let count = match self.stored_otherwise {
            // The upload was given up before its end: nothing is there that must be removed.
            0 => return error.into(),
            1 => "1 object is".to_owned(),
            count => format!("{count} objects are"),
        };
        let message = format!("{subject}: {count} stored otherwise");
        Failure::new(Exit::Untrusted, anyhow::anyhow!(message))
            .hint("each of them is named above, with the command that removes it")
            .hint(hint)
    }

    fn sum(&self) -> Result<()> {
        if self.session.json {
            let summary = Summary::Transfer(TransferSummary {
                objects: self.done,
                bytes: self.bytes,
                skipped: self.left_out,
                failed: self.failed,
                stored_otherwise: self.stored_otherwise,
            });
            return self.document(Record::Summary(Summaries { summary }));
        }
        let mut words = Vec::new();
        if self.done > 0 {
            let noun = if self.done == 1 { "object" } else { "objects" };
            words.push(format!("{} {noun} {}, {}", self.done, self.verb.done(), ByteSize(self.bytes)));
        }
        for (count, word) in [
            (self.left_out, "left out"),
            (self.failed, "failed"),
            (self.stored_otherwise, "stored otherwise than asked"),
        ] {
            if count > 0 {
                words.push(format!("{count} {word}"));
            }
        }
        if words.is_empty() {
            words.push(self.verb.nothing().to_owned());
        }
        self.session.printer.say(&words.join(", "));
        Ok(())
    }

    fn document(&self, record: Record) -> Result<()> {
        let document = Document::new(self.verb.command(), record);
        self.session.printer.beside_bar(|| output::document(&document.text()))
    }
}
