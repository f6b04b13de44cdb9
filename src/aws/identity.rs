//! Who asks: the access key, and the user or role behind it as AWS STS names it; and whether that account owns a bucket.
//!
//! STS is asked only where it is known to be: at AWS, or at an address that the user has set for it or for all services.
//! Requests to it carry a signature and no secret.

use aws_credential_types::provider::ProvideCredentials;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::interceptors::Bounded;
use crate::aws::retry_policy::NoRetryIfUseless;
use crate::aws::trace::Tracer;
use crate::error::{Error, Result, Subject};
use crate::location::Bucket;

/// A user or role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) arn: String,
    pub(crate) account: String,
}

impl Connection {
    /// The id of the access key, which is public; `None` if requests are not signed, or there are no credentials.
    pub(crate) async fn access_key(&self) -> Option<String> {
        let credentials = self.shared.credentials_provider()?.provide_credentials().await.ok()?;
        Some(credentials.access_key_id().to_owned())
    }

    /// Asks STS who the credentials stand for; `None` where no STS is known. It needs no permission.
    ///
    /// # Errors
    /// What STS refuses, and an answer that names nobody.
    pub(crate) async fn caller_identity(&self) -> Result<Option<Identity>> {
        if self.endpoints.sts.is_none() && !self.is_aws() {
            return Ok(None);
        }
        let mut sts = aws_sdk_sts::config::Builder::from(&self.shared);
        sts.set_endpoint_url(self.endpoints.sts.clone());
        let sts = sts
            .interceptor(Bounded)
            .interceptor(Tracer(self.trace.clone()))
            .retry_classifier(NoRetryIfUseless)
            .build();
        let subject = || Subject::other("AWS STS");
        let answer = aws_sdk_sts::Client::from_conf(sts)
            .get_caller_identity()
            .send()
            .await
            .map_err(|refusal| error::read(subject(), "sts:GetCallerIdentity", refusal))?;
        match (answer.arn(), answer.account()) {
            (Some(arn), Some(account)) => {
                Ok(Some(Identity { arn: arn.to_owned(), account: account.to_owned() }))
            }
            _ => Err(Error::not_understood(subject(), "it names nobody")),
        }
    }

    /// The account that each request demands as the bucket's owner.
    pub(crate) fn demanded_owner(&self) -> Option<String> {
        self.owner()
    }

    /// Asks whether an account owns the bucket, or with `None` whether the bucket may be asked at all.
    ///
    /// # Errors
    /// All but a denial, which is the answer no.
    pub(crate) async fn is_owned_by(&self, bucket: &Bucket, account: Option<&str>) -> Result<bool> {
        let request = self.s3.head_bucket().bucket(bucket.as_str());
        let answer = request.set_expected_bucket_owner(account.map(str::to_owned)).send().await;
        match answer.map_err(|refusal| error::read(bucket, "s3:ListBucket", refusal)) {
            Ok(_) => Ok(true),
            Err(Error::Denied { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
