//! `inspect --manifest`: the objects that were compared, their sum, and the exit code.

use super::csv_rows::{self, safe};
use super::page::Tone;
use super::rows::{Format, Shown};
use super::table;
use crate::aws::Connection;
use crate::byte_size::ByteSize;
use crate::cli::aws_flags::AwsFlags;
use crate::cli::document::comparison::{
    ComparedBy, ComparedObject, ComparedState, ComparisonSummary, ExpectedObject, FoundObject,
};
use crate::cli::document::transfer::FailedObject;
use crate::cli::document::{Checksum, Command, Document, Error, Record, Summaries, Summary, head, text};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::progress::{Unit, amounts};
use crate::cli::sanitize::escaped;
use crate::cli::session::Session;
use crate::commands::bulk::Row;
use crate::commands::inspect::comparison::{self, By, Compared, ComparedRow, ComparisonRequest, Verdict};
use crate::commands::inspect::reason;
use crate::commands::inspect::summary::{Offender, Offenders};
use crate::commands::manifest::{Entry, Head};
use crate::error::{self, Result as CoreResult};

const CSV_HEADER: &str = "uri,state,compared_by,reason,stored_bytes,etag,expected_stored_bytes,expected_etag,expected_version_id,error";
const STATE: usize = 8;
const SIZE: usize = 10;

/// What is written, and what counts as a failure.
pub(super) struct Results {
    pub(super) format: Format,
    pub(super) shown: Shown,
    /// Whether only what differs or failed gets a row.
    pub(super) only_unexpected: bool,
    /// Whether comparing nothing is a success.
    pub(super) allow_empty: bool,
}

/// Compares a place with a manifest.
///
/// # Errors
/// Errors of the manifest and of the listing; exit 8 if something differs, 9 if something could not be compared.
pub(super) async fn run(
    session: &Session,
    connection: &Connection,
    request: &ComparisonRequest,
    results: Results,
) -> Result<(), Failure> {
    let manifest = comparison::read(connection, request, &session.cancellation).await;
    let manifest = manifest.map_err(|error| failure(error, not_read))?;
    let mut report = Report::new(session, results, &manifest.head);
    let progress = (!report.scroll_by()).then(|| session.progress(Unit::Objects, "objects compared"));
    let ended = comparison::compare(connection, request, manifest, &session.cancellation, async |row| {
        if let Some(progress) = &progress {
            progress.meter().end_object();
        }
        report.row(&row).await
    })
    .await;
    if let Some(progress) = progress {
        progress.finish();
    }
    report.end(ended.is_ok()).await?;
    ended.map_err(|error| failure(error, not_compared_to_its_end))?;
    report.verdict(&request.place.to_string())
}

/// Hints about the manifest, which is no object that was fetched.
fn failure(error: error::Error, own_hints: OwnHints) -> Failure {
    Failure { own_hints: Some(own_hints), ..Failure::from(error) }
}

type OwnHints = fn(&error::Error, &AwsFlags) -> Option<Vec<String>>;

const WRITES: &str = "`s3seal put -r DIRECTORY s3://BUCKET/ --manifest PLACE` writes a manifest";

fn not_read(error: &error::Error, _: &AwsFlags) -> Option<Vec<String>> {
    let hint = || vec![format!("nothing was compared; {WRITES}")];
    matches!(error, error::Error::Tampered { .. }).then(hint)
}

fn not_compared_to_its_end(error: &error::Error, _: &AwsFlags) -> Option<Vec<String>> {
    let hint = || vec![format!("what comes after it was not compared; {WRITES}")];
    matches!(error, error::Error::Tampered { .. }).then(hint)
}

/// An object that was compared, or the name of one that could not be, and why.
type RowResult<'a> = std::result::Result<&'a Compared, (&'a str, &'a error::Error)>;

