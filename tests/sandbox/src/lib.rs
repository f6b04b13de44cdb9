//! A throw-away S3 and KMS on loopback, for tests and the demo.

pub mod config;
pub mod kms;
pub mod s3;
pub mod server;
mod store;

pub use config::Config;
pub use server::{Fault, Gate, Kind, Recorded, Sandbox, Struck};
