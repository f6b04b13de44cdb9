//! The flags with which the AWS CLI, or s3seal itself, reaches the same places, for the commands in hints.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::sanitize::shell_word;
use crate::commands::permissions;
use crate::location::{Bucket, S3Uri};

/// Flags of the AWS CLI, each after a space. Shown as those of its S3 commands.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsFlags {
    pub(super) s3: String,
    /// Those of its KMS commands.
    pub(crate) kms: String,
    /// Those of its commands of S3 Control, whose address the AWS CLI takes from the environment too.
    pub(crate) control: String,
    /// Those of s3seal.
    pub(super) own: String,
    /// The profile in use, if one is named.
    pub(crate) profile: Option<String>,
    /// The region in use.
    pub(crate) region: RegionInUse,
}

/// The region that a run is in, which is known once there is a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct RegionInUse(Arc<OnceLock<String>>);

impl RegionInUse {
    /// Notes it; the first one counts.
    pub(crate) fn note(&self, name: &str) {
        let _ = self.0.set(name.to_owned());
    }

    /// Its name; empty as long as it is not known.
    pub(crate) fn name(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }
}

impl AwsFlags {
    /// The ARN of a bucket, as policies name it.
    pub(crate) fn bucket_arn(&self, bucket: &Bucket) -> String {
        permissions::bucket_arn(bucket, self.region.name())
    }

    /// The ARN of an object, as policies name it.
    pub(crate) fn object_arn(&self, uri: &S3Uri) -> String {
        permissions::object_arn(uri, self.region.name())
    }

    /// Where the bucket is an access point's alias: that policies do not take it, and the command that prints what they take.
    pub(crate) fn of_alias(&self, bucket: &Bucket) -> Option<String> {
        bucket.is_access_point_alias().then(|| {
            format!(
                "policies name an access point by its ARN, not by its alias: `aws s3control list-access-points --account-id \
                 ACCOUNT --query \"AccessPointList[?Alias=='{bucket}'].AccessPointArn\" --output text{}` prints it",
                self.control
            )
        })
    }

    /// The command that removes an object, or the one version of it.
    pub(crate) fn removal(&self, uri: &S3Uri, version_id: Option<&str>) -> String {
        format!("aws s3api delete-object{}{self}", Self::object(uri, version_id))
    }

    /// The command that aborts all uploads of an object, however young they are.
    pub(crate) fn cleanup(&self, uri: &S3Uri) -> String {
        format!("s3seal cleanup {} --older-than 0s{}", shell_word(&uri.to_string()), self.own)
    }

    /// The flags that name an object, or the one version of it.
    pub(crate) fn object(uri: &S3Uri, version_id: Option<&str>) -> String {
        let version = version_id.map_or_else(String::new, |id| format!(" --version-id {}", shell_word(id)));
        format!(" --bucket {} --key {}{version}", shell_word(uri.bucket.as_str()), shell_word(&uri.key))
    }
}

impl fmt::Display for AwsFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.s3)
    }
}

#[cfg(test)]
impl AwsFlags {
    /// As with `--region` alone.
    pub(crate) fn in_region(name: &str) -> Self {
        let flags = format!(" --region {name}");
        let region = RegionInUse::default();
        region.note(name);
        Self {
            s3: flags.clone(),
            kms: flags.clone(),
            control: flags.clone(),
            own: flags,
            profile: None,
            region,
        }
    }
}
