//! Reads a whole object as `get` does, verifies it and discards it: a restore test.

use crate::aws::object_head::ObjectHead;
use crate::aws::read_object::ObjectReader;
use crate::commands::open_envelope;
use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::error::Result;
use crate::transfer::sink::Sink;

use super::decryption::{Described, Opening, Transfer};
use super::{ChecksumSeen, Download, verifier};

/// An object whose bytes were read and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    /// Bytes after decryption.
    pub(crate) plain_len: u64,
    /// The result of the comparison with the checksum that S3 stores.
    pub(crate) checksum: ChecksumSeen,
    /// How a client-side object was decrypted.
    pub(crate) opened: Option<DecryptedBy>,
}

impl Verified {
    /// Whether authentication tags of client-side encryption verified the bytes.
    pub(crate) fn by_tag(&self) -> bool {
        self.opened.as_ref().is_some_and(|opened| opened.intact == Some(true))
    }

    /// Whether anything other than their length verified the bytes.
    pub(crate) fn is_verified(&self) -> bool {
        self.by_tag() || matches!(self.checksum, ChecksumSeen::Verified(..))
    }
}

impl Download<'_> {
    /// Reads and verifies the object that `head` describes. `as_stored` skips client-side decryption, which an
    /// instruction file does not need.
    ///
    /// # Errors
    /// As for a download into a file.
    pub(crate) async fn verify(
        &self,
        reader: &ObjectReader<'_>,
        head: &ObjectHead,
        as_stored: bool,
    ) -> Result<Verified> {
        self.read(reader, head, as_stored, Sink::nowhere()).await
    }

    /// The same, into a file that nobody sees before that.
    ///
    /// # Errors
    /// As for a download into a file.
    pub(crate) async fn read(
        &self,
        reader: &ObjectReader<'_>,
        head: &ObjectHead,
        as_stored: bool,
        sink: Sink,
    ) -> Result<Verified> {
        let Self { connection, decryption_keys, budget, meter, cancellation } = *self;
        let _permit = budget.acquire_object(head.len).await?;
        let envelope =
            if as_stored { None } else { open_envelope::envelope(reader, head, decryption_keys).await? };
        let opening = match envelope {
            None => Opening::AsItIs(0..head.len),
            Some(envelope) => {
                let unwrapped = open_envelope::unwrap_data_key(connection, envelope, decryption_keys).await?;
                Opening::Whole(Box::new(unwrapped))
            }
        };
        let Described { opened, .. } = Described::of(&opening);
        let (verifier, checksum) = verifier(reader, head, true).await;
        let transfer = Transfer { reader, head, budget, meter, cancellation, kept: None };
        let plain_len = transfer.run(opening, verifier, sink, true, false).await?.plain_len;
        Ok(Verified { plain_len, checksum, opened })
    }
}
