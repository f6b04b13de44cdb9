//! Reads a header from bytes that arrive in pieces.

use bytes::BytesMut;

use super::header::{Header, ParseError};
use super::marker::looks_like_base64;
use super::message::Message;
use crate::error::{Error, Result, Subject};

/// An incomplete header.
#[derive(Debug)]
pub struct HeaderReader {
    subject: Subject,
    taken: BytesMut,
    /// It is incomplete with fewer bytes.
    needed: usize,
}

/// The result of a read.
#[derive(Debug)]
pub enum Reading {
    /// The header is still incomplete.
    NeedMore(HeaderReader),
    /// A header. Bytes that follow it are dropped.
    Whole(Box<Message>),
}

impl HeaderReader {
    /// Starts at a message's first byte.
    pub fn new(subject: impl Into<Subject>) -> Self {
        Self { subject: subject.into(), taken: BytesMut::new(), needed: 1 }
    }

    /// Takes the next bytes. Fails with `Tampered` if they are not a header or exceed the limits, and with `Unsupported` for a
    /// message in base64.
    pub fn push(mut self, bytes: &[u8]) -> Result<Reading> {
        self.taken.extend_from_slice(bytes);
        if self.taken.len() < self.needed {
            return Ok(Reading::NeedMore(self));
        }
        if self.taken.first() == Some(&b'A') {
            return self.reject_base64();
        }
        match Header::parse(&self.taken) {
            Ok(header) => Ok(Reading::Whole(Box::new(Message::new(self.subject, header)))),
            Err(ParseError::Incomplete(needed)) => {
                self.needed = needed;
                Ok(Reading::NeedMore(self))
            }
            Err(ParseError::Malformed(why)) => Err(Error::tampered(self.subject, why)),
        }
    }

    fn reject_base64(mut self) -> Result<Reading> {
        if self.taken.len() < 4 {
            self.needed = 4;
            return Ok(Reading::NeedMore(self));
        }
        if looks_like_base64(&self.taken) {
            return Err(Error::unsupported(
                self.subject,
                "it is a message of the AWS Encryption SDK written in base64; decode it first",
            ));
        }
        Err(Error::tampered(self.subject, "it is not a message of the AWS Encryption SDK"))
    }

    /// Returns the error for a header that ends here.
    pub fn cut_short(self) -> Error {
        Error::tampered(self.subject, "it is cut short in its header")
    }
}

/// Reads a complete header from the beginning of bytes.
pub fn read(subject: impl Into<Subject>, bytes: &[u8]) -> Result<Message> {
    match HeaderReader::new(subject).push(bytes)? {
        Reading::Whole(message) => Ok(*message),
        Reading::NeedMore(reader) => Err(reader.cut_short()),
    }
}
