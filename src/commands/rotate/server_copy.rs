//! Copies an object onto itself within S3, in one request or in parts.

use crate::aws::copy::{Copied, Copy, CopySource};
use crate::aws::upload::UploadTarget;
use crate::defaults;
use crate::encryption::ServerSide;
use crate::error::Result;
use crate::keys::CustomerKey;
use crate::object::WriteCondition;
use crate::transfer::copy;

use super::journal::ObjectJournal;
use super::object_state::ObjectState;
use super::preserve::{CopyMethod, Preserved};
use super::rotation::Rotation;
use super::strategy::{copy_part_size, copy_parts};
use super::write_result::WriteResult;

/// A planned copy.
pub(super) struct CopyPlan<'a> {
    pub(super) state: &'a ObjectState,
    /// The SSE-C key that decrypts the source.
    pub(super) key: Option<&'a CustomerKey>,
    pub(super) sse: Option<&'a ServerSide>,
    pub(super) preserved: Preserved,
    pub(super) parts: u32,
    /// Whether metadata are replaced.
    pub(super) replaces: bool,
}

impl Rotation<'_> {
    /// Copies the object to give it another key or mode.
    pub(super) async fn server_copy(
        &self,
        state: &ObjectState,
        journal: ObjectJournal<'_>,
    ) -> Result<WriteResult> {
        let parts = copy_parts(state.head.len);
        let by = if parts == 0 { CopyMethod::Copy } else { CopyMethod::Upload };
        let preserved = self.cancellation.or(state.preserved(self, by)).await??;
        let same_mode = match self.target.at_rest() {
            Some(ServerSide::SseKms { key, context, bucket_key: false }) if state.head.applied.bucket_key => {
                // A bucket key saves requests, so it stays unless the user drops it.
                Some(ServerSide::SseKms { key: key.clone(), context: context.clone(), bucket_key: true })
            }
            _ => None,
        };
        let sse = same_mode.as_ref().or(self.target.at_rest());
        let made =
            CopyPlan { state, key: state.customer_key.as_ref(), sse, preserved, parts, replaces: false };
        self.copied(made, journal).await
    }

    /// Makes a copy as planned.
    pub(super) async fn copied(&self, plan: CopyPlan<'_>, journal: ObjectJournal<'_>) -> Result<WriteResult> {
        let state = plan.state;
        let etag = state.head.etag.as_deref().unwrap_or_default();
        let source = CopySource { uri: &state.uri, etag, key: plan.key };
        let metadata = plan.replaces.then(|| plan.preserved.settings.metadata.clone());
        let written = if plan.parts == 0 {
            let copy = Copy {
                connection: self.connection,
                source,
                sse: plan.sse,
                settings: &plan.preserved.settings,
                replaces_metadata: plan.replaces,
                algorithm: None,
            };
            let _sending = self.meter.sending();
            let Copied { refused, etag, .. } = self.cancellation.or(copy.make()).await??;
            self.meter.add(state.head.len);
            WriteResult { refused, etag, ..WriteResult::default() }
        } else {
            self.copied_in_parts(&plan, source, journal).await?
        };
        Ok(WriteResult { len: state.head.len, metadata, ..written })
    }

    async fn copied_in_parts(
        &self,
        plan: &CopyPlan<'_>,
        source: CopySource<'_>,
        journal: ObjectJournal<'_>,
    ) -> Result<WriteResult> {
        let head = &plan.state.head;
        let condition = WriteCondition::Matches(source.etag.to_owned());
        let on_start = |id: &str| journal.upload(id);
        let to = UploadTarget {
            connection: self.connection,
            uri: source.uri,
            sse: plan.sse,
            rules: None,
            client_side: self.target.client().is_some(),
            settings: &plan.preserved.settings,
            condition: &condition,
            algorithm: plan.preserved.algorithm.unwrap_or(defaults::CHECKSUM),
            instruction_file: None,
            on_start: Some(&on_start),
            is_resumable: false,
            found: None,
        };
        let whole = head.checksum.as_ref().filter(|kept| !kept.composite && kept.algorithm.is_full_object());
        let parts = copy::MultipartCopy {
            source,
            len: head.len,
            part_size: copy_part_size(head.len),
            whole: whole.map(|kept| kept.value.as_str()),
        };
        let completed = copy::run(&parts, &to, self.transfer_options, self.meter, self.cancellation).await?;
        Ok(WriteResult {
            found_by_comparison: completed.compared,
            etag: completed.etag,
            ..WriteResult::default()
        })
    }
}
