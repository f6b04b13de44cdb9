//! A body coming in: encrypted as it comes, summed as it comes, refused if the sums do not fit.
//!
//! What does not belong here: what the body becomes.

use std::ops::Range;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::StreamExt as _;
use http::HeaderMap;
use md5::{Digest as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders};

use super::checksum::{self, Algorithm, Sum, Summer};
use super::error;
use super::ops::put;
use super::sse::{SseView, header};
use super::state::{Lie, S3State};
use crate::store::{Body, BodyKeys, Sink};

/// A body that has arrived and fits its sums.
pub struct Received {
    pub body: Body,
    /// Zeros, if no tag is made of it.
    pub md5: [u8; 16],
    /// The checksum to keep.
    pub sum: Sum,
    /// The checksum the client gave.
    pub given: Option<Sum>,
}

/// What a client says of its body beforehand.
pub struct Claims {
    md5: Option<[u8; 16]>,
    sum: Option<Sum>,
    announced: Option<Algorithm>,
    trailers: Option<TrailingHeaders>,
    length: Option<u64>,
}

impl Claims {
    /// Reads the headers of a request with a body.
    ///
    /// # Errors
    /// For what is no checksum.
    pub fn read(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> S3Result<Self> {
        let sum = checksum::given(headers)?;
        sum.as_ref().map_or(Ok(()), checksum::check_form)?;
        let md5 = header(headers, "content-md5").map(|text| {
            let bytes = BASE64_STANDARD.decode(text).ok();
            bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(error::invalid_md5)
        });
        Ok(Self {
            md5: md5.transpose()?,
            announced: match sum {
                Some(_) => None,
                None => checksum::announced(headers)?,
            },
            sum,
            trailers,
            length: header(headers, "content-length").and_then(|text| text.parse().ok()),
        })
    }

    /// The algorithm of the checksum the client gives, if it gives one.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.sum.as_ref().map(|sum| sum.algorithm).or(self.announced)
    }

    /// The length the client says.
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

/// MD5, where anyone asks for it: it is slower than all else here.
struct MaybeMd5(Option<Md5>);

impl MaybeMd5 {
    fn new(wanted: bool) -> Self {
        Self(wanted.then(Md5::new))
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.0 {
            md5.update(bytes);
        }
    }

    fn finish(self) -> [u8; 16] {
        self.0.map(|md5| md5.finalize().into()).unwrap_or_default()
    }
}

/// Takes a body in, keeping the checksum of `keep`, or of the client's algorithm, or CRC64NVME.
///
/// # Errors
/// If it breaks off, does not fit what the client says of it, or cannot be stored.
pub async fn receive(
    state: &S3State,
    stream: Option<StreamingBlob>,
    keys: &BodyKeys,
    claims: Claims,
    keep: Option<Algorithm>,
    sse: &SseView,
) -> S3Result<Received> {
    let theirs = claims.algorithm();
    let keep = keep.or(theirs).unwrap_or(Algorithm::Crc64Nvme);
    let mut kept = Summer::new(keep);
    let mut checked = theirs.filter(|each| *each != keep).map(Summer::new);
    let mut md5 = MaybeMd5::new(claims.md5.is_some() || put::tag_is_md5(sse));
    let mut sink = Sink::new(&state.shelf, keys).map_err(error::internal)?;
    let mut stream = stream;
    while let Some(piece) = next(&mut stream).await {
        let piece = piece.map_err(|broken| error::broken_body(&*broken))?;
        md5.update(&piece);
        kept.update(&piece);
        if let Some(checked) = &mut checked {
            checked.update(&piece);
        }
        sink.write(&piece).map_err(error::internal)?;
    }
    let body = sink.finish().map_err(error::internal)?;
    let (md5, sum) = (md5.finish(), kept.finish());
    let checked = checked.map_or_else(|| sum.clone(), Summer::finish);
    let given = check(state, claims, &md5, &checked)?;
    Ok(Received { body, md5, sum, given })
}

/// Takes in a range of another object's bytes, summing them with `keep`. What is a hole there is one here.
///
/// # Errors
/// If they cannot be read or stored.
pub async fn copy(
    state: &S3State,
    (source, range, source_keys): (&Body, Range<u64>, &BodyKeys),
    keys: &BodyKeys,
    keep: Algorithm,
    sse: &SseView,
) -> S3Result<Received> {
    if source.is_hole() {
        let len = range.end - range.start;
        let sum = checksum::of_zeros(keep, len);
        // Nobody compares the tag of a hole with its MD5.
        return Ok(Received { body: Body::hole(len), md5: [0; 16], sum, given: None });
    }
    let mut pieces = source.read(range, source_keys);
    let (mut kept, mut md5) = (Summer::new(keep), MaybeMd5::new(put::tag_is_md5(sse)));
    let mut sink = Sink::new(&state.shelf, keys).map_err(error::internal)?;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(error::internal)?;
        md5.update(&piece);
        kept.update(&piece);
        sink.write(&piece).map_err(error::internal)?;
    }
    Ok(Received {
        body: sink.finish().map_err(error::internal)?,
        md5: md5.finish(),
        sum: kept.finish(),
        given: None,
    })
}

async fn next(stream: &mut Option<StreamingBlob>) -> Option<Result<bytes::Bytes, s3s::StdError>> {
    match stream {
        Some(stream) => stream.next().await,
        None => None,
    }
}

fn check(state: &S3State, claims: Claims, md5: &[u8; 16], sum: &Sum) -> S3Result<Option<Sum>> {
    let given = match (claims.sum, claims.announced) {
        (None, Some(_)) => Some(trailed(claims.trailers.as_ref())?),
        (given, _) => given,
    };
    if state.lies(Lie::IgnoreChecksums) {
        return Ok(None);
    }
    match (&given, claims.md5) {
        (_, Some(claimed)) if claimed != *md5 => Err(error::bad_md5()),
        (Some(given), _) if given.value != sum.value => Err(error::bad_checksum(sum.algorithm.name())),
        _ => Ok(given),
    }
}

fn trailed(trailers: Option<&TrailingHeaders>) -> S3Result<Sum> {
    let headers = trailers.and_then(TrailingHeaders::take).unwrap_or_default();
    let sum = checksum::given(&headers)?.ok_or_else(|| {
        let text = "The request contained trailing data that was not well-formed or did not conform to our published \
                    schema.";
        let mut error = S3Error::with_message(S3ErrorCode::Custom("MalformedTrailerError".into()), text);
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        error
    })?;
    checksum::check_form(&sum)?;
    Ok(sum)
}
