//! The flags with which the AWS CLI, or s3seal itself, reaches the same places, for the commands in hints.

use std::fmt;

use super::sanitize::shell_word;
use crate::location::S3Uri;

/// Flags of the AWS CLI, each after a space. Shown as those of its S3 commands.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsFlags {
    pub(super) s3: String,
    /// Those of its KMS commands.
    pub(crate) kms: String,
    /// Those of s3seal.
    pub(super) own: String,
    /// The profile in use, if one is named.
    pub(crate) profile: Option<String>,
}

impl AwsFlags {
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
        Self { s3: flags.clone(), kms: flags.clone(), own: flags, profile: None }
    }
}
