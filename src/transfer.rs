//! Moving bytes with bounded memory.

pub mod stop;

pub use stop::Stop;
