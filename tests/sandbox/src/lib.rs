//! A throw-away S3 and KMS on loopback, over HTTPS, for tests and the demo.
//!
//! No emulator knows DSSE-KMS, `UpdateObjectEncryption`, blocked SSE-C, KMS's refusals through S3, or keys for copy sources,
//! and none fails on request. This one does all that and nothing else: it is not a store for anything worth keeping.
//!
//! ```no_run
//! use s3seal_sandbox::{Config, Fault, Kind, Sandbox};
//!
//! # fn main() -> std::io::Result<()> {
//! let sandbox = Sandbox::start(Config::with_buckets(["demo"]))?;
//! let second_part = Fault::on("UploadPart", Kind::slow_down()).skip(1);
//! let struck = sandbox.fault(second_part);
//! let mut tool = std::process::Command::new("s3seal");
//! tool.args(["put", "file", "s3://demo/file"]).env_clear().envs(sandbox.env());
//! assert!(tool.status()?.success());
//! assert_eq!(struck.count(), 1);
//! assert!(sandbox.requests().iter().all(|request| request.over_tls));
//! # Ok(())
//! # }
//! ```
//!
//! # Rooms
//!
//! * [`server`]: sockets, TLS with a certificate authority of its own, the recorder, the faults. It knows operations by
//!   name only.
//! * [`s3`]: what S3 means; the protocol is the `s3s` crate's. Its bodies lie in `store`, encrypted.
//! * [`kms`]: keys and contexts, for clients and for S3 alike.
//! * [`iam`]: what the one user may do in both, once a test gives it a policy.
//! * [`hostile`]: what a server that means harm does, to choose from.
//! * [`config`]: what a sandbox is told at its start. `main.rs` is the same sandbox as a program.
//!
//! # Where it differs from AWS
//!
//! [`s3`] lists its own differences. Here and in [`kms`]:
//!
//! * One port serves S3, KMS and of STS the question who asks; AWS has a host for each. Only 127.0.0.1 is bound.
//! * HTTP/1.1 only, TLS 1.2 and 1.3, as S3; no IPv6, no dual-stack, no accelerated or FIPS endpoints.
//! * One user with one access key, who may do all that is not denied by [`kms::Kms::deny`] until it has a policy
//!   ([`iam::User::set_policy`]) and keys have theirs ([`kms::Kms::set_key_policy`]); there are no grants.
//! * Symmetric keys only; no rotation, no replicas of multi-region keys; material is never imported, only awaited
//!   ([`kms::Kms::await_import`]). Dry runs are those of the operations that encrypt and decrypt.
//! * Lists are never cut into pages; KMS's requests are never throttled, unless a fault does it.
//! * A key that waits for its deletion stays until [`kms::Kms::delete_now`]; an alias works from the moment it is made.
//! * Ciphertext blobs have a layout of their own, shorter than AWS's.

pub mod config;
pub mod hostile;
pub mod iam;
pub mod kms;
mod policy;
pub mod s3;
pub mod server;
mod store;

pub use config::{Certificate, Config};
pub use server::{Answer, Fault, Gate, Kind, Recorded, Sandbox, Sent, Struck};
