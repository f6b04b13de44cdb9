//! HEAD and GET of objects.
//!
//! An error to HEAD has no body and so no code: a GET of one byte finds it ([`explain`](ObjectReader::explain)).

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ObjectAttributes};
use bytes::Bytes;

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::object_head::{ObjectHead, etag_of};
use crate::aws::request_fields::object_request;
use crate::aws::sse;
use crate::error::{Error, Result, Subject};
use crate::keys::CustomerKey;
use crate::location::S3Uri;
use crate::s3_limits::MAX_PARTS;

/// Options of a HEAD request.
#[derive(Clone, Copy)]
pub(crate) struct HeadOptions {
    /// Whether to ask for the checksum, which for an object in SSE-KMS requires permission on its key.
    pub(crate) checksum: bool,
    /// Whether to find the reason of a refusal with a second request.
    pub(crate) explain: bool,
}

/// Reads one object: what is the same on every request.
pub(crate) struct ObjectReader<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) uri: &'a S3Uri,
    /// The version; `None` is the newest.
    pub(crate) version_id: Option<&'a str>,
    /// The SSE-C key, once it is known to be needed.
    pub(crate) key: Option<&'a CustomerKey>,
}

impl ObjectReader<'_> {
    /// The object, for messages.
    pub(crate) fn subject(&self) -> Subject {
        Subject::version(self.uri, self.version_id)
    }

    /// Sends a HEAD that asks for the checksum too, and finds the reason of a refusal.
    pub(crate) async fn head(&self) -> Result<ObjectHead> {
        self.head_with(HeadOptions { checksum: true, explain: true }).await
    }

    /// Sends a HEAD.
    ///
    /// # Errors
    /// What S3 refuses; without [`HeadOptions::explain`] perhaps without the reason.
    pub(crate) async fn head_with(&self, options: HeadOptions) -> Result<ObjectHead> {
        let request = self.head_request(options.checksum);
        let refused = |refusal| self.refused(refusal);
        match request.clone().send().await.map_err(refused) {
            Ok(answer) => return self.understood(ObjectHead::of_head(&answer)),
            // These two errors need no body.
            Err(error @ (Error::Network { .. } | Error::Unsupported { .. })) => return Err(error),
            Err(error) if !options.explain => return Err(error),
            Err(_) => {}
        }
        match self.explain().await {
            Some(reason) => Err(reason),
            // The first refusal may have made the SDK correct its clock: if GET may now, HEAD may too.
            None => self.understood(ObjectHead::of_head(&request.send().await.map_err(refused)?)),
        }
    }

    /// A server that is not S3 may answer with a web page, which has no ETag or length.
    fn understood(&self, head: Option<ObjectHead>) -> Result<ObjectHead> {
        head.ok_or_else(|| Error::not_understood(self.subject(), "it has no ETag or no length"))
    }

    fn head_request(&self, checksum: bool) -> HeadObjectFluentBuilder {
        let request = object_request!(self.connection, head_object, self.uri, self.version_id)
            .set_checksum_mode(checksum.then_some(ChecksumMode::Enabled));
        sse::head(request, self.key)
    }

    fn get_request(&self) -> GetObjectFluentBuilder {
        sse::get(object_request!(self.connection, get_object, self.uri, self.version_id), self.key)
    }

    fn refused<E: error::Coded>(&self, refusal: error::Refused<E>) -> Error {
        error::read(self.subject(), "s3:GetObject", refusal)
    }

    /// Gets the headers of HEAD and all stored bytes in one request. The bytes are omitted if there are more than
    /// `limit`, or if the answer breaks off: the caller then fetches ranges.
    pub(crate) async fn head_with_body(&self, limit: u64) -> Result<ObjectHead> {
        let request = self.get_request().checksum_mode(ChecksumMode::Enabled);
        let mut answer = request.send().await.map_err(|refusal| self.refused(refusal))?;
        let mut body = Body { subject: self.subject(), stream: std::mem::take(&mut answer.body) };
        let mut head = self.understood(ObjectHead::of_get(&answer))?;
        if head.len <= limit {
            let mut bytes = Vec::with_capacity(usize::try_from(head.len).unwrap_or_default());
            while bytes.len() as u64 <= head.len
                && let Ok(Some(chunk)) = body.next().await
            {
                bytes.extend_from_slice(&chunk);
            }
            head.body = (bytes.len() as u64 == head.len).then(|| bytes.into());
        }
        Ok(head)
    }

    /// Finds the reason of a refused HEAD by getting one byte; `None` if that succeeds. An empty object has no first
    /// byte, so it is requested whole.
    async fn explain(&self) -> Option<Error> {
        match self.try_get(Some("bytes=0-0")).await {
            Some(Error::Service { code, .. }) if code == "InvalidRange" || code == "HTTP 416" => {
                self.try_get(None).await
            }
            reason => reason,
        }
    }

    /// Starts to get the object, or a range of it, and returns the refusal, if any.
    async fn try_get(&self, range: Option<&str>) -> Option<Error> {
        let refusal = self.get_request().set_range(range.map(str::to_owned)).send().await.err()?;
        Some(self.refused(refusal))
    }

    /// Starts to get the stored bytes of `range`, if the object still has this ETag.
    ///
    /// # Errors
    /// `Changed` for another ETag; `Tampered` for an answer with other bytes.
    pub(crate) async fn range(&self, range: Range<u64>, etag: Option<&str>) -> Result<Body> {
        let request = self.get_request().range(format!("bytes={}-{}", range.start, range.end - 1));
        let request = request.set_if_match(etag.map(str::to_owned));
        let answer = request.send().await.map_err(|refusal| self.refused(refusal))?;
        // Some servers ignore the condition.
        if let (Some(meant), Some(said)) = (etag, etag_of(answer.e_tag()))
            && meant.trim_matches('"') != said.trim_matches('"')
        {
            return Err(Error::Changed { subject: self.subject(), source: None });
        }
        let asked = format!("bytes {}-{}/", range.start, range.end - 1);
        match answer.content_range() {
            Some(said) if said.starts_with(&asked) => {}
            None if range.start == 0 && answer.content_length() == i64::try_from(range.end).ok() => {}
            said => {
                let why =
                    format!("requested {asked}…, but the server sent {}", said.unwrap_or("the whole object"));
                return Err(Error::tampered(self.subject(), why));
            }
        }
        Ok(Body { subject: self.subject(), stream: answer.body })
    }

    /// Gets a whole small object of up to `limit` bytes; `None` if it does not exist.
    ///
    /// # Errors
    /// `TooLarge` beyond the limit.
    pub(crate) async fn whole(&self, limit: u64) -> Result<Option<Bytes>> {
        Ok(self.whole_answer(limit).await?.map(|(bytes, _)| bytes))
    }

    /// As [`ObjectReader::whole`], with the answer's headers.
    pub(crate) async fn whole_with_head(&self, limit: u64) -> Result<Option<ObjectHead>> {
        let Some((bytes, answer)) = self.whole_answer(limit).await? else { return Ok(None) };
        let head = self.understood(ObjectHead::of_get(&answer))?;
        Ok(Some(ObjectHead { body: Some(bytes), ..head }))
    }

    async fn whole_answer(&self, limit: u64) -> Result<Option<(Bytes, GetObjectOutput)>> {
        let mut retries = self.connection.body_retries();
        loop {
            let mut answer = match self.get_request().send().await {
                Ok(answer) => answer,
                Err(refusal) => match self.refused(refusal) {
                    Error::NotFound { .. } => return Ok(None),
                    error => return Err(error),
                },
            };
            let body = Body { subject: self.subject(), stream: std::mem::take(&mut answer.body) };
            match self.read(body, limit).await {
                Err(error) => retries.wait_or_fail(error).await?,
                Ok(bytes) => return Ok(Some((bytes, answer))),
            }
        }
    }

    async fn read(&self, mut body: Body, limit: u64) -> Result<Bytes> {
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(Error::too_large(self.subject(), format!("more than {limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// Gets the sizes of the object's parts, which its composite checksum covers.
    ///
    /// # Errors
    /// What S3 refuses (it requires `s3:GetObjectAttributes`); `Unsupported` where the answer does not list them.
    pub(crate) async fn part_sizes(&self) -> Result<Vec<u64>> {
        let mut sizes = Vec::new();
        let mut marker = None;
        loop {
            let request = object_request!(self.connection, get_object_attributes, self.uri, self.version_id)
                .object_attributes(ObjectAttributes::ObjectParts)
                .set_part_number_marker(marker.take());
            let answer = sse::attributes(request, self.key)
                .send()
                .await
                .map_err(|refusal| error::read(self.subject(), "s3:GetObjectAttributes", refusal))?;
            let parts = answer
                .object_parts()
                .ok_or_else(|| Error::unsupported(self.subject(), "the server does not list the parts"))?;
            let before = sizes.len();
            if before > MAX_PARTS as usize {
                let why = "it lists more parts than an object can have";
                return Err(Error::not_understood(self.subject(), why));
            }
            sizes.extend(parts.parts().iter().map(|part| part.size().unwrap_or_default().unsigned_abs()));
            match parts.next_part_number_marker() {
                Some(next) if parts.is_truncated() == Some(true) && sizes.len() > before => {
                    marker = Some(next.to_owned());
                }
                _ => return Ok(sizes),
            }
        }
    }
}

/// A response body with stored bytes.
pub(crate) struct Body {
    subject: Subject,
    stream: ByteStream,
}

impl Body {
    /// Returns the next bytes, `None` at the end.
    ///
    /// # Errors
    /// `Network` where the connection breaks or stalls.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        self.stream.try_next().await.map_err(|error| error::broken(self.subject.clone(), &error))
    }
}
