//! The issuer's name in a certificate: a walk through just so much DER as lies before it.
//!
//! The certificate has been verified by then; all the same nothing here trusts a length. To be shown, never to decide by.
//! Source: RFC 5280, section 4.1; X.690 for the encoding.

/// An element of DER: its tag, its content, what follows it.
type Element<'a> = (u8, &'a [u8], &'a [u8]);

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_ID: u8 = 0x06;
const VERSION: u8 = 0xa0;
/// The parts of a name that tell it best, by object identifier (2.5.4.x), in the order in which they are shown.
const PARTS: [[u8; 3]; 3] = [[0x55, 0x04, 0x03], [0x55, 0x04, 0x0a], [0x55, 0x04, 0x0b]];

/// Returns the issuer: common name, organisation, unit.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    let (_, certificate, _) = element(certificate).filter(|found| found.0 == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|found| found.0 == SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    let (_, _, rest) = element(rest)?; // the serial number
    let (_, _, rest) = element(rest)?; // the signature's algorithm
    let (_, mut name, _) = element(rest).filter(|found| found.0 == SEQUENCE)?;
    let mut parts: [Option<String>; PARTS.len()] = Default::default();
    while !name.is_empty() {
        let (_, set, after) = element(name).filter(|found| found.0 == SET)?;
        name = after;
        let (_, pair, _) = element(set)?;
        let (_, id, value) = element(pair).filter(|found| found.0 == OBJECT_ID)?;
        let (_, text, _) = element(value)?;
        if let Some(place) = PARTS.iter().position(|part| part == id)
            && let Some(slot) = parts.get_mut(place)
            && slot.is_none()
        {
            *slot = Some(String::from_utf8_lossy(text).into_owned());
        }
    }
    let shown: Vec<String> = parts.into_iter().flatten().collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(len)?;
    Some((tag, content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
        [head, content.to_vec()].concat()
    }

    fn certificate(version: bool) -> Vec<u8> {
        let part = |id: u8, text: &str| {
            let pair = [der(OBJECT_ID, &[0x55, 0x04, id]), der(0x0c, text.as_bytes())].concat();
            der(SET, &der(SEQUENCE, &pair))
        };
        let name =
            der(SEQUENCE, &[part(6, "US"), part(10, "Amazon"), part(3, "Amazon RSA 2048 M01")].concat());
        let head = if version { der(VERSION, &der(2, &[2])) } else { Vec::new() };
        let body = [head, der(2, &[7]), der(SEQUENCE, &[]), name, der(SEQUENCE, b"validity")].concat();
        der(SEQUENCE, &der(SEQUENCE, &body))
    }

    #[test]
    fn the_issuer_is_found() {
        for version in [true, false] {
            assert_eq!(of(&certificate(version)).as_deref(), Some("Amazon RSA 2048 M01, Amazon"));
        }
    }

    #[test]
    fn a_broken_certificate_is_none_and_no_panic() {
        let whole = certificate(true);
        for cut in 0..whole.len() {
            assert_eq!(of(&whole[..cut]), None, "{cut}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            let _ = of(&changed);
        }
    }
}
