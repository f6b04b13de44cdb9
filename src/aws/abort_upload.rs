//! Finding and aborting multipart uploads.
//!
//! Source: ListMultipartUploads, ListParts and AbortMultipartUpload in the Amazon S3 API reference.

use std::ops::RangeInclusive;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{EncodingType, Initiator, MultipartUpload, Part};
use futures_util::stream::{self, Stream, TryStreamExt};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::listing::{ListedKey, Markers, check_page, listed_key, marker_text};
use crate::aws::request_fields::{bucket_request, object_request};
use crate::aws::sse;
use crate::error::{Error, Result, Subject};
use crate::keys::CustomerKey;
use crate::location::S3Uri;
use crate::s3_limits::MAX_PARTS;

/// A multipart upload that is neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedUpload {
    /// The object that it is for.
    pub(crate) uri: S3Uri,
    pub(crate) id: String,
    /// In seconds since 1970, by the server's clock.
    pub(crate) initiated: Option<i64>,
    /// The user or role that began it, as far as the server names it.
    pub(crate) initiator: Option<String>,
}

/// What the parts of an upload take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UploadSize {
    pub(crate) parts: u64,
    pub(crate) bytes: u64,
}

impl Connection {
    /// Lists all multipart uploads of objects whose keys begin with that of `place`. One whose key is not text is left
    /// out: no request can name it.
    pub(crate) fn uploads_below<'a>(
        &'a self,
        place: &'a S3Uri,
    ) -> impl Stream<Item = Result<ListedUpload>> + 'a {
        stream::try_unfold((Some((None, None)), Markers::default()), move |(after, mut pages)| async move {
            let Some((key, id)) = after else { return Ok(None) };
            let answer = bucket_request!(self, list_multipart_uploads, place)
                .set_prefix((!place.key.is_empty()).then(|| place.key.clone()))
                .set_key_marker(key)
                .set_upload_id_marker(id)
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|refusal| {
                    error::read(Subject::prefix(place), "s3:ListBucketMultipartUploads", refusal)
                })?;
            let is_encoded = answer.encoding_type() == Some(&EncodingType::Url);
            check_page(place, answer.uploads().len())?;
            let page: Vec<_> =
                answer.uploads().iter().filter_map(|one| listed_upload(place, one, is_encoded)).collect();
            let next = if answer.is_truncated() == Some(true) {
                let next_key = answer.next_key_marker().map(|marker| marker_text(marker, is_encoded));
                let next_id = answer.next_upload_id_marker().map(str::to_owned);
                let marker = next_key.map(|key| (key, next_id));
                let (next_key, next_id) = pages.next(place, marker, answer.uploads().len())?;
                Some((Some(next_key), next_id))
            } else {
                None
            };
            Ok(Some((stream::iter(page.into_iter().map(Ok)), (next, pages))))
        })
        .try_flatten()
    }

    /// Sums up the parts of an upload; `None` if there is no such upload any more.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListMultipartUploadParts`.
    pub(crate) async fn upload_size(&self, uri: &S3Uri, id: &str) -> Result<Option<UploadSize>> {
        let mut size = UploadSize { parts: 0, bytes: 0 };
        let is_there = self
            .each_part(uri, id, None, |part| {
                size.parts += 1;
                size.bytes = size.bytes.saturating_add(part.size().unwrap_or_default().unsigned_abs());
            })
            .await?;
        Ok(is_there.then_some(size))
    }

    /// Lists the parts of an upload. Returns whether it is there.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListMultipartUploadParts`.
    pub(super) async fn each_part(
        &self,
        uri: &S3Uri,
        id: &str,
        key: Option<&CustomerKey>,
        mut take: impl FnMut(&Part),
    ) -> Result<bool> {
        let mut marker = None;
        let mut count = 0;
        loop {
            let request = object_request!(self, list_parts, uri).upload_id(id);
            let answer = sse::parts(request.set_part_number_marker(marker.take()), key).send().await;
            let answer =
                match answer.map_err(|refusal| error::read(uri, "s3:ListMultipartUploadParts", refusal)) {
                    Ok(answer) => answer,
                    Err(Error::NotFound { .. }) => return Ok(false),
                    Err(error) => return Err(error),
                };
            answer.parts().iter().for_each(&mut take);
            count += answer.parts().len();
            if count > MAX_PARTS as usize {
                return Err(Error::not_understood(uri, "it lists more parts than an upload can have"));
            }
            match answer.next_part_number_marker() {
                Some(next) if answer.is_truncated() == Some(true) && !answer.parts().is_empty() => {
                    marker = Some(next.to_owned());
                }
                _ => return Ok(true),
            }
        }
    }

    /// Aborts multipart uploads of one object that were created in `time` (seconds since 1970): the one with this id, or,
    /// if a crash lost the id, those without parts. Succeeds if there is none.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListBucketMultipartUploads`, and without an id `s3:ListMultipartUploadParts`.
    pub(crate) async fn give_up(
        &self,
        uri: &S3Uri,
        id: Option<&str>,
        time: RangeInclusive<i64>,
    ) -> Result<()> {
        for listed in self.uploads_of(uri, time).await? {
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

    /// Lists the ids of the multipart uploads of one object that were created in `time`, in seconds since 1970.
    pub(super) async fn uploads_of(&self, uri: &S3Uri, time: RangeInclusive<i64>) -> Result<Vec<String>> {
        self.uploads_below(uri)
            .try_filter(|upload| {
                std::future::ready(
                    upload.uri == *uri && upload.initiated.is_some_and(|at| time.contains(&at)),
                )
            })
            .map_ok(|upload| upload.id)
            .try_collect()
            .await
    }

    /// Whether an upload is there, and none of its parts.
    pub(super) async fn has_no_part(&self, uri: &S3Uri, id: &str) -> Result<bool> {
        Ok(self.upload_size(uri, id).await?.is_some_and(|size| size.parts == 0))
    }

    /// Aborts a multipart upload; succeeds if it is already gone.
    pub(super) async fn abort(&self, uri: &S3Uri, id: &str) -> Result<()> {
        self.abort_if_there(uri, id).await.map(drop)
    }

    /// Aborts a multipart upload, and returns whether it was there.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn abort_if_there(&self, uri: &S3Uri, id: &str) -> Result<bool> {
        let answer = object_request!(self, abort_multipart_upload, uri).upload_id(id).send().await;
        let was_there = match answer.map_err(|refusal| error::read(uri, "s3:AbortMultipartUpload", refusal)) {
            Ok(_) => true,
            Err(Error::NotFound { .. }) => false,
            Err(error) => return Err(error),
        };
        self.open_uploads.ended(id);
        Ok(was_there)
    }
}

fn listed_upload(place: &S3Uri, upload: &MultipartUpload, is_encoded: bool) -> Option<ListedUpload> {
    let ListedKey::Text(key) = listed_key(upload.key()?, is_encoded) else { return None };
    Some(ListedUpload {
        uri: place.with_key(key),
        id: upload.upload_id()?.to_owned(),
        initiated: upload.initiated().map(DateTime::secs),
        initiator: upload.initiator().and_then(name_of),
    })
}

/// S3 gives the ARN of a user or role, or an account's canonical id with a name.
fn name_of(initiator: &Initiator) -> Option<String> {
    let arn = initiator.id().filter(|id| id.starts_with("arn:"));
    let name = initiator.display_name().filter(|name| !name.is_empty());
    arn.or(name).or(initiator.id()).map(str::to_owned)
}
