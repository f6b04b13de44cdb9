//! Opens an unframed message, which old writers made: holds all of it until its tag is checked.
//!
//! Its length is limited for that. Nothing comes out before it is authenticated, as with frames.

use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::frame::{FrameCipher, FrameKind};
use super::opener::strip_header;
use super::signature::{MAX_SIGNATURE, SignatureVerifier};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_ESDK_FRAME_BYTES;
use crate::seal::gcm::{MAX_PLAIN, NONCE_LEN, TAG_LEN};
use crate::seal::{Open, Output, Trust};

const HEAD: usize = NONCE_LEN + 8;
/// The one nonce of such a body: the number 1.
const NONCE: [u8; NONCE_LEN] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// Holds a message until it is complete.
pub(super) struct SingleOpener {
    subject: Subject,
    header: Bytes,
    cipher: Arc<FrameCipher>,
    verifier: Option<SignatureVerifier>,
    held: BytesMut,
    /// Whether the plaintext has come out.
    done: bool,
    failed: bool,
}

impl SingleOpener {
    pub(super) fn new(
        subject: &Subject,
        header: Bytes,
        cipher: Arc<FrameCipher>,
        verifier: Option<SignatureVerifier>,
    ) -> Self {
        Self {
            subject: subject.clone(),
            header,
            cipher,
            verifier,
            held: BytesMut::new(),
            done: false,
            failed: false,
        }
    }

    fn advance(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        let mut rest = sealed;
        strip_header(&self.subject, &mut self.header, &mut rest)?;
        if rest.is_empty() {
            return Ok(());
        }
        if self.done {
            return Err(self.tampered("there are bytes after its end"));
        }
        self.held.extend_from_slice(rest);
        let Some(whole) = self.whole()? else { return Ok(()) };
        if self.held.len() > whole {
            return Err(self.tampered("there are bytes after its end"));
        }
        if self.held.len() == whole {
            self.open(out)?;
            self.done = true;
        }
        Ok(())
    }

    /// The length of body and signature, once it is known.
    fn whole(&self) -> Result<Option<usize>> {
        let Some(head) = self.held.first_chunk::<HEAD>() else { return Ok(None) };
        let body = self.body_len(head)?;
        if self.verifier.is_none() {
            return Ok(Some(body));
        }
        let Some(len) = self.held.get(body..).and_then(|footer| footer.first_chunk::<2>()) else {
            return Ok(None);
        };
        let len = usize::from(u16::from_be_bytes(*len));
        if len == 0 || len > MAX_SIGNATURE {
            return Err(self.tampered(format!("its signature cannot have {len} bytes")));
        }
        Ok(Some(body + 2 + len))
    }

    fn body_len(&self, head: &[u8; HEAD]) -> Result<usize> {
        let (nonce, len) = head.split_at(NONCE_LEN);
        if nonce != NONCE {
            return Err(self.tampered("the nonce of its body is not the one of its format"));
        }
        let len = len.first_chunk().map_or(u64::MAX, |len| u64::from_be_bytes(*len));
        if len > MAX_PLAIN {
            return Err(self.tampered("its body claims to be longer than its format allows"));
        }
        let body =
            usize::try_from(len).map_or(usize::MAX, |len| HEAD.saturating_add(len).saturating_add(TAG_LEN));
        // Nothing has authenticated the length, so the bytes that are there decide whether it is too long or damaged.
        if len > MAX_ESDK_FRAME_BYTES.into() && self.held.len() > MAX_ESDK_FRAME_BYTES as usize {
            return Err(Error::too_large(
                &self.subject,
                format!(
                    "it is not framed, so its {len} bytes would have to be held in memory; at most \
                     {MAX_ESDK_FRAME_BYTES} are"
                ),
            ));
        }
        Ok(body)
    }

    /// Opens the complete message.
    fn open(&mut self, out: &mut Output) -> Result<()> {
        let all = mem::take(&mut self.held);
        let cut = || Error::tampered(&self.subject, "it is cut short");
        let head = all.first_chunk::<HEAD>().ok_or_else(cut)?;
        let (body, footer) = all.split_at_checked(self.body_len(head)?).ok_or_else(cut)?;
        let tag = body.last_chunk::<TAG_LEN>().ok_or_else(cut)?;
        let content = body.get(HEAD..body.len() - TAG_LEN).ok_or_else(cut)?;
        let mut plain = Output::new();
        if !self.cipher.open(FrameKind::Single, 1, content, tag, &mut plain) {
            return Err(self.tampered("its body was changed"));
        }
        if let Some(mut verifier) = self.verifier.take() {
            verifier.update(body);
            if !verifier.verify(footer.get(2..).unwrap_or_default()) {
                return Err(self.tampered("its signature does not match"));
            }
        }
        out.extend_from_slice(&plain);
        Ok(())
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(&self.subject, why)
    }
}

impl Open for SingleOpener {
    fn trust(&self) -> Trust {
        Trust::EachFrame
    }

    fn push(&mut self, sealed: &[u8], out: &mut Output) -> Result<()> {
        if self.failed {
            return Err(self.tampered("it failed before"));
        }
        let result = self.advance(sealed, out);
        self.failed = result.is_err();
        result
    }

    fn replay(&mut self, _plain: &[u8]) -> Result<()> {
        Err(Error::unsupported(&self.subject, "it is not framed, so its download cannot be resumed"))
    }

    fn finish(self: Box<Self>, _out: &mut Output) -> Result<()> {
        if self.done && !self.failed {
            return Ok(());
        }
        Err(self.tampered("it is cut short"))
    }
}
