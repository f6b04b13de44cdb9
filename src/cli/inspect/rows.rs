//! Writes rows in one format for the whole run, each row completely and at once.
//!
//! If the program is stopped after a row, the NDJSON or CSV up to that row is valid.

use clap::ValueEnum;

use super::table::Columns;
use super::{csv_rows, document, page, table, verification};
use crate::aws::bucket::BucketFacts;
use crate::aws::inventory::Manifest;
use crate::cli::document::{Document, head, text};
use crate::cli::session::Session;
use crate::commands::bulk::Row;
use crate::commands::inspect::summary::Summary;
use crate::commands::inspect::{InspectRow, ObjectReport};
use crate::error::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; one object fills a page
    Table,
    /// One JSON document
    Json,
    /// A JSON document on each line, the summary as the last
    Ndjson,
    /// Comma-separated values with a header; the summary goes to standard error
    Csv,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
    }
}

/// How much of the results is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A row for each object, and the summary.
    Rows,
    /// The summary alone.
    Summary,
    /// Nothing: what is not as expected, or failed, is listed on standard error.
    Nothing,
}

/// Writes rows to standard output.
pub(crate) struct Rows<'a> {
    session: &'a Session,
    format: Format,
    shown: Shown,
    /// The expectations, as typed.
    expected: Vec<String>,
    /// Whether to write only rows that are not as expected, or failed.
    only_unexpected: bool,
    columns: Columns,
    terminal: bool,
    color: bool,
    /// What is to be written next.
    pending: String,
    written: WrittenSoFar,
    /// What the JSON document has in addition to its objects.
    buckets: Vec<Document>,
    inventory: Option<Document>,
}

