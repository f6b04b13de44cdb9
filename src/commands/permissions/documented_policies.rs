//! The policies that the manual shows and the tests try: which tasks with which extras, and a name for each.

use super::Extra::{
    Acl, Alias, AllVersions, CompositeChecksum, Delete, InstructionFile, Lock, Parts, Recursive,
    ScratchObject, Tags, Update, Version, VersionedBucket,
};
use super::Protection::{Client, ClientKms, DsseKms, SseC, SseKms, SseS3};
use super::Rotation::{ReEncrypt, Rewrap, ServerCopy, UpdateInPlace};
use super::{Extra, Protection, Rotation, Scope, Task};

/// A task with its extras.
pub(crate) struct DocumentedPolicy {
    /// The name: verb, protection, extras.
    pub(crate) name: String,
    pub(crate) task: Task,
    /// The circumstances.
    pub(crate) extras: Vec<Extra>,
}

/// All of them.
pub(crate) fn all() -> Vec<DocumentedPolicy> {
    let mut cases = Vec::new();
    for protection in Protection::ALL {
        plain(Task::Put(protection), &mut cases);
        plain(Task::Get(protection), &mut cases);
        plain(Task::Inspect(Scope::Object, protection), &mut cases);
        plain(Task::Inspect(Scope::Prefix, protection), &mut cases);
    }
    plain(Task::Inspect(Scope::Bucket, Protection::BucketDefault), &mut cases);
    plain(Task::Inspect(Scope::WholeBucket, SseKms), &mut cases);
    for (rotation, from, to) in rotations() {
        plain(Task::Rotate(rotation, from, to), &mut cases);
    }
    plain(Task::Batch, &mut cases);
    cases.extend(Protection::ALL.map(|protection| case(Task::Put(protection), &[Parts])));
    let with: [(Task, &[Extra]); 26] = [
        (Task::Put(SseS3), &[Tags]),
        (Task::Put(SseS3), &[Acl]),
        (Task::Put(SseS3), &[Update, Delete]),
        (Task::Put(SseS3), &[Lock]),
        (Task::Put(Client), &[Lock]),
        (Task::Put(Client), &[InstructionFile]),
        (Task::Get(SseS3), &[CompositeChecksum]),
        (Task::Get(SseS3), &[Recursive]),
        (Task::Get(SseS3), &[Version]),
        (Task::Inspect(Scope::Object, SseS3), &[Version]),
        (Task::Inspect(Scope::Object, SseS3), &[Lock]),
        (Task::Inspect(Scope::Prefix, SseKms), &[AllVersions]),
        (Task::Rotate(UpdateInPlace, SseS3, SseKms), &[ScratchObject]),
        (Task::Rotate(UpdateInPlace, SseKms, SseKms), &[ScratchObject, Recursive]),
        (Task::Rotate(UpdateInPlace, SseS3, SseKms), &[ScratchObject, AllVersions, VersionedBucket]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[Tags]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[Acl]),
        (Task::Rotate(ReEncrypt, SseS3, Client), &[Acl]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[Lock]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[Parts]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[Recursive]),
        (Task::Rotate(Rewrap, Client, Client), &[InstructionFile]),
        (Task::Rotate(Rewrap, Client, Client), &[InstructionFile, VersionedBucket]),
        (Task::Rotate(ServerCopy, SseS3, SseKms), &[VersionedBucket]),
        (Task::Rotate(ReEncrypt, Client, Client), &[InstructionFile]),
        (Task::Rotate(ReEncrypt, Client, SseS3), &[VersionedBucket]),
    ];
    cases.extend(with.map(|(task, extras)| case(task, extras)));
    cases.push(case(Task::Batch, &[Alias]));
    plain(Task::Cleanup, &mut cases);
    cases.push(case(Task::Cleanup, &[VersionedBucket]));
    cases
}

/// Each strategy with the protections that it goes between.
fn rotations() -> Vec<(Rotation, Protection, Protection)> {
    const SERVER: [Protection; 4] = [SseS3, SseKms, DsseKms, SseC];
    const CLIENT: [Protection; 2] = [Client, ClientKms];
    let mut all = vec![(UpdateInPlace, SseS3, SseKms), (UpdateInPlace, SseKms, SseKms)];
    for from in SERVER {
        all.extend(SERVER.map(|to| (ServerCopy, from, to)));
        all.extend(CLIENT.map(|to| (ReEncrypt, from, to)));
    }
    for from in CLIENT {
        all.extend(CLIENT.map(|to| (Rewrap, from, to)));
        all.extend(CLIENT.map(|to| (ReEncrypt, from, to)));
        all.extend(SERVER.map(|to| (ReEncrypt, from, to)));
    }
    // S3's own key stays S3's own key: there is nothing to do.
    all.retain(|one| *one != (ServerCopy, SseS3, SseS3));
    all
}

fn plain(task: Task, cases: &mut Vec<DocumentedPolicy>) {
    cases.push(case(task, &[]));
}

fn case(task: Task, extras: &[Extra]) -> DocumentedPolicy {
    let mut name = match task {
        Task::Put(protection) => format!("put.{}", protection.as_str()),
        Task::Get(protection) => format!("get.{}", protection.as_str()),
        Task::Inspect(Scope::Object, protection) => format!("inspect.object.{}", protection.as_str()),
        Task::Inspect(Scope::Prefix, protection) => format!("inspect.prefix.{}", protection.as_str()),
        Task::Inspect(Scope::Bucket, _) => "inspect.bucket".to_owned(),
        Task::Inspect(Scope::WholeBucket, protection) => format!("inspect.whole.{}", protection.as_str()),
        Task::Rotate(rotation, from, to) => {
            let strategy = match rotation {
                UpdateInPlace => "update-in-place",
                ServerCopy => "server-copy",
                Rewrap => "rewrap",
                ReEncrypt => "re-encrypt",
            };
            format!("rotate.{strategy}.{}.{}", from.as_str(), to.as_str())
        }
        Task::Batch => "rotate.batch".to_owned(),
        Task::Cleanup => "cleanup".to_owned(),
    };
    for extra in extras {
        name = format!("{name}+{}", extra.as_str());
    }
    DocumentedPolicy { name, task, extras: extras.to_vec() }
}
