//! What a header says, for people: nothing in it is proven until a key opens it.

use std::collections::BTreeMap;

use super::edk::{Edk, EdkKind};
use super::header::Framing;
use super::message::Message;
use crate::seal::passphrase::Phc;

/// What a message says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The number of the algorithm suite.
    pub suite: u16,
    /// Its name in the specification.
    pub suite_name: &'static str,
    /// The version of the message format.
    pub version: u8,
    /// Whether it commits to one data key.
    pub committing: bool,
    /// Whether a signature ends it.
    pub signed: bool,
    /// The plain length of frames in bytes; none if it is not cut into frames.
    pub frame_length: Option<u32>,
    /// The length of the header, in bytes.
    pub header_len: u64,
    /// The message id, in hex.
    pub message_id: String,
    /// The encryption context, the format's own pair included.
    pub context: BTreeMap<String, String>,
    /// Who can open it, in the message's order.
    pub recipients: Vec<RecipientDescription>,
}

/// A wrapped data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientDescription {
    /// Who can unwrap it.
    pub kind: EdkKind,
    /// The provider id: `aws-kms`, or the namespace of a raw key.
    pub provider: String,
    /// The name of the key: the ARN of a KMS key, of raw keys what their owner chose.
    pub name: String,
    /// How a passphrase becomes the key; for those that take one, and name parameters within the caps.
    pub passphrase: Option<Phc>,
}

impl Message {
    /// Describes the message.
    #[must_use]
    pub fn describe(&self) -> Description {
        let suite = self.suite();
        Description {
            suite: suite.id(),
            suite_name: suite.name(),
            version: suite.version(),
            committing: suite.commits(),
            signed: suite.is_signed(),
            frame_length: match self.framing() {
                Framing::Frames(length) => Some(length),
                Framing::Single => None,
            },
            header_len: self.header_len(),
            message_id: hex::encode(self.id()),
            context: self.context().clone(),
            recipients: self.edks().iter().map(describe).collect(),
        }
    }
}

fn describe(edk: &Edk) -> RecipientDescription {
    RecipientDescription {
        kind: edk.kind(),
        provider: edk.provider(),
        name: edk.name(),
        passphrase: edk.phc().and_then(Result::ok),
    }
}
