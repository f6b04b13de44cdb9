//! Everything that leaves the machine: S3 and KMS requests, and what their answers mean.
//!
//! The only room that knows the AWS SDK. No ciphers, no files and no plans here: it sends what it is given and
//! says in s3seal's own words what came back.

mod address;
pub mod attributes;
pub mod batch;
pub mod bucket;
pub mod connection;
pub mod copy;
pub mod endpoint;
mod error;
pub mod head_details;
pub mod instruction_file;
mod interceptors;
pub mod inventory;
mod key_names;
pub mod kms;
pub mod listing;
mod lost_upload;
pub mod multipart;
pub mod objects;
pub mod open_uploads;
mod options;
mod origin;
pub mod policy;
pub mod probe;
mod profile;
mod request_fields;
mod retry;
mod scratch;
mod server_clock;
pub mod sse;
mod subresources;
pub mod transport;
pub mod update_encryption;

pub use connection::{Connection, connect};
pub use interceptors::Trace;
pub use open_uploads::OpenUploads;
pub use options::Options;
