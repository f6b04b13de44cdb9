//! One run of `inspect`: the places in the order given, their rows, the summary and the exit code.

use std::path::PathBuf;

use super::html::{self, Report};
use super::rows::Rows;
use super::verification;
use crate::aws::Connection;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::outcome::of_rules;
use crate::cli::progress::Unit;
use crate::cli::session::Session;
use crate::commands::inspect::summary::{DataSum, Summary};
use crate::commands::inspect::{self, InspectOptions, InspectRow, Inspector, ObjectReport, inventory};
use crate::encryption::KeyArn;
use crate::error::Error;
use crate::location::S3Uri;
use crate::meter::Meter;
use crate::transfer::sink;

/// The maximum number of keys whose aliases are requested.
const NAMED: usize = 20;

pub(crate) struct Audit<'a> {
    session: &'a Session,
    connection: &'a Connection,
    options: &'a InspectOptions,
    rows: Rows<'a>,
    summary: Summary,
    /// The arguments, and the buckets and the inventory report that were inspected.
    report: Report,
    /// Places in which nothing was found.
    empty: Vec<S3Uri>,
    /// The file for the HTML page, if there is one.
    html_file: Option<PathBuf>,
    /// Whether finding nothing is a success.
    allow_empty: bool,
}

impl<'a> Audit<'a> {
    pub(crate) fn new(
        session: &'a Session,
        connection: &'a Connection,
        options: &'a InspectOptions,
        rows: Rows<'a>,
        report: Report,
        html_file: Option<PathBuf>,
        allow_empty: bool,
    ) -> Self {
        let data = options.read.as_ref().map(|read| DataSum {
            sample: read.sample.map(|sample| sample.share.to_string()),
            ..DataSum::default()
        });
        let summary = Summary { data, ..Summary::new(!options.expected.is_empty()) };
        Self {
            session,
            connection,
            options,
            rows,
            summary,
            report,
            empty: Vec::new(),
            html_file,
            allow_empty,
        }
    }

    /// Shows one object in full.
    ///
    /// # Errors
    /// What S3 says of it; exit 8 if it is not as expected.
    pub(crate) async fn one(mut self, place: &S3Uri, version_id: Option<&str>) -> Result<(), Failure> {
        let reads = self.options.read.is_some();
        let progress = reads.then(|| self.session.progress(Unit::Bytes, &place.to_string()));
        let meter = progress.as_ref().map(|progress| progress.meter().clone()).unwrap_or_default();
        let report = self.object_report(place, version_id, &meter).await??;
        if let Some(progress) = progress {
            progress.finish();
        }
        self.rows.object(&report).await?;
        self.say_rules();
        self.summary.count(&report.outcome);
        self.verdict()
    }

    /// Shows buckets without their objects.
    pub(crate) async fn buckets(mut self, places: &[S3Uri]) -> Result<(), Failure> {
        for place in places {
            let bucket = self.session.cancellation.or(self.connection.bucket_facts(&place.bucket)).await??;
            self.rows.bucket(&bucket).await?;
        }
        self.say_rules();
        Ok(self.rows.close().await?)
    }

    /// Reports every object in all places, then the summary.
    ///
    /// # Errors
    /// Errors of the listing; exit 8 if an object is not as expected, 9 if one could not be inspected.
    pub(crate) async fn many(mut self, places: &[S3Uri], version_id: Option<&str>) -> Result<(), Failure> {
        let (unit, what) = match self.options.read {
            Some(_) => (Unit::ObjectsAndBytes, "objects read"),
            None => (Unit::Objects, "objects inspected"),
        };
        let progress = (!self.rows.scroll_by()).then(|| self.session.progress(unit, what));
        let meter = progress.as_ref().map(|progress| progress.meter().clone()).unwrap_or_default();
        meter.expect_listings(places.len() as u64);
        let mut ended = Ok(());
        for place in places {
            let before = self.found();
            ended = self.place(place, version_id, &meter).await;
            if ended.is_err() {
                break;
            }
            self.empty.extend((self.found() == before).then(|| place.clone()));
        }
        if let Some(progress) = progress {
            progress.finish();
        }
        self.end(ended).await
    }

    /// Reports every object in an S3 Inventory report, then the summary.
    pub(crate) async fn inventory(mut self, manifest: &S3Uri) -> Result<(), Failure> {
        let described =
            self.session.cancellation.or(inventory::manifest(self.connection, manifest)).await??;
        self.rows.inventory(&described).await?;
        let bucket = S3Uri { bucket: described.source.clone(), key: String::new() };
        if self.options.expected.is_empty() && self.options.rules.reach(&bucket) {
            let without = "the rules of configuration files do not count for an S3 Inventory report";
            self.session.printer.say(&format!("{without}; name {bucket} to inspect the objects by them"));
        }
        self.report.inventory = Some(described.clone());
        let progress = (!self.rows.scroll_by()).then(|| self.session.progress(Unit::Objects, "objects read"));
        let meter = progress.as_ref().map(|progress| progress.meter().clone()).unwrap_or_default();
        let (rows, page) = (&mut self.rows, &mut self.report);
        let report = async |row: &InspectRow| {
            meter.end_object();
            page.add(row);
            rows.row(row).await
        };
        let (connection, options, stop) = (self.connection, self.options, &self.session.cancellation);
        let ended =
            inventory::audit(connection, manifest, &described, options, stop, &mut self.summary, report)
                .await;
        if let Some(progress) = progress {
            progress.finish();
        }
        self.end(ended.map_err(Failure::from)).await
    }

