//! Seals an object: a header, then frames under one key.
//!
//! Holds back up to a frame of plaintext until more arrives, because the final frame is encoded differently.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::frame::{FrameCipher, FrameKind};
use super::layout::{Layout, MAX_FRAMES};
use super::marker::Marker;
use crate::error::{Error, Result};
use crate::seal::{Attributes, Output, Seal, source_changed};

/// Seals one object.
pub(super) struct Sealer {
    header: Bytes,
    header_sent: bool,
    marker: Marker,
    cipher: Arc<FrameCipher>,
    frame_length: u32,
    /// The number of the next frame.
    next: u32,
    /// The plaintext held back: at most a frame.
    held: BytesMut,
    /// The plaintext's length, if it is known.
    expected_len: Option<u64>,
    taken: u64,
}

impl Sealer {
    pub(super) fn new(
        header: Bytes,
        marker: Marker,
        cipher: Arc<FrameCipher>,
        frame_length: u32,
        expected_len: Option<u64>,
    ) -> Self {
        Self {
            header,
            header_sent: false,
            marker,
            cipher,
            frame_length,
            next: 1,
            held: BytesMut::new(),
            expected_len,
            taken: 0,
        }
    }

    fn count(&mut self, more: usize) -> Result<()> {
        let taken = self.taken.saturating_add(more as u64);
        if taken > MAX_FRAMES * u64::from(self.frame_length) {
            return Err(too_long(self.frame_length));
        }
        if let Some(expected_len) = self.expected_len.filter(|expected_len| taken > *expected_len) {
            return Err(source_changed(expected_len, "more"));
        }
        self.taken = taken;
        Ok(())
    }

    fn send_header(&mut self, out: &mut Output) {
        if !self.header_sent {
            out.extend_from_slice(&self.header);
            self.header_sent = true;
        }
    }

    fn regular(&mut self, plain: &[u8], out: &mut Output) -> Result<()> {
        self.cipher.seal(FrameKind::Regular, self.next, plain, out)?;
        self.next = self.next.checked_add(1).ok_or_else(|| too_long(self.frame_length))?;
        Ok(())
    }
}

/// Returns the error for more frames than the format allows.
pub(super) fn too_long(frame_length: u32) -> Error {
    Error::too_large("the object", format!("it needs more than {MAX_FRAMES} frames of {frame_length} bytes"))
}

impl Seal for Sealer {
    fn attributes(&self) -> Attributes {
        Attributes { metadata: self.marker.to_metadata(), instruction: None }
    }

    fn sealed_len(&self, plain: u64) -> u64 {
        Layout::of_plain(self.header.len() as u64, self.frame_length, plain)
            .map_or(u64::MAX, |layout| layout.sealed_len())
    }

    fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()> {
        self.count(plain.len())?;
        self.send_header(out);
        let frame_length = self.frame_length as usize;
        let mut rest = plain;
        if !self.held.is_empty() && self.held.len() + rest.len() > frame_length {
            let (fill, more) = rest.split_at(frame_length - self.held.len());
            rest = more;
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(fill);
            self.regular(&held, out)?;
            held.clear();
            self.held = held;
        }
        while rest.len() > frame_length {
            let (frame, more) = rest.split_at(frame_length);
            rest = more;
            self.regular(frame, out)?;
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    fn finish(mut self: Box<Self>, out: &mut Output) -> Result<()> {
        if let Some(expected_len) = self.expected_len.filter(|expected_len| self.taken != *expected_len) {
            return Err(source_changed(expected_len, self.taken));
        }
        self.send_header(out);
        self.cipher.seal(FrameKind::Final, self.next, &self.held, out)
    }
}
