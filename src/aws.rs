//! Everything that leaves the machine.

pub mod connection;
pub mod sse;
