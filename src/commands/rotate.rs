//! `rotate`: look, choose the way, run it, look again.

pub mod way;
