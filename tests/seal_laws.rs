//! Laws that every format keeps, whatever the bytes, their number and the pieces they come in.
//!
//! What official clients make of the formats is `vectors`'; here s3seal is held against itself, and its fast AES-GCM
//! against another implementation.

#![allow(clippy::unwrap_used, reason = "a test's failure is its message")]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use s3seal::encryption::{Argon2, Legacy};
use s3seal::error::{Error, Unsupported};
use s3seal::keys::{DataKey, KeyRing, Passphrase, RsaPrivateKey, SymmetricKey};
use s3seal::seal::Output;
use s3seal::seal::argon2id::PassphraseKey;
use s3seal::seal::detect::{Detected, detect, with_instruction};
use s3seal::seal::ring::Unwrapper;
use s3seal::seal::s3ec::{self, DecryptableEnvelope, Envelope, Storage};
use s3seal::seal::wrap::{self, Alg, LocalKey, WrappedKey, rsa_pem};
use s3seal::seal::{Attributes, Open, Seal};
use zeroize::Zeroizing;

#[path = "seal_laws/envelopes.rs"]
mod envelopes;
#[path = "seal_laws/esdk.rs"]
mod esdk;
#[path = "seal_laws/gcm.rs"]
mod gcm;
#[path = "seal_laws/keys.rs"]
mod keys;
#[path = "seal_laws/rules.rs"]
mod rules;

const TAG: usize = 16;
const WHAT: &str = "s3://bucket/key";
/// Sizes around block and tag, and some blocks.
const SIZES: std::ops::Range<usize> = 0..300;

fn aes(byte: u8) -> SymmetricKey {
    SymmetricKey::new(Zeroizing::new(vec![byte; 32])).unwrap()
}

fn rsa(name: &str) -> RsaPrivateKey {
    let path = format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    rsa_pem::private_key(&std::fs::read(path).unwrap()).unwrap()
}

fn ring_of(byte: u8) -> KeyRing {
    KeyRing { symmetric: vec![aes(byte)], ..KeyRing::default() }
}

/// An object, as far as a format is concerned.
#[derive(Clone)]
struct Object {
    beside: Attributes,
    body: Vec<u8>,
}

fn pushed(seal: Box<dyn Seal>, plain: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut seal = seal;
    let mut out = Output::new();
    for piece in pieces(plain, cuts) {
        seal.push(piece, &mut out).unwrap();
    }
    seal.finish(&mut out).unwrap();
    out.to_vec()
}

fn opened(open: Box<dyn Open>, sealed: &[u8], cuts: &[usize]) -> Result<Vec<u8>, Error> {
    let mut open = open;
    let mut out = Output::new();
    for piece in pieces(sealed, cuts) {
        open.push(piece, &mut out)?;
    }
    open.finish(&mut out)?;
    Ok(out.to_vec())
}

/// Cuts `whole` into pieces as long as `cuts` says, again and again; some may be empty.
fn pieces<'a>(whole: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = whole;
    let mut lengths = cuts.iter().copied().chain([1, usize::MAX]);
    std::iter::from_fn(move || {
        let length = lengths.next()?;
        let (piece, tail) = rest.split_at(length.min(rest.len()));
        rest = tail;
        Some(piece)
    })
}

fn seal(alg: Alg, storage: Storage, plain: &[u8], cuts: &[usize]) -> Object {
    let data_key = DataKey::random().unwrap();
    let wrapped = wrap::wrap(alg, &data_key, &LocalKey::Aes(&aes(7))).unwrap();
    seal_with(&data_key, wrapped, storage, plain, cuts)
}

fn seal_with(
    data_key: &DataKey,
    wrapped: WrappedKey,
    storage: Storage,
    plain: &[u8],
    cuts: &[usize],
) -> Object {
    let sealer = s3ec::sealer(data_key, wrapped, storage, Some(plain.len() as u64)).unwrap();
    let beside = sealer.attributes();
    let promised = sealer.sealed_len(plain.len() as u64);
    let body = pushed(sealer, plain, cuts);
    assert_eq!(body.len() as u64, promised);
    Object { beside, body }
}

fn envelope(beside: &Attributes) -> Result<Envelope, Error> {
    match (detect(WHAT, &beside.metadata)?, &beside.instruction) {
        (Detected::S3ec(envelope), None) => Ok(envelope),
        (Detected::InstructionFileNeeded, Some(file)) => {
            with_instruction(WHAT, &beside.metadata, file.as_bytes())
        }
        (detected, file) => panic!("{detected:?} with instruction file {file:?}"),
    }
}

