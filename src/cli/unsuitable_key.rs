//! Recognizes keys of other programs or for other flags, and says what to do instead.
//!
//! Only the label of a key, its first word and the name of its algorithm are looked at. Nothing of it is repeated.

use base64::prelude::{BASE64_STANDARD, Engine};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::key_source::{KeySource, Kind};
use super::sanitize::shell_word;
use crate::keys::SymmetricKey;

const BEGIN: &str = "-----BEGIN ";
/// Enough base64 of an OpenSSH private key for the name of its algorithm, which is not encrypted.
const SSH_HEAD: usize = 240;

const MAKE_KEY: &str = "make a key with `s3seal keygen FILE`, and pass it with --key FILE";
const MAKE_PAIR: &str = "or make an RSA pair: `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out open.pem && openssl pkey -in open.pem -pubout -out seal.pem`, and pass --public-key seal.pem";
const FIND_KEY: &str =
    "no object is encrypted with such a key; `s3seal inspect s3://BUCKET/KEY` shows the key that opens it";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    SshPrivate(Algorithm),
    SshPublic(Algorithm),
    /// A key of age, and whether it is the secret one.
    Age {
        secret: bool,
    },
    Pgp,
    Certificate,
    /// PEM where something else is needed.
    Pem(Half),
    /// A 256-bit key where PEM is needed.
    Symmetric,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rsa,
    Ed25519,
    Ecdsa,
    Other,
}

/// Refuses a key that is plainly of another kind; `encrypts` says whether it was to encrypt.
///
/// # Errors
/// A failure with the code for keys, and a hint that works when typed.
pub(super) fn refuse(
    flag: &str,
    source: &KeySource,
    kind: Kind,
    encrypts: bool,
    content: &[u8],
) -> Result<(), Failure> {
    let Some(found) = recognise(content, kind) else { return Ok(()) };
    let wanted = match kind {
        Kind::Key => "a 256-bit key",
        Kind::PrivateKey => "an RSA private key in PEM",
        Kind::PublicKey => "an RSA public key in PEM",
        Kind::Passphrase => "a passphrase",
        Kind::Any => "a 256-bit key or an RSA key in PEM",
    };
    let failure = Failure::key(format!("{flag}: {source} is {}, not {wanted}", found.words()));
    let file = match source {
        KeySource::File(path) => path.display().to_string(),
        _ => "FILE".to_owned(),
    };
    let place = Place { flag, kind, encrypts, file };
    Err(place.hints(found).into_iter().fold(failure, Failure::hint))
}

/// The half of a pair that a PEM file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Private,
    Public,
}

/// Which half a PEM file says that it holds, by its first label; `None` if it is no key in PEM.
pub(super) fn pem_half(content: &[u8]) -> Option<Half> {
    let (label, _) = std::str::from_utf8(content).ok()?.split_once(BEGIN)?.1.split_once("-----")?;
    let half = if label.contains("PRIVATE") { Half::Private } else { Half::Public };
    label.ends_with("KEY").then_some(half)
}

fn recognise(content: &[u8], kind: Kind) -> Option<Found> {
    let is_symmetric = || {
        let is_pem_wanted = matches!(kind, Kind::PrivateKey | Kind::PublicKey);
        (is_pem_wanted && SymmetricKey::recognise(content).is_ok()).then_some(Found::Symmetric)
    };
    let Ok(text) = std::str::from_utf8(content) else { return is_symmetric() };
    if let Some((_, block)) = text.split_once(BEGIN) {
        let (label, body) = block.split_once("-----")?;
        return match label {
            "OPENSSH PRIVATE KEY" => Some(Found::SshPrivate(private_algorithm(body))),
            "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => Some(Found::Certificate),
            label if label.starts_with("PGP ") => Some(Found::Pgp),
            _ if matches!(kind, Kind::Key | Kind::Passphrase) => pem_half(content).map(Found::Pem),
            _ => None,
        };
    }
    // Lines of age-keygen before a key begin with #.
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let mut words = line.split_whitespace();
    let (first, second) = (words.next()?, words.next());
    let bech32 = |text: &str| text.len() > 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if first.starts_with("AGE-SECRET-KEY-") {
        return Some(Found::Age { secret: true });
    }
    if second.is_none() && first.strip_prefix("age1").is_some_and(bech32) {
        return Some(Found::Age { secret: false });
    }
    let is_ssh = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| first.starts_with(start));
    if is_ssh && second.is_some_and(|blob| blob.starts_with("AAAA")) {
        return Some(Found::SshPublic(Algorithm::named(first)));
    }
    is_symmetric()
}

/// The algorithm of an OpenSSH private key: its public half stands first, in the clear (OpenSSH's `PROTOCOL.key`).
fn private_algorithm(body: &str) -> Algorithm {
    let head: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(SSH_HEAD).collect());
    let whole = head.len() / 4 * 4;
    let Ok(bytes) = BASE64_STANDARD.decode(&head[..whole]).map(Zeroizing::new) else {
        return Algorithm::Other;
    };
    ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-"]
        .into_iter()
        .find(|name| bytes.windows(name.len()).any(|window| window == name.as_bytes()))
        .map_or(Algorithm::Other, Algorithm::named)
}

