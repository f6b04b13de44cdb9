//! Checksums as S3 knows them: five algorithms, of a whole object or of its parts' sums.
//!
//! They are over the plaintext, whatever the encryption, and S3 makes a CRC64NVME where a client sends none.
//!
//! What does not belong here: reading bodies (see `intake`), MD5 ETags.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use crc_fast::CrcAlgorithm;
use http::HeaderMap;
use s3s::S3Result;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::error;
use super::sse::header;

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32
    Crc32,
    /// CRC-32C
    Crc32C,
    /// CRC-64/NVME
    Crc64Nvme,
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
}

/// What a checksum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecksumType {
    /// Of the parts' sums; the value ends in `-N`.
    Composite,
    /// Of all bytes.
    FullObject,
}

impl ChecksumType {
    /// S3's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    fn parse(name: &str) -> S3Result<Self> {
        match name {
            "COMPOSITE" => Ok(Self::Composite),
            "FULL_OBJECT" => Ok(Self::FullObject),
            _ => Err(error::invalid_request("Value for x-amz-checksum-type header is invalid.")),
        }
    }
}

/// A checksum's value, in base64 (of a composite one with `-N`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// How it was made.
    pub algorithm: Algorithm,
    /// What came out.
    pub value: String,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Crc32, Self::Crc32C, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// S3's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    fn header(self) -> String {
        format!("x-amz-checksum-{}", self.lower())
    }

    /// S3's word for it in messages about the upload it belongs to.
    pub fn lower(self) -> String {
        self.name().to_ascii_lowercase()
    }

    /// Reads S3's word.
    pub fn parse(name: &str) -> S3Result<Self> {
        let found = Self::ALL.into_iter().find(|each| each.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| match name.to_ascii_uppercase().as_str() {
            "SHA512" | "MD5" | "XXHASH64" | "XXHASH3" | "XXHASH128" => error::not_implemented(),
            _ => error::invalid_request(
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
                 CRC32C, CRC64NVME, SHA1, SHA256]",
            ),
        })
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32C => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    fn crc_len(self) -> usize {
        if self == Self::Crc64Nvme { 8 } else { 4 }
    }

    fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            crc => crc.crc_len(),
        }
    }

    fn crc_value(self, crc: u64) -> String {
        BASE64_STANDARD.encode(&crc.to_be_bytes()[8 - self.crc_len()..])
    }
}

