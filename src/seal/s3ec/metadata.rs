//! Reads and writes the envelope in object metadata: the names of its entries, and the rules that tell the formats apart
//! (s3ec format, sections 2 and 4).
//!
//! Reading is strict: an envelope that is incomplete, or that mixes two formats, is refused.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};

use super::instruction::{self, Value};
use super::{CBC_IV_LEN, ContentAlgorithm, Envelope, Storage, Version, description};
use crate::error::{Error, Result, Subject};
use crate::limits::MAX_ENVELOPE_ENTRY_BYTES;
use crate::object::INSTRUCTION_FILE_MARKER;
use crate::seal::Attributes;
use crate::seal::wrap::Wrap;

const V1_KEY: &str = "x-amz-key";
const V2_KEY: &str = "x-amz-key-v2";
const IV: &str = "x-amz-iv";
const CEK_ALG: &str = "x-amz-cek-alg";
const WRAP_ALG: &str = "x-amz-wrap-alg";
const TAG_LEN: &str = "x-amz-tag-len";
const MATDESC: &str = "x-amz-matdesc";
const PLAIN_LEN: &str = "x-amz-unencrypted-content-length";
const V3_SUITE: &str = "x-amz-c";
const V3_COMMITMENT: &str = "x-amz-d";
const V3_MESSAGE_ID: &str = "x-amz-i";
const V3_KEY: &str = "x-amz-3";
const V3_WRAP: &str = "x-amz-w";
const V3_CONTEXT: &str = "x-amz-t";
const V3_MATDESC: &str = "x-amz-m";

/// Entries of V1 and V2.
const OLD: [&str; 7] = [V1_KEY, V2_KEY, IV, CEK_ALG, WRAP_ALG, TAG_LEN, MATDESC];
/// Entries of V3 that always stay in the object's metadata.
const V3_CONTENT: [&str; 3] = [V3_SUITE, V3_COMMITMENT, V3_MESSAGE_ID];
/// Entries of V3 that accompany the wrapped key.
const V3_WRAPPING: [&str; 4] = [V3_KEY, V3_WRAP, V3_CONTEXT, V3_MATDESC];

const SUITE_V3: &str = "115";
const CEK_GCM: &str = "AES/GCM/NoPadding";
const CEK_CBC: &str = "AES/CBC/PKCS5Padding";
const CEK_CBC_RUBY: &str = "AES/CBC/PKCS7Padding";
/// The longest AES-wrapped key of V1, whose entries do not name the wrap: a longer one is RSA-wrapped.
const V1_AES_WRAPPED: usize = 48;

/// What metadata says about an envelope.
pub(in crate::seal) enum Found {
    /// No sign of one.
    NoEnvelope,
    /// All of it.
    Envelope(Envelope),
    /// A part of it; the rest is in an instruction file.
    InInstructionFile,
}

/// Whether an entry belongs to an envelope.
pub(in crate::seal) fn is_entry(name: &str) -> bool {
    known(&name.to_ascii_lowercase()).is_some()
}

/// Whether an entry belongs to an envelope and is replaced by a rewrap.
pub(super) fn is_wrap_entry(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [&OLD[..], &V3_CONTENT, &V3_WRAPPING].concat().contains(&name.as_str())
}

/// The envelope entries of an object or an instruction file. Empty values are skipped: some writers write every name,
/// used or not.
struct Fields<'a> {
    subject: &'a Subject,
    values: BTreeMap<&'static str, String>,
}

/// Looks for an envelope in an object's metadata. Fails with `Tampered` for an incomplete one.
pub(in crate::seal) fn find(subject: &Subject, metadata: &BTreeMap<String, String>) -> Result<Found> {
    let fields = Fields::of_object(subject, metadata)?;
    if !fields.any(&OLD) && !fields.any(&V3_CONTENT) && !fields.any(&V3_WRAPPING) {
        // Clients that write instruction files for V1 and V2 store only the plaintext's length with the object.
        return Ok(if fields.has(PLAIN_LEN) { Found::InInstructionFile } else { Found::NoEnvelope });
    }
    let split = fields.all(&V3_CONTENT) && !fields.any(&V3_WRAPPING) && !fields.any(&OLD);
    if split {
        return Ok(Found::InInstructionFile);
    }
    fields.envelope(Storage::Metadata, description::of_object).map(Found::Envelope)
}

