//! `s3seal keygen`: writes a new 256-bit key to a new file, or shows the fingerprints of existing keys.
//!
//! The file has mode 0600 and never replaces an existing one: losing a key means losing data.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::{ValueEnum, ValueHint};
use zeroize::Zeroizing;

use super::document::{Command, Document, KeyDocument, KeyFileKind, Record};
use super::exit::Exit;
use super::failure::Failure;
use super::key_reader::{AnyKey, KeyFileArgs, KeyReader};
use super::key_source::{KeySource, SourceText};
use super::output;
use super::sanitize::{escaped, shell_word};
use super::session::Session;
use crate::error::Error;
use crate::keys::SymmetricKey;

const EXAMPLES: &str = "\
Examples:
  s3seal keygen /etc/backup.key
  s3seal keygen --form hex backup.key
  s3seal keygen --show backup.key";

/// The mode of a key file: nobody but its owner can read it.
const OWNER_ONLY: u32 = 0o600;

/// Make a new 256-bit key, or show a key's fingerprint
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// The file to create, which must not exist; with --show the file or other source of a key
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Make no key, but print the fingerprint of this one: a 256-bit key, or an RSA key in PEM
    #[arg(long, conflicts_with = "form")]
    show: bool,

    /// How the key is written
    #[arg(long, value_name = "FORM", default_value = "base64")]
    form: Form,

    #[command(flatten)]
    key_file: KeyFileArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// A line of base64
    Base64,
    /// A line of 64 hex digits
    Hex,
    /// The 32 bytes as they are
    Raw,
}

pub(crate) fn run(args: &KeygenArgs, session: &Session) -> Result<(), Failure> {
    if args.show {
        show(&args.file, args.key_file.allow_open_key_file, session)
    } else {
        make(&file_to_make(&args.file)?, args.form, session)
    }
}

/// The file of a new key, which is named as the flags for keys name it.
fn file_to_make(named: &Path) -> Result<PathBuf, Failure> {
    let Some(text) = named.to_str() else { return Ok(named.to_owned()) };
    SourceText::from(text).file("keygen")?.ok_or_else(|| {
        let path = shell_word(text);
        Failure::usage(format!("{path} is no file; a new key goes into one"))
            .hint(format!("for a file of this name: s3seal keygen ./{path}"))
    })
}

/// Prints the fingerprints of a key; where its text can be read as two keys, those of both.
fn show(named: &Path, allow_open: bool, session: &Session) -> Result<(), Failure> {
    const FLAG: &str = "--show";
    let reader = KeyReader { stdin_is_data: false, allow_open, allow_weak: true, encrypts: false };
    let source = match named.to_str() {
        Some(text) => reader.any_source(FLAG, &SourceText::from(text))?,
        None => KeySource::File(named.to_owned()),
    };
    let file = match &source {
        KeySource::File(path) => Some(path.to_string_lossy().into_owned()),
        _ => None,
    };
    for key in reader.any(FLAG, &source)? {
        let (kind, words, fingerprint, md5) = match &key {
            AnyKey::Symmetric(key) => {
                let bits = key.as_bytes().len() * 8;
                // Only such a key can be one of SSE-C.
                let md5 = (bits == 256).then(|| key.sse_c_md5());
                (KeyFileKind::Aes, format!("{bits}-bit key"), key.fingerprint(), md5)
            }
            AnyKey::Private(key) => {
                (KeyFileKind::RsaPrivate, "RSA private key".to_owned(), key.public().fingerprint(), None)
            }
            AnyKey::Public(key) => {
                (KeyFileKind::RsaPublic, "RSA public key".to_owned(), key.fingerprint(), None)
            }
        };
        let text = if session.json {
            let key_fingerprint = fingerprint.as_str().to_owned();
            let key = KeyDocument { file: file.clone(), kind, key_fingerprint, customer_key_md5: md5 };
            Document::new(Command::Keygen, Record::Key(key)).text()
        } else {
            let md5 = md5.map(|md5| format!(", as SSE-C key MD5 {md5}")).unwrap_or_default();
            escaped(&format!("{source}: {words}, fingerprint {fingerprint}{md5}")).into_owned()
        };
        output::document(&text)?;
    }
    Ok(())
}

fn make(path: &Path, form: Form, session: &Session) -> Result<(), Failure> {
    let key = SymmetricKey::random().map_err(|error| Failure::new(Exit::Failed, error.into()))?;
    write_new(path, &form.written(&key))?;
    let (fingerprint, md5) = (key.fingerprint(), key.sse_c_md5());
    if session.json {
        let key = KeyDocument {
            file: Some(path.to_string_lossy().into_owned()),
            kind: KeyFileKind::Aes,
            key_fingerprint: fingerprint.as_str().to_owned(),
            customer_key_md5: Some(md5),
        };
        output::document(&Document::new(Command::Keygen, Record::Key(key)).text())?;
    } else {
        let file = path.display();
        session
            .printer
            .say(&format!("{file}: new 256-bit key, fingerprint {fingerprint}, as SSE-C key MD5 {md5}"));
        session
            .printer
            .say("Keep a copy in a safe place: without the key, nothing that it encrypted can be read.");
    }
    Ok(())
}

impl Form {
    fn written(self, key: &SymmetricKey) -> Zeroizing<Vec<u8>> {
        // Enough room from the start: a buffer that grows would leave copies of the key behind.
        let mut out = Zeroizing::new(Vec::with_capacity(80));
        match self {
            Self::Raw => out.extend_from_slice(key.as_bytes()),
            Self::Base64 => {
                let base64 = Zeroizing::new(BASE64_STANDARD.encode(key.as_bytes()));
                out.extend_from_slice(base64.as_bytes());
                out.push(b'\n');
            }
            Self::Hex => {
                let hex = Zeroizing::new(hex::encode(key.as_bytes()));
                out.extend_from_slice(hex.as_bytes());
                out.push(b'\n');
            }
        }
        out
    }
}

/// Creates the file; removes it again if it cannot be written whole.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let shown = path.display();
    if path.is_dir() || shown.to_string().ends_with(MAIN_SEPARATOR) {
        let named = path.join("s3seal.key");
        return Err(Failure::new(Exit::Usage, anyhow::anyhow!("{shown} is a directory")).hint(format!(
            "name the file of the key: s3seal keygen {}",
            shell_word(&named.to_string_lossy())
        )));
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(Exit::Condition, anyhow::anyhow!("{shown} already exists"))
                .hint("s3seal never replaces a key, because the objects encrypted with it would be lost: choose another name"));
        }
        Err(error) => return Err(Error::local("create", path)(error).into()),
    };
    // The umask may have taken away what the owner needs to read the key.
    let private = file.set_permissions(Permissions::from_mode(OWNER_ONLY));
    private.and_then(|()| file.write_all(content)).and_then(|()| file.sync_all()).map_err(|error| {
        let _ = fs::remove_file(path);
        Error::local("write", path)(error).into()
    })
}
