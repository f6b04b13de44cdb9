//! Limits that S3 sets, each with its source. Our own are in `limits`.

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TB: u64 = 1_000_000_000_000;

/// The smallest part that may be followed by another ("Multipart upload limits", Amazon S3 user guide).
pub(crate) const MIN_PART_BYTES: u64 = 5 * MIB;
/// The largest part (same page).
pub(crate) const MAX_PART_BYTES: u64 = 5 * GIB;
/// Parts in one upload (same page).
pub(crate) const MAX_PARTS: u32 = 10_000;
/// The largest object: 50 TB (CopyObject, Amazon S3 API reference).
pub(crate) const MAX_OBJECT_BYTES: u64 = 50 * TB;
/// The largest object that one request copies (same page).
pub(crate) const MAX_COPY_BYTES: u64 = 5 * GIB;
/// The longest key ("Naming Amazon S3 objects", Amazon S3 user guide).
pub(crate) const MAX_KEY_BYTES: usize = 1024;
/// All names and values of an object's user metadata ("Working with object metadata", same guide).
pub(crate) const MAX_METADATA_BYTES: usize = 2048;
/// Tags of an object ("Categorizing your objects using tags", same guide).
pub(crate) const MAX_TAGS: usize = 10;