    /// Reports the summary of what was inspected, then returns how the run ends.
    async fn end(mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        let names = match ended {
            Ok(()) => self.names().await,
            Err(_) => Vec::new(),
        };
        // What was inspected before the end is summed up, whatever ended the run.
        let silent = self.summary.all.objects == 0 && self.summary.failed.count == 0;
        let left = ended.as_ref().is_err_and(|failure| failure.exit == Exit::ReaderLeft);
        if ended.is_ok() || !(silent || left) {
            self.rows.end(&self.summary, &names, ended.is_ok()).await?;
        }
        self.say_rules();
        ended?;
        if let Some(path) = &self.html_file {
            let data = verification::sum(&self.summary);
            self.report.scope.extend(data.map(|sum| ("Data", sum)));
            self.report.scope.extend(self.connection.host().map(|host| ("Server", host)));
            sink::replace(path, html::page(&self.report, &self.summary, &names).as_bytes())?;
        }
        self.found_something()?;
        self.verdict()
    }

    /// Says which rules were set aside.
    fn say_rules(&self) {
        for line in of_rules(&self.session.rules) {
            self.session.printer.say(&line);
        }
    }

    fn found(&self) -> u64 {
        self.summary.all.objects + self.summary.failed.count
    }

    /// An audit of no object proves nothing, and a mistyped prefix must not pass beside others that are right. A bucket that
    /// is shown counts, unless an expectation asks about its objects, or they are to be read.
    fn found_something(&self) -> Result<(), Failure> {
        let asks = !self.options.expected.is_empty() || self.options.read.is_some();
        let empty: Vec<_> = self.empty.iter().filter(|place| asks || !place.key.is_empty()).collect();
        let inventory = self.report.inventory.as_ref().filter(|_| self.found() == 0);
        if empty.is_empty() && inventory.is_none() || self.allow_empty {
            return Ok(());
        }
        let places = match inventory {
            Some(_) => self.report.places.join(", "),
            None => empty.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        Err(Failure::nothing_found(&places))
    }

    async fn place(&mut self, place: &S3Uri, version_id: Option<&str>, meter: &Meter) -> Result<(), Failure> {
        if place.is_object() && !self.options.all_versions {
            let row = match self.object_report(place, version_id, meter).await? {
                Ok(report) => InspectRow::Done(Box::new(report.outcome)),
                // One that fails is one of many.
                Err(error) if self.options.read.is_some() && self.report.places.len() > 1 => {
                    InspectRow::failed(place.to_string(), version_id, error)
                }
                Err(error) => return Err(error.into()),
            };
            inspect::count(&mut self.summary, &row);
            self.summary.find(1);
            self.report.add(&row);
            meter.find(match &row {
                InspectRow::Done(outcome) if outcome.data.is_some() => outcome.stored_len.unwrap_or_default(),
                _ => 0,
            });
            meter.found_all();
            meter.end_object();
            return Ok(self.rows.row(&row).await?);
        }
        if place.key.is_empty() {
            let bucket = self.session.cancellation.or(self.connection.bucket_facts(&place.bucket)).await??;
            self.rows.bucket(&bucket).await?;
            self.report.buckets.push(bucket);
        }
        let (rows, page) = (&mut self.rows, &mut self.report);
        let report = async |row: &InspectRow| {
            meter.end_object();
            page.add(row);
            rows.row(row).await
        };
        let (connection, options, cancellation) = (self.connection, self.options, &self.session.cancellation);
        let inspector = Inspector { connection, options, meter, cancellation };
        Ok(inspect::audit(inspector, place, &mut self.summary, report).await?)
    }

    async fn object_report(
        &self,
        place: &S3Uri,
        version_id: Option<&str>,
        meter: &Meter,
    ) -> Result<Result<ObjectReport, Error>, Failure> {
        let (connection, options, cancellation) = (self.connection, self.options, &self.session.cancellation);
        let inspector = Inspector { connection, options, meter, cancellation };
        Ok(cancellation.or(inspect::object(inspector, place, version_id)).await?)
    }

    /// Asks KMS for the aliases of the keys with the largest shares, as far as that is allowed.
    async fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        let keys = self.summary.largest_first().into_iter().filter_map(|(name, _)| name.key.clone());
        for key in keys.filter(|key| KeyArn::parse(key).is_some()).take(NAMED) {
            let asked = inspect::kms_key(self.connection, &key);
            let seen = tokio::select! {
                seen = asked => seen,
                _ = self.session.cancellation.wait() => break,
            };
            match seen.aliases.fact() {
                Some(aliases) if !aliases.is_empty() => names.push((key, aliases.join(", "))),
                _ => {}
            }
        }
        names
    }

    fn verdict(&self) -> Result<(), Failure> {
        let all = self.summary.all.objects + self.summary.failed.count;
        if let Some(unexpected) = self.summary.unexpected.as_ref().filter(|list| list.count > 0) {
            let expected = &self.report.expected;
            let message = match (unexpected.first.as_slice(), all) {
                ([one], 1) => format!("{} is not {expected} but {}", one.name, one.why),
                _ => format!("{} of {all} objects are not {expected}", unexpected.count),
            };
            return Err(Failure::new(Exit::Condition, anyhow::anyhow!(message)));
        }
        match self.summary.failed.count {
            0 => Ok(()),
            failed => Err(Failure::new(
                Exit::Some,
                anyhow::anyhow!("{failed} of {all} objects {}", verification::failed_words(&self.summary)),
            )),
        }
    }
}