/// Reads the envelope from an object's metadata and its instruction file together. Fails with `Tampered` if they do not
/// form one.
pub(in crate::seal) fn join(
    subject: &Subject,
    metadata: &BTreeMap<String, String>,
    file: &[u8],
) -> Result<Envelope> {
    let mut object = Fields::of_object(subject, metadata)?;
    let file = Fields::of_file(subject, file)?;
    if object.any(&OLD) || object.any(&V3_WRAPPING) {
        return Err(object.tampered("it has both an envelope in its metadata and an instruction file"));
    }
    if file.any(&V3_CONTENT) {
        return Err(object.tampered("its instruction file has entries that belong to the object alone"));
    }
    if !object.any(&V3_CONTENT) && file.any(&V3_WRAPPING) {
        return Err(object.tampered(format!(
            "its instruction file needs {} in the object's metadata, where they have no value",
            V3_CONTENT.join(", ")
        )));
    }
    object.values.extend(file.values);
    object.envelope(Storage::InstructionFile, description::of_file)
}

/// Whether a file holds a wrapped data key, and only entries of instruction files.
pub(in crate::seal) fn wraps_a_key(file: &[u8]) -> bool {
    Fields::of_file(&"the file".into(), file).is_ok_and(|fields| fields.any(&[V1_KEY, V2_KEY, V3_KEY]))
}

/// Writes an envelope into metadata, or splits it between metadata and instruction file. Fails with `Unsupported` if
/// metadata cannot carry it, and for formats that are only read.
pub(super) fn write(envelope: &Envelope) -> Result<Attributes> {
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    let unwritten = || Error::unsupported(&envelope.subject, "such an envelope can be read, but not written");
    let described = description::write(&envelope.description)?;
    let mut content = BTreeMap::new();
    let mut wrapping = BTreeMap::new();
    match &envelope.content {
        ContentAlgorithm::Committing { message_id, commitment } => {
            content.insert(V3_SUITE, SUITE_V3.to_owned());
            content.insert(V3_COMMITMENT, base64(commitment));
            content.insert(V3_MESSAGE_ID, base64(message_id));
            wrapping.insert(V3_KEY, base64(&envelope.wrapped_key));
            wrapping.insert(V3_WRAP, v3_wrap_code(envelope.wrap).ok_or_else(unwritten)?.to_owned());
            if envelope.wrap == Wrap::KmsContext {
                wrapping.insert(V3_CONTEXT, described);
            } else if !envelope.description.is_empty() {
                wrapping.insert(V3_MATDESC, described);
            }
        }
        ContentAlgorithm::Gcm { nonce } => {
            wrapping.insert(V2_KEY, base64(&envelope.wrapped_key));
            wrapping.insert(IV, base64(nonce));
            wrapping.insert(CEK_ALG, CEK_GCM.to_owned());
            wrapping.insert(WRAP_ALG, v2_wrap_name(envelope.wrap).ok_or_else(unwritten)?.to_owned());
            wrapping.insert(TAG_LEN, "128".to_owned());
            wrapping.insert(MATDESC, described);
        }
        ContentAlgorithm::Cbc { .. } => return Err(unwritten()),
    }
    if let Some(len) = envelope.claimed_len {
        content.insert(PLAIN_LEN, len.to_string());
    }
    let instruction = match envelope.storage {
        Storage::Metadata => {
            content.append(&mut wrapping);
            None
        }
        Storage::InstructionFile => Some(instruction::write(&wrapping).ok_or_else(unwritten)?),
    };
    let metadata = content.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Attributes { metadata, instruction })
}

fn v3_wrap_code(wrap: Wrap) -> Option<&'static str> {
    match wrap {
        Wrap::AesGcm => Some("02"),
        Wrap::KmsContext => Some("12"),
        Wrap::RsaOaepSha1 => Some("22"),
        _ => None,
    }
}

fn v3_wrap_of(code: &str) -> Option<Wrap> {
    [Wrap::AesGcm, Wrap::KmsContext, Wrap::RsaOaepSha1]
        .into_iter()
        .find(|wrap| v3_wrap_code(*wrap) == Some(code))
}

fn v2_wrap_name(wrap: Wrap) -> Option<&'static str> {
    match wrap {
        Wrap::AesGcm => Some("AES/GCM"),
        Wrap::RsaOaepSha1 => Some("RSA-OAEP-SHA1"),
        Wrap::KmsContext => Some("kms+context"),
        Wrap::Kms => Some("kms"),
        Wrap::AesWrap => Some("AESWrap"),
        Wrap::RsaOaepSha256 => Some("RSA/ECB/OAEPWithSHA-256AndMGF1Padding"),
        Wrap::AesEcb | Wrap::RsaPkcs1 => None,
    }
}

