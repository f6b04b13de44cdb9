//! An output buffer whose memory is reused.
//!
//! Zeroing memory before a cipher writes to it costs as much as a copy. This buffer zeroes its memory once, when it is
//! allocated, and afterwards only overwrites it.

use std::ops::Deref;

/// A growing buffer. What lies beyond its end cannot be read.
#[derive(Default)]
pub struct Output {
    /// Initialised to its end: zeros, or earlier content.
    memory: Vec<u8>,
    len: usize,
}

impl Output {
    /// Makes an empty buffer that has allocated nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty buffer with memory for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { memory: vec![0; bytes], len: 0 }
    }

    /// The bytes it can hold before it allocates.
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Appends `len` bytes for the caller to overwrite; until then their content is arbitrary.
    pub fn append(&mut self, len: usize) -> &mut [u8] {
        let (start, end) = (self.len, self.len + len);
        if end > self.memory.len() {
            self.memory.resize(end.max(2 * self.memory.len()), 0);
        }
        self.len = end;
        &mut self.memory[start..end]
    }

    /// Appends bytes.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.append(bytes.len()).copy_from_slice(bytes);
    }

    /// Returns `len` bytes after the first `skip`, or none if there are fewer.
    pub(super) fn part(&self, skip: u64, len: u64) -> &[u8] {
        let end = skip.saturating_add(len);
        match (usize::try_from(skip), usize::try_from(end)) {
            (Ok(start), Ok(end)) => self.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Keeps the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Empties it, and keeps its memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }
}

impl Deref for Output {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

impl AsRef<[u8]> for Output {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_not_seen_again() {
        let mut out = Output::with_capacity(4);
        out.extend_from_slice(b"secret");
        out.truncate(2);
        assert_eq!(&out[..], b"se");
        out.truncate(5);
        assert_eq!(&out[..], b"se");
        out.extend_from_slice(b"t");
        assert_eq!(&out[..], b"set");
        out.append(2).copy_from_slice(b"up");
        assert_eq!(&out[..], b"setup");
        out.clear();
        assert!(out.is_empty());
        assert!(out.capacity() >= 6);
    }
}
