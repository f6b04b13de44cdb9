//! AES-256 in counter mode, from any byte on.
//!
//! Counter mode keeps ranges cheap: the byte at offset n needs only block n/16. It proves nothing about the bytes, and
//! need not: who may change bytes at rest here is the test itself.
//!
//! What does not belong here: which key is used (see `lock`).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, StreamingDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

const BLOCK: usize = 16;

/// A key stream that is laid over bytes: the same for encrypting and decrypting.
pub struct KeyStream {
    stream: StreamingDecryptingKey,
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
        let mut made = Self { stream };
        let inside = usize::try_from(offset % BLOCK as u64).expect("less than a block");
        made.apply(&mut vec![0; inside]);
        made
    }

    /// Lays the stream over the bytes and goes on by as many.
    ///
    /// # Panics
    /// Never: the output is as long as the input and a block.
    pub fn apply(&mut self, bytes: &mut [u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut out = vec![0; bytes.len() + BLOCK];
        let written = self.stream.update(bytes, &mut out).expect("counter mode of bytes at hand");
        bytes.copy_from_slice(written.written());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_at_any_byte() {
        let (key, nonce) = ([7; 32], [0xff; 16]);
        let mut whole = vec![0; 200];
        KeyStream::new(&key, nonce, 0).apply(&mut whole);
        for start in [1, 15, 16, 17, 32, 99] {
            let mut rest = vec![0; 200 - start];
            KeyStream::new(&key, nonce, start as u64).apply(&mut rest);
            assert_eq!(rest, whole[start..], "from {start}");
        }
    }

    #[test]
    fn goes_on_between_calls() {
        let (key, nonce) = ([1; 32], [2; 16]);
        let mut whole = vec![0; 100];
        KeyStream::new(&key, nonce, 0).apply(&mut whole);
        let mut pieces = vec![0; 100];
        let mut stream = KeyStream::new(&key, nonce, 0);
        for piece in pieces.chunks_mut(7) {
            stream.apply(piece);
        }
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
        let mut block =
            [0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a];
        KeyStream::new(&key, nonce, 0).apply(&mut block);
        assert_eq!(crate::store::hex(&block), "601ec313775789a5b7a7f504bbf3d228");
    }
}
