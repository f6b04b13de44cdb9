//! One run of `inspect`: places in the order given, rows, the sum, and the exit code that all of it comes to.

use std::path::PathBuf;

use super::report::{self, Report};
use super::rows::Rows;
use super::until_stopped;
use crate::aws::Connection;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::progress::{Progress, Unit};
use crate::cli::session::Session;
use crate::commands::inspect::summary::Summary;
use crate::commands::inspect::{self, InspectOptions, InspectRow, ObjectReport, inventory};
use crate::encryption::KeyArn;
use crate::location::S3Uri;

/// Keys of the sum whose aliases are asked for, at most.
const NAMED: usize = 20;

/// A run.
pub(crate) struct Audit<'a> {
    session: &'a Session,
    connection: &'a Connection,
    looking: &'a InspectOptions,
    rows: Rows,
    summary: Summary,
    /// What was asked and found beside the objects.
    report: Report,
    /// Where the page goes, if one is wanted.
    paper: Option<PathBuf>,
    /// Whether it is a success to find nothing.
    allow_empty: bool,
}

impl<'a> Audit<'a> {
    /// Prepares a run.
    #[must_use]
    pub(crate) fn new(
        session: &'a Session,
        connection: &'a Connection,
        looking: &'a InspectOptions,
        rows: Rows,
        report: Report,
        paper: Option<PathBuf>,
        allow_empty: bool,
    ) -> Self {
        let summary = Summary::new(!looking.expected.is_empty());
        Self { session, connection, looking, rows, summary, report, paper, allow_empty }
    }

    /// Shows one object in full.
    ///
    /// # Errors
    /// What S3 says of it; exit 8 if it is not as expected.
    pub(crate) async fn one(mut self, place: &S3Uri, version_id: Option<&str>) -> Result<(), Failure> {
        let report = self.look(place, version_id).await?;
        self.rows.object(&report)?;
        self.summary.count(&report.outcome);
        self.verdict()
    }

    /// Shows buckets without what is in them.
    ///
    /// # Errors
    /// No such bucket, or no way to it.
    pub(crate) async fn buckets(mut self, places: &[S3Uri]) -> Result<(), Failure> {
        for place in places {
            let facts = until_stopped(self.session, self.connection.bucket_facts(&place.bucket)).await?;
            self.rows.bucket(&facts)?;
        }
        Ok(self.rows.close()?)
    }

    /// Goes through all places, tells every object, then the sum.
    ///
    /// # Errors
    /// What a listing says; exit 8 if something is not as expected, 9 if something could not be looked at.
    pub(crate) async fn many(mut self, places: &[S3Uri], version_id: Option<&str>) -> Result<(), Failure> {
        let progress =
            (!self.rows.are_seen()).then(|| self.session.progress(Unit::Objects, "objects inspected"));
        let mut ended = Ok(());
        for place in places {
            ended = self.place(place, version_id, progress.as_ref()).await;
            if ended.is_err() {
                break;
            }
        }
        if let Some(progress) = progress {
            progress.finish();
        }
        self.end(ended).await
    }

    /// Goes through a report of S3 Inventory, tells every object, then the sum.
    ///
    /// # Errors
    /// As [`Audit::many`]; what is wrong with the report.
    pub(crate) async fn inventory(mut self, manifest: &S3Uri) -> Result<(), Failure> {
        let described = until_stopped(self.session, inventory::manifest(self.connection, manifest)).await?;
        self.rows.inventory(&described)?;
        self.report.inventory = Some(described.clone());
        let progress = (!self.rows.are_seen()).then(|| self.session.progress(Unit::Objects, "objects read"));
        let meter = progress.as_ref().map(Progress::objects);
        let rows = &mut self.rows;
        let tell = |row: &InspectRow| {
            if let Some(meter) = meter {
                meter.add(1);
            }
            rows.row(row)
        };
        let (connection, looking, stop) = (self.connection, self.looking, &self.session.stop);
        let ended =
            inventory::audit(connection, manifest, &described, looking, stop, &mut self.summary, tell).await;
        if let Some(progress) = progress {
            progress.finish();
        }
        self.end(ended.map_err(Failure::from)).await
    }

    /// Tells the sum of whatever was seen, then how the run ended.
    async fn end(mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        let names = match ended {
            Ok(()) => self.names().await,
            Err(_) => Vec::new(),
        };
        // What was seen before the end, of whatever kind, is said; without any row there is nothing to sum up.
        let silent = self.summary.all.objects == 0 && self.summary.failed.count == 0;
        let left = ended.as_ref().is_err_and(|failure| failure.exit == Exit::ReaderLeft);
        if ended.is_ok() || !(silent || left) {
            self.rows.end(&self.summary, &names, ended.is_ok())?;
        }
        ended?;
        if let Some(path) = &self.paper {
            report::write(path, &report::html(&self.report, &self.summary, &names))?;
        }
        self.found_something()?;
        self.verdict()
    }

    /// An audit of nothing vouches for nothing. A bucket that is shown is something, unless its objects were asked about.
    fn found_something(&self) -> Result<(), Failure> {
        let shown = !self.report.buckets.is_empty() && self.looking.expected.is_empty();
        let found = self.summary.all.objects + self.summary.failed.count > 0;
        if found || shown || self.allow_empty {
            return Ok(());
        }
        let places = self.report.places.join(", ");
        Err(Failure::new(Exit::NotFound, anyhow::anyhow!("nothing found under {places}"))
            .hint("check the prefix, and --include and --exclude; --allow-empty takes it for success"))
    }

    async fn place(
        &mut self,
        place: &S3Uri,
        version_id: Option<&str>,
        progress: Option<&Progress>,
    ) -> Result<(), Failure> {
        if place.is_object() && !self.looking.all_versions {
            let report = self.look(place, version_id).await?;
            let row = InspectRow::Done(Box::new(report.outcome));
            inspect::count(&mut self.summary, &row);
            return Ok(self.rows.row(&row)?);
        }
        if place.key.is_empty() {
            let facts = until_stopped(self.session, self.connection.bucket_facts(&place.bucket)).await?;
            self.rows.bucket(&facts)?;
            self.report.buckets.push(facts);
        }
        let (rows, meter) = (&mut self.rows, progress.map(Progress::objects));
        let tell = |row: &InspectRow| {
            if let Some(meter) = meter {
                meter.add(1);
            }
            rows.row(row)
        };
        let stop = &self.session.stop;
        inspect::audit(self.connection, place, self.looking, stop, &mut self.summary, tell).await?;
        Ok(())
    }

    async fn look(&self, place: &S3Uri, version_id: Option<&str>) -> Result<ObjectReport, Failure> {
        until_stopped(self.session, inspect::object(self.connection, place, version_id, self.looking)).await
    }

    /// Asks KMS for the aliases of the largest shares' keys, as far as that is allowed.
    async fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        let keys = self.summary.largest_first().into_iter().filter_map(|(name, _)| name.key.clone());
        for key in keys.filter(|key| KeyArn::parse(key).is_some()).take(NAMED) {
            let asked = inspect::kms_key(self.connection, &key);
            let seen = tokio::select! {
                seen = asked => seen,
                _ = self.session.stop.wait() => break,
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
                anyhow::anyhow!("{failed} of {all} objects could not be looked at"),
            )),
        }
    }
}
