//! `UpdateObjectEncryption`: another key for an object, while its bytes stay.
//!
//! A server that does not know the operation treats the request's body as a new object and overwrites the existing one,
//! with a 200. So it is sent to AWS, and to other servers only after a scratch object has survived it (`scratch`).
//! Source: UpdateObjectEncryption in the Amazon S3 API reference.

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::request_fields::object_request;
use crate::aws::sse;
use crate::error::Result;
use crate::location::S3Uri;

impl Connection {
    /// Replaces the key of an object, or of one version of it, by a key in AWS KMS; nothing else changes. S3 takes no
    /// condition on it: the object may be another one by then.
    pub(crate) async fn update_encryption(
        &self,
        uri: &S3Uri,
        version_id: Option<&str>,
        key_arn: &str,
        bucket_key: bool,
    ) -> Result<()> {
        object_request!(self, update_object_encryption, uri, version_id)
            .set_object_encryption(sse::updated(key_arn, bucket_key))
            .send()
            .await
            .map(|_| ())
            .map_err(|refusal| error::read(uri, "s3:UpdateObjectEncryption", refusal))
    }
}
