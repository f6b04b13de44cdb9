//! The Amazon S3 Encryption Client's format.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::prelude::{BASE64_STANDARD, Engine};
use s3seal::encryption::{Context, Legacy};
use s3seal::error::{Error, KeyFault, Subject, Unsupported};
use s3seal::keys::{DataKey, KeyRing, RsaPrivateKey, SymmetricKey};
use s3seal::seal::Output;
use s3seal::seal::detect::{Detected, detect, with_instruction};
use s3seal::seal::ring::Unwrapper;
use s3seal::seal::s3ec::{DecryptableEnvelope, Envelope, KmsRequest, PermittedEnvelope};
use s3seal::seal::wrap::{self, LocalKey, Wrap, rsa_pem};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

#[path = "s3ec_cases.rs"]
mod cases;

const BLOCK: usize = 16;

#[derive(Deserialize)]
struct Vector {
    id: String,
    reader_key: String,
    key: Key,
    request_encryption_context: BTreeMap<String, String>,
    object_metadata: BTreeMap<String, String>,
    instruction_files: BTreeMap<String, InstructionFile>,
    body_sha256: String,
    body_base64: Option<String>,
    plaintext: Option<Plaintext>,
    plaintext_data_key_hex: Option<String>,
    hkdf: Option<Hkdf>,
    format: Option<String>,
    #[serde(rename = "base_vector")]
    base: Option<String>,
    expected: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    hex: Option<String>,
    pkcs8_der_hex: Option<String>,
}

#[derive(Deserialize)]
struct InstructionFile {
    content: String,
}

#[derive(Deserialize)]
struct Plaintext {
    length: usize,
    sha256: String,
}

#[derive(Deserialize)]
struct Hkdf {
    derived_encryption_key_hex: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/s3ec")
}

fn load(kind: &str, id: &str) -> Vector {
    let text = fs::read(folder().join(kind).join(format!("{id}.json"))).unwrap();
    let vector: Vector = serde_json::from_slice(&text).unwrap();
    assert_eq!(vector.id, id);
    vector
}

fn names(kind: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder().join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn assert_sha256(bytes: &[u8], expected: &str, what: &str) {
    assert_eq!(Sha256::digest(bytes)[..], unhex(expected), "{what}");
}

fn plain(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from((i * 31 + (i >> 8) * 7 + (i >> 16) * 3 + 13) % 256).unwrap()).collect()
}

fn private_key(der: &[u8]) -> RsaPrivateKey {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    rsa_pem::private_key(pem.as_bytes()).unwrap()
}

impl Vector {
    fn body(&self) -> Vec<u8> {
        let body = match &self.body_base64 {
            Some(text) => BASE64_STANDARD.decode(text).unwrap(),
            None => self.made_body(),
        };
        assert_sha256(&body, &self.body_sha256, &self.id);
        body
    }

    /// The body of a V3 vector, sealed by another implementation.
    fn made_body(&self) -> Vec<u8> {
        let key = unhex(&self.hkdf.as_ref().unwrap().derived_encryption_key_hex);
        let plain = plain(self.plaintext.as_ref().unwrap().length);
        let cipher = Aes256Gcm::new_from_slice(&key).unwrap();
        let nonce = Nonce::try_from(&[1; 12][..]).unwrap();
        cipher.encrypt(&nonce, Payload { msg: &plain, aad: &[0x00, 0x73] }).unwrap()
    }

    fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::default();
        if let Some(text) = &self.key.hex {
            ring.symmetric.push(SymmetricKey::new(Zeroizing::new(unhex(text))).unwrap());
        }
        if let Some(text) = &self.key.pkcs8_der_hex {
            ring.private.push(private_key(&unhex(text)));
        }
        ring
    }

    /// What `get` does, as far as it is pure; a missing instruction file means that this is no such object.
    fn envelope(&self, suffix: &str) -> Result<Envelope, Error> {
        let metadata = &self.object_metadata;
        let detected = detect(named(&self.id), metadata)?;
        let file = self.instruction_files.get(suffix);
        match (detected, file) {
            (Detected::S3ec(envelope), _) => Ok(envelope),
            (_, Some(file)) => with_instruction(named(&self.id), metadata, file.content.as_bytes()),
            (_, None) => Err(Error::KeyWrong {
                subject: named(&self.id),
                why: KeyFault::NotApplicable { found: "not encrypted client-side".to_owned() },
                source: None,
            }),
        }
    }

    fn unwrap_envelope(
        &self,
        ring: KeyRing,
        permitted: PermittedEnvelope,
    ) -> Result<DecryptableEnvelope, Error> {
        if !permitted.needs_kms() {
            return Unwrapper::new(ring).unwrap_s3ec(permitted);
        }
        assert_eq!(self.reader_key, "kms", "{}", self.id);
        let context = Context::new(self.request_encryption_context.clone()).unwrap();
        let data_key = ask_kms(&named(&self.id), &permitted.kms(&context)?)?;
        permitted.with_data_key(data_key)
    }

    fn open(&self, suffix: &str, ring: KeyRing, chunk: usize) -> Result<Vec<u8>, Error> {
        let permitted = self.envelope(suffix)?.permit(Legacy::Unauthenticated)?;
        open_all(&self.unwrap_envelope(ring, permitted)?, &self.body(), chunk)
    }
}

