//! Describes a message's header for a user. Nothing in it is authenticated before a key opens it.

use std::collections::BTreeMap;

use super::edk::{Edk, EdkKind};
use super::header::Framing;
use super::message::Message;
use crate::seal::argon2id::Phc;

/// A message's header, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The name of the algorithm suite in the specification.
    pub suite_name: &'static str,
    /// Whether it commits to one data key.
    pub committing: bool,
    /// Whether a signature follows the frames.
    pub signed: bool,
    /// The plaintext bytes in a frame; `None` for an unframed body.
    pub frame_length: Option<u32>,
    /// The encryption context, including the format's own pair.
    pub context: BTreeMap<String, String>,
    /// The wrapped data keys, in the message's order.
    pub recipients: Vec<RecipientDescription>,
}

/// A wrapped data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientDescription {
    /// The kind of key that unwraps it.
    pub kind: EdkKind,
    /// The provider id: `aws-kms`, or the namespace of a raw key.
    pub provider: String,
    /// The name of the key: the ARN of a KMS key; for a raw key, what its owner chose.
    pub name: String,
    /// The parameters that derive the key from a passphrase, if it takes one and they are within the limits.
    pub passphrase: Option<Phc>,
}

impl Message {
    /// Describes the message.
    pub fn describe(&self) -> Description {
        let suite = self.suite();
        Description {
            suite_name: suite.name(),
            committing: suite.commits(),
            signed: suite.is_signed(),
            frame_length: match self.framing() {
                Framing::Frames(length) => Some(length),
                Framing::Single => None,
            },
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
