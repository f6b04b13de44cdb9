//! `rotate`: look, choose the way, run it, look again.

pub mod carry;
pub mod sight;
pub mod target;
pub mod way;
