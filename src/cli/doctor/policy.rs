//! `s3seal doctor --policy`: prints the least policy for a verb at a place. Nobody is asked, and no key is read.

use std::env;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::aws::Options;
use crate::aws::batch::Role;
use crate::cli::aws_flags::AwsFlags;
use crate::cli::doctor::from_args::FromArgs;
use crate::cli::encryption_args::{EncryptionArgs, Wanted};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::sanitize::shell_word;
use crate::cli::session::Session;
use crate::commands::permissions::{self, Extra, Places, Protection, Rotation, Scope, Task};
use crate::encryption::{KeyArn, KmsKey};
use crate::location::{S3Uri, is_access_point};

mod notes;

/// What the policy is for.
#[derive(clap::Args)]
#[command(next_help_heading = "Policy")]
pub(super) struct PolicyArgs {
    /// Check nothing, but print the least IAM policy for this verb, place and mode; without network and credentials
    #[arg(long, value_name = "VERB", conflicts_with_all = ["verb", "write_test"])]
    policy: Option<PolicyVerb>,

    /// A case that the policy covers too; repeatable, or with commas
    #[arg(long = "with", value_name = "CASE", requires = "policy", value_delimiter = ',', value_parser = cases())]
    cases: Vec<Extra>,

    /// The role that a batch job takes on
    #[arg(long, value_name = "ARN", requires = "policy")]
    batch_role: Option<Role>,

    /// Print the KMS key's policy, which lets this user or role do it, in place of the IAM policy
    #[arg(long, value_name = "ARN", requires = "policy")]
    key_policy_for: Option<Principal>,
}

/// The verb that a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PolicyVerb {
    /// Store objects
    Put,
    /// Fetch objects
    Get,
    /// Show how objects are encrypted
    Inspect,
    /// Change the encryption of objects
    Rotate,
    /// Create a job of S3 Batch Operations (rotate --batch)
    Batch,
    /// Remove what broken runs left
    Cleanup,
}

impl PolicyVerb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Inspect => "inspect",
            Self::Rotate => "rotate",
            Self::Batch => "batch",
            Self::Cleanup => "cleanup",
        }
    }
}

/// The words of `--with`.
fn cases() -> impl TypedValueParser<Value = Extra> {
    let values = Extra::CHOSEN.map(|extra| PossibleValue::new(extra.as_str()).help(when(extra)));
    PossibleValuesParser::new(values).try_map(|word| {
        let mut all = Extra::CHOSEN.into_iter();
        all.find(|extra| extra.as_str() == word).ok_or("not a case")
    })
}

/// When a case is needed.
fn when(extra: Extra) -> &'static str {
    match extra {
        Extra::Parts => "objects that are sent or copied in parts",
        Extra::CompositeChecksum => "comparing the checksums of parts",
        Extra::Tags => "objects with tags",
        Extra::Acl => "objects with an ACL",
        Extra::Lock => "Object Lock: retention and legal hold",
        Extra::InstructionFile => "envelopes in instruction files",
        Extra::AtRest => "ciphertext under a KMS key at rest",
        Extra::Recursive => "everything under a prefix",
        Extra::Update => "put --update",
        Extra::Delete => "put --delete",
        Extra::Version => "--version-id",
        Extra::AllVersions => "--all-versions",
        Extra::VersionedBucket => "buckets that keep versions",
        Extra::ScratchObject => "rotate --update-in-place on servers other than AWS",
        Extra::Alias => "a KMS key that is named by its alias",
    }
}

/// A user or a role, by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Principal(String);

impl FromStr for Principal {
    type Err = &'static str;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "iam", "", account, name]
                if account.len() == 12
                    && account.bytes().all(|digit| digit.is_ascii_digit())
                    && (name.starts_with("role/") || name.starts_with("user/")) =>
            {
                Ok(Self(arn.to_owned()))
            }
            ["arn", _, "sts", ..] => {
                Err("a session has the policies of its role: arn:aws:iam::ACCOUNT:role/NAME")
            }
            _ => Err("write the ARN of a user or a role: arn:aws:iam::ACCOUNT:role/NAME"),
        }
    }
}

/// A policy that was asked for.
struct PolicyRequest<'a> {
    verb: PolicyVerb,
    place: &'a S3Uri,
    args: &'a PolicyArgs,
    from: &'a FromArgs,
    wanted: Wanted<'a>,
    options: &'a Options,
    aws: AwsFlags,
}

