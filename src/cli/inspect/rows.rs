//! Writes rows in one format for the whole run, each row completely and at once.
//!
//! If the program is stopped after a row, the NDJSON or CSV up to that row is valid.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use super::table::Columns;
use super::{csv_rows, document, page, table, verification};
use crate::aws::bucket::BucketFacts;
use crate::aws::inventory::Manifest;
use crate::cli::document::{Document, head, text};
use crate::cli::output::Printer;
use crate::commands::bulk::Row;
use crate::commands::inspect::summary::Summary;
use crate::commands::inspect::{InspectRow, ObjectReport};
use crate::error::{Error, Result, Subject};

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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Rows {
    format: Format,
    shown: Shown,
    /// The expectations, as typed.
    expected: Vec<String>,
    /// Whether to write only rows that are not as expected, or failed.
    only_unexpected: bool,
    columns: Columns,
    terminal: bool,
    color: bool,
    /// Whether standard error has documents, too, and no lines for people.
    for_programs: bool,
    printer: Printer,
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

impl Rows {
    pub(crate) fn new(
        format: Format,
        shown: Shown,
        expected: Vec<String>,
        only_unexpected: bool,
        reads: bool,
        color: bool,
        printer: Printer,
    ) -> Self {
        let columns = Columns { expected: !expected.is_empty(), verified: reads };
        Self {
            format,
            shown,
            expected,
            only_unexpected,
            columns,
            terminal: io::stdout().is_terminal(),
            color,
            for_programs: false,
            printer,
            written: WrittenSoFar::Nothing,
            buckets: Vec::new(),
            inventory: None,
        }
    }

    /// Takes note whether `--json` was given.
    pub(crate) fn for_programs(self, for_programs: bool) -> Self {
        Self { for_programs, ..self }
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
    pub(crate) fn object(&mut self, report: &ObjectReport) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.write(&page::object(report, self.color)),
            Format::Json | Format::Ndjson => self.line(&document::object(report).text()),
            Format::Csv => {
                self.line(csv_rows::HEADER)?;
                let row = Row::Done(Box::new(report.outcome.clone()));
                self.lines(csv_rows::row(&row, self.terminal))
            }
        }
    }

    /// Writes the settings of a bucket.
    pub(crate) fn bucket(&mut self, bucket: &BucketFacts) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.write(&format!("{}\n", page::bucket(bucket, self.color))),
            Format::Ndjson => self.line(&document::bucket(bucket).text()),
            Format::Json => {
                self.buckets.push(document::bucket(bucket));
                Ok(())
            }
            // CSV has no rows for buckets: they go to standard error.
            Format::Csv => {
                page::bucket(bucket, false).lines().for_each(|line| self.printer.say(line));
                Ok(())
            }
        }
    }

    /// Writes the origin of an S3 Inventory report, and what it does not show.
    pub(crate) fn inventory(&mut self, manifest: &Manifest) -> Result<()> {
        if !self.has_rows() {
            return Ok(());
        }
        match self.format {
            Format::Table => self.write(&format!("{}\n", page::inventory(manifest, self.color))),
            Format::Ndjson => self.line(&document::inventory(manifest).text()),
            Format::Json => {
                self.inventory = Some(document::inventory(manifest));
                Ok(())
            }
            Format::Csv => {
                page::inventory(manifest, false).lines().for_each(|line| self.printer.say(line));
                Ok(())
            }
        }
    }

    /// Ends the results if only buckets were inspected.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.format == Format::Json {
            self.write_head()?;
            let members = self.members_after_objects();
            self.write(&format!("],{}}}\n", members.trim_end_matches(',')))?;
        }
        Ok(())
    }

    pub(crate) fn row(&mut self, row: &InspectRow) -> Result<()> {
        let is_left_out =
            self.only_unexpected && matches!(row, Row::Done(outcome) if outcome.as_expected == Some(true));
        if is_left_out || !self.has_rows() {
            return Ok(());
        }
        self.write_head()?;
        match self.format {
            Format::Table => self.lines(table::row(row, self.columns, self.color)),
            Format::Ndjson => self.lines(document::row(row).map(|document| document.text())),
            Format::Csv => self.lines(csv_rows::row(row, self.terminal)),
            Format::Json => {
                let Some(document) = document::row(row) else { return Ok(()) };
                let before = std::mem::replace(&mut self.written, WrittenSoFar::Rows);
                let comma = if before == WrittenSoFar::Rows { "," } else { "" };
                self.write(&format!("{comma}\n{}", document.text()))
            }
        }
    }

    /// Writes the summary; `names` are aliases of the keys in it. `complete` is false after an interruption.
    pub(crate) fn end(
        &mut self,
        summary: &Summary,
        names: &[(String, String)],
        complete: bool,
    ) -> Result<()> {
        match self.shown {
            Shown::Rows => self.write_head()?,
            Shown::Summary => {}
            Shown::Nothing => {
                self.list_offenders(summary);
                return Ok(());
            }
        }
        match self.format {
            Format::Table => {
                let gap = if self.has_rows() { "\n" } else { "" };
                let shares = table::shares(summary, names, self.color);
                self.write(&format!("{gap}{shares}{}\n", table::total(summary, complete, self.color)))?;
                if let Some(unexpected) = summary.unexpected.as_ref().filter(|list| list.count > 0) {
                    self.list("Not as expected:", &table::offenders(unexpected))?;
                }
                if summary.failed.count > 0 {
                    let title = format!("{}:", verification::failed_title(summary));
                    self.list(&title, &table::offenders(&summary.failed))?;
                }
                Ok(())
            }
            Format::Csv if !self.has_rows() => {
                self.write(&csv_rows::shares(summary, self.terminal))?;
                self.printer.say(&table::total(summary, complete, false));
                self.list_offenders(summary);
                Ok(())
            }
            Format::Csv => {
                for line in table::shares(summary, names, false).lines() {
                    self.printer.say(line);
                }
                self.printer.say(&table::total(summary, complete, false));
                self.list_offenders(summary);
                Ok(())
            }
            Format::Json if self.has_rows() => {
                let sum = text(&document::sum(summary, &self.expected, complete));
                let members = self.members_after_objects();
                self.write(&format!("\n],{members}\"summary\":{sum}}}\n"))?;
                self.list_offenders(summary);
                Ok(())
            }
            Format::Json | Format::Ndjson => {
                self.line(&document::summary(summary, &self.expected, complete).text())?;
                self.list_offenders(summary);
                Ok(())
            }
        }
    }

    /// The members of the JSON document after its objects, each followed by a comma.
    fn members_after_objects(&mut self) -> String {
        let buckets = text(&std::mem::take(&mut self.buckets));
        let inventory = self.inventory.take().map(|inventory| format!("\"inventory\":{},", inventory.text()));
        format!("\"buckets\":{buckets},{}", inventory.unwrap_or_default())
    }

    /// Lists objects on standard error where the results go to a file; the sum for programs has them.
    fn list_offenders(&self, summary: &Summary) {
        if self.for_programs {
            return;
        }
        let failed = format!("{}:", verification::failed_title(summary).to_lowercase());
        let unexpected = summary.unexpected.iter().map(|list| ("not as expected:", list));
        for (title, list) in unexpected.chain([(failed.as_str(), &summary.failed)]) {
            if list.count > 0 {
                self.printer.line(title);
                for line in table::offenders(list) {
                    self.printer.line(&line);
                }
            }
        }
    }

    fn list(&mut self, title: &str, lines: &[String]) -> Result<()> {
        self.write(&format!("\n{title}\n{}\n", lines.join("\n")))
    }

    /// Writes what comes before the first row.
    fn write_head(&mut self) -> Result<()> {
        if self.written != WrittenSoFar::Nothing {
            return Ok(());
        }
        self.written = WrittenSoFar::Head;
        match self.format {
            Format::Table => self.line(&table::header(self.columns, self.color)),
            Format::Csv => self.line(csv_rows::HEADER),
            Format::Json => self.write(&head("audit")),
            Format::Ndjson => Ok(()),
        }
    }

    fn lines(&mut self, line: Option<String>) -> Result<()> {
        line.map_or(Ok(()), |line| self.line(&line))
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.write(&format!("{text}\n"))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let write = || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        };
        let written = if self.terminal { self.printer.beside_bar(write) } else { write() };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::ReaderLeft,
            _ => Error::local("write to", Subject::StandardOutput)(error),
        })
    }
}
