//! The checksums that S3 stores with an object: computed as the bytes pass, sent and compared.
//!
//! CRCs of parts combine into the CRC of the whole object, so each byte is read once.
//! Source: "Checking object integrity", Amazon S3 user guide.

use std::collections::VecDeque;
use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use crc_fast::CrcAlgorithm;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

mod combine;

use combine::Crc;

/// A checksum algorithm of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// CRC-64/NVME, over the full object: S3's own default.
    Crc64Nvme,
    /// CRC-32, over the full object.
    Crc32,
    /// CRC-32C, over the full object.
    Crc32c,
    /// SHA-1; for a multipart upload, a composite.
    Sha1,
    /// SHA-256; for a multipart upload, a composite.
    Sha256,
}

impl Algorithm {
    /// All of them, in the order in which a response is searched for them. Another one goes before `Sha256`, so that this
    /// list must grow with it.
    pub const ALL: [Self; Self::Sha256 as usize + 1] =
        [Self::Crc64Nvme, Self::Crc32, Self::Crc32c, Self::Sha1, Self::Sha256];

    /// The word on the command line and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "crc64nvme",
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Whether checksums of parts combine into the checksum of the object (type FULL_OBJECT).
    pub fn is_full_object(self) -> bool {
        self.crc().is_some()
    }

    fn crc(self) -> Option<Crc> {
        match self {
            Self::Crc64Nvme => Some(Crc { width: 64, polynomial: 0x9A6C_9329_AC4B_C9B5 }),
            Self::Crc32 => Some(Crc { width: 32, polynomial: 0xEDB8_8320 }),
            Self::Crc32c => Some(Crc { width: 32, polynomial: 0x82F6_3B78 }),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Computes the checksum of `bytes`.
    pub fn sum(self, bytes: &[u8]) -> Sum {
        let mut running = Running::new(self);
        running.update(bytes);
        running.finish()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A finished checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    algorithm: Algorithm,
    value: Vec<u8>,
}

impl Sum {
    fn of_crc(algorithm: Algorithm, value: u64) -> Self {
        let unused = algorithm.crc().map_or(0, Crc::unused_bytes);
        Self { algorithm, value: value.to_be_bytes()[unused..].to_vec() }
    }

    /// Reads a value from a response; `None` if it cannot be one of this algorithm.
    pub fn from_base64(algorithm: Algorithm, text: &str) -> Option<Self> {
        let value = BASE64_STANDARD.decode(text).ok()?;
        (value.len() == algorithm.sum(&[]).value.len()).then_some(Self { algorithm, value })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The value as in headers: base64 of the big-endian bytes.
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.value)
    }
}

/// Computes a checksum incrementally.
#[derive(Clone)]
pub enum Running {
    /// One of the CRCs.
    Crc(Algorithm, crc_fast::Digest),
    /// SHA-1.
    Sha1(Sha1),
    /// SHA-256.
    Sha256(Sha256),
}

impl Running {
    /// Starts with no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        let crc = |crc| Self::Crc(algorithm, crc_fast::Digest::new(crc));
        match algorithm {
            Algorithm::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme),
            Algorithm::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc),
            Algorithm::Crc32c => crc(CrcAlgorithm::Crc32Iscsi),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(bytes),
            Self::Sha1(digest) => digest.update(bytes),
            Self::Sha256(digest) => digest.update(bytes),
        }
    }

    /// Returns the checksum.
    pub fn finish(self) -> Sum {
        match self {
            Self::Crc(algorithm, digest) => Sum::of_crc(algorithm, digest.finalize()),
            Self::Sha1(digest) => Sum { algorithm: Algorithm::Sha1, value: digest.finalize().to_vec() },
            Self::Sha256(digest) => Sum { algorithm: Algorithm::Sha256, value: digest.finalize().to_vec() },
        }
    }
}

/// Computes the checksum of an object from its parts, in order.
#[derive(Clone, Debug)]
pub struct Whole {
    algorithm: Algorithm,
    /// Whether the checksums of parts are concatenated and hashed, rather than combined.
    composite: bool,
    crc: Option<u64>,
    digests: Vec<u8>,
    parts: usize,
}

impl Whole {
    /// Starts with no bytes.
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, composite: !algorithm.is_full_object(), crc: None, digests: Vec::new(), parts: 0 }
    }

    /// Starts a composite, which other programs also make of CRCs.
    pub fn composite(algorithm: Algorithm) -> Self {
        Self { composite: true, ..Self::new(algorithm) }
    }

    /// Appends the next part: its checksum and its length in bytes.
    pub fn append(&mut self, part: &Sum, len: u64) {
        self.parts += 1;
        match self.algorithm.crc().filter(|_| !self.composite) {
            Some(crc) => {
                let mut wide = [0; 8];
                wide[crc.unused_bytes()..].copy_from_slice(&part.value);
                let next = u64::from_be_bytes(wide);
                self.crc = Some(match self.crc {
                    Some(sofar) => crc.combine(sofar, next, len),
                    None => next,
                });
            }
            None => self.digests.extend_from_slice(&part.value),
        }
    }

    /// Returns the object's checksum as S3 shows it: in base64; of a composite with `-` and the number of parts.
    pub fn base64(&self) -> String {
        match self.algorithm.crc().filter(|_| !self.composite) {
            Some(_) => Sum::of_crc(self.algorithm, self.crc.unwrap_or_default()).base64(),
            None => format!("{}-{}", self.algorithm.sum(&self.digests).base64(), self.parts),
        }
    }
}

