//! The operations, a file for each family.
//!
//! Each reads the request, asks the rules (`sse`, `unlock`, `condition`, `checksum`), changes the state in one step and
//! answers; headers that all answers share are made in [`answer`].
//!
//! What does not belong here: rules that more than one family needs.

pub mod answer;
pub mod bucket;
pub mod copy;
pub mod delete;
pub mod detail;
pub mod encryption;
pub mod get;
pub mod job;
pub mod list;
pub mod multipart;
pub mod object_lock;
pub mod part;
pub mod put;
pub mod uploads;
pub mod versions;
