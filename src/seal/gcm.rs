//! Streaming AES-GCM, and the counter mode inside it: the bulk ciphers of one large message.
//!
//! aws-lc-rs seals whole buffers only, and an object does not fit in one; the C library below it, AWS-LC, can stream. This
//! file and `wrap::oaep` are the only ones with `unsafe`.

#![expect(unsafe_code, reason = "AWS-LC offers streaming GCM only through its C interface")]

use std::ffi::c_int;
use std::io;
use std::ptr::{self, NonNull};

use aws_lc_sys as lc;

use crate::error::{Error, Result, SizeLimit};
use crate::keys::DataKey;
use crate::seal::Output;

/// The length of the tag, in bytes.
pub const TAG_LEN: usize = 16;
/// The length of the nonce, in bytes.
pub const NONCE_LEN: usize = 12;
/// The most that one message can hold, in bytes: 2^32 − 2 blocks (NIST SP 800-38D, section 5.2.1.1).
pub const MAX_PLAIN: u64 = (1 << 36) - 32;

const BLOCK: usize = 16;
const BLOCK_LEN: u64 = 16;
/// The tag's length as a C `int`.
const C_TAG_LEN: c_int = 16;
/// The most bytes in one call: lengths are C `int`s.
const STEP: usize = 1 << 30;

/// Seals one message.
pub struct Sealing {
    cipher: Cipher,
    done: u64,
}

impl Sealing {
    /// Starts a message under a key of 16, 24 or 32 bytes. A nonce must never be used twice with one key.
    pub fn new(key: &[u8], nonce: &[u8; NONCE_LEN], aad: &[u8]) -> Result<Self> {
        let mut cipher = Cipher::new(CipherMode::Gcm, Direction::Encrypt, key, nonce)?;
        cipher.aad(aad)?;
        Ok(Self { cipher, done: 0 })
    }

    /// Appends the ciphertext of `plain`, which has the same length. Fails with `TooLarge` beyond [`MAX_PLAIN`], before any
    /// of `plain` is sealed.
    pub fn push(&mut self, plain: &[u8], out: &mut Output) -> Result<()> {
        self.done = within_limit(self.done, plain.len())?;
        self.cipher.update(plain, out)
    }

    /// Ends the message and returns its tag.
    pub fn finish(mut self) -> Result<[u8; TAG_LEN]> {
        self.cipher.finish()?;
        self.cipher.tag()
    }
}

/// Opens one message.
pub struct Opening {
    cipher: Cipher,
    done: u64,
}

impl Opening {
    /// Starts a message, as [`Sealing::new`] does.
    pub fn new(key: &[u8], nonce: &[u8; NONCE_LEN], aad: &[u8]) -> Result<Self> {
        let mut cipher = Cipher::new(CipherMode::Gcm, Direction::Decrypt, key, nonce)?;
        cipher.aad(aad)?;
        Ok(Self { cipher, done: 0 })
    }

    /// Appends the plaintext of `sealed`, which has the same length and does not include the tag. It is not authenticated
    /// until [`Opening::finish`].
    pub fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        self.done = within_limit(self.done, sealed.len())?;
        self.cipher.update(sealed, out)
    }

    /// Ends the message and says whether `tag` authenticates it.
    pub fn finish(mut self, tag: &[u8; TAG_LEN]) -> Result<bool> {
        self.cipher.expect_tag(tag)?;
        Ok(self.cipher.finish().is_ok())
    }
}

/// The counter mode inside GCM, from any offset in the message: decrypts and encrypts, authenticates nothing.
pub struct Counter {
    cipher: Cipher,
    at: u64,
}

impl Counter {
    /// Starts at `offset` in the plaintext.
    ///
    /// The first data block of a message with a 96-bit nonce has the counter 2 (NIST SP 800-38D, section 7.1).
    pub fn new(key: &[u8], nonce: &[u8; NONCE_LEN], offset: u64) -> Result<Self> {
        let block = offset / BLOCK_LEN;
        let counter = u32::try_from(block + 2).map_err(|_| too_large())?;
        let mut iv = [0; 16];
        iv[..NONCE_LEN].copy_from_slice(nonce);
        iv[NONCE_LEN..].copy_from_slice(&counter.to_be_bytes());
        let cipher = Cipher::new(CipherMode::Ctr, Direction::Encrypt, key, &iv)?;
        let mut started = Self { cipher, at: block * BLOCK_LEN };
        let into_block = usize::try_from(offset % BLOCK_LEN).map_err(|_| too_large())?;
        started.push(&[0; BLOCK][..into_block], &mut Output::new())?;
        Ok(started)
    }

