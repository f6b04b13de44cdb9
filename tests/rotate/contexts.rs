//! A required encryption context that the Encryption SDK authenticates and does not store: only who opens the message knows
//! it, so that a rotation must not drop it unasked.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA512, Salt};
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::support::keys::KnownKey;
use crate::support::{BUCKET, Bench, bytes};
use crate::{OBJECT, assert_opens, bench, stored};

/// Where the context is in the header of a message of version 2: after the version, the suite and the message id.
const CONTEXT_AT: usize = 35;
/// The pair that is not stored.
const SECRET: (&str, &str) = ("secret", "x");

/// The same with a key that s3seal does not write and the official clients do.
const SECRET_OF_AWS: (&str, &str) = ("aws:ret", "x");

fn aes(key: &[u8]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap())
}

fn encoded(pairs: &[(&str, &str)]) -> Vec<u8> {
    if pairs.is_empty() {
        return Vec::new();
    }
    let texts = pairs.iter().flat_map(|(key, value)| [key, value]);
    let texts =
        texts.flat_map(|text| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat());
    u16::try_from(pairs.len()).unwrap().to_be_bytes().into_iter().chain(texts).collect()
}

fn flags(pairs: &[(&str, &str)]) -> String {
    let flags: Vec<_> = pairs.iter().map(|(key, value)| format!("--context {key}={value}")).collect();
    flags.join(" ")
}

/// Takes a value and the two bytes of its length from `bytes`.
fn take<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let (len, rest) = bytes.split_at(2);
    let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([len[0], len[1]])));
    *bytes = rest;
    value
}

/// The message's content key, of the suite that s3seal writes; and its data key as it is wrapped under this context, and would
/// be under another one.
fn content_key(
    sealed: &[u8],
    context: &[u8],
    other: &[u8],
    key: &KnownKey,
) -> (LessSafeKey, Vec<u8>, Vec<u8>) {
    let mut rest = &sealed[CONTEXT_AT..];
    take(&mut rest);
    rest = &rest[2..];
    let (_, info, wrapped) = (take(&mut rest), take(&mut rest), take(&mut rest));
    let nonce = || Nonce::try_assume_unique_for_key(&info[info.len() - 12..]).unwrap();
    let mut data_key = wrapped.to_vec();
    let data_key = aes(&key.0).open_in_place(nonce(), Aad::from(context), &mut data_key).unwrap();
    let mut rewrapped = data_key.to_vec();
    aes(&key.0).seal_in_place_append_tag(nonce(), Aad::from(other), &mut rewrapped).unwrap();
    let derived = Salt::new(HKDF_SHA512, &sealed[3..CONTEXT_AT]).extract(data_key);
    let label = [&sealed[1..3], b"DERIVEKEY"];
    let content_key = LessSafeKey::new(UnboundKey::from(derived.expand(&label, &AES_256_GCM).unwrap()));
    (content_key, wrapped.to_vec(), rewrapped)
}

/// Stores a message for the key `a.key` at [`OBJECT`] that stores these pairs, and authenticates [`SECRET`] in addition.
fn stored_without_secret(bench: &Bench, pairs: &[(&str, &str)]) -> Vec<u8> {
    stored_as_if_without(bench, pairs, SECRET)
}

/// Stores a message for the key `a.key` at [`OBJECT`] that stores these pairs, and authenticates `secret` in addition.
fn stored_as_if_without(bench: &Bench, pairs: &[(&str, &str)], secret: (&str, &str)) -> Vec<u8> {
    let written = [pairs, &[SECRET]].concat();
    let flags = flags(&written);
    let content = stored(bench, 1000, &format!("-e client --format esdk --key a.key {flags}"));
    let sealed = bench.object("o").plaintext.unwrap();
    let (full, meant) = (encoded(&written), encoded(&[pairs, &[secret]].concat()));
    let (key, wrapped, rewrapped) = content_key(&sealed, &full, &meant, &KnownKey::new(1));
    let header_len = s3seal::seal::esdk::read("a message", &sealed).unwrap().header_len();
    let (header, body) = sealed.split_at(usize::try_from(header_len).unwrap());
    let kept = encoded(pairs);
    let len = u16::try_from(kept.len()).unwrap().to_be_bytes();
    let rest = &header[CONTEXT_AT + 2 + full.len()..header.len() - 16];
    let at = rest.windows(wrapped.len()).position(|bytes| bytes == wrapped).unwrap();
    let rest = [&rest[..at], &rewrapped, &rest[at + wrapped.len()..]].concat();
    let header = [&header[..CONTEXT_AT], &len, &kept, &rest].concat();
    let authenticated = [&header[..], &encoded(&[secret])].concat();
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(authenticated), &mut []).unwrap();
    bench.write("message", &[&header, tag.as_ref(), body].concat());
    bench.run(&format!("put message {OBJECT} -e sse-s3")).ok();
    content
}

#[test]
fn a_required_context_that_is_not_stored_is_not_lost_unasked() {
    for pairs in [&[][..], &[("o", "1")]] {
        let bench = bench();
        let content = stored_without_secret(&bench, pairs);
        bench.run(&format!("get {OBJECT} target --key a.key")).exits(6);
        let before = bench.object("o").etag;
        // What is stored is given again; what is not is a pair of its own.
        let again = flags(pairs);
        for line in [
            format!(
                "rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context secret=x {again} --yes"
            ),
            format!(
                "rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context secret=x --context p=2 --yes"
            ),
        ] {
            bench.run(&line).exits(2).says(&[
                "its encryption context (secret) would be lost",
                "--context, which stores it readable",
                "--accept-loss context",
            ]);
            assert_eq!(bench.object("o").etag, before, "nothing was written");
            assert_opens(&bench, "--key a.key --context secret=x", &content);
        }
    }
}

