//! The verbs.

pub mod get;
pub mod put;
