//! `s3seal inspect`: its arguments, and the request for `commands::inspect` that is made from them.
//!
//! Its submodules write the results in each format.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueHint;

use super::failure::Failure;
use super::filter_args::FilterArgs;
use super::session::Session;
use crate::aws::traffic::Traffic;
use crate::aws::{Connection, Options};
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::inspect::comparison::ComparisonRequest;
use crate::commands::inspect::expect::Expectation;
use crate::commands::inspect::{self, InspectOptions};
use crate::defaults;
use crate::location::{FileOrObject, S3Uri};

mod audit;
mod comparison;
mod csv_rows;
mod data_args;
mod document;
mod html;
mod page;
mod rows;
mod table;
mod verification;

use audit::Audit;
use data_args::{DataArgs, RingArgs};
use html::{ObjectsByKey, Report};
pub(crate) use page::Tone;
use rows::{Format, Rows, Shown};

const EXAMPLES: &str = "\
Examples:
  s3seal inspect s3://bucket/backup.tar
  s3seal inspect s3://bucket/backup.tar --sse-c-key file:/etc/backup.key
  s3seal inspect s3://bucket --bucket-only
  s3seal inspect s3://bucket/db/ --include '*.sql'
  s3seal inspect s3://bucket --all-versions --format csv > audit.csv
  s3seal inspect s3://bucket/db/ --expect sse-kms:alias/backup --expect client
  s3seal inspect --read-data s3://bucket/db/ --sample 5% --key /etc/backup.key
  s3seal inspect s3://bucket/db/ --manifest /var/backups/db.manifest
  s3seal inspect --inventory s3://reports/bucket/all/DAY/manifest.json";

const DETAILS: &str = "\
Expectations:
  One of them must match each object; otherwise the exit code is 8 and the
  objects that differ are listed.
  encrypted            encrypted in any way
  sse-s3               by S3, with S3's own key
  sse-kms[:KEY]        by S3 with a key in AWS KMS: its id, ARN or alias/NAME
  dsse-kms[:KEY]       the same, in two layers
  sse-c[:FINGERPRINT]  by S3 with a key that S3 does not keep; the fingerprint is
                       known only with --sse-c-key
  client[:FORMAT]      before it was stored: s3ec, s3ec-v2, s3ec-v1 or esdk
  rules                as rules demand (see s3seal-config(7)), or else as the
                       bucket's policy or default encryption does
  Without --expect, what rules demand is expected, but not of a --sample, which
  inspects only some objects. For an --inventory no rule counts.

IAM actions:
  What is denied is shown as \"access denied\", except to --read-data. inspect
  changes nothing.
  an object   s3:GetObject, of a version s3:GetObjectVersion; for its checksum
              under SSE-KMS kms:Decrypt
  manifest    s3:ListBucket; s3:GetObject on objects with another ETag
  many        s3:ListBucket, with --all-versions s3:ListBucketVersions
  a bucket    s3:ListBucket, s3:GetEncryptionConfiguration,
              s3:GetBucketPolicy, s3:GetBucketVersioning,
              s3:GetLifecycleConfiguration
  KMS keys    kms:DescribeKey, kms:ListAliases
  --read-data what get needs: s3:GetObject, and kms:Decrypt on KMS keys
  inventory   s3:GetObject on the report";

/// Show how objects and buckets are encrypted, and audit them
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{DETAILS}"))]
pub(crate) struct InspectArgs {
    /// An object, a prefix (ending in /) or a bucket; repeatable
    #[arg(value_name = "s3://BUCKET[/KEY]", required_unless_present = "inventory")]
    places: Vec<S3Uri>,

    /// The version to inspect
    #[arg(long, value_name = "ID", conflicts_with = "all_versions")]
    version_id: Option<String>,

    /// Inspect all versions, not only the current one
    #[arg(long)]
    all_versions: bool,

    /// Inspect the bucket itself, not its objects
    #[arg(long, conflicts_with_all = ["all_versions", "version_id", "expect"])]
    bucket_only: bool,

    /// Audit the S3 Inventory report of this manifest, without a request for each object
    #[arg(long, value_name = "s3://BUCKET/MANIFEST")]
    #[arg(conflicts_with_all = ["places", "version_id", "bucket_only", "deep", "read_data", "sse-c-key", "key", "private-key", "passphrase"])]
    inventory: Option<S3Uri>,

    /// Compare the objects under a prefix or in a bucket with what `put --manifest` wrote to this file or s3://BUCKET/KEY
    #[arg(long, value_name = "PLACE", group = "judged", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["inventory", "version_id", "bucket_only", "deep", "read_data", "report"])]
    manifest: Option<FileOrObject>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Also detect client-side formats that leave no trace in metadata: one or two more requests for each object
    #[arg(long)]
    deep: bool,

    #[command(flatten)]
    data: DataArgs,

    #[arg(short, long, value_name = "N")]
    #[arg(help = format!(
        "Number of concurrent requests; with --read-data uses up to N × {:#} of memory [default: {}; with --read-data adapts to the link, up to {}]",
        defaults::PART_SIZE, defaults::JOBS_WITHOUT_TRANSFER, defaults::MAX_JOBS
    ))]
    jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    results: ResultArgs,

    #[command(flatten)]
    keys: RingArgs,
}

