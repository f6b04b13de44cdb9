//! What is the same for all objects of a run, and what they learn from each other.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::first_object_gate::FirstObjectGate;
use crate::keys::CustomerKey;
use crate::transfer::Cancellation;
use crate::tuning::{Meter, Tuning};

use super::desired_encryption::DesiredEncryption;
use super::preserve::Loss;

/// What is the same for all objects of a run.
pub(crate) struct Rotation<'a> {
    pub(crate) connection: &'a Connection,
    /// What opens the objects as they are.
    pub(crate) decryption_keys: &'a DecryptionKeys,
    /// What they are to become.
    pub(crate) target: &'a DesiredEncryption,
    /// What may be lost.
    pub(crate) accepted: &'a [Loss],
    /// Part size, jobs.
    pub(crate) tuning: &'a Tuning,
    /// The SSE-C key that opened the last object.
    pub(crate) last_key: LastKey,
    /// Permits for objects whose bytes come through this machine: each takes memory.
    pub(crate) reencryptions: Semaphore,
    /// Whether the server does the target's mode, as a scratch object shows it.
    pub(crate) mode_proof: FirstObjectGate,
    /// Whether the server does it for the first real object.
    pub(crate) first_object: FirstObjectGate,
    pub(crate) meter: &'a Meter,
    pub(crate) cancellation: &'a Cancellation,
}

/// The SSE-C key of the last object. Objects under one prefix mostly have the same one: trying it first
/// takes one request for each object, instead of three.
#[derive(Default)]
pub(crate) struct LastKey(Mutex<Option<CustomerKey>>);

impl LastKey {
    pub(super) fn get(&self) -> Option<CustomerKey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(CustomerKey::again)
    }

    pub(super) fn set(&self, key: Option<&CustomerKey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key.map(CustomerKey::again);
    }
}
