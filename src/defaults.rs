//! The defaults of everything that a flag or a variable can change. The help prints them from here.
//!
//! What nobody can change is in `limits`. Whether to encrypt, and how, has no default here: the bucket's applies.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::checksum::Algorithm;
use crate::encryption::{Argon2, Format};

// Connection.

/// `--connect-timeout`
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// `--read-timeout`: for the first byte of an answer, and for each further one; for the next bytes of a request to leave.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// `--keep-trying`: how long a request is tried again while nothing gets through.
pub(crate) const KEEP_TRYING: Duration = Duration::from_mins(10);
/// `--max-attempts`, the first included, where the time does not decide: enough to outlast half a minute of trouble.
pub(crate) const MAX_ATTEMPTS: u32 = 6;

/// `--max-attempts` of `doctor`, which is to answer in seconds.
pub(crate) const DOCTOR_ATTEMPTS: u32 = 2;

// Transfers.

/// `--part-size`
pub(crate) const PART_SIZE: ByteSize = ByteSize(8 << 20);
/// `--jobs`: concurrent requests where their number is fixed, and the parts whose memory a transfer takes.
pub(crate) const JOBS: NonZeroUsize = NonZeroUsize::new(8).expect("it is not zero");
/// `--jobs`: concurrent requests with which a download begins that adapts to the link. Where the service is far away, and
/// requests wait most of their time, it goes on with [`MAX_JOBS`].
pub(crate) const JOBS_AT_START: NonZeroUsize = NonZeroUsize::new(16).expect("it is not zero");
/// The same of one object that is stored far away: more of them could fill a slow link with parts that are all unfinished.
pub(crate) const UPLOAD_JOBS_AT_START_FAR: NonZeroUsize = NonZeroUsize::new(32).expect("it is not zero");
/// `--jobs`: the most concurrent requests of such a transfer, and concurrent small objects; together they use the memory of
/// [`JOBS`] parts.
pub(crate) const MAX_JOBS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");
/// `--jobs`: concurrent objects whose bytes stay in S3; the requests are small, and mostly wait.
pub(crate) const JOBS_WITHOUT_TRANSFER: NonZeroUsize = NonZeroUsize::new(32).expect("it is not zero");
/// `--max-delete`: of what the target has.
pub(crate) const MAX_DELETE_PERCENT: u8 = 50;
/// `--checksum`: S3's own default.
pub(crate) const CHECKSUM: Algorithm = Algorithm::Crc64Nvme;

// Client-side encryption.

/// `--format`
pub(crate) const FORMAT: Format = Format::S3ec;
/// `--format` for lengths that are unknown, or too large for [`FORMAT`].
pub(crate) const FORMAT_OF_STREAMS: Format = Format::Esdk;
/// `--frame-length` of the format esdk.
pub(crate) const ESDK_FRAME_LENGTH: u32 = 64 << 10;
/// The namespace of `--key-name`; its name is the key's fingerprint.
pub(crate) const KEY_NAMESPACE: &str = "s3seal";
/// `--instruction-suffix`, without its dot: the name that the S3 Encryption Client gives.
pub(crate) const INSTRUCTION_SUFFIX: &str = "instruction";
/// The costs of deriving a key from a passphrase, for new objects.
pub(crate) const ARGON2: Argon2 = Argon2 { memory: 64 << 10, time: 3, parallelism: 4 };
/// `--max-kdf-memory`: what an object may require, four times the memory of [`ARGON2`].
pub(crate) const MAX_KDF_MEMORY: ByteSize = ByteSize(4 * 1024 * ARGON2.memory as u64);

// Elsewhere.

/// `--batch-report`: the prefix in the bucket.
pub(crate) const BATCH_REPORT_PREFIX: &str = "s3seal-batch/";
/// `--older-than` of `cleanup`: longer than most transfers take.
pub(crate) const CLEANUP_AGE: Duration = Duration::from_hours(24);
/// `S3SEAL_COMPLETE_REMOTE`: how many seconds completions wait for names in S3.
pub(crate) const COMPLETION_SECONDS: u64 = 1;
