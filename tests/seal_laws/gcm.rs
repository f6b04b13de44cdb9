//! The fast AES-GCM: equal to another implementation, right on Wycheproof's vectors, limited as the standard says.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::cipher::consts::U12;
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, Nonce};
use s3seal::seal::gcm::{Counter, Gmac, MAX_PLAIN, NONCE_LEN, Opening, Sealing};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

use super::*;

fn reference(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: plain, aad };
    let nonce = Nonce::from(nonce);
    match key.len() {
        16 => AesGcm::<Aes128, U12>::new_from_slice(key).unwrap().encrypt(&nonce, payload),
        24 => AesGcm::<Aes192, U12>::new_from_slice(key).unwrap().encrypt(&nonce, payload),
        _ => AesGcm::<Aes256, U12>::new_from_slice(key).unwrap().encrypt(&nonce, payload),
    }
    .unwrap()
}

fn sealed(key: &[u8], nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut sealing = Sealing::new(key, &nonce, aad).unwrap();
    let mut out = Output::new();
    for piece in pieces(plain, cuts) {
        sealing.push(piece, &mut out).unwrap();
    }
    out.extend_from_slice(&sealing.finish().unwrap());
    out.to_vec()
}

/// What comes out, and whether the tag proves it.
fn opened(
    key: &[u8],
    nonce: [u8; NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
    tag: [u8; TAG],
    cuts: &[usize],
) -> (Vec<u8>, bool) {
    let mut opening = Opening::new(key, &nonce, aad).unwrap();
    let mut out = Output::new();
    for piece in pieces(sealed, cuts) {
        opening.push(piece, &mut out).unwrap();
    }
    (out.to_vec(), opening.finish(&tag).unwrap())
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 16), vec(any::<u8>(), 24), vec(any::<u8>(), 32)]
}

proptest! {
    #[test]
    fn fast_gcm_is_gcm(
        key in keys(), nonce: [u8; NONCE_LEN], aad in vec(any::<u8>(), 0..40),
        plain in vec(any::<u8>(), 0..3000usize), up in cuts(), down in cuts(),
    ) {
        let expected = reference(&key, nonce, &aad, &plain);
        prop_assert_eq!(&sealed(&key, nonce, &aad, &plain, &up), &expected);
        let (body, tag) = expected.split_last_chunk::<TAG>().unwrap();
        prop_assert_eq!(opened(&key, nonce, &aad, body, *tag, &down), (plain, true));
        let mut wrong = *tag;
        wrong[usize::from(key[0]) % TAG] ^= 1 << (key[1] % 8);
        prop_assert!(!opened(&key, nonce, &aad, body, wrong, &down).1);
    }

    #[test]
    fn the_counter_mode_is_the_one_inside_gcm(
        key in keys(), nonce: [u8; NONCE_LEN], plain in vec(any::<u8>(), 1..3000usize),
        from in any::<prop::sample::Index>(), cuts in cuts(),
    ) {
        let sealed = reference(&key, nonce, &[], &plain);
        let from = from.index(plain.len());
        let mut counter = Counter::new(&key, &nonce, from as u64).unwrap();
        let mut out = Output::new();
        for piece in pieces(&sealed[from..plain.len()], &cuts) {
            counter.push(piece, &mut out).unwrap();
        }
        prop_assert_eq!(&out[..], &plain[from..]);
    }

    #[test]
    fn a_tag_of_bytes_in_pieces_is_that_of_gcm_without_plaintext(
        key in keys(), number: u64, bytes in vec(any::<u8>(), 0..3000usize), cuts in cuts(),
    ) {
        let mut nonce = [0; NONCE_LEN];
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        let gmac = Gmac::new(DataKey::new(Zeroizing::new(key.clone())).unwrap());
        let tag = gmac.tag(number, pieces(&bytes, &cuts)).unwrap();
        prop_assert_eq!(&tag[..], &reference(&key, nonce, &bytes, &[])[..]);
    }
}

#[test]
fn one_large_message_is_gcm_too() {
    let plain: Vec<u8> = (0..5_000_001u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
    let expected = reference(&[9; 32], [3; NONCE_LEN], b"aad", &plain);
    assert!(sealed(&[9; 32], [3; NONCE_LEN], b"aad", &plain, &[1 << 20, 5, 1 << 21]) == expected);
}

#[test]
fn the_last_block_has_the_last_counter_and_there_is_none_after_it() {
    use aes_gcm::aes::cipher::{Array, BlockCipherEncrypt};
    let mut block = Array::from([0xff; 16]);
    block[..NONCE_LEN].copy_from_slice(&[5; NONCE_LEN]);
    Aes256::new_from_slice(&[9; 32]).unwrap().encrypt_block(&mut block);

    let mut out = Output::new();
    let mut counter = Counter::new(&[9; 32], &[5; NONCE_LEN], MAX_PLAIN - 16).unwrap();
    counter.push(&[0; 16], &mut out).unwrap();
    assert_eq!(out[..], block[..]);
    assert!(matches!(counter.push(&[0], &mut out), Err(Error::TooLarge { .. })));
    assert_eq!(out.len(), 16);
    assert!(matches!(Counter::new(&[9; 32], &[5; NONCE_LEN], MAX_PLAIN), Err(Error::TooLarge { .. })));
}

#[test]
fn a_key_of_another_length_is_refused() {
    for len in [0, 8, 15, 17, 31, 33, 64] {
        assert!(Sealing::new(&vec![0; len], &[0; NONCE_LEN], b"").is_err());
        assert!(Opening::new(&vec![0; len], &[0; NONCE_LEN], b"").is_err());
        assert!(Counter::new(&vec![0; len], &[0; NONCE_LEN], 0).is_err());
    }
}

#[test]
fn wycheproof() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let mut run = 0;
    for group in set.test_groups.iter().filter(|group| group.nonce_size == 96 && group.tag_size == 128) {
        for test in &group.tests {
            let nonce: [u8; NONCE_LEN] = test.nonce[..].try_into().unwrap();
            let tag: [u8; TAG] = test.tag[..].try_into().unwrap();
            let (key, aad, body) = (&test.key[..], &test.aad[..], &test.ct[..]);
            for cuts in [&[][..], &[1; 20], &[5, 16, 3]] {
                let (plain, proven) = opened(key, nonce, aad, body, tag, cuts);
                let valid = test.result == TestResult::Valid;
                assert_eq!(proven, valid, "test {}: {}", test.tc_id, test.comment);
                if valid {
                    assert_eq!(plain, test.pt[..], "test {}", test.tc_id);
                    assert_eq!(sealed(key, nonce, aad, &plain, cuts), [body, &tag].concat());
                }
            }
            run += 1;
        }
    }
    assert!(run > 150, "{run} tests only");
}
