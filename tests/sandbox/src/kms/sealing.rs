//! The ciphertext blob: AES-256-GCM under a key's material, naming its key, bound to its context.
//!
//! Real encryption rather than a table of tokens, so that a changed blob, key or context fails as it does on AWS.
//! The layout is our own; AWS documents none, and clients must not look inside.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand;

use super::Context;
use super::keys::{Key, Keys};
use super::refusal::KmsRefusal;

/// What every blob begins with; blobs of AWS begin so too, and show in base64 as `AQIC`.
const MAGIC: [u8; 4] = [1, 2, 2, 0];
const IV_LEN: usize = 12;

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Fills a place with random bytes from the system.
pub(super) fn fill(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the system gives random numbers");
}

/// Encrypts `plain` under `key`: magic, length and bytes of the key id, IV, ciphertext, tag.
pub(super) fn seal(key: &Key, context: &Context, plain: &[u8]) -> Vec<u8> {
    let iv: [u8; IV_LEN] = random();
    let mut head = MAGIC.to_vec();
    head.push(u8::try_from(key.id.len()).expect("ids are short"));
    head.extend_from_slice(key.id.as_bytes());
    let mut body = plain.to_vec();
    cipher(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(iv),
            Aad::from(authenticated(&head, context)),
            &mut body,
        )
        .expect("a short message can be sealed");
    head.extend_from_slice(&iv);
    head.extend_from_slice(&body);
    head
}

/// Decrypts a blob: the key it names, and the plaintext. Whether that key may be used is not asked here.
pub(super) fn open<'a>(
    keys: &'a Keys,
    blob: &[u8],
    context: &Context,
) -> Result<(&'a Key, Vec<u8>), KmsRefusal> {
    let key = key_of(keys, blob)?;
    let (head, rest) = blob.split_at(MAGIC.len() + 1 + key.id.len());
    let (iv, body) = rest.split_at_checked(IV_LEN).ok_or(KmsRefusal::InvalidCiphertext)?;
    let iv = Nonce::try_assume_unique_for_key(iv).map_err(|_| KmsRefusal::InvalidCiphertext)?;
    let mut body = body.to_vec();
    let plain = cipher(key)
        .open_in_place(iv, Aad::from(authenticated(head, context)), &mut body)
        .map_err(|_| KmsRefusal::InvalidCiphertext)?;
    Ok((key, plain.to_vec()))
}

/// The key that a blob names.
pub(super) fn key_of<'a>(keys: &'a Keys, blob: &[u8]) -> Result<&'a Key, KmsRefusal> {
    let name = || {
        let rest = blob.strip_prefix(&MAGIC)?;
        let (len, rest) = rest.split_first()?;
        std::str::from_utf8(rest.get(..usize::from(*len))?).ok()
    };
    name().and_then(|id| keys.get(id)).ok_or(KmsRefusal::InvalidCiphertext)
}

fn cipher(key: &Key) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key.material).expect("32 bytes are a key"))
}

/// Head and context, each string with its length before it, so that no two contexts read the same.
fn authenticated(head: &[u8], context: &Context) -> Vec<u8> {
    let mut all = head.to_vec();
    for text in context.iter().flat_map(|(name, value)| [name, value]) {
        all.extend_from_slice(&(text.len() as u64).to_be_bytes());
        all.extend_from_slice(text.as_bytes());
    }
    all
}
