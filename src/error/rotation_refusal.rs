//! Why an object cannot be rotated as asked.

use std::fmt;

/// Why an object cannot be rotated as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationRefusal {
    /// The bytes are in an archive.
    Archived(String),
    /// An older version cannot be replaced where it stands.
    Superseded,
    /// Not client-side, where only what old keys have opened is to be encrypted anew.
    Plaintext,
    /// Nobody is proven to have written it, and the new key would say that its holder did.
    Unproven {
        /// Whether it was opened with a private key, whose public key anybody may have; else nothing authenticates it.
        by_public_key: bool,
    },
    /// Only a data key could be wrapped anew, and it has none.
    NotClientSide,
    /// It has no instruction file to share.
    NothingToShare,
    /// S3 encrypts it in a mode that s3seal does not know.
    UnknownMode(String),
    /// It is an instruction file: it goes with its object.
    InstructionFile,
    /// It is an instruction file, which readers of its object ask for without an SSE-C key.
    InstructionFileUnderCustomerKey,
    /// Nothing authenticates its bytes, so they are to be re-encrypted, which was not asked for.
    NotAuthenticated,
    /// Its instruction file and the object itself would have to be replaced in the same moment.
    FileInUse,
    /// Its name is bound into an encryption context, which what is asked for does not have.
    NameUnbound,
    /// An earlier run has replaced it by ciphertext whose envelope is not there, or was to decrypt it and did not.
    EnvelopeLost,
    /// Locked, and not to be replaced where it stands.
    Locked,
}

impl fmt::Display for RotationRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archived(class) => write!(f, "it is archived ({class}) and must be restored first"),
            Self::Superseded => f.write_str(
                "it is not the newest version, and only an update in place can change an older one",
            ),
            Self::Plaintext => f.write_str(
                "it is not encrypted client-side: nothing shows who wrote it, and once encrypted it would look like the others",
            ),
            Self::Unproven { by_public_key: true } => f.write_str(
                "anyone with the public key could have encrypted it, and under the new key it would look like its holder's",
            ),
            Self::Unproven { by_public_key: false } => f.write_str(
                "nothing authenticates its content, and under the new key it would look authenticated",
            ),
            Self::NotClientSide => {
                f.write_str("it is not encrypted client-side: there is no data key to rewrap")
            }
            Self::NothingToShare => f.write_str("it has no instruction file, so it cannot be shared by another one"),
            Self::UnknownMode(mode) => write!(f, "S3 stores it as '{mode}', which s3seal does not know"),
            Self::InstructionFile => {
                f.write_str("it is the instruction file of another object and goes with that one")
            }
            Self::InstructionFileUnderCustomerKey => f.write_str(
                "it is the instruction file of another object, which does not open once its file needs an SSE-C key",
            ),
            Self::NotAuthenticated => f.write_str(
                "nothing authenticates its content, and rewrapping the data key would not change that",
            ),
            Self::FileInUse => f.write_str(
                "its instruction file and the object cannot be replaced at the same moment; in between, the object would be unreadable",
            ),
            Self::NameUnbound => f.write_str(
                "it is bound to its name and would no longer be: the S3 Encryption Client's formats bind names only \
                 with a KMS key",
            ),
            Self::EnvelopeLost => f.write_str(
                "an earlier run left it encrypted, and its envelope is gone; restore the envelope from the journal, or \
                 delete the journal if this is another object",
            ),
            Self::Locked => f.write_str("Object Lock protects this version from being changed"),
        }
    }
}
