//! How `rotate` changes objects in the first place, as far as permissions depend on it.

use super::Protection;
use crate::encryption::Format;

/// How an object is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// `UpdateObjectEncryption`.
    UpdateInPlace,
    /// A copy within S3.
    ServerCopy,
    /// A new wrap of the same data key.
    Rewrap,
    /// A new data key, or a change between client and server side.
    ReEncrypt,
}

impl Rotation {
    /// The one that objects take from one protection to the other; `None` if they have nothing to be rotated to.
    ///
    /// `format` is the client-side format that is asked for, and `updates_in_place` whether the server can do that.
    pub(crate) fn between(
        from: Protection,
        to: Protection,
        format: Option<Format>,
        updates_in_place: bool,
    ) -> Option<Self> {
        let is_updatable = matches!(from, Protection::SseS3 | Protection::SseKms);
        match (from.is_client(), to.is_client()) {
            (false, false) if to == Protection::SseKms && is_updatable && updates_in_place => {
                Some(Self::UpdateInPlace)
            }
            (false, false) if (from, to) == (Protection::SseS3, Protection::SseS3) => None,
            (false, false) => Some(Self::ServerCopy),
            // A header of the Encryption SDK is never rewritten.
            (true, true) if format != Some(Format::Esdk) => Some(Self::Rewrap),
            _ => Some(Self::ReEncrypt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_side_objects_are_rewrapped_and_those_of_s3_copied_or_updated() {
        use Protection::{BucketDefault, Client, ClientKms, DsseKms, SseC, SseKms, SseS3};
        for (from, to, format, updates_in_place, expected) in [
            (Client, Client, None, true, Some(Rotation::Rewrap)),
            (Client, ClientKms, Some(Format::S3ec), true, Some(Rotation::Rewrap)),
            (Client, Client, Some(Format::Esdk), true, Some(Rotation::ReEncrypt)),
            (Client, SseS3, None, true, Some(Rotation::ReEncrypt)),
            (SseS3, Client, None, true, Some(Rotation::ReEncrypt)),
            (SseS3, SseKms, None, true, Some(Rotation::UpdateInPlace)),
            (SseKms, SseKms, None, true, Some(Rotation::UpdateInPlace)),
            (SseS3, SseKms, None, false, Some(Rotation::ServerCopy)),
            (SseC, SseKms, None, true, Some(Rotation::ServerCopy)),
            (SseS3, DsseKms, None, true, Some(Rotation::ServerCopy)),
            (SseS3, BucketDefault, None, true, Some(Rotation::ServerCopy)),
            (SseS3, SseS3, None, true, None),
        ] {
            let found = Rotation::between(from, to, format, updates_in_place);
            assert_eq!(found, expected, "{from:?} {to:?} {format:?} {updates_in_place}");
        }
    }
}
