//! The AWS Encryption SDK's format.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use s3seal::encryption::{Context, Legacy};
use s3seal::error::{Error, KeyFault, Result, Unsupported};
use s3seal::keys::{DataKey, KeyRing, SymmetricKey};
use s3seal::seal::Output;
use s3seal::seal::esdk::{
    self, DecryptableMessage, Framing, HeaderReader, PermittedMessage, Reading, looks_like_base64,
    looks_like_esdk,
};
use s3seal::seal::ring::Unwrapper;
use s3seal::seal::wrap::rsa_pem;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

#[path = "esdk_cases.rs"]
mod cases;

#[derive(Deserialize)]
struct Vector {
    id: String,
    suite: String,
    decrypt_keys: Vec<String>,
    ciphertext_sha256: String,
    frame_length: Option<u64>,
    header_len: Option<u64>,
    plaintext_len: Option<usize>,
    plaintext_sha256: Option<String>,
    stored_encryption_context: Option<BTreeMap<String, String>>,
    message_id_hex: Option<String>,
    data_key_hex: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(rename = "key")]
    aes: Option<String>,
    private_pkcs8_der_base64: Option<String>,
    passphrase: Option<String>,
    name: String,
}

/// Why a vector is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// None of the keys fits: exit code 5.
    KeyWrong,
    /// It does not hold: exit code 6.
    Tampered,
    /// It is refused by choice.
    Policy,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/esdk")
}

fn load(kind: &str, id: &str) -> (Vector, Vec<u8>) {
    let text = fs::read(folder().join(kind).join(format!("{id}.json"))).unwrap();
    let vector: Vector = serde_json::from_slice(&text).unwrap();
    assert_eq!(vector.id, id);
    let sealed = fs::read(folder().join(kind).join(format!("{id}.bin"))).unwrap();
    assert_eq!(sha256(&sealed), vector.ciphertext_sha256, "{id}: the vector's bytes");
    (vector, sealed)
}

fn names(kind: &str) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder().join(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().unwrap() == "json")
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// SHA-256 of "esdk-vec" and a counter, over and over.
fn plain(len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for counter in 0_u64.. {
        if bytes.len() >= len {
            break;
        }
        bytes.extend_from_slice(&Sha256::digest([&b"esdk-vec"[..], &counter.to_be_bytes()].concat()));
    }
    bytes.truncate(len);
    bytes
}

fn ring(name: &str) -> KeyRing {
    let keys: BTreeMap<String, Key> =
        serde_json::from_slice(&fs::read(folder().join("keys.json")).unwrap()).unwrap();
    let key = &keys[name];
    let mut ring = KeyRing::default();
    if let Some(text) = &key.aes {
        let bytes = Zeroizing::new(BASE64_STANDARD.decode(text).unwrap());
        ring.symmetric.push(SymmetricKey::new(bytes).unwrap());
    }
    if let Some(text) = &key.private_pkcs8_der_base64 {
        let lines: Vec<_> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
        ring.private.push(rsa_pem::private_key(pem.as_bytes()).unwrap());
    }
    ring
}

/// What the reader must supply beside what is stored.
fn required(id: &str) -> Context {
    let pairs = match id {
        "s0478-required-ec" => vec![("secretish".to_owned(), "not stored".to_owned())],
        _ => vec![],
    };
    Context::new(pairs).unwrap()
}

fn legacy(id: &str, suite: &str) -> Legacy {
    let version_1 = suite < "0x0400" && !id.ends_with("-policy-require-decrypt");
    match version_1 {
        _ if id.ends_with("-pkcs1") => Legacy::Unauthenticated,
        true => Legacy::V2,
        false => Legacy::Refused,
    }
}

/// Reads the header in pieces of `step` bytes.
fn read(sealed: &[u8], step: usize) -> Result<esdk::Message> {
    let mut reader = HeaderReader::new("the vector");
    for piece in sealed.chunks(step) {
        match reader.push(piece)? {
            Reading::NeedMore(more) => reader = more,
            Reading::Whole(message) => return Ok(*message),
        }
    }
    Err(reader.cut_short())
}

