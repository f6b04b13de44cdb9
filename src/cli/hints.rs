//! What to do about an error of the core: the flag to give, or the command to type.
//!
//! One hint or more for every remedy; facts about the error itself are in its own text.

use std::io::ErrorKind;

use super::aws_flags::AwsFlags;
use super::lost_envelope;
use super::sanitize::shell_word;
use crate::aws::open_uploads::OpenUpload;
use crate::error::{Denial, Error, KeyFault, KeyNeed, NetworkFault, WrapKind};
use crate::location::S3Uri;

/// Looks up hints; `aws` are the flags with which the AWS CLI reaches the same place.
#[must_use]
pub(crate) fn of(error: &Error, aws: &AwsFlags) -> Vec<String> {
    match error {
        Error::NotFound { what, .. } => not_found(what, aws),
        Error::Denied { what, why, .. } => denied(what, why, aws),
        Error::KeyNeeded { need, .. } => vec![needed(need)],
        Error::KeyWrong { what, why, .. } => wrong(what, why, aws),
        Error::Tampered { what, .. } if what.ends_with("of AWS KMS") => {
            vec![
                "nothing was written; check where KMS is: --kms-endpoint-url and AWS_ENDPOINT_URL_KMS"
                    .to_owned(),
            ]
        }
        Error::Tampered { .. } => {
            vec!["no file was written; an older version may still be whole: --version-id ID".to_owned()]
        }
        Error::NotUnderstood { .. } => vec![
            "check that --endpoint-url is the address of an S3 server, with no web page or proxy in front; -vv shows \
             each request"
                .to_owned(),
        ],
        Error::Garbled { .. } => vec![
            "run the same command again; if it fails again, a proxy on the way or this machine's memory changes \
             bytes"
                .to_owned(),
        ],
        Error::ProxyLimit { .. } => vec![
            "raise the limit of the proxy (nginx: client_max_body_size)".to_owned(),
            "or send smaller requests: --part-size 5MiB".to_owned(),
        ],
        Error::OtherName { .. } => vec![
            "it was copied, renamed or swapped; it opens only under the name that it was encrypted for".to_owned(),
        ],
        Error::NoBoundName { .. } => vec![
            "leave out --require-bound-name to take it as it is; --bind-name of put and rotate binds names".to_owned(),
        ],
        Error::NotAsAsked { stored: false, .. } => {
            vec!["nothing is stored: the upload was aborted; this server cannot do what was asked".to_owned()]
        }
        Error::NotAsAsked { what, got, version_id, .. } => {
            not_as_asked(what, got, version_id.as_deref(), aws)
        }
        Error::EnvelopeLost(lost) => lost_envelope::after_put(lost, aws),
        Error::SourceChanged { .. } => {
            vec!["nothing was stored; run the same command again when nobody writes to it".to_owned()]
        }
        Error::TargetExists { .. } => vec!["leave out --no-clobber to replace it".to_owned()],
        Error::Changed { what, .. } => changed(what, aws),
        Error::InUse { .. } => {
            vec!["wait until the other run ends, then run the same command again".to_owned()]
        }
        Error::WrongRegion { region, .. } => vec![match region {
            Some(name) => format!("add --region {}", shell_word(name)),
            None => "add --region with the bucket's region".to_owned(),
        }],
        Error::Network { why, .. } => network(*why),
        Error::Local { source, .. } => local(source.kind()),
        Error::NotAsExpected { .. } => {
            vec!["leave out -e to take it as it is, if that is what you expect".to_owned()]
        }
        Error::EmptySource { .. } => vec!["leave out --fail-if-empty to store an empty object".to_owned()],
        Error::OutOfRange { .. }
        | Error::Unsupported { .. }
        | Error::TooLarge { .. }
        | Error::CommandFailed { .. }
        | Error::Service { .. }
        | Error::Interrupted(_)
        | Error::ReaderLeft => Vec::new(),
    }
}

/// Names the uploads that are left at the end, each with the command that removes it.
#[must_use]
pub(crate) fn left_uploads(uploads: &[OpenUpload], aws: &AwsFlags) -> Vec<String> {
    let named = |OpenUpload { uri, id }: &OpenUpload| {
        let (bucket, key) = (shell_word(uri.bucket.as_str()), shell_word(&uri.key));
        match id {
            Some(id) => format!(
                "an upload of {uri} was not aborted, and its parts stay stored until it is: \
                 aws s3api abort-multipart-upload --bucket {bucket} --key {key} --upload-id {}{aws}",
                shell_word(id)
            ),
            None => format!(
                "an upload of {uri} may have been left behind: \
                 `aws s3api list-multipart-uploads --bucket {bucket} --prefix {key}{aws}` lists it"
            ),
        }
    };
    uploads.iter().map(named).collect()
}

