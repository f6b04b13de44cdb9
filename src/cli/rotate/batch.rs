//! `--batch`: the same as an S3 Batch Operations job, which S3 runs by itself; written down, not sent.
//!
//! A manifest that S3 generates chooses by prefix and by present encryption; what Batch Operations cannot do is refused
//! with what does it. The request is printed with the command that sends it: the control API is another service with
//! credentials and costs of its own.
//! Source: CreateJob in the Amazon S3 Control API reference.

use serde_json::{Value, json};

use super::Choice;
use crate::cli::failure::Failure;
use crate::cli::foreign::shell_word;
use crate::cli::output;
use crate::cli::session::Session;
use crate::encryption::{KmsKey, Mode};
use crate::location::S3Uri;

/// The flags of a batch job.
#[derive(clap::Args)]
#[command(next_help_heading = "Batch")]
pub struct BatchArgs {
    /// Print the S3 Batch Operations job that does it, instead of doing it
    #[arg(long, requires = "batch_role")]
    #[arg(conflicts_with_all = ["new_data_key", "share_to", "version_id", "all_versions", "update_in_place", "rewrap"])]
    batch: bool,

    /// The ARN of the role that the job takes on
    #[arg(long, value_name = "ARN", requires = "batch")]
    batch_role: Option<String>,

    /// Only objects that S3 encrypts so now: sse-s3, sse-kms or dsse-kms
    #[arg(long, value_name = "MODE", requires = "batch")]
    batch_only: Option<Mode>,
}

impl BatchArgs {
    /// Whether a job is wanted.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.batch
    }

    /// Prints the request as JSON, and the command that sends it.
    ///
    /// # Errors
    /// A usage failure for what Batch Operations cannot do; it says what does it.
    pub fn run(&self, places: &[S3Uri], choice: &Choice, session: &Session) -> Result<(), Failure> {
        let [place] = places else {
            return Err(Failure::usage("a job is for one prefix or bucket").hint("run once for each of them"));
        };
        let role = self.batch_role.as_deref().unwrap_or_default();
        let job = job(place, choice, self.batch_only, role)?;
        output::document(&serde_json::to_string_pretty(&job).unwrap_or_default())?;
        session.printer.say("nothing was sent: s3seal writes the job down, the AWS CLI creates it:");
        session.printer.say(&format!(
            "  aws s3control create-job --account-id {} --cli-input-json file://job.json",
            shell_word(job["AccountId"].as_str().unwrap_or_default())
        ));
        session.printer.say("it prints the job's id, by which `aws s3control describe-job` follows it");
        Ok(())
    }
}

/// Makes the request of CreateJob.
fn job(place: &S3Uri, choice: &Choice, only: Option<Mode>, role: &str) -> Result<Value, Failure> {
    let mut arn = role.splitn(6, ':');
    let (Some("arn"), Some(partition), Some("iam"), Some(_), Some(account)) =
        (arn.next(), arn.next(), arn.next(), arn.next(), arn.next())
    else {
        return Err(Failure::usage(format!("--batch-role: '{role}' is not the ARN of a role"))
            .hint("write arn:aws:iam::ACCOUNT:role/NAME"));
    };
    let bucket = format!("arn:{partition}:s3:::{}", place.bucket);
    let operation = operation(choice, &bucket)?;
    let mut filter = json!({});
    if !place.key.is_empty() {
        filter["KeyNameConstraint"] = json!({ "MatchAnyPrefix": [place.key] });
    }
    if let Some(only) = only {
        filter["MatchAnyObjectEncryption"] = json!([match only {
            Mode::SseS3 => json!({ "SSES3": {} }),
            Mode::SseKms => json!({ "SSEKMS": {} }),
            Mode::DsseKms => json!({ "DSSEKMS": {} }),
            Mode::SseC | Mode::Client => return Err(cannot(only)),
        }]);
    }
    Ok(json!({
        "AccountId": account,
        "ConfirmationRequired": true,
        "Operation": operation,
        "Report": { "Enabled": true, "Bucket": bucket, "Prefix": "s3seal-batch",
                    "Format": "Report_CSV_20180820", "ReportScope": "FailedTasksOnly" },
        "ManifestGenerator": { "S3JobManifestGenerator": {
            "ExpectedBucketOwner": account,
            "SourceBucket": bucket,
            "EnableManifestOutput": false,
            "Filter": filter,
        } },
        "Description": format!("rotate {place}"),
        "Priority": 10,
        "RoleArn": role,
    }))
}

