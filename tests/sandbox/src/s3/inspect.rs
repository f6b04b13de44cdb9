//! What a test sees and turns: the state as it is, without a request.
//!
//! All of it is synchronous, so that a test that runs a program can look in between.
//!
//! What does not belong here: anything a client can see.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::checksum::{self, Algorithm, ChecksumType, Sum};
use super::condition::Conditions;
use super::object::{Attributes, Bucket, Marks, Object, Tamper, Upload, Version, Versioning};
use super::ops::delete;
use super::ops::job::JobView;
use super::sse::{DefaultEncryption, SseView};
use super::state::{Lie, S3State};
use super::unlock::Place;
use crate::policy::Policy;
use crate::store::{Body, BodyKeys, Kek, Lock};

/// An upload in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadView {
    /// Its bucket.
    pub bucket: String,
    /// The key it is for.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// Its encryption.
    pub sse: SseView,
    /// The numbers and sizes of the parts that have arrived.
    pub parts: Vec<(i32, u64)>,
}

/// A version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionView {
    /// Its id; `null` in a bucket without versioning.
    pub id: String,
    /// Whether it is a delete marker.
    pub delete_marker: bool,
}

/// The latest version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectView {
    /// Its id; `null` in a bucket without versioning.
    pub version_id: String,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it was last modified.
    pub modified: OffsetDateTime,
    /// The size clients see, in bytes.
    pub size: u64,
    /// What clients read; `None` under SSE-C without the key (see [`S3State::object_with_key`]).
    pub plaintext: Option<Vec<u8>>,
    /// The bytes at rest.
    pub stored: Vec<u8>,
    /// Without `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// In their order.
    pub tags: Vec<(String, String)>,
    /// `Content-Type`
    pub content_type: Option<String>,
    /// `Cache-Control`
    pub cache_control: Option<String>,
    /// `Content-Disposition`
    pub content_disposition: Option<String>,
    /// `Content-Encoding`
    pub content_encoding: Option<String>,
    /// `Content-Language`
    pub content_language: Option<String>,
    /// `Expires`
    pub expires: Option<String>,
    /// `x-amz-website-redirect-location`
    pub website_redirect: Option<String>,
    /// As it was asked for; `None` is `STANDARD`.
    pub storage_class: Option<String>,
    /// The canned ACL that was asked for.
    pub acl: Option<String>,
    /// Object Lock's mode.
    pub lock_mode: Option<String>,
    /// Until when it is locked.
    pub lock_until: Option<OffsetDateTime>,
    /// Whether there is a legal hold.
    pub legal_hold: bool,
    /// Its encryption.
    pub sse: SseView,
    /// The checksum's algorithm.
    pub checksum_algorithm: Option<Algorithm>,
    /// The checksum's value.
    pub checksum: Option<String>,
    /// What the checksum is of.
    pub checksum_type: ChecksumType,
    /// The number of parts it was uploaded in; 0 if it was put at once.
    pub part_count: usize,
}

impl S3State {
    /// Makes a bucket, if it is not there.
    ///
    /// # Panics
    /// If S3 would not take the name.
    pub fn create_bucket(&self, name: &str) {
        assert!(s3s::path::check_bucket_name(name), "{name:?} is no name for a bucket");
        let now = self.now();
        let mut inner = self.lock();
        let blocks = inner.new_buckets_block_sse_c;
        let bucket = inner.buckets.entry(name.to_owned());
        bucket.or_insert_with(|| Bucket::new(now, blocks));
    }

    /// All multipart uploads in progress.
    pub fn uploads(&self) -> Vec<UploadView> {
        let inner = self.lock();
        let all = inner.buckets.iter().flat_map(|(name, bucket)| {
            bucket.uploads.iter().map(move |(id, upload)| UploadView {
                bucket: name.clone(),
                key: upload.key.clone(),
                upload_id: id.clone(),
                sse: upload.sse.clone(),
                parts: upload.parts.iter().map(|(n, part)| (*n, part.body.len())).collect(),
            })
        });
        all.collect()
    }

    /// Begins an upload without parts, as somebody else does; returns its id.
    pub fn begin_upload(&self, bucket: &str, key: &str) -> String {
        let upload = Upload {
            key: key.to_owned(),
            begun: self.now(),
            lock: Lock::default(),
            sse: SseView::None,
            marks: Marks::default(),
            checksum: None,
            parts: BTreeMap::new(),
        };
        let id = crate::store::random_hex::<32>();
        self.with(bucket, |bucket| bucket.uploads.insert(id.clone(), upload));
        id
    }

    /// The jobs of Batch Operations, in the order in which they were created.
    pub fn jobs(&self) -> Vec<JobView> {
        self.lock().jobs.clone()
    }

    /// The latest version of an object, if there is one; all its bytes come into memory.
    pub fn object(&self, bucket: &str, key: &str) -> Option<ObjectView> {
        self.view(bucket, key, None)
    }

