//! A multipart upload that an earlier run has begun: what S3 has of it.
//!
//! Source: ListParts in the Amazon S3 API reference.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{CompletedPart, Part};

use super::{Sent, Started, UploadTarget};
use crate::aws::object_head::etag_of;
use crate::aws::request_fields::{object_request, set_checksum};
use crate::aws::sse::{self, Applied};
use crate::checksum::{Algorithm, Sum};
use crate::error::{Error, Result};
use crate::s3_limits::MAX_PARTS;

/// The upload, with those of its parts that can be compared.
pub(crate) struct FoundUpload {
    id: String,
    parts: BTreeMap<u32, FoundPart>,
}

struct FoundPart {
    etag: String,
    len: u64,
    sum: Sum,
}

impl FoundUpload {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn started(&self) -> Started {
        Started { id: self.id.clone(), applied: Applied::default(), is_found: true }
    }

    /// The part of this number, if S3 has it with these bytes.
    pub(crate) fn part(&self, number: u32, sum: &Sum, len: u64) -> Option<Sent> {
        let found = self.parts.get(&number).filter(|part| part.len == len && part.sum == *sum)?;
        let number = i32::try_from(number).ok()?;
        let part = CompletedPart::builder().part_number(number).e_tag(&found.etag);
        let part = set_checksum!(part, sum.algorithm(), sum.base64()).build();
        Some(Sent { part, applied: Applied::default() })
    }
}

impl UploadTarget<'_> {
    /// Looks for an upload of an earlier run; `None` if it is gone. A part without a checksum of this algorithm is left
    /// out.
    ///
    /// # Errors
    /// What S3 refuses; it requires `s3:ListMultipartUploadParts`.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<FoundUpload>> {
        let mut parts = BTreeMap::new();
        let mut marker: Option<String> = None;
        loop {
            let request = object_request!(self.connection, list_parts, self.uri).upload_id(id);
            let request = request.set_part_number_marker(marker.take());
            let answer = sse::parts(request, sse::customer_key(self.sse)).send().await;
            let answer = match answer.map_err(|refusal| self.refused("s3:ListMultipartUploadParts", refusal))
            {
                Ok(answer) => answer,
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            let before = parts.len();
            parts.extend(answer.parts().iter().filter_map(|part| found(part, self.algorithm)));
            if parts.len() > MAX_PARTS as usize {
                return Err(error_too_many(self));
            }
            match answer.next_part_number_marker() {
                Some(next) if answer.is_truncated() == Some(true) && parts.len() > before => {
                    marker = Some(next.to_owned());
                }
                _ => return Ok(Some(FoundUpload { id: id.to_owned(), parts })),
            }
        }
    }
}

fn error_too_many(target: &UploadTarget<'_>) -> Error {
    Error::not_understood(target.subject(), "it lists more parts than an upload can have")
}

fn found(part: &Part, algorithm: Algorithm) -> Option<(u32, FoundPart)> {
    let text = match algorithm {
        Algorithm::Crc64Nvme => part.checksum_crc64_nvme(),
        Algorithm::Crc32 => part.checksum_crc32(),
        Algorithm::Crc32c => part.checksum_crc32_c(),
        Algorithm::Sha1 => part.checksum_sha1(),
        Algorithm::Sha256 => part.checksum_sha256(),
    };
    let sum = Sum::from_base64(algorithm, text?)?;
    let number = u32::try_from(part.part_number()?).ok()?;
    let len = u64::try_from(part.size()?).ok()?;
    Some((number, FoundPart { etag: etag_of(part.e_tag())?, len, sum }))
}