fn v2_wrap_of(name: &str) -> Option<Wrap> {
    use Wrap::{AesGcm, AesWrap, Kms, KmsContext, RsaOaepSha1, RsaOaepSha256};
    [AesGcm, RsaOaepSha1, KmsContext, Kms, AesWrap, RsaOaepSha256]
        .into_iter()
        .find(|wrap| v2_wrap_name(*wrap) == Some(name))
}

/// Reads a description, which S3 changes in metadata and not in an instruction file.
type ReadDescription = fn(&str) -> Option<BTreeMap<String, String>>;

impl<'a> Fields<'a> {
    fn of_object(subject: &'a Subject, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let mut fields = Self { subject, values: BTreeMap::new() };
        for (name, value) in metadata {
            if let Some(known) = known(&name.to_ascii_lowercase()) {
                fields.take(known, value.clone())?;
            }
        }
        Ok(fields)
    }

    fn of_file(subject: &'a Subject, file: &[u8]) -> Result<Self> {
        let mut fields = Self { subject, values: BTreeMap::new() };
        let entries = instruction::entries(file).ok_or_else(|| {
            fields
                .tampered("its instruction file is not a JSON object of strings, each with a name of its own")
        })?;
        for (name, value) in entries {
            let known = match (known(&name), value) {
                (Some(known), Value::Text(text)) => Some((known, text)),
                (Some(known @ (TAG_LEN | PLAIN_LEN)), Value::Number(number)) => {
                    Some((known, number.to_string()))
                }
                _ if name == INSTRUCTION_FILE_MARKER => continue,
                (Some(known), Value::Number(_)) => {
                    return Err(fields
                        .tampered(format!("its instruction file's {known} is a number instead of a text")));
                }
                (None, _) => None,
            };
            let Some((known, text)) = known else {
                return Err(
                    fields.tampered(format!("its instruction file has an unknown entry, {}", quoted(&name)))
                );
            };
            fields.take(known, text)?;
        }
        Ok(fields)
    }

