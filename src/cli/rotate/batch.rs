//! `--batch`: rotates with an S3 Batch Operations job, which S3 runs itself.
//!
//! What a job cannot do is refused here with a hint; what it will skip or fail at is reported before it is created. No
//! object is inspected: S3 generates the object list, by prefix and by current encryption. Source: CreateJob in the
//! Amazon S3 Control API reference; "Update object encryption" in the Amazon S3 user guide.

use serde_json::{Value, json};

use super::{Choice, RotateArgs};
use crate::aws::Options;
use crate::aws::batch::{Control, CurrentEncryption, Job, PRIORITY, Role};
use crate::aws::custom_endpoints::CONTROL;
use crate::cli::aws_flags::AwsFlags;
use crate::cli::document::{self, Command, Document, Record};
use crate::cli::failure::Failure;
use crate::cli::outcome::of_rules;
use crate::cli::output;
use crate::cli::prompt;
use crate::cli::sanitize::shell_word;
use crate::cli::session::Session;
use crate::commands::rotate::batch::prepare;
use crate::commands::rotate::selector::Selector;
use crate::defaults;
use crate::encryption::Mode;
use crate::error::{Denial, Error, NetworkFault};
use crate::location::S3Uri;
use crate::pattern::Affix;
use crate::rules::Encrypted;

/// The hint for what a job cannot do.
const ITSELF: &str =
    "leave out --batch: s3seal itself then rotates each object, and continues after an interruption";

#[derive(clap::Args)]
#[command(next_help_heading = "Batch")]
pub(crate) struct BatchArgs {
    /// Create an S3 Batch Operations job instead, and print its id [-e sse-kms]
    #[arg(long, requires = "batch_role")]
    pub(crate) batch: bool,

    /// The ARN of the role that the job assumes; the job runs in the role's account
    #[arg(long, value_name = "ARN", requires = "batch")]
    batch_role: Option<Role>,

    #[arg(long, value_name = "s3://BUCKET/PREFIX/", requires = "batch")]
    #[arg(help = format!(
        "The prefix for the job's report of failures [default: {} in the bucket]",
        defaults::BATCH_REPORT_PREFIX
    ))]
    batch_report: Option<S3Uri>,
}

/// Creates the job, or prints the request of a dry run.
pub(crate) async fn run(
    args: &RotateArgs,
    choice: Choice,
    options: Options,
    session: &Session,
) -> Result<(), Failure> {
    let flags = session.aws_flags().control;
    let job = job(args, choice, options.expected_bucket_owner.clone())?;
    let connection = session.connect(options).await?;
    let control = if args.dry_run { None } else { Some(connection.control().map_err(nowhere)?) };
    if control.is_some() {
        session.cancellation.or(connection.reach_bucket(&job.place.bucket)).await??;
    }
    let job = session.cancellation.or(prepare(&connection, job)).await??;
    let asked = Encrypted {
        modes: vec![Mode::SseKms],
        kms_keys: vec![job.key.to_string()],
        or_default: false,
        described: Mode::SseKms.title().to_owned(),
    };
    session.rules.requirements.permit_all(&job.place, &asked)?;
    for line in describe(&job).into_iter().chain(of_rules(&session.rules)) {
        session.printer.say(&line);
    }
    let account = &job.role.account;
    let Some(control) = control else {
        output::document(&serde_json::to_string_pretty(&request(&job)).unwrap_or_default())?;
        session.printer.say(&format!(
            "no job was created; saved as job.json, this is what the AWS CLI takes: aws s3control create-job{flags} \
             --cli-input-json file://job.json"
        ));
        return Ok(());
    };
    let question = format!("Create a job that gives {} the KMS key {}?", selected(&job), job.key);
    if !args.yes && !session.ask(move || prompt::confirm(&question)).await? {
        session.printer.say("no job was created");
        return Ok(());
    }
    let id = create(&control, &job, session, &flags).await?;
    output::document(&if session.json { document(&id, &job).text() } else { id.clone() })?;
    session.printer.say(&format!(
        "created; to follow it: aws s3control describe-job --account-id {account} --job-id {}{flags}",
        shell_word(&id)
    ));
    Ok(())
}

async fn create(control: &Control, job: &Job, session: &Session, flags: &str) -> Result<String, Failure> {
    let created = session.cancellation.or(control.create_job(job)).await.flatten();
    created.map_err(|error| {
        let unsure = matches!(error, Error::Network { .. } | Error::Interrupted(_));
        let failure = Failure { own_hints: Some(own_hints), ..Failure::from(error) };
        if !unsure {
            return failure;
        }
        failure.hint(format!(
            "check first whether it was created anyway: aws s3control list-jobs --account-id {}{flags}",
            job.role.account
        ))
    })
}

