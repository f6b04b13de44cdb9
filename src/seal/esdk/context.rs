//! Encodes and decodes the encryption context.
//!
//! What is authenticated must have exactly one encoding, so this reader refuses what others accept: pairs out of order, a
//! count of zero, trailing bytes (format, section 1.3).

use std::collections::BTreeMap;

use super::cursor::Cursor;
use crate::error::{Error, Result};

/// Pairs ordered by their keys' bytes, as the encoding needs them.
pub(super) type Pairs = BTreeMap<String, String>;

/// The prefix of the keys that AWS reserves.
pub(crate) const RESERVED: &str = "aws-crypto-";
/// The key of the pair with the public key of a signed message.
pub(super) const PUBLIC_KEY: &str = "aws-crypto-public-key";

/// Encodes pairs: a count, then each with its lengths; an empty context is no bytes. Fails with `TooLarge` beyond 65,535
/// bytes.
pub(super) fn encode<'a, P>(pairs: P) -> Result<Vec<u8>>
where
    P: IntoIterator<Item = (&'a String, &'a String)>,
{
    let mut bytes = vec![0; 2];
    let mut count: u16 = 0;
    for (key, value) in pairs {
        count = count.checked_add(1).ok_or_else(too_large)?;
        for text in [key, value] {
            let len = u16::try_from(text.len()).map_err(|_| too_large())?;
            bytes.extend_from_slice(&len.to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    bytes[..2].copy_from_slice(&count.to_be_bytes());
    if bytes.len() > usize::from(u16::MAX) {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Decodes exactly what [`encode`] makes; else returns why not.
pub(super) fn decode(bytes: &[u8]) -> Result<Pairs, &'static str> {
    let mut pairs = Pairs::new();
    if bytes.is_empty() {
        return Ok(pairs);
    }
    let short = "its encryption context is cut short";
    let mut cursor = Cursor::new(bytes);
    let count = cursor.u16().ok_or(short)?;
    if count == 0 {
        return Err("its empty encryption context is not encoded as the format says");
    }
    for _ in 0..count {
        let mut text = || {
            let bytes = cursor.prefixed().ok_or(short)?;
            std::str::from_utf8(bytes).map_err(|_| "its encryption context is not text")
        };
        let (key, value) = (text()?, text()?);
        if pairs.last_key_value().is_some_and(|(last, _)| last.as_str() >= key) {
            return Err("its encryption context is not in order");
        }
        pairs.insert(key.to_owned(), value.to_owned());
    }
    if cursor.is_at_end() { Ok(pairs) } else { Err("its encryption context has trailing bytes") }
}

fn too_large() -> Error {
    Error::too_large("the encryption context", "the format allows 65,535 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Pairs {
        list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn one_encoding_both_ways() {
        assert_eq!(encode(&Pairs::new()).unwrap(), b"");
        let two = pairs(&[("b", ""), ("a", "1")]);
        let bytes = encode(&two).unwrap();
        assert_eq!(bytes, b"\0\x02\0\x01a\0\x011\0\x01b\0\0");
        assert_eq!(decode(&bytes), Ok(two));
        assert!(encode(&pairs(&[("k", &"v".repeat(65_535))])).is_err());
    }

    #[test]
    fn order_is_that_of_bytes() {
        // In UTF-16 the second would come first.
        let bytes = encode(&pairs(&[("\u{ff5e}", ""), ("\u{1f600}", "")])).unwrap();
        assert!(bytes.windows(3).position(|w| w == "\u{ff5e}".as_bytes()) < Some(6));
        assert!(decode(&bytes).is_ok());
    }

    #[test]
    fn odd_encodings_are_refused() {
        for bytes in [
            &b"\0\0"[..],
            b"\0\x01\0\x01a",
            b"\0\x02\0\x01b\0\0\0\x01a\0\0",
            b"\0\x02\0\x01a\0\0\0\x01a\0\0",
            b"\0\x01\0\x01a\0\0!",
            b"\0\x01\0\x01\xff\0\0",
            b"\0",
        ] {
            assert!(decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
