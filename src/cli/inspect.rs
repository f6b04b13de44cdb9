//! `s3seal inspect`: its arguments, what they come to, and the order in which results are told.
//!
//! What is looked at is `commands::inspect`; how it looks on paper is in the files below this one.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueHint;

use super::decryption_args::{EnvelopeArgs, LocalKeyArgs};
use super::failure::Failure;
use super::filter_args::FilterArgs;
use super::key_source::KeyFileArgs;
use super::session::Session;
use crate::aws::Options;
use crate::commands::inspect::expect::Expectation;
use crate::commands::inspect::{self, InspectOptions};
use crate::error::Error;
use crate::limits::DEFAULT_JOBS_WITHOUT_TRANSFER;
use crate::location::S3Uri;

mod audit;
mod csv_rows;
mod document;
mod page;
mod report;
mod rows;
mod table;

use audit::Audit;
use report::Report;
use rows::{Format, Rows};

const EXAMPLES: &str = "\
Examples:
  s3seal inspect s3://bucket/backup.tar
  s3seal inspect s3://bucket/backup.tar --sse-c-key file:/etc/backup.key
  s3seal inspect s3://bucket --bucket-only
  s3seal inspect s3://bucket/db/ --include '*.sql'
  s3seal inspect s3://bucket --all-versions --format csv > audit.csv
  s3seal inspect s3://bucket/db/ --expect sse-kms:alias/backup --expect client
  s3seal inspect --inventory s3://reports/bucket/all/DAY/manifest.json";

const DETAILS: &str = "\
Expectations:
  Any one will do; otherwise the exit code is 8 and what differs is listed.
  encrypted            encrypted in any way
  sse-s3               by S3, with a key of its own
  sse-kms[:KEY]        by S3 with a key in AWS KMS: its id, ARN or alias/NAME
  dsse-kms[:KEY]       the same, twice
  sse-c[:FINGERPRINT]  by S3 with a key that it does not keep; which one is seen
                       only with --sse-c-key
  client[:FORMAT]      before it was stored: s3ec, s3ec-v2, s3ec-v1 or esdk

IAM actions:
  What is denied is shown as \"not allowed to see\". Nothing is ever changed.
  an object   s3:GetObject, of a version s3:GetObjectVersion; for its checksum
              under SSE-KMS kms:Decrypt
  many        s3:ListBucket, with --all-versions s3:ListBucketVersions
  a bucket    s3:ListBucket, s3:GetEncryptionConfiguration,
              s3:GetBucketPolicy, s3:GetBucketVersioning,
              s3:GetLifecycleConfiguration
  KMS keys    kms:DescribeKey, kms:ListAliases
  inventory   s3:GetObject on the report";

/// Show how objects and buckets are encrypted, and audit them
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{DETAILS}"))]
pub(crate) struct InspectArgs {
    /// An object, a prefix (ending in /) or a bucket; repeatable
    #[arg(value_name = "s3://BUCKET[/KEY]", required_unless_present = "inventory")]
    places: Vec<S3Uri>,

    /// The version to look at
    #[arg(long, value_name = "ID", conflicts_with = "all_versions")]
    version_id: Option<String>,

    /// Look at all versions, not only the newest
    #[arg(long)]
    all_versions: bool,

    /// Look at the bucket itself, not at what is in it
    #[arg(long, conflicts_with_all = ["all_versions", "version_id", "expect"])]
    bucket_only: bool,

    /// Audit from the S3 Inventory report of this manifest, without a request an object
    #[arg(long, value_name = "s3://BUCKET/MANIFEST")]
    #[arg(conflicts_with_all = ["places", "version_id", "bucket_only", "deep", "sse-c-key", "key", "private-key", "passphrase"])]
    inventory: Option<S3Uri>,

    #[command(flatten)]
    filter: FilterArgs,

    /// Also look for client-side formats that leave no sign in the metadata: a request or two more an object
    #[arg(long)]
    deep: bool,

    /// How many requests at once [default: 32]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    telling: ResultArgs,

    #[command(flatten)]
    keys: RingArgs,
}

/// What is expected and how results are written.
#[derive(clap::Args)]
#[command(next_help_heading = "Results")]
struct ResultArgs {
    /// What objects should be, such as sse-kms or client; repeatable: any will do
    #[arg(long, value_name = "WHAT")]
    expect: Vec<Expectation>,

