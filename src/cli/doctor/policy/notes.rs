//! What a policy does not say of itself: what it is for, what it does not cover, and what else must allow the same.

use super::{PolicyRequest, PolicyVerb, when};
use crate::cli::sanitize::shell_word;
use crate::commands::permissions::{Extra, Rotation, Task};
use crate::encryption::{KeyArn, Mode};
use crate::location::is_access_point;

impl PolicyRequest<'_> {
    /// What the policy does not say of itself.
    pub(super) fn notes(&self, task: Task, extras: &[Extra], key: Option<&KeyArn>) -> Vec<String> {
        let mut notes = Vec::new();
        if let Task::Rotate(rotation, from, _) = task {
            let how = match rotation {
                Rotation::UpdateInPlace => "an update in place, as on AWS",
                Rotation::ServerCopy => "copies within S3",
                Rotation::Rewrap => "a new wrap of the same data key; --format esdk is for new data keys",
                Rotation::ReEncrypt => "a new data key or a change between client and server side",
            };
            notes.push(format!("for objects in {}, by {how}", from.as_str()));
        }
        let own_key = matches!(self.wanted.mode, Some(Mode::SseKms | Mode::DsseKms)) && key.is_none();
        if own_key && self.args.key_policy_for.is_none() {
            notes.push(
                "the account's key aws/s3 needs no permission; name another key with --kms-key ARN"
                    .to_owned(),
            );
        }
        let bucket = self.place.bucket.as_str();
        if is_access_point(bucket) {
            notes.push(
                "the policy of the bucket must allow it too, or leave that to the bucket's access points \
                 (s3:DataAccessPointAccount), and so must the access point's own policy, if it has one"
                    .to_owned(),
            );
            if self.verb == PolicyVerb::Inspect && self.place.key.is_empty() {
                notes.push(
                    "not covered: the settings of the bucket, which S3 shows through no access point"
                        .to_owned(),
                );
            }
        }
        if let (Some(key), Some(_)) = (self.wanted.key_at_rest, &self.args.key_policy_for) {
            notes.push(format!(
                "not covered: the key of --at-rest; -e sse-kms --kms-key {} prints its policy",
                shell_word(key.as_str())
            ));
        }
        if self.wanted.kms_keys.len() > 1 {
            notes.push("not covered: KMS keys but the first; each further one needs kms:Encrypt".to_owned());
        }
        let open: Vec<String> = Extra::CHOSEN
            .into_iter()
            .filter(|extra| extra.matters_to(task) && !extras.contains(extra))
            .map(|extra| format!("{} (--with {})", when(extra), extra.as_str()))
            .collect();
        if !open.is_empty() {
            notes.push(format!("not covered: {}", open.join("; ")));
        }
        match (&self.args.key_policy_for, key) {
            (Some(_), Some(key)) => {
                let (key, aws) = (shell_word(key.as_str()), &self.aws.kms);
                notes.push(format!(
                    "it replaces the key's policy: keep what `aws kms get-key-policy --key-id {key}{aws}` shows, and add \
                     the statement Key"
                ));
                notes.push(format!(
                    "to set it: aws kms put-key-policy --key-id {key} --policy file://FILE{aws}"
                ));
            }
            (None, _) => notes.extend(self.of_key_policies(extras, key)),
            (Some(_), None) => {}
        }
        notes
    }

    /// What the policy of each KMS key must say, besides the one that is printed.
    fn of_key_policies(&self, extras: &[Extra], key: Option<&KeyArn>) -> Vec<String> {
        let of = |key: &str, then: &str| {
            format!(
                "the policy of {key} must allow it too, unless it leaves that to the account's policies{then}"
            )
        };
        let at_rest = self.wanted.key_at_rest.filter(|_| extras.contains(&Extra::AtRest)).map(|key| {
            let key = shell_word(key.as_str());
            of(
                "the key of --at-rest",
                &format!("; -e sse-kms --kms-key {key} with --key-policy-for ARN prints it"),
            )
        });
        let old = self.from.kms_key.as_ref().map(|_| of("the key of --from-kms-key", " (statement OldKey)"));
        let key = key.map(|_| of("the KMS key", "; --key-policy-for ARN prints it"));
        key.into_iter().chain(at_rest).chain(old).collect()
    }
}