fn unwrap_message(vector: &Vector, sealed: &[u8], key: &str, step: usize) -> Result<DecryptableMessage> {
    let permitted = read(sealed, step)?.permit(legacy(&vector.id, &vector.suite), &required(&vector.id))?;
    Unwrapper::new(ring(key)).unwrap_esdk(&permitted)
}

/// Opens a whole message in pieces of `step` bytes. What came out before an error is in `out`.
fn open(unwrapped: &DecryptableMessage, sealed: &[u8], step: usize, out: &mut Output) -> Result<()> {
    let mut opener = unwrapped.opener()?;
    for piece in sealed.chunks(step) {
        opener.push(piece, out)?;
    }
    opener.finish(out)
}

/// Small vectors also byte by byte.
fn steps(len: usize) -> &'static [usize] {
    if len < 10_000 { &[usize::MAX, 1, 7, 100] } else { &[usize::MAX, 5000] }
}

fn opens(id: &str) {
    let (vector, sealed) = load("positive", id);
    let expected = plain(vector.plaintext_len.unwrap());
    assert_eq!(Some(sha256(&expected)), vector.plaintext_sha256, "{id}: the vector's plain bytes");
    for key in &vector.decrypt_keys {
        for step in steps(sealed.len()) {
            let unwrapped = unwrap_message(&vector, &sealed, key, *step).unwrap();
            let mut out = Output::new();
            open(&unwrapped, &sealed, *step, &mut out).unwrap();
            assert!(out[..] == expected, "{id} with {key} in steps of {step}: other bytes");
            header_is_as_recorded(&vector, &unwrapped);
            length_and_ranges_fit(&unwrapped, &sealed, &expected);
        }
    }
    if let Some(data_key) = &vector.data_key_hex {
        let data_key = DataKey::new(Zeroizing::new(unhex(data_key))).unwrap();
        let mut out = Output::new();
        let unwrapped = permitted(&vector, &sealed).with_data_key(&data_key).unwrap();
        open(&unwrapped, &sealed, 1000, &mut out).unwrap();
        assert!(out[..] == expected);
    }
    assert!(looks_like_esdk(&sealed[..4]));
}

fn permitted(vector: &Vector, sealed: &[u8]) -> PermittedMessage {
    read(sealed, usize::MAX)
        .unwrap()
        .permit(legacy(&vector.id, &vector.suite), &required(&vector.id))
        .unwrap()
}

fn header_is_as_recorded(vector: &Vector, unwrapped: &DecryptableMessage) {
    let message = unwrapped.message();
    assert_eq!(format!("0x{:04x}", message.suite().id()), vector.suite);
    let length = match message.framing() {
        Framing::Single => 0,
        Framing::Frames(length) => u64::from(length),
    };
    assert_eq!(Some(length), vector.frame_length);
    if vector.header_len.is_some() {
        assert_eq!(Some(message.header_len()), vector.header_len);
        assert_eq!(Some(hex::encode(message.id())), vector.message_id_hex);
        assert_eq!(Some(message.context()), vector.stored_encryption_context.as_ref());
    }
}

