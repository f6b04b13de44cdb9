//! Reads and writes the message header (format, section 1.3).
//!
//! Strict, because nothing in it is authenticated before a key is found: any deviation from the format is refused, and so
//! is any length beyond the limits. `message` interprets the fields.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use bytes::Bytes;

use super::context::{self, Pairs};
use super::cursor::Cursor;
use super::edk::Edk;
use super::suite::{COMMITMENT_LEN, Suite};
use crate::error::Result;
use crate::limits::{MAX_ESDK_DATA_KEYS, MAX_ESDK_HEADER_BYTES};
use crate::seal::gcm::{self, NONCE_LEN, TAG_LEN};

/// The type of a message of version 1: customer authenticated encrypted data.
const TYPE: u8 = 0x80;
const SINGLE: u8 = 1;
const FRAMED: u8 = 2;

/// How the body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Unframed: one ciphertext with one tag.
    Single,
    /// Frames of this many plaintext bytes.
    Frames(u32),
}

/// A header: well-formed, not authenticated.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) suite: Suite,
    pub(super) message_id: Vec<u8>,
    pub(super) context: Pairs,
    pub(super) edks: Vec<Edk>,
    pub(super) framing: Framing,
    pub(super) commitment: Option<[u8; COMMITMENT_LEN]>,
    /// The nonce of the tag: zeros in version 2, stored in version 1.
    nonce: [u8; NONCE_LEN],
    tag: [u8; TAG_LEN],
    /// All of it as stored.
    raw: Bytes,
    /// The length without nonce and tag.
    body_len: usize,
}

/// Why bytes could not be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ParseError {
    /// At least this many bytes are needed.
    Incomplete(usize),
    /// They are not a header.
    Malformed(String),
}

/// The contents of a header to write.
pub(super) struct NewHeader<'a> {
    pub(super) message_id: &'a [u8],
    pub(super) context: &'a Pairs,
    pub(super) edks: Vec<Edk>,
    pub(super) frame_length: u32,
    pub(super) commitment: [u8; COMMITMENT_LEN],
}

impl Header {
    /// Reads a header from the beginning of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(bytes);
        let parsed = Self::read(&mut cursor);
        match parsed {
            Ok(Some(header)) => Ok(header.with_raw(&bytes[..cursor.position()])),
            Ok(None) if cursor.wanted() > MAX_ESDK_HEADER_BYTES => {
                malformed(format!("its header is longer than {MAX_ESDK_HEADER_BYTES} bytes"))
            }
            Ok(None) => Err(ParseError::Incomplete(cursor.wanted())),
            Err(why) => malformed(why),
        }
    }

    fn with_raw(mut self, raw: &[u8]) -> Self {
        self.raw = Bytes::copy_from_slice(raw);
        self
    }

    /// Reads all fields; `None` if the bytes end too early.
    fn read(cursor: &mut Cursor<'_>) -> Result<Option<Self>, String> {
        let Some(suite) = read_suite(cursor)? else { return Ok(None) };
        let Some(message_id) = cursor.take(suite.message_id_len()) else { return Ok(None) };
        let Some(context) = cursor.prefixed() else { return Ok(None) };
        let context = context::decode(context)?;
        let Some(edks) = read_edks(cursor)? else { return Ok(None) };
        let Some(framing) = read_framing(cursor, suite)? else { return Ok(None) };
        let mut commitment = None;
        if suite.commits() {
            commitment = cursor.array::<COMMITMENT_LEN>();
            if commitment.is_none() {
                return Ok(None);
            }
        }
        let body_len = cursor.position();
        let mut nonce = [0; NONCE_LEN];
        if suite.version() == 1 {
            let Some(stored) = cursor.array() else { return Ok(None) };
            nonce = stored;
        }
        let Some(tag) = cursor.array() else { return Ok(None) };
        let message_id = message_id.to_vec();
        let raw = Bytes::new();
        Ok(Some(Self { suite, message_id, context, edks, framing, commitment, nonce, tag, raw, body_len }))
    }

    /// Makes a header of the suite that is written, with its tag.
    ///
    /// The only place that makes a header's tag, and only for a message id generated for this object: the tag's nonce is
    /// fixed, so a second header under one key would reveal the key that authenticates every frame.
    pub(super) fn new(draft: NewHeader<'_>, key: &LessSafeKey) -> Result<Self> {
        let suite = super::suite::WRITTEN;
        let mut raw = vec![suite.version()];
        raw.extend_from_slice(&suite.id().to_be_bytes());
        raw.extend_from_slice(draft.message_id);
        let pairs = context::encode(draft.context)?;
        let len = u16::try_from(pairs.len()).map_err(|_| gcm::refused())?;
        raw.extend_from_slice(&len.to_be_bytes());
        raw.extend_from_slice(&pairs);
        let count = u16::try_from(draft.edks.len()).map_err(|_| gcm::refused())?;
        raw.extend_from_slice(&count.to_be_bytes());
        for edk in &draft.edks {
            edk.encode(&mut raw)?;
        }
        raw.push(FRAMED);
        raw.extend_from_slice(&draft.frame_length.to_be_bytes());
        raw.extend_from_slice(&draft.commitment);
        let body_len = raw.len();
        let nonce = [0; NONCE_LEN];
        let tag = tag_of(key, nonce, &raw)?;
        raw.extend_from_slice(&tag);
        Ok(Self {
            suite,
            message_id: draft.message_id.to_vec(),
            context: draft.context.clone(),
            edks: draft.edks,
            framing: Framing::Frames(draft.frame_length),
            commitment: Some(draft.commitment),
            nonce,
            tag,
            raw: raw.into(),
            body_len,
        })
    }

    /// All of it as stored.
    pub(super) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Whether its tag matches under the content key; `unstored` are the authenticated pairs that it does not store.
    pub(super) fn is_authentic(&self, key: &LessSafeKey, unstored: &Pairs) -> Result<bool> {
        let mut aad = self.raw[..self.body_len].to_vec();
        aad.extend_from_slice(&context::encode(unstored)?);
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        Ok(key.open_separate_gather(nonce, Aad::from(aad), &[], &self.tag, &mut []).is_ok())
    }
}

