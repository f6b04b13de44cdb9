//! Finding and aborting multipart uploads.
//!
//! Source: ListMultipartUploads, ListParts and AbortMultipartUpload in the Amazon S3 API reference.

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::request_fields::{bucket_request, object_request};
use crate::error::{Error, Result};
use crate::location::S3Uri;

impl Connection {
    /// Aborts multipart uploads of one object that were created since `since` (seconds since 1970): the one with this
    /// id, or, if a crash lost the id, those without parts. Succeeds if there is none.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListBucketMultipartUploads`, and without an id `s3:ListMultipartUploadParts`.
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

    /// Lists the ids of the multipart uploads of one object that were created since `since`.
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

    /// Aborts a multipart upload; succeeds if it is already gone.
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
}