fn length_and_ranges_fit(unwrapped: &DecryptableMessage, sealed: &[u8], expected: &[u8]) {
    let (stored, len) = (sealed.len() as u64, expected.len() as u64);
    let message = unwrapped.message();
    if message.suite().is_signed() {
        assert_eq!(message.plain_len(stored), None);
        assert!(matches!(unwrapped.range(0..1, stored), Err(Error::Unsupported { .. })));
        return;
    }
    assert_eq!(message.plain_len(stored), Some(len));
    if message.framing() == Framing::Single {
        assert!(matches!(unwrapped.range(0..1, stored), Err(Error::Unsupported { .. })));
        return;
    }
    for plain in [0..1, 0..len, len / 3..len / 2, len.saturating_sub(1)..u64::MAX, len..len + 1] {
        let read = match unwrapped.range(plain.clone(), stored) {
            Ok(read) => read,
            Err(Error::OutOfRange { .. }) => {
                assert!(plain.start >= len || plain.is_empty());
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let mut out = Output::new();
        let mut opener = read.opener;
        opener.push(slice(sealed, &read.sealed), &mut out).unwrap();
        opener.finish(&mut out).unwrap();
        assert!(out[..] == *slice(expected, &read.plain), "range {plain:?}");
    }
    let end = unwrapped.ranges(stored).unwrap().final_frame();
    assert!(end.proves_length);
    let (mut opener, mut out) = (end.opener, Output::new());
    opener.push(slice(sealed, &end.sealed), &mut out).unwrap();
    opener.finish(&mut out).unwrap();
    assert!(out[..] == *slice(expected, &end.plain));
}

fn slice<'a>(bytes: &'a [u8], range: &std::ops::Range<u64>) -> &'a [u8] {
    &bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
}

/// Refuses a message, having let out whole frames from its beginning at most.
fn refused(id: &str, refusal: Refusal) {
    let (vector, sealed) = load("negative", id);
    for key in &vector.decrypt_keys {
        for step in steps(sealed.len()) {
            let mut out = Output::new();
            let result = unwrap_message(&vector, &sealed, key, *step)
                .and_then(|unwrapped| open(&unwrapped, &sealed, *step, &mut out));
            let found = match result {
                Ok(()) => panic!("{id} was opened"),
                Err(Error::KeyWrong { .. }) => Refusal::KeyWrong,
                Err(Error::Tampered { .. }) => Refusal::Tampered,
                Err(Error::Unsupported { .. }) => Refusal::Policy,
                Err(error) => panic!("{id}: {error}"),
            };
            assert_eq!(found, refusal, "{id} in steps of {step}");
            // Crafted ones hold bytes of their own.
            if !id.starts_with("crafted-") {
                assert!(out[..] == plain(out.len()), "{id}: bytes came out that were never sealed");
            }
            let signed = id.starts_with("s0578") || id.starts_with("s0378");
            if signed && !id.contains("trailing") {
                assert!(out.len() <= 256, "{id}: the final frame came out before the signature was checked");
            }
        }
    }
}

#[test]
fn every_vector_has_its_test() {
    assert_eq!(names("positive"), cases::POSITIVE);
    assert_eq!(names("negative"), cases::REFUSED);
    assert_eq!((cases::POSITIVE.len(), cases::REFUSED.len()), (57, 142));
}

#[test]
fn suites_of_version_1_need_the_switch() {
    for id in names("positive") {
        let (vector, sealed) = load("positive", &id);
        let committing = matches!(vector.suite.as_str(), "0x0478" | "0x0578");
        let permitted = read(&sealed, usize::MAX).unwrap().permit(Legacy::default(), &required(&id));
        match permitted {
            Ok(_) => assert!(committing, "{id}"),
            Err(Error::Unsupported { why, .. }) => {
                assert!(!committing, "{id}: {why}");
                assert!(matches!(why, Unsupported::Legacy { least: Legacy::V2, .. }), "{id}: {why}");
            }
            Err(error) => panic!("{id}: {error}"),
        }
    }
}

#[test]
fn pkcs1_needs_the_switch() {
    let (vector, sealed) = load("positive", "s0478-rsa2048-pkcs1");
    for legacy in [Legacy::Refused, Legacy::V2] {
        let permitted = read(&sealed, usize::MAX).unwrap().permit(legacy, &Context::default()).unwrap();
        let unwrapped = Unwrapper::new(ring(&vector.decrypt_keys[0])).unwrap_esdk(&permitted);
        let Err(Error::KeyWrong { why, .. }) = unwrapped else { panic!("opened under {legacy:?}") };
        assert_eq!(why, KeyFault::DoesNotUnwrapWithOaep);
    }
}