/// The expectation, and the format of the results.
#[derive(clap::Args)]
#[command(next_help_heading = "Results")]
struct ResultArgs {
    /// The expected encryption, such as sse-kms or client; repeatable, one of them must match
    #[arg(long, value_name = "WHAT", group = "judged")]
    expect: Vec<Expectation>,

    /// Succeed if nothing is found
    #[arg(long)]
    allow_empty: bool,

    /// List only objects that are not as expected, or not as in the manifest
    #[arg(long, requires = "judged")]
    only_unexpected: bool,

    /// Print only the summary, no row for each object
    #[arg(long, conflicts_with_all = ["only_unexpected", "bucket_only"])]
    summary: bool,

    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write table, json, ndjson or csv [default: table, also to a pipe or file]")]
    format: Option<Format>,

    /// Also write the summary as an HTML page
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
}

pub(crate) async fn run(args: InspectArgs, session: &Session) -> Result<(), Failure> {
    let options = args.data.rate.limit(Options { many_objects: !args.is_single(), ..session.options()? })?;
    let keys = args.keys.local.sources(args.keys.key_file.allow_open_key_file)?;
    let settings = args.keys.settings(args.data.read_data || args.manifest.is_some())?;
    args.only_what_fits()?;
    let single = args.is_single();
    let (format, shown) = args.results.format(session, single)?;
    let keys = settings.with_keys(session.ask(move || keys.read()).await?);
    if let (Some(manifest), [place]) = (&args.manifest, args.places.as_slice()) {
        let results = comparison::Results {
            format,
            shown,
            only_unexpected: args.results.only_unexpected,
            allow_empty: args.results.allow_empty,
        };
        let request = ComparisonRequest {
            place: place.clone(),
            manifest: manifest.clone(),
            filter: args.filter.filter(),
            keys,
            jobs: args.data.jobs(args.jobs),
        };
        let connection = session.connect(options).await?;
        return comparison::run(session, &connection, &request, results).await;
    }
    let owner = options.expected_bucket_owner.clone();
    let mut inspect_options = args.options(keys, &options.traffic, session)?;
    let expected: Vec<String> = inspect_options.expected.iter().map(ToString::to_string).collect();
    let connection = session.connect(options).await?;
    session.cancellation.or(inspect::resolve(&connection, &mut inspect_options.expected)).await??;
    if args.results.expect.contains(&Expectation::Rules) {
        let rules = inspect::with_bucket_requirements(&connection, inspect_options.rules, &args.places);
        inspect_options.rules = session.cancellation.or(rules).await??;
    }
    let only_unexpected = args.results.only_unexpected;
    let rows = Rows::new(session, format, shown, expected, only_unexpected, args.data.read_data);
    let report = args.report(&connection, owner, &inspect_options.expected).await;
    let (html_file, allow_empty) = (args.results.report, args.results.allow_empty);
    let audit = Audit::new(session, &connection, &inspect_options, rows, report, html_file, allow_empty);
    match args.places.as_slice() {
        [] => match &args.inventory {
            Some(manifest) => audit.inventory(manifest).await,
            None => Ok(()),
        },
        [place] if single => audit.one(place, args.version_id.as_deref()).await,
        places if args.bucket_only => audit.buckets(places).await,
        places => audit.many(places, args.version_id.as_deref()).await,
    }
}

impl InspectArgs {
    /// Whether it is one object, which is shown in full.
    fn is_single(&self) -> bool {
        matches!(self.places.as_slice(), [place] if place.is_object())
            && !self.all_versions
            && !self.bucket_only
            && self.manifest.is_none()
            && !self.results.summary
            && self.results.report.is_none()
    }

    /// What is inspected, and expected of it: without an expectation, what a rule demands.
    fn options(
        &self,
        keys: DecryptionKeys,
        traffic: &Traffic,
        session: &Session,
    ) -> Result<InspectOptions, Failure> {
        let mut options = InspectOptions {
            keys,
            read: self.data.read(self.jobs, traffic)?,
            expected: self.results.expect.clone(),
            rules: session.rules.requirements.clone(),
            deep: self.deep,
            all_versions: self.all_versions,
            filter: self.filter.clone().filter(),
            jobs: self.data.jobs(self.jobs),
        };
        let is_demanded = self.places.iter().any(|place| options.rules.reach(place));
        let is_all = !self.bucket_only && self.data.sample.is_none();
        if options.expected.is_empty() && is_demanded && is_all {
            options.expected.push(Expectation::Rules);
        }
        Ok(options)
    }