/// What of the output has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenSoFar {
    Nothing,
    Head,
    Rows,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        session: &'a Session,
        format: Format,
        shown: Shown,
        expected: Vec<String>,
        only_unexpected: bool,
        reads: bool,
    ) -> Self {
        let columns = Columns { expected: !expected.is_empty(), verified: reads };
        Self {
            session,
            format,
            shown,
            expected,
            only_unexpected,
            columns,
            terminal: session.stdout.is_terminal(),
            color: session.printer.stdout_color(),
            pending: String::new(),
            written: WrittenSoFar::Nothing,
            buckets: Vec::new(),
            inventory: None,
        }
    }

    /// Whether rows scroll by on a terminal, where a progress count would be in their way. Where data is read, they come
    /// slowly.
    pub(crate) fn scroll_by(&self) -> bool {
        self.terminal && self.has_rows() && !self.only_unexpected && !self.columns.verified
    }

    fn has_rows(&self) -> bool {
        self.shown == Shown::Rows
    }

    /// Writes the page or the document of one object.
    pub(crate) async fn object(&mut self, report: &ObjectReport) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.text(&page::object(report, self.color)),
            Format::Json | Format::Ndjson => self.line(&document::object(report).text()),
            Format::Csv => {
                self.line(csv_rows::HEADER);
                let row = Row::Done(Box::new(report.outcome.clone()));
                self.lines(csv_rows::row(&row, self.terminal));
            }
        }
        self.write().await
    }

    /// Writes the settings of a bucket.
    pub(crate) async fn bucket(&mut self, bucket: &BucketFacts) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.text(&format!("{}\n", page::bucket(bucket, self.color))),
            Format::Ndjson => self.line(&document::bucket(bucket).text()),
            Format::Json => self.buckets.push(document::bucket(bucket)),
            // CSV has no rows for buckets: they go to standard error.
            Format::Csv => self.say(&page::bucket(bucket, false)),
        }
        self.write().await
    }

    /// Writes the origin of an S3 Inventory report, and what it does not show.
    pub(crate) async fn inventory(&mut self, manifest: &Manifest) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.text(&format!("{}\n", page::inventory(manifest, self.color))),
            Format::Ndjson => self.line(&document::inventory(manifest).text()),
            Format::Json => self.inventory = Some(document::inventory(manifest)),
            Format::Csv => self.say(&page::inventory(manifest, false)),
        }
        self.write().await
    }

    /// Ends the results if only buckets were inspected.
    pub(crate) async fn close(&mut self) -> Result<()> {
        if self.format == Format::Json {
            self.head();
            let members = self.members_after_objects();
            self.text(&format!("],{}}}\n", members.trim_end_matches(',')));
        }
        self.write().await
    }

    pub(crate) async fn row(&mut self, row: &InspectRow) -> Result<()> {
        let is_left_out =
            self.only_unexpected && matches!(row, Row::Done(outcome) if outcome.as_expected == Some(true));
        if is_left_out || !self.has_rows() {
            return Ok(());
        }
        self.head();
        match self.format {
            Format::Table => self.lines(table::row(row, self.columns, self.color)),
            Format::Ndjson => self.lines(document::row(row).map(|document| document.text())),
            Format::Csv => self.lines(csv_rows::row(row, self.terminal)),
            Format::Json => {
                if let Some(document) = document::row(row) {
                    let before = std::mem::replace(&mut self.written, WrittenSoFar::Rows);
                    let comma = if before == WrittenSoFar::Rows { "," } else { "" };
                    self.text(&format!("{comma}\n{}", document.text()));
                }
            }
        }
        self.write().await
    }

    /// Writes the summary; `names` are aliases of the keys in it. `complete` is false after an interruption.
    pub(crate) async fn end(
        &mut self,
        summary: &Summary,
        names: &[(String, String)],
        complete: bool,
    ) -> Result<()> {
        if self.has_rows() {
            self.head();
        }
        if self.shown != Shown::Nothing {
            self.summary(summary, names, complete);
        }
        self.write().await?;
        self.say_summary(summary, names, complete);
        Ok(())
    }

    /// The summary that standard output gets.
    fn summary(&mut self, summary: &Summary, names: &[(String, String)], complete: bool) {
        match self.format {
            Format::Table => {
                let gap = if self.has_rows() { "\n" } else { "" };
                let shares = table::shares(summary, names, self.color);
                self.text(&format!("{gap}{shares}{}\n", table::total(summary, complete, self.color)));
                if let Some(unexpected) = summary.unexpected.as_ref().filter(|list| list.count > 0) {
                    self.list("Not as expected:", &table::offenders(unexpected));
                }
                if summary.failed.count > 0 {
                    let title = format!("{}:", verification::failed_title(summary));
                    self.list(&title, &table::offenders(&summary.failed));
                }
            }
            Format::Csv if self.has_rows() => {}
            Format::Csv => self.text(&csv_rows::shares(summary, self.terminal)),
            Format::Json if self.has_rows() => {
                let sum = text(&document::sum(summary, &self.expected, complete));
                let members = self.members_after_objects();
                self.text(&format!("\n],{members}\"summary\":{sum}}}\n"));
            }
            Format::Json | Format::Ndjson => {
                self.line(&document::summary(summary, &self.expected, complete).text());
            }
        }
    }

    /// Says on standard error what the results do not.
    fn say_summary(&self, summary: &Summary, names: &[(String, String)], complete: bool) {
        match (self.format, self.shown) {
            (_, Shown::Nothing) | (Format::Json | Format::Ndjson, _) => {}
            (Format::Table, _) => return,
            (Format::Csv, shown) => {
                if shown == Shown::Rows {
                    self.say(&table::shares(summary, names, false));
                }
                self.say(&table::total(summary, complete, false));
            }
        }
        self.list_offenders(summary);
    }

    /// The members of the JSON document after its objects, each followed by a comma.
    fn members_after_objects(&mut self) -> String {
        let buckets = text(&std::mem::take(&mut self.buckets));
        let inventory = self.inventory.take().map(|inventory| format!("\"inventory\":{},", inventory.text()));
        format!("\"buckets\":{buckets},{}", inventory.unwrap_or_default())
    }

    /// Lists objects on standard error where the results go to a file; the sum for programs has them.
    fn list_offenders(&self, summary: &Summary) {
        if self.session.json {
            return;
        }
        let failed = format!("{}:", verification::failed_title(summary).to_lowercase());
        let unexpected = summary.unexpected.iter().map(|list| ("not as expected:", list));
        for (title, list) in unexpected.chain([(failed.as_str(), &summary.failed)]) {
            if list.count > 0 {
                self.session.printer.line(title);
                // Without rows they are named nowhere else.
                let lines = match self.shown {
                    Shown::Nothing => table::all_offenders(list),
                    Shown::Rows | Shown::Summary => table::offenders(list),
                };
                for line in lines {
                    self.session.printer.line(&line);
                }
            }
        }
    }

    fn say(&self, text: &str) {
        text.lines().for_each(|line| self.session.printer.say(line));
    }

    fn list(&mut self, title: &str, lines: &[String]) {
        self.text(&format!("\n{title}\n{}\n", lines.join("\n")));
    }

    /// Adds what comes before the first row.
    fn head(&mut self) {
        if self.written != WrittenSoFar::Nothing {
            return;
        }
        self.written = WrittenSoFar::Head;
        match self.format {
            Format::Table => self.line(&table::header(self.columns, self.color)),
            Format::Csv => self.line(csv_rows::HEADER),
            Format::Json => self.text(&head("audit")),
            Format::Ndjson => {}
        }
    }

    fn lines(&mut self, line: Option<String>) {
        if let Some(line) = line {
            self.line(&line);
        }
    }

    fn line(&mut self, text: &str) {
        self.text(text);
        self.text("\n");
    }

    fn text(&mut self, text: &str) {
        self.pending.push_str(text);
    }

    /// Writes what was added.
    async fn write(&mut self) -> Result<()> {
        self.session.stdout.write(std::mem::take(&mut self.pending)).await
    }
}
