//! `rotate --batch`: keys by their ARNs, then one job that S3 runs by itself.
//!
//! No object is read here: S3 lists them when the job begins. What a job cannot do is refused in `cli`.

use crate::aws::Connection;
use crate::aws::batch::{CurrentEncryption, Job};
use crate::encryption::KmsKey;
use crate::error::Result;

/// Replaces the names of KMS keys in a job by their ARNs: a job takes no id and no alias.
///
/// # Errors
/// What KMS refuses; it takes `kms:DescribeKey`, but not for a key that is named by its ARN.
pub(crate) async fn prepare(connection: &Connection, job: Job) -> Result<Job> {
    let only = match job.only {
        Some(CurrentEncryption::Key(key)) => Some(CurrentEncryption::Key(by_arn(connection, &key).await?)),
        only => only,
    };
    let key = by_arn(connection, &job.key).await?;
    Ok(Job { only, key, ..job })
}

async fn by_arn(connection: &Connection, key: &KmsKey) -> Result<KmsKey> {
    Ok((&connection.resolve_key(key).await?).into())
}