/// Writes rows, and counts them.
struct Report<'a> {
    session: &'a Session,
    results: Results,
    sum: ComparisonSummary,
    different: Offenders,
    failed: Offenders,
    terminal: bool,
    /// What is to be written next.
    pending: String,
    /// Whether what comes before the rows is written, and whether a row is.
    written: (bool, bool),
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, results: Results, manifest: &Head) -> Self {
        let sum = ComparisonSummary {
            manifest_target: manifest.target.clone(),
            manifest_created: manifest.created.clone(),
            ..ComparisonSummary::default()
        };
        let (different, failed) = (Offenders::default(), Offenders::default());
        let (terminal, pending) = (session.stdout.is_terminal(), String::new());
        Self { session, results, sum, different, failed, terminal, pending, written: (false, false) }
    }

    /// Whether rows scroll by on a terminal.
    fn scroll_by(&self) -> bool {
        self.terminal && self.results.shown == Shown::Rows && !self.results.only_unexpected
    }

    async fn row(&mut self, row: &ComparedRow) -> CoreResult<()> {
        let (row, is_same): (RowResult<'_>, bool) = match row {
            Row::Skipped { .. } | Row::Unselected => return Ok(()),
            Row::Done(compared) => (Ok(compared), self.count(compared)),
            Row::Failed { name, error, .. } => {
                self.failed.add(Offender { name: name.clone(), why: reason(error) });
                (Err((name, error)), false)
            }
        };
        self.sum.objects += 1;
        if self.results.shown != Shown::Rows || is_same && self.results.only_unexpected {
            return Ok(());
        }
        self.head();
        let is_first = !std::mem::replace(&mut self.written.1, true);
        match self.results.format {
            Format::Table => self.line(&table_row(row, self.session.printer.stdout_color())),
            Format::Ndjson => self.line(&document(row).text()),
            Format::Csv => self.line(&csv_row(row, self.terminal)),
            Format::Json => {
                let comma = if is_first { "" } else { "," };
                self.line(&format!("{comma}{}", document(row).text()));
            }
        }
        self.write().await
    }

    /// Counts an object; returns whether it is the same.
    fn count(&mut self, compared: &Compared) -> bool {
        let sum = &mut self.sum;
        let counter = match &compared.verdict {
            Verdict::Same(By::Etag) => &mut sum.same_by_etag,
            Verdict::Same(By::Checksum) => &mut sum.same_by_checksum,
            Verdict::Same(By::Name) => &mut sum.same_by_name,
            Verdict::Missing => &mut sum.missing,
            Verdict::Changed(_) => &mut sum.changed,
            Verdict::Extra => &mut sum.extra,
        };
        *counter += 1;
        let is_same = matches!(compared.verdict, Verdict::Same(_));
        if !is_same {
            let state = state(&compared.verdict).as_str();
            let why = changed(&compared.verdict).map_or(state.to_owned(), |why| format!("{state}: {why}"));
            self.different.add(Offender { name: compared.uri.to_string(), why });
        }
        is_same
    }

    /// Adds what comes before the rows.
    fn head(&mut self) {
        if std::mem::replace(&mut self.written.0, true) {
            return;
        }
        match self.results.format {
            Format::Table => {
                let line = format!("{:STATE$} {:>SIZE$}  OBJECT", "STATE", "SIZE");
                let is_colored = self.session.printer.stdout_color();
                self.line(&if is_colored { format!("\x1b[2m{line}\x1b[0m") } else { line });
            }
            Format::Csv => self.line(CSV_HEADER),
            Format::Json => self.line(&head("comparison")),
            Format::Ndjson => {}
        }
    }

    async fn end(&mut self, is_complete: bool) -> CoreResult<()> {
        let named = |list: &Offenders| list.first.iter().map(Into::into).collect();
        self.sum.complete = is_complete;
        self.sum.failed = self.failed.count;
        self.sum.different_objects = named(&self.different);
        self.sum.failed_objects = named(&self.failed);
        if self.results.shown == Shown::Rows {
            self.head();
        }
        match (self.results.format, self.results.shown) {
            (_, Shown::Nothing) => {}
            (Format::Table, shown) => {
                let gap = if shown == Shown::Rows { "\n" } else { "" };
                self.line(&format!("{gap}{}", self.total()));
                let lists = self.lists().map(|(title, list)| (title, table::offenders(list).join("\n")));
                for (title, lines) in lists.collect::<Vec<_>>() {
                    self.line(&format!("\n{title}\n{lines}"));
                }
                return self.write().await;
            }
            (Format::Csv, _) => self.session.printer.say(&self.total()),
            (Format::Json, Shown::Rows) => self.line(&format!("],\"summary\":{}}}", text(&self.sum))),
            (Format::Json | Format::Ndjson, _) => {
                let summary = Summary::Comparison(self.sum.clone());
                let record = Record::Summary(Summaries { summary });
                self.line(&Document::new(Command::Inspect, record).text());
            }
        }
        self.write().await?;
        // The sum for programs has them.
        if self.session.json {
            return Ok(());
        }
        // The results go to a file, or nowhere.
        for (title, list) in self.lists() {
            self.session.printer.line(&title.to_lowercase());
            for line in table::offenders(list) {
                self.session.printer.line(&line);
            }
        }
        Ok(())
    }

    fn lists(&self) -> impl Iterator<Item = (&'static str, &Offenders)> {
        let lists = [("Not as in the manifest:", &self.different), ("Not compared:", &self.failed)];
        lists.into_iter().filter(|(_, list)| list.count > 0)
    }

    /// The sum in words: what was compared, and how.
    fn total(&self) -> String {
        let sum = &self.sum;
        let counted =
            |number: u64, words: &str| (number > 0).then(|| format!("{} {words}", amounts::count(number)));
        let same = [
            counted(sum.same_by_etag, "the same by size and ETag"),
            counted(sum.same_by_checksum, "the same by size and checksum"),
            counted(sum.same_by_name, "there by name (instruction files)"),
            counted(sum.missing, "missing"),
            counted(sum.changed, "changed"),
            counted(sum.extra, "extra"),
            counted(sum.failed, "not compared"),
        ];
        let parts: Vec<String> = same.into_iter().flatten().collect();
        let all = amounts::counted(sum.objects, "object");
        let colon = if parts.is_empty() { "" } else { ": " };
        let end = if sum.complete { "" } else { "; not complete" };
        format!("{all} compared with the manifest{colon}{}{end}", parts.join(", "))
    }

    fn verdict(&self, place: &str) -> Result<(), Failure> {
        let sum = &self.sum;
        if self.different.count > 0 {
            let parts = [(sum.missing, "missing"), (sum.changed, "changed"), (sum.extra, "extra")];
            let parts = parts.into_iter().filter(|(number, _)| *number > 0);
            let parts: Vec<String> = parts.map(|(number, word)| format!("{number} {word}")).collect();
            let message = format!(
                "{} of {} objects are not as in the manifest: {}",
                self.different.count,
                sum.objects,
                parts.join(", ")
            );
            return Err(Failure::new(Exit::Condition, anyhow::anyhow!(message)));
        }
        if sum.failed > 0 {
            let message = format!("{} of {} objects could not be compared", sum.failed, sum.objects);
            return Err(Failure::new(Exit::Some, anyhow::anyhow!(message)));
        }
        if sum.objects == 0 && !self.results.allow_empty {
            return Err(Failure::nothing_found(&format!("{place}, and nothing in the manifest")));
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.pending.push_str(line);
        self.pending.push('\n');
    }

    /// Writes what was added.
    async fn write(&mut self) -> CoreResult<()> {
        self.session.stdout.write(std::mem::take(&mut self.pending)).await
    }
}

