//! The permissions that each verb needs, and the IAM policy that gives them: pure.
//!
//! The least permissions with which a verb does all that it documents, as `tests/permissions` verifies by removing each
//! one. Permissions that only save a request or add to the output are in the manual page.
//! Sources: "Required permissions for Amazon S3 API operations", Amazon S3 user guide; the pages of the operations.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) mod documented_policies;
mod extra;
mod resource;
mod rotation;

pub(crate) use extra::Extra;
use resource::Resource;
pub(crate) use resource::{Places, bucket_arn, object_arn, objects_of, partition};
pub(crate) use rotation::Rotation;

use crate::encryption::{KeyArn, Mode};

/// An action in IAM's words.
type Action = &'static str;

/// How an object is encrypted, as far as permissions depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// The bucket's default, where that is no KMS key.
    BucketDefault,
    /// SSE-S3.
    SseS3,
    /// SSE-KMS.
    SseKms,
    /// DSSE-KMS.
    DsseKms,
    /// SSE-C.
    SseC,
    /// Client-side, with keys that stay on this machine.
    Client,
    /// Client-side, with a key in AWS KMS.
    ClientKms,
}

impl Protection {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::BucketDefault,
        Self::SseS3,
        Self::SseKms,
        Self::DsseKms,
        Self::SseC,
        Self::Client,
        Self::ClientKms,
    ];

    /// That of a mode, and of the KMS key that is named with it.
    pub(crate) fn of(mode: Option<Mode>, names_kms_key: bool) -> Self {
        match mode {
            None => Self::BucketDefault,
            // S3 may use the account's own key for everybody who may use S3.
            Some(Mode::SseKms | Mode::DsseKms) if !names_kms_key => Self::SseS3,
            Some(Mode::SseS3) => Self::SseS3,
            Some(Mode::SseKms) => Self::SseKms,
            Some(Mode::DsseKms) => Self::DsseKms,
            Some(Mode::SseC) => Self::SseC,
            Some(Mode::Client) if names_kms_key => Self::ClientKms,
            Some(Mode::Client) => Self::Client,
        }
    }

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BucketDefault => "bucket-default",
            Self::SseS3 => "sse-s3",
            Self::SseKms => "sse-kms",
            Self::DsseKms => "dsse-kms",
            Self::SseC => "sse-c",
            Self::Client => "client",
            Self::ClientKms => "client-kms",
        }
    }

    /// Whether the bytes are encrypted before they leave this machine.
    pub(crate) fn is_client(self) -> bool {
        matches!(self, Self::Client | Self::ClientKms)
    }

    /// Whether S3 asks KMS on behalf of the caller.
    fn is_kms_of_s3(self) -> bool {
        matches!(self, Self::SseKms | Self::DsseKms)
    }

    fn is_kms(self) -> bool {
        self.is_kms_of_s3() || self == Self::ClientKms
    }
}

/// What is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Object,
    /// All objects under a prefix.
    Prefix,
    /// The settings of a bucket.
    Bucket,
    /// The settings of a bucket, and all its objects.
    WholeBucket,
}

/// What is done, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Put(Protection),
    Get(Protection),
    Inspect(Scope, Protection),
    /// `rotate`, from one protection to the other.
    Rotate(Rotation, Protection, Protection),
    /// `rotate --batch`
    Batch,
    Cleanup,
}

/// Actions by what they are allowed on.
#[derive(Debug, Default)]
struct Needs(BTreeMap<Resource, BTreeSet<Action>>);

impl Needs {
    fn add(&mut self, resource: Resource, actions: &[Action]) {
        self.0.entry(resource).or_default().extend(actions);
    }

    /// Removes an action; returns whether it was there.
    fn without(&mut self, resource: Resource, action: Action) -> bool {
        self.0.get_mut(&resource).is_some_and(|actions| actions.remove(action))
    }
}

