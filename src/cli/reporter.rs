//! Reports many objects: a line or a JSON document for each, and how the run of many ended.
//!
//! `outcome` writes the text for one outcome; `hints` says what to do about a failure; `summary` counts, and words the
//! summary of `put` and `get`.

use std::time::Instant;

use super::document::transfer::{FailedObject, SkippedObject};
use super::document::{self, Command, Document, Record, Summaries, Summary};
use super::exit::Exit;
use super::failure::Failure;
use super::lost_envelope;
use super::outcome::{OutcomeKind, OutcomeText, of_rules};
use super::sanitize::escaped;
use super::session::Session;
use crate::commands::bulk::Row;
use crate::commands::changes::Action;
use crate::error::{Aspect, Error, LostEnvelope, Result};
use crate::location::S3Uri;

mod summary;

use summary::Tally;

/// The verbs that report their objects one by one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Put,
    Get,
    Rotate,
}

impl Verb {
    fn command(self) -> Command {
        match self {
            Self::Put => Command::Put,
            Self::Get => Command::Get,
            Self::Rotate => Command::Rotate,
        }
    }

    /// A row's name as URI or as file: `put` names rows by their source.
    fn uri_and_file(self, name: &str) -> (Option<String>, Option<String>) {
        match self {
            Self::Put => (None, Some(name.to_owned())),
            Self::Get | Self::Rotate => (Some(name.to_owned()), None),
        }
    }

    /// What a row is: `put` names rows by their source.
    fn noun(self) -> &'static str {
        match self {
            Self::Put => "file",
            Self::Get | Self::Rotate => "object",
        }
    }

    fn past(self) -> &'static str {
        match self {
            Self::Put => "stored",
            Self::Get => "fetched",
            Self::Rotate => "rotated",
        }
    }
}

