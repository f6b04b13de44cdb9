//! An object, a version of it, an upload of it in progress, and the bucket that holds them.
//!
//! Objects are never changed in place: a change makes a new one, so that a read that has begun goes on undisturbed.
//!
//! What does not belong here: requests and answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use s3s::S3Result;
use s3s::dto::LifecycleRules;
use time::OffsetDateTime;

use super::checksum::{Algorithm, ChecksumType, Sum};
use super::error;
use super::sse::{DefaultEncryption, SseView};
use crate::policy::Policy;
use crate::store::{Body, BodyKeys, Lock};

/// The id of the one version in a bucket without versioning.
pub const NULL_VERSION: &str = "null";

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// It never did.
    #[default]
    Never,
    /// It does.
    Enabled,
    /// It did.
    Suspended,
}

/// A bucket.
#[derive(Debug)]
pub struct Bucket {
    pub created: OffsetDateTime,
    pub versioning: Versioning,
    pub default: DefaultEncryption,
    pub blocks_sse_c: bool,
    /// Whether objects may be locked.
    pub object_lock: bool,
    pub policy: Option<Policy>,
    pub lifecycle: Option<LifecycleRules>,
    pub public: bool,
    /// By key; the latest version comes last.
    pub objects: BTreeMap<String, Vec<Version>>,
    /// By upload id.
    pub uploads: BTreeMap<String, Upload>,
}

/// One version of an object, or a mark that it is deleted.
#[derive(Debug, Clone)]
pub struct Version {
    pub id: String,
    pub modified: OffsetDateTime,
    /// `None` is a delete marker.
    pub object: Option<Arc<Object>>,
}

/// The content headers and metadata that a client gives and gets back as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub expires: Option<String>,
    pub website_redirect: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

/// Object Lock of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hold {
    pub mode: Option<String>,
    pub until: Option<OffsetDateTime>,
    pub legal: bool,
}

impl Hold {
    /// Whether the version must stay as it is at this time.
    pub fn holds(&self, now: OffsetDateTime) -> bool {
        self.legal || self.until.is_some_and(|until| until > now)
    }
}

/// What an object is beside its bytes: given when it is made, changed by requests of their own.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    pub attributes: Attributes,
    pub tags: Vec<(String, String)>,
    pub storage_class: Option<String>,
    pub acl: Option<String>,
    pub hold: Hold,
}

/// A part of an object, as `GetObjectAttributes` and `partNumber` know it.
#[derive(Debug, Clone)]
pub struct PartFacts {
    pub number: i32,
    pub size: u64,
    pub sum: Option<Sum>,
}

/// A change of what clients read, set by a test; it waits until the body is opened, for only then is there a key.
type Tampering = Box<dyn FnOnce(&mut Vec<u8>) + Send>;

/// Where a tampering waits.
#[derive(Clone, Default)]
pub struct Tamper(Arc<Mutex<Option<Tampering>>>);

impl Tamper {
    /// A tampering for the next time the body is opened.
    pub fn later(change: Tampering) -> Self {
        Self(Arc::new(Mutex::new(Some(change))))
    }

    /// Takes it, once.
    pub fn take(&self) -> Option<Tampering> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl std::fmt::Debug for Tamper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tamper")
    }
}

/// An object.
#[derive(Debug, Clone)]
pub struct Object {
    pub body: Body,
    pub lock: Lock,
    pub sse: SseView,
    pub etag: String,
    pub marks: Marks,
    pub sum: Option<Sum>,
    pub sum_type: ChecksumType,
    /// Empty for an object put at once.
    pub parts: Vec<PartFacts>,
    pub restored: bool,
    pub tamper: Tamper,
}

impl Object {
    /// Whether it must be restored before it is read.
    pub fn archived(&self) -> bool {
        let class = self.marks.storage_class.as_deref();
        matches!(class, Some("GLACIER" | "DEEP_ARCHIVE")) && !self.restored
    }

    /// Carries out a tampering, now that the keys are there; `None` if there is none.
    pub fn tampered(&self, keys: &BodyKeys) -> Option<Self> {
        let change = self.tamper.take()?;
        let mut bytes = self.body.plaintext(keys);
        change(&mut bytes);
        Some(Self { body: Body::of(bytes, keys), ..self.clone() })
    }
}

