//! Uploads: in one request, or in parts.
//!
//! An [`UploadTarget`] is what all requests of an upload share. Bodies are bytes in memory or in a file, so that the SDK
//! can send them again.

use std::time::Instant;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::instruction_file::PendingInstructionFile;
use crate::aws::interceptors::Unanswered;
use crate::aws::object_head::etag_of;
use crate::aws::read_object::ObjectReader;
use crate::aws::request_fields::{
    object_request, sdk_algorithm, sdk_type, set_checksum, set_content_headers, set_properties, tagging,
};
use crate::aws::sse::{self, Applied, AppliedMode};
use crate::checksum::{Algorithm, Sum};
use crate::encryption::ServerSide;
use crate::error::{Aspect, Error, Result, Subject};
use crate::location::S3Uri;
use crate::object::{Settings, WriteCondition};
use crate::rules::Requirements;

mod after_answer;
mod found;
mod part_body;

pub(crate) use found::FoundUpload;
pub(crate) use part_body::PartBody;
pub(super) use part_body::is_unreadable;

/// Called with the id of a multipart upload once it is created; an error aborts the upload.
pub(crate) type OnStart<'a> = Option<&'a (dyn Fn(&str) -> Result<()> + Sync)>;

/// Where and how an object is uploaded: everything but the bytes.
pub(crate) struct UploadTarget<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) uri: &'a S3Uri,
    /// What S3 is asked to do to the bytes; `None` is the bucket's default.
    pub(crate) sse: Option<&'a ServerSide>,
    /// What rules demand of the object, where the answers are to show it; `rotate` asks afterwards.
    pub(crate) rules: Option<&'a Requirements>,
    /// Whether the bytes are client-side ciphertext.
    pub(crate) client_side: bool,
    /// Headers, metadata, tags.
    pub(crate) settings: &'a Settings,
    /// The condition of the write.
    pub(crate) condition: &'a WriteCondition,
    /// The checksum sent along.
    pub(crate) algorithm: Algorithm,
    /// The object's instruction file, written just before the object.
    pub(crate) instruction_file: Option<PendingInstructionFile<'a>>,
    /// Records the upload, to find it again after a crash.
    pub(crate) on_start: OnStart<'a>,
    /// Whether the same command can go on with the upload after this process has ended.
    pub(crate) is_resumable: bool,
    /// The upload of an earlier run to go on with.
    pub(crate) found: Option<FoundUpload>,
}

/// A multipart upload in progress.
pub(crate) struct Started {
    pub(super) id: String,
    pub(super) applied: Applied,
    /// Whether an earlier run started it, so that nobody knows what its answer said.
    is_found: bool,
}

/// A part that S3 has stored.
pub(crate) struct Sent {
    pub(super) part: CompletedPart,
    pub(super) applied: Applied,
}

impl Sent {
    /// The part's number, counted from 1.
    pub(crate) fn number(&self) -> i32 {
        self.part.part_number().unwrap_or_default()
    }
}

/// An object that S3 has stored.
#[derive(Clone, Debug)]
pub(crate) struct Completed {
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub(crate) version_id: Option<String>,
    /// What S3 says it applied.
    pub(crate) applied: Applied,
    /// The object's checksum as sent: base64, with `-N` for a composite.
    pub(crate) checksum: String,
    /// Whether S3's answer was lost, and a comparison identified the stored object as the one sent.
    pub(crate) compared: bool,
}

