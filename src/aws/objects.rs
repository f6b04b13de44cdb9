//! Looking at objects and bringing their bytes down.
//!
//! HEAD has no body, so its refusals have no reason: a one-byte GET finds it ([`explain`](Reader::explain)).

use std::collections::BTreeMap;
use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType, ObjectAttributes};
use bytes::Bytes;

use crate::aws::attributes::CopyableAttributes;
use crate::aws::connection::Connection;
use crate::aws::error;
use crate::aws::head_details::HeadDetails;
use crate::aws::sse::{self, Applied};
use crate::checksum::Algorithm;
use crate::error::{Error, KeyFault, Result};
use crate::keys::CustomerKey;
use crate::location::S3Uri;

/// Parts that an object has at most ("Multipart upload limits", Amazon S3 user guide).
const MAX_PARTS: usize = 10_000;

/// What HEAD says about an object, or GET.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectHead {
    /// Stored bytes.
    pub(crate) len: u64,
    /// The ETag, with its quotes.
    pub(crate) etag: Option<String>,
    /// The version.
    pub(crate) version_id: Option<String>,
    /// Server-side encryption.
    pub(crate) applied: Applied,
    /// User metadata: keys in lower case, without `x-amz-meta-`.
    pub(crate) metadata: BTreeMap<String, String>,
    /// The checksum S3 keeps, if it is one that s3seal knows.
    pub(crate) checksum: Option<Checksum>,
    /// The storage class, in S3's word; none is STANDARD.
    pub(crate) storage_class: Option<String>,
    /// `Content-Type`.
    pub(crate) content_type: Option<String>,
    /// What else S3 notes about it; only of HEAD.
    pub(crate) marks: HeadDetails,
    /// What belongs to it; only of HEAD.
    pub(crate) belongings: CopyableAttributes,
    /// All of its stored bytes, where they came along.
    pub(crate) body: Option<Bytes>,
}

/// A checksum that S3 keeps beside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    /// The algorithm.
    pub(crate) algorithm: Algorithm,
    /// Base64; of a composite with `-N`.
    pub(crate) value: String,
    /// Whether it is a sum over the parts' sums.
    pub(crate) composite: bool,
}

/// One object, as it is read: the same on every request.
pub(crate) struct Reader<'a> {
    /// The clients.
    pub(crate) connection: &'a Connection,
    /// The object.
    pub(crate) uri: &'a S3Uri,
    /// The version; none is the newest.
    pub(crate) version_id: Option<&'a str>,
    /// The SSE-C key, once it is known to be needed.
    pub(crate) key: Option<&'a CustomerKey>,
}