fn unwrap_envelope(beside: &Attributes, ring: KeyRing) -> Result<DecryptableEnvelope, Error> {
    let permitted = envelope(beside)?.permit(Legacy::Unauthenticated)?;
    Unwrapper::new(ring).unwrap_s3ec(permitted)
}

fn open(object: &Object, cuts: &[usize]) -> Result<Vec<u8>, Error> {
    opened(unwrap_envelope(&object.beside, ring_of(7))?.opener()?, &object.body, cuts)
}

fn assert_tampered(result: Result<Vec<u8>, Error>) {
    match result {
        Err(Error::Tampered { .. }) => {}
        other => panic!("{other:?} instead of a refusal"),
    }
}

fn algs() -> impl Strategy<Value = Alg> {
    prop_oneof![Just(Alg::Gcm), Just(Alg::Committing)]
}

fn storages() -> impl Strategy<Value = Storage> {
    prop_oneof![Just(Storage::Metadata), Just(Storage::InstructionFile)]
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(0usize..50, 0..20)
}

proptest! {
    #[test]
    fn what_is_sealed_opens(
        alg in algs(), storage in storages(), plain in vec(any::<u8>(), SIZES), up in cuts(), down in cuts(),
    ) {
        let object = seal(alg, storage, &plain, &up);
        prop_assert!(plain.len() < 16 || object.body.windows(16).all(|part| part != &plain[..16]));
        prop_assert_eq!(open(&object, &down).unwrap(), plain);
    }

    #[test]
    fn a_flipped_bit_is_refused(
        alg in algs(), plain in vec(any::<u8>(), SIZES), at in any::<prop::sample::Index>(), bit in 0..8u8, down in cuts(),
    ) {
        let mut object = seal(alg, Storage::Metadata, &plain, &[]);
        let at = at.index(object.body.len());
        object.body[at] ^= 1 << bit;
        assert_tampered(open(&object, &down));
    }

    #[test]
    fn a_cut_is_refused(
        alg in algs(), plain in vec(any::<u8>(), SIZES), at in any::<prop::sample::Index>(), down in cuts(),
    ) {
        let mut object = seal(alg, Storage::Metadata, &plain, &[]);
        object.body.truncate(at.index(object.body.len()));
        assert_tampered(open(&object, &down));
    }

    #[test]
    fn more_bytes_are_refused(
        alg in algs(), plain in vec(any::<u8>(), SIZES), more in vec(any::<u8>(), 1..40), down in cuts(),
    ) {
        let mut object = seal(alg, Storage::Metadata, &plain, &[]);
        object.body.extend(more);
        assert_tampered(open(&object, &down));
    }

    #[test]
    fn swapped_blocks_are_refused(
        alg in algs(), plain in vec(any::<u8>(), 32..300usize), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(),
    ) {
        let mut object = seal(alg, Storage::Metadata, &plain, &[]);
        let blocks = plain.len() / 16;
        let (a, b) = (a.index(blocks) * 16, b.index(blocks) * 16);
        prop_assume!(a != b);
        for i in 0..16 {
            object.body.swap(a + i, b + i);
        }
        assert_tampered(open(&object, &[]));
    }

    #[test]
    fn replaying_what_is_on_disk_is_like_opening_it(
        alg in algs(), plain in vec(any::<u8>(), SIZES), done in any::<prop::sample::Index>(), disk in cuts(), down in cuts(),
    ) {
        let object = seal(alg, Storage::Metadata, &plain, &[]);
        let done = done.index(plain.len() + 1);
        let mut opener = unwrap_envelope(&object.beside, ring_of(7)).unwrap().opener().unwrap();
        for piece in pieces(&plain[..done], &disk) {
            opener.replay(piece).unwrap();
        }
        prop_assert_eq!(opened(opener, &object.body[done..], &down).unwrap(), &plain[done..]);
    }

    #[test]
    fn replaying_other_bytes_is_refused(
        alg in algs(), plain in vec(any::<u8>(), 1..300usize), done in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        let object = seal(alg, Storage::Metadata, &plain, &[]);
        let done = done.index(plain.len()) + 1;
        let mut disk = plain[..done].to_vec();
        disk[done / 2] ^= 1 << bit;
        let mut opener = unwrap_envelope(&object.beside, ring_of(7)).unwrap().opener().unwrap();
        opener.replay(&disk).unwrap();
        assert_tampered(opened(opener, &object.body[done..], &[]));
    }

    #[test]
    fn a_range_is_a_part_of_the_whole(
        alg in algs(), plain in vec(any::<u8>(), 1..300usize), start in 0..320u64, len in 1..320u64, down in cuts(),
    ) {
        let object = seal(alg, Storage::Metadata, &plain, &[]);
        let unwrapped = unwrap_envelope(&object.beside, ring_of(7)).unwrap();
        let stored = object.body.len() as u64;
        match unwrapped.range(start..start + len, stored) {
            Ok(read) => {
                let index = |at: u64| usize::try_from(at).unwrap();
                let sealed = &object.body[index(read.sealed.start)..index(read.sealed.end)];
                let end = index(start + len).min(plain.len());
                prop_assert_eq!(opened(read.opener, sealed, &down).unwrap(), &plain[index(start)..end]);
            }
            Err(Error::OutOfRange { len, .. }) => {
                prop_assert_eq!(len, plain.len() as u64);
                prop_assert!(start >= len);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

#[test]
fn a_source_must_give_as_much_as_was_noted() {
    for (promised, given) in [(3, 2), (3, 4), (0, 1), (1, 0)] {
        let data_key = DataKey::random().unwrap();
        let wrapped = wrap::wrap(Alg::Committing, &data_key, &LocalKey::Aes(&aes(7))).unwrap();
        let mut sealer = s3ec::sealer(&data_key, wrapped, Storage::Metadata, Some(promised)).unwrap();
        let mut out = Output::new();
        let taken = sealer.push(&vec![0; given], &mut out);
        // Too much is refused at once, too little only at the end.
        assert_eq!(taken.is_err(), given as u64 > promised);
        let ended = taken.and_then(|()| sealer.finish(&mut out));
        assert!(matches!(ended, Err(Error::SourceChanged { .. })), "{promised} noted, {given} given");
    }
}

#[test]
fn more_than_the_format_holds_is_refused_at_once() {
    let data_key = DataKey::random().unwrap();
    let wrapped = || wrap::wrap(Alg::Committing, &data_key, &LocalKey::Aes(&aes(7))).unwrap();
    let limit = s3seal::seal::gcm::MAX_PLAIN;
    assert_eq!(limit, 68_719_476_704);
    assert!(s3ec::sealer(&data_key, wrapped(), Storage::Metadata, Some(limit)).is_ok());
    let refused = s3ec::sealer(&data_key, wrapped(), Storage::Metadata, Some(limit + 1));
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[test]
fn an_unnoted_length_is_written_nowhere() {
    let data_key = DataKey::random().unwrap();
    let wrapped = wrap::wrap(Alg::Committing, &data_key, &LocalKey::Aes(&aes(7))).unwrap();
    let sealer = s3ec::sealer(&data_key, wrapped, Storage::Metadata, None).unwrap();
    assert!(!sealer.attributes().metadata.contains_key("x-amz-unencrypted-content-length"));
    assert_eq!(pushed(sealer, b"", &[]).len(), TAG);
}

#[test]
fn a_message_shorter_than_its_tag_is_called_so() {
    for len in 0..TAG {
        let mut object = seal(Alg::Committing, Storage::Metadata, b"", &[]);
        object.body.truncate(len);
        let Err(Error::Tampered { why, .. }) = open(&object, &[]) else { panic!("not refused") };
        assert_eq!(why, "it is shorter than its authentication tag");
    }
}

#[test]
fn a_range_must_come_whole() {
    let object = seal(Alg::Committing, Storage::Metadata, &[7; 100], &[]);
    let unwrapped = unwrap_envelope(&object.beside, ring_of(7)).unwrap();
    let read = || unwrapped.range(20..50, object.body.len() as u64).unwrap().opener;
    assert!(opened(read(), &object.body[20..50], &[]).is_ok());
    assert_tampered(opened(read(), &object.body[20..49], &[]));
    assert_tampered(opened(read(), &object.body[20..51], &[]));
    assert_tampered(opened(read(), &[], &[]));
}

#[test]
fn a_range_needs_the_switch() {
    let object = seal(Alg::Committing, Storage::Metadata, b"some bytes", &[]);
    for legacy in [Legacy::Refused, Legacy::V2] {
        let permitted = envelope(&object.beside).unwrap().permit(legacy).unwrap();
        let unwrapped = Unwrapper::new(ring_of(7)).unwrap_s3ec(permitted).unwrap();
        let refused = unwrapped.range(0..4, object.body.len() as u64);
        let Err(Error::Unsupported { why, .. }) = refused.map(|_| ()) else { panic!("not refused") };
        assert!(matches!(why, Unsupported::Legacy { least: Legacy::Unauthenticated, .. }), "{why}");
    }
}

/// Cheap costs: what is derived is tested here, not how hard it is to guess.
const CHEAP: Argon2 = Argon2 { memory: 64, time: 1, parallelism: 2 };

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned()))
}

fn derived(text: &str) -> PassphraseKey {
    PassphraseKey::new(&passphrase(text), CHEAP).unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
