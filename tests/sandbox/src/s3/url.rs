//! Percent-encoding: of keys in listings, of tags in headers, of paths and queries.
//!
//! What does not belong here: the paths that `s3s` reads itself.

/// Encodes a key as a listing with `encoding-type=url` shows it.
pub fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Decodes; `None` if it is not well-formed or no UTF-8.
pub fn decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

/// The pairs of a query or of a tagging header, decoded.
pub fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// One parameter of a query.
pub fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = pairs(query?)?;
    pairs.into_iter().find_map(|(found, value)| (found == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_and_decodes() {
        assert_eq!(encode("a b/ü&c+d"), "a+b/%C3%BC%26c%2Bd");
        assert_eq!(decode(&encode("a b/ü&c+d"), true).unwrap(), "a b/ü&c+d");
        assert_eq!(decode("a+b", false).unwrap(), "a+b");
        assert_eq!(decode("%4", false), None);
        assert_eq!(decode("%ff", false), None);
    }

    #[test]
    fn reads_pairs() {
        let expected = [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(pairs("a=1+2&b").unwrap(), expected);
        assert_eq!(parameter(Some("encryption&versionId=x"), "versionId").unwrap(), "x");
        assert_eq!(parameter(None, "versionId"), None);
    }
}
