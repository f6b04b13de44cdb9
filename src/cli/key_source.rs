//! Where keys and passphrases come from, and the only place where they are read.
//!
//! A source is a value of the edge: read at once into a key, then gone. What was typed is never echoed while it
//! may be a secret itself. No choice of a mode here.

use std::env;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::failure::Failure;
use super::foreign::shell_word;
use super::prompt;
use crate::keys::{self, KeyError, Passphrase, RsaPrivateKey, RsaPublicKey, SymmetricKey};
use crate::seal::wrap;

/// The most that is read as a key or a passphrase, in bytes; an RSA key of 16,384 bits takes 13 KiB as PEM.
const MAX_LEN: usize = 64 * 1024;

/// The forms of a source, for help and man pages.
pub const FORMS: [(&str, &str); 6] = [
    ("file:PATH", "a file that nobody else may read"),
    ("PATH", "the same"),
    ("env:NAME", "the environment variable of that name; not passed on to commands"),
    ("fd:N", "an open file descriptor, read to its end"),
    ("cmd:COMMAND", "the standard output of a command, run by sh"),
    ("prompt", "typed at the terminal without echo; asked twice when sealing"),
];

/// A source as typed. Not printable: it may be a key that somebody typed by mistake.
#[derive(Clone)]
pub struct SourceText(String);

impl FromStr for SourceText {
    type Err = std::convert::Infallible;

    /// Takes anything: clap would echo what it refuses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// A source, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
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

/// Reads sources, under the rules of one command.
#[derive(Clone, Copy, Debug)]
pub struct KeyReader {
    /// Standard input carries the object.
    pub stdin_is_data: bool,
    /// A key file may be open to others.
    pub allow_open: bool,
    /// What is typed seals: ask twice.
    pub sealing: bool,
}

impl KeyReader {
    /// Understands the source of a key.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub fn key_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::Key)
    }