/// Sums bytes as they come.
pub enum Summer {
    Crc(Algorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Summer {
    /// Begins.
    pub fn new(algorithm: Algorithm) -> Self {
        match (algorithm, algorithm.crc()) {
            (_, Some(crc)) => Self::Crc(algorithm, crc_fast::Digest::new(crc)),
            (Algorithm::Sha1, _) => Self::Sha1(Sha1::new()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, crc) => crc.update(bytes),
            Self::Sha1(sha) => sha.update(bytes),
            Self::Sha256(sha) => sha.update(bytes),
        }
    }

    /// Ends.
    pub fn finish(self) -> Sum {
        let (algorithm, value) = match self {
            Self::Crc(algorithm, crc) => (algorithm, algorithm.crc_value(crc.finalize())),
            Self::Sha1(sha) => (Algorithm::Sha1, BASE64_STANDARD.encode(sha.finalize())),
            Self::Sha256(sha) => (Algorithm::Sha256, BASE64_STANDARD.encode(sha.finalize())),
        };
        Sum { algorithm, value }
    }
}

/// The sum of bytes at hand.
pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Sum {
    let mut summer = Summer::new(algorithm);
    summer.update(bytes);
    summer.finish()
}

/// The sum of so many zeros. A CRC is put together of halves: gigabytes take no time.
pub fn of_zeros(algorithm: Algorithm, len: u64) -> Sum {
    const PIECE: u64 = 1 << 20;
    if algorithm.crc().is_some() && len > PIECE {
        let (half, rest) = (len / 2, len % 2);
        let (sum, odd) = (of_zeros(algorithm, half), of_zeros(algorithm, rest));
        return of_parts(algorithm, ChecksumType::FullObject, &[(&sum, half), (&sum, half), (&odd, rest)]);
    }
    let zeros = vec![0; PIECE.min(len) as usize];
    let mut summer = Summer::new(algorithm);
    let mut left = len;
    while left > 0 {
        let take = left.min(PIECE);
        summer.update(&zeros[..take as usize]);
        left -= take;
    }
    summer.finish()
}

/// The sum of an object of parts, from the sums and sizes of these.
pub fn of_parts(algorithm: Algorithm, kind: ChecksumType, parts: &[(&Sum, u64)]) -> Sum {
    let raw = |sum: &Sum| BASE64_STANDARD.decode(&sum.value).unwrap_or_default();
    let value = match (kind, algorithm.crc()) {
        (ChecksumType::FullObject, Some(crc)) => {
            let number = |sum| raw(sum).iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            let mut parts = parts.iter();
            let first = parts.next().map_or(0, |(sum, _)| number(sum));
            let whole = parts.fold(first, |so_far, (sum, size)| {
                crc_fast::checksum_combine(crc, so_far, number(sum), *size)
            });
            algorithm.crc_value(whole)
        }
        _ => {
            let all: Vec<u8> = parts.iter().flat_map(|(sum, _)| raw(sum)).collect();
            format!("{}-{}", of(algorithm, &all).value, parts.len())
        }
    };
    Sum { algorithm, value }
}

/// The checksum that a request's headers or trailers give.
pub fn given(headers: &HeaderMap) -> S3Result<Option<Sum>> {
    let mut sums = Vec::new();
    for name in headers.keys().map(http::HeaderName::as_str) {
        let Some(word) = name.strip_prefix("x-amz-checksum-") else {
            continue;
        };
        if !matches!(word, "algorithm" | "type" | "mode") {
            let algorithm = Algorithm::parse(word)?;
            let value = header(headers, name).unwrap_or_default().to_owned();
            sums.push(Sum { algorithm, value });
        }
    }
    if sums.len() > 1 {
        return Err(error::invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    Ok(sums.pop())
}

/// Refuses a value that is no sum of its algorithm; of a whole object, `-N` may follow.
pub fn check_form(sum: &Sum) -> S3Result<()> {
    let value = sum.value.split_once('-').map_or(&*sum.value, |(value, _)| value);
    let right = BASE64_STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == sum.algorithm.len());
    if right {
        return Ok(());
    }
    let header = sum.algorithm.header();
    Err(error::invalid_request(format!("Value for {header} header is invalid.")))
}

/// The algorithm that a request announces for its body, in a trailer or by name.
pub fn announced(headers: &HeaderMap) -> S3Result<Option<Algorithm>> {
    let trailer = header(headers, "x-amz-trailer").unwrap_or_default();
    let mut words = trailer.split(',').filter_map(|name| name.trim().strip_prefix("x-amz-checksum-"));
    if let Some(word) = words.next() {
        return Algorithm::parse(word).map(Some);
    }
    match header(headers, "x-amz-sdk-checksum-algorithm") {
        Some(name) => {
            Algorithm::parse(name)?;
            Err(error::invalid_request(
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer \
                 headers were found.",
            ))
        }
        None => Ok(None),
    }
}

/// What `CreateMultipartUpload` asks for.
pub fn of_upload(headers: &HeaderMap) -> S3Result<Option<(Algorithm, ChecksumType)>> {
    let kind = header(headers, "x-amz-checksum-type").map(ChecksumType::parse).transpose()?;
    let Some(name) = header(headers, "x-amz-checksum-algorithm") else {
        return match kind {
            Some(_) => Err(error::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
            None => Ok(None),
        };
    };
    let algorithm = Algorithm::parse(name)?;
    let kind = kind.unwrap_or(match algorithm {
        Algorithm::Crc64Nvme => ChecksumType::FullObject,
        _ => ChecksumType::Composite,
    });
    let possible = match kind {
        ChecksumType::Composite => algorithm != Algorithm::Crc64Nvme,
        ChecksumType::FullObject => algorithm.crc().is_some(),
    };
    if possible {
        return Ok(Some((algorithm, kind)));
    }
    Err(error::invalid_request(format!(
        "The {} checksum type cannot be used with the {} checksum algorithm.",
        kind.name(),
        algorithm.lower()
    )))
}

/// Refuses a completion that names another checksum type than its upload's.
pub fn check_type(headers: &HeaderMap, kind: ChecksumType) -> S3Result<()> {
    match header(headers, "x-amz-checksum-type") {
        Some(given) if given != kind.name() => Err(error::invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            kind.name()
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        // The check values of the CRC catalogue, and FIPS 180 for "abc".
        let value = |algorithm, text: &[u8]| BASE64_STANDARD.decode(of(algorithm, text).value).unwrap();
        assert_eq!(value(Algorithm::Crc32, b"123456789"), [0xcb, 0xf4, 0x39, 0x26]);
        assert_eq!(value(Algorithm::Crc32C, b"123456789"), [0xe3, 0x06, 0x92, 0x83]);
        let crc64 = 0xae8b_1486_0a79_9888_u64.to_be_bytes();
        assert_eq!(value(Algorithm::Crc64Nvme, b"123456789"), crc64);
        assert_eq!(value(Algorithm::Sha256, b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(value(Algorithm::Sha1, b"abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
    }

    #[test]
    fn a_full_object_crc_of_parts_is_that_of_the_whole() {
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32C, Algorithm::Crc64Nvme] {
            let (one, two, three) = (of(algorithm, b"hello "), of(algorithm, b""), of(algorithm, b"world"));
            let parts = [(&one, 6), (&two, 0), (&three, 5)];
            let whole = of_parts(algorithm, ChecksumType::FullObject, &parts);
            assert_eq!(whole, of(algorithm, b"hello world"), "{algorithm:?}");
        }
    }

    #[test]
    fn zeros_are_summed_without_being_read() {
        let len = (3 << 20) + 5;
        for algorithm in Algorithm::ALL {
            assert_eq!(of_zeros(algorithm, len as u64), of(algorithm, &vec![0; len]), "{algorithm:?}");
            assert_eq!(of_zeros(algorithm, 0), of(algorithm, b""), "{algorithm:?}");
        }
    }

    #[test]
    fn a_composite_sum_counts_its_parts() {
        let part = of(Algorithm::Sha256, b"x");
        let sum = of_parts(Algorithm::Sha256, ChecksumType::Composite, &[(&part, 1), (&part, 1)]);
        let raw = BASE64_STANDARD.decode(&part.value).unwrap();
        let expected = of(Algorithm::Sha256, &[raw.clone(), raw].concat()).value;
        assert_eq!(sum.value, format!("{expected}-2"));
    }
}
