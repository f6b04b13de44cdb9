//! What the target of a transfer has and its source has not, and how much of it may be deleted.

use crate::commands::changes::MaxDelete;
use crate::error::{Error, Result, Subject};

/// What is to be deleted, found before anything is transferred.
#[derive(Debug)]
pub(crate) struct Deletions<T> {
    /// What only the target has.
    pub(crate) extra: Vec<T>,
    /// How much the target has of all.
    pub(crate) all: u64,
    /// Files of the source that could not be read or named, so that nothing may be deleted.
    pub(crate) unread: u64,
}

impl<T> Default for Deletions<T> {
    fn default() -> Self {
        Self { extra: Vec::new(), all: 0, unread: 0 }
    }
}

impl<T> Deletions<T> {
    /// Checks that no more goes than was allowed.
    ///
    /// # Errors
    /// `DeletesTooMuch`
    pub(crate) fn check(&self, under: Subject, max: MaxDelete) -> Result<()> {
        let deletes = self.extra.len() as u64;
        if max.allows(deletes, self.all) {
            return Ok(());
        }
        Err(Error::DeletesTooMuch { subject: under, deletes, all: self.all, max: max.to_string() })
    }
}