fn not_found(what: &str, aws: &AwsFlags) -> Vec<String> {
    if let Some(bucket) = what.strip_prefix("the bucket ") {
        let make = format!("or make it: aws s3 mb {}{aws}", shell_word(&format!("s3://{bucket}")));
        return vec!["check its name, and --endpoint-url and --profile".to_owned(), make];
    }
    match what.parse::<S3Uri>() {
        Ok(uri) => {
            let folder = uri.key.rfind('/').map_or("", |slash| &uri.key[..=slash]);
            let place = format!("s3://{}/{folder}", uri.bucket);
            vec![format!("`aws s3 ls {}{aws}` lists what is there", shell_word(&place))]
        }
        Err(_) => Vec::new(),
    }
}

fn denied(what: &str, why: &Denial, aws: &AwsFlags) -> Vec<String> {
    match why {
        Denial::NoCredentials => vec![
            "`aws configure` or `aws sso login` sets them up; --profile NAME chooses among them".to_owned(),
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
        ],
        Denial::NoProfile { .. } => vec![
            "`aws configure list-profiles` shows those there are; `aws configure --profile NAME` makes one"
                .to_owned(),
        ],
        Denial::SsoLogin => vec![format!(
            "`aws sso login{}`, then run the same command again",
            aws.profile.as_ref().map_or_else(String::new, |name| format!(" --profile {}", shell_word(name)))
        )],
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
        Denial::Credentials => vec!["`aws sts get-caller-identity` shows what is wrong with them".to_owned()],
        Denial::BadSignature => vec![
            "check AWS_SECRET_ACCESS_KEY, or the profile's".to_owned(),
            "a proxy in front of the server must pass on the Host header as it is (nginx: proxy_set_header Host \
             $http_host)"
                .to_owned(),
        ],
        Denial::ClockSkew => {
            vec!["set the clock (`timedatectl set-ntp true`), then run the same command again".to_owned()]
        }
        Denial::SseCBlocked => sse_c_blocked(what, aws),
        Denial::Kms { action, key } => kms_denied(action, key.as_deref()),
        Denial::Action { action } | Denial::Unexplained { action }
            if matches!(action.as_str(), "s3:CreateJob" | "iam:PassRole") =>
        {
            vec![
                "creating a job takes s3:CreateJob, and iam:PassRole on the role that it takes on".to_owned(),
            ]
        }
        Denial::Action { action } => {
            vec![format!("a policy must allow {action} on {}", arn_of(what))]
        }
        Denial::Unexplained { .. } => vec![
            "no reason was given: check s3:GetObject and s3:PutObject, the bucket's policy, and for KMS keys \
             kms:GenerateDataKey and kms:Decrypt"
                .to_owned(),
        ],
    }
}

