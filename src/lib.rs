//! s3seal encrypts objects in Amazon S3, in every way S3 knows, from the command line.
//!
//! The rooms, outermost first; a room may import those after it, never those before it:
//!
//! - [`cli`]: the edge; the only room that knows flags, terminals, config files and exit codes.
//! - [`commands`]: the verbs, each one straight line.
//! - [`transfer`]: moves bytes with bounded memory.
//! - [`aws`]: everything that leaves the machine. [`seal`]: formats and ciphers; bytes in, bytes out.
//!   These two are neighbours who never meet: the verb joins them.
//! - The vocabulary: [`encryption`], [`keys`], [`object`], [`checksum`], [`location`], [`pattern`], [`byte_size`],
//!   [`transfer_options`], [`meter`], [`defaults`], [`limits`], [`s3_limits`], [`rules`], [`error`].
//!
//! `tests/house.rs` keeps these directions.

#![deny(unreachable_pub)]
// The documentation of this crate is for those who work on it, with its private items.
#![allow(rustdoc::private_intra_doc_links)]

#[cfg(not(unix))]
compile_error!("s3seal needs a Unix system: it relies on file modes, descriptors and signals");

mod aws;
mod byte_size;
pub mod checksum;
pub mod cli;
mod commands;
mod defaults;
pub mod encryption;
pub mod error;
pub mod keys;
pub mod limits;
mod location;
mod meter;
mod object;
mod pattern;
mod rules;
mod s3_limits;
pub mod seal;
mod transfer;
mod transfer_options;
