//! S3's meaning: buckets, versions, parts and above all encryption, with the codes and texts of S3 itself.
//!
//! The protocol (routes, signatures, chunked bodies, XML) is the `s3s` crate's; what that does not know comes in through
//! [`route`]. Tests look in and turn switches through [`S3State`].
//!
//! What does not belong here: sockets and TLS, faults, the recorder, KMS itself.
//!
//! # Where it differs from S3
//!
//! * `sse-c-allowed-by-default`: new buckets allow SSE-C until [`S3State::set_new_buckets_block_sse_c`]; S3 has blocked it
//!   since April 2026.
//! * `one-account`: every signed request comes from one user of the account that owns all buckets and keys; bucket policies
//!   can only deny it, [`crate::iam`] says what it may do, and anonymous requests are let in by [`S3State::set_public`]
//!   alone.
//! * `delete-many-coarse`: an identity policy is asked for all objects of a `DeleteObjects` at once, as `bucket/*`.
//! * `policy-subset`: conditions know `Bool`, `Null` and the string and ARN operators; a policy with others is refused.
//! * `error-details`: errors carry `Code`, `Message`, `Resource`, `RequestId`, `HostId` and, for a wrong region, `Region`;
//!   S3's further elements (`ArgumentName`, `MaxSizeAllowed`, …) are left out.
//! * `checksums-of-2026`: SHA512, MD5 and the XXHASH family are answered with `NotImplemented`.
//! * `acl-canned`: of ACLs only the canned name is kept; grants are answered as the owner's full control.
//! * `lock-without-default`: buckets have no default retention; events hold nothing.
//! * `restore-at-once`: a restored object can be read at once and stays so.
//! * `lifecycle-stored`: lifecycle rules are kept and returned, nothing expires.
//! * `etag-at-hand`: copies and completions answer at once, never with an error after a 200.
//! * `sse-c-over-http`: the text is that of other servers; Amazon's own is not on record.
//! * `folder-is-scratch`: with a folder only bodies go to disk; a new start begins empty.
//! * `no-post-object`: forms, select, torrents, access points, replication, notifications and websites are not there.
//! * `completed-is-gone`: completing an upload again is `NoSuchUpload`, also right after a success.
//! * `no-conflict`: two conditional writes at once are done one after the other; `ConditionalRequestConflict` takes a fault.
//! * `attributes-quoted`: `GetObjectAttributes` shows the entity tag in quotes.
//! * `jobs-stand-still`: a job of Batch Operations is checked and kept; nothing runs it, and it can only be created.
//! * `one-checksum`: part checksums of an upload that asked for none are checked and forgotten.

mod access;
mod api;
mod checksum;
mod condition;
mod error;
mod host;
mod inspect;
mod intake;
mod marks;
mod object;
mod ops;
mod route;
mod service;
mod sse;
mod state;
mod unlock;
mod url;

pub use crate::store::Storage;
pub use checksum::{Algorithm, ChecksumType};
pub(crate) use host::bucket as bucket_in_host;
pub use inspect::{ObjectView, UploadView, VersionView};
pub use ops::job::JobView;
pub(crate) use ops::job::{ACCOUNT_HEADER, coated};
pub use service::{S3Service, service};
pub use sse::{DefaultEncryption, SseView};
pub use state::{Lie, S3State};

/// How a request came: the accept loop says so in the request's extensions.
///
/// Without it a request counts as [`Scheme::Http`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}
