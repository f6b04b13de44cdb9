//! The sources of keys and passphrases, as typed and as parsed; `key_reader` reads them.
//!
//! The typed text may be a secret itself, so no message repeats it until it is known not to be one.

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::Failure;
use super::process;
use super::sanitize::shell_word;
use crate::keys;

static STDIN_IS_KEY: AtomicBool = AtomicBool::new(false);

/// The forms of a source, for help and man pages.
pub(crate) const FORMS: [(&str, &str); 6] = [
    ("file:PATH", "a file that no other user can read"),
    ("PATH", "the same"),
    ("env:NAME", "an environment variable; not passed on to commands"),
    ("fd:N", "an open file descriptor, read to its end"),
    ("cmd:COMMAND", "the standard output of a command, run by sh"),
    ("prompt", "typed at the terminal without echo; asked for twice to encrypt"),
];

/// A source as typed. It has no `Display`: it may be a key that somebody typed by mistake.
#[derive(Clone)]
pub(crate) struct SourceText(String);

impl SourceText {
    /// Parses a source; `stdin_is_data` where standard input carries the object. Marks what it names as a secret, so that no
    /// command inherits it.
    ///
    /// # Errors
    /// A usage failure that never repeats what may be a secret.
    pub(super) fn parse(&self, flag: &str, kind: Kind, stdin_is_data: bool) -> Result<KeySource, Failure> {
        let text = self.0.as_str();
        let source = match text.split_once(':') {
            Some(("file" | "fileb", path)) if path.starts_with("//") => {
                return Err(spelled_as_in_aws_cli(flag, &path[2..], kind));
            }
            Some(("file", path)) => KeySource::at(expanded(flag, path)?),
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
        if is_stdin(&source) && stdin_is_data {
            return Err(Failure::usage(format!(
                "{flag}: standard input is the object and cannot be a key, too"
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

    /// The file that it names; `None` if it is another source.
    ///
    /// # Errors
    /// A usage failure for `~/` without a home directory.
    pub(super) fn file(&self, flag: &str) -> Result<Option<PathBuf>, Failure> {
        match self.0.split_once(':') {
            Some(("file", path)) => expanded(flag, path).map(Some),
            Some(("env" | "fd" | "cmd", _)) => Ok(None),
            _ if self.0 == "prompt" || self.0 == "-" => Ok(None),
            _ => expanded(flag, &self.0).map(Some),
        }
    }
}

impl From<&str> for SourceText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for SourceText {
    type Err = std::convert::Infallible;

    /// Accepts anything: clap would echo what it refuses.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

/// A parsed source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file.
    File(PathBuf),
    /// The name of an environment variable.
    Env(String),
    Fd(u32),
    /// A command line for `sh`.
    Command(String),
    /// Typed at the terminal.
    Prompt,
}

impl KeySource {
    fn at(path: PathBuf) -> Self {
        path.to_str().and_then(process::descriptor_named).map_or(Self::File(path), Self::Fd)
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

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    /// RSA, in PEM.
    PrivateKey,
    Passphrase,
    /// Not a secret: anybody may read the file.
    PublicKey,
    /// One of these, but no passphrase, whose fingerprint is asked for.
    Any,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Key | Self::Any => "key",
            Self::PrivateKey => "private key",
            Self::Passphrase => "passphrase",
            Self::PublicKey => "public key",
        }
    }
}

/// A value without a scheme: the path of a file.
fn bare(flag: &str, text: &str, kind: Kind) -> Result<KeySource, Failure> {
    if text == "-" {
        return Err(malformed(flag));
    }
    let path = expanded(flag, text)?;
    if path.exists() {
        return Ok(KeySource::at(path));
    }
    if keys::looks_like_key(text) {
        return Err(on_argv(flag, kind));
    }
    if may_be_secret(text, kind) {
        return Err(Failure::key(format!("{flag}: no such file")).hint(
            "other users can see the command line: name the source of the secret, not the secret (see `--help`)",
        ));
    }
    Ok(KeySource::File(path))
}

/// Replaces `~/` at the beginning by the home directory: behind `=` or `file:` shells leave it as it is.
fn expanded(flag: &str, path: &str) -> Result<PathBuf, Failure> {
    let Some(below) = path.strip_prefix("~/") else { return Ok(path.into()) };
    match env::var_os("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(PathBuf::from(home).join(below.trim_start_matches('/'))),
        None => Err(Failure::usage(format!("{flag}: ~ stands for the home directory, and HOME is not set"))
            .hint("write the whole path")),
    }
}

/// Refuses `file://` and `fileb://`; `path` is what follows.
fn spelled_as_in_aws_cli(flag: &str, path: &str, kind: Kind) -> Failure {
    let is_hidden = path.is_empty() || keys::looks_like_key(path) || may_be_secret(path, kind);
    let path = if is_hidden { "PATH" } else { path };
    Failure::usage(format!("{flag}: file:// and fileb:// are the AWS CLI's spelling"))
        .hint(format!("write {}", shell_word(&format!("file:{path}"))))
}

/// Whether the name of a missing file may be a secret typed by mistake.
fn may_be_secret(text: &str, kind: Kind) -> bool {
    let path = ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start));
    let dense = text.len() >= 16 && text.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-_".contains(c));
    match kind {
        Kind::PublicKey => false,
        Kind::Passphrase => !path,
        Kind::Key | Kind::PrivateKey | Kind::Any => {
            dense && (!path || text.len() >= 40 && !text.contains(['-', '_']))
        }
    }
}

fn on_argv(flag: &str, kind: Kind) -> Failure {
    let what = kind.word();
    Failure::usage(format!("the value of {flag} is a key, not the source of one"))
        .hint(format!("other users can see the command line: put the {what} into a file that only you can read (chmod 600) and name the file, or use env:NAME, fd:N, cmd:COMMAND or prompt"))
        .hint("the key may be in your shell's history now: make a new one with `s3seal keygen FILE`")
}

fn malformed(flag: &str) -> Failure {
    Failure::usage(format!("the value of {flag} is not a source"))
        .hint("write file:PATH, env:NAME, fd:N, cmd:COMMAND, prompt, or the path of a file")
}

/// Whether standard input is the source of a key, which a key command must not read.
pub(super) fn stdin_is_key() -> bool {
    STDIN_IS_KEY.load(Ordering::Relaxed)
}

fn is_stdin(source: &KeySource) -> bool {
    match source {
        KeySource::Fd(0) => true,
        KeySource::File(path) => path == Path::new("/dev/stdin"),
        _ => false,
    }
}

pub(super) fn unreadable(flag: &str, source: &KeySource, error: io::Error) -> Failure {
    Failure::key(format!("{flag}: cannot read {source}")).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn source(text: &str) -> Result<KeySource, Failure> {
        SourceText(text.to_owned()).parse("--key", Kind::Key, false)
    }

    #[test]
    fn each_form_of_a_source_is_parsed() {
        assert_eq!(source("file:a:b").unwrap(), KeySource::File("a:b".into()));
        assert_eq!(source("/etc/backup.key").unwrap(), KeySource::File("/etc/backup.key".into()));
        assert_eq!(source("backup.key").unwrap(), KeySource::File("backup.key".into()));
        assert_eq!(source("env:NAME").unwrap(), KeySource::Env("NAME".to_owned()));
        assert_eq!(source("fd:0").unwrap(), KeySource::Fd(0));
        assert_eq!(source("fd:999").unwrap(), KeySource::Fd(999));
        assert_eq!(source("cmd:pass show a:b").unwrap(), KeySource::Command("pass show a:b".to_owned()));
        assert_eq!(source("prompt").unwrap(), KeySource::Prompt);
        // Without a home directory, ~ stands for nothing.
        let home = env::var_os("HOME").filter(|home| !home.is_empty());
        let below_home = home.map(|home| KeySource::File(PathBuf::from(home).join("k")));
        assert_eq!(source("file:~/k").ok(), below_home);
        assert_eq!(source("~/k").ok(), below_home);
        assert_eq!(source("file:a/~/k").unwrap(), KeySource::File("a/~/k".into()));
        for text in ["", "-", "file:", "env:", "env:A=B", "fd:", "fd:-1", "fd:1", "fd:2", "cmd:", "cmd: "] {
            assert!(source(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_spelling_of_the_aws_cli_is_answered_with_ours() {
        for (text, expected) in [
            ("fileb://k.bin", "write file:k.bin"),
            ("file:///etc/k.bin", "write file:/etc/k.bin"),
            ("fileb://~/k.bin", "write 'file:~/k.bin'"),
            ("file://", "write file:PATH"),
            (&format!("file://{HEX}"), "write file:PATH"),
        ] {
            let failure = source(text).unwrap_err();
            assert_eq!((failure.exit, failure.hints), (Exit::Usage, vec![expected.to_owned()]), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_never_repeated() {
        let base64 = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
        for text in [HEX, base64, &HEX[1..], &base64[..43], &format!("/{}", &base64[1..43])] {
            let failure = source(text).unwrap_err();
            let text_of_failure = format!("{:#} {:?}", failure.error, failure.hints);
            assert!(!text_of_failure.contains(&text[4..30]), "{text_of_failure}");
        }
        let passphrase = SourceText("correct horse".to_owned());
        let failure = passphrase.parse("--passphrase", Kind::Passphrase, false).unwrap_err();
        assert!(!format!("{:#} {:?}", failure.error, failure.hints).contains("horse"));
    }

    #[test]
    fn standard_input_is_spent_once() {
        for text in ["fd:0", "/dev/stdin", "file:/dev/fd/0"] {
            assert!(SourceText(text.to_owned()).parse("--key", Kind::Key, true).is_err(), "{text}");
            assert!(source(text).is_ok(), "{text}");
        }
    }
}
