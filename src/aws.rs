//! Everything that leaves the machine: S3 and KMS requests, and what their answers mean.
//!
//! The only room that knows the AWS SDK. No ciphers, no files and no plans here: it sends what it is given and
//! says in s3seal's own words what came back.

mod address;
pub(crate) mod batch;
pub(crate) mod bucket;
pub(crate) mod connection;
pub(crate) mod copy;
pub(crate) mod endpoint;
mod error;
pub(crate) mod instruction_file;
mod interceptors;
pub(crate) mod inventory;
mod key_names;
pub(crate) mod kms;
pub(crate) mod listing;
mod lost_upload;
pub(crate) mod multipart;
pub(crate) mod object_head;
pub(crate) mod objects;
pub(crate) mod open_uploads;
mod options;
mod origin;
pub(crate) mod policy;
pub(crate) mod probe;
mod profile;
mod request_fields;
mod retry;
mod scratch;
mod server_clock;
pub(crate) mod sse;
mod subresources;
pub(crate) mod timestamp;
pub(crate) mod transport;
pub(crate) mod update_encryption;

pub(crate) use connection::{Connection, connect};
pub(crate) use interceptors::Trace;
pub(crate) use open_uploads::OpenUploads;
pub(crate) use options::Options;
