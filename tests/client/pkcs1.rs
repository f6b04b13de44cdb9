//! Data keys padded by RSA PKCS #1 v1.5: opened only if asked for, and never an oracle for the padding.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PrivateDecryptingKey};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use s3seal_sandbox::Recorded;
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench};

const ALLOWED: &str = "--allow-legacy unauthenticated";

/// An object of an official client, and where its wrapped data key is.
struct Vector {
    private: Vec<u8>,
    body: Vec<u8>,
    metadata: BTreeMap<String, String>,
    plain_len: usize,
    wrapped: Place,
}

#[derive(Clone, Copy)]
enum Place {
    Body(usize),
    Metadata(&'static str),
}

fn json_of(path: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    serde_json::from_slice(&fs::read(folder.join(path)).unwrap()).unwrap()
}

/// The AWS Encryption SDK's: the wrapped key is in the header.
fn message() -> Vector {
    let keys = json_of("esdk/keys.json");
    let der = keys["rsa2048-pkcs1"]["private_pkcs8_der_base64"].as_str().unwrap();
    let about = json_of("esdk/positive/s0478-rsa2048-pkcs1.json");
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/esdk/positive/s0478-rsa2048-pkcs1.bin");
    Vector {
        private: BASE64_STANDARD.decode(der).unwrap(),
        body: fs::read(file).unwrap(),
        metadata: BTreeMap::new(),
        plain_len: usize::try_from(about["plaintext_len"].as_u64().unwrap()).unwrap(),
        // After two bytes of length.
        wrapped: Place::Body(85),
    }
}

/// The S3 Encryption Client's first format.
fn first_format() -> Vector {
    let vector = json_of("s3ec/positive/ruby-v1-rsa-meta-17.json");
    let digits = vector["key"]["pkcs8_der_hex"].as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let metadata = vector["object_metadata"].as_object().unwrap().iter();
    Vector {
        private: (0..digits.len()).step_by(2).map(byte).collect(),
        body: BASE64_STANDARD.decode(vector["body_base64"].as_str().unwrap()).unwrap(),
        metadata: metadata.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        plain_len: 17,
        wrapped: Place::Metadata("x-amz-key"),
    }
}

impl Vector {
    /// A bench with the object, its key in `private.pem` and another one in `other.pem`.
    fn bench(&self) -> Bench {
        let bench = Bench::new();
        let text = BASE64_STANDARD.encode(&self.private);
        bench.write(
            "private.pem",
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", wrapped_lines(&text))
                .as_bytes(),
        );
        let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/rsa_b.pem");
        bench.write("other.pem", &fs::read(other).unwrap());
        self.store(&bench, None);
        bench
    }

    /// Stores the object, with another wrapped data key if one is given.
    fn store(&self, bench: &Bench, wrapped: Option<&[u8]>) {
        let (mut body, mut metadata) = (self.body.clone(), self.metadata.clone());
        match (self.wrapped, wrapped) {
            (Place::Body(at), Some(wrapped)) => body[at..at + wrapped.len()].copy_from_slice(wrapped),
            (Place::Metadata(name), Some(wrapped)) => {
                metadata.insert(name.to_owned(), BASE64_STANDARD.encode(wrapped));
            }
            (_, None) => {}
        }
        bench.sandbox.s3().put_plain(BUCKET, "object", &body);
        bench.sandbox.s3().set_metadata(BUCKET, "object", metadata);
    }

