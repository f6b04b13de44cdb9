//! Material descriptions and KMS encryption contexts: JSON objects of strings in one metadata value.
//!
//! Compared as maps, never as text: writers differ in spacing and order. The rules for contexts are here, the requests to
//! AWS KMS elsewhere.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::instruction;
use crate::encryption::Context;
use crate::error::{Error, KeyFault, Result, Subject, Unsupported};
use crate::seal::wrap::Alg;

/// The reserved context entry that binds the content algorithm.
const ALG_ENTRY: &str = "aws:x-amz-cek-alg";
/// The context entry in which early clients named their key.
const OLD_KEY_ENTRY: &str = "kms_cmk_id";
/// The context entries that are not the user's.
pub(crate) const RESERVED: [&str; 2] = [ALG_ENTRY, OLD_KEY_ENTRY];

/// Returns the context to send to AWS KMS for content of `alg`: the user's, and the format's reserved entry. s3seal adds
/// nothing, so that other clients can decrypt with the user's own context. Fails with `Unsupported` for a context that S3
/// metadata cannot carry unchanged, and for a key that readers leave out of the comparison with the user's context: nobody
/// could decrypt with that context.
pub fn kms_context(alg: Alg, given: &Context) -> Result<BTreeMap<String, String>> {
    let mut context = given.pairs().clone();
    if context.iter().any(|(key, value)| !(is_safe(key) && is_safe(value))) {
        return Err(Error::unsupported("the encryption context", Unsupported::ContextNotAscii));
    }
    if let Some(key) = RESERVED.into_iter().find(|key| context.contains_key(*key)) {
        return Err(Error::unsupported("the encryption context", Unsupported::ContextKeyReserved(key)));
    }
    context.insert(ALG_ENTRY.to_owned(), alg.as_str().to_owned());
    Ok(context)
}

fn is_safe(text: &str) -> bool {
    text.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
}

/// Checks a `kms+context` envelope: its context names the content algorithm, and without the reserved entries it is the
/// user's; none given means an empty one.
pub(super) fn check_context(
    subject: &Subject,
    alg: Alg,
    stored: &BTreeMap<String, String>,
    given: &Context,
) -> Result<()> {
    if stored.get(ALG_ENTRY).map(String::as_str) != Some(alg.as_str()) {
        return Err(Error::tampered(
            subject,
            format!("its encryption context does not name its content algorithm, {}", alg.as_str()),
        ));
    }
    let own = stored.iter().filter(|(key, _)| !RESERVED.contains(&key.as_str()));
    if own.eq(given.pairs()) { Ok(()) } else { Err(context_differs(subject)) }
}

/// Checks an envelope of the outdated `kms` wrap. Its context never names a content algorithm: one that does was made from
/// a `kms+context` envelope, to evade the check of the context.
pub(super) fn check_outdated_context(
    subject: &Subject,
    stored: &BTreeMap<String, String>,
    given: &Context,
) -> Result<()> {
    if stored.contains_key(ALG_ENTRY) || !stored.contains_key(OLD_KEY_ENTRY) {
        return Err(Error::tampered(
            subject,
            "its encryption context is not one of the 'kms' wrap: the envelope was changed",
        ));
    }
    if given.is_empty() { Ok(()) } else { Err(context_differs(subject)) }
}

fn context_differs(subject: &Subject) -> Error {
    Error::KeyWrong { subject: subject.clone(), why: KeyFault::Context, source: None }
}

/// Reads a description from an object's metadata.
pub(super) fn of_object(text: &str) -> Option<BTreeMap<String, String>> {
    let trimmed = text.trim();
    if trimmed.starts_with("=?") { of_file(&decode_rfc2047(trimmed)?) } else { of_file(trimmed) }
}

/// Reads a description from an instruction file, which S3 returns unchanged.
pub(super) fn of_file(text: &str) -> Option<BTreeMap<String, String>> {
    instruction::strict_map::<String>(text.as_bytes())
}

/// Writes a description. Fails with `Unsupported` if metadata cannot carry it.
pub(super) fn write(description: &BTreeMap<String, String>) -> Result<String> {
    let text = serde_json::to_string(description).ok().filter(|text| is_safe(text));
    text.ok_or_else(|| Error::unsupported("the material description", "S3 metadata carries ASCII only"))
}

/// Reverses what S3 does to non-ASCII metadata: it takes UTF-8 bytes for Latin-1, and returns the text as RFC 2047
/// encoded words in UTF-8 (s3ec format, section 2.5).
fn decode_rfc2047(text: &str) -> Option<String> {
    let mut decoded = Vec::new();
    for word in text.split_ascii_whitespace() {
        decoded.extend(decode_word(word)?);
    }
    let latin1 = String::from_utf8(decoded).ok()?;
    let bytes: Option<Vec<u8>> = latin1.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    String::from_utf8(bytes?).ok()
}

/// Decodes `=?UTF-8?Q?…?=` or `=?UTF-8?B?…?=` to bytes.
fn decode_word(word: &str) -> Option<Vec<u8>> {
    let inner = word.strip_prefix("=?")?.strip_suffix("?=")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, text) = rest.split_once('?')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    match encoding {
        "B" | "b" => BASE64_STANDARD.decode(text).ok(),
        "Q" | "q" => quoted(text.as_bytes()),
        _ => None,
    }
}

fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'_' => decoded.push(b' '),
            b'=' => {
                let (digits, tail) = rest.split_at_checked(2)?;
                decoded.extend(hex::decode(digits).ok()?);
                rest = tail;
            }
            other => decoded.push(other),
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn context(pairs: &[(&str, &str)]) -> Context {
        Context::new(map(pairs)).unwrap()
    }

    #[test]
    fn what_s3_scrambles_is_read_back() {
        // The sample of the format's section 2.5.
        assert_eq!(decode_rfc2047("=?UTF-8?Q?Mini=C3=83=C2=B6?=").unwrap(), "Miniö");
        let json = r#"{"name":"Miniö"}"#;
        let latin1: String = json.bytes().map(char::from).collect();
        let word = format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(&latin1));
        assert_eq!(of_object(&word).unwrap(), map(&[("name", "Miniö")]));
        // Cut into two words, inside a character.
        let bytes = latin1.as_bytes();
        let (head, tail) = bytes.split_at(13);
        let word = |part| format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(part));
        assert_eq!(of_object(&format!("{} {}", word(head), word(tail))).unwrap(), map(&[("name", "Miniö")]));
        // In an instruction file nothing is scrambled.
        assert_eq!(of_file(json).unwrap(), map(&[("name", "Miniö")]));
        assert_eq!(of_file(&format!("=?UTF-8?B?{}?=", BASE64_STANDARD.encode(&latin1))), None);
    }

    #[test]
    fn damaged_words_are_refused() {
        for text in [
            "=?",
            "=??=",
            "=?UTF-8?=",
            "=?UTF-8?Q?",
            "=?UTF-8?Q?=?=",
            "=?UTF-8?Q?=4?=",
            "=?UTF-8?Q?=+4?=",
            "=?UTF-8?B?!?=",
            "=?UTF-8?X?a?=",
            "=?ISO-8859-1?Q?{}?=",
            "=?UTF-8?Q?=E2=82=AC?=",
            "=?UTF-8?Q?=FF?=",
        ] {
            assert_eq!(decode_rfc2047(text), None, "{text}");
        }
    }

    #[test]
    fn the_context_given_must_be_the_one_stored() {
        let stored = map(&[("team", "alpha"), (ALG_ENTRY, "115")]);
        let check = |stored: &_, given: &[(&str, &str)]| {
            check_context(&"x".into(), Alg::Committing, stored, &context(given))
        };
        check(&stored, &[("team", "alpha")]).unwrap();
        for given in [&[][..], &[("team", "beta")], &[("team", "alpha"), ("more", "")]] {
            let error = check(&stored, given).unwrap_err();
            assert!(matches!(error, Error::KeyWrong { why: KeyFault::Context, .. }), "{error}");
        }
        for stored in [map(&[("team", "alpha")]), map(&[("team", "alpha"), (ALG_ENTRY, "AES/GCM/NoPadding")])]
        {
            let error = check(&stored, &[("team", "alpha")]).unwrap_err();
            assert!(matches!(error, Error::Tampered { .. }), "{error}");
        }
    }

    #[test]
    fn an_outdated_context_cannot_be_a_newer_one_in_disguise() {
        let check = |stored: &[(&str, &str)], given: &[(&str, &str)]| {
            check_outdated_context(&"x".into(), &map(stored), &context(given))
        };
        check(&[(OLD_KEY_ENTRY, "id")], &[]).unwrap();
        check(&[(OLD_KEY_ENTRY, "id"), ("team", "alpha")], &[]).unwrap();
        assert!(check(&[(OLD_KEY_ENTRY, "id")], &[("team", "alpha")]).is_err());
        assert!(check(&[(ALG_ENTRY, "AES/GCM/NoPadding")], &[]).is_err());
        assert!(check(&[(OLD_KEY_ENTRY, "id"), (ALG_ENTRY, "AES/GCM/NoPadding")], &[]).is_err());
        assert!(check(&[], &[]).is_err());
    }

    #[test]
    fn a_reserved_key_is_refused_before_it_is_sent() {
        let refused = kms_context(Alg::Committing, &context(&[("team", "alpha"), (OLD_KEY_ENTRY, "x")]));
        assert!(
            matches!(
                refused,
                Err(Error::Unsupported { why: Unsupported::ContextKeyReserved(OLD_KEY_ENTRY), .. })
            ),
            "{refused:?}"
        );
    }

    #[test]
    fn a_context_beyond_ascii_is_refused_before_it_is_sent() {
        let sent = kms_context(Alg::Committing, &context(&[("team", "alpha")])).unwrap();
        assert_eq!(sent, map(&[("team", "alpha"), (ALG_ENTRY, "115")]));
        for given in [[("team", "Miniö")], [("téam", "a")], [("team", "a\nb")]] {
            assert!(matches!(kms_context(Alg::Gcm, &context(&given)), Err(Error::Unsupported { .. })));
        }
    }
}
