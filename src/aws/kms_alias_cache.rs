//! The keys in AWS KMS that aliases have named in this run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures_util::lock;

use crate::encryption::{KeyArn, KmsKey};

/// The key of each alias. Looked up once: for the rest of the run the alias must name the same key.
#[derive(Default)]
pub(super) struct KmsAliasCache {
    /// `None` where the lookup was denied: the first answer that names the key then decides.
    known: Mutex<BTreeMap<KmsKey, Option<KeyArn>>>,
    /// Held during a lookup, so that concurrent objects do not repeat it.
    pub(super) asking: lock::Mutex<()>,
}

impl KmsAliasCache {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<KmsKey, Option<KeyArn>>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
