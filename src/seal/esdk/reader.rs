//! Reads a header out of bytes that arrive in pieces.
//!
//! Until it is whole nothing can be asked of a message, and nothing but its own caps bounds what it claims to be.

use bytes::{Bytes, BytesMut};

use super::header::{Header, Stop};
use super::marker::looks_like_base64;
use super::message::Message;
use crate::error::{Error, Result, Subject};

/// A header that is not whole yet.
#[derive(Debug)]
pub struct HeaderReader {
    subject: Subject,
    taken: BytesMut,
    /// Below this many bytes it cannot be whole.
    needed: usize,
}

/// What there is after some bytes.
#[derive(Debug)]
pub enum Reading {
    /// Not enough.
    NeedMore(HeaderReader),
    /// A header, and what came after it: the beginning of the body.
    Whole(Box<Message>, Bytes),
}

impl HeaderReader {
    /// Starts at a message's first byte.
    #[must_use]
    pub fn new(subject: impl Into<Subject>) -> Self {
        Self { subject: subject.into(), taken: BytesMut::new(), needed: 1 }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// `Tampered` if they make no header, or one beyond the caps; `Unsupported` for a message in base64.
    pub fn push(mut self, bytes: &[u8]) -> Result<Reading> {
        self.taken.extend_from_slice(bytes);
        if self.taken.len() < self.needed {
            return Ok(Reading::NeedMore(self));
        }
        if self.taken.first() == Some(&b'A') {
            return self.perhaps_base64();
        }
        match Header::parse(&self.taken) {
            Ok(header) => {
                let body = self.taken.split_off(header.raw().len()).freeze();
                Ok(Reading::Whole(Box::new(Message::new(self.subject, header)), body))
            }
            Err(Stop::Short(needed)) => {
                self.needed = needed;
                Ok(Reading::NeedMore(self))
            }
            Err(Stop::Malformed(why)) => Err(Error::tampered(self.subject, why)),
        }
    }

    fn perhaps_base64(mut self) -> Result<Reading> {
        if self.taken.len() < 4 {
            self.needed = 4;
            return Ok(Reading::NeedMore(self));
        }
        if looks_like_base64(&self.taken) {
            return Err(Error::Unsupported {
                subject: self.subject,
                why: "it is a message of the AWS Encryption SDK written in base64; decode it first"
                    .to_owned(),
            });
        }
        Err(Error::tampered(self.subject, "it is no message of the AWS Encryption SDK"))
    }

    /// Ends before the header is whole.
    #[must_use]
    pub fn cut_short(self) -> Error {
        Error::tampered(self.subject, "it is cut short in its header")
    }
}

/// Reads a header from the beginning of bytes that are known to hold it, or to be all there is.
///
/// # Errors
/// As [`HeaderReader::push`]; `Tampered` if the header is not whole.
pub fn read(subject: impl Into<Subject>, bytes: &[u8]) -> Result<Message> {
    match HeaderReader::new(subject).push(bytes)? {
        Reading::Whole(message, _) => Ok(*message),
        Reading::NeedMore(reader) => Err(reader.cut_short()),
    }
}