fn state(verdict: &Verdict) -> ComparedState {
    match verdict {
        Verdict::Same(_) => ComparedState::Same,
        Verdict::Missing => ComparedState::Missing,
        Verdict::Changed(_) => ComparedState::Changed,
        Verdict::Extra => ComparedState::Extra,
    }
}

fn compared_by(verdict: &Verdict) -> Option<ComparedBy> {
    match verdict {
        Verdict::Same(By::Etag) => Some(ComparedBy::Etag),
        Verdict::Same(By::Checksum) => Some(ComparedBy::Checksum),
        Verdict::Same(By::Name) => Some(ComparedBy::Name),
        _ => None,
    }
}

/// Why it is another one.
fn changed(verdict: &Verdict) -> Option<&str> {
    match verdict {
        Verdict::Changed(why) => Some(why),
        _ => None,
    }
}

fn table_row(row: RowResult<'_>, color: bool) -> String {
    match row {
        Ok(compared) => {
            let state = state(&compared.verdict);
            let tone = if state == ComparedState::Same { Tone::Good } else { Tone::Bad };
            let word = tone.paint(color, &format!("{:STATE$}", state.as_str()));
            let expected = compared.entry.as_ref().map(|entry| entry.stored_bytes);
            let len = compared.found.as_ref().map(|found| found.len).or(expected);
            let size = len.map_or_else(String::new, |len| ByteSize(len).to_string());
            let why =
                changed(&compared.verdict).map_or_else(String::new, |why| format!(": {}", escaped(why)));
            format!("{word} {size:>SIZE$}  {}{why}", escaped(&compared.uri.to_string()))
        }
        Err((name, error)) => {
            let word = Tone::Odd.paint(color, &format!("{:STATE$}", "?"));
            format!("{word} {:SIZE$}  {}: {}", "", escaped(name), escaped(&reason(error)))
        }
    }
}