/// Prints the policy; false if none was asked for.
///
/// # Errors
/// A usage failure for what no policy can be made for.
pub(super) fn print(
    args: &PolicyArgs,
    from: &FromArgs,
    place: &S3Uri,
    encryption: &EncryptionArgs,
    session: &Session,
) -> Result<bool, Failure> {
    let Some(verb) = args.policy else { return Ok(false) };
    from.only_of_rotations(verb == PolicyVerb::Rotate)?;
    let (wanted, options) = (encryption.wanted()?, &session.options()?);
    let request = PolicyRequest { verb, place, args, from, wanted, options, aws: session.aws_flags() };
    let task = request.task()?;
    let extras = request.extras(task)?;
    let key = request.key()?;
    let text = match (&args.key_policy_for, &key) {
        (None, _) => serde_json::to_string_pretty(&request.iam_policy(task, &extras, key.as_ref())?),
        (Some(principal), Some(key)) => {
            let policy = permissions::key_policy(task, &extras, key, &principal.0);
            let policy = policy.ok_or_else(|| {
                Failure::usage(format!("--policy {} needs nothing of the KMS key", verb.as_str()))
            })?;
            serde_json::to_string_pretty(&policy)
        }
        (Some(_), None) => {
            return Err(Failure::usage("--key-policy-for needs the KMS key that the policy is of")
                .hint("add -e sse-kms, dsse-kms or client, and --kms-key ARN"));
        }
    };
    let text = text.map_err(|error| Failure::usage("the policy cannot be written").because(error))?;
    output::document(&text)?;
    for note in request.notes(task, &extras, key.as_ref()) {
        session.printer.say(&note);
    }
    Ok(true)
}