    /// Take it for success if nothing is found
    #[arg(long)]
    allow_empty: bool,

    /// Write rows only of what is not as expected
    #[arg(long, requires = "expect")]
    only_unexpected: bool,

    /// How to write results [default: table on a terminal, else ndjson]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "Write table, json, ndjson or csv [default: table on a terminal, else ndjson]")]
    format: Option<Format>,

    /// Write the sum as an HTML page, too
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
}

/// Keys to look deeper with.
#[derive(clap::Args)]
#[command(next_help_heading = "Keys")]
struct RingArgs {
    #[command(flatten)]
    local: LocalKeyArgs<false>,

    #[command(flatten)]
    envelope: EnvelopeArgs,

    #[command(flatten)]
    key_file: KeyFileArgs,
}

/// Runs the verb.
///
/// # Errors
/// Everything that can go wrong, with its exit code; among it that objects are not as expected.
pub(crate) async fn run(args: InspectArgs, session: &Session) -> Result<(), Failure> {
    let options = Options { many_objects: !args.is_single(), ..session.options()? };
    let keys = args.keys.local.sources(args.keys.key_file.allow_open_key_file)?;
    args.only_what_fits()?;
    let single = args.is_single();
    let format =
        args.telling.format.or(session.json.then_some(if single { Format::Json } else { Format::Ndjson }));
    let keys = session.ask(move || keys.read()).await?;
    let mut looking = InspectOptions {
        customer_keys: keys.customer,
        unlocker: args.keys.envelope.unlocker(keys.ring),
        expected: args.telling.expect,
        deep: args.deep,
        legacy: args.keys.envelope.allow_legacy.unwrap_or_default(),
        instruction_suffix: args.keys.envelope.instruction_suffix,
        all_versions: args.all_versions,
        filter: args.filter.filter(),
        jobs: args.jobs.unwrap_or(DEFAULT_JOBS_WITHOUT_TRANSFER),
    };
    let expected: Vec<String> = looking.expected.iter().map(ToString::to_string).collect();
    let connection = session.connect(options).await?;
    until_stopped(session, inspect::resolve(&connection, &mut looking.expected)).await?;
    let rows = Rows::new(
        format,
        expected.clone(),
        args.telling.only_unexpected,
        session.printer.stdout_color(),
        session.printer.clone(),
    );
    let places = args.places.iter().chain(&args.inventory).map(ToString::to_string).collect();
    let allow_empty = args.telling.allow_empty;
    let report = Report { places, expected: expected.join(" or "), ..Report::default() };
    let audit = Audit::new(session, &connection, &looking, rows, report, args.telling.report, allow_empty);
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
    /// Whether it is about one object, which then is shown in full.
    fn is_single(&self) -> bool {
        matches!(self.places.as_slice(), [place] if place.is_object())
            && !self.all_versions
            && !self.bucket_only
            && self.telling.report.is_none()
    }

    fn only_what_fits(&self) -> Result<(), Failure> {
        let objects = self.places.iter().filter(|place| place.is_object()).count();
        if self.version_id.is_some() && (objects != 1 || self.places.len() != 1) {
            return Err(Failure::usage("--version-id is for one object")
                .hint("name the object, or look at all versions with --all-versions"));
        }
        if self.inventory.is_some()
            && let Some(one) = self.telling.expect.iter().find(|one| !one.is_told_by_inventory())
        {
            return Err(Failure::usage(format!(
                "a report of S3 Inventory cannot tell whether an object is {one}"
            ))
            .hint(
                "expect a mode of S3's without its key, or name the bucket or prefix to look at the objects",
            ));
        }
        if !self.filter.is_empty() && self.inventory.is_none() && objects == self.places.len() {
            return Err(Failure::usage("--include and --exclude choose below a prefix or a bucket")
                .hint("end a prefix in /, or leave them out"));
        }
        if self.bucket_only && self.telling.report.is_some() {
            return Err(Failure::usage("--report is about objects, --bucket-only leaves them out")
                .hint("leave out one of the two"));
        }
        Ok(())
    }
}

/// Waits for what gives way to a signal.
async fn until_stopped<T>(
    session: &Session,
    work: impl Future<Output = crate::error::Result<T>>,
) -> Result<T, Failure> {
    tokio::select! {
        biased;
        signal = session.stop.wait() => Err(Error::Interrupted(signal).into()),
        done = work => Ok(done?),
    }
}
