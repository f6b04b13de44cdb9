//! Reads keys and passphrases from their sources: the only place where secrets enter the program.

use std::env;
use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use super::failure::Failure;
use super::key_bytes::read_to_end;
use super::key_command;
use super::key_source::{KeySource, Kind, SourceText, stdin_is_key, unreadable};
use super::prompt;
use super::sanitize::shell_word;
use super::unsuitable_key::{self, Half};
use crate::keys::{CustomerKey, KeyError, Passphrase, RsaPrivateKey, RsaPublicKey, SymmetricKey};
use crate::limits::MAX_KEY_FILE_BYTES;
use crate::seal::wrap;

/// `--allow-open-key-file`, for every verb that reads keys.
#[derive(clap::Args)]
pub(crate) struct KeyFileArgs {
    /// Accept a key file that others can read or change
    #[arg(long)]
    pub(crate) allow_open_key_file: bool,
}

/// A key of any kind that has a fingerprint.
pub(crate) enum AnyKey {
    Symmetric(SymmetricKey),
    Private(RsaPrivateKey),
    Public(RsaPublicKey),
}

/// Reads key sources under the rules of one verb.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(crate) struct KeyReader {
    /// Standard input carries the object.
    pub(crate) stdin_is_data: bool,
    /// Other users may read the key file, or change that of a public key.
    pub(crate) allow_open: bool,
    /// A key to encrypt with need not look random.
    pub(crate) allow_weak: bool,
    /// The key encrypts: a typed one is asked for twice.
    pub(crate) encrypts: bool,
}

