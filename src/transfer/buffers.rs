//! Memory for parts, used again: what is allocated once is not asked of the system for every part.
//!
//! Fresh buffers of megabytes cost a page fault each 4 KiB, and an allocator that keeps what they leave behind.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::seal::Output;

/// Buffers that are free. Clones share them.
#[derive(Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Output>>>);

impl Buffers {
    /// Returns an empty buffer with room for `capacity` bytes; one that was lent before, if there is one.
    #[must_use]
    pub fn take(&self, capacity: usize) -> Output {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Parts grow: what is too small now will be too small from now on.
        free.retain(|buffer| buffer.capacity() >= capacity);
        let buffer = free.pop();
        drop(free);
        buffer.unwrap_or_else(|| Output::with_capacity(capacity))
    }

    /// Hands out a filled buffer; it comes back once nobody needs its bytes.
    #[must_use]
    pub fn lend(&self, buffer: Output) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: self.clone() })
    }
}

struct Lent {
    buffer: Output,
    home: Buffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_the_last_clone_is_gone() {
        let buffers = Buffers::default();
        let mut first = buffers.take(1000);
        first.extend_from_slice(b"abc");
        let at = first.as_ptr();
        let lent = buffers.lend(first);
        let clone = lent.clone();
        drop(lent);
        let other = buffers.take(1000);
        assert_ne!(other.as_ptr(), at);
        assert_eq!(&clone[..], b"abc");
        drop(clone);
        let again = buffers.take(500);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn a_buffer_too_small_is_let_go() {
        let buffers = Buffers::default();
        drop(buffers.lend(buffers.take(10)));
        assert!(buffers.take(1000).capacity() >= 1000);
        assert!(buffers.0.lock().unwrap().is_empty());
    }
}
