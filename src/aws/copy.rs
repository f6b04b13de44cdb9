//! Copies within S3 of an object onto itself: another key, other metadata, the same bytes.
//!
//! Every copy is conditional on the source's ETag and, where the server supports it, on the target's. The bytes never
//! leave S3, so the copy is compared by its checksum.
//! Source: CopyObject and UploadPartCopy in the Amazon S3 API reference.

use std::ops::Range;

use aws_sdk_s3::types::{CompletedPart, CopyPartResult, MetadataDirective};

use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::interceptors::Unanswered;
use crate::aws::object_head::etag_of;
use crate::aws::request_fields::{
    checksum_in, object_request, percent, sdk_algorithm, set_checksum, set_content_headers, set_properties,
};
use crate::aws::sse::{self, Applied, AppliedMode};
use crate::aws::upload::{Sent, Started, UploadTarget};
use crate::checksum::{Algorithm, Sum};
use crate::encryption::ServerSide;
use crate::error::{Aspect, Error, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;
use crate::object::Settings;

/// An object as the source of a copy.
#[derive(Clone, Copy)]
pub(crate) struct CopySource<'a> {
    pub(crate) uri: &'a S3Uri,
    /// The ETag that it must still have.
    pub(crate) etag: &'a str,
    /// The SSE-C key that opens it, if it needs one.
    pub(crate) key: Option<&'a CustomerKey>,
}

impl CopySource<'_> {
    /// The header's value: percent-encoded, with its slashes.
    fn header(&self) -> String {
        let key = self.uri.key.split('/').map(|part| percent(part).to_string()).collect::<Vec<_>>().join("/");
        let bucket = self.uri.bucket.as_str();
        if bucket.starts_with("arn:") { format!("{bucket}/object/{key}") } else { format!("{bucket}/{key}") }
    }
}

/// A copy of an object onto itself in one request.
pub(crate) struct Copy<'a> {
    pub(crate) connection: &'a Connection,
    /// The object, source and target in one.
    pub(crate) source: CopySource<'a>,
    /// What S3 is asked to do to the bytes.
    pub(crate) sse: Option<&'a ServerSide>,
    /// Headers and metadata, class, ACL and lock. S3 copies tags by itself.
    pub(crate) settings: &'a Settings,
    /// Whether content headers and metadata are replaced by those of `settings`; else S3 copies them.
    pub(crate) replaces_metadata: bool,
    /// The checksum of the copy; `None` leaves it to S3, which keeps the source's.
    pub(crate) algorithm: Option<Algorithm>,
}

/// The result of a copy.
#[derive(Debug, Default)]
pub(crate) struct Copied {
    /// The refusal of a request after an attempt without an answer, which may have made the copy.
    pub(crate) refused: Option<Error>,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub(crate) version_id: Option<String>,
    /// What S3 says it applied.
    pub(crate) applied: Applied,
}

