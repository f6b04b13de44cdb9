//! Wraps and key rings: who can open, who is told to bring which key, and what a new wrap leaves as it was.

use s3seal::error::{KeyFault, KeyNeed, WrapKind};
use s3seal::seal::s3ec::kms_context;

use super::*;

const TEXT: &[u8] = b"what only the right key opens";

fn sealed_for(alg: Alg, storage: Storage, key: &LocalKey<'_>) -> Object {
    let data_key = DataKey::random().unwrap();
    let wrapped = wrap::wrap(alg, &data_key, key).unwrap();
    seal_with(&data_key, wrapped, storage, TEXT, &[])
}

fn open_with(object: &Object, ring: KeyRing) -> Result<Vec<u8>, Error> {
    opened(unwrap_envelope(&object.beside, ring)?.opener()?, &object.body, &[])
}

fn ring(symmetric: &[u8], private: &[&str], passphrases: &[&str]) -> KeyRing {
    KeyRing {
        symmetric: symmetric.iter().copied().map(aes).collect(),
        private: private.iter().copied().map(rsa).collect(),
        passphrases: passphrases.iter().copied().map(passphrase).collect(),
    }
}

#[test]
fn each_kind_of_key_opens_what_was_sealed_for_it_wherever_it_is_in_the_ring() {
    let (a, b, secret) = (aes(1), rsa("rsa_a.pem"), derived("open sesame"));
    for alg in [Alg::Gcm, Alg::Committing] {
        for storage in [Storage::Metadata, Storage::InstructionFile] {
            for (key, alone) in [
                (LocalKey::Aes(&a), ring(&[1], &[], &[])),
                (LocalKey::Rsa(b.public()), ring(&[], &["rsa_a.pem"], &[])),
                (LocalKey::Passphrase(&secret), ring(&[], &[], &["open sesame"])),
            ] {
                let object = sealed_for(alg, storage, &key);
                assert_eq!(open_with(&object, alone).unwrap(), TEXT);
                let many = ring(&[9, 1, 8], &["rsa_b.pem", "rsa_a.pem"], &["wrong", "open sesame"]);
                assert_eq!(open_with(&object, many).unwrap(), TEXT);
            }
        }
    }
}

#[test]
fn a_derived_key_opens_as_a_raw_one() {
    let secret = derived("open sesame");
    let object = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Passphrase(&secret));
    let raw = SymmetricKey::new(Zeroizing::new(secret.key().as_bytes().to_vec())).unwrap();
    let ring = KeyRing { symmetric: vec![raw], ..KeyRing::default() };
    assert_eq!(open_with(&object, ring).unwrap(), TEXT);
}

