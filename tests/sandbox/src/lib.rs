//! A throw-away S3 and KMS on loopback, for tests and the demo.

pub mod kms;