fn operation(choice: &Choice, bucket: &str) -> Result<Value, Failure> {
    match choice {
        Choice::SseS3 => Ok(json!({ "S3PutObjectCopy": {
            "TargetResource": bucket,
            "MetadataDirective": "COPY",
            "NewObjectMetadata": { "SSEAlgorithm": "AES256" },
        } })),
        Choice::SseKms { context, .. } if !context.is_empty() => {
            Err(Failure::usage("a job of S3 Batch Operations takes no --context")
                .hint("leave out --batch: s3seal does it itself"))
        }
        Choice::SseKms { key: Some(key), bucket_key, .. } if is_arn(key) => {
            Ok(json!({ "S3UpdateObjectEncryption": { "ObjectEncryption": { "SSEKMS": {
                "KMSKeyArn": key.as_str(), "BucketKeyEnabled": bucket_key,
            } } } }))
        }
        Choice::SseKms { .. } => Err(Failure::usage("a job needs the KMS key's full ARN")
            .hint("--kms-key arn:aws:kms:REGION:ACCOUNT:key/ID; `aws kms describe-key` shows it")),
        choice => Err(cannot(choice.mode())),
    }
}

fn is_arn(key: &KmsKey) -> bool {
    key.as_str().starts_with("arn:") && key.as_str().contains(":key/")
}

fn cannot(mode: Mode) -> Failure {
    Failure::usage(format!("S3 Batch Operations cannot do {mode}"))
        .hint("leave out --batch: s3seal does it itself, object by object, and goes on after a stop")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::Context;

    const ROLE: &str = "arn:aws:iam::111122223333:role/batch";
    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";

    fn kms(key: &str) -> Choice {
        Choice::SseKms { key: Some(key.parse().unwrap()), context: Context::default(), bucket_key: true }
    }

    #[test]
    fn a_job_names_the_bucket_the_prefix_and_the_key() {
        let place = "s3://bkt/db/".parse().unwrap();
        let made = job(&place, &kms(KEY), Some(Mode::SseS3), ROLE).unwrap();
        assert_eq!(made["AccountId"], "111122223333");
        let encryption = &made["Operation"]["S3UpdateObjectEncryption"]["ObjectEncryption"]["SSEKMS"];
        assert_eq!(*encryption, json!({ "KMSKeyArn": KEY, "BucketKeyEnabled": true }));
        let generator = &made["ManifestGenerator"]["S3JobManifestGenerator"];
        assert_eq!(generator["SourceBucket"], "arn:aws:s3:::bkt");
        assert_eq!(generator["Filter"]["KeyNameConstraint"]["MatchAnyPrefix"][0], "db/");
        assert_eq!(generator["Filter"]["MatchAnyObjectEncryption"], json!([{ "SSES3": {} }]));
        let copy = job(&place, &Choice::SseS3, None, ROLE).unwrap();
        assert_eq!(copy["Operation"]["S3PutObjectCopy"]["NewObjectMetadata"]["SSEAlgorithm"], "AES256");
    }

    #[test]
    fn what_a_job_cannot_do_is_refused() {
        let place = "s3://bkt/".parse().unwrap();
        let dsse = Choice::DsseKms { key: None, context: Context::default() };
        assert!(job(&place, &dsse, None, ROLE).is_err());
        assert!(job(&place, &kms("alias/a"), None, ROLE).is_err());
        assert!(job(&place, &Choice::SseS3, Some(Mode::SseC), ROLE).is_err());
        assert!(job(&place, &Choice::SseS3, None, "batch").is_err());
    }
}