/// New buckets block SSE-C since April 2026 ("Default SSE-C setting for new buckets FAQ", Amazon S3 user guide).
fn sse_c_blocked(what: &str, aws: &AwsFlags) -> Vec<String> {
    let bucket = what.parse::<S3Uri>().map_or_else(|_| "BUCKET".to_owned(), |uri| uri.bucket.to_string());
    vec![
        "another mode goes without a change: --key with the same key (client-side), -e sse-kms or -e sse-s3"
            .to_owned(),
        format!(
            "to allow SSE-C: aws s3api put-bucket-encryption --bucket {} \
             --server-side-encryption-configuration \
             '{{\"Rules\":[{{\"BlockedEncryptionTypes\":{{\"EncryptionType\":[\"NONE\"]}}}}]}}'{aws}",
            shell_word(&bucket)
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

fn needed(need: &KeyNeed) -> String {
    match need {
        KeyNeed::Customer => "pass the key it was stored with: --sse-c-key SOURCE".to_owned(),
        KeyNeed::Wrapping { kind, fingerprint } => {
            let named = match fingerprint {
                Some(print) => format!(" (fingerprint {print})"),
                None => String::new(),
            };
            match kind {
                WrapKind::Aes => format!("pass the AES key{named}: --key SOURCE"),
                WrapKind::Rsa => format!("pass the RSA private key{named}: --private-key SOURCE"),
                WrapKind::Kms => {
                    "name the KMS key it was sealed with, for it does not choose by itself: --kms-key KEY"
                        .to_owned()
                }
                WrapKind::Passphrase => {
                    "pass the passphrase: --passphrase, or --passphrase SOURCE".to_owned()
                }
            }
        }
    }
}

fn wrong(what: &str, why: &KeyFault, aws: &AwsFlags) -> Vec<String> {
    match why {
        KeyFault::NotTheCustomerKey => {
            vec!["pass the key it was stored with: --sse-c-key SOURCE (repeat it to try several)".to_owned()]
        }
        KeyFault::NoneFits { .. } => {
            vec!["add the key it was encrypted with: another --key, --sse-c-key, --private-key or --passphrase SOURCE".to_owned()]
        }
        KeyFault::DoesNotUnwrap { fingerprint: Some(print) } => vec![
            format!("pass the key with fingerprint {print}: --key or --private-key SOURCE"),
            "a key file of 32 raw bytes shows its fingerprint as the first 16 digits of `sha256sum`"
                .to_owned(),
        ],
        KeyFault::DoesNotUnwrap { fingerprint: None } => vec![
            "pass the right key: --key, --private-key or --passphrase SOURCE, or --kms-key KEY (repeat it to try several)"
                .to_owned(),
        ],
        KeyFault::DoesNotUnwrapWithOaep => vec![
            "pass the right key: --private-key SOURCE (repeat it to try several)".to_owned(),
            "--allow-legacy unauthenticated tries RSA PKCS #1 v1.5 too".to_owned(),
        ],
        KeyFault::NotApplicable { .. } => vec![format!("{what} opens without it: leave out the key")],
        KeyFault::KmsDisabled { key } => {
            vec![format!("`aws kms enable-key --key-id {}{}` enables it", shell_word(key), aws.kms)]
        }
        KeyFault::KmsPendingDeletion { key } => {
            let (key, aws) = (shell_word(key), &aws.kms);
            vec![
                format!("`aws kms cancel-key-deletion --key-id {key}{aws}` keeps it"),
                format!("`aws kms enable-key --key-id {key}{aws}` then enables it"),
            ]
        }
        KeyFault::KmsUnknown { .. } => vec![
            "check --kms-key and --region: the key must be in the bucket's region".to_owned(),
            "an id or alias/NAME is looked up in your own account; name another account's key by its ARN"
                .to_owned(),
        ],
        KeyFault::CostlyPassphrase { asked, .. } => vec![format!(
            "if you trust who stored it and this machine has the memory: --max-kdf-memory {}MiB",
            asked.div_ceil(1 << 20)
        )],
        KeyFault::KmsAccount { key } => {
            vec![format!("add --kms-account {} if you trust that account", key.account())]
        }
        KeyFault::Context => vec!["give the pairs it was sealed with: --context KEY=VALUE".to_owned()],
    }
}

fn not_as_asked(what: &str, got: &str, version_id: Option<&str>, aws: &AwsFlags) -> Vec<String> {
    let mut hints = vec![format!("{what} is stored now, as {got}: the server did not do what was asked")];
    hints.extend(aws.removal(what, version_id).map(|command| format!("remove it: {command}")));
    hints
}

fn changed(what: &str, aws: &AwsFlags) -> Vec<String> {
    let mut hints =
        vec!["somebody wrote it meanwhile; run the same command again for the new one".to_owned()];
    if let Ok(uri) = what.parse::<S3Uri>() {
        hints.push(format!(
            "`aws s3api head-object --bucket {} --key {}{aws}` shows its ETag, for --if-match",
            shell_word(uri.bucket.as_str()),
            shell_word(&uri.key)
        ));
    }
    hints
}

fn network(why: NetworkFault) -> Vec<String> {
    let first = match why {
        NetworkFault::Connect => Some("check --endpoint-url and --region, and that this machine is online"),
        NetworkFault::Tls => Some("--ca-bundle FILE or AWS_CA_BUNDLE names the certificates to trust"),
        NetworkFault::CertificateTime => {
            Some("check this machine's clock (`date -u`); if it is right, the server needs a new certificate")
        }
        NetworkFault::NotTls => Some(
            "check the port in --endpoint-url; for a server without TLS write http:// in place of https://",
        ),
        NetworkFault::Timeout => Some("--read-timeout and --connect-timeout give it longer"),
        NetworkFault::Throttled => Some("--jobs 2 asks for less at once"),
        NetworkFault::Broken | NetworkFault::Unavailable => None,
    };
    let again = (!matches!(why, NetworkFault::Tls | NetworkFault::CertificateTime | NetworkFault::NotTls))
        .then_some("run the same command again");
    [first, again].into_iter().flatten().map(str::to_owned).collect()
}

fn local(kind: ErrorKind) -> Vec<String> {
    let hint = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, or write to another place",
        ErrorKind::ReadOnlyFilesystem => "write to another place",
        ErrorKind::PermissionDenied => "check who may read and write there",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

/// The resource as policies name it.
fn arn_of(what: &str) -> String {
    match what.parse::<S3Uri>() {
        Ok(uri) if uri.key.is_empty() => format!("arn:aws:s3:::{}", uri.bucket),
        Ok(uri) => format!("arn:aws:s3:::{}/{}", uri.bucket, uri.key),
        Err(_) => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::KeyArn;

    const ARN: &str = "arn:aws:kms:eu-west-1:999988887777:key/1234abcd";

    fn aws() -> AwsFlags {
        AwsFlags::in_region("eu-west-1")
    }

    fn all(error: &Error) -> String {
        of(error, &aws()).join("\n")
    }

    fn denial(why: Denial) -> Error {
        Error::Denied { what: "s3://bkt/a b".to_owned(), why, source: None }
    }

    fn wrong(why: KeyFault) -> Error {
        Error::KeyWrong { what: "s3://bkt/a b".to_owned(), why, source: None }
    }

    fn kms(action: &str) -> Error {
        denial(Denial::Kms { action: action.to_owned(), key: Some("arn:aws:kms:x".to_owned()) })
    }

    /// What S3 and KMS answer when encryption goes wrong, and what each hint must name.
    #[test]
    fn every_refusal_has_a_hint_of_its_own() {
        let what = || "s3://bkt/a b".to_owned();
        let key = || "arn:aws:kms:x".to_owned();
        let cases = [
            (wrong(KeyFault::NotTheCustomerKey), "--sse-c-key SOURCE"),
            (Error::KeyNeeded { what: what(), need: KeyNeed::Customer }, "--sse-c-key SOURCE"),
            (wrong(KeyFault::NotApplicable { found: "SSE-S3".to_owned() }), "leave out the key"),
            (denial(Denial::SseCBlocked), "\"EncryptionType\":[\"NONE\"]"),
            (kms("kms:GenerateDataKey"), "allow kms:GenerateDataKey on arn:aws:kms:x"),
            (kms("kms:Decrypt"), "in parts kms:Decrypt too"),
            (
                wrong(KeyFault::KmsDisabled { key: key() }),
                "aws kms enable-key --key-id arn:aws:kms:x --region",
            ),
            (wrong(KeyFault::KmsPendingDeletion { key: key() }), "aws kms cancel-key-deletion --key-id"),
            (wrong(KeyFault::KmsUnknown { key: key() }), "check --kms-key and --region"),
            (wrong(KeyFault::DoesNotUnwrapWithOaep), "--allow-legacy unauthenticated"),
            (
                wrong(KeyFault::CostlyPassphrase { asked: (300 << 20) + 1024, allowed: 1 << 28 }),
                "--max-kdf-memory 301MiB",
            ),
            (
                wrong(KeyFault::KmsAccount { key: KeyArn::parse(ARN).unwrap() }),
                "--kms-account 999988887777 if you trust",
            ),
            (wrong(KeyFault::Context), "--context KEY=VALUE"),
            (
                Error::WrongRegion { what: what(), region: Some("eu-west-3".to_owned()), source: None },
                "--region eu-west-3",
            ),
            (denial(Denial::ClockSkew), "timedatectl"),
            (denial(Denial::NoCredentials), "aws sso login"),
            (denial(Denial::SsoLogin), "`aws sso login`, then"),
            (denial(Denial::NoProfile { files: "~/.aws/config".to_owned() }), "aws configure list-profiles"),
            (Error::tampered("the answer of AWS KMS", "it lies"), "--kms-endpoint-url"),
            (
                Error::NotFound { what: "the bucket bkt".to_owned(), source: None },
                "aws s3 mb s3://bkt --region",
            ),
            (Error::NotFound { what: what(), source: None }, "aws s3 ls s3://bkt/ --region"),
            (denial(Denial::Unexplained { action: "s3:CreateJob".to_owned() }), "iam:PassRole on the role"),
            (
                denial(Denial::Action { action: "s3:GetObject".to_owned() }),
                "s3:GetObject on arn:aws:s3:::bkt/a b",
            ),
        ];
        for (error, named) in &cases {
            assert!(all(error).contains(named), "{error}: {}", all(error));
        }
        let mut hints: Vec<String> = cases.iter().map(|(error, _)| all(error)).collect();
        hints.sort();
        hints.dedup();
        assert_eq!(hints.len(), cases.len(), "two refusals share their hint");
    }

    #[test]
    fn an_object_that_is_not_as_asked_can_be_removed_by_the_command_given() {
        let error = |stored, version: Option<&str>| Error::NotAsAsked {
            what: "s3://bkt/a b".to_owned(),
            asked: "SSE-KMS".to_owned(),
            got: "SSE-S3".to_owned(),
            stored,
            version_id: version.map(str::to_owned),
        };
        assert_eq!(
            of(&error(true, Some("v1")), &aws())[1],
            "remove it: aws s3api delete-object --bucket bkt --key 'a b' --version-id v1 --region eu-west-1"
        );
        assert!(all(&error(false, None)).contains("nothing is stored"));
    }
}
