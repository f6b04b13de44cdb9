//! Bytes that a format has made, in memory that is used again.
//!
//! Ciphers write whole pieces. Clearing the memory before each of them costs as much as a copy; here it is cleared once,
//! when it is got, and after that only ever written over.

use std::ops::Deref;

/// A growing row of bytes. What stands behind its end is never shown.
#[derive(Default)]
pub struct Output {
    /// All of it holds something: zeros, or what stood there before.
    memory: Vec<u8>,
    len: usize,
}

impl Output {
    /// Begins with no bytes and no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with no bytes and memory for so many.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { memory: vec![0; bytes], len: 0 }
    }

    /// How many bytes there is memory for.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// Appends room for `len` bytes, which the caller writes; until then it holds anything.
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

    /// Returns `len` bytes behind the first `skip`; none where there are not so many.
    #[must_use]
    pub(super) fn part(&self, skip: u64, len: u64) -> &[u8] {
        let end = skip.saturating_add(len);
        match (usize::try_from(skip), usize::try_from(end)) {
            (Ok(start), Ok(end)) => self.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Keeps the first `len` bytes, if there are more.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Keeps no bytes, and the memory.
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