/// Hints that differ from those of other verbs: no flag names the address of S3 Control.
fn own_hints(error: &Error, _: &AwsFlags) -> Option<Vec<String>> {
    let hint = match error {
        Error::Network { why: NetworkFault::Connect, .. } => {
            format!("check {CONTROL} and --region, and that this machine is online")
        }
        Error::Network { why: NetworkFault::NotTls, .. } => {
            format!(
                "check the port in {CONTROL}; for a server without TLS write http:// in place of https://"
            )
        }
        Error::Denied { why: Denial::UnknownAccessKey, .. } => format!(
            "check AWS_ACCESS_KEY_ID or --profile; for servers other than AWS {CONTROL} names that of S3 Control"
        ),
        _ => return None,
    };
    Some(vec![hint])
}

fn nowhere(error: Error) -> Failure {
    Failure::from(error)
        .hint(ITSELF)
        .hint(format!("or name the address of S3 Control: {CONTROL}=https://HOST"))
}

fn job(args: &RotateArgs, choice: Choice, owner: Option<String>) -> Result<Job, Failure> {
    only_what_fits(args)?;
    let role = args.batch.batch_role.clone().ok_or_else(|| Failure::usage("--batch needs --batch-role"))?;
    let [place] = args.places.as_slice() else {
        return Err(
            Failure::usage("a job takes one prefix or bucket").hint("run the command once for each of them")
        );
    };
    if place.is_object() || !has_bucket(place) {
        return Err(Failure::usage(format!("{place} is neither a bucket nor a prefix, which a job takes"))
            .hint("end a prefix in /, and name the bucket itself; or leave out --batch"));
    }
    let (key, bucket_key) = match choice {
        Choice::SseKms { context, .. } if !context.is_empty() => {
            return Err(Failure::usage("a job of S3 Batch Operations takes no --context").hint(ITSELF));
        }
        Choice::SseKms { key: Some(key), bucket_key, .. } => (key, bucket_key),
        Choice::SseKms { key: None, .. } => {
            return Err(Failure::usage("a job needs the new KMS key").hint("name it: --kms-key KEY"));
        }
        choice => return Err(cannot_become(&choice)),
    };
    let (beginning, end) = affixes(args, place)?;
    let report = match &args.batch.batch_report {
        Some(report) if report.is_object() || report.key.is_empty() => {
            return Err(
                Failure::usage(format!("--batch-report: {report} is not a prefix")).hint("end it in /")
            );
        }
        Some(report) if !has_bucket(report) => {
            return Err(Failure::usage(format!("--batch-report: {} is not a bucket", report.bucket))
                .hint("name the bucket itself"));
        }
        Some(report) => report.clone(),
        None => place.with_key(defaults::BATCH_REPORT_PREFIX),
    };
    let owner = owner.unwrap_or_else(|| role.account.clone());
    let only = only(&args.only)?;
    Ok(Job { role, place: place.clone(), beginning, end, only, key, bucket_key, owner, report })
}

/// Whether an address names a bucket, and not an access point of one.
fn has_bucket(place: &S3Uri) -> bool {
    !place.bucket.as_str().starts_with("arn:") && !place.bucket.is_access_point_alias()
}

/// Refuses the flags for what a job cannot do.
fn only_what_fits(args: &RotateArgs) -> Result<(), Failure> {
    let old = &args.old;
    let [_, client_side @ ..] = old.keys.are_given();
    let old_keys = client_side.iter().any(|(is_given, _)| *is_given)
        || !(old.from_kms_key.is_empty() && old.from_context.is_empty());
    let given = [
        (args.rewrap, "--rewrap"),
        (args.new_data_key, "--new-data-key"),
        (args.share_to.is_some(), "--share-to"),
        (args.version_id.is_some(), "--version-id"),
        (args.all_versions, "--all-versions"),
        (args.update_in_place, "--update-in-place"),
        (args.verify, "--verify"),
        (args.journal.is_some(), "--journal"),
        (!args.accept_loss.is_empty(), "--accept-loss"),
        (old_keys, "an old key"),
        (old.trust.require_bound_name, "--require-bound-name"),
    ];
    match given.iter().find(|(is_given, _)| *is_given) {
        Some((_, flag)) => Err(Failure::usage(format!("{flag} does not go with --batch")).hint(ITSELF)),
        None => Ok(()),
    }
}

fn cannot_become(choice: &Choice) -> Failure {
    let failure = Failure::usage(format!("S3 Batch Operations cannot change objects to {}", choice.mode()));
    if *choice != Choice::SseS3 {
        return failure.hint(ITSELF);
    }
    // Only a copy could. It resets ACL and storage class, and SSE-S3 is asked for in NewObjectMetadata, which takes the
    // place of an object's own metadata (S3CopyObjectOperation), client-side envelopes among them.
    failure
        .hint("a job would copy the objects and lose ACLs, storage classes, locks and maybe metadata")
        .hint(ITSELF)
}

