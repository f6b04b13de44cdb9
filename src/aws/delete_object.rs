//! Deleting objects, with and without a condition.

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::object_request;
use crate::error::{Error, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

impl Connection {
    /// Removes an object, or one version of it. In a bucket with versions an object without one gets a delete marker.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:DeleteObject`, or `s3:DeleteObjectVersion` for a version.
    pub(crate) async fn remove(&self, uri: &S3Uri, version_id: Option<&str>) -> Result<()> {
        self.try_remove(uri, version_id, None).await
    }

    /// Removes an object if it still has this ETag; succeeds if it is already gone. `key` is its SSE-C key, for servers
    /// without conditional deletes: there a HEAD before the delete compares the ETag.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` if the object has another ETag.
    pub(crate) async fn remove_if(&self, uri: &S3Uri, etag: &str, key: Option<&CustomerKey>) -> Result<()> {
        let removed = match self.try_remove(uri, None, Some(etag)).await {
            Err(Error::Unsupported { .. }) => {
                let reader = ObjectReader { connection: self, uri, version_id: None, key };
                if reader.head().await?.etag.as_deref() != Some(etag) {
                    return Err(Error::Changed { subject: uri.into(), source: None });
                }
                self.try_remove(uri, None, None).await
            }
            removed => removed,
        };
        match removed {
            Err(Error::NotFound { .. }) => Ok(()),
            removed => removed,
        }
    }

    async fn try_remove(&self, uri: &S3Uri, version_id: Option<&str>, etag: Option<&str>) -> Result<()> {
        object_request!(self, delete_object, uri, version_id)
            .set_if_match(etag.map(str::to_owned))
            .send()
            .await
            .map(|_| ())
            .map_err(|refusal| error::read(uri, "s3:DeleteObject", refusal))
    }
}
