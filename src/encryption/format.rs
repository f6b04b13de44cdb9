//! The names of the client-side formats: those that s3seal writes, and those that it only reads.

use std::fmt;
use std::str::FromStr;

use super::EncryptionError;

/// The client-side formats that s3seal writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Amazon S3 Encryption Client, V3: key-committing.
    S3ec,
    /// Amazon S3 Encryption Client, V2: for older readers; not committing.
    S3ecV2,
    /// AWS Encryption SDK, framed, suite 0x0478.
    Esdk,
}

impl Format {
    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S3ec => "s3ec",
            Self::S3ecV2 => "s3ec-v2",
            Self::Esdk => "esdk",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A client-side format that s3seal reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoredFormat {
    /// Amazon S3 Encryption Client, V1: AES-CBC.
    S3ecV1,
    /// A format that s3seal also writes.
    Writable(Format),
}

impl StoredFormat {
    const ALL: [Self; 4] = [
        Self::Writable(Format::S3ec),
        Self::Writable(Format::S3ecV2),
        Self::S3ecV1,
        Self::Writable(Format::Esdk),
    ];

    /// The word on the command line and in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3ecV1 => "s3ec-v1",
            Self::Writable(format) => format.as_str(),
        }
    }
}

impl From<Format> for StoredFormat {
    fn from(format: Format) -> Self {
        Self::Writable(format)
    }
}

impl fmt::Display for StoredFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StoredFormat {
    type Err = EncryptionError;

    fn from_str(text: &str) -> Result<Self, EncryptionError> {
        let format = Self::ALL.into_iter().find(|format| format.as_str() == text);
        format.ok_or_else(|| EncryptionError::Format(text.to_owned()))
    }
}
