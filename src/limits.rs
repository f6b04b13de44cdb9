//! Our own limits and policies that no flag changes: timeouts, retries, sizes. Names contain the unit, comments the
//! purpose.
//!
//! What a flag changes is in `defaults`. Limits of S3 are in `s3_limits`, those of a format with the format. Sizes of
//! buffers that only affect speed are in the files that use them.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::defaults;
use crate::s3_limits::MAX_KEY_BYTES;

// Timeouts and retries.

/// The longest wait for the answer to a part that has left for the system. Only where shorter ones were not enough.
pub(crate) const MAX_ANSWER_WAIT: Duration = Duration::from_mins(5);
/// What S3 may take beyond the read timeout to join parts, or to copy gigabytes ("`CompleteMultipartUpload`", Amazon S3
/// API reference).
pub(crate) const SERVER_WORK_TIMEOUT: Duration = Duration::from_mins(15);
/// Bytes of a request that are passed to the connection at once: small enough to see a slow line move.
pub(crate) const BODY_PIECE_BYTES: usize = 64 << 10;
/// The longest wait before the second attempt. It doubles with each further one; the actual wait is a random part of
/// it.
pub(crate) const RETRY_BACKOFF_FIRST: Duration = Duration::from_secs(1);
pub(crate) const RETRY_BACKOFF_MAX: Duration = Duration::from_secs(20);
/// The initial rate of adaptive retries. The SDK's own limiter starts with half a request a second: if throttled in its
/// first half second, it takes 45 seconds to return to hundreds. The first measurement reduces this rate to a fifth.
pub(crate) const RETRY_INITIAL_REQUESTS_PER_SECOND: f64 = 2000.0;
/// For each of the two steps of cleaning up after a signal: both stay under two seconds. A debug build has more, because its
/// handshakes take long on a busy machine, and the tests demand that the clean-up succeeds.
pub(crate) const CLEANUP_TIMEOUT_AFTER_SIGNAL: Duration =
    if cfg!(debug_assertions) { Duration::from_secs(5) } else { Duration::from_millis(900) };
pub(crate) const CLEANUP_TIMEOUT_AFTER_ERROR: Duration = Duration::from_mins(1);
/// How far this machine's clock may be from S3's: S3 refuses requests beyond it.
pub(crate) const MAX_CLOCK_SKEW: Duration = Duration::from_mins(15);
/// A difference to the server's clock that may be none: its answers name whole seconds, and travel.
pub(crate) const CLOCK_SKEW_UNSURE: Duration = Duration::from_secs(2);
/// From which on `doctor` warns: the clock is not set by the network, and drifts.
pub(crate) const CLOCK_SKEW_NOTED: Duration = Duration::from_mins(1);
/// Before a certificate's end, when `doctor` warns: those that renew themselves do so a month before.
pub(crate) const CERTIFICATE_END_NOTED: Duration = Duration::from_hours(14 * 24);

/// Objects, and uploads, among which `doctor` looks for leftovers: ten pages of a listing.
pub(crate) const MAX_OBJECTS_SURVEYED: usize = 10_000;

/// Objects that `doctor` lists to find the newest: one page.
pub(crate) const DOCTOR_LISTED: usize = 1000;
/// Objects on which `doctor` tries the keys given, one after the other, so that it answers in seconds.
pub(crate) const DOCTOR_TRIED: usize = 10;

// Requests at once, where their number adapts to the link.

/// How often what moves is looked at.
pub(crate) const CONCURRENCY_TICK: Duration = Duration::from_millis(10);
/// The shortest round over which what moves is measured.
pub(crate) const CONCURRENCY_ROUND_MIN: Duration = Duration::from_millis(250);
/// The same in round trips: connections must open and speed up meanwhile.
pub(crate) const CONCURRENCY_ROUND_TRIPS: u32 = 4;
/// From which on a service is far: there a round takes so long that most objects would be over before one is measured.
pub(crate) const CONCURRENCY_FAR: Duration = Duration::from_millis(10);
/// By how many requests their number grows at least; a step adds half of them.
pub(crate) const CONCURRENCY_STEP_MIN: usize = 4;
/// A step stays if each request that it adds moves at least this share of what each moved before.
pub(crate) const CONCURRENCY_GAIN_MIN: f64 = 0.25;
/// For how many rounds the number stays after a step in vain, or after the service was overloaded.
pub(crate) const CONCURRENCY_HOLD_ROUNDS: u32 = 30;
/// A request whose body moves its first bytes in this time shows that the link has something to spare. The bytes are more
/// than the system's buffers hold of an upload over a slow link.
pub(crate) const BRISK_BYTES: u64 = 256 << 10;
pub(crate) const BRISK_TIME: Duration = Duration::from_secs(1);

