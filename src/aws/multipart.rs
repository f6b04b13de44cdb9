//! Writing an object: in one request, or in parts that only exist together.
//!
//! A [`Destination`] is everything that is the same on each of those requests, made once. Bodies are bytes in
//! memory: the SDK can send them again as they are.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectCannedAcl, StorageClass,
};
use bytes::Bytes;

use crate::aws::companion::Companion;
use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::objects::Reader;
use crate::aws::sse::{self, Applied};
use crate::checksum::{Algorithm, Sum};
use crate::encryption::ServerSide;
use crate::error::{Error, Result};
use crate::location::S3Uri;
use crate::object::{Settings, WriteCondition};

/// Where an object goes and everything said about it beside its bytes.
pub struct Destination<'a> {
    /// The clients.
    pub connection: &'a Connection,
    /// The object.
    pub uri: &'a S3Uri,
    /// What S3 is asked to do to the bytes; `None` is the bucket's default.
    pub sse: Option<&'a ServerSide>,
    /// Headers, metadata, tags.
    pub settings: &'a Settings,
    /// When to write at all.
    pub condition: &'a WriteCondition,
    /// The checksum sent along.
    pub algorithm: Algorithm,
    /// A small object that belongs to this one, written just before it exists.
    pub companion: Option<Companion<'a>>,
}

/// A multipart upload under way.
pub struct Started {
    id: String,
    applied: Applied,
}

/// A part that S3 has.
pub struct Sent {
    part: CompletedPart,
    applied: Applied,
}

impl Sent {
    /// The part's number, counted from 1.
    #[must_use]
    pub fn number(&self) -> i32 {
        self.part.part_number().unwrap_or_default()
    }
}

/// An object that S3 has.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The ETag, with its quotes.
    pub etag: Option<String>,
    /// The version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// What S3 says it applied.
    pub applied: Applied,
    /// The object's checksum as sent: base64, with `-N` for a composite.
    pub checksum: String,
}

/// Puts settings on the two requests that create an object.
macro_rules! settle {
    ($request:expr, $settings:expr, $algorithm:expr) => {
        $request
            .set_content_type($settings.content_type.clone())
            .set_cache_control($settings.cache_control.clone())
            .set_content_encoding($settings.content_encoding.clone())
            .set_content_disposition($settings.content_disposition.clone())
            .set_content_language($settings.content_language.clone())
            .set_metadata(Some($settings.metadata.clone().into_iter().collect()))
            .set_tagging(tagging($settings))
            .set_storage_class($settings.storage_class.as_deref().map(StorageClass::from))
            .set_acl($settings.acl.as_deref().map(ObjectCannedAcl::from))
            .checksum_algorithm(sdk_algorithm($algorithm))
    };
}

/// Puts a finished sum on a request, under its algorithm's name.
macro_rules! summed {
    ($request:expr, $algorithm:expr, $value:expr) => {
        match $algorithm {
            Algorithm::Crc64Nvme => $request.checksum_crc64_nvme($value),
            Algorithm::Crc32 => $request.checksum_crc32($value),
            Algorithm::Crc32c => $request.checksum_crc32_c($value),
            Algorithm::Sha1 => $request.checksum_sha1($value),
            Algorithm::Sha256 => $request.checksum_sha256($value),
        }
    };
}

