//! A multipart upload that an earlier run has begun: what S3 has of it.
//!
//! Source: ListParts in the Amazon S3 API reference.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{CompletedPart, Part};

use super::{Sent, Started, UploadTarget};
use crate::aws::object_head::etag_of;
use crate::aws::request_fields::{checksum_in, set_checksum};
use crate::aws::sse::{self, Applied};
use crate::checksum::{Algorithm, Sum};
use crate::error::Result;

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
        let take = |part: &Part| parts.extend(found(part, self.algorithm));
        let is_there = self.connection.each_part(self.uri, id, sse::customer_key(self.sse), take).await?;
        Ok(is_there.then(|| FoundUpload { id: id.to_owned(), parts }))
    }
}

fn found(part: &Part, algorithm: Algorithm) -> Option<(u32, FoundPart)> {
    let sum = Sum::from_base64(algorithm, checksum_in!(part, algorithm)?)?;
    let number = u32::try_from(part.part_number()?).ok()?;
    let len = u64::try_from(part.size()?).ok()?;
    Some((number, FoundPart { etag: etag_of(part.e_tag())?, len, sum }))
}