/// A policy, in the form that `aws iam put-role-policy` and `aws kms put-key-policy` take.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    /// Whom it is for, where that is not the one who has the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<BTreeMap<&'static str, String>>,
    action: BTreeSet<Action>,
    resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

/// Values of condition keys, by operator.
type Condition = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

/// Makes the policy for a task.
pub(crate) fn policy(task: Task, extras: &[Extra], places: &Places<'_>) -> Policy {
    let mut needs = needs(task, extras);
    if places.is_object() {
        scratch_object_beside_one(task, &mut needs);
    }
    let statements = needs.0.into_iter().filter(|(_, actions)| !actions.is_empty());
    let statements = statements.map(|(resource, action)| Statement {
        sid: resource.sid(),
        effect: "Allow",
        principal: None,
        action,
        resource: resource.arn(places),
        condition: resource.condition(places),
    });
    Policy { version: "2012-10-17", statement: statements.collect() }
}

/// Makes the policy of the key that objects are, or will be, under, which lets one principal do the task: it replaces the
/// one that the key has. `None` if the task needs nothing of the key.
pub(crate) fn key_policy(task: Task, extras: &[Extra], key: &KeyArn, principal: &str) -> Option<Policy> {
    let actions = needs(task, extras).0.remove(&Resource::Key).filter(|actions| !actions.is_empty())?;
    let statement = |sid, principal, action| Statement {
        sid,
        effect: "Allow",
        principal: Some([("AWS", principal)].into()),
        action,
        // In the policy of a key the asterisk is that key.
        resource: "*".to_owned(),
        condition: None,
    };
    // Without it nobody could change the policy again: "Default key policy", AWS KMS developer guide.
    let root = format!("arn:{}:iam::{}:root", key.partition(), key.account());
    let account = statement("Account", root, ["kms:*"].into());
    let statement = vec![account, statement("Key", principal.to_owned(), actions)];
    Some(Policy { version: "2012-10-17", statement })
}

/// The actions of the same policy, each with the ARN that it is allowed on.
pub(crate) fn granted(task: Task, extras: &[Extra], places: &Places<'_>) -> Vec<(Action, String)> {
    let each = needs(task, extras).0.into_iter().flat_map(|(resource, actions)| {
        let arn = resource.arn(places);
        actions.into_iter().map(move |action| (action, arn.clone()))
    });
    each.collect()
}

fn needs(task: Task, extras: &[Extra]) -> Needs {
    let mut needs = Needs::default();
    match task {
        Task::Put(protection) => put(protection, &mut needs),
        Task::Get(protection) => {
            needs.add(Resource::Objects, &["s3:GetObject"]);
            if protection.is_kms() {
                needs.add(Resource::Key, &["kms:Decrypt"]);
            }
        }
        Task::Inspect(scope, protection) => inspect(scope, protection, &mut needs),
        Task::Rotate(rotation, from, to) => rotate(rotation, from, to, &mut needs),
        Task::Batch => {
            needs.add(Resource::Jobs, &["s3:CreateJob"]);
            needs.add(Resource::Role, &["iam:PassRole"]);
        }
        Task::Cleanup => cleanup(&mut needs),
    }
    for extra in extras {
        add(*extra, task, &mut needs);
    }
    if extras.contains(&Extra::AtRest) {
        at_rest(task, &mut needs);
    }
    needs
}

/// What S3 does with the key of the ciphertext: the same as with that of an object in SSE-KMS.
fn at_rest(task: Task, needs: &mut Needs) {
    let actions: &[Action] = match task {
        Task::Inspect(Scope::Object, _) => {
            needs.add(Resource::AnyKey, &["kms:ListAliases"]);
            &["kms:Decrypt", "kms:DescribeKey"]
        }
        Task::Get(_) => &["kms:Decrypt"],
        // To complete an upload in parts S3 decrypts them. A rotation reads what is there, or verifies what it has written.
        Task::Put(_) | Task::Rotate(..) => &["kms:GenerateDataKey", "kms:Decrypt"],
        Task::Inspect(..) | Task::Batch | Task::Cleanup => &[],
    };
    needs.add(Resource::KeyAtRest, actions);
}