impl Destination<'_> {
    /// The object, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.uri.to_string()
    }

    /// The checksum sent along.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Stores the object in one request.
    ///
    /// # Errors
    /// What S3 refuses; `NotAsAsked` where it stored the object otherwise than asked.
    pub async fn put(&self, bytes: Bytes, sum: &Sum) -> Result<Completed> {
        let connection = self.connection;
        let len = bytes.len() as u64;
        let request = connection.s3.put_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = settle!(request, self.settings, self.algorithm)
            .body(ByteStream::from(bytes))
            .set_if_none_match(self.if_none_match())
            .set_if_match(self.if_match())
            .set_expected_bucket_owner(connection.owner())
            .set_request_payer(connection.payer());
        let request = sse::put(summed!(request, self.algorithm, sum.base64()), self.sse);
        let request = request.customize().config_override(connection.patient_with(len));
        let request = if connection.is_https() { request.disable_payload_signing() } else { request };
        self.write_companion().await?;
        let completed = match request.send().await {
            Ok(answer) => Completed {
                etag: answer.e_tag().map(str::to_owned),
                version_id: answer.version_id().map(str::to_owned),
                applied: Applied::from(&answer),
                checksum: sum.base64(),
            },
            Err(refusal) => self.arrived(self.refused("s3:PutObject", refusal), &sum.base64(), len).await?,
        };
        self.check(&completed.applied, true, completed.version_id.as_deref())?;
        Ok(completed)
    }

    /// Starts a multipart upload.
    ///
    /// # Errors
    /// What S3 refuses.
    pub async fn start(&self) -> Result<Started> {
        let connection = self.connection;
        let request =
            connection.s3.create_multipart_upload().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = settle!(request, self.settings, self.algorithm)
            .checksum_type(sdk_type(self.algorithm))
            .set_expected_bucket_owner(connection.owner())
            .set_request_payer(connection.payer());
        let request = sse::create(request, self.sse);
        let answer = request.send().await.map_err(|error| self.refused("s3:PutObject", error))?;
        let id = answer
            .upload_id()
            .ok_or_else(|| Error::tampered(self.uri, "the server named no upload to send parts to"))?
            .to_owned();
        Ok(Started { id, applied: Applied::from(&answer) })
    }

    /// Sends one part.
    ///
    /// # Errors
    /// What S3 refuses; `NotAsAsked` where neither the start nor this answer says what was asked.
    pub async fn send(&self, started: &Started, number: u32, bytes: Bytes, sum: &Sum) -> Result<Sent> {
        let connection = self.connection;
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let len = bytes.len() as u64;
        let request = connection
            .s3
            .upload_part()
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .upload_id(&started.id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .checksum_algorithm(sdk_algorithm(self.algorithm))
            .set_expected_bucket_owner(connection.owner())
            .set_request_payer(connection.payer());
        let request = summed!(request, self.algorithm, sum.base64());
        let request = sse::part(request, sse::customer_key(self.sse));
        let request = request.customize().config_override(connection.patient_with(len));
        let request = if connection.is_https() { request.disable_payload_signing() } else { request };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(refusal) => {
                let error = self.refused("s3:PutObject", refusal);
                // Who ignored the mode at the start may now refuse the key that comes with the part.
                if matches!(error, Error::Service { .. }) {
                    self.check(&started.applied, false, None)?;
                }
                return Err(error);
            }
        };
        let applied = started.applied.then(&Applied::from(&answer));
        self.check(&applied, false, None)?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag().map(str::to_owned));
        Ok(Sent { part: summed!(part, self.algorithm, sum.base64()).build(), applied })
    }

    /// Makes the parts, in order, the object.
    ///
    /// # Errors
    /// What S3 refuses; `NotAsAsked` and `Tampered` where its answer differs from what was sent.
    pub async fn complete(
        &self,
        started: &Started,
        sent: Vec<Sent>,
        whole: &str,
        len: u64,
    ) -> Result<Completed> {
        let connection = self.connection;
        let applied = sent.first().map_or_else(Applied::default, |sent| sent.applied.clone());
        let parts = sent.into_iter().map(|sent| sent.part).collect();
        let request = connection
            .s3
            .complete_multipart_upload()
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .upload_id(&started.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .mpu_object_size(i64::try_from(len).unwrap_or(i64::MAX))
            .checksum_type(sdk_type(self.algorithm))
            .set_if_none_match(self.if_none_match())
            .set_if_match(self.if_match())
            .set_expected_bucket_owner(connection.owner())
            .set_request_payer(connection.payer());
        // A composite is computed by S3 from the parts' sums; only a full-object one can be sent.
        let request =
            if self.algorithm.is_full_object() { summed!(request, self.algorithm, whole) } else { request };
        let request = sse::complete(request, sse::customer_key(self.sse));
        let request = request.customize().config_override(connection.patient_with(len));
        self.write_companion().await?;
        let completed = match request.send().await {
            Ok(answer) => Completed {
                etag: answer.e_tag().map(str::to_owned),
                version_id: answer.version_id().map(str::to_owned),
                applied: applied.then(&Applied::from(&answer)),
                checksum: whole.to_owned(),
            },
            Err(refusal) => self.arrived(self.refused("s3:PutObject", refusal), whole, len).await?,
        };
        self.check(&completed.applied, true, completed.version_id.as_deref())?;
        Ok(completed)
    }

    /// Gives a multipart upload up. There is nobody left to tell about a failure; what matters is that it was tried.
    pub async fn abort(&self, started: &Started) {
        let connection = self.connection;
        let _ = connection
            .s3
            .abort_multipart_upload()
            .bucket(self.uri.bucket.as_str())
            .key(&self.uri.key)
            .upload_id(&started.id)
            .set_expected_bucket_owner(connection.owner())
            .set_request_payer(connection.payer())
            .send()
            .await;
    }

    /// Asks whether the object is there all the same. When an answer gets lost, the request is sent again, and the
    /// second one is refused because the first has done its work: the upload is gone, or the condition no longer
    /// holds.
    async fn arrived(&self, refusal: Error, checksum: &str, len: u64) -> Result<Completed> {
        let may_be_ours =
            matches!(refusal, Error::NotFound { .. } | Error::Changed { .. } | Error::TargetExists { .. });
        if !may_be_ours {
            return Err(refusal);
        }
        let key = sse::customer_key(self.sse);
        let reader = Reader { connection: self.connection, uri: self.uri, version_id: None, key };
        match reader.head().await {
            Ok(facts)
                if facts.len == len && facts.checksum.as_ref().is_some_and(|kept| kept.value == checksum) =>
            {
                Ok(Completed {
                    etag: facts.etag,
                    version_id: facts.version_id,
                    applied: facts.applied,
                    checksum: checksum.to_owned(),
                })
            }
            _ => Err(refusal),
        }
    }

    async fn write_companion(&self) -> Result<()> {
        match &self.companion {
            Some(companion) => companion.write(self.sse).await,
            None => Ok(()),
        }
    }

    /// Puts back what the companion has replaced, if the object itself did not come to be.
    pub async fn put_back(&self) {
        if let Some(companion) = &self.companion {
            companion.put_back(self.sse).await;
        }
    }

    fn if_none_match(&self) -> Option<String> {
        (*self.condition == WriteCondition::Absent).then(|| "*".to_owned())
    }

    fn if_match(&self) -> Option<String> {
        match self.condition {
            WriteCondition::Matches(etag) => Some(etag.clone()),
            _ => None,
        }
    }

    fn check(&self, applied: &Applied, stored: bool, version_id: Option<&str>) -> Result<()> {
        match self.sse {
            Some(asked) if !applied.is_as_asked(self.sse) => Err(Error::NotAsAsked {
                what: self.name(),
                asked: sse::describe(asked),
                got: applied.to_string(),
                stored,
                version_id: version_id.map(str::to_owned),
            }),
            _ => Ok(()),
        }
    }

    fn refused<E>(&self, action: &str, refusal: error::Refused<E>) -> Error
    where
        E: error::Coded,
    {
        match error::read(&self.name(), action, refusal) {
            Error::Changed { what, .. } if *self.condition == WriteCondition::Absent => {
                Error::TargetExists { what }
            }
            error => error,
        }
    }
}

