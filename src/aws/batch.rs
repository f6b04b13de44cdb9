//! A job of S3 Batch Operations: S3 lists the objects and gives each another key; s3seal sends no request per object.
//!
//! Jobs are created with S3 Control, a separate service of AWS; another server is used only if the user gives its URL.
//! The one operation is `S3UpdateObjectEncryption`, which keeps everything else about an object.
//! Source: CreateJob in the Amazon S3 Control API reference; "Update object encryption" in the Amazon S3 user guide.

use std::str::FromStr;

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, Region, RuntimeComponents};
use aws_sdk_s3control::config::Builder;
use aws_sdk_s3control::error::BuildError;
use aws_sdk_s3control::types::{
    JobManifestGenerator, JobManifestGeneratorFilter, JobOperation, JobReport, JobReportFormat,
    JobReportScope, KeyNameConstraint, ObjectEncryption, ObjectEncryptionFilter, S3JobManifestGenerator,
    S3UpdateObjectEncryptionOperation, S3UpdateObjectEncryptionSsekms, SsekmsFilter, Sses3Filter,
};
use aws_smithy_runtime_api::box_error::BoxError;

use crate::aws::address::{host_of, is_address, is_aws};
use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::interceptors::Bounded;
use crate::aws::trace::Tracer;
use crate::encryption::KmsKey;
use crate::error::{Error, Result, Subject};
use crate::location::{Bucket, S3Uri};

/// The job's priority among the account's jobs, as in AWS's examples.
pub(crate) const PRIORITY: i32 = 10;

/// The role that a job takes on, by its ARN, which also says whose job it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// The whole ARN.
    pub(crate) arn: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account: twelve digits.
    pub(crate) account: String,
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(arn: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, "iam", "", account, name]
                if account.len() == 12
                    && account.bytes().all(|digit| digit.is_ascii_digit())
                    && name.strip_prefix("role/").is_some_and(|name| !name.is_empty()) =>
            {
                Ok(Self {
                    arn: arn.to_owned(),
                    partition: (*partition).to_owned(),
                    account: (*account).to_owned(),
                })
            }
            _ => Err("write the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME"),
        }
    }
}

/// The current encryption of the objects that a job selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CurrentEncryption {
    /// SSE-S3.
    SseS3,
    /// SSE-KMS with any key.
    SseKms,
    /// SSE-KMS with this key.
    Key(KmsKey),
}

/// A job that gives objects another key in AWS KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The role that S3 assumes.
    pub(crate) role: Role,
    /// The bucket, or the prefix in it.
    pub(crate) place: S3Uri,
    /// What the objects' keys begin with, beyond the place's own prefix.
    pub(crate) beginning: String,
    /// What the objects' keys end with.
    pub(crate) end: Option<String>,
    /// The current encryption of the objects to select; `None` selects all.
    pub(crate) only: Option<CurrentEncryption>,
    /// The new key; S3 requires its ARN.
    pub(crate) key: KmsKey,
    /// Whether S3 may use a bucket key.
    pub(crate) bucket_key: bool,
    /// The account that must own the buckets.
    pub(crate) owner: String,
    /// Where the report about what failed is written.
    pub(crate) report: S3Uri,
}

impl Job {
    /// The ARN of a bucket in the job's partition.
    pub(crate) fn arn_of(&self, bucket: &Bucket) -> String {
        format!("arn:{}:s3:::{bucket}", self.role.partition)
    }

    /// What the objects' keys begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("{}{}", self.place.key, self.beginning)
    }

    /// The report's prefix without a trailing slash, as S3 requires.
    pub(crate) fn report_prefix(&self) -> &str {
        self.report.key.trim_end_matches('/')
    }

    /// The description in lists of jobs: at most 256 characters.
    pub(crate) fn description(&self) -> String {
        format!("s3seal rotate {}", self.place).chars().take(256).collect()
    }
}

/// A client of S3 Control, which creates jobs.
pub(crate) struct Control(aws_sdk_s3control::Client);

impl Connection {
    /// Makes the client of S3 Control; sends nothing.
    ///
    /// # Errors
    /// `Unsupported` where S3 is not AWS and no URL is given for S3 Control.
    pub(crate) fn control(&self) -> Result<Control> {
        let mut config = Builder::from(&self.shared)
            .interceptor(Unprefixed)
            .interceptor(Bounded)
            .interceptor(Tracer(self.trace.clone()))
            .interceptor(self.keep_trying.clone());
        if let (None, Some(url)) = (&self.endpoints.control, &self.endpoints.s3)
            && !host_of(url).is_some_and(|host| is_aws(&host))
        {
            let why = "S3 Batch Operations exists only on AWS".to_owned();
            return Err(Error::unsupported(Subject::other(url.clone()), why));
        }
        config.set_endpoint_url(self.endpoints.control.clone());
        Ok(Control(aws_sdk_s3control::Client::from_conf(config.build())))
    }

