//! Writing an instruction file together with its object.
//!
//! S3 cannot write two objects at once. The file is written just before its object; if that
//! fails, the file that was there before is restored, so that the old object stays readable.

use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::object_head::etag_of;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::{legal_hold, lock_mode, lock_until, object_request};
use crate::aws::sse::{self, Applied};
use crate::checksum::Algorithm;
use crate::encryption::ServerSide;
use crate::error::{Error, Result};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;
use crate::object::{INSTRUCTION_FILE_MARKER, Lock, WriteCondition};

/// An instruction file to write.
pub(crate) struct PendingInstructionFile<'a> {
    connection: &'a Connection,
    /// Its own URI.
    uri: S3Uri,
    /// The object that it belongs to.
    of: &'a S3Uri,
    content: &'a str,
    on_replace: Option<OnReplace<'a>>,
    before: Mutex<Option<Before>>,
}

/// What is replaced, and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replacement {
    /// The server; `None` for AWS.
    pub(crate) endpoint: Option<String>,
    /// The file's own address.
    pub(crate) uri: String,
    /// The ETag of the object to which the old file belongs.
    pub(crate) object_etag: String,
    /// The old file.
    pub(crate) old: String,
    /// The new one.
    pub(crate) new: String,
}

/// Called before the file of an object that is there is replaced. Returns the file that belongs to the object: another one than
/// is there, if an earlier run was killed after it had replaced it.
pub(crate) type OnReplace<'a> = &'a (dyn Fn(Replacement) -> String + Sync);

/// The previous instruction file, and the object's ETag to detect that the object has changed since.
struct Before {
    content: Option<Bytes>,
    /// The version that replaced it; in a versioned bucket, deleting this one restores the previous one. None, if the previous one
    /// was not the object's.
    written_version: Option<String>,
    /// The object's ETag before the write.
    object_etag: Option<String>,
}

impl<'a> PendingInstructionFile<'a> {
    /// Prepares the instruction file `uri` of the object `of`; nothing is written yet.
    pub(crate) fn new(connection: &'a Connection, uri: S3Uri, of: &'a S3Uri, content: &'a str) -> Self {
        Self { connection, uri, of, content, on_replace: None, before: Mutex::new(None) }
    }

    /// The same, which calls `on_replace`.
    pub(crate) fn calling(self, on_replace: OnReplace<'a>) -> Self {
        Self { on_replace: Some(on_replace), ..self }
    }

