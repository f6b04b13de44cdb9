//! Applies a strategy to an object, if the object still is in the state that the strategy was chosen for.
//!
//! Every write is conditional on that state's ETag. The old object stays readable until S3 has stored the new one; a
//! failure leaves at most an aborted upload.

use crate::commands::unwrapped_envelope::{Content, UnwrappedEnvelope};
use crate::encryption::ServerSide;
use crate::error::{Error, Result, Unsupported};

use super::journal::ObjectJournal;
use super::object_state::ObjectState;
use super::preserve::Loss;
use super::reencrypt;
use super::rotation::Rotation;
use super::strategy::Strategy;
use super::write_result::WriteResult;

impl Rotation<'_> {
    /// Applies a strategy; records in the journal what must not be lost.
    ///
    /// # Errors
    /// Errors of S3, KMS and the formats; `Interrupted`; `Changed` if the object has another ETag.
    pub(crate) async fn run(
        &self,
        state: &ObjectState,
        strategy: Strategy,
        journal: ObjectJournal<'_>,
    ) -> Result<WriteResult> {
        if matches!(strategy, Strategy::Rewrap | Strategy::RewrapInstructionFile | Strategy::Reencrypt) {
            self.keeps_context(state)?;
        }
        match strategy {
            Strategy::Nothing => Ok(WriteResult { len: state.head.len, ..WriteResult::default() }),
            Strategy::UpdateInPlace => self.update(state).await,
            Strategy::ServerCopy => self.server_copy(state, journal).await,
            Strategy::Rewrap => self.rewrap(state, journal).await,
            Strategy::RewrapInstructionFile => self.rewrap_instruction_file(state, None, journal).await,
            Strategy::Share => {
                self.rewrap_instruction_file(state, self.target.share_to.as_ref(), journal).await
            }
            Strategy::Reencrypt => {
                let _place = self.cancellation.or(self.objects_in_memory.acquire()).await?;
                reencrypt::run(self, state, journal).await
            }
        }
    }

    /// Changes only the key. The operation has no condition; naming the version, where there is one, serves as well.
    async fn update(&self, state: &ObjectState) -> Result<WriteResult> {
        let Some(key) = self.target.update_key() else {
            return Err(unsupported(state, "an update in place needs a key's full ARN"));
        };
        let version = state.version_id.clone().or_else(|| state.head.version_id.clone());
        let bucket_key = state.head.applied.bucket_key || self.asks_bucket_key();
        let work = self.connection.update_encryption(&state.uri, version.as_deref(), key, bucket_key);
        self.cancellation.or(work).await??;
        self.meter.add(state.head.len);
        Ok(WriteResult { etag: state.head.etag.clone(), len: state.head.len, ..WriteResult::default() })
    }

    /// Refuses to drop a stored encryption context without consent: readers that require it could not decrypt the object.
    /// Another one may replace it.
    fn keeps_context(&self, state: &ObjectState) -> Result<()> {
        match self.target.new_context(state.format()) {
            Some(new) if new.is_empty() => self.may_lose(state, &state.context),
            _ => Ok(()),
        }
    }

    /// Refuses to drop pairs that are authenticated and not stored, without consent: only readers that know them could
    /// decrypt the object until now. The new context must have a pair for each of them.
    pub(super) fn keeps_unstored_context(
        &self,
        state: &ObjectState,
        unwrapped: &UnwrappedEnvelope,
    ) -> Result<()> {
        let (Content::Esdk(message), Some(new)) =
            (&unwrapped.content, self.target.new_context(state.format()))
        else {
            return Ok(());
        };
        let unstored = message.unstored_context().keys().filter(|name| !new.pairs().contains_key(*name));
        self.may_lose(state, &unstored.cloned().collect::<Vec<_>>())
    }

    /// Refuses to lose these pairs of the encryption context, unless that is accepted.
    fn may_lose(&self, state: &ObjectState, names: &[String]) -> Result<()> {
        if names.is_empty() || self.accepted.contains(&Loss::Context) {
            return Ok(());
        }
        let pairs = names.join(", ");
        Err(Error::unsupported(state.subject(), Unsupported::WouldLoseContext { pairs }))
    }

    fn asks_bucket_key(&self) -> bool {
        matches!(self.target.at_rest(), Some(ServerSide::SseKms { bucket_key: true, .. }))
    }
}

pub(super) fn unsupported(state: &ObjectState, why: &'static str) -> Error {
    Error::unsupported(state.subject(), why)
}
