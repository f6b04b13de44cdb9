//! Binds a second pass over an object to the first: the stored bytes of each range must be the same.
//!
//! Of each range the first pass keeps a GMAC tag, under a random key that belongs to these two passes and never leaves the
//! process, with the number of the range as its nonce. The server knows neither the key nor a tag, so it cannot search for
//! other bytes with the same tag, only guess, once: a range of n blocks lets it succeed with a probability of n / 2^128 at
//! most, as GHASH is a polynomial of that degree in a secret point. A tag costs a fraction of a hash's time.

use std::collections::VecDeque;

use bytes::Bytes;
use subtle::ConstantTimeEq;

use crate::error::{Error, Result, Subject};
use crate::keys::DataKey;
use crate::seal::gcm::{Gmac, TAG_LEN};

/// What a pass keeps or compares.
pub(crate) enum Repeat {
    /// Nothing: there is one pass only.
    No,
    /// The first pass keeps the tags.
    First(Tags),
    /// The second pass compares them, before any byte of a range is decrypted.
    Second(Tags),
}

/// The lengths of ranges and the tags of their stored bytes.
pub(crate) struct Tags {
    gmac: Gmac,
    ranges: VecDeque<(u64, [u8; TAG_LEN])>,
    /// The number of the next range.
    next: u64,
}

impl Repeat {
    /// Starts the first of two passes.
    pub(crate) fn first() -> Result<Self> {
        let key =
            DataKey::random().map_err(|error| Error::local("make", "a key")(std::io::Error::other(error)))?;
        Ok(Self::First(Tags { gmac: Gmac::new(key), ranges: VecDeque::new(), next: 0 }))
    }

    /// Starts the second pass after the first.
    pub(crate) fn second(self) -> Self {
        match self {
            Self::First(tags) => Self::Second(Tags { next: 0, ..tags }),
            other => other,
        }
    }

    /// The lengths of the ranges of a second pass.
    pub(super) fn lengths(&self) -> VecDeque<u64> {
        match self {
            Self::Second(tags) => tags.ranges.iter().map(|(len, _)| *len).collect(),
            Self::No | Self::First(_) => VecDeque::new(),
        }
    }

    /// Takes the stored bytes of the next range.
    ///
    /// # Errors
    /// `Tampered` where they are not those of the first pass.
    pub(super) fn take(&mut self, chunks: &[Bytes], subject: &Subject) -> Result<()> {
        match self {
            Self::No => Ok(()),
            Self::First(tags) => {
                let range = tags.of_next(chunks)?;
                tags.ranges.push_back(range);
                Ok(())
            }
            Self::Second(tags) => {
                let (len, tag) = tags.of_next(chunks)?;
                match tags.ranges.pop_front() {
                    Some((first_len, first)) if first_len == len && bool::from(first.ct_eq(&tag)) => Ok(()),
                    _ => Err(Error::tampered(subject, "the server sent other bytes the second time")),
                }
            }
        }
    }
}

impl Tags {
    fn of_next(&mut self, chunks: &[Bytes]) -> Result<(u64, [u8; TAG_LEN])> {
        let tag = self.gmac.tag(self.next, chunks.iter().map(AsRef::as_ref))?;
        self.next += 1;
        Ok((chunks.iter().map(|chunk| chunk.len() as u64).sum(), tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes ranges, each in chunks between bars, in a first and a second pass; says which of the second is refused.
    fn refused(first: &[&str], second: &[&str]) -> Option<usize> {
        let subject = Subject::other("the object");
        let chunks = |range: &str| -> Vec<Bytes> {
            range.split('|').map(|chunk| Bytes::copy_from_slice(chunk.as_bytes())).collect()
        };
        let mut repeat = Repeat::first().unwrap();
        assert!(repeat.lengths().is_empty());
        for range in first {
            repeat.take(&chunks(range), &subject).unwrap();
        }
        let mut repeat = repeat.second();
        assert_eq!(repeat.lengths(), [6, 6, 0]);
        second
            .iter()
            .position(|range| matches!(repeat.take(&chunks(range), &subject), Err(Error::Tampered { .. })))
    }

    #[test]
    fn the_same_bytes_may_come_in_other_chunks_but_in_no_other_order() {
        for (second, expected) in [
            (&["onet|wo", "two|one", ""] as &[&str], None),
            (&["twoone", "onetwo", ""], Some(0)),
            (&["onetwo", "onetwo", ""], Some(1)),
            (&["onetwo", "twoone", "x"], Some(2)),
            (&["onetwo", "twoone", "", ""], Some(3)),
            (&["onetwo\0", "twoone", ""], Some(0)),
            (&["", "twoone", ""], Some(0)),
        ] {
            assert_eq!(refused(&["one|two", "twoone", ""], second), expected, "{second:?}");
        }
    }
}
