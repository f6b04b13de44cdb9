//! Hints for errors of the core: the flag to add, or the command to type.
//!
//! Matches on error types, never on their text. Facts about an error belong in its own message.

use std::io::ErrorKind;

use super::aws_flags::AwsFlags;
use super::document::Command;
use super::lost_envelope;
use super::remedies;
use super::sanitize::shell_word;
use crate::aws::open_uploads::{KeptDownload, OpenUpload, ReplacedInstructionFile};
use crate::error::{Aspect, Error, NetworkFault, Subject, Unsupported};
use crate::location::S3Uri;
use crate::pattern::literal_prefix;

mod access;
mod keys;

/// Looks up hints; `aws` are the flags with which the AWS CLI reaches the same place.
pub(crate) fn of(error: &Error, aws: &AwsFlags) -> Vec<String> {
    match error {
        Error::NotFound { subject, .. } => not_found(subject, aws),
        Error::Denied { subject, why, .. } => access::denied(subject, why, aws),
        Error::KeyNeeded { .. } | Error::KeyWrong { .. } => for_keys(error, "--", aws),
        Error::Tampered { subject: Subject::Kms, .. } => {
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
        Error::AlteredInTransit { .. } => vec![
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
        Error::NotAsAsked { subject, aspect, got, version_id, .. } => {
            not_as_asked(subject, *aspect, got, version_id.as_deref(), aws)
        }
        Error::EnvelopeLost(lost) => lost_envelope::after_put(lost, aws),
        Error::SourceChanged { .. } => {
            vec!["nothing was stored; run the same command again when nobody writes to it".to_owned()]
        }
        Error::TargetExists { .. } => vec!["leave out --no-clobber to replace it".to_owned()],
        Error::Changed { subject, .. } => changed(subject, aws),
        Error::InUse { .. } => {
            vec!["wait until the other run ends, then run the same command again".to_owned()]
        }
        Error::WrongRegion { region, .. } => vec![match region {
            Some(name) => format!("add --region {}", shell_word(name)),
            None => "add --region with the bucket's region".to_owned(),
        }],
        Error::Network { subject, why, .. } => network(subject, *why),
        Error::Local { source, .. } => local(source.kind()),
        Error::NotAsExpected { .. } => {
            vec!["leave out -e to take it as it is, if that is what you expect".to_owned()]
        }
        Error::BreaksRule { .. } => vec![
            "use the encryption that is demanded, or set the rule aside with --override-rules, which the outcome says"
                .to_owned(),
        ],
        Error::DeletesTooMuch { deletes, .. } => vec![format!("--max-delete {deletes} allows it")],
        Error::EmptySource { .. } => vec!["leave out --fail-if-empty to store an empty object".to_owned()],
        Error::Unsupported { subject: Subject::StandardOutput, .. } => {
            vec!["name a file, or write it anyway with --force".to_owned()]
        }
        Error::NoneMatch { found: 1.., .. } => vec![
            "patterns are compared with the whole name below the directory or prefix; the last one that matches decides"
                .to_owned(),
        ],
        Error::Unsupported { subject: Subject::Bucket(bucket), why: Unsupported::NoObjectLock } => {
            no_object_lock(&shell_word(bucket.as_str()), aws)
        }
        Error::Unsupported { .. } | Error::TooLarge { .. } => remedies::of(error).into_iter().collect(),
        Error::NoneMatch { .. }
        | Error::OutOfRange { .. }
        | Error::CommandFailed { .. }
        | Error::Service { .. }
        | Error::Interrupted(_)
        | Error::ReaderLeft => Vec::new(),
    }
}

/// For an error about a permission, the command that says what a verb needs.
pub(crate) fn doctor(verb: Command, error: &Error, aws: &AwsFlags) -> Option<String> {
    match error {
        Error::Denied { subject, why, .. } => access::doctor(verb, subject, why, aws),
        _ => None,
    }
}

/// Looks up hints about keys for opening, whose flags begin with `prefix`; none for other errors.
pub(crate) fn for_keys(error: &Error, prefix: &str, aws: &AwsFlags) -> Vec<String> {
    match error {
        Error::KeyNeeded { need, .. } => keys::needed(need, prefix),
        Error::KeyWrong { subject, why, .. } => keys::wrong(subject, why, prefix, aws),
        _ => Vec::new(),
    }
}

/// Names the uploads that are left at the end, each with the command that aborts it.
pub(crate) fn left_uploads(uploads: &[OpenUpload], aws: &AwsFlags) -> Vec<String> {
    let named = |OpenUpload { uri, id, is_kept }: &OpenUpload| {
        let command = aws.cleanup(uri);
        match id {
            Some(_) if *is_kept => format!(
                "the parts of {uri} that were sent are kept: run the same command again to go on, or remove them: {command}"
            ),
            Some(id) => format!(
                "an upload of {uri} (id {id}) was not aborted, and its parts stay stored until it is: {command}"
            ),
            None => format!("an upload of {uri} may have been left behind: `{command}` finds and aborts it"),
        }
    };
    uploads.iter().map(named).collect()
}

/// Says which objects cannot be opened any more because their instruction file was replaced, and how it is written again.
pub(crate) fn replaced_instruction_files(files: &[ReplacedInstructionFile], aws: &AwsFlags) -> Vec<String> {
    let named = |ReplacedInstructionFile { uri, content }: &ReplacedInstructionFile| {
        let (content, file) = (shell_word(content), uri.to_string());
        format!(
            "{file} was replaced, but not its object, which cannot be opened until the same command succeeds, or: printf %s {content} | aws s3 cp - {}{aws}",
            shell_word(&file)
        )
    };
    files.iter().map(named).collect()
}

/// Names the temporary files of downloads that are kept.
pub(crate) fn kept_downloads(downloads: &[KeptDownload]) -> Vec<String> {
    let named = |KeptDownload { uri, path }: &KeptDownload| {
        let path = shell_word(&path.to_string_lossy()).into_owned();
        format!(
            "what was fetched of {uri} is kept: run the same command again to go on, or remove it: rm {path}"
        )
    };
    downloads.iter().map(named).collect()
}

fn not_found(subject: &Subject, aws: &AwsFlags) -> Vec<String> {
    match subject {
        Subject::Bucket(bucket) => {
            let make = format!("or make it: aws s3 mb {}{aws}", shell_word(&format!("s3://{bucket}")));
            vec!["check its name, and --endpoint-url and --profile".to_owned(), make]
        }
        Subject::Object { uri, version_id: Some(_) } => {
            let (bucket, key) = (shell_word(uri.bucket.as_str()), shell_word(&uri.key));
            vec![format!(
                "`aws s3api list-object-versions --bucket {bucket} --prefix {key}{aws}` lists its versions"
            )]
        }
        Subject::Pattern(uri) => vec![list(&uri.with_key(literal_prefix(&uri.key)), aws)],
        Subject::Upload(_) => {
            let who = "a cleanup, or a lifecycle rule of the bucket";
            vec![format!("it may have been {who}; run the same command again to store it")]
        }
        Subject::Object { uri, .. } | Subject::Prefix(uri) | Subject::InstructionFile(uri) => {
            vec![list(uri, aws)]
        }
        _ => Vec::new(),
    }
}

fn list(uri: &S3Uri, aws: &AwsFlags) -> String {
    let folder = format!("s3://{}/{}", uri.bucket, uri.folder());
    format!("`aws s3 ls {}{aws}` lists what is there", shell_word(&folder))
}

fn not_as_asked(
    subject: &Subject,
    aspect: Aspect,
    got: &str,
    version_id: Option<&str>,
    aws: &AwsFlags,
) -> Vec<String> {
    let with = match aspect {
        Aspect::Encryption => "as",
        Aspect::Lock => "with",
    };
    let stored = format!("{subject} is stored now, {with} {got}: the server did not do what was asked");
    let removal = subject.uri().map(|uri| aws.removal(uri, version_id));
    [stored].into_iter().chain(removal.map(|command| format!("remove it: {command}"))).collect()
}

fn no_object_lock(bucket: &str, aws: &AwsFlags) -> Vec<String> {
    vec![
        format!(
            "enable it: aws s3api put-object-lock-configuration --bucket {bucket} \
             --object-lock-configuration ObjectLockEnabled=Enabled{aws}"
        ),
        format!(
            "it needs versions: aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration \
             Status=Enabled{aws}"
        ),
    ]
}

fn changed(subject: &Subject, aws: &AwsFlags) -> Vec<String> {
    let Subject::Object { uri, version_id } = subject else {
        return vec![WRITTEN_MEANWHILE.to_owned()];
    };
    let head = format!(
        "`aws s3api head-object{}{aws}` shows its ETag, for --if-match",
        AwsFlags::object(uri, version_id.as_deref())
    );
    match version_id {
        // A version never changes.
        Some(_) => vec![head],
        None => vec![WRITTEN_MEANWHILE.to_owned(), head],
    }
}

/// The hint for an ETag that was typed and is not the object's: the same command would fail again.
pub(crate) fn of_typed_etag(error: &Error, _aws: &AwsFlags) -> Option<Vec<String>> {
    let Error::Changed { subject: Subject::Object { uri, version_id: None }, .. } = error else {
        return None;
    };
    let place = uri.to_string();
    Some(vec![format!(
        "`s3seal inspect {}` shows the ETag that it has now, for --if-match",
        shell_word(&place)
    )])
}

const WRITTEN_MEANWHILE: &str = "somebody wrote it meanwhile; run the same command again for the new one";

fn network(subject: &Subject, why: NetworkFault) -> Vec<String> {
    let first = match why {
        NetworkFault::Connect if matches!(subject, Subject::Kms | Subject::KmsKey(_)) => Some(
            "check --kms-endpoint-url, AWS_ENDPOINT_URL_KMS and --region, and that this machine is online",
        ),
        NetworkFault::Connect => Some("check --endpoint-url and --region, and that this machine is online"),
        NetworkFault::Tls => Some("--ca-bundle FILE or AWS_CA_BUNDLE names the certificates to trust"),
        NetworkFault::NoCaCertificates => Some(
            "install your system's CA certificates (the package ca-certificates), or name them with --ca-bundle FILE",
        ),
        NetworkFault::CertificateTime => {
            Some("check this machine's clock (`date -u`); if it is right, the server needs a new certificate")
        }
        NetworkFault::TlsParameters => Some(
            "TLS 1.2 with AES-GCM, or newer, is needed; with --require-pq a post-quantum key exchange, too",
        ),
        NetworkFault::NotTls => Some(
            "check the port in --endpoint-url; for a server without TLS write http:// in place of https://",
        ),
        NetworkFault::Timeout => Some("--read-timeout and --connect-timeout give it longer"),
        NetworkFault::Throttled => Some("--jobs 2 asks for less at once"),
        NetworkFault::Broken | NetworkFault::Unavailable => None,
    };
    let again = (!why.is_about_trust()).then_some("run the same command again");
    [first, again].into_iter().flatten().map(str::to_owned).collect()
}

fn local(kind: ErrorKind) -> Vec<String> {
    let hint = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room, or write to another place",
        ErrorKind::FileTooLarge => "the file system or `ulimit -f` allows no larger file",
        ErrorKind::ReadOnlyFilesystem => "write to another place",
        ErrorKind::PermissionDenied => "check who may read and write there",
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encryption::KeyArn;
    use crate::error::{Denial, KeyFault, KeyNeed};

    const ARN: &str = "arn:aws:kms:eu-west-1:999988887777:key/1234abcd";

    fn object() -> Subject {
        (&"s3://bkt/a b".parse::<S3Uri>().unwrap()).into()
    }

    fn aws() -> AwsFlags {
        AwsFlags::in_region("eu-west-1")
    }

    fn all(error: &Error) -> String {
        of(error, &aws()).join("\n")
    }

    fn denial(why: Denial) -> Error {
        Error::Denied { subject: object(), why, source: None }
    }

    fn wrong(why: KeyFault) -> Error {
        Error::KeyWrong { subject: object(), why, source: None }
    }

    fn kms(action: &str) -> Error {
        denial(Denial::Kms { action: action.to_owned(), key: Some("arn:aws:kms:x".to_owned()) })
    }

    /// What S3 and KMS answer when encryption goes wrong, and what each hint must name.
    #[test]
    fn every_refusal_has_a_hint_of_its_own() {
        let key = || "arn:aws:kms:x".to_owned();
        let cases = [
            (wrong(KeyFault::NotTheCustomerKey), "--sse-c-key SOURCE"),
            (Error::KeyNeeded { subject: object(), need: KeyNeed::Customer }, "--sse-c-key SOURCE"),
            (wrong(KeyFault::NotApplicable { found: "SSE-S3".to_owned() }), "leave out the key"),
            (denial(Denial::SseCBlocked), "\"EncryptionType\":[\"NONE\"]"),
            (kms("kms:GenerateDataKey"), "allow kms:GenerateDataKey on arn:aws:kms:x"),
            (kms("kms:Decrypt"), "in parts kms:Decrypt too"),
            (
                wrong(KeyFault::KmsDisabled { key: key() }),
                "aws kms enable-key --key-id arn:aws:kms:x --region",
            ),
            (wrong(KeyFault::KmsPendingDeletion { key: key() }), "aws kms cancel-key-deletion --key-id"),
            (wrong(KeyFault::KmsPendingImport { key: key() }), "aws kms get-parameters-for-import --key-id"),
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
                Error::WrongRegion {
                    subject: object(),
                    region: Some("eu-west-3".to_owned()),
                    asked: None,
                    source: None,
                },
                "--region eu-west-3",
            ),
            (denial(Denial::ClockSkew), "timedatectl"),
            (denial(Denial::NoCredentials), "aws sso login"),
            (denial(Denial::SsoLogin), "`aws sso login`, then"),
            (denial(Denial::NoProfile { files: "~/.aws/config".to_owned() }), "aws configure list-profiles"),
            (Error::tampered(Subject::Kms, "it lies"), "--kms-endpoint-url"),
            (
                Error::NotFound { subject: Subject::Bucket("bkt".parse().unwrap()), source: None },
                "aws s3 mb s3://bkt --region",
            ),
            (Error::NotFound { subject: object(), source: None }, "aws s3 ls s3://bkt/ --region"),
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
            subject: object(),
            aspect: Aspect::Encryption,
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

    #[test]
    fn a_command_for_a_version_names_it() {
        let subject = || Subject::version(&"s3://bkt/a b".parse().unwrap(), Some("v/1"));
        assert_eq!(
            of(&Error::Changed { subject: subject(), source: None }, &aws()),
            [
                "`aws s3api head-object --bucket bkt --key 'a b' --version-id v/1 --region eu-west-1` shows its ETag, for \
              --if-match"
            ]
        );
        assert_eq!(
            of(&Error::NotFound { subject: subject(), source: None }, &aws()),
            [
                "`aws s3api list-object-versions --bucket bkt --prefix 'a b' --region eu-west-1` lists its versions"
            ]
        );
        let why = Denial::Action { action: "s3:GetObjectVersion".to_owned() };
        let denied = Error::Denied { subject: subject(), why, source: None };
        assert_eq!(of(&denied, &aws()), ["a policy must allow s3:GetObjectVersion on arn:aws:s3:::bkt/a b"]);
    }

    #[test]
    fn listing_is_a_permission_on_the_bucket() {
        let why = Denial::Action { action: "s3:ListBucket".to_owned() };
        let subject = Subject::prefix(&"s3://bkt/p/".parse().unwrap());
        let denied = Error::Denied { subject, why, source: None };
        assert_eq!(of(&denied, &aws()), ["a policy must allow s3:ListBucket on arn:aws:s3:::bkt"]);
        let in_china = AwsFlags::in_region("cn-north-1");
        assert_eq!(of(&denied, &in_china), ["a policy must allow s3:ListBucket on arn:aws-cn:s3:::bkt"]);
    }

    #[test]
    fn of_an_access_point_that_is_named_by_its_alias_the_hint_says_how_its_arn_is_found() {
        let subject = || (&"s3://p-abcdefghijk-s3alias/a".parse::<S3Uri>().unwrap()).into();
        let action = || Denial::Action { action: "s3:PutObject".to_owned() };
        let denied = Error::Denied { subject: subject(), why: action(), source: None };
        let form =
            "a policy must allow s3:PutObject on arn:aws:s3:eu-west-1:ACCOUNT:accesspoint/NAME/object/a";
        let arn = "policies name an access point by its ARN, not by its alias: `aws s3control list-access-points \
                   --account-id ACCOUNT --query \"AccessPointList[?Alias=='p-abcdefghijk-s3alias'].AccessPointArn\" \
                   --output text --region eu-west-1` prints it";
        assert_eq!(of(&denied, &aws()), [form, arn]);
    }
}
