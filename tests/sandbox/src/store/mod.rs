//! Where bodies lie: encrypted bytes in memory or in files of a folder.
//!
//! A body is written once, front to back, and read in pieces, so that an object of gigabytes never stands in memory
//! and a test can hold the bytes at rest against the bytes a client sent.
//!
//! What does not belong here: buckets, keys of objects, S3's rules, XML.

mod blob;
mod body;
mod cipher;
mod lock;

pub use blob::{Blob, BlobWriter, Shelf, Storage};
pub use body::{Body, Sink};
pub use lock::{BodyKeys, Kek, Lock, ServerKeys};

/// Random bytes from the system.
///
/// # Panics
/// If the system gives none: nothing here works without.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness of the system");
    bytes
}

/// Random bytes as lower-case hexadecimal digits, two for each byte.
#[must_use]
pub fn random_hex<const N: usize>() -> String {
    hex(&random::<N>())
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