impl PolicyRequest<'_> {
    fn task(&self) -> Result<Task, Failure> {
        let protection = Protection::of(self.wanted.mode, !self.wanted.kms_keys.is_empty());
        Ok(match self.verb {
            PolicyVerb::Put => Task::Put(protection),
            PolicyVerb::Get => Task::Get(protection),
            PolicyVerb::Inspect if self.place.is_object() => Task::Inspect(Scope::Object, protection),
            PolicyVerb::Inspect
                if self.place.key.is_empty() && !is_access_point(self.place.bucket.as_str()) =>
            {
                Task::Inspect(Scope::WholeBucket, protection)
            }
            PolicyVerb::Inspect => Task::Inspect(Scope::Prefix, protection),
            PolicyVerb::Rotate => self.rotation(protection)?,
            PolicyVerb::Batch => Task::Batch,
            PolicyVerb::Cleanup => Task::Cleanup,
        })
    }

    /// The rotation that the verb chooses between two modes, in the first place.
    fn rotation(&self, to: Protection) -> Result<Task, Failure> {
        if self.wanted.mode.is_none() {
            return Err(Failure::usage("--policy rotate needs the mode that objects are rotated to")
                .hint("add -e MODE, and --kms-key ARN if it is one with a KMS key"));
        }
        let from = self.from.protection();
        let rotation = Rotation::between(from, to, self.wanted.format, self.updates_in_place());
        let rotation = rotation.ok_or_else(|| {
            Failure::usage("objects in sse-s3 have nothing to be rotated to in sse-s3")
                .hint("--from MODE names the mode that they have")
        })?;
        Ok(Task::Rotate(rotation, from, to))
    }

    /// Whether `rotate` asks this server for an update in place.
    fn updates_in_place(&self) -> bool {
        let of_environment = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
            .into_iter()
            .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
        let is_elsewhere = self.options.endpoint_url.is_some() || of_environment;
        !is_elsewhere || self.args.cases.contains(&Extra::ScratchObject)
    }

    /// The cases that are covered: those asked for, and those that the request itself implies.
    fn extras(&self, task: Task) -> Result<Vec<Extra>, Failure> {
        let mut extras = self.args.cases.clone();
        if let Some(other) = extras.iter().find(|extra| !extra.matters_to(task)) {
            let fitting: Vec<_> = Extra::CHOSEN.into_iter().filter(|extra| extra.matters_to(task)).collect();
            let fitting: Vec<_> = fitting.into_iter().map(Extra::as_str).collect();
            let failure = Failure::usage(format!(
                "--with {} makes no difference to --policy {} here",
                other.as_str(),
                self.verb.as_str()
            ));
            return Err(match fitting.as_slice() {
                [] => failure.hint("leave it out"),
                words => failure.hint(format!("leave it out, or use {}", words.join(", "))),
            });
        }
        if self.wanted.instruction_file {
            extras.push(Extra::InstructionFile);
        }
        if let Task::Put(_) = task {
            extras.push(Extra::Parts);
        }
        if self.wanted.key_at_rest.is_some() && Extra::AtRest.matters_to(task) {
            extras.push(Extra::AtRest);
        }
        if extras.contains(&Extra::Delete) {
            extras.push(Extra::Update);
        }
        let reads_many = matches!(task, Task::Get(_) | Task::Rotate(..)) && !self.place.is_object();
        if reads_many {
            // `AllVersions` takes the permission to list the objects away again, so it comes last.
            extras.insert(0, Extra::Recursive);
        }
        Ok(extras)
    }

    /// The ARN of the KMS key; none where there is none, or S3 uses the account's own.
    fn key(&self) -> Result<Option<KeyArn>, Failure> {
        self.wanted.kms_keys.first().map(|key| arn("--kms-key", key, &self.aws)).transpose()
    }

    /// That of the key which S3 encrypts ciphertext with.
    fn key_at_rest(&self) -> Result<Option<KeyArn>, Failure> {
        self.wanted.key_at_rest.map(|key| arn("--at-rest", key, &self.aws)).transpose()
    }

    /// The bucket's ARN, or that of the access point which stands for it.
    fn bucket_arn(&self, keys: &[&KeyArn], task: Task) -> Result<String, Failure> {
        let bucket = &self.place.bucket;
        let name = bucket.as_str();
        if let Some(hint) = self.aws.of_alias(bucket) {
            return Err(Failure::usage(format!("no policy can be printed for the alias {bucket}")).hint(hint));
        }
        if !name.starts_with("arn:") {
            return Ok(format!("arn:{}:s3:::{bucket}", self.partition(keys)));
        }
        match task {
            Task::Batch => Err(Failure::usage(format!(
                "{bucket} is an access point, and jobs are for objects of buckets"
            ))
            .hint("name the bucket")),
            _ if is_access_point(name) => Ok(name.to_owned()),
            _ => Err(Failure::usage(format!("{bucket} is neither a bucket nor an access point of one"))
                .hint("name the bucket; s3seal-iam(7) has the actions for other resources")),
        }
    }

    fn iam_policy(
        &self,
        task: Task,
        extras: &[Extra],
        key: Option<&KeyArn>,
    ) -> Result<permissions::Policy, Failure> {
        let key_at_rest = self.key_at_rest()?;
        let old_key =
            self.from.kms_key.as_ref().map(|key| arn("--from-kms-key", key, &self.aws)).transpose()?;
        let keys: Vec<&KeyArn> = key.into_iter().chain(&key_at_rest).chain(&old_key).collect();
        let bucket = self.bucket_arn(&keys, task)?;
        let role = match (&self.args.batch_role, task) {
            (None, Task::Batch) => {
                return Err(Failure::usage("--policy batch needs the role that the job takes on")
                    .hint("add --batch-role arn:aws:iam::ACCOUNT:role/NAME"));
            }
            (role, _) => role.as_ref().map_or("", |role| &role.arn),
        };
        let text = |arn: Option<&KeyArn>| arn.map(KeyArn::as_str).unwrap_or_default().to_owned();
        Ok(permissions::policy(
            task,
            extras,
            &Places {
                bucket: &bucket,
                key_prefix: &self.place.key,
                key: &text(key),
                key_at_rest: &text(key_at_rest.as_ref()),
                old_key: &text(old_key.as_ref()),
                role,
            },
        ))
    }

    /// The part of AWS that the bucket is in, which its ARN begins with.
    fn partition(&self, keys: &[&KeyArn]) -> String {
        if let Some(key) = keys.first() {
            return key.partition().to_owned();
        }
        if let Some(role) = &self.args.batch_role {
            return role.partition.clone();
        }
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
        let region = self.options.region.clone().or_else(|| variables.flat_map(env::var).next());
        permissions::partition(&region.unwrap_or_default()).to_owned()
    }
}

/// The ARN by which policies name a key.
fn arn(flag: &str, key: &KmsKey, aws: &AwsFlags) -> Result<KeyArn, Failure> {
    key.arn().ok_or_else(|| {
        let name = shell_word(key.as_str()).into_owned();
        Failure::usage(format!("{flag}: policies name a key by its ARN, which {key} is not")).hint(format!(
            "`aws kms describe-key --key-id {name} --query KeyMetadata.Arn --output text{}` prints it",
            aws.kms
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_a_user_or_a_role() {
        for arn in ["arn:aws:iam::111122223333:role/a/b", "arn:aws-cn:iam::111122223333:user/u"] {
            assert!(arn.parse::<Principal>().is_ok(), "{arn}");
        }
        for arn in ["", "role/b", "arn:aws:iam::1:role/b", "arn:aws:sts::111122223333:assumed-role/b/s"] {
            assert!(arn.parse::<Principal>().is_err(), "{arn}");
        }
    }
}