fn tag_of(key: &LessSafeKey, nonce: [u8; NONCE_LEN], aad: &[u8]) -> Result<[u8; TAG_LEN]> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut [])
        .ok()
        .and_then(|tag| tag.as_ref().try_into().ok())
        .ok_or_else(gcm::refused)
}

fn malformed<T>(why: impl Into<String>) -> Result<T, ParseError> {
    Err(ParseError::Malformed(why.into()))
}

fn read_suite(cursor: &mut Cursor<'_>) -> Result<Option<Suite>, String> {
    let Some(version) = cursor.u8() else { return Ok(None) };
    if !matches!(version, 1 | 2) {
        return Err("it is not a message of the AWS Encryption SDK".to_owned());
    }
    if version == 1 {
        match cursor.u8() {
            None => return Ok(None),
            Some(TYPE) => {}
            Some(other) => return Err(format!("its header names an unknown type, {other:#04x}")),
        }
    }
    let Some(id) = cursor.u16() else { return Ok(None) };
    match Suite::find(version, id) {
        Some(suite) => Ok(Some(suite)),
        None => Err(format!("its header (version {version}) names an unknown algorithm suite, {id:#06x}")),
    }
}

fn read_edks(cursor: &mut Cursor<'_>) -> Result<Option<Vec<Edk>>, String> {
    let Some(count) = cursor.u16() else { return Ok(None) };
    if count == 0 {
        return Err("its header has no wrapped data key".to_owned());
    }
    if usize::from(count) > MAX_ESDK_DATA_KEYS {
        return Err(format!(
            "its header has {count} wrapped data keys; {MAX_ESDK_DATA_KEYS} are read at most"
        ));
    }
    let mut edks = Vec::new();
    for _ in 0..count {
        let Some(edk) = Edk::read(cursor) else { return Ok(None) };
        edks.push(edk);
    }
    Ok(Some(edks))
}

fn read_framing(cursor: &mut Cursor<'_>, suite: Suite) -> Result<Option<Framing>, String> {
    let Some(content_type) = cursor.u8() else { return Ok(None) };
    if !matches!(content_type, SINGLE | FRAMED) {
        return Err(format!("its header names an unknown content type, {content_type}"));
    }
    if suite.version() == 1 {
        match cursor.u32() {
            None => return Ok(None),
            Some(0) => {}
            Some(_) => return Err("its header uses a reserved field".to_owned()),
        }
        match cursor.u8() {
            None => return Ok(None),
            Some(len) if usize::from(len) == NONCE_LEN => {}
            Some(len) => return Err(format!("its header names nonces of {len} bytes")),
        }
    }
    match (content_type, cursor.u32()) {
        (_, None) => Ok(None),
        (SINGLE, Some(0)) => Ok(Some(Framing::Single)),
        (FRAMED, Some(length)) if length > 0 => Ok(Some(Framing::Frames(length))),
        (_, Some(length)) => Err(format!("a frame length of {length} does not fit its content type")),
    }
}