/// A multipart upload in progress.
#[derive(Debug, Clone)]
pub struct Upload {
    pub key: String,
    pub begun: OffsetDateTime,
    pub lock: Lock,
    pub sse: SseView,
    pub marks: Marks,
    /// The checksum that was asked for.
    pub checksum: Option<(Algorithm, ChecksumType)>,
    pub parts: BTreeMap<i32, Part>,
}

impl Upload {
    /// All but its parts, of which there may be ten thousand.
    pub fn without_parts(&self) -> Self {
        Self {
            key: self.key.clone(),
            begun: self.begun,
            lock: self.lock.clone(),
            sse: self.sse.clone(),
            marks: self.marks.clone(),
            checksum: self.checksum,
            parts: BTreeMap::new(),
        }
    }

    /// The algorithm its parts are summed with, asked for or not.
    pub fn algorithm(&self) -> Algorithm {
        self.checksum.map_or(Algorithm::Crc64Nvme, |(algorithm, _)| algorithm)
    }

    /// How the sums of its parts become the object's.
    pub fn checksum_type(&self) -> ChecksumType {
        self.checksum.map_or(ChecksumType::FullObject, |(_, kind)| kind)
    }
}

/// A part that has arrived.
#[derive(Debug, Clone)]
pub struct Part {
    pub body: Body,
    pub etag: String,
    pub md5: [u8; 16],
    pub sum: Sum,
    pub modified: OffsetDateTime,
}

impl Bucket {
    /// An empty bucket.
    pub fn new(created: OffsetDateTime, blocks_sse_c: bool) -> Self {
        Self {
            created,
            versioning: Versioning::Never,
            default: DefaultEncryption::SseS3,
            blocks_sse_c,
            object_lock: false,
            policy: None,
            lifecycle: None,
            public: false,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// The latest version of a key, if it is an object.
    pub fn current(&self, key: &str) -> Option<(&Version, &Arc<Object>)> {
        let version = self.objects.get(key)?.last()?;
        Some((version, version.object.as_ref()?))
    }

    /// A version of a key; without an id the latest.
    ///
    /// # Errors
    /// S3's refusals for what is not there or is a delete marker.
    pub fn find(&self, key: &str, id: Option<&str>) -> S3Result<(&Version, &Arc<Object>)> {
        let Some(id) = id else {
            return self.current(key).ok_or_else(error::no_such_key);
        };
        if !is_version_id(id) {
            return Err(error::invalid_argument("Invalid version id specified"));
        }
        let versions = self.objects.get(key).into_iter().flatten();
        let version = versions.into_iter().find(|version| version.id == id);
        let version = version.ok_or_else(error::no_such_version)?;
        let object = version.object.as_ref();
        Ok((version, object.ok_or_else(error::method_not_allowed)?))
    }

    /// Adds an object, or a delete marker, as the latest version; returns its id if the bucket shows ids.
    pub fn add(
        &mut self,
        key: &str,
        object: Option<Arc<Object>>,
        modified: OffsetDateTime,
    ) -> Option<String> {
        let id = match self.versioning {
            Versioning::Enabled => crate::store::random_hex::<16>(),
            Versioning::Never | Versioning::Suspended => NULL_VERSION.to_owned(),
        };
        let versions = self.objects.entry(key.to_owned()).or_default();
        if id == NULL_VERSION {
            versions.retain(|version| version.id != NULL_VERSION);
        }
        let shown = (self.versioning != Versioning::Never).then(|| id.clone());
        versions.push(Version { id, modified, object });
        shown
    }

    /// Puts another object in the place of a version, which keeps its id and date.
    pub fn replace(&mut self, key: &str, id: &str, object: Object) {
        let versions = self.objects.get_mut(key).into_iter().flatten();
        for version in versions.filter(|version| version.id == id) {
            version.object = Some(Arc::new(object.clone()));
        }
    }

    /// The id an answer shows for a version.
    pub fn shown_id(&self, version: &Version) -> Option<String> {
        (self.versioning != Versioning::Never).then(|| version.id.clone())
    }

    /// An upload in progress.
    ///
    /// # Errors
    /// `NoSuchUpload`, also if it is for another key.
    pub fn upload(&self, key: &str, id: &str) -> S3Result<&Upload> {
        let upload = self.uploads.get(id).filter(|upload| upload.key == key);
        upload.ok_or_else(error::no_such_upload)
    }
}

fn is_version_id(id: &str) -> bool {
    id == NULL_VERSION || (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
