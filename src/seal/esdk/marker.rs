//! The marker in an object's metadata: its format and its recipients.
//!
//! The message says the same; the marker only saves reading it. It is not authenticated, so it decides which keys to ask
//! for, never which to trust. Other writers store none: their messages are recognised by their first bytes.

use std::collections::BTreeMap;
use std::fmt;

use super::suite::Suite;
use crate::encryption::Format;
use crate::error::{Error, Result, Subject, WrapKind};
use crate::keys::Fingerprint;
use crate::limits::MAX_ESDK_DATA_KEYS;

/// The metadata entry that names the format.
pub const FORMAT_ENTRY: &str = "s3seal-format";
/// The metadata entry that names the recipients.
pub const RECIPIENTS_ENTRY: &str = "s3seal-recipients";

const FORMAT: &str = Format::Esdk.as_str();

/// The recipients of an object, as its metadata names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    recipients: Vec<Recipient>,
}

/// A recipient: a key that opens an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The kind of key.
    pub kind: WrapKind,
    /// The fingerprint of a raw AES or RSA key.
    pub fingerprint: Option<String>,
}

impl Recipient {
    pub(super) fn key(kind: WrapKind, fingerprint: &Fingerprint) -> Self {
        Self { kind, fingerprint: Some(fingerprint.as_str().to_owned()) }
    }

    pub(super) fn without_fingerprint(kind: WrapKind) -> Self {
        Self { kind, fingerprint: None }
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, fingerprint) = match text.split_once(':') {
            Some((kind, fingerprint)) => (kind, Some(fingerprint)),
            None => (text, None),
        };
        let kind = match (kind, fingerprint) {
            ("aes", Some(_)) => WrapKind::Aes,
            ("rsa", Some(_)) => WrapKind::Rsa,
            ("kms", None) => WrapKind::Kms,
            ("passphrase", None) => WrapKind::Passphrase,
            _ => return None,
        };
        if fingerprint.is_some_and(|text| !Fingerprint::is_one(text)) {
            return None;
        }
        Some(Self { kind, fingerprint: fingerprint.map(str::to_owned) })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            WrapKind::Aes => "aes",
            WrapKind::Rsa => "rsa",
            WrapKind::Kms => "kms",
            WrapKind::Passphrase => "passphrase",
        })?;
        match &self.fingerprint {
            Some(fingerprint) => write!(f, ":{fingerprint}"),
            None => Ok(()),
        }
    }
}

impl Marker {
    pub(super) fn new(recipients: Vec<Recipient>) -> Self {
        Self { recipients }
    }

    /// The recipients.
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// Returns the metadata entries.
    pub fn to_metadata(&self) -> BTreeMap<String, String> {
        let recipients: Vec<_> = self.recipients.iter().map(Recipient::to_string).collect();
        BTreeMap::from([
            (FORMAT_ENTRY.to_owned(), FORMAT.to_owned()),
            (RECIPIENTS_ENTRY.to_owned(), recipients.join(",")),
        ])
    }

    /// Finds the marker in an object's metadata, and skips recipients of unknown kinds. Fails with `Unsupported` for an
    /// unknown format.
    pub fn find(subject: impl Into<Subject>, metadata: &BTreeMap<String, String>) -> Result<Option<Self>> {
        match metadata.get(FORMAT_ENTRY).map(String::as_str) {
            None => Ok(None),
            Some(FORMAT) => {
                let list = metadata.get(RECIPIENTS_ENTRY).map_or("", String::as_str);
                let recipients =
                    list.split(',').take(MAX_ESDK_DATA_KEYS).filter_map(Recipient::parse).collect();
                Ok(Some(Self { recipients }))
            }
            Some(other) => Err(Error::unsupported(
                subject,
                format!("its metadata names an unknown format, '{}'", other.escape_default()),
            )),
        }
    }
}

/// Whether bytes begin like a message: with a version and one of its algorithm suites. Needs four bytes.
pub fn looks_like_esdk(first: &[u8]) -> bool {
    match *first {
        [1, 0x80, high, low, ..] => Suite::find(1, u16::from_be_bytes([high, low])).is_some(),
        [2, high, low, ..] => Suite::find(2, u16::from_be_bytes([high, low])).is_some(),
        _ => false,
    }
}

/// Whether bytes begin like a message in base64, which some programs write.
pub fn looks_like_base64(first: &[u8]) -> bool {
    [&b"AYA"[..], b"AgR4", b"AgV4"].iter().any(|start| first.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_goes_both_ways() {
        let print = Fingerprint::of(b"key");
        let marker = Marker::new(vec![
            Recipient::key(WrapKind::Aes, &print),
            Recipient::key(WrapKind::Rsa, &print),
            Recipient::without_fingerprint(WrapKind::Kms),
            Recipient::without_fingerprint(WrapKind::Passphrase),
        ]);
        let metadata = marker.to_metadata();
        assert_eq!(metadata[FORMAT_ENTRY], "esdk");
        assert_eq!(metadata[RECIPIENTS_ENTRY], format!("aes:{print},rsa:{print},kms,passphrase"));
        assert_eq!(Marker::find("x", &metadata).unwrap(), Some(marker));
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        let entry = |format: &str, list: &str| {
            BTreeMap::from([
                (FORMAT_ENTRY.to_owned(), format.to_owned()),
                (RECIPIENTS_ENTRY.to_owned(), list.to_owned()),
            ])
        };
        let marker = Marker::find("x", &entry("esdk", "aes:xyz,kms:1,new,aes,,kms")).unwrap().unwrap();
        assert_eq!(marker.recipients(), [Recipient::without_fingerprint(WrapKind::Kms)]);
        assert!(Marker::find("x", &entry("esdk3", "")).is_err());
        assert_eq!(Marker::find("x", &BTreeMap::new()).unwrap(), None);
    }

    #[test]
    fn messages_are_known_by_how_they_begin() {
        assert!(looks_like_esdk(&[2, 4, 0x78, 0]));
        assert!(looks_like_esdk(&[2, 5, 0x78]));
        assert!(looks_like_esdk(&[1, 0x80, 3, 0x78]));
        for other in
            [&[][..], &[2], &[2, 1, 0x78], &[1, 0x80, 4, 0x78], &[1, 0, 3, 0x78], b"AgR4", &[3, 4, 0x78]]
        {
            assert!(!looks_like_esdk(other), "{other:?}");
        }
        assert!(looks_like_base64(b"AgV4AA"));
        assert!(!looks_like_base64(b"Ag"));
    }
}
