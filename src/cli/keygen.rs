//! `s3seal keygen`: a new 256-bit key in a new file.
//!
//! The file has mode 0600 and never replaces another one: to lose a key is to lose data.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine};
use clap::{ValueEnum, ValueHint};
use zeroize::Zeroizing;

use super::document::{Command, Document, KeyDocument, Record};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::session::Session;
use crate::error::Error;
use crate::keys::SymmetricKey;

const EXAMPLES: &str = "\
Examples:
  s3seal keygen /etc/backup.key
  s3seal keygen --form hex backup.key";

/// Make a new 256-bit key in a file that only you can read
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeygenArgs {
    /// The file to create; it must not exist
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// How the key is written
    #[arg(long, value_name = "FORM", default_value = "base64")]
    form: Form,
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
    let key = SymmetricKey::random().map_err(|error| Failure::new(Exit::Failed, error.into()))?;
    write_new(&args.file, &args.form.written(&key))?;
    let (fingerprint, md5) = (key.fingerprint(), key.sse_c_md5());
    if session.json {
        let key = KeyDocument {
            file: args.file.to_string_lossy().into_owned(),
            key_fingerprint: fingerprint.as_str().to_owned(),
            customer_key_md5: md5,
        };
        output::document(&Document::new(Command::Keygen, Record::Key(key)).text())?;
    } else {
        let file = args.file.display();
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
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(Exit::Condition, anyhow::anyhow!("{shown} already exists"))
                .hint("s3seal never replaces a key, because the objects encrypted with it would be lost: choose another name"));
        }
        Err(error) => return Err(Error::local("create", path)(error).into()),
    };
    file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
        let _ = fs::remove_file(path);
        Error::local("write", path)(error).into()
    })
}
