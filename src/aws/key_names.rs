//! The names that keys in AWS KMS were given, and the keys that answered to them in this run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::lock;

use crate::encryption::{KeyArn, KmsKey};

/// Which key answers to a name. Asked once: for the rest of the run it must stay that key.
#[derive(Default)]
pub(super) struct KeyNames {
    /// `None` where the name could not be looked up: then the first answer decides.
    known: Mutex<BTreeMap<KmsKey, Option<KeyArn>>>,
    /// Held while one is looked up, so that many objects at once do not all ask.
    pub(super) asking: lock::Mutex<()>,
}

impl KeyNames {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<KmsKey, Option<KeyArn>>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