impl UploadTarget<'_> {
    /// The object, for messages.
    pub(crate) fn subject(&self) -> Subject {
        self.uri.into()
    }

    /// The checksum sent along.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Stores the object in one request.
    ///
    /// # Errors
    /// What S3 refuses; `NotAsAsked` where it did not apply the requested encryption.
    pub(crate) async fn put(&self, body: PartBody, sum: &Sum) -> Result<Completed> {
        self.write_instruction_file().await?;
        self.if_matching(|etag| self.put_once(body.clone(), sum, etag)).await
    }

    async fn put_once(&self, body: PartBody, sum: &Sum, if_match: Option<String>) -> Result<Completed> {
        let connection = self.connection;
        let len = body.len();
        let request = object_request!(connection, put_object, self.uri);
        let request = set_properties!(set_content_headers!(request, self.settings), self.settings)
            .set_tagging(tagging(self.settings))
            .checksum_algorithm(sdk_algorithm(self.algorithm))
            .body(body.into_stream())
            .set_if_none_match(self.if_none_match())
            .set_if_match(if_match);
        let request = sse::put(set_checksum!(request, self.algorithm, sum.base64()), self.sse);
        let unanswered = Unanswered::default();
        let request = request.customize().interceptor(unanswered.clone());
        // Nothing moves of an empty body.
        let request = if len == 0 { request } else { request.config_override(connection.while_it_moves()) };
        let completed = match request.send().await {
            Ok(answer) => {
                let completed = Completed {
                    etag: etag_of(answer.e_tag()),
                    version_id: answer.version_id().map(str::to_owned),
                    applied: Applied::from(&answer),
                    checksum: sum.base64(),
                    compared: false,
                };
                self.with_etag(completed, len).await?
            }
            Err(refusal) => {
                let refusal = self.refused("s3:PutObject", refusal);
                self.stored_despite_error(refusal, &unanswered, &sum.base64(), len).await?
            }
        };
        self.check(&completed.applied, true, completed.version_id.as_deref())?;
        Ok(completed)
    }

    /// Starts a multipart upload, or goes on with the one that was found.
    pub(crate) async fn start(&self) -> Result<Started> {
        let connection = self.connection;
        if let Some(found) = &self.found {
            connection.open_uploads.found(self.uri, found.id());
            return Ok(found.started());
        }
        let request = object_request!(connection, create_multipart_upload, self.uri);
        let request = set_properties!(set_content_headers!(request, self.settings), self.settings)
            .set_tagging(tagging(self.settings))
            .checksum_algorithm(sdk_algorithm(self.algorithm))
            .checksum_type(sdk_type(self.algorithm));
        let unanswered = Unanswered::default();
        let request = sse::create(request, self.sse).customize().interceptor(unanswered.clone());
        let (asked, open) = (Instant::now(), &connection.open_uploads);
        open.starting(self.uri);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(refusal) => {
                let error = self.refused("s3:PutObject", refusal);
                if !unanswered.any() && !matches!(error, Error::NotUnderstood { .. }) {
                    open.answered(self.uri, None);
                }
                return Err(self.without_unidentified_upload(error, asked.elapsed()).await);
            }
        };
        let Some(id) = answer.upload_id().filter(|id| !id.is_empty()).map(str::to_owned) else {
            let error = Error::not_understood(self.uri, "it has no upload ID");
            return Err(self.without_unidentified_upload(error, asked.elapsed()).await);
        };
        if unanswered.any() {
            // An earlier attempt may have created an upload, too.
            open.starting(self.uri);
        }
        open.answered(self.uri, Some(&id));
        let started = Started { id, applied: Applied::from(&answer), is_found: false };
        if let Some(Err(error)) = self.on_start.map(|tell| tell(&started.id)) {
            self.abort(&started).await;
            return Err(error);
        }
        if self.is_resumable {
            open.keep(&started.id);
        }
        Ok(started)
    }

    /// Sends one part.
    ///
    /// # Errors
    /// What S3 refuses; `NotAsAsked` where neither the start's answer nor this one confirms the requested encryption.
    pub(crate) async fn send(
        &self,
        started: &Started,
        number: u32,
        body: PartBody,
        sum: &Sum,
    ) -> Result<Sent> {
        let connection = self.connection;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let request = object_request!(connection, upload_part, self.uri)
            .upload_id(&started.id)
            .part_number(number)
            .body(body.into_stream())
            .checksum_algorithm(sdk_algorithm(self.algorithm));
        let request = set_checksum!(request, self.algorithm, sum.base64());
        let request = sse::part(request, sse::customer_key(self.sse));
        let request = request.customize().config_override(connection.while_it_moves());
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(refusal) => {
                let error = self.refused("s3:PutObject", refusal);
                // A server that ignored the mode at the start may refuse the key that comes with the part.
                if matches!(error, Error::Service { .. }) && !started.is_found {
                    self.check(&started.applied, false, None)?;
                }
                return Err(error);
            }
        };
        let applied = started.applied.then(&Applied::from(&answer));
        // Some servers say it only at the start; then a HEAD of the object says it.
        if !(started.is_found && applied.mode == AppliedMode::NotSaid) {
            self.check(&applied, false, None)?;
        }
        let Some(etag) = etag_of(answer.e_tag()) else {
            return Err(Error::not_understood(self.uri, "it has no ETag for a part"));
        };
        let part = CompletedPart::builder().part_number(number).e_tag(etag);
        Ok(Sent { part: set_checksum!(part, self.algorithm, sum.base64()).build(), applied })
    }

    /// Completes the upload from its parts, in order. `whole` is the object's checksum, if known.
    ///
    /// # Errors
    /// What S3 refuses, also with an error inside a 200, which the SDK returns as one; `NotAsAsked` and `Tampered` where its
    /// answer differs from what was sent.
    pub(crate) async fn complete(
        &self,
        started: &Started,
        sent: Vec<Sent>,
        whole: Option<&str>,
        len: u64,
    ) -> Result<Completed> {
        let connection = self.connection;
        let applied = sent.iter().fold(Applied::default(), |applied, sent| applied.then(&sent.applied));
        let parts = sent.into_iter().map(|sent| sent.part).collect();
        let request = object_request!(connection, complete_multipart_upload, self.uri)
            .upload_id(&started.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .mpu_object_size(i64::try_from(len).unwrap_or(i64::MAX))
            .checksum_type(sdk_type(self.algorithm))
            .set_if_none_match(self.if_none_match());
        // A composite is computed by S3 from the parts' sums; only a full-object one can be sent.
        let request = match whole {
            Some(whole) if self.algorithm.is_full_object() => set_checksum!(request, self.algorithm, whole),
            _ => request,
        };
        let whole = whole.unwrap_or_default();
        let request = sse::complete(request, sse::customer_key(self.sse));
        self.write_instruction_file().await?;
        let ask = async |if_match| {
            let request = request.clone().set_if_match(if_match);
            let unanswered = Unanswered::default();
            let request = request
                .customize()
                .config_override(connection.timeout_for_server_work())
                .interceptor(unanswered.clone());
            match request.send().await {
                Ok(answer) => {
                    connection.open_uploads.ended(&started.id);
                    let completed = Completed {
                        etag: etag_of(answer.e_tag()),
                        version_id: answer.version_id().map(str::to_owned),
                        applied: applied.then(&Applied::from(&answer)),
                        checksum: whole.to_owned(),
                        compared: false,
                    };
                    self.with_etag(completed, len).await
                }
                Err(refusal) => {
                    let refusal = self.refused("s3:PutObject", refusal);
                    let completed = self.stored_despite_error(refusal, &unanswered, whole, len).await?;
                    // The object may be another writer's with the same bytes; then the upload still exists.
                    self.abort(started).await;
                    Ok(completed)
                }
            }
        };
        let mut completed = self.if_matching(ask).await?;
        if started.is_found && completed.applied.mode == AppliedMode::NotSaid {
            completed = self.with_encryption(completed).await?;
        }
        self.check(&completed.applied, true, completed.version_id.as_deref())?;
        Ok(completed)
    }

    /// Aborts a multipart upload. One that could not be aborted stays in the connection's list of open uploads.
    pub(crate) async fn abort(&self, started: &Started) {
        self.abort_earlier(&started.id).await;
    }

    /// Aborts the upload of an earlier run. One that could not be aborted is in the same list then.
    pub(crate) async fn abort_earlier(&self, id: &str) {
        self.connection.open_uploads.giving_up(self.uri, id);
        let _ = self.connection.abort(self.uri, id).await;
    }

    /// Sends a write with the condition on the object's ETag, if there is one. radosgw compares the quotes of the
    /// header, too, so the condition never holds: if the object has the expected ETag, the write is sent again without
    /// quotes.
    async fn if_matching(
        &self,
        send: impl AsyncFn(Option<String>) -> Result<Completed>,
    ) -> Result<Completed> {
        let WriteCondition::Matches(meant) = self.condition else { return send(None).await };
        match send(Some(meant.clone())).await {
            Err(error @ Error::Changed { .. }) if meant.starts_with('"') => {
                match self.reader().head().await {
                    Ok(head) if head.etag.as_ref() == Some(meant) => {
                        send(Some(meant.trim_matches('"').to_owned())).await
                    }
                    _ => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    fn reader(&self) -> ObjectReader<'_> {
        let key = sse::customer_key(self.sse);
        ObjectReader { connection: self.connection, uri: self.uri, version_id: None, key }
    }

    async fn write_instruction_file(&self) -> Result<()> {
        let Some(instruction_file) = &self.instruction_file else { return Ok(()) };
        let applied = instruction_file.write(self.sse, &self.settings.lock).await?;
        self.check(&applied, false, None)
    }

    /// Whether an instruction file is there that another one is to replace, with its object.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn replaces_instruction_file(&self) -> Result<bool> {
        match &self.instruction_file {
            Some(instruction_file) => Ok(instruction_file.there().await?.is_some()),
            None => Ok(false),
        }
    }

    /// Records that the object is stored, to which its instruction file belongs.
    pub(crate) fn has_its_instruction_file(&self) {
        if let Some(instruction_file) = &self.instruction_file {
            instruction_file.belongs();
        }
    }

    /// Restores the instruction file that was replaced, if the object itself was not written.
    pub(crate) async fn put_back(&self) {
        if let Some(instruction_file) = &self.instruction_file {
            instruction_file.put_back(self.sse).await;
        }
    }

    fn if_none_match(&self) -> Option<String> {
        (*self.condition == WriteCondition::Absent).then(|| "*".to_owned())
    }

    pub(super) fn check(&self, applied: &Applied, stored: bool, version_id: Option<&str>) -> Result<()> {
        let not_as_asked = |asked: String| Error::NotAsAsked {
            subject: self.subject(),
            aspect: Aspect::Encryption,
            asked,
            got: applied.to_string(),
            stored,
            version_id: version_id.map(str::to_owned),
        };
        if let Some(asked) = self.sse
            && !applied.is_as_asked(self.sse)
        {
            return Err(not_as_asked(sse::describe(asked)));
        }
        let Some(rules) = self.rules else { return Ok(()) };
        let mut encrypted = applied.encrypted(self.client_side);
        if self.sse.is_some() {
            // Not every answer names the key, and the one that was asked for is permitted.
            encrypted.kms_keys.retain(|key| !key.is_empty());
        }
        rules.unmet(self.uri, &encrypted).map_or(Ok(()), |unmet| Err(not_as_asked(unmet.to_string())))
    }

    fn refused<E>(&self, action: &str, refusal: error::Refused<E>) -> Error
    where
        E: error::Coded,
    {
        match error::read(self.subject(), action, refusal) {
            Error::Changed { subject, .. } if *self.condition == WriteCondition::Absent => {
                Error::TargetExists { subject }
            }
            error => error,
        }
    }
}
