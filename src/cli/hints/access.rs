//! Hints for denied access: credentials, policies, KMS, a blocked mode.

use crate::cli::aws_flags::AwsFlags;
use crate::cli::document::Command;
use crate::cli::sanitize::shell_word;
use crate::error::{Denial, Subject};
use crate::location::{Bucket, S3Uri};

pub(super) fn denied(subject: &Subject, why: &Denial, aws: &AwsFlags) -> Vec<String> {
    match why {
        Denial::NoCredentials => vec![
            "`aws configure` or `aws sso login` sets them up; --profile NAME chooses among them".to_owned(),
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
        ],
        Denial::NoProfile { .. } => vec![
            "`aws configure list-profiles` shows those there are; `aws configure --profile NAME` makes one"
                .to_owned(),
        ],
        Denial::SsoLogin => {
            vec![format!("`aws sso login{}`, then run the same command again", profile(aws))]
        }
        Denial::Expired => vec![
            "`aws sso login`, or take new temporary credentials; then run the same command again".to_owned(),
        ],
        Denial::UnknownAccessKey => {
            vec![
                "check AWS_ACCESS_KEY_ID or --profile; for servers other than AWS --endpoint-url names that of S3, \
                 --kms-endpoint-url that of KMS"
                    .to_owned(),
            ]
        }
        Denial::Credentials => {
            vec![format!("`aws sts get-caller-identity{}` shows what is wrong with them", profile(aws))]
        }
        Denial::BadToken => vec![
            "check AWS_SESSION_TOKEN, or the profile's aws_session_token; an access key that does not expire has none"
                .to_owned(),
        ],
        Denial::BadSignature => vec![
            "check AWS_SECRET_ACCESS_KEY, or the profile's".to_owned(),
            "a proxy in front of the server must pass on the Host header as it is (nginx: proxy_set_header Host \
             $http_host)"
                .to_owned(),
        ],
        Denial::ClockSkew => {
            vec!["set the clock (`timedatectl set-ntp true`), then run the same command again".to_owned()]
        }
        Denial::SseCBlocked => sse_c_blocked(subject, aws),
        Denial::Kms { action, key } => kms_denied(action, key.as_deref()),
        Denial::Action { action } | Denial::Unexplained { action }
            if matches!(action.as_str(), "s3:CreateJob" | "iam:PassRole") =>
        {
            vec![
                "creating a job takes s3:CreateJob, and iam:PassRole on the role that it takes on".to_owned(),
            ]
        }
        Denial::Action { action } => {
            let allow = format!("a policy must allow {action} on {}", resource(subject, aws));
            [allow].into_iter().chain(of_alias(subject, aws)).collect()
        }
        Denial::Attribute { loss, action, .. } => {
            let enough = subject.bucket().filter(|_| *loss == "lock").map(|bucket| {
                let action = "s3:GetBucketObjectLockConfiguration";
                format!("if the bucket has no Object Lock, {action} on {} is enough", aws.bucket_arn(bucket))
            });
            [format!("a policy must allow {action} on {}", resource(subject, aws))]
                .into_iter()
                .chain(enough)
                .chain(of_alias(subject, aws))
                .chain([format!("or --accept-loss {loss} goes on without it")])
                .collect()
        }
        Denial::Unexplained { .. } => vec![
            "no reason was given: check s3:GetObject and s3:PutObject, the bucket's policy, and for KMS keys \
             kms:GenerateDataKey and kms:Decrypt"
                .to_owned(),
        ],
    }
}

/// The command that prints what a verb needs, or looks what is in its way, for who lacks a permission.
pub(super) fn doctor(verb: Command, subject: &Subject, why: &Denial, aws: &AwsFlags) -> Option<String> {
    let word = match verb {
        Command::Put => "put",
        Command::Get => "get",
        Command::Inspect => "inspect",
        Command::Rotate => "rotate",
        Command::Cleanup => "cleanup",
        Command::Keygen | Command::Doctor | Command::Generate => return None,
    };
    let folder = subject.uri().map_or("", S3Uri::folder);
    let place = format!("s3://{}/{folder}", subject.bucket()?);
    let (place, own) = (shell_word(&place), &aws.own);
    let is_policy = verb == Command::Cleanup || matches!(why, Denial::Action { .. });
    let mode = if verb == Command::Cleanup { "" } else { "; -e names the mode" };
    match why {
        // A policy for a rotation depends on what objects have and get.
        Denial::Action { .. } | Denial::Unexplained { .. } if is_policy && verb != Command::Rotate => {
            Some(format!(
                "`s3seal doctor {place} --policy {word}{own}` prints a policy with all that {word} needs{mode}"
            ))
        }
        Denial::Action { .. } | Denial::Unexplained { .. } => {
            Some(format!("`s3seal doctor {place} --for {word}{own}` looks what is in its way"))
        }
        _ => None,
    }
}

/// New buckets block SSE-C since April 2026 ("Default SSE-C setting for new buckets FAQ", Amazon S3 user guide).
fn sse_c_blocked(subject: &Subject, aws: &AwsFlags) -> Vec<String> {
    let bucket = subject.bucket().map_or("BUCKET", Bucket::as_str);
    vec![
        "another mode goes without a change: --key with the same key (client-side), -e sse-kms or -e sse-s3"
            .to_owned(),
        format!(
            "to allow SSE-C: aws s3api put-bucket-encryption --bucket {} \
             --server-side-encryption-configuration \
             '{{\"Rules\":[{{\"BlockedEncryptionTypes\":{{\"EncryptionType\":[\"NONE\"]}}}}]}}'{aws}",
            shell_word(bucket)
        ),
        "that command replaces the bucket's other encryption rules; see them with get-bucket-encryption"
            .to_owned(),
    ]
}

fn kms_denied(action: &str, key: Option<&str>) -> Vec<String> {
    let key = key.unwrap_or("the KMS key");
    let mut hints = vec![format!(
        "allow {action} on {key}: in your identity's policy and, across accounts, in the key's own policy"
    )];
    if action.contains("GenerateDataKey") || action.contains("Decrypt") {
        hints.push(
            "writing takes kms:GenerateDataKey, and in parts kms:Decrypt too; reading takes kms:Decrypt"
                .to_owned(),
        );
    }
    hints
}

/// The flag that names the profile in use.
fn profile(aws: &AwsFlags) -> String {
    aws.profile.as_ref().map_or_else(String::new, |name| format!(" --profile {}", shell_word(name)))
}

fn of_alias(subject: &Subject, aws: &AwsFlags) -> Option<String> {
    aws.of_alias(subject.bucket()?)
}

/// The resource as policies name it.
fn resource(subject: &Subject, aws: &AwsFlags) -> String {
    match subject {
        Subject::Object { uri, .. } | Subject::InstructionFile(uri) => aws.object_arn(uri),
        // Listing is a permission on the bucket.
        Subject::Bucket(bucket) => aws.bucket_arn(bucket),
        Subject::Prefix(uri) => aws.bucket_arn(&uri.bucket),
        other => other.to_string(),
    }
}