impl Copy<'_> {
    /// Makes the copy. Some servers do not name its encryption in their answer: only a HEAD shows it.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` if the object has another ETag; `NotAsAsked` where S3 did not apply the requested
    /// encryption.
    pub(crate) async fn make(&self) -> Result<Copied> {
        let answer = match self.send(true).await {
            // The server does not support the condition on the target; the one on the source still holds.
            Err(Error::Unsupported { .. }) => self.send(false).await?,
            answer => answer?,
        };
        match self.sse {
            Some(asked)
                if answer.applied.mode != AppliedMode::NotSaid && !answer.applied.is_as_asked(self.sse) =>
            {
                Err(Error::NotAsAsked {
                    subject: self.source.uri.into(),
                    aspect: Aspect::Encryption,
                    asked: sse::describe(asked),
                    got: answer.applied.to_string(),
                    stored: true,
                    version_id: answer.version_id,
                })
            }
            _ => Ok(answer),
        }
    }

    async fn send(&self, binds_target: bool) -> Result<Copied> {
        let connection = self.connection;
        let uri = self.source.uri;
        let etag = self.source.etag.to_owned();
        let request = object_request!(connection, copy_object, uri);
        let request = set_properties!(request, self.settings)
            .copy_source(self.source.header())
            .copy_source_if_match(etag.clone())
            .set_if_match(binds_target.then_some(etag))
            .set_expected_source_bucket_owner(connection.owner());
        let request = if self.replaces_metadata {
            set_content_headers!(request, self.settings).metadata_directive(MetadataDirective::Replace)
        } else {
            request.metadata_directive(MetadataDirective::Copy)
        };
        // Explicit, so that the copy keeps its source's algorithm even if that is not the default.
        let request = request.set_checksum_algorithm(self.algorithm.map(sdk_algorithm));
        let request = sse::copy(sse::copy_source(request, self.source.key), self.sse);
        let unanswered = Unanswered::default();
        let request = request
            .customize()
            .config_override(connection.timeout_for_server_work())
            .interceptor(unanswered.clone());
        let answer = request.send().await;
        let answer = match answer.map_err(|refusal| error::read(uri, "s3:PutObject", refusal)) {
            Err(refusal @ (Error::Changed { .. } | Error::NotFound { .. })) if unanswered.any() => {
                return Ok(Copied { refused: Some(refusal), ..Copied::default() });
            }
            answer => answer?,
        };
        Ok(Copied {
            refused: None,
            etag: etag_of(answer.copy_object_result().and_then(|result| result.e_tag())),
            version_id: answer.version_id().map(str::to_owned),
            applied: Applied::from(&answer),
        })
    }
}

impl UploadTarget<'_> {
    /// Has S3 copy a range of `source` into a part. Returns the part and, if the server sends it, its checksum.
    ///
    /// # Errors
    /// As [`UploadTarget::send`]; `Changed` if the source has another ETag.
    pub(crate) async fn copy_part(
        &self,
        started: &Started,
        number: u32,
        source: CopySource<'_>,
        range: Range<u64>,
    ) -> Result<(Sent, Option<Sum>)> {
        let connection = self.connection;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let request = object_request!(connection, upload_part_copy, self.uri)
            .upload_id(&started.id)
            .part_number(number)
            .copy_source(source.header())
            .copy_source_range(format!("bytes={}-{}", range.start, range.end - 1))
            .copy_source_if_match(source.etag)
            .set_expected_source_bucket_owner(connection.owner());
        let request = sse::part_copy(request, sse::customer_key(self.sse));
        let request = sse::part_copy_source(request, source.key);
        let answer = request
            .customize()
            .config_override(connection.timeout_for_server_work())
            .send()
            .await
            .map_err(|refusal| error::read(self.subject(), "s3:PutObject", refusal))?;
        let applied = started.applied.then(&Applied::from(&answer));
        self.check(&applied, false, None)?;
        let result = answer.copy_part_result();
        let sum = result.and_then(|result| sum_of(result, self.algorithm));
        let Some(etag) = etag_of(result.and_then(|result| result.e_tag())) else {
            return Err(Error::not_understood(self.uri, "it has no ETag for a part"));
        };
        let part = CompletedPart::builder().part_number(number).e_tag(etag);
        let part = match &sum {
            Some(sum) => set_checksum!(part, self.algorithm, sum.base64()),
            None => part,
        };
        Ok((Sent { part: part.build(), applied }, sum))
    }
}

fn sum_of(result: &CopyPartResult, algorithm: Algorithm) -> Option<Sum> {
    Sum::from_base64(algorithm, checksum_in!(result, algorithm)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_as_the_header_takes_it() {
        for (uri, header) in [
            ("s3://bkt/a/b c+ü", "bkt/a/b%20c%2B%C3%BC"),
            ("s3://bkt//a", "bkt//a"),
            (
                "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/a",
                "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap/object/a",
            ),
        ] {
            let uri: S3Uri = uri.parse().unwrap();
            assert_eq!(CopySource { uri: &uri, etag: "", key: None }.header(), header);
        }
    }
}