// Part sizes.

/// A download into a file is recorded in no more pieces than about so many. Each takes a line of some 65 bytes.
pub(crate) const MAX_RECORDED_PIECES: u64 = 100_000;
/// A range of a download into a file is no larger than so many parts, while [`MAX_RECORDED_PIECES`] allows it: how soon it
/// ends decides how soon the number of requests follows the link.
pub(crate) const MAX_PARTS_IN_RANGE: u64 = 2;
/// Ranges of a download are no smaller than this, where they are cut so that no connection idles: the last ones, and all of
/// those from far away.
pub(crate) const MIN_RANGE_BYTES: u64 = 1 << 20;
/// The most ranges that wait in memory, where their number adapts to the link: each takes a connection, and with more of
/// them too little of the memory would be left for bytes.
pub(crate) const MAX_RANGES_IN_MEMORY: usize = 32;
/// Ranges that wait in memory are held, and parts on disk are read while they are sent, in pieces of this size.
pub(crate) const PIECE_IN_MEMORY_BYTES: usize = 256 << 10;
/// What a connection takes beside the range that it reads, as measured: what is read ahead, and buffers of TLS and HTTP.
pub(crate) const CONNECTION_BYTES: u64 = 1 << 20;

/// A part of a copy within S3, unless the object needs larger ones: few requests, but still several at once.
pub(crate) const COPY_PART_BYTES: u64 = 256 << 20;

// Memory that an object or a server can make us use.

