//! What changes or removes an object where it stands: `UpdateObjectEncryption`, deletes, and uploads to give up.
//!
//! A server that does not know `UpdateObjectEncryption` takes the request's body for a new object and overwrites what was
//! there, with a 200. So it is sent to AWS, and to others only after a scratch object has survived it (`scratch`).
//! Source: UpdateObjectEncryption in the Amazon S3 API reference.

use crate::aws::address::is_aws;
use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::objects::Reader;
use crate::aws::request_fields::{bucket_request, object_request};
use crate::aws::sse;
use crate::error::{Error, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

impl Connection {
    /// Replaces the key of an object, or of one version of it, by a key in AWS KMS; nothing else changes.
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

    /// Removes an object, or one version of it.
    pub(crate) async fn remove(&self, uri: &S3Uri, version_id: Option<&str>) -> Result<()> {
        self.try_remove(uri, version_id, None).await
    }

    /// Removes an object if it still has this ETag; one that is gone already is fine. `key` is its SSE-C key, for servers
    /// that know no condition on a delete: there a HEAD is the closest to it.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` if it is another object by now.
    pub(crate) async fn remove_if(&self, uri: &S3Uri, etag: &str, key: Option<&CustomerKey>) -> Result<()> {
        let removed = match self.try_remove(uri, None, Some(etag)).await {
            Err(Error::Unsupported { .. }) => {
                let reader = Reader { connection: self, uri, version_id: None, key };
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

    /// Gives up multipart uploads of one object that were started since `since` (seconds since 1970): the one with this id,
    /// or, where a crash has swallowed the id, those that have no part yet. None that fits is fine.
    ///
    /// # Errors
    /// What S3 refuses; it takes `s3:ListBucketMultipartUploads`, and without an id `s3:ListMultipartUploadParts`.
    pub(crate) async fn give_up(&self, uri: &S3Uri, id: Option<&str>, since: i64) -> Result<()> {
        for listed in self.uploads_since(uri, since).await? {
            let is_it = match id {
                Some(id) => listed == id,
                None => self.has_no_part(uri, &listed).await?,
            };
            if is_it {
                self.abort(uri, &listed).await?;
            }
        }
        Ok(())
    }

    /// Lists the ids of the multipart uploads of one object that were started since `since`.
    pub(super) async fn uploads_since(&self, uri: &S3Uri, since: i64) -> Result<Vec<String>> {
        let answer = bucket_request!(self, list_multipart_uploads, uri)
            .prefix(&uri.key)
            .send()
            .await
            .map_err(|refusal| error::read(uri, "s3:ListBucketMultipartUploads", refusal))?;
        let ours = answer.uploads().iter().filter(|upload| {
            upload.key() == Some(&uri.key) && upload.initiated().is_some_and(|at| at.secs() >= since)
        });
        Ok(ours.filter_map(|upload| upload.upload_id()).map(str::to_owned).collect())
    }

    pub(super) async fn has_no_part(&self, uri: &S3Uri, id: &str) -> Result<bool> {
        let parts = object_request!(self, list_parts, uri)
            .upload_id(id)
            .send()
            .await
            .map_err(|refusal| error::read(uri, "s3:ListMultipartUploadParts", refusal));
        match parts {
            Ok(parts) => Ok(parts.parts().is_empty()),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Aborts a multipart upload; one that is gone is fine.
    pub(super) async fn abort(&self, uri: &S3Uri, id: &str) -> Result<()> {
        let answer = object_request!(self, abort_multipart_upload, uri).upload_id(id).send().await;
        match answer.map_err(|refusal| error::read(uri, "s3:AbortMultipartUpload", refusal)) {
            Ok(_) | Err(Error::NotFound { .. }) => {
                self.open_uploads.ended(id);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether requests go to AWS itself, and not to a server of another make; known after the first request.
    pub(crate) fn is_aws(&self) -> bool {
        self.origin.host().is_some_and(is_aws)
    }
}