    /// What a report page says beside the results; `owner` is the account that must own the bucket.
    async fn report(
        &self,
        connection: &Connection,
        owner: Option<String>,
        expected: &[Expectation],
    ) -> Report {
        let places = self.places.iter().chain(&self.inventory).map(ToString::to_string).collect();
        let expected = in_words(expected);
        let mut report = Report { places, scope: self.scope(), expected, ..Report::default() };
        if self.results.report.is_some() {
            let account = connection.account().await.map(|account| format!("{account}, of the credentials"));
            report.scope.extend(account.map(|account| ("Account", account)));
            // Of an inventory report only the bucket that has it is asked.
            let owner = owner.filter(|_| self.inventory.is_none());
            let owner = owner.map(|owner| format!("{owner}, which each request to S3 demanded"));
            report.scope.extend(owner.map(|owner| ("Bucket owner", owner)));
            report.objects = Some(ObjectsByKey::default());
        }
        report
    }

    /// What the run covers, for the report: filters and versions.
    fn scope(&self) -> Vec<(&'static str, String)> {
        let mut scope = Vec::new();
        if !self.filter.is_empty() {
            scope.push(("Filters", self.filter.clone().filter().options()));
        }
        let versions = if self.all_versions {
            "all versions"
        } else if let Some(id) = &self.version_id {
            return [scope, vec![("Versions", id.clone())]].concat();
        } else {
            "current versions only; --all-versions inspects the older ones, too"
        };
        scope.push(("Versions", versions.to_owned()));
        if !self.deep && self.inventory.is_none() {
            let formats = "by metadata; --deep also searches for formats that leave no trace there";
            scope.push(("Client-side formats", formats.to_owned()));
        }
        scope
    }

    fn only_what_fits(&self) -> Result<(), Failure> {
        let objects = self.places.iter().filter(|place| place.is_object()).count();
        if self.manifest.is_some() && (objects > 0 || self.places.len() != 1) {
            return Err(
                Failure::usage("--manifest is compared with one bucket or prefix").hint("end a prefix in /")
            );
        }
        if self.manifest.is_some() && self.all_versions {
            return Err(Failure::usage(
                "a manifest names one version of each object, so the versions before it would all be extra",
            )
            .hint("leave out --all-versions: the current versions are compared, and a recorded one that was replaced is named"));
        }
        if self.version_id.is_some() && (objects != 1 || self.places.len() != 1) {
            return Err(Failure::usage("--version-id is for one object")
                .hint("name the object, or inspect all versions with --all-versions"));
        }
        if self.inventory.is_some()
            && let Some(one) = self.results.expect.iter().find(|one| !one.is_told_by_inventory())
        {
            let what = in_words(std::slice::from_ref(one));
            return Err(Failure::usage(format!(
                "an S3 Inventory report does not show whether an object is {what}"
            ))
            .hint(
                "expect one of S3's modes without its key, or name the bucket or prefix to inspect the objects",
            ));
        }
        if !self.filter.is_empty() && self.inventory.is_none() && objects == self.places.len() {
            return Err(Failure::usage(
                "--include and --exclude choose among the objects under a prefix or in a bucket",
            )
            .hint("end a prefix in /, or leave them out"));
        }
        if let Some(share) = self.data.sample {
            if objects == self.places.len() {
                return Err(Failure::usage(
                    "--sample chooses among the objects under a prefix or in a bucket",
                )
                .hint("end a prefix in /, or leave it out"));
            }
            if !self.results.expect.is_empty() {
                return Err(Failure::usage(format!(
                    "--expect is about every object, and --sample {share} inspects only some"
                ))
                .hint("run both: one audit of all with --expect, and one with --read-data and --sample"));
            }
        }
        if self.bucket_only && self.results.report.is_some() {
            return Err(Failure::usage("--report needs objects, which --bucket-only does not inspect")
                .hint("leave out one of the two"));
        }
        Ok(())
    }
}

impl ResultArgs {
    /// The format, and how much is written in it. `-q` leaves out what is written for people; data that was asked for stays.
    fn format(&self, session: &Session, single: bool) -> Result<(Format, Shown), Failure> {
        let asked = match (self.format, session.json) {
            (Some(format @ (Format::Table | Format::Csv)), true) => {
                return Err(Failure::usage(format!(
                    "--json and --format {format} ask for different formats"
                ))
                .hint("leave out one of the two"));
            }
            (None, true) => Some(if single { Format::Json } else { Format::Ndjson }),
            (format, _) => format,
        };
        let format = asked.unwrap_or(Format::Table);
        let quiet = session.printer.is_quiet() && format == Format::Table;
        if quiet && (asked.is_some() || self.summary) {
            let what = if self.summary { "--summary" } else { "--format table" };
            return Err(Failure::usage(format!("-q prints only errors, and {what} asks for more")).hint(
                "leave out one of the two; with --format json, ndjson or csv the results are written in spite of -q",
            ));
        }
        Ok((
            format,
            match (quiet, self.summary) {
                (true, _) => Shown::Nothing,
                (false, true) => Shown::Summary,
                (false, false) => Shown::Rows,
            },
        ))
    }
}

/// Expectations for a sentence: what an object is not.
fn in_words(expected: &[Expectation]) -> String {
    let words = expected.iter().map(|one| match one {
        Expectation::Rules => "what is demanded".to_owned(),
        one => one.to_string(),
    });
    words.collect::<Vec<_>>().join(" or ")
}