/// Computes the checksum of an object during its download, and compares it with the one that S3 stores.
pub struct Verifier {
    expected: String,
    algorithm: Algorithm,
    running: Running,
    /// Of a composite: the sizes of the remaining parts, and the checksum of the previous ones.
    composite: Option<(VecDeque<u64>, Whole)>,
    /// The remaining bytes of the current part.
    left: u64,
}

impl Verifier {
    /// Expects a checksum of the whole object.
    pub fn full_object(algorithm: Algorithm, expected: &str) -> Self {
        let running = Running::new(algorithm);
        Self { expected: expected.to_owned(), algorithm, running, composite: None, left: u64::MAX }
    }

    /// Expects a composite of parts of these sizes in bytes.
    pub fn composite(algorithm: Algorithm, expected: &str, sizes: Vec<u64>) -> Self {
        let mut sizes = VecDeque::from(sizes);
        let left = sizes.pop_front().unwrap_or(u64::MAX);
        let composite = Some((sizes, Whole::composite(algorithm)));
        Self { expected: expected.to_owned(), algorithm, running: Running::new(algorithm), composite, left }
    }

    /// Adds bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while self.composite.is_some() && bytes.len() as u64 >= self.left {
            let (now, later) = bytes.split_at(usize::try_from(self.left).unwrap_or(bytes.len()));
            self.running.update(now);
            bytes = later;
            self.end_part();
        }
        self.left -= bytes.len() as u64;
        self.running.update(bytes);
    }

    fn end_part(&mut self) {
        if let Some((sizes, whole)) = &mut self.composite {
            let sum = std::mem::replace(&mut self.running, Running::new(self.algorithm)).finish();
            whole.append(&sum, 0);
            self.left = sizes.pop_front().unwrap_or(u64::MAX);
        }
    }

    /// Compares the checksums; if they differ, the error names both.
    pub fn finish(self) -> Result<(), String> {
        let found = match self.composite {
            None => self.running.finish().base64(),
            Some((_, whole)) => whole.base64(),
        };
        compare(&found, &self.expected)
    }

    /// The algorithm, if checksums of ranges combine to the expected one, so that ranges may be read in any order.
    pub fn combines(&self) -> Option<Algorithm> {
        (self.composite.is_none() && self.algorithm.is_full_object()).then_some(self.algorithm)
    }

    /// Compares as [`Verifier::finish`] does, with a checksum that was combined from ranges.
    pub fn compare(&self, found: &Whole) -> Result<(), String> {
        compare(&found.base64(), &self.expected)
    }
}

fn compare(found: &str, expected: &str) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("its checksum is {found}, S3 stores {expected}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Check values of the CRC catalogue for "123456789", and of `sha1sum` and `sha256sum`.
    const KNOWN: [(Algorithm, &str); 5] = [
        (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
        (Algorithm::Crc32, "y/Q5Jg=="),
        (Algorithm::Crc32c, "4waSgw=="),
        (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
        (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ];

    #[test]
    fn sums_are_those_of_the_catalogues() {
        for (algorithm, expected) in KNOWN {
            assert_eq!(algorithm.sum(b"123456789").base64(), expected, "{algorithm}");
        }
    }

    #[test]
    fn what_came_down_is_compared_with_what_s3_keeps() {
        for (algorithm, expected) in KNOWN {
            let verify = |bytes: &[u8]| {
                let mut verifier = Verifier::full_object(algorithm, expected);
                bytes.chunks(2).for_each(|chunk| verifier.update(chunk));
                verifier.finish()
            };
            assert_eq!(verify(b"123456789"), Ok(()));
            assert!(verify(b"123456780").is_err());

            let mut whole = Whole::composite(algorithm);
            for part in [&b"1234"[..], b"56789"] {
                whole.append(&algorithm.sum(part), 0);
            }
            for chunk in 1..10 {
                let mut verifier = Verifier::composite(algorithm, &whole.base64(), vec![4, 5]);
                b"123456789".chunks(chunk).for_each(|chunk| verifier.update(chunk));
                assert_eq!(verifier.finish(), Ok(()), "{algorithm} by {chunk}");
            }
        }
    }

    #[test]
    fn parts_combine_to_the_whole_or_to_a_composite() {
        for (algorithm, expected) in KNOWN {
            let mut whole = Whole::new(algorithm);
            for part in [&b"1234"[..], b"56789", b""] {
                whole.append(&algorithm.sum(part), part.len() as u64);
            }
            let verifier = Verifier::full_object(algorithm, expected);
            assert_eq!(verifier.combines().is_some(), algorithm.is_full_object());
            assert!(Verifier::composite(algorithm, expected, vec![4]).combines().is_none());
            if algorithm.is_full_object() {
                assert_eq!(whole.base64(), expected, "{algorithm}");
                assert_eq!(verifier.compare(&whole), Ok(()));
                whole.append(&algorithm.sum(b"0"), 1);
                assert!(verifier.compare(&whole).is_err());
            } else {
                let mut digests = algorithm.sum(b"1234").value;
                digests.extend(algorithm.sum(b"56789").value);
                digests.extend(algorithm.sum(b"").value);
                assert_eq!(whole.base64(), format!("{}-3", algorithm.sum(&digests).base64()));
            }
        }
        assert_eq!(Whole::new(Algorithm::Crc64Nvme).base64(), Algorithm::Crc64Nvme.sum(b"").base64());
    }
}
