//! Rewraps the data key of an object with another key; its ciphertext stays.

use bytes::Bytes;

use crate::aws::read_object::{HeadOptions, ObjectReader};
use crate::commands::envelope_metadata::fits;
use crate::commands::open_envelope;
use crate::commands::unwrapped_envelope::{Content, DecryptedBy, UnwrappedEnvelope};
use crate::commands::verify_envelope::{SentEnvelope, envelope_entries};
use crate::commands::verify_lock::verify_lock;
use crate::error::{Error, Result, RotationRefusal, Subject, WrapKind};
use crate::keys::DataKey;
use crate::location::S3Uri;
use crate::object::{
    FileContent, InstructionSuffix, Lock, PublicEnvelope, WriteCondition, instruction_file_key,
};
use crate::seal::{Attributes, s3ec};

use super::Plan;
use super::apply::unsupported;
use super::instruction_file;
use super::journal::ObjectJournal;
use super::object_state::{ObjectState, current_server_side};
use super::preserve::CopyMethod;
use super::rotation::Rotation;
use super::server_copy::CopyPlan;
use super::strategy::{Strategy, copy_parts};
use super::write_result::WriteResult;

/// A new envelope around the old data key.
struct Rewrapped {
    attributes: Attributes,
    /// Which old key unwrapped the data key.
    source: DecryptedBy,
    data_key: DataKey,
}

