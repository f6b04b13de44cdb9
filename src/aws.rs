//! Everything that leaves the machine: S3 and KMS requests, and what their answers mean.
//!
//! The only room that knows the AWS SDK. No ciphers, no files and no plans here: it sends what it is given and
//! says in s3seal's own words what came back.

mod address;
pub mod batch;
pub mod belongings;
pub mod bucket;
pub mod companion;
pub mod connection;
pub mod copy;
pub mod endpoint;
mod error;
pub mod inventory;
mod key_names;
pub mod kms;
pub mod listing;
mod lost_upload;
pub mod marks;
pub mod multipart;
pub mod objects;
pub mod open_uploads;
mod options;
mod origin;
pub mod policy;
mod profile;
mod retries;
mod scratch;
pub mod seen;
mod server_clock;
mod settle;
pub mod sse;
mod subresources;
pub mod transport;
pub mod update;
mod wire;

pub use connection::{Connection, connect};
pub use open_uploads::OpenUploads;
pub use options::Options;
pub use wire::Trace;
