//! The state that all objects of a run share.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::first_object_gate::FirstObjectGate;
use crate::error::Result;
use crate::keys::CustomerKey;
use crate::location::{Bucket, S3Uri};
use crate::meter::Meter;
use crate::rules::{Encrypted, Requirements};
use crate::transfer::Cancellation;
use crate::transfer_options::TransferOptions;

use super::desired_encryption::DesiredEncryption;
use super::lock::LockableBuckets;
use super::preserve::Loss;
use super::strategy::{Current, Strategy};

/// The state that all objects of a run share.
pub(crate) struct Rotation<'a> {
    pub(crate) connection: &'a Connection,
    /// The keys that decrypt the objects now.
    pub(crate) decryption_keys: &'a DecryptionKeys,
    /// Their new encryption.
    pub(crate) target: &'a DesiredEncryption,
    /// What rules demand of the objects.
    pub(crate) rules: &'a Requirements,
    /// The new encryption, as far as rules depend on it.
    pub(crate) asked: &'a Encrypted,
    /// What may be lost.
    pub(crate) accepted: &'a [Loss],
    /// Part size, jobs.
    pub(crate) transfer_options: &'a TransferOptions,
    /// The SSE-C key that opened the last object of a bucket.
    pub(crate) last_key: LastKey,
    /// Which buckets have Object Lock.
    pub(crate) lockable: LockableBuckets,
    /// Permits for objects whose bytes pass through this machine: each takes the memory of a part or two.
    pub(crate) objects_in_memory: Semaphore,
    /// Tests on a scratch object whether the server applies the target's mode.
    pub(crate) mode_proof: FirstObjectGate,
    /// Lets one real object go first.
    pub(crate) first_object: FirstObjectGate,
    pub(crate) meter: &'a Meter,
    pub(crate) cancellation: &'a Cancellation,
}

impl Rotation<'_> {
    /// Whether an object stays client-side, and what S3 does to its ciphertext stays as it is.
    pub(super) fn keeps_at_rest(&self, current: &Current) -> bool {
        let target = self.target;
        target.at_rest().is_none() && target.client().is_some() && current.client_side.is_some()
    }

    /// Refuses what a strategy would make of an object, or leave as it is, if that does not meet a rule.
    ///
    /// # Errors
    /// `BreaksRule`.
    pub(super) fn permit(&self, uri: &S3Uri, current: &Current, strategy: Strategy) -> Result<()> {
        let touches = !matches!(strategy, Strategy::RewrapInstructionFile | Strategy::Share);
        if !(touches && self.keeps_at_rest(current)) {
            return self.rules.permit(uri, self.asked);
        }
        // What S3 does is known, so that its answer to the write need not be awaited. Its own key was the object's
        // before.
        let kept = current.applied.encrypted(true);
        let described = format!("{} at {}", self.asked.described, current.applied.mode);
        let kms_keys = self.asked.kms_keys.clone();
        self.rules.permit(uri, &Encrypted { kms_keys, described, ..kept })
    }
}

/// The SSE-C key of the last object, and its bucket. Objects under one prefix mostly have the same one: trying it first
/// takes one request instead of three for each object. No other bucket sees it: nothing there has asked for it.
#[derive(Default)]
pub(crate) struct LastKey(Mutex<Option<(Bucket, CustomerKey)>>);

impl LastKey {
    /// The key of the last object, if that is in this bucket.
    pub(super) fn get(&self, bucket: &Bucket) -> Option<CustomerKey> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(of, _)| of == bucket).map(|(_, key)| key.again())
    }

    /// Remembers the key of an object of this bucket.
    pub(super) fn set(&self, bucket: &Bucket, key: Option<&CustomerKey>) {
        let last = key.map(|key| (bucket.clone(), key.again()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
