//! All that S3 remembers, behind one lock that is never held while waiting.
//!
//! What does not belong here: rules (they are with the requests) and the test's view (see `inspect`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::S3Result;
use time::{Duration, OffsetDateTime};

use super::error;
use super::object::Bucket;
use super::ops::job::JobView;
use crate::kms::Kms;
use crate::store::{ServerKeys, Shelf, Storage};

/// A lie a server may tell; each has been seen in the wild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Stores everything in the clear and says nothing of encryption.
    IgnoreSse,
    /// Encrypts as asked and answers with another mode.
    WrongSse,
    /// Takes the body of `UpdateObjectEncryption` for a new object.
    UpdateEncryptionStoresBody,
    /// Neither checks nor returns checksums.
    IgnoreChecksums,
    /// Overwrites and answers whatever the conditions say.
    IgnoreConditions,
    /// Takes the headers of Object Lock and locks nothing.
    IgnoreLocks,
}

/// S3 of one region and account.
pub struct S3State {
    pub(super) kms: Arc<Kms>,
    pub(super) region: String,
    pub(super) account: String,
    pub(super) shelf: Shelf,
    pub(super) server_keys: ServerKeys,
    inner: Mutex<Inner>,
}

/// What changes.
pub(super) struct Inner {
    pub buckets: BTreeMap<String, Bucket>,
    pub jobs: Vec<JobView>,
    pub lies: BTreeSet<Lie>,
    pub clock_ahead: Duration,
    pub new_buckets_block_sse_c: bool,
    pub copy_limit: u64,
    pub min_part: u64,
}

/// The largest object that one copy takes, and the largest that one put takes: 5 GiB.
pub const MAX_AT_ONCE: u64 = 5 * 1024 * 1024 * 1024;

/// The smallest part but the last: 5 MiB.
const MIN_PART: u64 = 5 * 1024 * 1024;

impl S3State {
    /// An empty S3 for one region and account (twelve digits).
    ///
    /// # Panics
    /// If the folder of the storage cannot be made.
    pub fn new(kms: Arc<Kms>, storage: Storage, region: &str, account: &str) -> Arc<Self> {
        Arc::new(Self {
            kms,
            region: region.to_owned(),
            account: account.to_owned(),
            shelf: Shelf::open(storage).expect("the folder for bodies"),
            server_keys: ServerKeys::fresh(),
            inner: Mutex::new(Inner {
                buckets: BTreeMap::new(),
                jobs: Vec::new(),
                lies: BTreeSet::new(),
                clock_ahead: Duration::ZERO,
                new_buckets_block_sse_c: false,
                copy_limit: MAX_AT_ONCE,
                min_part: MIN_PART,
            }),
        })
    }

    /// The one user all signed requests come from.
    pub fn principal(&self) -> String {
        self.kms.user().arn().to_owned()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What this server's clock shows.
    pub(super) fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.lock().clock_ahead
    }

    pub(super) fn lies(&self, lie: Lie) -> bool {
        self.lock().lies.contains(&lie)
    }
}

impl Inner {
    /// A bucket.
    pub fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(error::no_such_bucket)
    }

    /// A bucket to change.
    pub fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(error::no_such_bucket)
    }
}
