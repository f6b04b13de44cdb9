//! The verbs, each one straight line: a request in, an outcome or an error out.
//!
//! No flags, no terminal and no exit codes here (`cli`), no S3 fields (`aws`), no ciphers (`seal`).

pub(crate) mod asked_encryption;
pub(crate) mod bulk;
pub(crate) mod changes;
pub(crate) mod cleanup;
pub(crate) mod decryption_keys;
pub(crate) mod deletions;
pub(crate) mod doctor;
pub(crate) mod encrypt;
pub(crate) mod envelope_metadata;
pub(crate) mod get;
pub(crate) mod open_envelope;
pub(crate) mod unwrapped_envelope;
pub(crate) mod verify_envelope;
pub(crate) mod verify_lock;

pub(crate) mod first_object_gate;
pub(crate) mod inspect;
mod instruction_file;
mod listing_in_memory;
pub(crate) mod manifest;
mod merge;
pub(crate) mod permissions;
pub(crate) mod put;
pub(crate) mod rotate;
pub(crate) mod sse_c_keys;