    /// Takes the next bytes, appends as many. Fails with `TooLarge` beyond [`MAX_PLAIN`]: the counter must not carry into the
    /// nonce.
    pub fn push(&mut self, bytes: &[u8], out: &mut Output) -> Result<()> {
        self.at = within_limit(self.at, bytes.len())?;
        self.cipher.update(bytes, out)
    }
}

/// Tags messages that are only compared here: AES-GMAC (NIST SP 800-38D), a GCM message of nothing but associated data.
pub struct Gmac(DataKey);

impl Gmac {
    /// Takes a key that is used for nothing else.
    pub fn new(key: DataKey) -> Self {
        Self(key)
    }

    /// Returns the tag of `pieces`, one after the other, as message `number`, which is the nonce.
    pub fn tag<'a>(&self, number: u64, pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<[u8; TAG_LEN]> {
        let mut nonce = [0; NONCE_LEN];
        nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
        let mut cipher = Cipher::new(CipherMode::Gcm, Direction::Encrypt, self.0.as_bytes(), &nonce)?;
        for piece in pieces {
            cipher.aad(piece)?;
        }
        cipher.finish()?;
        cipher.tag()
    }
}

fn within_limit(done: u64, more: usize) -> Result<u64> {
    u64::try_from(more)
        .ok()
        .and_then(|more| done.checked_add(more))
        .filter(|total| *total <= MAX_PLAIN)
        .ok_or_else(too_large)
}

/// Returns the error for a message beyond [`MAX_PLAIN`].
pub fn too_large() -> Error {
    Error::too_large("the object", SizeLimit::GcmMessage(MAX_PLAIN))
}

#[derive(Clone, Copy)]
enum CipherMode {
    Gcm,
    Ctr,
}

#[derive(Clone, Copy)]
enum Direction {
    Decrypt = 0,
    Encrypt = 1,
}

/// A cipher context of the library. Freeing it on drop wipes the key schedule.
struct Cipher(NonNull<lc::EVP_CIPHER_CTX>);

// SAFETY: the context is owned, and nothing in it belongs to a thread.
unsafe impl Send for Cipher {}

impl Cipher {
    fn new(mode: CipherMode, direction: Direction, key: &[u8], iv: &[u8]) -> Result<Self> {
        let (cipher, iv_len) = match mode {
            // SAFETY: these take nothing and return pointers to static tables.
            CipherMode::Gcm => (unsafe { gcm_of(key.len()) }, NONCE_LEN),
            // SAFETY: as above.
            CipherMode::Ctr => (unsafe { ctr_of(key.len()) }, 16),
        };
        let Some(cipher) = cipher else { return Err(refused()) };
        if iv.len() != iv_len {
            return Err(refused());
        }
        // SAFETY: takes nothing; null is handled.
        let context = NonNull::new(unsafe { lc::EVP_CIPHER_CTX_new() }).ok_or_else(refused)?;
        let context = Self(context);
        // SAFETY: the context is live; `key` has the length of the cipher chosen by it, `iv` that of its mode.
        ok(unsafe {
            lc::EVP_CipherInit_ex(
                context.0.as_ptr(),
                cipher,
                ptr::null_mut(),
                key.as_ptr(),
                iv.as_ptr(),
                direction as c_int,
            )
        })?;
        Ok(context)
    }

    fn aad(&mut self, aad: &[u8]) -> Result<()> {
        for piece in aad.chunks(STEP) {
            let len = c_int::try_from(piece.len()).map_err(|_| refused())?;
            let mut taken = 0;
            // SAFETY: the context is live; a null output marks the input, valid for `len` bytes, as associated data.
            ok(unsafe {
                lc::EVP_CipherUpdate(self.0.as_ptr(), ptr::null_mut(), &raw mut taken, piece.as_ptr(), len)
            })?;
        }
        Ok(())
    }