fn named(id: &str) -> Subject {
    Subject::Other(id.to_owned().into())
}

/// A KMS that knows what the vectors' KMS wrapped, and under which context.
fn ask_kms(subject: &Subject, request: &KmsRequest<'_>) -> Result<DataKey, Error> {
    for name in names("positive").iter().filter(|name| name.contains("-kms-")) {
        let vector = load("positive", name);
        let permitted = vector.envelope(".instruction")?.permit(Legacy::Unauthenticated)?;
        let context = Context::new(vector.request_encryption_context.clone()).unwrap();
        let wrapped = permitted.kms(&context).unwrap();
        if wrapped.blob == request.blob && wrapped.context == request.context {
            let bytes = Zeroizing::new(unhex(&vector.plaintext_data_key_hex.unwrap()));
            return Ok(DataKey::new(bytes).unwrap());
        }
    }
    Err(Error::KeyWrong { subject: subject.clone(), why: KeyFault::Context, source: None })
}

fn open_all(unwrapped: &DecryptableEnvelope, body: &[u8], chunk: usize) -> Result<Vec<u8>, Error> {
    let mut opener = unwrapped.opener()?;
    let mut out = Output::new();
    for piece in body.chunks(chunk) {
        opener.push(piece, &mut out)?;
    }
    opener.finish(&mut out)?;
    Ok(out.to_vec())
}

fn opens(id: &str) {
    let vector = load("positive", id);
    let plaintext = vector.plaintext.as_ref().unwrap();
    let expected = plain(plaintext.length);
    assert_sha256(&expected, &plaintext.sha256, id);
    let chunks: &[usize] = if expected.len() > 8192 { &[1 << 20] } else { &[1, 7, 16, 4096, usize::MAX] };
    for chunk in chunks {
        let opened = vector.open(".instruction", vector.ring(), *chunk).unwrap();
        assert!(opened == expected, "{id} does not open to its plain text, pushed by {chunk}");
    }
    assert_policy(&vector);
    assert_ranges(&vector, &expected);
}

fn assert_policy(vector: &Vector) {
    let envelope = vector.envelope(".instruction").unwrap();
    assert_eq!(format!("{:?}", envelope.version()), vector.format.as_deref().unwrap());
    let outdated = envelope.wrap().is_outdated() || envelope.plain_len(100).is_none();
    let least = match vector.format.as_deref().unwrap() {
        "V3" => Legacy::Refused,
        "V2" if !outdated => Legacy::V2,
        _ => Legacy::Unauthenticated,
    };
    for legacy in [Legacy::Refused, Legacy::V2, Legacy::Unauthenticated] {
        let permitted = envelope.clone().permit(legacy);
        assert_eq!(permitted.is_ok(), legacy >= least, "{} under {legacy:?}", vector.id);
        if let Err(error) = permitted {
            let Error::Unsupported { why: Unsupported::Legacy { least: named, .. }, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(*named, least, "{error}");
        }
    }
}

fn assert_ranges(vector: &Vector, expected: &[u8]) {
    let body = vector.body();
    let stored = body.len() as u64;
    let permitted = vector.envelope(".instruction").unwrap().permit(Legacy::Unauthenticated).unwrap();
    let unwrapped = vector.unwrap_envelope(vector.ring(), permitted).unwrap();
    if unwrapped.envelope().wrap() == Wrap::RsaPkcs1 {
        let refused = unwrapped.range(0..1, stored).map(|_| ());
        assert!(matches!(refused, Err(Error::Unsupported { .. })), "{}", vector.id);
        return;
    }
    let len = expected.len();
    let starts = [0, 1, 15, 16, 17, 31, 32, 33, 1000, len.saturating_sub(17), len.saturating_sub(1), len];
    for start in starts {
        for take in [1, 15, 16, 17, 40, usize::MAX] {
            let end = start.saturating_add(take);
            let asked = start as u64..u64::try_from(end).unwrap();
            let read = unwrapped.range(asked, stored).and_then(|mut read| {
                let sealed =
                    usize::try_from(read.sealed.start).unwrap()..usize::try_from(read.sealed.end).unwrap();
                let mut out = Output::new();
                for piece in body[sealed].chunks(13.max(body.len() / 8)) {
                    read.opener.push(piece, &mut out)?;
                }
                read.opener.finish(&mut out).map(|()| out.to_vec())
            });
            match (read, expected.get(start..end.min(len)).filter(|part| !part.is_empty())) {
                (Ok(read), Some(part)) => assert!(read == part, "{}: {start}..{end}", vector.id),
                (Err(Error::OutOfRange { .. }), None) => {}
                (read, part) => panic!("{}: {start}..{end}: {read:?} instead of {part:?}", vector.id),
            }
        }
    }
}

/// By what remedy a tampered object is refused: the exit codes 5 and 6.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refusal {
    Key,
    Tampered,
}

