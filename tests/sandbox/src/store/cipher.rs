//! AES-256 in counter mode, from any byte on.
//!
//! Counter mode keeps ranges cheap: the byte at offset n needs only block n/16. It proves nothing about the bytes, and
//! need not: who may change bytes at rest here is the test itself.
//!
//! What does not belong here: which key is used (see `lock`).

use std::sync::Mutex;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, StreamingDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

/// Bytes of room that the cipher wants behind what it writes.
pub const BLOCK: usize = 16;

/// A key stream that is laid over bytes: the same for encrypting and decrypting.
pub struct KeyStream {
    /// Never locked: only what can be shared between threads may be a body of an answer.
    stream: Mutex<StreamingDecryptingKey>,
}

impl KeyStream {
    /// Starts the stream of a key and nonce at byte `offset`.
    ///
    /// # Panics
    /// Never for a key of 32 bytes.
    #[must_use]
    pub fn new(key: &[u8; 32], nonce: [u8; BLOCK], offset: u64) -> Self {
        let block = u128::from_be_bytes(nonce).wrapping_add(u128::from(offset / BLOCK as u64));
        let key = UnboundCipherKey::new(&AES_256, key).expect("a key of 32 bytes");
        let start = DecryptionContext::Iv128(FixedLength::from(block.to_be_bytes()));
        let stream = StreamingDecryptingKey::ctr(key, start).expect("AES in counter mode");
        let mut made = Self { stream: Mutex::new(stream) };
        let inside = usize::try_from(offset % BLOCK as u64).expect("less than a block");
        if inside > 0 {
            made.lay(&[0; BLOCK][..inside], &mut [0; 2 * BLOCK]);
        }
        made
    }

    /// Lays the stream over `from`, writes that to the beginning of `to`, and goes on by as many bytes.
    ///
    /// # Panics
    /// If `to` has not room for as many bytes and a [`BLOCK`].
    pub fn lay(&mut self, from: &[u8], to: &mut [u8]) {
        let stream = self.stream.get_mut().expect("a lock that nobody takes");
        stream.update(from, to).expect("counter mode of bytes at hand");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(stream: &mut KeyStream, from: &[u8]) -> Vec<u8> {
        let mut to = vec![0; from.len() + BLOCK];
        stream.lay(from, &mut to);
        to.truncate(from.len());
        to
    }

    #[test]
    fn starts_at_any_byte() {
        let (key, nonce) = ([7; 32], [0xff; 16]);
        let whole = laid(&mut KeyStream::new(&key, nonce, 0), &[0; 200]);
        for start in [1, 15, 16, 17, 32, 99] {
            let rest = laid(&mut KeyStream::new(&key, nonce, start as u64), &vec![0; 200 - start]);
            assert_eq!(rest, whole[start..], "from {start}");
        }
    }

    #[test]
    fn goes_on_between_calls() {
        let (key, nonce) = ([1; 32], [2; 16]);
        let whole = laid(&mut KeyStream::new(&key, nonce, 0), &[0; 100]);
        let mut stream = KeyStream::new(&key, nonce, 0);
        let pieces: Vec<u8> = [0; 100].chunks(7).flat_map(|piece| laid(&mut stream, piece)).collect();
        assert_eq!(pieces, whole);
    }

    #[test]
    fn is_aes_256_ctr() {
        // NIST SP 800-38A, F.5.5, the first block.
        let key = [
            0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
            0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4,
        ];
        let nonce: [u8; 16] = std::array::from_fn(|at| 0xf0 + u8::try_from(at).unwrap());
        let block =
            [0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a];
        let block = laid(&mut KeyStream::new(&key, nonce, 0), &block);
        assert_eq!(crate::store::hex(&block), "601ec313775789a5b7a7f504bbf3d228");
    }
}