    fn take(&mut self, name: &'static str, value: String) -> Result<()> {
        if value.len() > MAX_ENVELOPE_ENTRY_BYTES {
            return Err(self.tampered(format!("its envelope's {name} is too long")));
        }
        if !value.trim().is_empty() && self.values.insert(name, value).is_some() {
            return Err(self.tampered(format!("its envelope has {name} twice")));
        }
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    fn all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.has(name))
    }

    fn tampered(&self, why: impl Into<String>) -> Error {
        Error::tampered(self.subject, why)
    }

    fn need(&self, name: &str) -> Result<&str> {
        let value = self.values.get(name).map(String::as_str);
        value.ok_or_else(|| self.tampered(format!("its envelope has no value for {name}")))
    }

    /// The error of an entry that names nothing that its format knows.
    fn unknown(&self, name: &str, value: &str) -> Error {
        self.tampered(format!("its envelope's {name} names an unknown algorithm, {}", quoted(value)))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>> {
        BASE64_STANDARD
            .decode(self.need(name)?)
            .map_err(|_| self.tampered(format!("its envelope's {name} is not base64")))
    }

    fn array<const N: usize>(&self, name: &str) -> Result<[u8; N]> {
        let bytes = self.bytes(name)?;
        let len = bytes.len();
        bytes
            .try_into()
            .map_err(|_| self.tampered(format!("its envelope's {name} has {len} bytes instead of {N}")))
    }

    fn description(&self, name: &str, read: ReadDescription) -> Result<BTreeMap<String, String>> {
        match self.values.get(name) {
            None => Ok(BTreeMap::new()),
            Some(text) => read(text).ok_or_else(|| {
                self.tampered(format!("its envelope's {name} is not a JSON object of strings"))
            }),
        }
    }

    fn envelope(&self, storage: Storage, read: ReadDescription) -> Result<Envelope> {
        if [V1_KEY, V2_KEY, V3_KEY].iter().filter(|name| self.has(name)).count() > 1 {
            return Err(self.tampered("its envelope has wrapped keys of two formats"));
        }
        let v3 = self.any(&V3_CONTENT) || self.any(&V3_WRAPPING);
        if v3 && self.any(&OLD) {
            return Err(self.tampered("its envelope has entries of two formats"));
        }
        let (version, content, wrap, key, description) = if v3 {
            self.v3(read)?
        } else if self.has(V1_KEY) {
            self.v1(read)?
        } else {
            self.v2(read)?
        };
        Ok(Envelope {
            subject: self.subject.to_owned(),
            version,
            content,
            wrap,
            wrapped_key: self.bytes(key)?,
            description,
            storage,
            // Only shown, so a malformed one does no harm.
            claimed_len: self.values.get(PLAIN_LEN).and_then(|text| text.parse().ok()),
        })
    }

    fn v1(&self, read: ReadDescription) -> Result<EnvelopeParts> {
        if self.any(&[CEK_ALG, WRAP_ALG, TAG_LEN]) {
            return Err(self.tampered("its envelope has entries of two formats"));
        }
        let content = ContentAlgorithm::Cbc { iv: self.array::<CBC_IV_LEN>(IV)? };
        self.need(MATDESC)?;
        let aes = self.bytes(V1_KEY)?.len() <= V1_AES_WRAPPED;
        let wrap = if aes { Wrap::AesEcb } else { Wrap::RsaPkcs1 };
        Ok((Version::V1, content, wrap, V1_KEY, self.description(MATDESC, read)?))
    }

    fn v2(&self, read: ReadDescription) -> Result<EnvelopeParts> {
        if !self.any(&[V2_KEY, CEK_ALG, WRAP_ALG, TAG_LEN]) {
            return Err(self.tampered(format!("its envelope has no value for {V1_KEY} or {V2_KEY}")));
        }
        self.need(V2_KEY)?;
        let tag_len = self.values.get(TAG_LEN).map(String::as_str);
        let content = match (self.need(CEK_ALG)?, tag_len) {
            (CEK_GCM, Some("128")) => ContentAlgorithm::Gcm { nonce: self.array(IV)? },
            // The Java client writes "0" on a rewrap.
            (CEK_CBC | CEK_CBC_RUBY, None | Some("0")) => ContentAlgorithm::Cbc { iv: self.array(IV)? },
            (alg @ (CEK_GCM | CEK_CBC | CEK_CBC_RUBY), _) => {
                let len = quoted(tag_len.map_or_else(|| self.need(TAG_LEN), Ok)?);
                return Err(
                    self.tampered(format!("its envelope's {TAG_LEN} is {len}, which is not that of {alg}"))
                );
            }
            (other, _) => return Err(self.unknown(CEK_ALG, other)),
        };
        let name = self.need(WRAP_ALG)?;
        let wrap = v2_wrap_of(name).ok_or_else(|| self.unknown(WRAP_ALG, name))?;
        if matches!((&content, wrap), (ContentAlgorithm::Cbc { .. }, Wrap::KmsContext)) {
            // No client writes that: it is a GCM object that somebody has relabelled.
            return Err(self.tampered(format!("its envelope's {CEK_ALG} does not fit its {WRAP_ALG}")));
        }
        Ok((Version::V2, content, wrap, V2_KEY, self.description(MATDESC, read)?))
    }

    fn v3(&self, read: ReadDescription) -> Result<EnvelopeParts> {
        let suite = self.need(V3_SUITE)?;
        if suite != SUITE_V3 {
            return Err(self.unknown(V3_SUITE, suite));
        }
        let message_id = self.array(V3_MESSAGE_ID)?;
        if message_id == [0; super::MESSAGE_ID_LEN] {
            return Err(self.tampered(format!("its envelope's {V3_MESSAGE_ID} is all zeros")));
        }
        let content = ContentAlgorithm::Committing { message_id, commitment: self.array(V3_COMMITMENT)? };
        self.need(V3_KEY)?;
        let code = self.need(V3_WRAP)?;
        let wrap = v3_wrap_of(code).ok_or_else(|| self.unknown(V3_WRAP, code))?;
        let (used, unused) = match wrap {
            Wrap::KmsContext => (V3_CONTEXT, V3_MATDESC),
            _ => (V3_MATDESC, V3_CONTEXT),
        };
        if !self.description(unused, read)?.is_empty() {
            return Err(
                self.tampered(format!("its envelope has {unused}, which does not belong to its {V3_WRAP}"))
            );
        }
        Ok((Version::V3, content, wrap, V3_KEY, self.description(used, read)?))
    }
}

/// Version, content, wrap, the entry with the wrapped key, description.
type EnvelopeParts = (Version, ContentAlgorithm, Wrap, &'static str, BTreeMap<String, String>);

fn known(name: &str) -> Option<&'static str> {
    OLD.into_iter().chain(V3_CONTENT).chain(V3_WRAPPING).chain([PLAIN_LEN]).find(|known| *known == name)
}

/// Quotes a value for a message: escaped and shortened.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("'{}'", short.escape_debug())
}