#[test]
fn a_context_key_of_aws_is_read_and_not_written() {
    let bench = bench();
    let content = stored_as_if_without(&bench, &[], SECRET_OF_AWS);
    bench.run(&format!("get {OBJECT} target --key a.key")).exits(6);
    bench.run(&format!("get {OBJECT} target --key a.key --context aws:ret=y")).exits(6);
    assert_opens(&bench, "--key a.key --context aws:ret=x", &content);
    let line = format!("rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context aws:ret=x");
    bench.run(&format!("{line} --yes")).exits(2).says(&["its encryption context (aws:ret) would be lost"]);
    bench.run(&format!("{line} --context aws:ret=x --yes")).exits(2).says(&["reserved by AWS"]);
    bench.run(&format!("{line} --accept-loss context --yes")).ok();
    assert_opens(&bench, "--key b.key", &content);
    bench.run(&format!("get {OBJECT} target --key b.key --context aws-crypto-x=1")).exits(2);
}

/// Stores an object of the S3 Encryption Client's version 2 at [`OBJECT`], with this key in its encryption context;
/// returns its plaintext and the KMS key.
fn stored_with_context_key(bench: &Bench, name: &str) -> (Vec<u8>, String) {
    let kms = bench.sandbox.kms();
    let kms_key = kms.create_key();
    let alg = "AES/GCM/NoPadding";
    let context =
        [(name, "x"), ("aws:x-amz-cek-alg", alg)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let context = BTreeMap::from(context);
    let (data_key, wrapped) = kms.generate_data_key(&kms_key, &context);
    let plain = bytes(1000);
    let mut sealed = plain.clone();
    let nonce = Nonce::assume_unique_for_key([1; 12]);
    aes(&data_key).seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).unwrap();
    let metadata = [
        ("x-amz-key-v2", BASE64_STANDARD.encode(wrapped)),
        ("x-amz-iv", BASE64_STANDARD.encode([1; 12])),
        ("x-amz-cek-alg", alg.to_owned()),
        ("x-amz-wrap-alg", "kms+context".to_owned()),
        ("x-amz-tag-len", "128".to_owned()),
        ("x-amz-matdesc", serde_json::to_string(&context).unwrap()),
    ];
    bench.sandbox.s3().put_plain(BUCKET, "o", &sealed);
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value));
    bench.sandbox.s3().set_metadata(BUCKET, "o", metadata.into());
    (plain, kms_key.to_string())
}

#[test]
fn a_context_key_of_aws_in_an_object_of_the_s3_encryption_client_is_not_lost_unasked() {
    let bench = bench();
    let (content, kms_key) = stored_with_context_key(&bench, "aws:team");
    let opens = format!("--kms-key {kms_key} --allow-legacy v2");
    bench.run(&format!("get {OBJECT} target {opens}")).exits(5).says(&["context"]);
    assert_opens(&bench, &format!("{opens} --context aws:team=x"), &content);
    let line = format!(
        "rotate {OBJECT} --key b.key --from-kms-key {kms_key} --from-context aws:team=x --allow-legacy v2 --yes"
    );
    bench.run(&format!("{line} -e client --format esdk")).exits(2).says(&["(aws:team) would be lost"]);
}

#[test]
fn a_required_context_that_is_given_again_goes_over() {
    let bench = bench();
    let content = stored_without_secret(&bench, &[("o", "1")]);
    let line =
        format!("rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context secret=x --yes");
    bench.run(&format!("{line} --context o=1 --context secret=x")).ok();
    assert_opens(&bench, "--key b.key --context secret=x --context o=1", &content);
    // The manual says so: from now on everyone reads it.
    assert_opens(&bench, "--key b.key", &content);
    let sealed = bench.object("o").plaintext.unwrap();
    let stored = s3seal::seal::esdk::read("a message", &sealed).unwrap().context().clone();
    assert_eq!(stored.get(SECRET.0).map(String::as_str), Some(SECRET.1));
}

#[test]
fn a_required_context_may_be_lost_where_that_is_accepted() {
    let bench = bench();
    let content = stored_without_secret(&bench, &[]);
    let line =
        format!("rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context secret=x --yes");
    bench.run(&format!("{line} --accept-loss context")).ok();
    assert_opens(&bench, "--key b.key", &content);
}

#[test]
fn a_required_context_that_does_not_fit_is_not_said_to_be_lost() {
    let bench = bench();
    stored_without_secret(&bench, &[]);
    let line =
        format!("rotate {OBJECT} --format esdk --key b.key --from-key a.key --from-context secret=y --yes");
    let ended = bench.run(&line).exits(6);
    assert!(!ended.stderr.contains("would be lost"), "{}", ended.stderr);
}

#[test]
fn an_object_that_is_decrypted_needs_no_context_any_more() {
    let bench = bench();
    let content = stored_without_secret(&bench, &[("o", "1")]);
    bench.run(&format!("rotate {OBJECT} -e sse-s3 --from-key a.key --from-context secret=x --yes")).ok();
    assert_opens(&bench, "", &content);
}

#[test]
fn a_context_key_that_only_another_format_reserves_is_not_lost_unasked() {
    let bench = bench();
    let content = stored(&bench, 1000, "-e client --format esdk --key a.key --context kms_cmk_id=x");
    let line = format!("rotate {OBJECT} --key b.key --from-key a.key --yes");
    bench.run(&line).exits(2).says(&["its encryption context (kms_cmk_id) would be lost"]);
    bench.run(&format!("{line} --format esdk --context kms_cmk_id=x")).ok();
    assert_opens(&bench, "--key b.key --context kms_cmk_id=x", &content);
}