/// The filter as a prefix and a suffix of keys: a job compares nothing else.
fn affixes(args: &RotateArgs, place: &S3Uri) -> Result<(String, Option<String>), Failure> {
    if args.filter.is_empty() {
        return Ok((String::new(), None));
    }
    match args.filter.clone().filter().affix() {
        Some(Affix::Prefix(beginning)) => Ok((beginning, None)),
        // S3 compares whole keys, s3seal what lies below the prefix.
        Some(Affix::Suffix(end)) if place.key.is_empty() || !end.contains('/') => {
            Ok((String::new(), Some(end)))
        }
        _ => Err(Failure::usage("a job takes one --include only, such as '*.sql' or '2026-*'").hint(ITSELF)),
    }
}

/// The current encryption of the objects to change; a job takes one.
fn only(chosen: &[Selector]) -> Result<Option<CurrentEncryption>, Failure> {
    let wrong = |what: &dyn std::fmt::Display| {
        Failure::usage(format!("--only {what}: a job takes one of sse-s3, sse-kms and kms:ARN")).hint(ITSELF)
    };
    match chosen {
        [] => Ok(None),
        [Selector::Mode(Mode::SseS3)] => Ok(Some(CurrentEncryption::SseS3)),
        [Selector::Mode(Mode::SseKms)] => Ok(Some(CurrentEncryption::SseKms)),
        [Selector::Kms(key)] => Ok(Some(CurrentEncryption::Key(key.clone()))),
        [other, ..] => Err(wrong(other)),
    }
}

/// The objects that the job selects.
fn selected(job: &Job) -> String {
    let under = match &job.only {
        None => String::new(),
        Some(CurrentEncryption::SseS3) => " encrypted with sse-s3".to_owned(),
        Some(CurrentEncryption::SseKms) => " encrypted with sse-kms".to_owned(),
        Some(CurrentEncryption::Key(key)) => format!(" encrypted under {key}"),
    };
    let end = job.end.as_ref().map_or_else(String::new, |end| format!("*{end}"));
    format!("objects of s3://{}/{}{end}{under}", job.place.bucket, job.prefix())
}

/// What the job will do and what not, in the order in which people ask.
fn describe(job: &Job) -> Vec<String> {
    let fails = if job.only.is_none() {
        "what fails: objects in dsse-kms or sse-c, unencrypted or locked ones; --only sse-s3 or kms:ARN skips them"
    } else {
        "what fails: objects that Object Lock holds"
    };
    let mut lines = vec![
        format!("a job: {} get the KMS key {}; no data moves", selected(job), job.key),
        "what stays: replicas, client-side encryption beneath, and older versions unless S3 lists them"
            .to_owned(),
        fails.to_owned(),
        format!("what failed is named below s3://{}/{}/", job.report.bucket, job.report_prefix()),
    ];
    if job.key.as_str().split(':').nth(4) != Some(&job.owner) {
        lines.push(
            "the key is not the bucket owner's: S3 refuses it unless AWS Support has allowed it".to_owned(),
        );
    }
    lines
}

/// The request in the shape that `aws s3control create-job --cli-input-json` takes.
fn request(job: &Job) -> Value {
    let mut filter = json!({});
    if !job.prefix().is_empty() {
        filter["KeyNameConstraint"]["MatchAnyPrefix"] = json!([job.prefix()]);
    }
    if let Some(end) = &job.end {
        filter["KeyNameConstraint"]["MatchAnySuffix"] = json!([end]);
    }
    if let Some(only) = &job.only {
        filter["MatchAnyObjectEncryption"] = json!([match only {
            CurrentEncryption::SseS3 => json!({ "SSES3": {} }),
            CurrentEncryption::SseKms => json!({ "SSEKMS": {} }),
            CurrentEncryption::Key(key) => json!({ "SSEKMS": { "KmsKeyArn": key.as_str() } }),
        }]);
    }
    json!({
        "AccountId": job.role.account,
        "ConfirmationRequired": false,
        "Operation": { "S3UpdateObjectEncryption": { "ObjectEncryption": { "SSEKMS": {
            "KMSKeyArn": job.key.as_str(),
            "BucketKeyEnabled": job.bucket_key,
        } } } },
        "ManifestGenerator": { "S3JobManifestGenerator": {
            "ExpectedBucketOwner": job.owner,
            "SourceBucket": job.arn_of(&job.place.bucket),
            "EnableManifestOutput": false,
            "Filter": filter,
        } },
        "Report": {
            "Enabled": true,
            "Bucket": job.arn_of(&job.report.bucket),
            "Prefix": job.report_prefix(),
            "Format": "Report_CSV_20180820",
            "ReportScope": "FailedTasksOnly",
            "ExpectedBucketOwner": job.owner,
        },
        "Description": job.description(),
        "Priority": PRIORITY,
        "RoleArn": job.role.arn,
    })
}

fn document(id: &str, job: &Job) -> Document {
    let created = document::rotation::Job {
        job_id: id.to_owned(),
        account_id: job.role.account.clone(),
        request: request(job),
    };
    Document::new(Command::Rotate, Record::Job(created))
}
