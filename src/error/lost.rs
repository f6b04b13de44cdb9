//! An envelope that a server did not keep: what is needed to keep the object readable all the same.

use std::fmt;

use serde_json::{Value, json};

use crate::location::S3Uri;
use crate::object::PublicEnvelope;

/// An object whose envelope is not stored as it was sent.
#[derive(Clone, Debug)]
pub struct LostEnvelope {
    /// Where it is stored.
    pub uri: S3Uri,
    /// The version stored, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// What the server did: "dropped x-amz-3, changed x-amz-d".
    pub change: String,
    /// The envelope that belongs to the ciphertext that is stored.
    pub(crate) new: PublicEnvelope,
    /// The one before it, where it was replaced.
    pub(crate) old: Option<PublicEnvelope>,
    /// Whether it is the instruction file that is not as it was sent.
    pub is_about_file: bool,
    /// Whether the object cannot be decrypted without it.
    pub is_needed: bool,
    /// Whether this object is stored so; if not, another one has shown it, and nothing of this one was sent.
    pub stored: bool,
}

impl LostEnvelope {
    /// Everything that must not be lost, in the form in which the journal has it.
    #[must_use]
    pub fn document(&self) -> Value {
        json!({ "object": self.uri.to_string(), "version_id": self.version_id, "old": self.old, "new": self.new })
    }
}

impl fmt::Display for LostEnvelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uri, change, .. } = self;
        match (self.stored, self.is_needed) {
            (false, _) => write!(
                f,
                "{uri} was not started: the server does not keep the envelopes of client-side objects"
            ),
            (true, true) => write!(
                f,
                "{uri} is stored without the envelope that was sent: the server {change}; it cannot be decrypted without it"
            ),
            (true, false) => write!(
                f,
                "{uri} is stored without the metadata that was sent: the server {change}; it can still be decrypted with \
                 its key"
            ),
        }
    }
}
