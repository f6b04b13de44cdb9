//! `s3seal cleanup`: its arguments, the list, the question, and the report.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::aws_flags::AwsFlags;
use super::document::cleanup::{CleanupSummary, LeftoverState};
use super::document::{Command, Document, Record, Summaries, Summary};
use super::duration;
use super::exit::Exit;
use super::failure::Failure;
use super::outcome;
use super::process;
use super::progress::Unit;
use super::prompt;
use super::sanitize::escaped;
use super::session::Session;
use super::state_directory::state_directory;
use crate::aws::{Connection, Options};
use crate::commands::cleanup::{self, CleanupRequest, Leftover, Removal};
use crate::defaults;
use crate::error::{Error, NetworkFault, Result as CoreResult};
use crate::location::S3Uri;
use crate::meter::Meter;

mod text;

const EXAMPLES: &str = "\
Examples:
  s3seal cleanup s3://bucket --dry-run
  s3seal cleanup s3://bucket/db/ --older-than 7d --yes
  s3seal cleanup s3://bucket/home.tar --older-than 0s";

/// Remove what broken runs left: uploads, orphaned instruction files, scratch objects, journals, records
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CleanupArgs {
    /// A bucket, a prefix (ending in /), or one object with what belongs to it
    // The id under which rules look for the places of every verb.
    #[arg(id = "places", value_name = "s3://BUCKET/KEY|/PREFIX/")]
    place: S3Uri,

    #[arg(help = format!("Keep what is younger (30m, 12h, 7d, 2w) [default: {}]", Age(defaults::CLEANUP_AGE)))]
    #[arg(long, value_name = "AGE", default_value_t = Age(defaults::CLEANUP_AGE), hide_default_value = true)]
    older_than: Age,

    /// List what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(short, long)]
    yes: bool,
}

pub(crate) async fn run(args: CleanupArgs, session: &Session) -> Result<(), Failure> {
    clean_up(args, session).await.map_err(|failure| Failure { own_hints: Some(own_hints), ..failure })
}

/// Hints that differ from those of other verbs: there is no `--jobs` here.
fn own_hints(error: &Error, _: &AwsFlags) -> Option<Vec<String>> {
    match error {
        Error::Network { why: NetworkFault::Throttled, .. } => {
            Some(vec!["run the same command again".to_owned()])
        }
        _ => None,
    }
}

async fn clean_up(args: CleanupArgs, session: &Session) -> Result<(), Failure> {
    let options = Options { many_objects: true, ..session.options()? };
    let connection = session.connect(options).await?;
    let request = CleanupRequest {
        place: args.place.clone(),
        older_than: args.older_than.0,
        records: state_directory(),
        jobs: process::jobs_within_open_files(defaults::JOBS_WITHOUT_TRANSFER),
        meter: Meter::of_many(),
        first: None,
    };
    let mut report = Report { session, is_dry_run: args.dry_run, sum: CleanupSummary::default() };
    let mut found = Vec::new();
    let looking = session.progress_of(Unit::Objects, "objects listed", request.meter.clone());
    // Only what is to be removed is held: what is only reported may be without end.
    cleanup::find(&connection, &request, &session.cancellation, async |leftover| {
        if leftover.kept.is_some() {
            return report.kept(&leftover).await;
        }
        report.sum.found += 1;
        if args.dry_run {
            return report.found(&leftover).await;
        }
        found.push(leftover);
        Ok(())
    })
    .await?;
    drop(looking);
    for leftover in &found {
        report.found(leftover).await?;
    }
    if found.is_empty() {
        return Ok(report.end(&args.place).await?);
    }
    if !args.yes {
        let question = text::question(&found, &args.place);
        // Who is asked must have seen what it is about.
        let is_shown = !session.json && !session.printer.is_quiet();
        let list: Vec<String> = found.iter().filter(|_| !is_shown).map(text::line).collect();
        if !session.ask(move || prompt::confirm_all(&list, &question)).await? {
            session.printer.say("nothing removed");
            return Ok(());
        }
    }
    remove(&connection, &request, found, report).await
}

async fn remove(
    connection: &Connection,
    request: &CleanupRequest,
    found: Vec<Leftover>,
    mut report: Report<'_>,
) -> Result<(), Failure> {
    let stop = &report.session.cancellation.clone();
    let all = found.len();
    let each = async |removal| report.removal(&removal).await;
    let removed = cleanup::remove(connection, request, found, stop, each).await;
    let failed = report.sum.failed;
    report.end(&request.place).await?;
    removed?;
    if failed == 0 {
        return Ok(());
    }
    let message = anyhow::anyhow!("{failed} of {all} leftovers were not removed");
    Err(Failure::new(Exit::Some, message)
        .hint("each of them is named above; the same command tries them again"))
}

