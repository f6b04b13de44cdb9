//! The checksums that S3 keeps beside an object: computed in the same pass as the bytes, sent and compared.
//!
//! CRCs of parts combine into the CRC of the whole object, so each byte is summed once.
//! Source: "Checking object integrity", Amazon S3 user guide.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use crc_fast::{CrcAlgorithm, checksum, checksum_combine};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// An algorithm that S3 knows and s3seal offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// CRC-64/NVME, over the full object: S3's own default.
    #[default]
    Crc64Nvme,
    /// CRC-32, over the full object.
    Crc32,
    /// CRC-32C, over the full object.
    Crc32c,
    /// SHA-1; for a multipart upload a composite of the parts' sums.
    Sha1,
    /// SHA-256; for a multipart upload a composite of the parts' sums.
    Sha256,
}

impl Algorithm {
    /// All of them, in the order in which they are looked for in an answer.
    pub const ALL: [Self; 5] = [Self::Crc64Nvme, Self::Crc32, Self::Crc32c, Self::Sha1, Self::Sha256];

    /// The word on the command line and in results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "crc64nvme",
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Whether sums of parts combine into the sum of the whole (S3's FULL_OBJECT type).
    #[must_use]
    pub fn is_full_object(self) -> bool {
        self.crc().is_some()
    }

    fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc64Nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    /// Sums up bytes that are at hand as a whole.
    #[must_use]
    pub fn sum(self, bytes: &[u8]) -> Sum {
        let value = match self.crc() {
            Some((crc, width)) => checksum(crc, bytes).to_be_bytes()[8 - width..].to_vec(),
            None if self == Self::Sha1 => Sha1::digest(bytes).to_vec(),
            None => Sha256::digest(bytes).to_vec(),
        };
        Sum { algorithm: self, value }
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
    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The value as headers carry it: base64 of the big-endian bytes.
    #[must_use]
    pub fn base64(&self) -> String {
        BASE64_STANDARD.encode(&self.value)
    }
}

/// The checksum of a whole object, from its parts in order.
#[derive(Clone, Debug)]
pub struct Whole {
    algorithm: Algorithm,
    crc: Option<u64>,
    digests: Vec<u8>,
    parts: usize,
}

impl Whole {
    /// Begins with no bytes.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, crc: None, digests: Vec::new(), parts: 0 }
    }

    /// Appends the next part: its sum and its length in bytes.
    pub fn append(&mut self, part: &Sum, len: u64) {
        self.parts += 1;
        match self.algorithm.crc() {
            Some((algorithm, width)) => {
                let mut wide = [0; 8];
                wide[8 - width..].copy_from_slice(&part.value);
                let next = u64::from_be_bytes(wide);
                self.crc = Some(match self.crc {
                    Some(sofar) => checksum_combine(algorithm, sofar, next, len),
                    None => next,
                });
            }
            None => self.digests.extend_from_slice(&part.value),
        }
    }

    /// Returns the object's checksum as S3 shows it: the sum itself for a full-object algorithm,
    /// for a composite one the sum over the parts' sums, `-` and their number.
    #[must_use]
    pub fn base64(&self) -> String {
        match self.algorithm.crc() {
            Some((_, width)) => {
                let value = self.crc.unwrap_or_default().to_be_bytes();
                BASE64_STANDARD.encode(&value[8 - width..])
            }
            None => format!("{}-{}", self.algorithm.sum(&self.digests).base64(), self.parts),
        }
    }
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
    fn parts_combine_to_the_whole_or_to_a_composite() {
        for (algorithm, expected) in KNOWN {
            let mut whole = Whole::new(algorithm);
            for part in [&b"1234"[..], b"56789", b""] {
                whole.append(&algorithm.sum(part), part.len() as u64);
            }
            if algorithm.is_full_object() {
                assert_eq!(whole.base64(), expected, "{algorithm}");
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