/// What a rotation does with a scratch object, which lies under the same prefix as the objects, but beside a single one.
fn scratch_object_beside_one(task: Task, needs: &mut Needs) {
    let actions: &[Action] = match task {
        Task::Rotate(Rotation::UpdateInPlace, ..) => {
            &["s3:PutObject", "s3:GetObject", "s3:UpdateObjectEncryption"]
        }
        Task::Rotate(..) => &["s3:PutObject", "s3:GetObject"],
        _ => return,
    };
    if needs.0.contains_key(&Resource::ScratchObjects) {
        needs.add(Resource::ScratchObjects, actions);
    }
}

fn put(protection: Protection, needs: &mut Needs) {
    needs.add(Resource::Objects, &["s3:PutObject"]);
    if protection.is_client() {
        // One HEAD afterwards: is the envelope there?
        needs.add(Resource::Objects, &["s3:GetObject"]);
    }
    if protection.is_kms() {
        needs.add(Resource::Key, &["kms:GenerateDataKey"]);
    }
}

fn inspect(scope: Scope, protection: Protection, needs: &mut Needs) {
    if matches!(scope, Scope::Bucket | Scope::WholeBucket) {
        let settings = [
            "s3:ListBucket",
            "s3:GetEncryptionConfiguration",
            "s3:GetBucketPolicy",
            "s3:GetBucketVersioning",
            "s3:GetLifecycleConfiguration",
        ];
        needs.add(Resource::Bucket, &settings);
    }
    if scope == Scope::Bucket {
        return;
    }
    needs.add(Resource::Objects, &["s3:GetObject"]);
    if scope == Scope::Prefix {
        needs.add(Resource::Listing, &["s3:ListBucket"]);
    }
    if scope == Scope::Object && protection.is_kms_of_s3() {
        // S3 decrypts the checksum with the key.
        needs.add(Resource::Key, &["kms:Decrypt", "kms:DescribeKey"]);
        needs.add(Resource::AnyKey, &["kms:ListAliases"]);
    }
}

fn rotate(rotation: Rotation, from: Protection, to: Protection, needs: &mut Needs) {
    needs.add(Resource::Objects, &["s3:GetObject"]);
    if from.is_kms() {
        needs.add(Resource::OldKey, &["kms:Decrypt"]);
    }
    match rotation {
        Rotation::UpdateInPlace => {
            needs.add(Resource::Objects, &["s3:UpdateObjectEncryption"]);
            let actions = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"];
            needs.add(Resource::Key, &actions);
            if from.is_kms() {
                needs.add(Resource::OldKey, &["kms:ReEncryptFrom"]);
            }
            return;
        }
        Rotation::ServerCopy | Rotation::Rewrap => {
            needs.add(Resource::Objects, &["s3:PutObject", "s3:GetObjectAcl"]);
        }
        Rotation::ReEncrypt => {
            let actions =
                ["s3:PutObject", "s3:GetObjectAcl", "s3:GetObjectTagging", "s3:ListObjectAnnotations"];
            needs.add(Resource::Objects, &actions);
            if from.is_client() && !to.is_client() {
                needs.add(Resource::ScratchObjects, &["s3:DeleteObject"]);
            }
        }
    }
    if to.is_kms() {
        // The new object is verified with the new key.
        let wraps = if rotation == Rotation::Rewrap { "kms:Encrypt" } else { "kms:GenerateDataKey" };
        needs.add(Resource::Key, &[wraps, "kms:Decrypt"]);
    }
}

fn cleanup(needs: &mut Needs) {
    let objects = ["s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"];
    needs.add(Resource::Objects, &objects);
    needs.add(Resource::InstructionFiles, &["s3:DeleteObject"]);
    needs.add(Resource::ScratchObjects, &["s3:DeleteObject"]);
    // Without a condition on the prefix: else S3 does not say of an object that it does not exist.
    needs.add(Resource::Bucket, &["s3:ListBucket", "s3:ListBucketMultipartUploads"]);
}

