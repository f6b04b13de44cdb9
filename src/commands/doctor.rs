//! `doctor`: looks, before hours of transfer, whether a verb will work at a place, and says what would mend it.
//!
//! It asks harmless questions only, and writes nothing unless the write test is asked for. An answer that is missing
//! or makes no sense is a warning, never a good sign.

use std::path::PathBuf;

use futures_util::future::{join, join3};

use crate::aws::Connection;
use crate::aws::bucket::DefaultFacts;
use crate::aws::object_lock::BucketLock;
use crate::aws::probe::Probe;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::permissions::Protection;
use crate::encryption::{ClientSide, Encryption, KmsKey, Mode, ServerSide};
use crate::error::Result;
use crate::location::S3Uri;
use crate::rules::Requirements;
use crate::transfer::Cancellation;

mod bucket;
pub(crate) mod check;
mod identity;
mod kms;
mod leftovers;
mod memory;
mod network;
mod newest;
mod permissions;
mod rules;
mod transport;
mod write_test;

pub(crate) use check::{Check, Name, Problem, Remedy, State};
use network::FirstAnswer;

/// What is looked at.
pub(crate) struct DoctorRequest {
    /// A bucket or a prefix.
    pub(crate) place: S3Uri,
    /// The verb that is to work.
    pub(crate) verb: Verb,
    /// The mode that is asked for; `None` is the bucket's default.
    pub(crate) mode: Option<Mode>,
    /// How objects are to be encrypted; `None` also if a key for it cannot be read.
    pub(crate) encryption: Option<Encryption>,
    /// Whether private keys alone were given, with which nothing is encrypted.
    pub(crate) only_decrypts: bool,
    /// The keys of this machine, to try on what is there.
    pub(crate) opening: DecryptionKeys,
    /// The KMS key that objects have before a rotation.
    pub(crate) old_kms_key: Option<KmsKey>,
    /// How they are encrypted then.
    pub(crate) from: Protection,
    /// What rules demand.
    pub(crate) rules: Requirements,
    /// Whether to put, get, compare and delete a scratch object.
    pub(crate) write_test: bool,
    /// The directory of this machine's records; `None` where there is none.
    pub(crate) records: Option<PathBuf>,
}

/// The verb that is to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Put,
    Get,
    Inspect,
    Rotate,
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Inspect => "inspect",
            Self::Rotate => "rotate",
        }
    }

    /// Whether it stores objects.
    fn writes(self) -> bool {
        matches!(self, Self::Put | Self::Rotate)
    }
}

impl DoctorRequest {
    /// Whether a key of the mode that is asked for cannot be read, which a check says.
    fn lacks_key(&self) -> bool {
        self.mode.is_some() && self.encryption.is_none()
    }

    /// A check of something that the write test shows, which it names if that can be tried here and was not asked for.
    fn suggest_write_test(&self, check: Check) -> Check {
        if self.write_test || self.lacks_key() { check } else { check.mended_by(Remedy::WriteTest) }
    }

    /// How S3 is asked to encrypt; `None` is the bucket's default.
    fn server_side(&self) -> Option<&ServerSide> {
        self.encryption.as_ref()?.server_side()
    }

    /// Client-side encryption, if that is asked for.
    fn client_side(&self) -> Option<&ClientSide> {
        self.encryption.as_ref()?.client_side()
    }
}

/// Looks at everything.
///
/// # Errors
/// `Interrupted` only: all else is what was found.
pub(crate) async fn run(
    connection: &Connection,
    request: DoctorRequest,
    cancellation: &Cancellation,
) -> Result<Vec<Check>> {
    let Examined { mut checks, lock, default } =
        cancellation.or(examine(connection, &request, cancellation)).await?;
    let memory = memory::check(&request);
    let has_memory = !memory.as_ref().is_some_and(Check::is_failed);
    checks.extend(memory);
    let Some(lock) = lock else { return Ok(checks) };
    let newest = newest::check(connection, &request, has_memory, cancellation);
    let (kms, newest) =
        cancellation.or(join(kms::checks(connection, &request, default.as_ref()), newest)).await?;
    checks.extend(kms.into_iter().chain(newest));
    if request.write_test {
        // Not dropped by a signal: what it has stored is removed first.
        checks.push(write_test::check(connection, request, &lock, cancellation).await?);
    }
    Ok(checks)
}

/// What was found without writing anything.
struct Examined {
    checks: Vec<Check>,
    /// The bucket's Object Lock; `None` if there is no bucket to write to.
    lock: Option<Probe<BucketLock>>,
    /// How the bucket encrypts what names no mode, where that is known.
    default: Option<DefaultFacts>,
}

async fn examine(connection: &Connection, request: &DoctorRequest, cancellation: &Cancellation) -> Examined {
    let reached = connection.list_one(&request.place).await;
    let FirstAnswer { mut checks, goes_on } = network::first_answer(connection, request, reached);
    if !goes_on {
        return Examined { checks, lock: None, default: None };
    }
    let bucket = &request.place.bucket;
    let transport = transport::checks(connection, request);
    let identity = identity::checks(connection, bucket).await;
    // Then all else would be denied for the same reason.
    let is_of_another = identity.iter().any(Check::is_failed);
    checks.extend(transport);
    checks.extend(identity);
    if is_of_another {
        return Examined { checks, lock: None, default: None };
    }
    let (facts, lock, leftovers) = join3(
        connection.bucket_facts(bucket),
        connection.bucket_lock(bucket),
        leftovers::check(connection, request, cancellation),
    )
    .await;
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            checks.push(Check::error(Name::Bucket, error));
            return Examined { checks, lock: None, default: None };
        }
    };
    checks.extend(bucket::checks(connection, request, &facts, &lock));
    checks.push(leftovers);
    let default = facts.default.fact().and_then(Option::as_ref);
    let policy = facts.policy.fact().and_then(Option::as_ref);
    let (rule, permissions) =
        join(rules::check(connection, request, default), permissions::checks(connection, request, policy))
            .await;
    checks.extend(rule);
    checks.extend(permissions);
    Examined { checks, lock: Some(lock), default: facts.default.fact().cloned().flatten() }
}
