//! Tests on a scratch object whether a server supports `UpdateObjectEncryption` or an encryption mode.
//!
//! Each test removes its object. The caller chooses the object's key.

use aws_sdk_s3::primitives::ByteStream;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::instruction_file::PutAnswer;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::object_request;
use crate::aws::sse::{self, Applied, AppliedMode};
use crate::encryption::{Mode, ServerSide};
use crate::error::{Aspect, Error, Result, Subject, Unsupported};
use crate::limits::MAX_INSTRUCTION_FILE_BYTES;
use crate::location::S3Uri;

/// The content of the scratch object.
const SCRATCH: &str = "s3seal tries what this server can do; this object can be deleted\n";

impl Connection {
    /// Tests on a scratch object at `uri`, which must not exist, whether the server supports `UpdateObjectEncryption`;
    /// removes the object, also after a failure.
    ///
    /// # Errors
    /// `Unsupported` where the server does not support it, `Tampered` where it reports success and does something else;
    /// what S3 refuses.
    pub(crate) async fn prove_update(&self, uri: &S3Uri, key_arn: &str) -> Result<()> {
        let mut versions = Vec::new();
        let proved = self.try_update(uri, key_arn, &mut versions).await;
        let mut removed = Ok(());
        for version in versions {
            let one = self.remove(uri, version.as_deref()).await;
            removed = removed.and(one);
        }
        proved.and(removed)
    }

    /// Adds every version that it creates to `versions`.
    async fn try_update(&self, uri: &S3Uri, key_arn: &str, versions: &mut Vec<Option<String>>) -> Result<()> {
        let put = self.put_scratch(uri, &ServerSide::SseS3).await?;
        versions.push(put.version_id.clone());
        let updated = self.update_encryption(uri, None, key_arn, false).await;
        let reader = ObjectReader { connection: self, uri, version_id: None, key: None };
        let head = reader.head().await?;
        if head.version_id != put.version_id {
            versions.push(head.version_id.clone());
        }
        updated.map_err(|refusal| match refusal {
            Error::Unsupported { why, .. } => {
                Error::unsupported(Subject::Server, Unsupported::NoUpdateInPlace(why.to_string()))
            }
            refusal => refusal,
        })?;
        let content = reader.whole(MAX_INSTRUCTION_FILE_BYTES).await?.unwrap_or_default();
        let kept = content == SCRATCH.as_bytes() && head.etag == put.etag;
        let as_asked = head.applied.mode == AppliedMode::Known(Mode::SseKms)
            && head.applied.kms_key.as_deref().is_none_or(|key| key == key_arn);
        let why = match (kept, as_asked) {
            (true, true) => return Ok(()),
            (false, _) => {
                "it does not support UpdateObjectEncryption: the request overwrote a scratch object; nothing else was \
                 touched, but updates in place would destroy data there"
            }
            (true, false) => {
                "it does not support UpdateObjectEncryption: it reported success and changed nothing"
            }
        };
        Err(Error::tampered(Subject::Server, why))
    }

    /// Tests on a scratch object at `uri`, which must not exist, whether the server applies a mode; removes the object,
    /// also after a failure.
    ///
    /// # Errors
    /// `NotAsAsked` where the server does not apply it; what S3 refuses.
    pub(crate) async fn prove_mode(&self, uri: &S3Uri, sse: &ServerSide) -> Result<()> {
        let written = self.put_scratch(uri, sse).await?;
        let proved = self.try_mode(uri, sse, &written.applied).await;
        let removed = match (&written.version_id, &written.etag) {
            (None, Some(etag)) => self.remove_if(uri, etag, sse::customer_key(Some(sse))).await,
            (version, _) => self.remove(uri, version.as_deref()).await,
        };
        proved.and(removed)
    }

    /// The answer to the write must name the mode, and so must HEAD; with SSE-C, a GET without the key must fail.
    async fn try_mode(&self, uri: &S3Uri, sse: &ServerSide, answered: &Applied) -> Result<()> {
        let ignored = |got: String| Error::NotAsAsked {
            subject: uri.into(),
            aspect: Aspect::Encryption,
            asked: sse::describe(sse),
            got,
            stored: false,
            version_id: None,
        };
        let key = sse::customer_key(Some(sse));
        let head = ObjectReader { connection: self, uri, version_id: None, key }.head().await?;
        for applied in [answered, &head.applied] {
            if !applied.is_as_asked(Some(sse)) {
                return Err(ignored(applied.to_string()));
            }
        }
        if key.is_none() {
            return Ok(());
        }
        match (ObjectReader { connection: self, uri, version_id: None, key: None })
            .whole(MAX_INSTRUCTION_FILE_BYTES)
            .await
        {
            Ok(_) | Err(Error::TooLarge { .. }) => {
                Err(ignored(format!("{}, and it can be read without the key", head.applied)))
            }
            Err(error @ Error::Network { .. }) => Err(error),
            Err(_) => Ok(()),
        }
    }

    async fn put_scratch(&self, uri: &S3Uri, sse: &ServerSide) -> Result<PutAnswer> {
        let request =
            object_request!(self, put_object, uri).body(ByteStream::from_static(SCRATCH.as_bytes()));
        let answer = sse::put(request, Some(sse)).send().await;
        let answer = answer.map_err(|refusal| error::read(uri, "s3:PutObject", refusal))?;
        Ok(PutAnswer {
            etag: answer.e_tag().map(str::to_owned),
            version_id: answer.version_id().map(str::to_owned),
            applied: Applied::from(&answer),
        })
    }
}
