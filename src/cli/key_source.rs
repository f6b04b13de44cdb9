//! Where keys and passphrases come from, and the only place where they are read.
//!
//! A source is a value of the edge: read at once into a key, then gone. What was typed is never echoed while it
//! may be a secret itself. No choice of a mode here.

use std::env;
use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::failure::Failure;
use super::key_bytes::read_to_end;
use super::key_command;
use super::process;
use super::prompt;
use super::sanitize::shell_word;
use crate::keys::{self, CustomerKey, KeyError, Passphrase, RsaPrivateKey, RsaPublicKey, SymmetricKey};
use crate::limits::MAX_KEY_FILE_BYTES;
use crate::seal::wrap;

/// Whether standard input is the source of a key, which a key command must not read.
static STDIN_IS_KEY: AtomicBool = AtomicBool::new(false);

/// The forms of a source, for help and man pages.
pub(crate) const FORMS: [(&str, &str); 6] = [
    ("file:PATH", "a file that nobody else may read"),
    ("PATH", "the same"),
    ("env:NAME", "the environment variable of that name; not passed on to commands"),
    ("fd:N", "an open file descriptor, read to its end"),
    ("cmd:COMMAND", "the standard output of a command, run by sh"),
    ("prompt", "typed at the terminal without echo; asked twice when sealing"),
];

/// `--allow-open-key-file`, for every verb that reads keys.
#[derive(clap::Args)]
pub(crate) struct KeyFileArgs {
    /// Accept a key file that others can read
    #[arg(long)]
    pub(crate) allow_open_key_file: bool,
}

/// A source as typed. Not printable: it may be a key that somebody typed by mistake.
#[derive(Clone)]
pub(crate) struct SourceText(String);

impl FromStr for SourceText {
    type Err = std::convert::Infallible;

    /// Takes anything: clap would echo what it refuses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// A source, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file.
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
    /// A file descriptor.
    Fd(u32),
    /// A command line for `sh`.
    Command(String),
    /// The person at the terminal.
    Prompt,
}

impl KeySource {
    fn at(path: &str) -> Self {
        process::descriptor_named(path).map_or_else(|| Self::File(path.into()), Self::Fd)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Fd(number) => write!(f, "fd:{number}"),
            // The command line may hold a secret of its own.
            Self::Command(_) => f.write_str("the key command"),
            Self::Prompt => f.write_str("prompt"),
        }
    }
}

/// What a source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    Passphrase,
    /// Not a secret: who may read the file does not matter.
    PublicKey,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Passphrase => "passphrase",
            Self::PublicKey => "public key",
        }
    }
}

/// Reads sources, under the rules of one command.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a rule of its own")]
pub(crate) struct KeyReader {
    /// Standard input carries the object.
    pub(crate) stdin_is_data: bool,
    /// A key file may be open to others.
    pub(crate) allow_open: bool,
    /// What encrypts may be a key that is plainly no random one.
    pub(crate) allow_weak: bool,
    /// What is typed seals: ask twice.
    pub(crate) sealing: bool,
}

