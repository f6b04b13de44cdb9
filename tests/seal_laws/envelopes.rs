//! Envelopes from anyone: read or refused, never a panic, and never another object's bytes.

use s3seal::seal::argon2id::Phc;

use super::*;

const NAMES: [&str; 17] = [
    "x-amz-key",
    "x-amz-key-v2",
    "x-amz-iv",
    "x-amz-cek-alg",
    "x-amz-wrap-alg",
    "x-amz-tag-len",
    "x-amz-matdesc",
    "x-amz-unencrypted-content-length",
    "x-amz-c",
    "x-amz-d",
    "x-amz-i",
    "x-amz-3",
    "x-amz-w",
    "x-amz-t",
    "x-amz-m",
    "X-Amz-Key-V2",
    "note",
];

/// Values that get past some checks and not past others.
fn values() -> impl Strategy<Value = String> {
    let base64 = |len: std::ops::Range<usize>| {
        use base64::prelude::{BASE64_STANDARD, Engine};
        vec(any::<u8>(), len).prop_map(|bytes| BASE64_STANDARD.encode(bytes))
    };
    let known = [
        "",
        " ",
        "{}",
        "115",
        "114",
        "128",
        "0",
        "02",
        "12",
        "22",
        "01",
        "AES/GCM/NoPadding",
        "AES/CBC/PKCS5Padding",
        "AES/GCM",
        "kms+context",
        "kms",
        "AESWrap",
        "RSA-OAEP-SHA1",
        "RSA/ECB/OAEPWithSHA-256AndMGF1Padding",
        "{\"aws:x-amz-cek-alg\":\"115\"}",
        "{\"kms_cmk_id\":\"x\"}",
        "{\"s3seal-key\":\"0123456789abcdef\"}",
        "{\"s3seal-passphrase\":\"$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"s3seal-passphrase\":\"$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA\"}",
        "=?UTF-8?Q?{}?=",
        "=?UTF-8?B?e30=?=",
        "[]",
        "null",
        "{\"a\":1}",
    ];
    prop_oneof![
        3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => base64(0..80),
        1 => base64(12..13),
        1 => base64(16..17),
        2 => base64(28..29),
        2 => base64(60..61),
        1 => ".{0,40}",
    ]
}

fn metadata() -> impl Strategy<Value = BTreeMap<String, String>> {
    let names =
        prop_oneof![9 => prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => ".{0,20}"];
    prop::collection::btree_map(names, values(), 0..12)
}

