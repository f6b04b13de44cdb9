//! Questions that change nothing, and whose answers show whether an action is allowed: about an object that does not
//! exist, or about an upload that nobody has begun.
//!
//! S3 looks at permissions first, so that what is denied is refused as such, and what is allowed ends with "no such key" or
//! "no such upload". A server that does not know a question stores nothing for it: none of them is a PUT.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ObjectAttributes};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::request_fields::{bucket_request, object_request};
use crate::error::{Error, Result, Subject};
use crate::location::S3Uri;

/// The id of an upload that nobody has begun.
const NO_UPLOAD: &str = "s3seal-asks-about-no-upload";

impl Connection {
    /// Asks a question that takes this action; `uri` is an object that does not exist. `None` if no question is harmless.
    ///
    /// # Errors
    /// What S3 answers, except that the object or the upload does not exist: then the action is allowed.
    pub(crate) async fn ask_harmlessly(&self, action: &str, uri: &S3Uri) -> Option<Result<()>> {
        let folder = uri.with_key(uri.folder());
        let answer = match action {
            "s3:ListBucket" => self.list_one(&folder).await,
            "s3:ListBucketMultipartUploads" => {
                let request = bucket_request!(self, list_multipart_uploads, folder).max_uploads(1);
                let request = request.set_prefix((!folder.key.is_empty()).then(|| folder.key.clone()));
                read(request.send().await, Subject::prefix(&folder), action)
            }
            "s3:GetObject" => {
                let request = object_request!(self, get_object, uri).range("bytes=0-0");
                read(request.send().await, uri.into(), action)
            }
            "s3:GetObjectTagging" => {
                read(object_request!(self, get_object_tagging, uri).send().await, uri.into(), action)
            }
            "s3:GetObjectAcl" => {
                read(object_request!(self, get_object_acl, uri).send().await, uri.into(), action)
            }
            "s3:GetObjectAttributes" => {
                let request = object_request!(self, get_object_attributes, uri);
                let request = request.object_attributes(ObjectAttributes::ObjectSize);
                read(request.send().await, uri.into(), action)
            }
            "s3:ListObjectAnnotations" => {
                read(object_request!(self, list_object_annotations, uri).send().await, uri.into(), action)
            }
            "s3:PutObject" => {
                let part = CompletedPart::builder().part_number(1).e_tag("\"none\"").build();
                let parts = CompletedMultipartUpload::builder().parts(part).build();
                let request = object_request!(self, complete_multipart_upload, uri).upload_id(NO_UPLOAD);
                read(request.multipart_upload(parts).send().await, uri.into(), action)
            }
            "s3:AbortMultipartUpload" => {
                let request = object_request!(self, abort_multipart_upload, uri).upload_id(NO_UPLOAD);
                read(request.send().await, uri.into(), action)
            }
            "s3:ListMultipartUploadParts" => {
                let request = object_request!(self, list_parts, uri).upload_id(NO_UPLOAD);
                read(request.send().await, uri.into(), action)
            }
            _ => return None,
        };
        Some(match answer {
            Err(Error::NotFound { .. }) => Ok(()),
            answer => answer,
        })
    }
}

fn read<T, E: error::Coded>(
    answer: std::result::Result<T, error::Refused<E>>,
    subject: Subject,
    action: &str,
) -> Result<()> {
    answer.map(drop).map_err(|refusal| error::read(subject, action, refusal))
}