/// Tells what is found and what becomes of it, and counts it.
struct Report<'a> {
    session: &'a Session,
    is_dry_run: bool,
    sum: CleanupSummary,
}

impl Report<'_> {
    async fn found(&mut self, leftover: &Leftover) -> CoreResult<()> {
        if self.is_dry_run {
            self.sum.bytes = self.sum.bytes.saturating_add(leftover.bytes.unwrap_or_default());
            if self.session.json {
                return self.document(text::document(leftover, LeftoverState::Found, None)).await;
            }
        }
        // Before a question there is no document.
        if !self.session.json {
            self.session.printer.say(&text::line(leftover));
        }
        Ok(())
    }

    async fn kept(&mut self, leftover: &Leftover) -> CoreResult<()> {
        self.sum.kept += 1;
        if self.session.json {
            return self.document(text::document(leftover, LeftoverState::Kept, None)).await;
        }
        let line = format!("kept: {}", text::line(leftover));
        // What could not be seen is said in any case.
        if text::is_silent(leftover) {
            self.session.printer.detail(&line);
        } else {
            self.session.printer.say(&line);
        }
        Ok(())
    }

    async fn removal(&mut self, removal: &Removal) -> CoreResult<()> {
        let Removal { leftover, failed } = removal;
        if let Some(error) = failed {
            self.sum.failed += 1;
            if self.session.json {
                return self.document(text::document(leftover, LeftoverState::Failed, Some(error))).await;
            }
            self.session.printer.line(&escaped(&format!("failed: {}: {error}", text::name(&leftover.what))));
            return Ok(());
        }
        if leftover.kept.is_some() {
            return self.kept(leftover).await;
        }
        self.sum.removed += 1;
        self.sum.bytes = self.sum.bytes.saturating_add(leftover.bytes.unwrap_or_default());
        if self.session.json {
            return self.document(text::document(leftover, LeftoverState::Removed, None)).await;
        }
        self.session.printer.detail(&format!("removed: {}", text::name(&leftover.what)));
        Ok(())
    }

    async fn end(&self, place: &S3Uri) -> CoreResult<()> {
        if self.session.json {
            return self.document(Record::Summary(Summaries { summary: Summary::Cleanup(self.sum) })).await;
        }
        let names_each = self.session.printer.verbosity() > 0;
        let sum = text::summary(self.sum, place, self.is_dry_run, names_each);
        let parts = [sum].into_iter().chain(outcome::of_rules(&self.session.rules));
        self.session.printer.say(&parts.collect::<Vec<_>>().join(", "));
        Ok(())
    }

    async fn document(&self, record: Record) -> CoreResult<()> {
        let text = Document::new(Command::Cleanup, record).text();
        self.session.stdout.write(format!("{text}\n")).await
    }
}

/// An age as typed: a number with `s`, `m`, `h`, `d` or `w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Age(Duration);

const AGE_UNITS: [(&str, u64); 5] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

impl FromStr for Age {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let age = duration::parse(text, &AGE_UNITS);
        age.map(Self).ok_or("write an age such as 1d, 12h or 30m; 0s is any age")
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return f.write_str("0s");
        }
        // A day is not a seventh of a week to whoever reads it.
        f.write_str(&duration::text(self.0, &AGE_UNITS[1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hints_of_cleanup_name_no_flag_that_it_lacks() {
        let why = NetworkFault::Throttled;
        let error = Error::Network { subject: "s3://bkt/p/".into(), why, source: None };
        let hints = own_hints(&error, &AwsFlags::default()).unwrap();
        assert!(!hints.is_empty() && hints.iter().all(|hint| !hint.contains("--jobs")), "{hints:?}");
    }

    #[test]
    fn ages_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Age>().map(|age| age.0.as_secs());
        for (text, seconds) in
            [("0s", 0), ("45s", 45), ("30m", 1_800), ("12h", 43_200), ("1d", 86_400), ("2w", 1_209_600)]
        {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        for text in ["", "1", "d", "-1d", "1.5d", "1 d", "1y", "99999999999999999999d", "99999999999999999w"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        for text in ["0s", "90s", "30m", "12h", "1d", "14d"] {
            assert_eq!(text.parse::<Age>().unwrap().to_string(), text);
        }
    }
}