    /// What somebody pads by PKCS #1 v1.5 for the key.
    fn pad(&self, payload: &[u8]) -> Vec<u8> {
        let public = PrivateDecryptingKey::from_pkcs8(&self.private).unwrap().public_key();
        let public = Pkcs1PublicEncryptingKey::new(public).unwrap();
        let mut wrapped = vec![0; public.ciphertext_size()];
        public.encrypt(payload, &mut wrapped).unwrap();
        wrapped
    }
}

fn wrapped_lines(base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

#[test]
fn a_message_padded_by_pkcs1_opens_only_when_allowed() {
    let vector = message();
    let bench = vector.bench();
    bench
        .run("get s3://bench/object - --private-key private.pem")
        .exits(5)
        .writes_nothing()
        .says(&[&format!("hint: {ALLOWED}")]);
    bench
        .run("get s3://bench/object - --private-key private.pem --allow-legacy v2")
        .exits(5)
        .writes_nothing();
    let ended = bench.run(&format!("get s3://bench/object - --private-key private.pem {ALLOWED}")).ok();
    assert_eq!(ended.stdout.len(), vector.plain_len);
}

#[test]
fn the_first_format_padded_by_pkcs1_opens_only_when_allowed_and_never_in_part() {
    let vector = first_format();
    let bench = vector.bench();
    bench.run("get s3://bench/object - --private-key private.pem").exits(2).writes_nothing().says(&[ALLOWED]);
    let ended = bench.run(&format!("get s3://bench/object - --private-key private.pem {ALLOWED}")).ok();
    assert_eq!(ended.stdout.len(), vector.plain_len);
    bench
        .run(&format!("get s3://bench/object - --private-key private.pem {ALLOWED} --range 0-3"))
        .exits(2)
        .writes_nothing()
        .says(&["PKCS #1 v1.5"]);
}

#[test]
fn inspect_tries_no_key_on_pkcs1_unless_allowed() {
    for (vector, tried) in [(message(), json!(true)), (first_format(), json!(null))] {
        let bench = vector.bench();
        let opens = |flags: &str| {
            let found = bench
                .run(&format!("inspect --json s3://bench/object --private-key private.pem {flags}"))
                .ok();
            found.json()["client"]["key_given_opens"].clone()
        };
        assert_ne!(opens(""), true);
        // The first format proves nothing before its content is decrypted, which `inspect` does not do.
        assert_eq!(opens(ALLOWED), tried);
    }
}

/// All that somebody can see of a run: its words, its code, its bytes, and what it asked of S3.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    requests: Vec<String>,
}

fn seen(bench: &Bench, line: &str) -> Seen {
    let before = bench.sandbox.requests().len();
    let ended = bench.run(line);
    let asked = |request: &Recorded| format!("{} {:?}", request.operation, request.header("range"));
    let requests = bench.sandbox.requests()[before..].iter().map(asked).collect();
    assert!(!bench.names().contains(&"target".to_owned()));
    Seen { code: ended.code(), stdout: ended.stdout, stderr: ended.stderr, requests }
}

#[test]
fn nothing_shows_whether_a_padding_is_right() {
    for vector in [message(), first_format()] {
        let bench = vector.bench();
        let spoilt = [
            // Another private key, then for the right one: no padding at all, a data key that is not the object's, and
            // payloads that no data key can be.
            ("other.pem", None),
            ("private.pem", Some(vec![0x17; 256])),
            ("private.pem", Some(vector.pad(&[9; 32]))),
            ("private.pem", Some(vector.pad(&[9; 16]))),
            ("private.pem", Some(vector.pad(&[9; 20]))),
            ("private.pem", Some(vector.pad(&[]))),
        ];
        for command in [
            format!("get s3://bench/object - {ALLOWED}"),
            format!("get s3://bench/object target {ALLOWED}"),
            format!("get s3://bench/object target --json {ALLOWED}"),
            "get s3://bench/object target --json".to_owned(),
        ] {
            let mut first = None;
            for (key, wrapped) in &spoilt {
                vector.store(&bench, wrapped.as_deref());
                let now = seen(&bench, &format!("{command} --private-key {key}"));
                assert_ne!(now.code, Some(0), "{command}: {}", now.stderr);
                assert_eq!(first.get_or_insert_with(|| now.clone()), &now, "{command}");
            }
        }
        for flags in ["", ALLOWED] {
            let mut first = None;
            for (key, wrapped) in &spoilt {
                vector.store(&bench, wrapped.as_deref());
                let found =
                    bench.run(&format!("inspect --json s3://bench/object --private-key {key} {flags}")).ok();
                let opens = found.json()["client"]["key_given_opens"].clone();
                assert_eq!(first.get_or_insert(opens.clone()), &opens, "inspect {flags}");
            }
        }
    }
}