/// Everything that can be done with an envelope must end in bytes or in an error.
fn follow(envelope: Envelope) {
    let _ = (envelope.suite(), envelope.fingerprint(), envelope.plain_len(5), format!("{envelope:?}"));
    let Ok(permitted) = envelope.permit(Legacy::Unauthenticated) else { return };
    let _ = permitted.kms(&s3seal::encryption::Context::default());
    let mut ring = ring_of(7);
    ring.passphrases.push(passphrase("a"));
    if let Ok(unwrapped) = Unwrapper::new(ring).unwrap_s3ec(permitted) {
        let _ = unwrapped.opener().and_then(|opener| opened(opener, &[0; 48], &[]));
        let _ = unwrapped.range(3..20, 48).and_then(|read| opened(read.opener, &[0; 48], &[]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_metadata_is_read_or_refused(metadata in metadata(), other in metadata()) {
        if let Ok(Detected::S3ec(envelope)) = detect(WHAT, &metadata) {
            follow(envelope);
        }
        let file = serde_json::to_vec(&other).unwrap();
        if let Ok(envelope) = with_instruction(WHAT, &metadata, &file) {
            follow(envelope);
        }
    }

    #[test]
    fn any_instruction_file_is_read_or_refused(file in vec(any::<u8>(), 0..200), text in "[{}\\[\\]\",:0-9a-zx\\-\\\\ ]{0,200}") {
        let split = map(&[("x-amz-c", "115"), ("x-amz-d", "AAAA"), ("x-amz-i", "AAAA")]);
        for metadata in [BTreeMap::new(), split] {
            prop_assert!(with_instruction(WHAT, &metadata, &file).is_err());
            prop_assert!(with_instruction(WHAT, &metadata, text.as_bytes()).is_err());
        }
    }

    #[test]
    fn any_parameters_are_read_or_refused(text in "\\$?(argon2id)?\\$?(v=19)?\\$?(m=[0-9]{0,11})?,?(t=[0-9]{0,4})?,?(p=[0-9]{0,4})?\\$?[A-Za-z0-9+/=]{0,90}", any in ".{0,60}") {
        if let Ok(phc) = text.parse::<Phc>() {
            prop_assert_eq!(phc.to_string(), text);
        }
        prop_assert!(any.parse::<Phc>().is_err());
    }

    #[test]
    fn any_key_file_is_read_or_refused(bytes in vec(any::<u8>(), 0..200), label in "[A-Z ]{0,20}", body in "[A-Za-z0-9+/=\n]{0,200}") {
        prop_assert!(rsa_pem::private_key(&bytes).is_err() && rsa_pem::public_key(&bytes).is_err());
        let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        prop_assert!(rsa_pem::private_key(text.as_bytes()).is_err() && rsa_pem::public_key(text.as_bytes()).is_err());
    }

    /// One entry changed in any way: the object still opens to its own bytes, or not at all.
    #[test]
    fn a_changed_envelope_never_opens_to_other_bytes(
        alg in algs(), storage in storages(), name in prop::sample::select(NAMES.to_vec()), value in prop::option::of(values()),
        in_file: bool,
    ) {
        let mut object = seal(alg, storage, b"the bytes", &[]);
        let change = |entries: &mut BTreeMap<String, String>| match &value {
            Some(value) => entries.insert(name.to_owned(), value.clone()),
            None => entries.remove(name),
        };
        match &mut object.beside.instruction {
            Some(file) if in_file => {
                let mut entries: BTreeMap<String, String> = serde_json::from_str(file).unwrap();
                change(&mut entries);
                *file = serde_json::to_string(&entries).unwrap();
            }
            _ => { change(&mut object.beside.metadata); }
        }
        let found = match (detect(WHAT, &object.beside.metadata), &object.beside.instruction) {
            (Ok(Detected::S3ec(envelope)), _) => Ok(envelope),
            (Ok(_), Some(file)) => with_instruction(WHAT, &object.beside.metadata, file.as_bytes()),
            (Ok(_), None) => return Ok(()),
            (Err(error), _) => Err(error),
        };
        let result = found
            .and_then(|envelope| envelope.permit(Legacy::Unauthenticated))
            .and_then(|permitted| Unwrapper::new(ring_of(7)).unwrap_s3ec(permitted))
            .and_then(|unwrapped| opened(unwrapped.opener()?, &object.body, &[]));
        if let Ok(bytes) = result {
            prop_assert_eq!(bytes, b"the bytes");
        }
    }
}

#[test]
fn v3_is_written_as_the_format_says() {
    let object = seal(Alg::Committing, Storage::Metadata, b"12345", &[]);
    let names: Vec<_> = object.beside.metadata.keys().map(String::as_str).collect();
    let all = [
        "x-amz-3",
        "x-amz-c",
        "x-amz-d",
        "x-amz-i",
        "x-amz-m",
        "x-amz-unencrypted-content-length",
        "x-amz-w",
    ];
    assert_eq!(names, all);
    assert_eq!(object.beside.metadata["x-amz-c"], "115");
    assert_eq!(object.beside.metadata["x-amz-w"], "02");
    assert_eq!(object.beside.metadata["x-amz-unencrypted-content-length"], "5");
    let note = format!("{{\"s3seal-key\":\"{}\"}}", aes(7).fingerprint());
    assert_eq!(object.beside.metadata["x-amz-m"], note);

    let split = seal(Alg::Committing, Storage::InstructionFile, b"12345", &[]).beside;
    let names: Vec<_> = split.metadata.keys().map(String::as_str).collect();
    assert_eq!(names, ["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-unencrypted-content-length"]);
    let file: BTreeMap<String, String> = serde_json::from_str(&split.instruction.unwrap()).unwrap();
    assert_eq!(file.keys().map(String::as_str).collect::<Vec<_>>(), ["x-amz-3", "x-amz-m", "x-amz-w"]);
    assert_eq!(file["x-amz-m"], note);
}

#[test]
fn v2_is_written_as_the_format_says() {
    let object = seal(Alg::Gcm, Storage::Metadata, b"12345", &[]);
    let names: Vec<_> = object.beside.metadata.keys().map(String::as_str).collect();
    let wrapping =
        ["x-amz-cek-alg", "x-amz-iv", "x-amz-key-v2", "x-amz-matdesc", "x-amz-tag-len", "x-amz-wrap-alg"];
    let mut all = wrapping.to_vec();
    all.insert(5, "x-amz-unencrypted-content-length");
    assert_eq!(names, all);
    assert_eq!(object.beside.metadata["x-amz-cek-alg"], "AES/GCM/NoPadding");
    assert_eq!(object.beside.metadata["x-amz-wrap-alg"], "AES/GCM");
    assert_eq!(object.beside.metadata["x-amz-tag-len"], "128");

    let split = seal(Alg::Gcm, Storage::InstructionFile, b"12345", &[]).beside;
    assert_eq!(split.metadata, map(&[("x-amz-unencrypted-content-length", "5")]));
    let file: BTreeMap<String, String> = serde_json::from_str(&split.instruction.unwrap()).unwrap();
    assert_eq!(file.keys().map(String::as_str).collect::<Vec<_>>(), wrapping);
}

#[test]
fn a_lying_plain_length_changes_nothing() {
    for lie in ["0", "99999999999999999999", "-1", "abc"] {
        let mut object = seal(Alg::Committing, Storage::Metadata, b"12345", &[]);
        object.beside.metadata.insert("x-amz-unencrypted-content-length".to_owned(), lie.to_owned());
        assert_eq!(open(&object, &[]).unwrap(), b"12345");
        assert_eq!(envelope(&object.beside).unwrap().plain_len(object.body.len() as u64), Some(5));
    }
}

#[test]
fn names_are_read_in_any_case_and_empty_values_are_none() {
    let mut object = seal(Alg::Committing, Storage::Metadata, b"12345", &[]);
    let upper = object.beside.metadata.iter().map(|(name, value)| (name.to_uppercase(), value.clone()));
    object.beside.metadata = upper.collect();
    for unused in ["x-amz-t", "x-amz-key", "x-amz-key-v2", "x-amz-iv", "x-amz-matdesc"] {
        object.beside.metadata.insert(unused.to_owned(), String::new());
    }
    assert_eq!(open(&object, &[]).unwrap(), b"12345");
    object.beside.metadata.insert("x-amz-W".to_owned(), "02".to_owned());
    assert_tampered(open(&object, &[]));
}

#[test]
fn a_map_that_names_a_key_twice_is_refused() {
    let object = seal(Alg::Committing, Storage::InstructionFile, b"12345", &[]);
    let mut twice = object.clone();
    let file = object.beside.instruction.unwrap();
    twice.beside.instruction = Some(file.replacen('{', "{\"x-amz-w\":\"12\",", 1));
    assert_tampered(open(&twice, &[]));
}