    fn update(&mut self, input: &[u8], out: &mut Output) -> Result<()> {
        // `chunks` yields no empty piece, which the library would take for the end of the message.
        for piece in input.chunks(STEP) {
            let len = c_int::try_from(piece.len()).map_err(|_| refused())?;
            let start = out.len();
            let room = out.append(piece.len()).as_mut_ptr();
            let mut written = 0;
            // SAFETY: the context is live; `piece` and `room` are valid for `len` bytes and do not overlap. GCM and CTR
            // are stream ciphers: they write exactly as much as they take.
            let done = ok(unsafe {
                lc::EVP_CipherUpdate(self.0.as_ptr(), room, &raw mut written, piece.as_ptr(), len)
            });
            if done.is_err() || written != len {
                out.truncate(start);
                return Err(refused());
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let mut rest = [0; 16];
        let mut written = 0;
        // SAFETY: the context is live; a stream cipher writes nothing here, a block cipher at most one block.
        ok(unsafe { lc::EVP_CipherFinal_ex(self.0.as_ptr(), rest.as_mut_ptr(), &raw mut written) })
    }

    fn tag(&mut self) -> Result<[u8; TAG_LEN]> {
        let mut tag = [0; TAG_LEN];
        // SAFETY: the context is live and `tag` holds the 16 bytes asked for.
        ok(unsafe {
            lc::EVP_CIPHER_CTX_ctrl(
                self.0.as_ptr(),
                lc::EVP_CTRL_AEAD_GET_TAG,
                C_TAG_LEN,
                tag.as_mut_ptr().cast(),
            )
        })?;
        Ok(tag)
    }

    fn expect_tag(&mut self, tag: &[u8; TAG_LEN]) -> Result<()> {
        // SAFETY: the context is live; the library copies 16 bytes out of `tag` and does not write to it.
        ok(unsafe {
            lc::EVP_CIPHER_CTX_ctrl(
                self.0.as_ptr(),
                lc::EVP_CTRL_AEAD_SET_TAG,
                C_TAG_LEN,
                tag.as_ptr().cast_mut().cast(),
            )
        })
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_CIPHER_CTX_new`, freed once; the library wipes what it frees.
        unsafe { lc::EVP_CIPHER_CTX_free(self.0.as_ptr()) }
    }
}

unsafe fn gcm_of(key_len: usize) -> Option<*const lc::EVP_CIPHER> {
    // SAFETY: these take nothing and return pointers to static tables.
    unsafe {
        match key_len {
            16 => Some(lc::EVP_aes_128_gcm()),
            24 => Some(lc::EVP_aes_192_gcm()),
            32 => Some(lc::EVP_aes_256_gcm()),
            _ => None,
        }
    }
}

unsafe fn ctr_of(key_len: usize) -> Option<*const lc::EVP_CIPHER> {
    // SAFETY: as in `gcm_of`.
    unsafe {
        match key_len {
            16 => Some(lc::EVP_aes_128_ctr()),
            24 => Some(lc::EVP_aes_192_ctr()),
            32 => Some(lc::EVP_aes_256_ctr()),
            _ => None,
        }
    }
}

fn ok(status: c_int) -> Result<()> {
    if status == 1 { Ok(()) } else { Err(refused()) }
}

/// The library fails only if it lacks memory or is called wrongly, and gives no reason.
pub fn refused() -> Error {
    Error::local("use", "the cipher library")(io::Error::other("AWS-LC gave no reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sealed_beyond_the_limit() {
        let mut out = Output::new();
        let mut sealing = Sealing::new(&[1; 32], &[2; NONCE_LEN], b"").unwrap();
        sealing.done = MAX_PLAIN - 10;
        assert!(matches!(sealing.push(&[0; 11], &mut out), Err(Error::TooLarge { .. })));
        assert!(out.is_empty());
        sealing.push(&[0; 10], &mut out).unwrap();
        assert!(matches!(sealing.push(&[0], &mut out), Err(Error::TooLarge { .. })));
        assert_eq!(out.len(), 10);

        let mut opening = Opening::new(&[1; 32], &[2; NONCE_LEN], b"").unwrap();
        opening.done = MAX_PLAIN;
        assert!(matches!(opening.push(&[0], &mut out), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn what_is_already_in_the_buffer_stays() {
        let mut out = Output::new();
        out.extend_from_slice(b"before");
        Sealing::new(&[1; 32], &[2; NONCE_LEN], b"").unwrap().push(&[0; 100], &mut out).unwrap();
        assert_eq!(out.len(), 106);
        assert_eq!(&out[..6], b"before");
    }
}