    /// Writes the file, encrypted at rest and locked like the object, and remembers what it replaced. Returns what the
    /// answer says about its encryption.
    ///
    /// # Errors
    /// What S3 refuses; `NotUnderstood` if the answer has no ETag, and the file is not stored as it was sent.
    pub(super) async fn write(&self, sse: Option<&ServerSide>, lock: &Lock) -> Result<Applied> {
        let found = self.there().await?;
        let (mut content, object_etag) = (found.clone(), self.object_etag().await?);
        if let (Some(content), Some(object_etag)) = (&mut content, &object_etag) {
            // What is not text is no instruction file.
            if let (Some(on_replace), Ok(old)) = (self.on_replace, str::from_utf8(content)) {
                *content = on_replace(self.replacement(old, object_etag)).into();
            }
            let content = String::from_utf8_lossy(content).into_owned();
            self.connection.open_uploads.replacing(&self.uri, content);
        }
        let belonged = content == found;
        self.keep(Some(Before { content, written_version: None, object_etag }));
        let content = Bytes::copy_from_slice(self.content.as_bytes());
        let written = self.put(content.clone(), sse, lock, &WriteCondition::None).await?;
        if let Some(before) = self.before.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            before.written_version = written.version_id.filter(|_| belonged);
        }
        // Some servers leave the ETag empty; then the content shows whether the file is stored.
        if etag_of(written.etag.as_deref()).is_none()
            && self.reader(&self.uri).whole(MAX_INSTRUCTION_FILE_BYTES).await? != Some(content)
        {
            return Err(Error::not_understood(
                &self.uri,
                "it has no ETag, and GET finds another object or none",
            ));
        }
        Ok(written.applied)
    }

    fn replacement(&self, old: &str, object_etag: &str) -> Replacement {
        Replacement {
            endpoint: self.connection.s3_url().map(str::to_owned),
            uri: self.uri.to_string(),
            object_etag: object_etag.to_owned(),
            old: old.to_owned(),
            new: self.content.to_owned(),
        }
    }

    /// What is there now, if anything is.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(super) async fn there(&self) -> Result<Option<Bytes>> {
        self.reader(&self.uri).whole(MAX_INSTRUCTION_FILE_BYTES).await
    }

    /// Records that its object is stored.
    pub(super) fn belongs(&self) {
        self.connection.open_uploads.belongs(&self.uri);
    }

    /// Restores the previous file, unless the object was written after all, or somebody else has written the file
    /// since. The error that led here is the one to report; what could not be restored is reported at the end of the run.
    pub(super) async fn put_back(&self, sse: Option<&ServerSide>) {
        let Some(before) = self.take() else { return };
        // The answer may have been lost, so the object's ETag decides, not the error.
        let is_right = match self.object_etag().await {
            Ok(etag) if etag == before.object_etag => {
                let removed = match before.written_version {
                    Some(version) => self.connection.remove(&self.uri, Some(&version)).await.is_ok(),
                    None => false,
                };
                // A version that is locked stays; one above it hides it.
                removed || self.replace_ours(before.content, sse).await.is_ok()
            }
            Ok(_) => true,
            Err(_) => false,
        };
        if is_right {
            self.belongs();
        }
    }

    /// Replaces the file with the previous one, or removes it, if it is still the one written here.
    async fn replace_ours(&self, before: Option<Bytes>, sse: Option<&ServerSide>) -> Result<()> {
        // The answer to the write may have been lost, and with it the ETag, so the content is compared.
        let now =
            self.reader(&self.uri).whole_with_head(MAX_INSTRUCTION_FILE_BYTES).await?.unwrap_or_default();
        let is_ours = now.body.as_deref() == Some(self.content.as_bytes());
        let Some(etag) = now.etag.filter(|_| is_ours) else { return Ok(()) };
        let Some(before) = before else { return self.connection.remove_if(&self.uri, &etag, None).await };
        let condition = WriteCondition::Matches(etag);
        let lock = Lock::default();
        match self.put(before.clone(), sse, &lock, &condition).await {
            // The server does not support the condition; the comparison above is the next best.
            Err(Error::Unsupported { .. }) => {
                self.put(before, sse, &lock, &WriteCondition::None).await.map(|_| ())
            }
            written => written.map(|_| ()),
        }
    }

    fn keep(&self, before: Option<Before>) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = before;
    }

    fn take(&self) -> Option<Before> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn reader<'b>(&'b self, uri: &'b S3Uri) -> ObjectReader<'b> {
        ObjectReader { connection: self.connection, uri, version_id: None, key: None }
    }

    async fn object_etag(&self) -> Result<Option<String>> {
        match self.reader(self.of).head().await {
            Ok(head) => Ok(head.etag),
            // No object, or one in SSE-C, which has no envelope.
            Err(Error::NotFound { .. } | Error::KeyNeeded { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn put(
        &self,
        content: Bytes,
        sse: Option<&ServerSide>,
        lock: &Lock,
        condition: &WriteCondition,
    ) -> Result<PutAnswer> {
        self.connection.put_instruction(&self.uri, content, sse, lock, condition).await
    }
}

impl Connection {
    /// Writes an instruction file.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` or `TargetExists` where the condition does not hold.
    pub(crate) async fn put_instruction(
        &self,
        uri: &S3Uri,
        content: Bytes,
        sse: Option<&ServerSide>,
        lock: &Lock,
        condition: &WriteCondition,
    ) -> Result<PutAnswer> {
        // S3 takes a lock only together with a checksum.
        let checksum = (*lock != Lock::default()).then(|| Algorithm::Crc64Nvme.sum(&content).base64());
        let request = object_request!(self, put_object, uri)
            .body(ByteStream::from(content))
            .set_checksum_crc64_nvme(checksum)
            .content_type("application/json")
            .metadata(INSTRUCTION_FILE_MARKER, "")
            .set_object_lock_mode(lock_mode(lock))
            .set_object_lock_retain_until_date(lock_until(lock))
            .set_object_lock_legal_hold_status(legal_hold(lock))
            .set_if_none_match((*condition == WriteCondition::Absent).then(|| "*".to_owned()))
            .set_if_match(match condition {
                WriteCondition::Matches(etag) => Some(etag.clone()),
                _ => None,
            });
        let answer = sse::put(request, sse).send().await;
        let answer = answer.map_err(|refusal| match error::read(uri, "s3:PutObject", refusal) {
            Error::Changed { subject, .. } if *condition == WriteCondition::Absent => {
                Error::TargetExists { subject }
            }
            error => error,
        })?;
        Ok(PutAnswer {
            etag: answer.e_tag().map(str::to_owned),
            version_id: answer.version_id().map(str::to_owned),
            applied: Applied::from(&answer),
        })
    }
}

/// What S3 says of a small object that it has stored.
#[derive(Clone, Debug)]
pub(crate) struct PutAnswer {
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub(crate) version_id: Option<String>,
    /// What S3 says it applied.
    pub(crate) applied: Applied,
}