/// Reports rows as they come and counts them.
pub(crate) struct Reporter<'a> {
    verb: Verb,
    session: &'a Session,
    began: Instant,
    /// Whether each object that is done or skipped gets a line: only failures are always named.
    names_each: bool,
    tally: Tally,
    /// Whether deletions were reported, too.
    deletes: bool,
    /// What goes on where this run ends.
    again: &'static str,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(verb: Verb, session: &'a Session) -> Self {
        let names_each = session.printer.verbosity() > 0;
        Self {
            verb,
            session,
            began: Instant::now(),
            names_each,
            tally: Tally::default(),
            deletes: false,
            again: "run the same command again",
        }
    }

    /// Reports one object, which always gets its line.
    pub(crate) fn of_one(self) -> Self {
        Self { names_each: true, ..self }
    }

    /// Starts the time anew, after a question.
    pub(crate) fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// How long it has taken.
    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    fn name(&self, line: &str) {
        if self.names_each {
            self.session.printer.say(line);
        }
    }

    /// Reports one row; `text` makes the text of an outcome.
    pub(crate) async fn report<O>(
        &mut self,
        row: &Row<O>,
        text: impl FnOnce(&O) -> OutcomeText,
    ) -> Result<()> {
        match row {
            Row::Unselected => Ok(()),
            Row::Done(outcome) => {
                let OutcomeText { text, bytes, kind } = text(outcome);
                match kind {
                    OutcomeKind::Unchanged => {
                        self.tally.unchanged += 1;
                        return Ok(());
                    }
                    OutcomeKind::Deleted | OutcomeKind::Planned(Action::Delete) => self.tally.deleted += 1,
                    OutcomeKind::Done | OutcomeKind::Planned(Action::Store | Action::Fetch) => {
                        self.tally.done += 1;
                        self.tally.bytes = self.tally.bytes.saturating_add(bytes);
                    }
                }
                if self.session.json {
                    return self.write(&text).await;
                }
                if matches!(kind, OutcomeKind::Planned(_)) {
                    self.session.printer.say(&text);
                } else {
                    self.name(&text);
                }
                Ok(())
            }
            Row::Skipped { name, why } => {
                self.tally.skipped += 1;
                if self.session.json {
                    let (uri, file) = self.verb.uri_and_file(name);
                    return self
                        .document(Record::Skipped(SkippedObject { uri, file, reason: why.clone() }))
                        .await;
                }
                self.name(&format!("skipped: {name}: {why}"));
                Ok(())
            }
            Row::Failed { name, version_id, error } => {
                if self.verb == Verb::Put
                    && let Some(stored) = StoredOtherwise::of(error)
                {
                    return self.stored_otherwise(name, error, &stored).await;
                }
                self.failed(name, version_id.as_ref(), error).await
            }
        }
    }

    async fn failed(&mut self, name: &str, version_id: Option<&String>, error: &Error) -> Result<()> {
        self.tally.failed += 1;
        let document = document::Error::of(error);
        if self.session.json {
            let (uri, file) = self.verb.uri_and_file(name);
            let failed = FailedObject {
                uri,
                file,
                version_id: version_id.cloned(),
                error: document,
                ..FailedObject::default()
            };
            return self.document(Record::Failed(failed)).await;
        }
        let text = [&[document.message][..], &document.causes].concat().join(": ");
        let text = [&[text][..], &document.hints].concat().join("; ");
        let named = if error.names(name, version_id.map(String::as_str)) {
            text
        } else {
            let version = version_id.map_or_else(String::new, |id| format!(" (version {id})"));
            format!("{name}{version}: {text}")
        };
        self.line(&escaped(&format!("failed: {named}")));
        match error {
            // Of a rotated object it may be the only copy.
            Error::EnvelopeLost(lost) if self.verb == Verb::Rotate => {
                self.line(&format!("  envelope: {}", lost_envelope::line(lost)));
            }
            _ => {}
        }
        Ok(())
    }

    /// Reports an object that was stored and must not stay: what it is now, and the command that removes it.
    async fn stored_otherwise(
        &mut self,
        name: &str,
        error: &Error,
        stored: &StoredOtherwise<'_>,
    ) -> Result<()> {
        self.tally.stored_otherwise += 1;
        let StoredOtherwise { uri, version_id, stored_as, envelope } = *stored;
        let removal = self.session.aws_flags().removal(uri, version_id);
        if self.session.json {
            let (_, file) = self.verb.uri_and_file(name);
            return self
                .document(Record::Failed(FailedObject {
                    uri: Some(uri.to_string()),
                    file,
                    version_id: version_id.map(str::to_owned),
                    error: document::Error::of(error),
                    stored_as: stored_as.map(str::to_owned),
                    remove: Some(removal),
                }))
                .await;
        }
        let what = stored_as.map_or_else(|| "stored".to_owned(), |mode| format!("stored as {mode}"));
        self.line(&escaped(&format!("{what}: {name}: {error}")));
        if let Some(envelope) = envelope {
            self.line(&format!("  envelope: {}", lost_envelope::line(envelope)));
        }
        self.line(&escaped(&format!("  remove it: {removal}")));
        Ok(())
    }

    /// Whether something failed, or was stored otherwise than asked.
    pub(crate) fn has_failures(&self) -> bool {
        self.tally.failed + self.tally.stored_otherwise > 0
    }

    /// Takes note that nothing is done.
    pub(crate) fn dry_run(mut self, is_dry_run: bool) -> Self {
        self.tally.is_dry_run = is_dry_run;
        self
    }

    /// Takes note of how a run goes on that has done only some of it.
    pub(crate) fn continues(self, again: &'static str) -> Self {
        Self { again, ..self }
    }

    /// Takes note of the manifest that was asked for, if one was, and whether it was written.
    pub(crate) fn manifest(&mut self, place: Option<String>, is_written: bool) {
        self.tally.manifest = place.map(|place| (place, is_written));
    }

    /// Takes note that deletions are reported from now on.
    pub(crate) fn deletes(&mut self) {
        self.deletes = true;
    }

    /// Reports the summary and returns how the run ends.
    ///
    /// # Errors
    /// What ended the run early; exit 9 if some objects failed.
    pub(crate) async fn end(self, ended: Result<()>) -> Result<(), Failure> {
        let silent = match &ended {
            Ok(()) => false,
            Err(error) => self.tally.is_empty() || matches!(error, Error::ReaderLeft),
        };
        let said = if silent { Ok(()) } else { self.summary().await };
        // What ended the run comes before a summary that nobody reads.
        if ended.is_ok() {
            said?;
        }
        let again = self.again;
        match ended {
            Ok(()) if self.tally.failed == 0 => Ok(()),
            Ok(()) => {
                let Tally { done, deleted, failed, .. } = self.tally;
                let all = done + deleted + failed;
                let deleted = if self.deletes { " or deleted" } else { "" };
                let message =
                    anyhow::anyhow!("{} not {}{deleted}", objects_were(failed, all), self.verb.past());
                Err(Failure::new(Exit::Some, message).hint(format!("each of them is named above; {again}")))
            }
            Err(error @ (Error::NotAsAsked { .. } | Error::EnvelopeLost(_))) => {
                Err(self.server_ignored_request(error))
            }
            // There is nothing to go on with.
            Err(error @ (Error::DeletesTooMuch { .. } | Error::NoneMatch { .. })) => Err(error.into()),
            Err(error) if silent => Err(error.into()),
            Err(error) => Err(Failure::from(error).hint(again)),
        }
    }

    /// The end of a run in which the server did not do what was requested.
    fn server_ignored_request(&self, error: Error) -> Failure {
        let (what, hint) = match &error {
            Error::NotAsAsked { asked, aspect, .. } => (
                format!("the server does not do what was asked ({asked})"),
                match aspect {
                    Aspect::Encryption => {
                        "no further file was started; take a mode that this server knows, or -e client"
                    }
                    Aspect::Lock => {
                        "no further file was started; this server does not lock objects: use one that does"
                    }
                },
            ),
            _ => (
                "the server does not keep the envelopes of client-side objects".to_owned(),
                "no further file was started; this server drops metadata, or a proxy in front of it: use one that keeps them",
            ),
        };
        let count = match self.tally.stored_otherwise {
            // The upload was given up before its end: there is no object that must be removed.
            0 => return error.into(),
            1 => "1 object is".to_owned(),
            count => format!("{count} objects are"),
        };
        let message = format!("{what}: {count} stored otherwise");
        Failure::new(Exit::Untrusted, anyhow::anyhow!(message))
            .hint("each of them is named above, with the command that removes it")
            .hint(hint)
    }

    async fn summary(&self) -> Result<()> {
        if self.session.json {
            let summary = Summary::Transfer(self.tally.document());
            return self.document(Record::Summary(Summaries { summary })).await;
        }
        let skipped = if self.names_each { "skipped" } else { "skipped (-v names them)" };
        let mut parts = self.tally.parts(self.verb.noun(), skipped, self.seconds());
        parts.extend(of_rules(&self.session.rules));
        let would_be = if self.tally.is_dry_run { "would be " } else { "" };
        self.session.printer.say(&format!("{would_be}{}: {}", self.verb.past(), parts.join(", ")));
        Ok(())
    }

    fn line(&self, line: &str) {
        self.session.printer.line(line);
    }

    async fn document(&self, record: Record) -> Result<()> {
        self.write(&Document::new(self.verb.command(), record).text()).await
    }

    async fn write(&self, document: &str) -> Result<()> {
        self.session.stdout.write(format!("{document}\n")).await
    }
}

/// Begins the sentence that says how many objects something was not done to.
pub(crate) fn objects_were(failed: u64, all: u64) -> String {
    match all {
        1 => "the object was".to_owned(),
        _ => format!("{failed} of {all} objects were"),
    }
}

/// An object that the server stored otherwise than requested, by the error that says so.
struct StoredOtherwise<'a> {
    uri: &'a S3Uri,
    version_id: Option<&'a str>,
    /// The encryption that the server applied; none where only the envelope was lost.
    stored_as: Option<&'a str>,
    envelope: Option<&'a LostEnvelope>,
}

impl<'a> StoredOtherwise<'a> {
    fn of(error: &'a Error) -> Option<Self> {
        match error {
            Error::NotAsAsked { subject, aspect, got, version_id, stored: true, .. } => Some(Self {
                uri: subject.uri()?,
                version_id: version_id.as_deref(),
                stored_as: (*aspect == Aspect::Encryption).then_some(got.as_str()),
                envelope: None,
            }),
            Error::EnvelopeLost(lost) if lost.stored => Some(Self {
                uri: &lost.uri,
                version_id: lost.version_id.as_deref(),
                stored_as: None,
                envelope: Some(lost),
            }),
            _ => None,
        }
    }
}