impl KeyReader {
    /// Understands the source of a key.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub(crate) fn key_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::Key)
    }

    /// Understands the source of a passphrase.
    ///
    /// # Errors
    /// As [`KeyReader::key_source`].
    pub(crate) fn passphrase_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::Passphrase)
    }

    /// Understands the source of a public key.
    ///
    /// # Errors
    /// As [`KeyReader::key_source`].
    pub(crate) fn public_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::PublicKey)
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
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub(crate) fn customer_key(&self, flag: &str, source: &KeySource) -> Result<CustomerKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        self.not_weak(flag, source, &content)?;
        CustomerKey::recognise(&content).map_err(|error| self.not_a_256_bit_key(flag, source, &error))
    }

    /// Reads an AES key to open with, which may be shorter; more than one where its text can be read in two ways.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub(crate) fn to_open(&self, flag: &str, source: &KeySource) -> Result<Vec<SymmetricKey>, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        SymmetricKey::recognise_to_open(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads an RSA private key in PEM.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub(crate) fn private_key(&self, flag: &str, source: &KeySource) -> Result<RsaPrivateKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        wrap::pem::private_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads an RSA public key in PEM.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub(crate) fn public_key(&self, flag: &str, source: &KeySource) -> Result<RsaPublicKey, Failure> {
        let content = self.read(flag, source, Kind::PublicKey)?;
        wrap::pem::public_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads a passphrase; one line end behind it does not belong to it.
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
            Some(why) => Err(Failure::key(format!("{flag}: {source} holds no random key: {why}"))
                .hint("`s3seal keygen FILE` makes one; for words that people remember there is --passphrase")
                .hint("or use it all the same with --allow-weak-key")),
        }
    }

    fn not_a_256_bit_key(&self, flag: &str, source: &KeySource, error: &KeyError) -> Failure {
        let failure = not_a_key(flag, source, error);
        // To open, a new key is of no use.
        if self.sealing { failure.hint("`s3seal keygen FILE` makes a key that will do") } else { failure }
    }

    fn understand(&self, flag: &str, text: &str, kind: Kind) -> Result<KeySource, Failure> {
        let source = match text.split_once(':') {
            Some(("file", path)) => KeySource::at(path),
            Some(("env", name)) => KeySource::Env(name.to_owned()),
            Some(("fd", number)) => KeySource::Fd(number.parse().map_err(|_| malformed(flag))?),
            Some(("cmd", line)) => KeySource::Command(line.to_owned()),
            _ if text == "prompt" => KeySource::Prompt,
            _ => bare(flag, text, kind)?,
        };
        let named = match &source {
            KeySource::File(path) => !path.as_os_str().is_empty(),
            KeySource::Env(name) => !name.is_empty() && !name.contains(['=', '\0']),
            KeySource::Command(line) => !line.trim().is_empty(),
            KeySource::Fd(_) | KeySource::Prompt => true,
        };
        if !named {
            return Err(malformed(flag));
        }
        if is_stdin(&source) && self.stdin_is_data {
            return Err(Failure::usage(format!(
                "{flag}: standard input carries the object and cannot carry a key too"
            ))
            .hint("use file:PATH, env:NAME, fd:N with N of 3 or more, cmd:COMMAND or prompt"));
        }
        if is_stdin(&source) {
            STDIN_IS_KEY.store(true, Ordering::Relaxed);
        }
        match &source {
            KeySource::Env(name) if keys::looks_like_key(name) => Err(on_argv(flag, kind)),
            KeySource::File(path) if path.to_str().is_some_and(keys::looks_like_key) && !path.exists() => {
                Err(on_argv(flag, kind))
            }
            KeySource::Env(name) => {
                keys::mark_secret_variable(name);
                Ok(source)
            }
            KeySource::Fd(0) => Ok(source),
            KeySource::Fd(1 | 2) => {
                Err(Failure::usage(format!("{flag}: {source} is for output; a key cannot be read from it")))
            }
            KeySource::Fd(number) => {
                process::keep_from_commands(*number).map_err(|error| unreadable(flag, &source, error))?;
                Ok(source)
            }
            _ => Ok(source),
        }
    }

    fn read(&self, flag: &str, source: &KeySource, kind: Kind) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable = |error| unreadable(flag, source, error);
        let content = match source {
            KeySource::File(path) => {
                let file = File::open(path).map_err(unreadable)?;
                if kind != Kind::PublicKey && !self.allow_open {
                    closed_to_others(flag, path, &file.metadata().map_err(unreadable)?)?;
                }
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
                let stdin_is_taken = self.stdin_is_data || STDIN_IS_KEY.load(Ordering::Relaxed);
                key_command::output_of(flag, line, stdin_is_taken)?
            }
            KeySource::Prompt => {
                let what = if kind == Kind::Passphrase { "Passphrase" } else { "Key" };
                let mut typed = prompt::secret(&format!("{what} ({flag})"), self.sealing)?;
                Zeroizing::new(std::mem::take(&mut *typed).into_bytes())
            }
        };
        if content.len() > MAX_KEY_FILE_BYTES {
            return Err(Failure::key(format!(
                "{flag}: {source} holds more than {MAX_KEY_FILE_BYTES} bytes; that is no key"
            )));
        }
        Ok(content)
    }
}

/// A value without a scheme: the path of a file.
fn bare(flag: &str, text: &str, kind: Kind) -> Result<KeySource, Failure> {
    if text == "-" {
        return Err(malformed(flag));
    }
    if text.starts_with("s3://") {
        return Err(Failure::usage(format!("{flag} took {text} for the place of the {}", kind.word()))
            .hint(format!("write {flag}=prompt to be asked, or put {flag} last")));
    }
    if Path::new(text).exists() {
        return Ok(KeySource::at(text));
    }
    if keys::looks_like_key(text) {
        return Err(on_argv(flag, kind));
    }
    if may_be_secret(text, kind) {
        return Err(Failure::key(format!("{flag}: its value names no file")).hint(
            "the command line is public: give the place of the secret, not the secret (see `--help`)",
        ));
    }
    Ok(KeySource::File(text.into()))
}