fn add(extra: Extra, task: Task, needs: &mut Needs) {
    let rotation = match task {
        Task::Rotate(rotation, ..) => Some(rotation),
        _ => None,
    };
    match (extra, task) {
        (Extra::Parts, Task::Put(protection)) => {
            needs.add(Resource::Objects, &["s3:AbortMultipartUpload"]);
            if protection.is_kms_of_s3() {
                needs.add(Resource::Key, &["kms:Decrypt"]);
            }
        }
        (Extra::Parts, _) => {
            let actions = ["s3:AbortMultipartUpload", "s3:GetObjectTagging", "s3:ListObjectAnnotations"];
            needs.add(Resource::Objects, &actions);
        }
        (Extra::CompositeChecksum, _) => needs.add(Resource::Objects, &["s3:GetObjectAttributes"]),
        (Extra::Tags, Task::Put(_)) => needs.add(Resource::Objects, &["s3:PutObjectTagging"]),
        (Extra::Tags, _) => needs.add(Resource::Objects, &["s3:GetObjectTagging", "s3:PutObjectTagging"]),
        (Extra::Acl, _) => needs.add(Resource::Objects, &["s3:PutObjectAcl"]),
        (Extra::Lock, task) => {
            // HEAD shows a lock only to those who may read it.
            needs.add(Resource::Objects, &["s3:GetObjectRetention", "s3:GetObjectLegalHold"]);
            if !matches!(task, Task::Inspect(..)) {
                needs.add(Resource::Objects, &["s3:PutObjectRetention", "s3:PutObjectLegalHold"]);
            }
        }
        (Extra::InstructionFile, Task::Put(_)) => needs.add(Resource::Bucket, &["s3:ListBucket"]),
        (Extra::InstructionFile, _) if rotation == Some(Rotation::Rewrap) => {
            needs.without(Resource::Objects, "s3:PutObject");
            needs.without(Resource::Objects, "s3:GetObjectAcl");
            needs.add(Resource::InstructionFiles, &["s3:PutObject"]);
        }
        (Extra::InstructionFile, Task::Rotate(..)) => {
            needs.add(Resource::InstructionFiles, &["s3:DeleteObject"]);
        }
        (Extra::InstructionFile | Extra::AtRest, _) => {}
        // S3 takes the condition on the ETag only from who may read the object.
        (Extra::Delete, _) => needs.add(Resource::Objects, &["s3:DeleteObject", "s3:GetObject"]),
        (Extra::Recursive | Extra::Update, _) => needs.add(Resource::Listing, &["s3:ListBucket"]),
        (Extra::Version, _) => {
            needs.without(Resource::Objects, "s3:GetObject");
            needs.add(Resource::Objects, &["s3:GetObjectVersion"]);
        }
        (Extra::AllVersions, _) => {
            needs.without(Resource::Listing, "s3:ListBucket");
            needs.add(Resource::Listing, &["s3:ListBucketVersions"]);
            needs.add(Resource::Objects, &["s3:GetObjectVersion"]);
            if rotation.is_none() {
                needs.without(Resource::Objects, "s3:GetObject");
            }
        }
        (Extra::VersionedBucket, _) => {
            if rotation.is_some_and(|rotation| rotation != Rotation::UpdateInPlace) {
                needs.add(Resource::Bucket, &["s3:GetBucketObjectLockConfiguration"]);
            }
            if needs.without(Resource::ScratchObjects, "s3:DeleteObject") {
                needs.add(Resource::ScratchObjects, &["s3:DeleteObjectVersion"]);
            }
        }
        (Extra::ScratchObject, _) => {
            needs.add(Resource::ScratchObjects, &["s3:PutObject", "s3:DeleteObject"]);
        }
        (Extra::Alias, _) => needs.add(Resource::Key, &["kms:DescribeKey"]),
    }
}
