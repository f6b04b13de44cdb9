//! Settings of a bucket that affect its objects: default encryption, blocked modes, policy, versioning, lifecycle.
//!
//! Each requires its own permission; one that is denied is [`Probe::AccessDenied`], and the others are still reported.
//! Nothing here changes a bucket.

use aws_sdk_s3::operation::get_bucket_encryption::GetBucketEncryptionOutput;
use aws_sdk_s3::types::{
    BucketVersioningStatus, ExpirationStatus, LifecycleRule, ServerSideEncryption,
    ServerSideEncryptionConfiguration,
};
use futures_util::future::join4;

use crate::aws::bucket_policy::{self, PolicyFacts};
use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::probe::Probe;
use crate::aws::sse::AppliedMode;
use crate::encryption::Mode;
use crate::error::{Denial, Error, Result};
use crate::location::Bucket;

/// Facts about a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketFacts {
    pub(crate) bucket: Bucket,
    pub(crate) region: Probe<Option<String>>,
    /// The encryption of objects whose request names none; `None` where the server has no such setting.
    pub(crate) default: Probe<Option<DefaultFacts>>,
    /// What its policy requires; `None` without a policy.
    pub(crate) policy: Probe<Option<PolicyFacts>>,
    /// `Enabled` or `Suspended` in S3's words; `None` if it was never enabled.
    pub(crate) versioning: Probe<Option<String>>,
    /// The rule that aborts incomplete uploads.
    pub(crate) incomplete_uploads: Probe<Option<CleanUp>>,
}

/// A bucket's default encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DefaultFacts {
    /// The mode; `NotSaid` where the rule names none.
    pub(crate) mode: AppliedMode,
    /// The KMS key; `None` is the account's `aws/s3`.
    pub(crate) kms_key: Option<String>,
    /// Whether a bucket key is used.
    pub(crate) bucket_key: bool,
    /// The modes that writes may not use, in S3's words (`SSE-C`); `None` where the server does not say.
    pub(crate) blocked: Option<Vec<String>>,
}

/// A lifecycle rule that aborts incomplete uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CleanUp {
    /// Days after the upload began.
    pub(crate) days: u32,
    /// Whether the rule is for the whole bucket.
    pub(crate) whole: bool,
}

impl Connection {
    /// Gets the settings of a bucket.
    ///
    /// # Errors
    /// `NotFound` for no such bucket, `Network` where S3 cannot be reached; refusals are part of the answer.
    pub(crate) async fn bucket_facts(&self, bucket: &Bucket) -> Result<BucketFacts> {
        let region = match known(self.bucket_region(bucket).await)? {
            Err(error @ (Error::NotFound { .. } | Error::Network { .. } | Error::WrongRegion { .. })) => {
                return Err(error);
            }
            answer => Probe::of(answer, "s3:ListBucket"),
        };
        let (default, policy, versioning, incomplete_uploads) = join4(
            self.bucket_default(bucket),
            self.bucket_policy(bucket),
            self.bucket_versioning(bucket),
            self.bucket_clean_up(bucket),
        )
        .await;
        let (default, policy, versioning) = (known(default)?, known(policy)?, known(versioning)?);
        Ok(BucketFacts {
            bucket: bucket.clone(),
            region,
            default: Probe::of_optional(default, "s3:GetEncryptionConfiguration"),
            policy: Probe::of_optional(policy, "s3:GetBucketPolicy"),
            versioning: Probe::of(versioning, "s3:GetBucketVersioning"),
            incomplete_uploads: Probe::of_optional(
                clean_up(incomplete_uploads),
                "s3:GetLifecycleConfiguration",
            )
            .map(Option::flatten),
        })
    }

    pub(super) async fn bucket_region(&self, bucket: &Bucket) -> Result<Option<String>> {
        let request = self.s3.head_bucket().bucket(bucket.as_str()).set_expected_bucket_owner(self.owner());
        let answer = request.send().await.map_err(|refusal| {
            match error::read(bucket, "s3:ListBucket", refusal) {
                // HEAD has no body, and so no error code.
                Error::NotFound { source, .. } => Error::NotFound { subject: bucket.into(), source },
                error => error,
            }
        })?;
        Ok(answer.bucket_region().map(str::to_owned))
    }

    /// Gets the encryption of objects whose request names none.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:GetEncryptionConfiguration`.
    pub(crate) async fn bucket_default(&self, bucket: &Bucket) -> Result<DefaultFacts> {
        let request = self.s3.get_bucket_encryption().bucket(bucket.as_str());
        let answer = request
            .set_expected_bucket_owner(self.owner())
            .send()
            .await
            .map_err(|refusal| error::read(bucket, "s3:GetEncryptionConfiguration", refusal))?;
        let rules =
            answer.server_side_encryption_configuration().map(ServerSideEncryptionConfiguration::rules);
        if rules.is_none_or(<[_]>::is_empty) {
            return Err(Error::not_understood(bucket, "it has no rules"));
        }
        Ok(DefaultFacts::from(&answer))
    }