impl Reader<'_> {
    /// The object, for messages.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        match self.version_id {
            Some(version) => format!("{} (version {version})", self.uri),
            None => self.uri.to_string(),
        }
    }

    /// Asks for the object's facts, its checksum among them.
    ///
    /// # Errors
    /// What S3 refuses, with the reason that a one-byte GET finds.
    pub(crate) async fn head(&self) -> Result<ObjectHead> {
        self.head_with(Some(ChecksumMode::Enabled)).await
    }

    /// Asks for the object's facts without its checksum: for one in SSE-KMS that takes `s3:GetObject` alone, and no
    /// permission on its key.
    ///
    /// # Errors
    /// As [`Reader::head`].
    pub(crate) async fn head_without_checksum(&self) -> Result<ObjectHead> {
        self.head_with(None).await
    }

    /// Asks for the object's facts in one request; a refusal may come without its reason.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn try_head(&self) -> Result<ObjectHead> {
        self.try_head_with(Some(ChecksumMode::Enabled)).await
    }

    /// Asks as [`Reader::try_head`] does, and as [`Reader::head_without_checksum`].
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn try_head_without_checksum(&self) -> Result<ObjectHead> {
        self.try_head_with(None).await
    }

    async fn try_head_with(&self, checksum: Option<ChecksumMode>) -> Result<ObjectHead> {
        let answer = self.head_request(checksum).send().await;
        let answer = answer.map_err(|refusal| error::read(&self.name(), "s3:GetObject", refusal))?;
        self.of_object(ObjectHead::of_head(&answer))
    }

    /// Takes the facts, if they are those of an object: a web page has none.
    fn of_object(&self, facts: Option<ObjectHead>) -> Result<ObjectHead> {
        let other = || Error::not_understood(self.name(), "it does not name an object's ETag and length");
        facts.ok_or_else(other)
    }

    fn head_request(&self, checksum: Option<ChecksumMode>) -> HeadObjectFluentBuilder {
        let request = self.connection.s3.head_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = request
            .set_version_id(self.version_id.map(str::to_owned))
            .set_checksum_mode(checksum)
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer());
        sse::head(request, self.key)
    }

    async fn head_with(&self, checksum: Option<ChecksumMode>) -> Result<ObjectHead> {
        let request = self.head_request(checksum);
        let refused = |refusal| error::read(&self.name(), "s3:GetObject", refusal);
        match request.clone().send().await.map_err(refused) {
            Ok(answer) => return self.of_object(ObjectHead::of_head(&answer)),
            // The reason is elsewhere; these two name themselves also without a body.
            Err(error @ (Error::Network { .. } | Error::Unsupported { .. })) => return Err(error),
            Err(_) => {}
        }
        match self.explain().await {
            Some(reason) => Err(reason),
            // By the first refusal the SDK may have set its clock right: what GET may do now, HEAD may too.
            None => self.of_object(ObjectHead::of_head(&request.send().await.map_err(refused)?)),
        }
    }

    /// Asks for the object's facts and for all of its stored bytes in one request. The bytes are left out where there
    /// are more than `limit`, or where the answer broke off: they are to be fetched in ranges then.
    ///
    /// # Errors
    /// What S3 refuses.
    pub(crate) async fn with_body(&self, limit: u64) -> Result<ObjectHead> {
        let request = self.connection.s3.get_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = request
            .set_version_id(self.version_id.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer());
        let mut answer = sse::get(request, self.key)
            .send()
            .await
            .map_err(|refusal| error::read(&self.name(), "s3:GetObject", refusal))?;
        let mut body = Body { name: self.name(), stream: std::mem::take(&mut answer.body) };
        let mut facts = self.of_object(ObjectHead::of_get(&answer))?;
        if facts.len <= limit {
            let mut bytes = Vec::with_capacity(usize::try_from(facts.len).unwrap_or_default());
            while bytes.len() as u64 <= facts.len
                && let Ok(Some(chunk)) = body.next().await
            {
                bytes.extend_from_slice(&chunk);
            }
            facts.body = (bytes.len() as u64 == facts.len).then(|| bytes.into());
        }
        Ok(facts)
    }

    /// Finds the reason of a refusal that came without one, by asking for one byte; `None` if that is not refused. An empty
    /// object has no first byte: it is asked for whole.
    async fn explain(&self) -> Option<Error> {
        match self.try_get(Some("bytes=0-0")).await {
            Some(Error::Service { code, .. }) if code == "InvalidRange" || code == "HTTP 416" => {
                self.try_get(None).await
            }
            reason => reason,
        }
    }

    /// Begins to fetch the object, or a range of it, and returns why that is refused.
    async fn try_get(&self, range: Option<&str>) -> Option<Error> {
        let request = self.connection.s3.get_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = request
            .set_version_id(self.version_id.map(str::to_owned))
            .set_range(range.map(str::to_owned))
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer());
        let refusal = sse::get(request, self.key).send().await.err()?;
        Some(error::read(&self.name(), "s3:GetObject", refusal))
    }

    /// Begins to bring down the stored bytes of `range`, if the object is still the one with this ETag.
    ///
    /// # Errors
    /// What S3 refuses; `Changed` for another ETag; `Tampered` for an answer about other bytes.
    pub(crate) async fn range(&self, range: Range<u64>, etag: Option<&str>) -> Result<Body> {
        let request = self.connection.s3.get_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = request
            .set_version_id(self.version_id.map(str::to_owned))
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .set_if_match(etag.map(str::to_owned))
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer());
        let answer = sse::get(request, self.key)
            .send()
            .await
            .map_err(|refusal| error::read(&self.name(), "s3:GetObject", refusal))?;
        // Not every server knows the condition.
        if let (Some(meant), Some(said)) = (etag, etag_of(answer.e_tag()))
            && meant.trim_matches('"') != said.trim_matches('"')
        {
            return Err(Error::Changed { what: self.name(), source: None });
        }
        let asked = format!("bytes {}-{}/", range.start, range.end - 1);
        match answer.content_range() {
            Some(said) if said.starts_with(&asked) => {}
            None if range.start == 0 && answer.content_length() == i64::try_from(range.end).ok() => {}
            said => {
                let why =
                    format!("asked for {asked}…, the server sent {}", said.unwrap_or("the whole object"));
                return Err(Error::tampered(self.name(), why));
            }
        }
        Ok(Body { name: self.name(), stream: answer.body })
    }

    /// Fetches a small object whole, up to `limit` bytes; `None` if there is none.
    ///
    /// # Errors
    /// What S3 refuses; `TooLarge` beyond the limit.
    pub(crate) async fn whole(&self, limit: u64) -> Result<Option<Bytes>> {
        Ok(self.whole_answer(limit).await?.map(|(bytes, _)| bytes))
    }

    /// Fetches a small object as [`Reader::whole`] does, together with what the answer says about it.
    ///
    /// # Errors
    /// As [`Reader::whole`].
    pub(crate) async fn whole_with_facts(&self, limit: u64) -> Result<Option<ObjectHead>> {
        let Some((bytes, answer)) = self.whole_answer(limit).await? else { return Ok(None) };
        let facts = self.of_object(ObjectHead::of_get(&answer))?;
        Ok(Some(ObjectHead { body: Some(bytes), ..facts }))
    }

    async fn whole_answer(&self, limit: u64) -> Result<Option<(Bytes, GetObjectOutput)>> {
        let mut tries = 1;
        loop {
            match self.whole_once(limit).await {
                // An answer that began and broke off: the SDK does not ask again for it.
                Err(Error::Network { .. }) if tries < self.connection.attempts() => tries += 1,
                told => return told,
            }
        }
    }

    async fn whole_once(&self, limit: u64) -> Result<Option<(Bytes, GetObjectOutput)>> {
        let request = self.connection.s3.get_object().bucket(self.uri.bucket.as_str()).key(&self.uri.key);
        let request = request
            .set_expected_bucket_owner(self.connection.owner())
            .set_request_payer(self.connection.payer());
        let mut answer = match sse::get(request, self.key).send().await {
            Ok(answer) => answer,
            Err(refusal) => match error::read(&self.name(), "s3:GetObject", refusal) {
                Error::NotFound { .. } => return Ok(None),
                error => return Err(error),
            },
        };
        let mut body = Body { name: self.name(), stream: std::mem::take(&mut answer.body) };
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await? {
            if (bytes.len() + chunk.len()) as u64 > limit {
                return Err(Error::TooLarge { what: self.name(), why: format!("more than {limit} bytes") });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some((bytes.into(), answer)))
    }

    /// Asks for the sizes of the object's parts, which a composite checksum was made over.
    ///
    /// # Errors
    /// What S3 refuses (it takes `s3:GetObjectAttributes`); `Unsupported` where the answer does not list them.
    pub(crate) async fn part_sizes(&self) -> Result<Vec<u64>> {
        let mut sizes = Vec::new();
        let mut marker = None;
        loop {
            let request = self.connection.s3.get_object_attributes();
            let request = request
                .bucket(self.uri.bucket.as_str())
                .key(&self.uri.key)
                .set_version_id(self.version_id.map(str::to_owned))
                .object_attributes(ObjectAttributes::ObjectParts)
                .set_part_number_marker(marker.take())
                .set_expected_bucket_owner(self.connection.owner())
                .set_request_payer(self.connection.payer());
            let answer = sse::attributes(request, self.key)
                .send()
                .await
                .map_err(|refusal| error::read(&self.name(), "s3:GetObjectAttributes", refusal))?;
            let parts = answer.object_parts().ok_or_else(|| Error::Unsupported {
                what: self.name(),
                why: "the server does not list the parts".to_owned(),
            })?;
            let before = sizes.len();
            if before > MAX_PARTS {
                let why = "it lists more parts than an object can have";
                return Err(Error::not_understood(self.name(), why));
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

    /// Makes the error for an object that has no use for the key given.
    #[must_use]
    pub(crate) fn not_applicable(&self, found: &Applied) -> Error {
        let why =
            KeyFault::NotApplicable { found: format!("stored with {} and not client-side", found.mode) };
        Error::KeyWrong { what: self.name(), why, source: None }
    }
}

macro_rules! checksum_of {
    ($answer:expr) => {{
        let kept = Algorithm::ALL.into_iter().find_map(|algorithm| {
            let value = match algorithm {
                Algorithm::Crc64Nvme => $answer.checksum_crc64_nvme(),
                Algorithm::Crc32 => $answer.checksum_crc32(),
                Algorithm::Crc32c => $answer.checksum_crc32_c(),
                Algorithm::Sha1 => $answer.checksum_sha1(),
                Algorithm::Sha256 => $answer.checksum_sha256(),
            };
            value.map(|value| (algorithm, value.to_owned()))
        });
        kept.map(|(algorithm, value)| {
            let composite = $answer.checksum_type() == Some(&ChecksumType::Composite) || value.contains('-');
            Checksum { algorithm, value, composite }
        })
    }};
}

/// Reads what the answers to HEAD and to GET both say. The function that it stands in returns `None` where they do not say
/// what every object has.
macro_rules! facts_of {
    ($answer:expr) => {
        ObjectHead {
            len: u64::try_from($answer.content_length()?).ok()?,
            etag: Some(etag_of($answer.e_tag())?),
            version_id: $answer.version_id().map(str::to_owned),
            applied: Applied::from($answer),
            metadata: ($answer.metadata().into_iter().flatten())
                .map(|(key, value)| (key.to_ascii_lowercase(), value.clone()))
                .collect(),
            checksum: checksum_of!($answer),
            storage_class: $answer.storage_class().map(|class| class.as_str().to_owned()),
            content_type: $answer.content_type().map(str::to_owned),
            ..ObjectHead::default()
        }
    };
}

impl ObjectHead {
    fn of_head(answer: &HeadObjectOutput) -> Option<Self> {
        Some(Self {
            marks: HeadDetails::from(answer),
            belongings: CopyableAttributes::from(answer),
            ..facts_of!(answer)
        })
    }

    fn of_get(answer: &GetObjectOutput) -> Option<Self> {
        Some(facts_of!(answer))
    }
}

/// The ETag of an answer; some servers leave it empty.
pub(super) fn etag_of(said: Option<&str>) -> Option<String> {
    said.filter(|etag| !etag.trim_matches('"').is_empty()).map(str::to_owned)
}

/// Stored bytes on their way down.
pub(crate) struct Body {
    name: String,
    stream: ByteStream,
}

impl Body {
    /// Returns the next bytes, `None` at the end.
    ///
    /// # Errors
    /// `Network` where the connection breaks or stands still.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        self.stream.try_next().await.map_err(|error| error::broken(&self.name, &error))
    }
}