/// Whether a name that no file has could be a secret typed by mistake, which must not be repeated.
fn may_be_secret(text: &str, kind: Kind) -> bool {
    let path = ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start));
    let dense = text.len() >= 16 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(c));
    match kind {
        Kind::PublicKey => false,
        Kind::Passphrase => !path,
        Kind::Key => dense && (!path || text.len() >= 40 && !text.contains(['-', '_'])),
    }
}

fn on_argv(flag: &str, kind: Kind) -> Failure {
    let what = kind.word();
    Failure::usage(format!("the value of {flag} is itself a key, not the place of one"))
        .hint(format!("the command line is public: put the {what} into a file that only you can read (chmod 600) and name it, or use env:NAME, fd:N, cmd:COMMAND or prompt"))
        .hint("the key may be in your shell's history by now: make a new one with `s3seal keygen FILE`")
}

fn malformed(flag: &str) -> Failure {
    Failure::usage(format!("the value of {flag} is not a source"))
        .hint("write file:PATH, env:NAME, fd:N, cmd:COMMAND, prompt, or a file's path")
}

fn is_stdin(source: &KeySource) -> bool {
    match source {
        KeySource::Fd(0) => true,
        KeySource::File(path) => path == Path::new("/dev/stdin"),
        _ => false,
    }
}

/// Refuses a regular file that its group or others can read; pipes and devices have no such thing.
fn closed_to_others(flag: &str, path: &Path, facts: &Metadata) -> Result<(), Failure> {
    let mode = facts.permissions().mode();
    let of_others = mode & 0o077;
    if !facts.is_file() || of_others == 0 {
        return Ok(());
    }
    let shown = path.display().to_string();
    Err(Failure::key(format!("{flag}: {shown} is open to others (mode {:04o})", mode & 0o7777))
        .hint(format!("chmod 600 {}", shell_word(&shown)))
        .hint("or allow it with --allow-open-key-file"))
}

fn unreadable(flag: &str, source: &KeySource, error: io::Error) -> Failure {
    Failure::key(format!("{flag}: cannot read {source}")).because(error)
}

fn not_a_key(flag: &str, source: &KeySource, error: &KeyError) -> Failure {
    Failure::key(format!("{flag}: {source}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn reader() -> KeyReader {
        KeyReader { stdin_is_data: false, allow_open: false, allow_weak: false, sealing: false }
    }

    fn source(text: &str) -> Result<KeySource, Failure> {
        reader().key_source("--key", &SourceText(text.to_owned()))
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
    fn sources_are_understood() {
        assert_eq!(source("file:a:b").unwrap(), KeySource::File("a:b".into()));
        assert_eq!(source("/etc/backup.key").unwrap(), KeySource::File("/etc/backup.key".into()));
        assert_eq!(source("backup.key").unwrap(), KeySource::File("backup.key".into()));
        assert_eq!(source("env:NAME").unwrap(), KeySource::Env("NAME".to_owned()));
        assert_eq!(source("fd:0").unwrap(), KeySource::Fd(0));
        assert_eq!(source("fd:999").unwrap(), KeySource::Fd(999));
        assert_eq!(source("cmd:pass show a:b").unwrap(), KeySource::Command("pass show a:b".to_owned()));
        assert_eq!(source("prompt").unwrap(), KeySource::Prompt);
        for text in ["", "-", "file:", "env:", "env:A=B", "fd:", "fd:-1", "fd:1", "fd:2", "cmd:", "cmd: "] {
            assert!(source(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_never_repeated() {
        let base64 = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
        for text in [HEX, base64, &HEX[1..], &base64[..43], &format!("/{}", &base64[1..43])] {
            let failure = source(text).unwrap_err();
            let told = format!("{:#} {:?}", failure.error, failure.hints);
            assert!(!told.contains(&text[4..30]), "{told}");
        }
        let passphrase = SourceText("correct horse".to_owned());
        let failure = reader().passphrase_source("--passphrase", &passphrase).unwrap_err();
        assert!(!format!("{:#} {:?}", failure.error, failure.hints).contains("horse"));
    }

    #[test]
    fn standard_input_is_spent_once() {
        let busy = KeyReader { stdin_is_data: true, ..reader() };
        for text in ["fd:0", "/dev/stdin", "file:/dev/fd/0"] {
            assert!(busy.key_source("--key", &SourceText(text.to_owned())).is_err(), "{text}");
            assert!(source(text).is_ok(), "{text}");
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
        keys::mark_secret_variable("CARGO_PKG_NAME");
        let command = KeySource::Command(
            "test -z \"$CARGO_PKG_NAME\" && test -n \"$CARGO_PKG_VERSION\" && echo x".to_owned(),
        );
        assert!(reader().passphrase("--passphrase", &command).is_ok());
    }
}