impl KeyReader {
    /// Parses the source of a key.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub(crate) fn key_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        text.parse(flag, Kind::Key, self.stdin_is_data)
    }

    /// Parses the source of a passphrase.
    pub(crate) fn passphrase_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        text.parse(flag, Kind::Passphrase, self.stdin_is_data)
    }

    /// Parses the source of a public key.
    pub(crate) fn public_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        text.parse(flag, Kind::PublicKey, self.stdin_is_data)
    }

    /// Parses the source of a key of any kind.
    pub(crate) fn any_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        text.parse(flag, Kind::Any, self.stdin_is_data)
    }

    /// Reads a key of any kind; two keys where the text of an AES key can be read in two ways.
    pub(crate) fn any(&self, flag: &str, source: &KeySource) -> Result<Vec<AnyKey>, Failure> {
        let content = self.read(flag, source, Kind::Any)?;
        match unsuitable_key::pem_half(&content) {
            Some(Half::Public) => wrap::rsa_pem::public_key(&content).map(|key| vec![AnyKey::Public(key)]),
            Some(Half::Private) => wrap::rsa_pem::private_key(&content).map(|key| vec![AnyKey::Private(key)]),
            None => SymmetricKey::recognise_to_open(&content)
                .map(|keys| keys.into_iter().map(AnyKey::Symmetric).collect()),
        }
        .map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads a 256-bit key.
    ///
    /// # Errors
    /// A failure with the code for keys, naming the flag and what was found.
    pub(crate) fn symmetric(&self, flag: &str, source: &KeySource) -> Result<SymmetricKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        self.not_weak(flag, source, &content)?;
        SymmetricKey::recognise(&content).map_err(|error| self.not_a_256_bit_key(flag, source, &error))
    }

    /// Reads an SSE-C key: the only kind that is sent to S3.
    pub(crate) fn customer_key(&self, flag: &str, source: &KeySource) -> Result<CustomerKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        self.not_weak(flag, source, &content)?;
        CustomerKey::recognise(&content).map_err(|error| self.not_a_256_bit_key(flag, source, &error))
    }

    /// Reads an AES key to decrypt with, which may be shorter; two keys where its text can be read in two ways.
    pub(crate) fn to_open(&self, flag: &str, source: &KeySource) -> Result<Vec<SymmetricKey>, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        SymmetricKey::recognise_to_open(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads an RSA private key in PEM.
    pub(crate) fn private_key(&self, flag: &str, source: &KeySource) -> Result<RsaPrivateKey, Failure> {
        let content = self.read(flag, source, Kind::PrivateKey)?;
        wrap::rsa_pem::private_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads an RSA public key in PEM.
    pub(crate) fn public_key(&self, flag: &str, source: &KeySource) -> Result<RsaPublicKey, Failure> {
        let content = self.read(flag, source, Kind::PublicKey)?;
        wrap::rsa_pem::public_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads a passphrase, without one line end after it.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`], also for an empty one or one that is not UTF-8.
    pub(crate) fn passphrase(&self, flag: &str, source: &KeySource) -> Result<Passphrase, Failure> {
        let mut content = self.read(flag, source, Kind::Passphrase)?;
        if content.last() == Some(&b'\n') {
            content.pop();
            if content.last() == Some(&b'\r') {
                content.pop();
            }
        }
        if content.is_empty() {
            return Err(Failure::key(format!("{flag}: the passphrase from {source} is empty")));
        }
        match String::from_utf8(std::mem::take(&mut *content)) {
            Ok(text) => Ok(Passphrase::new(Zeroizing::new(text))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err(Failure::key(format!("{flag}: the passphrase from {source} is not UTF-8 text")))
            }
        }
    }

    fn not_weak(&self, flag: &str, source: &KeySource, content: &[u8]) -> Result<(), Failure> {
        let key = SymmetricKey::recognise(content).ok().filter(|_| !self.allow_weak);
        match key.and_then(|key| key.weakness()) {
            None => Ok(()),
            Some(why) => Err(Failure::key(format!("{flag}: the key from {source} is not random: {why}"))
                .hint("make one with `s3seal keygen FILE`; for words that people remember use --passphrase")
                .hint("or use it anyway with --allow-weak-key")),
        }
    }

    fn not_a_256_bit_key(&self, flag: &str, source: &KeySource, error: &KeyError) -> Failure {
        let failure = not_a_key(flag, source, error);
        // A new key does not decrypt.
        if self.encrypts { failure.hint("make one with `s3seal keygen FILE`") } else { failure }
    }

    fn read(&self, flag: &str, source: &KeySource, kind: Kind) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable = |error| unreadable(flag, source, error);
        let mut opened = None;
        let content = match source {
            KeySource::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                opened = Some((path, file.metadata().map_err(unreadable)?));
                read_to_end(file).map_err(unreadable)?
            }
            KeySource::Env(name) => match env::var_os(name) {
                Some(value) => Zeroizing::new(value.into_vec()),
                None => {
                    return Err(Failure::key(format!("{flag}: the environment variable {name} is not set")));
                }
            },
            // Opened by name: to take the descriptor over would need unsafe code.
            KeySource::Fd(number) => {
                File::open(format!("/dev/fd/{number}")).and_then(read_to_end).map_err(unreadable)?
            }
            KeySource::Command(line) => {
                let stdin_is_taken = self.stdin_is_data || stdin_is_key();
                key_command::output_of(flag, line, stdin_is_taken)?
            }
            KeySource::Prompt => {
                let what = if kind == Kind::Passphrase { "Passphrase" } else { "Key" };
                let mut typed = prompt::secret(&format!("{what} ({flag})"), self.encrypts)?;
                Zeroizing::new(std::mem::take(&mut *typed).into_bytes())
            }
        };
        if content.len() > MAX_KEY_FILE_BYTES {
            return Err(Failure::key(format!(
                "{flag}: {source} has more than {MAX_KEY_FILE_BYTES} bytes, too many for a key"
            )));
        }
        // Before the file's mode: `chmod` helps with no key of another kind.
        unsuitable_key::refuse(flag, source, kind, self.encrypts, &content)?;
        let is_public = match kind {
            Kind::PublicKey => true,
            Kind::Any => unsuitable_key::pem_half(&content) == Some(Half::Public),
            Kind::Key | Kind::PrivateKey | Kind::Passphrase => false,
        };
        match opened {
            Some((path, metadata)) if !self.allow_open => {
                closed_to_others(flag, path, &metadata, is_public)?;
            }
            _ => {}
        }
        Ok(content)
    }
}

/// Refuses a regular file that its group or others can access or, with a public key, can change: who replaces that key can
/// decrypt what is encrypted from then on. For pipes and devices permissions say nothing.
fn closed_to_others(flag: &str, path: &Path, metadata: &Metadata, is_public: bool) -> Result<(), Failure> {
    let (of_others, can, remedy) =
        if is_public { (0o022, "change", "chmod go-w") } else { (0o077, "access", "chmod 600") };
    let mode = metadata.permissions().mode();
    if !metadata.is_file() || mode & of_others == 0 {
        return Ok(());
    }
    let shown = path.display().to_string();
    Err(Failure::key(format!("{flag}: other users can {can} {shown} (mode {:04o})", mode & 0o7777))
        .hint(format!("{remedy} {}", shell_word(&shown)))
        .hint("or allow it with --allow-open-key-file"))
}

fn not_a_key(flag: &str, source: &KeySource, error: &KeyError) -> Failure {
    Failure::key(format!("{flag}: {source}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::PathBuf;

    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn reader() -> KeyReader {
        KeyReader { stdin_is_data: false, allow_open: false, allow_weak: false, encrypts: false }
    }

    /// A file of its own for each test; gone at its end.
    struct Kept(PathBuf);

    impl Kept {
        fn new(name: &str, mode: u32, content: &[u8]) -> Self {
            let path = env::temp_dir().join(format!("s3seal-{name}-{}", std::process::id()));
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).unwrap();
            file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
            file.write_all(content).unwrap();
            Self(path)
        }

        fn source(&self) -> KeySource {
            KeySource::File(self.0.clone())
        }
    }

    impl Drop for Kept {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_file_gives_its_key_only_if_it_is_closed_to_others() {
        let closed = Kept::new("closed", 0o600, HEX.as_bytes());
        assert_eq!(reader().symmetric("--key", &closed.source()).ok().unwrap().as_bytes()[31], 0x1f);
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let open = Kept::new(&format!("open-{mode:o}"), mode, HEX.as_bytes());
            let failure = reader().symmetric("--key", &open.source()).err().unwrap();
            assert!(failure.hints[0].starts_with("chmod 600 "), "{:?}", failure.hints);
            let lax = KeyReader { allow_open: true, ..reader() };
            assert!(lax.symmetric("--key", &open.source()).is_ok());
        }
    }

    #[test]
    fn a_passphrase_loses_one_line_end_and_no_more() {
        let read = |content: &[u8]| {
            let file = Kept::new(&format!("pass-{}", content.len()), 0o600, content);
            reader().passphrase("--passphrase", &file.source()).map(|phrase| phrase.as_bytes().to_vec())
        };
        assert_eq!(read(b"correct horse\n").unwrap(), b"correct horse");
        assert_eq!(read(b" a\r\n").unwrap(), b" a");
        assert_eq!(read(b"two\n\n").unwrap(), b"two\n");
        assert_eq!(read("höße".as_bytes()).unwrap(), "höße".as_bytes());
        assert!(read(b"\n").is_err());
        assert!(read(b"").is_err());
        assert!(read(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn a_command_gives_its_output_unless_it_fails() {
        let command = |line: &str| reader().symmetric("--key", &KeySource::Command(line.to_owned()));
        assert!(command(&format!("echo {HEX}")).is_ok());
        let failed = command(&format!("echo {HEX}; exit 3")).err().unwrap();
        assert!(failed.error.to_string().contains("exit status: 3"), "{:#}", failed.error);
        // More than any key, and without an end: it must neither fill the memory nor hang.
        let endless =
            command("while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done").err().unwrap();
        assert!(endless.error.to_string().contains("more than"), "{:#}", endless.error);
    }

    #[test]
    fn a_command_does_not_inherit_what_held_a_key() {
        // Both variables are set by cargo for its tests; one of them plays the key.
        crate::keys::mark_secret_variable("CARGO_PKG_NAME");
        let command = KeySource::Command(
            "test -z \"$CARGO_PKG_NAME\" && test -n \"$CARGO_PKG_VERSION\" && echo x".to_owned(),
        );
        assert!(reader().passphrase("--passphrase", &command).is_ok());
    }
}