    /// Understands the source of a passphrase.
    ///
    /// # Errors
    /// As [`KeyReader::key_source`].
    pub fn passphrase_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::Passphrase)
    }

    /// Understands the source of a public key.
    ///
    /// # Errors
    /// As [`KeyReader::key_source`].
    pub fn public_source(&self, flag: &str, text: &SourceText) -> Result<KeySource, Failure> {
        self.understand(flag, &text.0, Kind::PublicKey)
    }

    /// Reads a 256-bit key.
    ///
    /// # Errors
    /// A failure with the code for keys, naming the flag and what was found.
    pub fn symmetric(&self, flag: &str, source: &KeySource) -> Result<SymmetricKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        SymmetricKey::recognise(&content).map_err(|error| {
            not_a_key(flag, source, &error).hint("`s3seal keygen FILE` makes a key that will do")
        })
    }

    /// Reads an RSA private key in PEM.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub fn private_key(&self, flag: &str, source: &KeySource) -> Result<RsaPrivateKey, Failure> {
        let content = self.read(flag, source, Kind::Key)?;
        wrap::pem::private_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads an RSA public key in PEM.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`].
    pub fn public_key(&self, flag: &str, source: &KeySource) -> Result<RsaPublicKey, Failure> {
        let content = self.read(flag, source, Kind::PublicKey)?;
        wrap::pem::public_key(&content).map_err(|error| not_a_key(flag, source, &error))
    }

    /// Reads a passphrase; one line end behind it does not belong to it.
    ///
    /// # Errors
    /// As [`KeyReader::symmetric`], also for an empty one or one that is not UTF-8.
    pub fn passphrase(&self, flag: &str, source: &KeySource) -> Result<Passphrase, Failure> {
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

    fn understand(&self, flag: &str, text: &str, kind: Kind) -> Result<KeySource, Failure> {
        let source = match text.split_once(':') {
            Some(("file", path)) => KeySource::File(path.into()),
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
        match &source {
            KeySource::Env(name) if keys::looks_like_key(name) => Err(on_argv(flag, kind)),
            KeySource::Env(name) => {
                keys::spend_variable(name);
                Ok(source)
            }
            KeySource::Fd(1 | 2) => {
                Err(Failure::usage(format!("{flag}: {source} is for output; a key cannot be read from it")))
            }
            _ => Ok(source),
        }
    }

    fn read(&self, flag: &str, source: &KeySource, kind: Kind) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let unreadable =
            |error: io::Error| Failure::key(format!("{flag}: cannot read {source}")).because(error);
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
            KeySource::Command(line) => self.output_of(flag, line)?,
            KeySource::Prompt => {
                let what = if kind == Kind::Passphrase { "Passphrase" } else { "Key" };
                let mut typed = prompt::secret(&format!("{what} for {flag}"), self.sealing)?;
                Zeroizing::new(std::mem::take(&mut *typed).into_bytes())
            }
        };
        if content.len() > MAX_LEN {
            return Err(Failure::key(format!(
                "{flag}: {source} holds more than {MAX_LEN} bytes; that is no key"
            )));
        }
        Ok(content)
    }

    /// Runs a command line; what it says on standard error passes through.
    fn output_of(&self, flag: &str, line: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let failed =
            |error: io::Error| Failure::key(format!("{flag}: the key command cannot be run")).because(error);
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).stdout(Stdio::piped());
        if self.stdin_is_data {
            command.stdin(Stdio::null());
        }
        for name in keys::spent_variables() {
            command.env_remove(name);
        }
        let mut child = command.spawn().map_err(failed)?;
        // Dropping the pipe's end after reading lets a command that says too much end by itself.
        let content = child.stdout.take().map_or_else(|| Ok(Zeroizing::default()), read_to_end);
        let status = child.wait().map_err(failed)?;
        let content = content.map_err(failed)?;
        if !status.success() && content.len() <= MAX_LEN {
            return Err(Failure::key(format!("{flag}: the key command failed ({status})")));
        }
        Ok(content)
    }
}

/// A value without a scheme: the path of a file.
fn bare(flag: &str, text: &str, kind: Kind) -> Result<KeySource, Failure> {
    if text == "-" {
        return Err(malformed(flag));
    }
    if Path::new(text).exists() {
        return Ok(KeySource::File(text.into()));
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
    let what = if kind == Kind::Passphrase { "a passphrase" } else { "a key" };
    Failure::usage(format!("the value of {flag} is itself a key, not the place of one"))
        .hint(format!("the command line is public: put {what} into a file that only you can read (chmod 600) and name it, or use env:NAME, fd:N, cmd:COMMAND or prompt"))
        .hint("the key may be in your shell's history by now: make a new one with `s3seal keygen FILE`")
}

fn malformed(flag: &str) -> Failure {
    Failure::usage(format!("the value of {flag} is not a source"))
        .hint("write file:PATH, env:NAME, fd:N, cmd:COMMAND, prompt, or a file's path")
}

fn is_stdin(source: &KeySource) -> bool {
    match source {
        KeySource::Fd(0) => true,
        KeySource::File(path) => {
            ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|stdin| path == Path::new(stdin))
        }
        _ => false,
    }
}

/// Refuses a regular file that its group or others can read; pipes and devices have no such thing.
fn closed_to_others(flag: &str, path: &Path, facts: &Metadata) -> Result<(), Failure> {
    let mode = facts.permissions().mode();
    if !facts.is_file() || mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display().to_string();
    Err(Failure::key(format!("{flag}: {shown} is open to others (mode {:04o})", mode & 0o7777))
        .hint(format!("chmod 600 {}", shell_word(&shown)))
        .hint("or allow it with --allow-open-key-file"))
}

fn not_a_key(flag: &str, source: &KeySource, error: &KeyError) -> Failure {
    Failure::key(format!("{flag}: {source}: {error}"))
}

/// Reads at most one byte more than [`MAX_LEN`], into memory that is not moved and is wiped in the end.
fn read_to_end(mut from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; MAX_LEN + 1]);
    let mut len = 0;
    while len < buffer.len() {
        match from.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(len);
    Ok(buffer)
}
