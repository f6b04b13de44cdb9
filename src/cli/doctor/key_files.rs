//! The keys of this machine: whether they can be read, what they are, and who else can get at their files.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::cli::decryption_args::{LocalKeySources, LocalKeys};
use crate::cli::encryption_args::Choice;
use crate::cli::failure::Failure;
use crate::cli::key_reader::KeyReader;
use crate::cli::key_source::KeySource;
use crate::commands::doctor::{Check, Name, Problem, Remedy};
use crate::encryption::{Encryption, Recipient, ServerSide};
use crate::keys::RsaPrivateKey;

/// The flag of keys that only decrypt.
pub(super) const PRIVATE_KEY: &str = "--private-key";

/// What was read.
#[derive(Default)]
pub(super) struct KeysRead {
    pub(super) checks: Vec<Check>,
    /// `None` if a key cannot be read, or no mode was asked for.
    pub(super) encryption: Option<Encryption>,
    pub(super) private: Vec<RsaPrivateKey>,
    /// Those that objects have before a rotation.
    pub(super) old: LocalKeys,
}

/// The keys that the flags name, none of them read yet.
pub(super) struct AskedKeys {
    pub(super) choice: Option<Choice>,
    pub(super) private: Vec<KeySource>,
    pub(super) old: LocalKeySources,
    pub(super) reader: KeyReader,
}

impl AskedKeys {
    /// Reads all keys; may wait for a person or another program.
    pub(super) fn read(self) -> KeysRead {
        let mut read = KeysRead::default();
        if let Some(choice) = self.choice {
            let sources = choice.sources();
            match choice.with_keys(&self.reader) {
                Ok(encryption) => {
                    let kinds = kinds(&encryption);
                    let checks = sources.iter().zip(&kinds).map(|(source, kind)| readable(source, kind));
                    read.checks.extend(checks);
                    read.encryption = Some(encryption);
                }
                Err(failure) => read.checks.push(unusable(failure)),
            }
        }
        for source in self.private {
            match self.reader.private_key(PRIVATE_KEY, &source) {
                Ok(key) => {
                    let words = format!("RSA private key, fingerprint {}", key.public().fingerprint());
                    read.checks.push(readable(&source, &KeyKind { words, is_secret: true }));
                    read.private.push(key);
                }
                Err(failure) => read.checks.push(unusable(failure)),
            }
        }
        for (source, old) in self.old.each() {
            match old.read() {
                Ok(keys) => {
                    read.checks.push(readable(&source, &kind_of_old(&keys)));
                    read.old.add(keys);
                }
                Err(failure) => read.checks.push(unusable(failure)),
            }
        }
        read
    }
}

struct KeyKind {
    words: String,
    is_secret: bool,
}

/// The keys of this machine, in the order of their sources.
fn kinds(encryption: &Encryption) -> Vec<KeyKind> {
    let secret = |words| KeyKind { words, is_secret: true };
    match encryption {
        Encryption::Server(ServerSide::SseC(key)) => {
            vec![secret(format!("256-bit key for S3, fingerprint {}, MD5 {}", key.fingerprint(), key.md5()))]
        }
        Encryption::Server(_) => Vec::new(),
        Encryption::Client(client) => {
            let kinds = client.recipients.iter().filter_map(|recipient| match recipient {
                Recipient::Aes(key) => {
                    Some(secret(format!("256-bit key, fingerprint {}", key.fingerprint())))
                }
                Recipient::Rsa(key) => {
                    let words = format!("RSA public key, fingerprint {}", key.fingerprint());
                    Some(KeyKind { words, is_secret: false })
                }
                Recipient::Passphrase(..) => Some(secret("passphrase".to_owned())),
                Recipient::Kms(_) => None,
            });
            kinds.collect()
        }
    }
}

/// What one source has given; a text that can be read as two keys has two fingerprints.
fn kind_of_old(keys: &LocalKeys) -> KeyKind {
    let customer =
        keys.customer.iter().map(|key| format!("256-bit key for S3, fingerprint {}", key.fingerprint()));
    let symmetric = keys.ring.symmetric.iter();
    let symmetric = symmetric
        .map(|key| format!("{}-bit key, fingerprint {}", key.as_bytes().len() * 8, key.fingerprint()));
    let private = keys.ring.private.iter();
    let private = private.map(|key| format!("RSA private key, fingerprint {}", key.public().fingerprint()));
    let passphrases = keys.ring.passphrases.iter().map(|_| "passphrase".to_owned());
    let all: Vec<String> = customer.chain(symmetric).chain(private).chain(passphrases).collect();
    KeyKind { words: format!("old {}", all.join(" or ")), is_secret: true }
}

/// A key that was read, and whether others can get at its file.
fn readable(source: &KeySource, kind: &KeyKind) -> Check {
    let seen = format!("{source}: {}", kind.words);
    let KeySource::File(path) = source else { return Check::ok(Name::Key, seen) };
    let Ok(metadata) = fs::metadata(path) else { return Check::ok(Name::Key, seen) };
    if !metadata.is_file() {
        return Check::ok(Name::Key, seen);
    }
    let holder = Holder {
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        user: rustix::process::geteuid().as_raw(),
    };
    let seen = format!("{seen}, mode {:04o}, {}", holder.mode, holder.owner_in_words());
    match holder.danger(kind.is_secret) {
        None => Check::ok(Name::Key, seen),
        Some(danger) => Check::warning(Name::Key, format!("{seen}: {danger}")),
    }
}

/// Whose file a key is in.
struct Holder {
    mode: u32,
    owner: u32,
    user: u32,
}

impl Holder {
    fn owner_in_words(&self) -> String {
        match self.owner {
            owner if owner == self.user => "yours".to_owned(),
            0 => "of root".to_owned(),
            owner => format!("of user {owner}"),
        }
    }

    /// What others can do to the key. Who can write a public key chooses who can decrypt.
    fn danger(&self, is_secret: bool) -> Option<&'static str> {
        if is_secret && self.mode & 0o077 != 0 {
            return Some("other users can access it");
        }
        if self.mode & 0o022 != 0 {
            return Some("other users can change it");
        }
        (self.owner != self.user && self.owner != 0).then_some("its owner can change it")
    }
}

/// A key that cannot be used, in the words in which the verb would refuse it.
fn unusable(failure: Failure) -> Check {
    let check = Check::failed(Name::Key, Problem::Key, format!("{:#}", failure.error));
    failure.hints.into_iter().fold(check, |check, hint| check.mended_by(Remedy::Advice(hint)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_that_others_can_get_at_is_noticed() {
        let danger = |mode, owner, is_secret| Holder { mode, owner, user: 1000 }.danger(is_secret);
        assert_eq!(danger(0o600, 1000, true), None);
        assert_eq!(danger(0o400, 0, true), None);
        assert_eq!(danger(0o644, 1000, true), Some("other users can access it"));
        assert_eq!(danger(0o644, 1000, false), None);
        assert_eq!(danger(0o664, 1000, false), Some("other users can change it"));
        assert_eq!(danger(0o600, 1001, true), Some("its owner can change it"));
    }
}
