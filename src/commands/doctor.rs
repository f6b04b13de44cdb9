//! `doctor`: looks, before hours of transfer, whether a verb will work at a place, and says what would mend it.
//!
//! It asks harmless questions only, and writes nothing unless the write test is asked for. An answer that is missing
//! or makes no sense is a warning, never a good sign.

use futures_util::future::join;

use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::encryption::{Encryption, KmsKey, Mode, ServerSide};
use crate::error::Result;
use crate::location::S3Uri;
use crate::transfer::Cancellation;

mod bucket;
pub(crate) mod check;
mod kms;
mod memory;
mod network;
mod newest;

pub(crate) use check::{Check, Name, Problem, Remedy, State};

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
    /// The keys of this machine, to try on what is there.
    pub(crate) opening: DecryptionKeys,
    /// The KMS key that objects have before a rotation.
    pub(crate) old_kms_key: Option<KmsKey>,
    /// Whether they are client-side then.
    pub(crate) is_from_client: bool,
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
    fn mode(&self) -> Option<Mode> {
        self.mode
    }

    /// How S3 is asked to encrypt; `None` is the bucket's default.
    fn server_side(&self) -> Option<&ServerSide> {
        match self.encryption.as_ref()? {
            Encryption::Server(sse) => Some(sse),
            Encryption::Client(client) => client.at_rest.as_ref(),
        }
    }
}

/// Looks at everything.
///
/// # Errors
/// `Interrupted` only: all else is what was found.
pub(crate) async fn run(
    connection: &Connection,
    request: &DoctorRequest,
    cancellation: &Cancellation,
) -> Result<Vec<Check>> {
    let mut checks = cancellation.or(examine(connection, request)).await?;
    checks.extend(memory::check(request));
    let is_in_the_way = |check: &Check| {
        check.is_failed()
            && matches!(check.name, Name::Address | Name::Credentials | Name::Clock | Name::Bucket)
    };
    if !checks.iter().any(is_in_the_way) {
        let newest = newest::check(connection, request, cancellation);
        let (kms, newest) = cancellation.or(join(kms::checks(connection, request), newest)).await?;
        checks.extend(kms.into_iter().chain(newest));
    }
    Ok(checks)
}

async fn examine(connection: &Connection, request: &DoctorRequest) -> Vec<Check> {
    let reached = connection.list_one(&request.place).await;
    let network::FirstAnswer { mut checks, goes_on } = network::first_answer(connection, request, reached);
    if !goes_on {
        return checks;
    }
    match connection.bucket_facts(&request.place.bucket).await {
        Ok(facts) => checks.extend(bucket::checks(request, &facts, connection.is_over_tls())),
        Err(error) => checks.push(Check::error(Name::Bucket, error)),
    }
    checks
}
