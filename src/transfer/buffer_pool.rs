//! A pool of buffers for parts, so that not every part allocates one.
//!
//! A new buffer of several megabytes costs a page fault for each 4 KiB, and fragments the allocator's memory. Small
//! buffers are left to the allocator.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::limits::PIECE_IN_MEMORY_BYTES;
use crate::seal::Output;

/// The smallest buffer that is kept, in bytes.
const KEPT: usize = PIECE_IN_MEMORY_BYTES;

/// Free buffers. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct BufferPool(Arc<Mutex<Vec<Output>>>);

impl BufferPool {
    /// Returns an empty buffer with room for `capacity` bytes, from the pool if it has one of about that size.
    pub(crate) fn take(&self, capacity: usize) -> Output {
        if capacity < KEPT {
            return Output::with_capacity(capacity);
        }
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A buffer of the wrong size is freed: kept in addition to a new one, it would exceed the memory budget.
        free.retain(|buffer| (capacity..=capacity + capacity / 4).contains(&buffer.capacity()));
        let buffer = free.pop();
        drop(free);
        buffer.unwrap_or_else(|| Output::with_capacity(capacity))
    }

    /// Collects the bytes of a range, in buffers of one size where it copies them: those of many sizes would leave holes in
    /// the allocator's memory.
    pub(crate) fn range_buffer(&self) -> RangeBuffer<'_> {
        RangeBuffer { pool: self, full: Vec::new(), last: Output::new() }
    }

    /// Turns a filled buffer into `Bytes`, which return it to the pool when dropped.
    pub(crate) fn lend(&self, buffer: Output) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: self.clone() })
    }
}

/// The bytes of a range, in pieces of about [`PIECE_IN_MEMORY_BYTES`].
pub(crate) struct RangeBuffer<'a> {
    pool: &'a BufferPool,
    full: Vec<Bytes>,
    last: Output,
}

impl RangeBuffer<'_> {
    /// Puts `chunk` at the end: as it is where it fills most of the buffer that the connection read it into, else a copy.
    pub(crate) fn push(&mut self, chunk: Bytes) {
        if chunk.len() < KEPT / 4 * 3 {
            self.copy(&chunk);
            return;
        }
        if self.last.len() >= KEPT / 2 {
            self.lend_last();
        } else if !self.last.is_empty() {
            // A few bytes do not take a whole buffer.
            self.full.push(Bytes::copy_from_slice(&self.last));
            self.last.clear();
        }
        self.full.push(chunk);
    }

    fn copy(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.last.len() == self.last.capacity() {
                self.next();
            }
            let room = self.last.capacity() - self.last.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.last.extend_from_slice(now);
            bytes = later;
        }
    }

    fn next(&mut self) {
        self.lend_last();
        self.last = self.pool.take(PIECE_IN_MEMORY_BYTES);
    }

    fn lend_last(&mut self) {
        let last = std::mem::take(&mut self.last);
        if !last.is_empty() {
            self.full.push(self.pool.lend(last));
        }
    }

    /// The pieces. Those that were copied return to the pool when dropped.
    pub(crate) fn into_bytes(mut self) -> Vec<Bytes> {
        self.lend_last();
        self.full
    }
}

struct Lent {
    buffer: Output,
    home: BufferPool,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.capacity() < KEPT {
            return;
        }
        buffer.clear();
        self.home.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_the_last_clone_is_gone() {
        let buffers = BufferPool::default();
        let mut first = buffers.take(KEPT);
        first.extend_from_slice(b"abc");
        let at = first.as_ptr();
        let lent = buffers.lend(first);
        let clone = lent.clone();
        drop(lent);
        let other = buffers.take(KEPT);
        assert_ne!(other.as_ptr(), at);
        assert_eq!(&clone[..], b"abc");
        drop(clone);
        let again = buffers.take(KEPT - KEPT / 8);
        assert_ne!(again.as_ptr(), at, "too small to be kept");
        let again = buffers.take(KEPT);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn a_buffer_of_another_size_is_let_go() {
        let buffers = BufferPool::default();
        drop(buffers.lend(buffers.take(2 * KEPT)));
        assert!(buffers.take(3 * KEPT).capacity() >= 3 * KEPT);
        assert!(buffers.0.lock().unwrap().is_empty(), "too small");
        drop(buffers.lend(buffers.take(3 * KEPT)));
        assert!(buffers.take(2 * KEPT).capacity() < 3 * KEPT);
        assert!(buffers.0.lock().unwrap().is_empty(), "too large");
    }

    #[test]
    fn bytes_are_collected_in_pieces_of_one_size_that_come_back() {
        let buffers = BufferPool::default();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * PIECE_IN_MEMORY_BYTES + 1).collect();
        let mut pieces = buffers.range_buffer();
        assert!(buffers.range_buffer().into_bytes().is_empty());
        for chunk in bytes.chunks(100_000) {
            pieces.push(Bytes::copy_from_slice(chunk));
        }
        let collected = pieces.into_bytes();
        assert_eq!(
            collected.iter().map(Bytes::len).collect::<Vec<_>>(),
            [PIECE_IN_MEMORY_BYTES, PIECE_IN_MEMORY_BYTES, 1]
        );
        assert_eq!(collected.concat(), bytes);
        drop(collected);
        assert_eq!(buffers.0.lock().unwrap().len(), 3);
    }

    #[test]
    fn a_chunk_that_fills_its_buffer_is_kept_as_it_is() {
        let buffers = BufferPool::default();
        let chunk = |len| Bytes::from(vec![7; len]);
        let (large, half, small) = (chunk(KEPT / 4 * 3), chunk(KEPT / 2), chunk(9));
        let mut pieces = buffers.range_buffer();
        for chunk in [&small, &large, &half, &large, &small] {
            pieces.push(chunk.clone());
        }
        let collected = pieces.into_bytes();
        let lens: Vec<_> = collected.iter().map(Bytes::len).collect();
        assert_eq!(lens, [9, large.len(), half.len(), large.len(), 9]);
        assert_eq!([1, 3].map(|piece| collected[piece].as_ptr()), [large.as_ptr(); 2]);
        drop(collected);
        assert_eq!(buffers.0.lock().unwrap().len(), 2, "of the half, and of the last");
    }
}
