//! The journal as the rotation of one object writes it. Without a journal nothing is written, and that is no failure.

use super::Journal;
use crate::commands::rotate::strategy::Strategy;
use crate::error::Result;
use crate::location::S3Uri;
use crate::object::PublicEnvelope;

/// The steps of one object.
#[derive(Clone, Copy)]
pub(crate) struct ObjectJournal<'a> {
    /// The journal, if the run keeps one.
    pub(crate) journal: Option<&'a Journal>,
    pub(crate) uri: &'a S3Uri,
    /// The version that is changed where it stands.
    pub(crate) version_id: Option<&'a str>,
}

impl ObjectJournal<'_> {
    /// As [`Journal::begin`].
    pub(crate) fn begin(&self, etag: Option<&str>, strategy: Strategy) -> Result<()> {
        self.write(|journal| journal.begin(self.uri, self.version_id, etag, strategy))
    }

    /// As [`Journal::upload`].
    pub(crate) fn upload(&self, id: &str) -> Result<()> {
        self.write(|journal| journal.upload(self.uri, id))
    }

    /// As [`Journal::instruction_file`], and on disk.
    pub(crate) async fn instruction_file(&self, etag: Option<&str>, file_etag: &str) -> Result<()> {
        self.write(|journal| journal.instruction_file(self.uri, etag, file_etag))?;
        self.sync().await
    }

    /// As [`Journal::envelope`], and on disk.
    pub(crate) async fn envelope(
        &self,
        old: Option<&PublicEnvelope>,
        new: Option<&PublicEnvelope>,
        len: u64,
    ) -> Result<()> {
        self.write(|journal| journal.envelope(self.uri, old, new, len))?;
        self.sync().await
    }

    /// As [`Journal::done`].
    pub(crate) fn done(&self, etag: Option<&str>, verified: bool) -> Result<()> {
        self.write(|journal| journal.done(self.uri, self.version_id, etag, verified))
    }

    /// As [`Journal::refused`].
    pub(crate) fn refused(&self) -> Result<()> {
        self.write(|journal| journal.refused(self.uri))
    }

    async fn sync(&self) -> Result<()> {
        match self.journal {
            Some(journal) => journal.sync().await,
            None => Ok(()),
        }
    }

    fn write(&self, step: impl FnOnce(&Journal) -> Result<()>) -> Result<()> {
        self.journal.map_or(Ok(()), step)
    }
}