    /// The same, with the customer's key of an SSE-C object.
    pub fn object_with_key(&self, bucket: &str, key: &str, customer: &[u8; 32]) -> Option<ObjectView> {
        self.view(bucket, key, Some(customer))
    }

    /// The keys that a listing shows.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.with(bucket, |bucket| {
            let keys = bucket.objects.keys();
            keys.filter(|key| bucket.current(key).is_some()).cloned().collect()
        })
    }

    /// The versions of a key, the latest first.
    pub fn versions(&self, bucket: &str, key: &str) -> Vec<VersionView> {
        self.with(bucket, |bucket| {
            let versions = bucket.objects.get(key).into_iter().flatten().rev();
            let view = |version: &Version| VersionView {
                id: version.id.clone(),
                delete_marker: version.object.is_none(),
            };
            versions.map(view).collect()
        })
    }

    /// Sets a bucket's default encryption.
    pub fn set_default_encryption(&self, bucket: &str, default: DefaultEncryption) {
        self.with(bucket, |bucket| bucket.default = default);
    }

    /// Lets a bucket block writes with SSE-C.
    pub fn block_sse_c(&self, bucket: &str) {
        self.with(bucket, |bucket| bucket.blocks_sse_c = true);
    }

    /// Says whether buckets made from now on block writes with SSE-C, as S3's do since April 2026.
    pub fn set_new_buckets_block_sse_c(&self, block: bool) {
        self.lock().new_buckets_block_sse_c = block;
    }

    /// Sets a bucket's policy.
    ///
    /// # Panics
    /// If it is no policy, or one this subset does not know.
    pub fn set_policy(&self, bucket: &str, json: &str) {
        let policy = Policy::of_bucket(json).unwrap_or_else(|error| panic!("{error}"));
        self.with(bucket, |bucket| bucket.policy = Some(policy));
    }

    /// Lets a bucket keep old versions.
    pub fn set_versioning(&self, bucket: &str) {
        self.with(bucket, |bucket| bucket.versioning = Versioning::Enabled);
    }

    /// Lets objects of a bucket be locked, which takes versions.
    pub fn set_object_lock(&self, bucket: &str) {
        self.with(bucket, |bucket| (bucket.versioning, bucket.object_lock) = (Versioning::Enabled, true));
    }

    /// Tries to delete a version as somebody who may do everything; `bypass` lifts what that can lift.
    ///
    /// # Errors
    /// S3's text, if the version is locked.
    pub fn try_delete(&self, bucket: &str, key: &str, version: &str, bypass: bool) -> Result<(), String> {
        let place = Place { bucket, key };
        let gone = delete::remove(self, place, Some(version), &Conditions::matching(None), bypass);
        gone.map(drop).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    /// Lets anyone read and list a bucket without a signature, or no one.
    pub fn set_public(&self, bucket: &str, public: bool) {
        self.with(bucket, |bucket| bucket.public = public);
    }

    /// Puts an object as of old, without encryption.
    pub fn put_plain(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let keys = BodyKeys::default();
        let md5 = <md5::Md5 as md5::Digest>::digest(bytes);
        let object = Object {
            body: Body::of(bytes.to_vec(), &keys),
            lock: Lock::default(),
            sse: SseView::None,
            etag: crate::store::hex(&md5),
            marks: Marks::default(),
            sum: None,
            sum_type: ChecksumType::FullObject,
            parts: Vec::new(),
            restored: false,
            tamper: Tamper::default(),
        };
        let now = self.now();
        self.with(bucket, |bucket| bucket.add(key, Some(Arc::new(object)), now));
    }

    /// Changes what clients will read of an object, and nothing else: its tag and checksum stay.
    ///
    /// Of an SSE-C object the change waits for the first request that brings the key.
    ///
    /// # Panics
    /// If there is no such object, like all switches below.
    pub fn tamper_body(&self, bucket: &str, key: &str, change: impl FnOnce(&mut Vec<u8>) + Send + 'static) {
        self.change(bucket, key, |object| object.tamper = Tamper::later(Box::new(change)));
        let object = self.current(bucket, key).expect("it was there just now").1;
        if let Some(keys) = self.look(&object, None)
            && let Some(tampered) = object.tampered(&keys)
        {
            self.change(bucket, key, |object| *object = tampered);
        }
    }

    /// Puts so many zeros that take no room in the place of an object's bytes, so that a test need not store gigabytes. Its
    /// checksum is theirs from then on; whatever else it is stays. [`ObjectView`] shows none of these bytes.
    pub fn set_hole(&self, bucket: &str, key: &str, len: u64) {
        self.change(bucket, key, |object| {
            let algorithm = object.sum.as_ref().map_or(Algorithm::Crc64Nvme, |sum| sum.algorithm);
            object.sum = Some(checksum::of_zeros(algorithm, len));
            object.sum_type = ChecksumType::FullObject;
            object.body = Body::hole(len);
            object.parts.clear();
        });
    }

    /// Changes the checksum S3 remembers of an object to that of other bytes.
    pub fn set_checksum_of(&self, bucket: &str, key: &str, bytes: &[u8]) {
        self.change(bucket, key, |object| {
            let algorithm = object.sum.as_ref().map_or(Algorithm::Crc64Nvme, |sum| sum.algorithm);
            object.sum = Some(checksum::of(algorithm, bytes));
        });
    }

    /// Sets an object's metadata, without `x-amz-meta-`.
    pub fn set_metadata(&self, bucket: &str, key: &str, metadata: BTreeMap<String, String>) {
        self.change(bucket, key, |object| object.marks.attributes.metadata = metadata);
    }

    /// Lets an object be archived: it must be restored before it can be read.
    pub fn set_archived(&self, bucket: &str, key: &str) {
        self.change(bucket, key, |object| {
            object.marks.storage_class = Some("GLACIER".to_owned());
            object.restored = false;
        });
    }

    /// Protects an object from being changed: by retention until the day after tomorrow, and by a legal hold.
    pub fn set_locked(&self, bucket: &str, key: &str) {
        let until = self.now() + Duration::days(2);
        self.set_object_lock(bucket);
        self.change(bucket, key, |object| {
            let hold = &mut object.marks.hold;
            (hold.mode, hold.until, hold.legal) = (Some("GOVERNANCE".to_owned()), Some(until), true);
        });
    }

    /// Sets the largest source of one copy, in bytes, so that a test need not store 5 GiB.
    pub fn set_copy_limit(&self, bytes: u64) {
        self.lock().copy_limit = bytes;
    }

    /// Sets the smallest part but the last, in bytes.
    pub fn set_min_part(&self, bytes: u64) {
        self.lock().min_part = bytes;
    }

    /// Puts the clock forward, or back, by seconds: clients' signatures are then out of time.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.lock().clock_ahead = Duration::seconds(seconds);
    }

    /// Begins to lie.
    pub fn lie(&self, lie: Lie) {
        self.lock().lies.insert(lie);
    }

    /// Tells the truth again.
    pub fn stop_lying(&self) {
        self.lock().lies.clear();
    }

    fn with<T>(&self, bucket: &str, look: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut inner = self.lock();
        let bucket = inner.buckets.get_mut(bucket);
        look(bucket.expect("a bucket of this name"))
    }

    fn current(&self, bucket: &str, key: &str) -> Option<(Version, Arc<Object>)> {
        let inner = self.lock();
        let (version, object) = inner.buckets.get(bucket)?.current(key)?;
        Some((version.clone(), object.clone()))
    }

    fn change(&self, bucket: &str, key: &str, how: impl FnOnce(&mut Object)) {
        let (version, object) = self.current(bucket, key).expect("an object of this key");
        let mut object = Object::clone(&object);
        how(&mut object);
        self.with(bucket, |bucket| bucket.replace(key, &version.id, object));
    }

    /// Opens an object as its owner could, without KMS's leave; `None` without the customer's key.
    fn look(&self, object: &Object, customer: Option<&[u8; 32]>) -> Option<BodyKeys> {
        let secret = |kek: &Kek| match kek {
            Kek::Server => Some(self.server_keys.secret()),
            Kek::Kms { blob, context } => self.kms.unwrap_data_key(blob, context).ok(),
            Kek::Customer { .. } => customer.copied().filter(|key| kek.is_customer(key)),
        };
        let secrets: Option<Vec<_>> = object.lock.keks().map(secret).collect();
        object.lock.open(&secrets?)
    }

    fn view(&self, bucket: &str, key: &str, customer: Option<&[u8; 32]>) -> Option<ObjectView> {
        let (version, object) = self.current(bucket, key)?;
        let keys = self.look(&object, customer);
        let Marks { attributes, tags, storage_class, acl, hold } = object.marks.clone();
        let Attributes {
            content_type,
            cache_control,
            content_disposition,
            content_encoding,
            content_language,
            expires,
            website_redirect,
            metadata,
        } = attributes;
        let sum = object.sum.clone();
        Some(ObjectView {
            version_id: version.id,
            etag: object.etag.clone(),
            modified: version.modified,
            size: object.body.len(),
            plaintext: keys.map(|keys| object.body.plaintext(&keys)),
            stored: object.body.stored(),
            metadata,
            tags,
            content_type,
            cache_control,
            content_disposition,
            content_encoding,
            content_language,
            expires,
            website_redirect,
            storage_class,
            acl,
            lock_mode: hold.mode,
            lock_until: hold.until,
            legal_hold: hold.legal,
            sse: object.sse.clone(),
            checksum_algorithm: sum.as_ref().map(|sum| sum.algorithm),
            checksum: sum.map(|Sum { value, .. }| value),
            checksum_type: object.sum_type,
            part_count: object.parts.len(),
        })
    }
}