/// Plaintext that waits for its authentication tag before it goes to a stream; more is read twice.
pub(crate) const MAX_PLAINTEXT_HELD_IN_MEMORY: u64 = 64 << 20;
/// An answer of S3 or KMS other than an object: a page of a listing with the longest keys takes 6 MiB.
pub(crate) const MAX_ANSWER_BYTES: usize = 8 << 20;
/// S3's errors take some hundred bytes.
pub(crate) const MAX_ERROR_ANSWER_BYTES: usize = 64 << 10;
/// S3 lists a thousand; some servers can be set to list more.
pub(crate) const MAX_LISTING_PAGE_ENTRIES: usize = 10_000;
/// Pages of a listing without an entry, one after the other. S3 may send some, as where it passes over many deleted objects;
/// so many take minutes.
pub(crate) const MAX_EMPTY_LISTING_PAGES: u32 = 1000;
/// What is kept of a listing that must be known to its end before anything is done: a million objects with keys of 900
/// bytes, or five million with keys of 100. A debug build keeps less, so that the tests need not list so much.
pub(crate) const MAX_LISTING_IN_MEMORY_BYTES: u64 = if cfg!(debug_assertions) { 16 << 20 } else { 2 << 30 };
/// S3's take some 40 bytes.
pub(crate) const MAX_ETAG_BYTES: usize = 1 << 10;
pub(crate) const MAX_INVENTORY_MANIFEST_BYTES: u64 = 16 << 20;
/// S3 Inventory has some 20 fields.
pub(crate) const MAX_INVENTORY_COLUMNS: usize = 64;
/// A key takes 3 KiB when encoded, an access control list somewhat more.
pub(crate) const MAX_INVENTORY_RECORD_BYTES: usize = 64 << 10;
/// A value that is kept, such as an object's key or version id: neither is longer.
pub(crate) const MAX_INVENTORY_VALUE_BYTES: usize = MAX_KEY_BYTES;
/// What stands at the end of a Parquet file: some kilobytes for each row group.
#[cfg(feature = "parquet")]
pub(crate) const MAX_PARQUET_METADATA_BYTES: usize = 1 << 20;
/// A page of a Parquet file: writers aim at 1 MiB, and may exceed it by as many of the longest keys as they write at once.
#[cfg(feature = "parquet")]
pub(crate) const MAX_PARQUET_PAGE_BYTES: usize = 8 << 20;
/// A dictionary of a Parquet file: writers give it up at 1 MiB. In memory, a short value takes ten times as much.
#[cfg(feature = "parquet")]
pub(crate) const MAX_PARQUET_DICTIONARY_BYTES: usize = 2 << 20;
/// A manifest of `put`: about 15 million objects.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 4 << 30;
/// A key takes up to 6 KiB as JSON, a version id 1 KiB.
pub(crate) const MAX_MANIFEST_LINE_BYTES: usize = 16 << 10;
/// What an empty object of a client-side format has at most.
pub(crate) const MAX_FOLDER_OBJECT_BYTES: u64 = 64 << 10;
/// A longer object is not an instruction file.
pub(crate) const MAX_INSTRUCTION_FILE_BYTES: u64 = 64 << 10;
/// A metadata entry of an S3 Encryption Client's envelope: longer than any wrapped key (AWS KMS: 6,144 bytes) in
/// base64.
pub(crate) const MAX_ENVELOPE_ENTRY_BYTES: usize = 16 << 10;
pub(crate) const MAX_ESDK_HEADER_BYTES: usize = 1 << 20;
/// The bytes that a message of the Encryption SDK usually has beyond its plaintext, to tell from a listing whether an object
/// may be the ciphertext of a file: those of a header, and of frames up to an eighth of the usual length more.
pub(crate) const MIN_ESDK_OVERHEAD_EXPECTED: u64 = 100;
pub(crate) const MAX_ESDK_OVERHEAD_EXPECTED: u64 = 8 << 10;
/// Wrapped data keys in a message of the Encryption SDK, read or written.
pub const MAX_ESDK_DATA_KEYS: usize = 64;
/// A frame, or a body without frames, waits in memory for its tag.
pub(crate) const MAX_ESDK_FRAME_BYTES: u32 = 64 << 20;
/// The same where each connection has one.
pub(crate) const MAX_ESDK_FRAME_BYTES_PER_CONNECTION: u32 = 64 << 10;
/// Rows of `inspect`'s summary; objects of further rows are counted together.
pub(crate) const MAX_SUMMARY_SHARES: usize = 10_000;
/// Objects in each list of `inspect`'s summary.
pub(crate) const MAX_SUMMARY_OBJECTS: usize = 1_000;
/// Objects that the page of `inspect --report` lists, of all keys.
pub(crate) const MAX_REPORT_OBJECTS: usize = 10_000;
/// Objects that it lists of one key.
pub(crate) const MAX_REPORT_OBJECTS_OF_KEY: usize = 500;
/// Refusals listed in a plan of `rotate`; further ones are only counted.
pub(crate) const MAX_REFUSALS_NAMED: usize = 100;
/// Encryptions named in a question of `rotate`.
pub(crate) const MAX_ENCRYPTIONS_NAMED: usize = 3;

/// What `--jobs` takes at most.
pub(crate) const MAX_JOBS_ASKED: u16 = 1000;
/// Descriptors that a run needs besides those of its objects: streams, signals, events, and connections to other services.
pub(crate) const OPEN_FILES_OF_RUN: u64 = 32;
/// Descriptors that an object takes at most while it is transferred: its connection, its file twice, and its record.
pub(crate) const OPEN_FILES_OF_OBJECT: u64 = 4;

// Keys.

/// Shorter moduli are weak; AWS-LC does not support longer private keys.
pub(crate) const RSA_KEY_BITS: RangeInclusive<usize> = 2048..=8192;
/// A file, a variable or the output of a command that contains a key.
pub(crate) const MAX_KEY_FILE_BYTES: usize = 64 << 10;
pub(crate) const MAX_CONFIG_FILE_BYTES: u64 = 1 << 20;
/// What an object may require to derive its key from a passphrase; its memory is limited by `defaults::MAX_KDF_MEMORY`.
pub(crate) const MAX_ARGON2_PASSES: u32 = 4 * defaults::ARGON2.time;
pub(crate) const MAX_ARGON2_LANES: u32 = 4 * defaults::ARGON2.parallelism;
/// Wrapped data keys of one message on which passphrases are tried: each costs a derivation.
pub(crate) const MAX_PASSPHRASE_DATA_KEYS: usize = 3;
/// Keys derived from passphrases that are kept: objects that one run encrypted share a salt.
pub(crate) const MAX_DERIVED_KEYS_KEPT: usize = 64;