#[test]
fn a_missing_key_is_asked_for_by_kind_and_fingerprint() {
    let (a, b, secret) = (aes(1), rsa("rsa_a.pem"), derived("open sesame"));
    for (key, kind, fingerprint) in [
        (LocalKey::Aes(&a), WrapKind::Aes, Some(a.fingerprint())),
        (LocalKey::Rsa(b.public()), WrapKind::Rsa, Some(b.public().fingerprint())),
        (LocalKey::Passphrase(&secret), WrapKind::Passphrase, None),
    ] {
        let object = sealed_for(Alg::Committing, Storage::Metadata, &key);
        let fingerprint = fingerprint.map(|print| print.to_string());
        let permitted = envelope(&object.beside).unwrap().permit(Legacy::Refused).unwrap();
        assert!(!permitted.needs_kms());
        match open_with(&object, KeyRing::default()) {
            Err(Error::KeyNeeded { need, .. }) => assert_eq!(need, KeyNeed::Wrapping { kind, fingerprint }),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_wrong_key_is_told_from_a_missing_one() {
    let (a, b, secret) = (aes(1), rsa("rsa_a.pem"), derived("open sesame"));
    for (key, others) in [
        (LocalKey::Aes(&a), ring(&[2], &["rsa_a.pem"], &["open sesame"])),
        (LocalKey::Aes(&a), ring(&[2, 3], &[], &[])),
        (LocalKey::Rsa(b.public()), ring(&[1], &["rsa_b.pem"], &[])),
        (LocalKey::Passphrase(&secret), ring(&[1], &[], &["close sesame"])),
        (LocalKey::Passphrase(&secret), ring(&[], &[], &["close sesame", "open sesam"])),
    ] {
        let object = sealed_for(Alg::Committing, Storage::Metadata, &key);
        let named = match &key {
            LocalKey::Aes(key) => Some(key.fingerprint().to_string()),
            LocalKey::Rsa(key) => Some(key.fingerprint().to_string()),
            LocalKey::Passphrase(_) => None,
        };
        match open_with(&object, others) {
            Err(Error::KeyWrong { why: KeyFault::DoesNotUnwrap { fingerprint }, .. }) => {
                assert_eq!(fingerprint, named);
            }
            Err(Error::KeyWrong { why: KeyFault::NoneFits { tried: 2 }, .. }) => assert!(named.is_none()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_named_key_at_hand_that_does_not_fit_means_tampering() {
    let object = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Aes(&aes(1)));
    let other = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Aes(&aes(2)));
    let mut swapped = object.clone();
    swapped.beside.metadata.insert("x-amz-3".to_owned(), other.beside.metadata["x-amz-3"].clone());
    assert_tampered(open_with(&swapped, ring(&[1], &[], &[])));
    // With the key that the wrapped key belongs to, the commitment finds it.
    assert_tampered(open_with(&swapped, ring(&[2], &[], &[])));
}

#[test]
fn a_key_of_the_ring_is_no_help_where_kms_is_needed() {
    let data_key = DataKey::random().unwrap();
    let context = kms_context(Alg::Committing, &s3seal::encryption::Context::default()).unwrap();
    let wrapped = WrappedKey::from_kms(Alg::Committing, b"blob".to_vec(), context);
    let object = seal_with(&data_key, wrapped, Storage::Metadata, TEXT, &[]);
    let permitted = envelope(&object.beside).unwrap().permit(Legacy::Refused).unwrap();
    assert!(permitted.needs_kms());
    let need = KeyNeed::Wrapping { kind: WrapKind::Kms, fingerprint: None };
    match open_with(&object, ring(&[1], &[], &["a"])) {
        Err(Error::KeyNeeded { need: found, .. }) => assert_eq!(found, need),
        other => panic!("{other:?}"),
    }
    let request = permitted.kms(&s3seal::encryption::Context::default()).unwrap();
    assert_eq!(request.blob, b"blob");
    assert_eq!(*request.context, map(&[("aws:x-amz-cek-alg", "115")]));
    let unwrapped = permitted.with_data_key(data_key).unwrap();
    assert_eq!(opened(unwrapped.opener().unwrap(), &object.body, &[]).unwrap(), TEXT);
}

#[test]
fn another_data_key_is_refused_before_any_byte() {
    let object = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Aes(&aes(1)));
    let permitted = || envelope(&object.beside).unwrap().permit(Legacy::Refused).unwrap();
    let short = DataKey::new(Zeroizing::new(vec![1; 16])).unwrap();
    for data_key in [DataKey::random().unwrap(), short] {
        let refused = permitted().with_data_key(data_key);
        assert!(matches!(refused.map(|_| ()), Err(Error::Tampered { .. })));
    }
}

#[test]
fn a_new_wrap_changes_who_can_open_and_nothing_else() {
    let (old, new, secret) = (aes(1), rsa("rsa_b.pem"), derived("open sesame"));
    for alg in [Alg::Gcm, Alg::Committing] {
        for storage in [Storage::Metadata, Storage::InstructionFile] {
            let mut object = sealed_for(alg, storage, &LocalKey::Aes(&old));
            object.beside.metadata.insert("note".to_owned(), "hello".to_owned());
            let mut present = ring(&[1], &[], &[]);
            for (key, next) in [
                (LocalKey::Rsa(new.public()), ring(&[], &["rsa_b.pem"], &[])),
                (LocalKey::Passphrase(&secret), ring(&[], &[], &["open sesame"])),
                (LocalKey::Aes(&aes(5)), ring(&[5], &[], &[])),
            ] {
                let unwrapped = unwrap_envelope(&object.beside, present).unwrap();
                let wrapped = wrap::wrap(alg, unwrapped.data_key(), &key).unwrap();
                let renewed = unwrapped.rewrap(&object.beside.metadata, wrapped).unwrap();
                assert_eq!(renewed.metadata["note"], "hello");
                assert_eq!(renewed.metadata.get("x-amz-unencrypted-content-length").unwrap(), "29");
                assert_eq!(renewed.instruction.is_some(), storage == Storage::InstructionFile);
                let kept = ["x-amz-c", "x-amz-d", "x-amz-i", "x-amz-iv", "x-amz-cek-alg"];
                for name in kept {
                    assert_eq!(renewed.metadata.get(name), object.beside.metadata.get(name), "{name}");
                }
                object.beside = renewed;
                assert!(open_with(&object, ring(&[1], &["rsa_a.pem"], &["wrong"])).is_err());
                present = next;
            }
            assert_eq!(open_with(&object, present).unwrap(), TEXT);
        }
    }
}

#[test]
fn a_wrap_for_another_format_is_refused() {
    let object = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Aes(&aes(1)));
    let unwrapped = unwrap_envelope(&object.beside, ring(&[1], &[], &[])).unwrap();
    let wrapped = wrap::wrap(Alg::Gcm, unwrapped.data_key(), &LocalKey::Aes(&aes(2))).unwrap();
    let refused = unwrapped.rewrap(&object.beside.metadata, wrapped);
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
}

#[test]
fn the_instruction_file_of_another_object_is_refused() {
    for alg in [Alg::Gcm, Alg::Committing] {
        let object = sealed_for(alg, Storage::InstructionFile, &LocalKey::Aes(&aes(1)));
        let other = sealed_for(alg, Storage::InstructionFile, &LocalKey::Aes(&aes(1)));
        let mut swapped = object.clone();
        swapped.beside.instruction = other.beside.instruction;
        assert_tampered(open_with(&swapped, ring(&[1], &[], &[])));
        // V3 finds it before any byte.
        let early = unwrap_envelope(&swapped.beside, ring(&[1], &[], &[])).is_err();
        assert_eq!(early, alg == Alg::Committing);
    }
}

#[test]
fn every_bit_of_commitment_and_message_id_counts() {
    use base64::prelude::{BASE64_STANDARD, Engine};
    let object = sealed_for(Alg::Committing, Storage::Metadata, &LocalKey::Aes(&aes(1)));
    for name in ["x-amz-d", "x-amz-i"] {
        let value = BASE64_STANDARD.decode(&object.beside.metadata[name]).unwrap();
        for bit in 0..8 * value.len() {
            let mut changed = value.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let mut beside = object.beside.clone();
            beside.metadata.insert(name.to_owned(), BASE64_STANDARD.encode(changed));
            let refused = unwrap_envelope(&beside, ring(&[1], &[], &[]));
            assert!(matches!(refused.map(|_| ()), Err(Error::Tampered { .. })), "bit {bit} of {name}");
        }
    }
}

#[test]
fn a_short_key_wraps_nothing() {
    let short = SymmetricKey::new(Zeroizing::new(vec![1; 16])).unwrap();
    let refused = wrap::wrap(Alg::Committing, &DataKey::random().unwrap(), &LocalKey::Aes(&short));
    assert!(matches!(refused, Err(Error::Unsupported { .. })));
}