    /// Checks that a bucket exists in the region in which the job is created. A job with a bucket in another region
    /// would fail long after its creation.
    ///
    /// # Errors
    /// `NotFound`, `WrongRegion`, `Network`. A denied check is no error: permission to create jobs does not include it.
    pub(crate) async fn reach_bucket(&self, bucket: &Bucket) -> Result<()> {
        let subject = Subject::from(bucket);
        match self.bucket_region(bucket).await {
            Ok(Some(region)) => match self.s3.config().region().map(Region::as_ref) {
                Some(asked) if asked != region => {
                    let asked = Some(asked.to_owned());
                    Err(Error::WrongRegion { subject, region: Some(region), asked, source: None })
                }
                _ => Ok(()),
            },
            Err(error @ (Error::NotFound { .. } | Error::WrongRegion { .. } | Error::Network { .. })) => {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

impl Control {
    /// Creates a job in the account of its role, which starts without confirmation; returns its id. The SDK sends the same
    /// idempotency token with each attempt, so a lost answer creates no second job.
    ///
    /// # Errors
    /// What S3 Control refuses; it requires `s3:CreateJob`, and `iam:PassRole` on the role.
    pub(crate) async fn create_job(&self, job: &Job) -> Result<String> {
        let subject = Subject::prefix(&job.place);
        let unbuilt = |error: BuildError| Error::unsupported(&subject, error.to_string());
        let answer = self
            .0
            .create_job()
            .account_id(&job.role.account)
            .confirmation_required(false)
            .operation(operation(job).map_err(unbuilt)?)
            .manifest_generator(generator(job).map_err(unbuilt)?)
            .report(report(job))
            .description(job.description())
            .priority(PRIORITY)
            .role_arn(&job.role.arn)
            .send()
            .await
            .map_err(|refusal| error::read(&subject, "s3:CreateJob", refusal))?;
        answer.job_id.ok_or_else(|| Error::tampered(Subject::Server, "it has no job ID"))
    }
}

fn operation(job: &Job) -> Result<JobOperation, BuildError> {
    let key = S3UpdateObjectEncryptionSsekms::builder()
        .kms_key_arn(job.key.as_str())
        .bucket_key_enabled(job.bucket_key);
    let encryption = ObjectEncryption::builder().ssekms(key.build()?).build();
    let update = S3UpdateObjectEncryptionOperation::builder().object_encryption(encryption).build();
    Ok(JobOperation::builder().s3_update_object_encryption(update).build())
}

fn generator(job: &Job) -> Result<JobManifestGenerator, BuildError> {
    let mut filter = JobManifestGeneratorFilter::builder();
    let prefix = Some(job.prefix()).filter(|prefix| !prefix.is_empty());
    if prefix.is_some() || job.end.is_some() {
        let constraint = KeyNameConstraint::builder()
            .set_match_any_prefix(prefix.map(|prefix| vec![prefix]))
            .set_match_any_suffix(job.end.clone().map(|end| vec![end]));
        filter = filter.key_name_constraint(constraint.build());
    }
    let under = job.only.as_ref().map(|only| match only {
        CurrentEncryption::SseS3 => ObjectEncryptionFilter::Sses3(Sses3Filter::builder().build()),
        CurrentEncryption::SseKms => ObjectEncryptionFilter::Ssekms(SsekmsFilter::builder().build()),
        CurrentEncryption::Key(key) => {
            ObjectEncryptionFilter::Ssekms(SsekmsFilter::builder().kms_key_arn(key.as_str()).build())
        }
    });
    filter = filter.set_match_any_object_encryption(under.map(|under| vec![under]));
    S3JobManifestGenerator::builder()
        .expected_bucket_owner(&job.owner)
        .source_bucket(job.arn_of(&job.place.bucket))
        .enable_manifest_output(false)
        .filter(filter.build())
        .build()
        .map(JobManifestGenerator::S3JobManifestGenerator)
}

fn report(job: &Job) -> JobReport {
    JobReport::builder()
        .enabled(true)
        .bucket(job.arn_of(&job.report.bucket))
        .prefix(job.report_prefix())
        .format(JobReportFormat::ReportCsv20180820)
        .report_scope(JobReportScope::FailedTasksOnly)
        .expected_bucket_owner(&job.owner)
        .build()
}

/// The SDK prefixes the host with the account, which an IP address or localhost cannot have. The account is in a
/// header, too.
#[derive(Debug)]
struct Unprefixed;

impl Intercept for Unprefixed {
    fn name(&self) -> &'static str {
        "Unprefixed"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let request = context.request_mut();
        if let Some(uri) = unprefixed(request.uri()) {
            request.set_uri(uri)?;
        }
        Ok(())
    }
}

/// The URL without the account prefix, if its host is an IP address or localhost.
fn unprefixed(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let (account, bare) = rest.split_once('.')?;
    let uri = format!("{scheme}://{bare}");
    let is_account = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    (is_account && is_address(&uri)).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_says_whose_job_it_is() {
        let role: Role = "arn:aws-cn:iam::111122223333:role/path/batch".parse().unwrap();
        assert_eq!((&*role.partition, &*role.account), ("aws-cn", "111122223333"));
        for text in [
            "batch",
            "arn:aws:iam::111122223333:user/u",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::1111:role/r",
            "arn:aws:iam::11112222333x:role/r",
            "arn:aws:s3:::role/r",
        ] {
            assert!(text.parse::<Role>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_an_address_goes_without_the_account() {
        for (uri, bare) in [
            ("https://111122223333.127.0.0.1:9/v1", Some("https://127.0.0.1:9/v1")),
            ("https://111122223333.localhost:9/v1", Some("https://localhost:9/v1")),
            ("https://111122223333.s3-control.us-east-1.amazonaws.com/v1", None),
            ("https://127.0.0.1:9/v1", None),
        ] {
            assert_eq!(unprefixed(uri).as_deref(), bare, "{uri}");
        }
    }
}