fn tagging(settings: &Settings) -> Option<String> {
    if settings.tags.is_empty() {
        return None;
    }
    let pairs = settings.tags.iter().map(|(key, value)| format!("{}={}", percent(key), percent(value)));
    Some(pairs.collect::<Vec<_>>().join("&"))
}

/// Escapes a tag's key or value for the query string that the tagging header is.
fn percent(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn sdk_algorithm(algorithm: Algorithm) -> ChecksumAlgorithm {
    match algorithm {
        Algorithm::Crc64Nvme => ChecksumAlgorithm::Crc64Nvme,
        Algorithm::Crc32 => ChecksumAlgorithm::Crc32,
        Algorithm::Crc32c => ChecksumAlgorithm::Crc32C,
        Algorithm::Sha1 => ChecksumAlgorithm::Sha1,
        Algorithm::Sha256 => ChecksumAlgorithm::Sha256,
    }
}

fn sdk_type(algorithm: Algorithm) -> ChecksumType {
    if algorithm.is_full_object() { ChecksumType::FullObject } else { ChecksumType::Composite }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_travel_as_a_query_string() {
        let mut settings = Settings::default();
        assert_eq!(tagging(&settings), None);
        settings.tags.insert("team".to_owned(), "a&b=c ü".to_owned());
        settings.tags.insert("x".to_owned(), String::new());
        assert_eq!(tagging(&settings).as_deref(), Some("team=a%26b%3Dc%20%C3%BC&x="));
    }
}
