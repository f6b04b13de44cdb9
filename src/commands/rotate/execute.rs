//! Running a way: what is written, and that it is bound to what was seen.
//!
//! Every write names the ETag of the look. The source can be read until S3 has the new object; what a way leaves behind
//! on its way out is an aborted upload or nothing.

use bytes::Bytes;

use crate::aws::copy::{Copied, Copy, CopySource};
use crate::aws::multipart::Destination;
use crate::commands::client_object::{Content, Opened};
use crate::commands::decrypt;
use crate::commands::encrypt::fits;
use crate::commands::envelope::{SentEnvelope, envelope_entries};
use crate::encryption::ServerSide;
use crate::error::{Error, Result, Subject};
use crate::keys::CustomerKey;
use crate::object::{FileContent, InstructionSuffix, PublicEnvelope, WriteCondition, instruction_file_key};
use crate::seal::{Attributes, s3ec};
use crate::transfer::copy;

use super::execution::Execution;
use super::instruction_file;
use super::journal::ObjectJournal;
use super::object_state::{ObjectState, kept};
use super::preserve::{CopyMethod, Loss, Preserved};
use super::reencrypt;
use super::strategy::{Strategy, copy_part_size};
use super::written::Written;

impl Execution<'_> {
    /// Runs a way to its end; notes in the journal what must not be lost.
    ///
    /// # Errors
    /// Whatever S3, KMS, the bytes or a signal says; `Changed` if the object is another one by now.
    pub(crate) async fn run(
        &self,
        state: &ObjectState,
        way: &Strategy,
        journal: ObjectJournal<'_>,
    ) -> Result<Written> {
        if matches!(way, Strategy::Rewrap { .. } | Strategy::RewrapBeside | Strategy::Reseal) {
            self.keeps_context(state)?;
        }
        match way {
            Strategy::Nothing => Ok(Written { len: state.head.len, ..Written::default() }),
            Strategy::Refuse(reason) => {
                Err(Error::Unsupported { subject: state.subject(), why: reason.to_string() })
            }
            Strategy::UpdateInPlace => self.update(state).await,
            Strategy::ServerCopy { parts } => self.server_copy(state, *parts, journal).await,
            Strategy::Rewrap { parts } => self.rewrap(state, *parts, journal).await,
            Strategy::RewrapBeside => self.rewrap_beside(state, None, journal).await,
            Strategy::Share => self.rewrap_beside(state, self.target.share_to.as_ref(), journal).await,
            Strategy::Reseal => {
                let _place = self.stop.or(self.reseals.acquire()).await?;
                reencrypt::run(self, state, journal).await
            }
        }
    }

    /// Another key, and nothing else. The call knows no condition; a version, where there is one, is as good.
    async fn update(&self, state: &ObjectState) -> Result<Written> {
        let Some(key) = self.target.update_key() else {
            return Err(unsupported(state, "an update in place needs a key's full ARN"));
        };
        let version = state.version_id.clone().or_else(|| state.head.version_id.clone());
        let bucket_key = state.head.applied.bucket_key || self.asks_bucket_key();
        let work = self.connection.update_encryption(&state.uri, version.as_deref(), key, bucket_key);
        self.stop.or(work).await??;
        self.meter.add(state.head.len);
        Ok(Written { etag: state.head.etag.clone(), len: state.head.len, ..Written::default() })
    }

    /// Refuses to lose an encryption context unasked: its readers give it, and would be turned away.
    fn keeps_context(&self, state: &ObjectState) -> Result<()> {
        let now = state.present.sealed.map(|sealed| sealed.format);
        if state.context.is_empty()
            || !self.target.drops_context(now)
            || self.accepted.contains(&Loss::Context)
        {
            return Ok(());
        }
        let why = format!(
            "its encryption context ({}) would be lost; give it with --context, or --accept-loss {} goes on without it",
            state.context.join(", "),
            Loss::Context
        );
        Err(unsupported(state, &why))
    }

    fn asks_bucket_key(&self) -> bool {
        matches!(self.target.at_rest(), Some(ServerSide::SseKms { bucket_key: true, .. }))
    }

    async fn server_copy(
        &self,
        state: &ObjectState,
        parts: u32,
        journal: ObjectJournal<'_>,
    ) -> Result<Written> {
        let by = if parts == 0 { CopyMethod::Copy } else { CopyMethod::Upload };
        let carried = state.carried(self, by).await?;
        let same_mode = match self.target.at_rest() {
            Some(ServerSide::SseKms { key, context, bucket_key: false }) if state.head.applied.bucket_key => {
                // What saves requests today is not to stop doing so unasked.
                Some(ServerSide::SseKms { key: key.clone(), context: context.clone(), bucket_key: true })
            }
            _ => None,
        };
        let sse = same_mode.as_ref().or(self.target.at_rest());
        let made = CopyPlan { state, key: state.customer_key.as_ref(), sse, carried, parts, replaces: false };
        self.copied(made, journal).await
    }

    /// A new wrap for the same data key; the object's bytes stay, its metadata change.
    async fn rewrap(&self, state: &ObjectState, parts: u32, journal: ObjectJournal<'_>) -> Result<Written> {
        let by = if parts == 0 { CopyMethod::CopyReplacing } else { CopyMethod::Upload };
        let mut carried = state.carried(self, by).await?;
        let (Attributes { metadata, .. }, source) = self.rewrapped(state).await?;
        fits(&metadata)?;
        let envelope = SentEnvelope {
            new: PublicEnvelope { metadata: envelope_entries(&metadata), instruction_file: None },
            old: state.public_envelope(None),
            is_needed: true,
        };
        carried.settings.metadata = metadata;
        let kept = match self.target.at_rest() {
            Some(_) => None,
            None => kept(&state.head.applied, state.customer_key.as_ref(), &state.subject())?,
        };
        let sse = self.target.at_rest().or(kept.as_ref());
        let made = CopyPlan { state, key: state.customer_key.as_ref(), sse, carried, parts, replaces: true };
        journal.envelope(envelope.old.as_ref(), Some(&envelope.new))?;
        let copied = self.copied(made, journal).await?;
        Ok(Written { source: Some(source), envelope: Some(envelope), ..copied })
    }

    /// A new wrap in the instruction file, or in one of its own for another reader.
    async fn rewrap_beside(
        &self,
        state: &ObjectState,
        share_to: Option<&InstructionSuffix>,
        journal: ObjectJournal<'_>,
    ) -> Result<Written> {
        // Read before its envelope is opened: what changes between the two makes the condition of the write fail.
        let old = instruction_file::read(self, &state.uri, state.customer_key.as_ref()).await?;
        let (Attributes { instruction: content, .. }, source) = self.rewrapped(state).await?;
        let content = content.ok_or_else(|| {
            Error::tampered(state.subject(), "its envelope is no longer in an instruction file")
        })?;
        let (uri, condition) = match share_to {
            Some(suffix) => (
                state.uri.with_key(instruction_file_key(&state.uri.key, Some(suffix))),
                WriteCondition::Absent,
            ),
            None => (old.uri.clone(), WriteCondition::Matches(old.etag.clone())),
        };
        let sse = kept(&old.applied, state.customer_key.as_ref(), &Subject::instruction_file(&old.uri))?;
        let envelope = SentEnvelope {
            new: PublicEnvelope {
                metadata: envelope_entries(&state.head.metadata),
                instruction_file: Some(FileContent { uri: uri.to_string(), content: content.clone() }),
            },
            old: state.public_envelope(Some(&old)),
            is_needed: true,
        };
        journal.envelope(envelope.old.as_ref(), Some(&envelope.new))?;
        let write = self.connection.put_instruction(&uri, Bytes::from(content), sse.as_ref(), &condition);
        self.stop.or(write).await??;
        Ok(Written {
            source: Some(source),
            envelope: Some(envelope),
            etag: state.head.etag.clone(),
            len: state.head.len,
            ..Written::default()
        })
    }

    /// Unwraps the data key, checks the commitment, wraps it anew.
    async fn rewrapped(&self, state: &ObjectState) -> Result<(Attributes, Opened)> {
        let (unlocked, source) = self.unlocked(state).await?;
        let Some(client) = self.target.client() else {
            return Err(unsupported(state, "there is no wrapping key to rewrap with"));
        };
        let context = client.context_of(self.target.binds_name(&state.present).then_some(&state.uri));
        let wrapper = client.only(&context)?;
        let wrap = client.wrap(self.connection, wrapper, unlocked.data_key(), unlocked.alg(), &context);
        let renewed = self.stop.or(wrap).await??;
        Ok((unlocked.rewrap(&state.head.metadata, renewed)?, source))
    }

    async fn unlocked(&self, state: &ObjectState) -> Result<(s3ec::Unlocked, Opened)> {
        let work = async {
            let envelope = state.envelope(self.connection, self.decryption_keys).await?;
            decrypt::unlock(self.connection, envelope, self.decryption_keys).await
        };
        let unlocked = self.stop.or(work).await??;
        let source = unlocked.opened(None);
        match unlocked.content {
            Content::S3ec(unlocked) => Ok((unlocked, source)),
            Content::Esdk(_) => Err(unsupported(state, "a header of the Encryption SDK is never rewritten")),
        }
    }

    async fn copied(&self, plan: CopyPlan<'_>, journal: ObjectJournal<'_>) -> Result<Written> {
        let state = plan.state;
        let etag = state.head.etag.as_deref().unwrap_or_default();
        let source = CopySource { uri: &state.uri, etag, key: plan.key };
        let metadata = plan.replaces.then(|| plan.carried.settings.metadata.clone());
        let written = if plan.parts == 0 {
            let copy = Copy {
                connection: self.connection,
                source,
                sse: plan.sse,
                settings: &plan.carried.settings,
                replaces_metadata: plan.replaces,
                algorithm: None,
            };
            let Copied { refused, etag, .. } = self.stop.or(copy.make()).await??;
            self.meter.add(state.head.len);
            Written { refused, etag, ..Written::default() }
        } else {
            self.copied_in_parts(&plan, source, journal).await?
        };
        Ok(Written { len: state.head.len, metadata, ..written })
    }

    async fn copied_in_parts(
        &self,
        plan: &CopyPlan<'_>,
        source: CopySource<'_>,
        journal: ObjectJournal<'_>,
    ) -> Result<Written> {
        let head = &plan.state.head;
        let condition = WriteCondition::Matches(source.etag.to_owned());
        let on_start = |id: &str| journal.upload(id);
        let to = Destination {
            connection: self.connection,
            uri: source.uri,
            sse: plan.sse,
            settings: &plan.carried.settings,
            condition: &condition,
            algorithm: plan.carried.algorithm.unwrap_or_default(),
            companion: None,
            on_start: Some(&on_start),
        };
        let whole = head.checksum.as_ref().filter(|kept| !kept.composite && kept.algorithm.is_full_object());
        let ranges = copy::Ranges {
            source,
            len: head.len,
            part_size: copy_part_size(head.len),
            whole: whole.map(|kept| kept.value.as_str()),
        };
        let completed = copy::run(&ranges, &to, self.tuning, self.meter, self.stop).await?;
        Ok(Written { found_by_comparison: completed.compared, etag: completed.etag, ..Written::default() })
    }
}

/// One copy, worked out.
struct CopyPlan<'a> {
    state: &'a ObjectState,
    /// What opens the source.
    key: Option<&'a CustomerKey>,
    sse: Option<&'a ServerSide>,
    carried: Preserved,
    parts: u32,
    /// Whether metadata are replaced.
    replaces: bool,
}

pub(super) fn unsupported(state: &ObjectState, why: &str) -> Error {
    Error::Unsupported { subject: state.subject(), why: why.to_owned() }
}
