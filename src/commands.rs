//! The verbs, each one straight line: a request in, an outcome or an error out.
//!
//! No flags, no terminal and no exit codes here (`cli`), no S3 fields (`aws`), no ciphers (`seal`).

pub mod begin;
pub mod envelope;
pub mod get;
pub mod inspect;
pub mod look;
pub mod many;
pub mod put;
pub mod rotate;
pub mod sealed;
pub mod trial;
pub mod unlock;