fn refused(id: &str, refusal: Refusal) {
    let vector = load("negative", id);
    assert!(vector.expected.as_deref().unwrap().contains("error"), "{id} is not one to refuse");
    for chunk in [1, 16, usize::MAX] {
        let error = match vector.open(".instruction", vector.ring(), chunk) {
            Err(error) => error,
            Ok(opened) => panic!("{id} opened to {} bytes", opened.len()),
        };
        let found = match error {
            Error::KeyNeeded { .. } | Error::KeyWrong { .. } => Refusal::Key,
            Error::Tampered { .. } => Refusal::Tampered,
            other => panic!("{id} is refused with {other:?}"),
        };
        assert_eq!(found, refusal, "{id}: {error}");
    }
}

/// What is odd about a vector, yet no reason to refuse it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tolerated {
    /// It opens to the bytes of the vector that it was made from.
    Whole,
    /// So it does, but for its first block: nothing in the format shows that.
    FirstBlockChanged,
}

fn tolerated(id: &str, tolerated: Tolerated) {
    let vector = load("negative", id);
    let expected = vector.expected.as_deref().unwrap();
    assert!(expected.starts_with("ok") || expected.starts_with("should read"), "{id} is one to refuse");
    let opened = vector.open(".instruction", vector.ring(), 100).unwrap();
    let original = plain(opened.len());
    match tolerated {
        Tolerated::Whole => assert_eq!(opened, original),
        Tolerated::FirstBlockChanged => {
            assert_ne!(opened[..BLOCK], original[..BLOCK]);
            assert_eq!(opened[BLOCK..], original[BLOCK..]);
        }
    }
    assert!(!opened.is_empty(), "{id}: of {}", vector.base.unwrap());
}

#[test]
fn every_vector_has_its_test() {
    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_unstable();
        names
    }
    assert_eq!(names("positive"), sorted(cases::POSITIVE.to_vec()));
    assert_eq!(names("negative"), sorted([cases::REFUSED, cases::TOLERATED].concat()));
    assert_eq!(cases::POSITIVE.len(), 141);
    assert_eq!(cases::REFUSED.len() + cases::TOLERATED.len(), 77);
}

#[test]
fn another_instruction_file_opens_the_same_bytes_with_another_key() {
    let vector = load("positive", "javasdk1-v2-aes-instr-rewrap-4096");
    for (suffix, key_of) in [
        (".instruction", "indep-v3-aes-meta-1"),
        (".rotated", "../negative/neg-v2-aes-wrong-key"),
        (".partner", "../negative/neg-v2-rsa-wrong-key"),
    ] {
        let (kind, id) =
            key_of.strip_prefix("../negative/").map_or(("positive", key_of), |id| ("negative", id));
        let ring = || load(kind, id).ring();
        assert_eq!(vector.open(suffix, ring(), 99).unwrap(), plain(4096), "{suffix}");
        let other = if suffix == ".instruction" { ".rotated" } else { ".instruction" };
        assert!(vector.open(other, ring(), 99).is_err(), "the key of {suffix} opens {other}");
    }
}

#[test]
fn what_nothing_authenticates_is_not_wrapped_anew() {
    for (id, allowed) in [
        ("javasdk1-v1eo-aes-meta-17", false),
        ("ruby-v1-rsa-meta-17", false),
        ("javasdk1-v1eo-kms-meta-17", false),
        ("javasdk1-v1ae-aes-meta-17", true),
        ("javasdk1-v2-rsa-meta-17", true),
        ("py4-v3-kms-meta-17", true),
    ] {
        let vector = load("positive", id);
        let permitted = vector.envelope(".instruction").unwrap().permit(Legacy::Unauthenticated).unwrap();
        let unwrapped = vector.unwrap_envelope(vector.ring(), permitted).unwrap();
        let key = SymmetricKey::new(Zeroizing::new(vec![5; 32])).unwrap();
        let wrapped = wrap::wrap(unwrapped.alg(), unwrapped.data_key(), &LocalKey::Aes(&key)).unwrap();
        match unwrapped.rewrap(&vector.object_metadata, wrapped) {
            Ok(renewed) if allowed => {
                let Detected::S3ec(envelope) = detect(named(id), &renewed.metadata).unwrap() else {
                    panic!("{id}")
                };
                let ring = KeyRing { symmetric: vec![key], ..KeyRing::default() };
                let unwrapped =
                    Unwrapper::new(ring).unwrap_s3ec(envelope.permit(Legacy::V2).unwrap()).unwrap();
                assert_eq!(open_all(&unwrapped, &vector.body(), 5).unwrap(), plain(17), "{id}");
            }
            Err(Error::Unsupported { why, .. }) if !allowed => {
                assert!(why.to_string().contains("re-encrypted"), "{why}");
            }
            other => panic!("{id}: {other:?}"),
        }
    }
}