    async fn bucket_policy(&self, bucket: &Bucket) -> Result<PolicyFacts> {
        let request = self.s3.get_bucket_policy().bucket(bucket.as_str());
        let answer = request
            .set_expected_bucket_owner(self.owner())
            .send()
            .await
            .map_err(|refusal| error::read(bucket, "s3:GetBucketPolicy", refusal))?;
        bucket_policy::read(answer.policy().unwrap_or_default())
            .ok_or_else(|| Error::unsupported(bucket, "its policy cannot be read"))
    }

    async fn bucket_versioning(&self, bucket: &Bucket) -> Result<Option<String>> {
        let request = self.s3.get_bucket_versioning().bucket(bucket.as_str());
        let answer = request
            .set_expected_bucket_owner(self.owner())
            .send()
            .await
            .map_err(|refusal| error::read(bucket, "s3:GetBucketVersioning", refusal))?;
        Ok(answer.status().map(BucketVersioningStatus::as_str).map(str::to_owned))
    }

    async fn bucket_clean_up(&self, bucket: &Bucket) -> Result<Vec<LifecycleRule>> {
        let request = self.s3.get_bucket_lifecycle_configuration().bucket(bucket.as_str());
        let answer = request
            .set_expected_bucket_owner(self.owner())
            .send()
            .await
            .map_err(|refusal| error::read(bucket, "s3:GetLifecycleConfiguration", refusal))?;
        Ok(answer.rules().to_vec())
    }
}

/// Makes invalid credentials an error: they are not a missing permission.
fn known<T>(answer: Result<T>) -> Result<Result<T>> {
    match answer {
        Err(Error::Denied { why, subject, source })
            if why.is_about_credentials() || why == Denial::ClockSkew =>
        {
            Err(Error::Denied { why, subject, source })
        }
        answer => Ok(answer),
    }
}

impl From<&GetBucketEncryptionOutput> for DefaultFacts {
    fn from(answer: &GetBucketEncryptionOutput) -> Self {
        let mut found = Self::default();
        let rules =
            answer.server_side_encryption_configuration().map(ServerSideEncryptionConfiguration::rules);
        for rule in rules.unwrap_or_default() {
            if let Some(default) = rule.apply_server_side_encryption_by_default() {
                found.mode = match default.sse_algorithm() {
                    ServerSideEncryption::Aes256 => AppliedMode::Known(Mode::SseS3),
                    ServerSideEncryption::AwsKms => AppliedMode::Known(Mode::SseKms),
                    ServerSideEncryption::AwsKmsDsse => AppliedMode::Known(Mode::DsseKms),
                    other => AppliedMode::Other(other.as_str().to_owned()),
                };
                found.kms_key = default.kms_master_key_id().map(str::to_owned);
            }
            found.bucket_key |= rule.bucket_key_enabled() == Some(true);
            if let Some(blocked) = rule.blocked_encryption_types() {
                let words = blocked.encryption_type().iter().map(|kind| kind.as_str().to_owned());
                found.blocked = Some(words.filter(|word| word != "NONE").collect());
            }
        }
        found
    }
}

/// Finds the rule that aborts uploads first.
fn clean_up(rules: Result<Vec<LifecycleRule>>) -> Result<Option<CleanUp>> {
    let found = rules?
        .iter()
        .filter(|rule| rule.status() == &ExpirationStatus::Enabled)
        .filter_map(of_rule)
        .collect::<Vec<_>>();
    let whole = found.iter().filter(|rule| rule.whole).min_by_key(|rule| rule.days);
    Ok(whole.or_else(|| found.iter().min_by_key(|rule| rule.days)).cloned())
}

fn of_rule(rule: &LifecycleRule) -> Option<CleanUp> {
    let days = rule.abort_incomplete_multipart_upload()?.days_after_initiation()?;
    let prefix = rule.filter().and_then(|filter| filter.prefix());
    #[expect(deprecated, reason = "old rules still have it")]
    let old_prefix = rule.prefix();
    let narrow = rule.filter().is_some_and(|filter| filter.tag().is_some() || filter.and().is_some());
    let whole = !narrow && prefix.or(old_prefix).unwrap_or_default().is_empty();
    Some(CleanUp { days: u32::try_from(days).ok()?, whole })
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{AbortIncompleteMultipartUpload, LifecycleRuleFilter};

    use super::*;

    fn rule(days: i32, prefix: &str, status: ExpirationStatus) -> LifecycleRule {
        LifecycleRule::builder()
            .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
            .status(status)
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build(),
            )
            .build()
            .unwrap()
    }

    #[test]
    fn a_rule_for_the_whole_bucket_counts_before_one_for_a_part() {
        use ExpirationStatus::{Disabled, Enabled};
        let found = |rules: Vec<LifecycleRule>| clean_up(Ok(rules)).unwrap();
        assert_eq!(found(vec![]), None);
        assert_eq!(found(vec![rule(3, "", Disabled)]), None);
        assert_eq!(found(vec![rule(1, "tmp/", Enabled)]), Some(CleanUp { days: 1, whole: false }));
        assert_eq!(
            found(vec![rule(1, "tmp/", Enabled), rule(7, "", Enabled)]),
            Some(CleanUp { days: 7, whole: true })
        );
    }
}
