//! Everything that leaves the machine: S3 and KMS requests, and what their answers mean.
//!
//! The only room that knows the AWS SDK. No ciphers, no files and no plans here: it sends what it is given and
//! says in s3seal's own words what came back.

pub(crate) mod abort_upload;
pub(crate) mod address;
pub(crate) mod batch;
mod body_watch;
pub(crate) mod bucket;
pub(crate) mod bucket_policy;
mod completion_names;
pub(crate) mod connection;
mod connector;
pub(crate) mod copy;
pub(crate) mod custom_endpoints;
mod delete_object;
mod dialer;
mod error;
mod http_client;
pub(crate) mod identity;
pub(crate) mod instruction_file;
mod interceptors;
pub(crate) mod inventory;
mod keep_trying;
pub(crate) mod kms;
mod kms_alias_cache;
pub(crate) mod kms_dry_run;
pub(crate) mod listing;
pub(crate) mod object_head;
pub(crate) mod object_lock;
mod observed_endpoint;
pub(crate) mod open_uploads;
mod options;
mod permission_probe;
pub(crate) mod probe;
mod profile;
mod rate_limit;
pub(crate) mod read_object;
mod request_fields;
mod retry_policy;
mod scratch;
mod server_clock;
pub(crate) mod sse;
mod subresources;
pub(crate) mod timestamp;
mod tls_config;
pub(crate) mod tls_session;
mod trace;
pub(crate) mod traffic;
pub(crate) mod transport;
mod unidentified_upload;
mod update_encryption;
pub(crate) mod upload;

pub(crate) use completion_names::{profile_names, storage_classes};
pub(crate) use connection::{Connection, connect};
pub(crate) use keep_trying::Outage;
pub(crate) use open_uploads::OpenUploads;
pub(crate) use options::Options;
pub(crate) use trace::Trace;
