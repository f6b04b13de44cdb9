//! The verbs, each one straight line: a request in, an outcome or an error out.
//!
//! No flags, no terminal and no exit codes here (`cli`), no S3 fields (`aws`), no ciphers (`seal`).

pub mod bulk;
pub mod client_object;
pub mod decrypt;
pub mod encrypt;
pub mod envelope;
pub mod get;
pub mod head;
pub mod inspect;
pub mod put;
pub mod rotate;
pub mod trial;
