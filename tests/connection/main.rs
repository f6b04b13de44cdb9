//! Where requests of the real binary go, as whom, and what must not go there.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod concurrency;
mod discovery;
mod key_exchange;
mod listener;
mod paths;
mod profiles;
mod proxies;
mod rate;
mod signatures;