#[test]
fn a_required_context_must_be_the_messages_own() {
    let (vector, sealed) = load("positive", "s0478-4096-1MiB");
    let with = |key: &str, value: &str| {
        let required = Context::new([(key.to_owned(), value.to_owned())]).unwrap();
        let permitted = read(&sealed, usize::MAX).unwrap().permit(Legacy::default(), &required).unwrap();
        Unwrapper::new(ring(&vector.decrypt_keys[0])).unwrap_esdk(&permitted)
    };
    assert!(with("purpose", "vectors").is_ok());
    for (key, value) in [("purpose", "other"), ("other", "vectors")] {
        let Err(Error::KeyWrong { why, .. }) = with(key, value) else { panic!("{key}={value} was taken") };
        assert_eq!(why.to_string(), "the encryption context given is not the object's");
    }
}

#[test]
fn a_passphrases_key_is_the_recorded_one() {
    let keys: BTreeMap<String, Key> =
        serde_json::from_slice(&fs::read(folder().join("keys.json")).unwrap()).unwrap();
    let key = &keys["phc"];
    let phc: s3seal::seal::argon2id::Phc = key.name.parse().unwrap();
    let passphrase = s3seal::keys::Passphrase::new(Zeroizing::new(key.passphrase.clone().unwrap()));
    let derived = phc.derive(&passphrase).unwrap();
    assert_eq!(BASE64_STANDARD.encode(derived.as_bytes()), *key.aes.as_ref().unwrap());
}

#[test]
fn base64_is_named() {
    for id in ["s0378-base64", "s0578-base64"] {
        let (_, sealed) = load("negative", id);
        assert!(looks_like_base64(&sealed) && !looks_like_esdk(&sealed));
        let Err(error) = read(&sealed, 1) else { panic!("{id} was taken") };
        assert!(error.to_string().contains("base64; decode it first"), "{error}");
    }
}

#[test]
fn a_changed_signature_lets_the_final_frame_not_out() {
    // What comes out before the end, and how long the body is.
    for (id, before, body) in [
        ("s0578-4096-frame+1", 4096, 4096 + 32 + 1 + 40),
        ("s0578-4096-0", 0, 40),
        ("s0214-128-300", 256, 2 * (128 + 32) + 44 + 40),
        ("s0378-nonframed-5000", 0, 5000 + 36),
    ] {
        let (vector, sealed) = load("positive", id);
        let unwrapped = unwrap_message(&vector, &sealed, &vector.decrypt_keys[0], usize::MAX).unwrap();
        let footer = usize::try_from(unwrapped.message().header_len()).unwrap() + body;
        for at in footer..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            let mut out = Output::new();
            let result = open(&unwrapped, &changed, 1000, &mut out);
            assert!(matches!(result, Err(Error::Tampered { .. })), "{id}, byte {at}: {result:?}");
            assert_eq!(out.len(), before, "{id}, byte {at}");
        }
    }
}

#[test]
fn a_signed_message_is_taken_up_again_and_its_signature_still_checked() {
    let (vector, sealed) = load("positive", "s0578-4096-3frames");
    let unwrapped = unwrap_message(&vector, &sealed, &vector.decrypt_keys[0], usize::MAX).unwrap();
    let (expected, header) = (plain(3 * 4096), usize::try_from(unwrapped.message().header_len()).unwrap());
    for done in [1, 4096, 5000, 2 * 4096] {
        let at = header + (done - 1) / 4096 * (4096 + 32);
        let take_up = |disk: &[u8]| {
            let mut out = Output::new();
            let mut opener = unwrapped.opener().unwrap();
            opener.replay(disk).unwrap();
            opener.push(&sealed[at..], &mut out)?;
            opener.finish(&mut out)?;
            Ok::<_, Error>(out.to_vec())
        };
        assert!(take_up(&expected[..done]).unwrap() == expected[done..]);
        // Also of a frame that is not read again: the signature is over all.
        let mut other = expected[..done].to_vec();
        other[0] ^= 1;
        assert!(matches!(take_up(&other), Err(Error::Tampered { .. })), "{done}");
    }
}
