//! As it is: the format of the server-side modes, where S3 encrypts and the bytes pass unchanged.
//!
//! It exists so that `put` and `get` are one straight line each. S3's checksum, not this, proves the bytes.

use super::{Attributes, Open, Output, Seal, Trust};
use crate::error::Result;

/// Passes bytes on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Seal for Plain {
    fn attributes(&self) -> Attributes {
        Attributes::default()
    }

    fn sealed_len(&self, plain: u64) -> u64 {
        plain
    }

    fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()> {
        out.extend_from_slice(plain);
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        Ok(())
    }
}

impl Open for Plain {
    /// TLS protects what arrives, and a sum at the end finds what S3 itself got wrong; a stream need not wait for it.
    fn trust(&self) -> Trust {
        Trust::EachFrame
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        out.extend_from_slice(sealed);
        Ok(())
    }

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Ok(())
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        Ok(())
    }
}
