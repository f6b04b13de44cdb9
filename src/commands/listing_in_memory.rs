//! How much of a listing is kept in memory, where all of it must be known before the first object is touched.
//!
//! The server decides how long its listing is, so what is kept has a limit.

use crate::error::{Error, Result, SizeLimit, Subject};
use crate::limits::MAX_LISTING_IN_MEMORY_BYTES;
use crate::location::S3Uri;

/// The bytes kept so far.
#[derive(Debug, Default)]
pub(crate) struct ListingInMemory(u64);

impl ListingInMemory {
    /// Counts an entry of a listing under a prefix: its own bytes and those of its texts.
    ///
    /// # Errors
    /// `TooLarge` for more than is kept.
    pub(crate) fn keep<T>(&mut self, under: &S3Uri, texts: &[&str]) -> Result<()> {
        let texts: usize = texts.iter().map(|text| text.len()).sum();
        self.0 = self.0.saturating_add((size_of::<T>() + texts) as u64);
        if self.0 <= MAX_LISTING_IN_MEMORY_BYTES {
            return Ok(());
        }
        Err(Error::too_large(Subject::prefix(under), SizeLimit::Listing(MAX_LISTING_IN_MEMORY_BYTES)))
    }
}
