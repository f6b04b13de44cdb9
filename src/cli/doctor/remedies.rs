//! The command, the policy statement or the advice that mends what a check has found.

use serde_json::json;

use crate::cli::aws_flags::AwsFlags;
use crate::cli::hints;
use crate::cli::sanitize::shell_word;
use crate::commands::doctor::{Check, Problem, Remedy, State};
use crate::commands::permissions::objects_of;
use crate::location::is_access_point;

/// All that mends it.
pub(super) fn of(check: &Check, aws: &AwsFlags) -> Vec<String> {
    let of_error = match &check.state {
        State::Failed(Problem::Error(error)) => hints::of(error, aws),
        _ => Vec::new(),
    };
    of_error.into_iter().chain(check.remedies.iter().flat_map(|remedy| worded(remedy, aws))).collect()
}

fn worded(remedy: &Remedy, aws: &AwsFlags) -> Vec<String> {
    let one = match remedy {
        Remedy::For(error) => return hints::of(error, aws),
        Remedy::Allow { action, resource: None } => format!("a policy must allow {action} on the key"),
        Remedy::Allow { action, resource: Some(resource) } => {
            let statement = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
            format!("a policy must allow it: {statement}")
        }
        Remedy::CleanUp(uri) if uri.is_object() => format!("remove it: {}", aws.cleanup(uri)),
        Remedy::CleanUp(uri) => {
            format!("`s3seal cleanup {} --dry-run{}` lists them", shell_word(&uri.to_string()), aws.own)
        }
        Remedy::AbortUploads(bucket) => {
            let rule = json!({ "ID": "abort-incomplete-uploads", "Status": "Enabled", "Filter": {},
                               "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } });
            let bucket = shell_word(bucket.as_str());
            return vec![
                format!("add this rule to its lifecycle configuration: {rule}"),
                format!(
                    "if it has none: aws s3api put-bucket-lifecycle-configuration --bucket {bucket} \
                     --lifecycle-configuration '{}'{aws}",
                    json!({ "Rules": [rule] })
                ),
            ];
        }
        Remedy::KeepVersions(bucket) => format!(
            "to keep versions: aws s3api put-bucket-versioning --bucket {} --versioning-configuration \
             Status=Enabled{aws}",
            shell_word(bucket.as_str())
        ),
        Remedy::DenyPlainHttp(arn) => {
            let statement = json!({ "Sid": "DenyPlainHttp", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                                    "Resource": [arn, format!("{}/*", objects_of(arn))],
                                    "Condition": { "Bool": { "aws:SecureTransport": "false" } } });
            let owner = if is_access_point(arn) { "access point" } else { "bucket" };
            format!("add this statement to the {owner}'s policy: {statement}")
        }
        Remedy::WriteTest => "--write-test tries it".to_owned(),
        Remedy::PrivateKey => "--for get with --private-key SOURCE decrypts it, too".to_owned(),
        Remedy::NameOwner => {
            "name the account that is meant to own the bucket: --expected-bucket-owner ACCOUNT, or \
             expected-bucket-owner in a rule"
                .to_owned()
        }
        Remedy::CheckOwner => {
            "check the name of the bucket, and the account that --expected-bucket-owner or a rule demands"
                .to_owned()
        }
        Remedy::SetClock => "set the clock: timedatectl set-ntp true".to_owned(),
        Remedy::Replica(arn) => format!("if it has a replica there: --kms-key {}", shell_word(arn)),
        Remedy::ViaService => "a policy may still allow it to S3 on your behalf (kms:ViaService)".to_owned(),
        Remedy::Inspect(uri) => {
            format!("s3seal inspect {}{} shows which key it names", shell_word(&uri.to_string()), aws.own)
        }
        Remedy::MoreMemory => {
            "give the process more memory, or use a key file: s3seal keygen FILE makes one".to_owned()
        }
        Remedy::Advice(advice) => advice.clone(),
    };
    vec![one]
}