impl Rotation<'_> {
    /// Rewraps the data key in the object's metadata.
    pub(super) async fn rewrap(
        &self,
        state: &ObjectState,
        journal: ObjectJournal<'_>,
    ) -> Result<WriteResult> {
        let parts = copy_parts(state.head.len);
        let by = if parts == 0 { CopyMethod::CopyReplacing } else { CopyMethod::Upload };
        let mut preserved = self.cancellation.or(state.preserved(self, by)).await??;
        let Rewrapped { attributes: Attributes { metadata, .. }, source, data_key } =
            self.rewrapped(state).await?;
        fits(&metadata)?;
        let envelope = SentEnvelope {
            new: PublicEnvelope { metadata: envelope_entries(&metadata), instruction_file: None },
            old: state.public_envelope(None),
            is_needed: true,
        };
        preserved.settings.metadata = metadata;
        let kept = match self.target.at_rest() {
            Some(_) => None,
            None => current_server_side(&state.head.applied, state.customer_key.as_ref(), &state.subject())?,
        };
        let sse = self.target.at_rest().or(kept.as_ref());
        let made =
            CopyPlan { state, key: state.customer_key.as_ref(), sse, preserved, parts, replaces: true };
        journal.envelope(envelope.old.as_ref(), Some(&envelope.new), state.head.len).await?;
        self.require_unchanged(state).await?;
        let copied = self.copied(made, journal).await?;
        Ok(WriteResult { source: Some(source), data_key: Some(data_key), envelope: Some(envelope), ..copied })
    }

    /// Requires that an object still has the metadata with which it was found. The copy is bound to its ETag only, which is
    /// that of the ciphertext: somebody else's rewrap leaves it as it is, and would be undone.
    async fn require_unchanged(&self, state: &ObjectState) -> Result<()> {
        let key = state.customer_key.as_ref();
        let reader = ObjectReader { connection: self.connection, uri: &state.uri, version_id: None, key };
        let options = HeadOptions { checksum: false, explain: true };
        let now = self.cancellation.or(reader.head_with(options)).await??;
        let seen = &state.head;
        if (&now.etag, &now.metadata, &now.last_modified) == (&seen.etag, &seen.metadata, &seen.last_modified)
        {
            return Ok(());
        }
        Err(Error::Changed { subject: state.subject(), source: None })
    }

    /// Rewraps the data key in the instruction file, or in another one for another reader.
    pub(super) async fn rewrap_instruction_file(
        &self,
        state: &ObjectState,
        share_to: Option<&InstructionSuffix>,
        journal: ObjectJournal<'_>,
    ) -> Result<WriteResult> {
        // Read before its envelope is opened, so that a change in between fails the write's condition.
        let old = instruction_file::read(self, &state.uri, state.customer_key.as_ref()).await?;
        let Rewrapped { attributes: Attributes { instruction: content, .. }, source, data_key } =
            self.rewrapped(state).await?;
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
        let sse = current_server_side(
            &old.head.applied,
            state.customer_key.as_ref(),
            &Subject::instruction_file(&old.uri),
        )?;
        // Another reader's file is locked as this one: without it that reader has lost the object.
        let lock = instruction_file::lock(self, &old, state.customer_key.as_ref()).await?;
        let envelope = SentEnvelope {
            new: PublicEnvelope {
                metadata: envelope_entries(&state.head.metadata),
                instruction_file: Some(FileContent { uri: uri.to_string(), content: content.clone() }),
            },
            old: state.public_envelope(Some(&old)),
            is_needed: true,
        };
        journal.envelope(envelope.old.as_ref(), Some(&envelope.new), state.head.len).await?;
        let content = Bytes::from(content);
        let write = self.connection.put_instruction(&uri, content, sse.as_ref(), &lock, &condition);
        let written = self.cancellation.or(write).await??;
        if lock != Lock::default() {
            let (version_id, key) = (written.version_id.as_deref(), state.customer_key.as_ref());
            let reader = ObjectReader { connection: self.connection, uri: &uri, version_id, key };
            self.verify_file_lock(&reader, &lock).await?;
        }
        Ok(WriteResult {
            source: Some(source),
            data_key: Some(data_key),
            envelope: Some(envelope),
            etag: state.head.etag.clone(),
            len: state.head.len,
            ..WriteResult::default()
        })
    }

    /// Requires that an instruction file is locked as it was asked for.
    async fn verify_file_lock(&self, reader: &ObjectReader<'_>, lock: &Lock) -> Result<()> {
        let seen = verify_lock(reader, lock, self.cancellation).await?.seen;
        seen.why_not().map_or(Ok(()), |why| Err(unread_lock(reader.uri, &why)))
    }

    /// Unwraps the data key, checks the commitment, and wraps it with the new key.
    async fn rewrapped(&self, state: &ObjectState) -> Result<Rewrapped> {
        let (unwrapped, source) = self.unwrapped(state).await?;
        let Some(client) = self.target.client() else {
            return Err(unsupported(state, "there is no wrapping key to rewrap with"));
        };
        let context = client.context_of(self.target.binds_name(&state.current).then_some(&state.uri));
        let wrapper = client.only(&context)?;
        let wrap = client.wrap(self.connection, wrapper, unwrapped.data_key(), unwrapped.alg(), &context);
        let renewed = self.cancellation.or(wrap).await??;
        let attributes = unwrapped.rewrap(&state.head.metadata, renewed)?;
        Ok(Rewrapped { attributes, source, data_key: unwrapped.data_key().again() })
    }

    /// Fails if the old keys do not open what a plan decrypts.
    ///
    /// # Errors
    /// `KeyNeeded`, `KeyWrong`; what KMS refuses.
    pub(super) async fn opens(&self, plan: &Plan) -> Result<()> {
        let Plan { state, strategy, .. } = plan;
        match strategy {
            Err(_) | Ok(Strategy::Nothing | Strategy::UpdateInPlace | Strategy::ServerCopy) => Ok(()),
            Ok(Strategy::Reencrypt) if state.current.client_side.is_none() => Ok(()),
            Ok(
                Strategy::Rewrap | Strategy::RewrapInstructionFile | Strategy::Share | Strategy::Reencrypt,
            ) => self.with_old_keys(state).await.map(drop),
        }
    }

    /// Unwraps the data key of an object that may be encrypted with the new key.
    ///
    /// # Errors
    /// `KeyNeeded`, `KeyWrong`; what KMS refuses; `Unsupported` for what anyone could have written, if the new key would
    /// hide that.
    pub(super) async fn with_old_keys(&self, state: &ObjectState) -> Result<UnwrappedEnvelope> {
        let work = async {
            let envelope = state.envelope(self.connection, self.decryption_keys).await?;
            open_envelope::unwrap_data_key(self.connection, envelope, self.decryption_keys).await
        };
        let unwrapped = self.cancellation.or(work).await??;
        let by = unwrapped.decrypted_by(Some(unwrapped.is_authenticated()));
        if by.is_authenticated() || self.target.encrypts_unproven || !self.target.proves_writer() {
            return Ok(unwrapped);
        }
        let by_public_key = by.with.kind == WrapKind::Rsa;
        Err(Error::unsupported(state.subject(), RotationRefusal::Unproven { by_public_key }))
    }

    async fn unwrapped(&self, state: &ObjectState) -> Result<(s3ec::DecryptableEnvelope, DecryptedBy)> {
        let unwrapped = self.with_old_keys(state).await?;
        let source = unwrapped.decrypted_by(None);
        match unwrapped.content {
            Content::S3ec(unwrapped) => Ok((unwrapped, source)),
            Content::Esdk(_) => Err(unsupported(state, "a header of the Encryption SDK is never rewritten")),
        }
    }
}

fn unread_lock(uri: &S3Uri, why: &str) -> Error {
    let why = format!("the lock that it was written with cannot be read: {why}");
    Error::tampered(Subject::instruction_file(uri), why)
}
