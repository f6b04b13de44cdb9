//! The Object Lock of an object that is about to be written anew, or why it is not known.
//!
//! HEAD shows a lock only to those who may read it, and does not say that it hides one: the new version would be unlocked,
//! and nobody would know.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use crate::aws::Connection;
use crate::aws::object_head::ObjectHead;
use crate::aws::object_lock::BucketLock;
use crate::aws::probe::Probe;
use crate::aws::read_object::ObjectReader;
use crate::error::Result;
use crate::location::Bucket;
use crate::object::Lock;

/// Which buckets have Object Lock. Each is asked once.
#[derive(Default)]
pub(crate) struct LockableBuckets(Mutex<BTreeMap<Bucket, Probe<BucketLock>>>);

impl LockableBuckets {
    /// Reads the lock of an object with this head, where that may hide one.
    ///
    /// # Errors
    /// `Network`.
    pub(super) async fn lock(&self, reader: &ObjectReader<'_>, head: &ObjectHead) -> Result<Probe<Lock>> {
        let shown = &head.lock;
        let (hides_retention, hides_hold) = (shown.mode.is_none(), !shown.legal_hold);
        // A bucket without versions has no Object Lock.
        if !(hides_retention || hides_hold) || head.version_id.is_none() {
            return Ok(Probe::Known(shown.clone()));
        }
        if self.of(reader.connection, &reader.uri.bucket).await == Probe::Known(BucketLock::NotEnabled) {
            return Ok(Probe::Known(shown.clone()));
        }
        let hidden = reader.lock(hides_retention, hides_hold).await?;
        Ok(hidden.map(|hidden| Lock {
            mode: shown.mode.clone().or(hidden.mode),
            retain_until: shown.retain_until.or(hidden.retain_until),
            legal_hold: shown.legal_hold || hidden.legal_hold,
        }))
    }

    async fn of(&self, connection: &Connection, bucket: &Bucket) -> Probe<BucketLock> {
        let mut known = self.0.lock().await;
        if let Some(answer) = known.get(bucket) {
            return answer.clone();
        }
        let answer = connection.bucket_lock(bucket).await;
        known.insert(bucket.clone(), answer.clone());
        answer
    }
}