impl Algorithm {
    fn named(name: &str) -> Self {
        match name {
            "ssh-rsa" => Self::Rsa,
            "ssh-ed25519" => Self::Ed25519,
            name if name.starts_with("ecdsa-sha2-") => Self::Ecdsa,
            _ => Self::Other,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Rsa => " (RSA)",
            Self::Ed25519 => " (Ed25519)",
            Self::Ecdsa => " (ECDSA)",
            Self::Other => "",
        }
    }
}

impl Found {
    fn words(self) -> String {
        match self {
            Self::SshPrivate(algorithm) => format!("an SSH private key{}", algorithm.words()),
            Self::SshPublic(algorithm) => format!("an SSH public key{}", algorithm.words()),
            Self::Age { secret: true } => "a secret key of age".to_owned(),
            Self::Age { secret: false } => "a public key of age".to_owned(),
            Self::Pgp => "a PGP key or message".to_owned(),
            Self::Certificate => "an X.509 certificate".to_owned(),
            Self::Pem(Half::Private) => "a private key in PEM".to_owned(),
            Self::Pem(Half::Public) => "a public key in PEM".to_owned(),
            Self::Symmetric => "a 256-bit key".to_owned(),
        }
    }
}

/// Where a key was given.
struct Place<'a> {
    flag: &'a str,
    kind: Kind,
    /// It was to encrypt.
    encrypts: bool,
    /// The file, or a word for it.
    file: String,
}

impl Place<'_> {
    fn hints(&self, found: Found) -> Vec<String> {
        let file = shell_word(&self.file);
        match found {
            // S3 takes 256 bits and nothing else.
            _ if self.flag.ends_with("sse-c-key") => vec![if self.encrypts {
                "SSE-C needs a 256-bit key: make one with `s3seal keygen FILE`".to_owned()
            } else {
                "pass the 256-bit key that it was stored with".to_owned()
            }],
            Found::SshPrivate(Algorithm::Rsa) | Found::SshPublic(Algorithm::Rsa) => self.of_ssh_rsa(),
            Found::Age { secret } if !self.encrypts => {
                let key = if secret { &file } else { "KEY-FILE" };
                vec![format!(
                    "what age encrypted, age decrypts: `s3seal get s3://BUCKET/KEY - | age -d -i {key}`"
                )]
            }
            Found::Pgp if !self.encrypts => {
                vec!["what gpg encrypted, gpg decrypts: `s3seal get s3://BUCKET/KEY - | gpg -d`".to_owned()]
            }
            Found::SshPrivate(_) | Found::SshPublic(_) | Found::Age { .. } | Found::Pgp => {
                if self.encrypts {
                    vec![format!("such a key cannot be used: {MAKE_KEY}"), MAKE_PAIR.to_owned()]
                } else {
                    vec![FIND_KEY.to_owned()]
                }
            }
            Found::Certificate => self.of_public_half(&format!("openssl x509 -in {file} -noout -pubkey")),
            Found::Pem(Half::Private) if self.encrypts => {
                self.of_public_half(&format!("openssl pkey -in {file} -pubout"))
            }
            Found::Pem(Half::Public) if self.encrypts => {
                vec![self.instead("public-key", &self.file)]
            }
            Found::Pem(Half::Private) => vec![self.instead("private-key", &self.file)],
            Found::Pem(Half::Public) => vec![self.needs_private()],
            Found::Symmetric => vec![self.instead("key", &self.file)],
        }
    }

    fn of_ssh_rsa(&self) -> Vec<String> {
        let private = self.file.strip_suffix(".pub").unwrap_or(&self.file);
        if self.encrypts {
            return self.of_public_half(&format!("ssh-keygen -e -m PKCS8 -f {}", shell_word(&self.file)));
        }
        let copy = format!("{private}.pem");
        let (from, to) = (shell_word(private), shell_word(&copy));
        vec![
            format!("convert a copy to PEM: `cp {from} {to} && ssh-keygen -p -m PKCS8 -N '' -f {to}`"),
            format!("then {}", self.instead("private-key", &copy)),
        ]
    }

    /// A command that prints the public key in PEM, where one encrypts; where one decrypts it is of no use.
    fn of_public_half(&self, command: &str) -> Vec<String> {
        if !self.encrypts {
            return vec![self.needs_private()];
        }
        let public = format!("{}.pub.pem", self.file.strip_suffix(".pub").unwrap_or(&self.file));
        let mut hints = vec![
            format!("write its public key in PEM: `{command} > {}`", shell_word(&public)),
            format!("then {}", self.instead("public-key", &public)),
        ];
        if matches!(self.kind, Kind::Key | Kind::Passphrase) {
            hints.push(format!("or {MAKE_KEY}"));
        }
        hints
    }

    fn needs_private(&self) -> String {
        format!("decryption needs the RSA private key in PEM: {}private-key FILE", self.prefix())
    }

    fn instead(&self, option: &str, file: &str) -> String {
        let named = match self.kind {
            Kind::Any => self.flag.to_owned(),
            _ => format!("{}{option}", self.prefix()),
        };
        if named == self.flag {
            format!("pass {named} {}", shell_word(file))
        } else {
            format!("pass {named} {} instead of {}", shell_word(file), self.flag)
        }
    }

    fn prefix(&self) -> &'static str {
        if self.flag.starts_with("--from-") { "--from-" } else { "--" }
    }
}
