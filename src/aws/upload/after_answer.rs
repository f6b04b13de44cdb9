//! What a HEAD tells after a write whose answer was lost, or says too little.

use super::{Completed, UploadTarget};
use crate::aws::interceptors::Unanswered;
use crate::aws::object_head::ObjectHead;
use crate::error::{Error, Result};

impl UploadTarget<'_> {
    /// Finds out with a HEAD whether the object was stored despite the error. When an answer is lost, the request is
    /// retried, and the retry is refused because the first attempt succeeded: the upload is gone, or the condition no
    /// longer holds. If every attempt was answered, the object is another writer's, even if it has the same bytes.
    pub(super) async fn stored_despite_error(
        &self,
        refusal: Error,
        unanswered: &Unanswered,
        checksum: &str,
        len: u64,
    ) -> Result<Completed> {
        let may_be_ours =
            matches!(refusal, Error::NotFound { .. } | Error::Changed { .. } | Error::TargetExists { .. });
        if !may_be_ours || !unanswered.any() {
            return Err(refusal);
        }
        match self.reader().head().await {
            Ok(head)
                if head.len == len && head.checksum.as_ref().is_some_and(|kept| kept.value == checksum) =>
            {
                Ok(Completed {
                    etag: head.etag,
                    version_id: head.version_id,
                    applied: head.applied,
                    checksum: checksum.to_owned(),
                    compared: true,
                })
            }
            _ => Err(refusal),
        }
    }

    /// Adds the encryption from a HEAD where no answer about an upload that went on has named it.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` if the HEAD finds another object, which says nothing about this one.
    pub(super) async fn with_encryption(&self, completed: Completed) -> Result<Completed> {
        let head = self.reader().head().await?;
        let unquoted = |etag: &Option<String>| etag.as_deref().map(|etag| etag.trim_matches('"').to_owned());
        if unquoted(&head.etag) != unquoted(&completed.etag) {
            return Err(Error::Changed { subject: self.subject(), source: None });
        }
        Ok(Completed { applied: head.applied, ..completed })
    }

    /// Adds the ETag from a HEAD where the answer to a write has none: some servers leave it empty. The head must match
    /// what was sent.
    pub(super) async fn with_etag(&self, completed: Completed, len: u64) -> Result<Completed> {
        if completed.etag.is_some() {
            return Ok(completed);
        }
        let other = |head: &ObjectHead| {
            head.len != len || head.checksum.as_ref().is_some_and(|kept| kept.value != completed.checksum)
        };
        match self.reader().head().await {
            Ok(head) if !other(&head) => Ok(Completed { etag: head.etag, ..completed }),
            _ => {
                Err(Error::not_understood(self.uri, "it has no ETag, and HEAD finds another object or none"))
            }
        }
    }
}