fn csv_row(row: RowResult<'_>, terminal: bool) -> String {
    let mut fields: [String; 10] = Default::default();
    match row {
        Ok(compared) => {
            let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
            let (entry, found) = (compared.entry.as_ref(), compared.found.as_ref());
            fields = [
                compared.uri.to_string(),
                state(&compared.verdict).as_str().to_owned(),
                compared_by(&compared.verdict).map_or("", ComparedBy::as_str).to_owned(),
                changed(&compared.verdict).unwrap_or_default().to_owned(),
                number(found.map(|found| found.len)),
                found
                    .and_then(|found| found.etag.as_deref())
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
                number(entry.map(|entry| entry.stored_bytes)),
                entry.and_then(|entry| entry.etag.clone()).unwrap_or_default(),
                entry.and_then(|entry| entry.version_id.clone()).unwrap_or_default(),
                String::new(),
            ];
        }
        Err((name, error)) => {
            name.clone_into(&mut fields[0]);
            fields[9] = reason(error);
        }
    }
    csv_rows::record(fields.iter().map(|field| safe(field, terminal)))
}

fn document(row: RowResult<'_>) -> Document {
    let record = match row {
        Err((name, error)) => Record::Failed(FailedObject {
            uri: Some(name.to_owned()),
            error: Error::of(error),
            ..FailedObject::default()
        }),
        Ok(compared) => Record::Compared(Box::new(ComparedObject {
            uri: compared.uri.to_string(),
            state: state(&compared.verdict),
            compared_by: compared_by(&compared.verdict),
            reason: changed(&compared.verdict).map(str::to_owned),
            expected: compared.entry.as_ref().map(expected),
            found: compared.found.as_ref().map(|found| FoundObject {
                stored_bytes: found.len,
                etag: found.etag.as_deref().map(|etag| etag.trim_matches('"').to_owned()),
                last_modified: found.last_modified.clone(),
            }),
        })),
    };
    Document::new(Command::Inspect, record)
}

fn expected(entry: &Entry) -> ExpectedObject {
    let checksum = entry.checksum.as_ref().map(|checksum| Checksum {
        algorithm: Some(checksum.algorithm.clone()),
        value: Some(checksum.value.clone()),
        ..Checksum::default()
    });
    ExpectedObject {
        bytes: entry.bytes,
        stored_bytes: entry.stored_bytes,
        etag: entry.etag.clone(),
        version_id: entry.version_id.clone(),
        checksum,
    }
}
