//! `s3seal put`: its arguments, and what they come to.
//!
//! What is done with the request is `commands::put`.

use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::encryption_args::{Choice, EncryptionArgs};
use super::failure::Failure;
use super::key_source::KeyReader;
use super::object_args::ObjectArgs;
use super::outcome;
use super::session::Session;
use super::transfer_args::TransferArgs;
use crate::checksum::Algorithm;
use crate::commands::put::{self, PutRequest};
use crate::error::Error;
use crate::location::{S3Uri, Source};
use crate::tuning::ByteSize;

const EXAMPLES: &str = "\
Examples:
  s3seal put backup.tar s3://bucket/backup.tar
  s3seal put backup.tar s3://bucket/daily/ -e sse-kms --kms-key alias/backup
  s3seal put backup.tar s3://bucket/daily/ -e sse-c --key file:/etc/backup.key
  s3seal put - s3://bucket/home.tar -e client --public-key backup.pem < home.tar
  s3seal put --from-command s3://bucket/db.sql -e sse-s3 -- pg_dump db";

/// Store a file, standard input or a command's output, encrypted
#[derive(clap::Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "s3seal put [OPTIONS] <SOURCE> <s3://BUCKET/KEY>\n       \
                      s3seal put [OPTIONS] --from-command <s3://BUCKET/KEY> -- <COMMAND>..."
)]
pub struct PutArgs {
    /// The file to store; - for standard input
    #[arg(value_name = "SOURCE", value_hint = ValueHint::FilePath)]
    source: PathBuf,

    /// Where to; a bucket or a key that ends in / takes the file's name
    #[arg(value_name = "s3://BUCKET/KEY", required_unless_present = "from_command")]
    target: Option<String>,

    /// The command whose output is stored
    #[arg(last = true, value_name = "COMMAND", requires = "from_command")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    command: Vec<String>,

    /// Store a command's output, and only if the command succeeds
    #[arg(long, requires = "command")]
    from_command: bool,

    /// Store nothing, and fail, if there is not a single byte
    #[arg(long)]
    fail_if_empty: bool,

    /// How much standard input or a command will come to, so that parts fit
    #[arg(long, value_name = "BYTES")]
    expected_size: Option<ByteSize>,

    #[command(flatten)]
    encryption: EncryptionArgs,

    #[command(flatten)]
    object: ObjectArgs,

    #[command(flatten)]
    transfer: TransferArgs,

    /// The checksum to compute, send and store [default: crc64nvme]
    #[arg(long, value_name = "ALGORITHM", help_heading = "Transfer")]
    checksum: Option<Algorithm>,
}

/// Runs the verb.
///
/// # Errors
/// Everything that can go wrong, with its exit code.
pub async fn run(args: PutArgs, session: &Session) -> Result<(), Failure> {
    let options = session.options()?;
    let wanted = args.wanted()?;
    session.printer.detail(&wanted.in_words());
    let request = session.ask(move || wanted.request()).await?;
    let connection = session.connect(options).await?;
    let meter = session.progress(&request.target.to_string());
    let outcome = Box::pin(put::run(&connection, request, meter.meter(), &session.stop)).await;
    meter.finish();
    outcome::put(&outcome?, session)
}

/// Everything but the keys, found to be possible.
struct Wanted {
    /// Its encryption is still open.
    request: PutRequest,
    choice: Option<Choice>,
    keys: KeyReader,
}

impl Wanted {
    fn in_words(&self) -> String {
        let mode = self.choice.as_ref().map_or("the bucket's default", |choice| choice.mode().title());
        format!("put {} to {}, encryption: {mode}", self.request.source, self.request.target)
    }

    fn request(self) -> Result<PutRequest, Failure> {
        let encryption = self.choice.map(|choice| choice.with_keys(&self.keys)).transpose()?;
        Ok(PutRequest { encryption, ..self.request })
    }
}

impl PutArgs {
    /// Finds whatever cannot be meant, before a key is asked for or a request is sent.
    fn wanted(&self) -> Result<Wanted, Failure> {
        let (source, target) = self.places()?;
        let keys = KeyReader {
            stdin_is_data: !matches!(source, Source::File(_)),
            allow_open: self.encryption.allow_open_key_file,
            sealing: true,
        };
        let choice = self.encryption.choose(&keys)?;
        if self.expected_size.is_some() && matches!(source, Source::File(_)) {
            return Err(Failure::usage("--expected-size is for standard input and commands")
                .hint("leave it out: a file says its size itself"));
        }
        let settings = self.object.settings(match &source {
            Source::File(path) => path.to_str().unwrap_or_default(),
            Source::Stdin | Source::Command(_) => target.name(),
        })?;
        let tuning = self.transfer.tuning(self.expected_size)?;
        if let Source::File(path) = &source {
            can_be_read(path)?;
        }
        let request = PutRequest {
            source,
            target,
            encryption: None,
            settings,
            condition: self.object.condition(),
            checksum: self.checksum.unwrap_or_default(),
            tuning,
            fail_if_empty: self.fail_if_empty,
        };
        Ok(Wanted { request, choice, keys })
    }

    fn places(&self) -> Result<(Source, S3Uri), Failure> {
        if self.from_command {
            // With a command there is one place only, and it stands where the source would.
            if self.target.is_some() {
                return Err(Failure::usage("with --from-command there is no other source")
                    .hint("s3seal put --from-command s3://BUCKET/KEY -- COMMAND"));
            }
            let target = self.source.to_string_lossy().parse().map_err(Failure::usage)?;
            return Ok((Source::Command(self.command.clone()), object(target, None)?));
        }
        let target = self.target.as_deref().unwrap_or_default();
        if self.source.as_os_str().as_encoded_bytes().starts_with(b"s3://") {
            let from = self.source.display();
            return Err(Failure::usage("the source of put is on this machine, not in S3")
                .hint(format!("to fetch: s3seal get {from} {target}")));
        }
        let target = target.parse().map_err(Failure::usage)?;
        if self.source.as_os_str() == "-" {
            return Ok((Source::Stdin, object(target, None)?));
        }
        Ok((Source::File(self.source.clone()), object(target, Some(&self.source))?))
    }
}

/// Completes a target that names no object with the name of the file.
fn object(target: S3Uri, file: Option<&Path>) -> Result<S3Uri, Failure> {
    if target.is_object() {
        return Ok(target);
    }
    let Some(file) = file else {
        return Err(Failure::usage(format!(
            "{target} names no object, and there is no file to take the name of"
        ))
        .hint("write the whole key: s3://BUCKET/KEY"));
    };
    match file.file_name().and_then(|name| name.to_str()) {
        Some(name) => Ok(target.with_key(format!("{}{name}", target.key))),
        None => Err(Failure::usage(format!("{} has no name that a key could take", file.display()))
            .hint("write the whole key: s3://BUCKET/KEY")),
    }
}

/// Whether there is a file, asked before keys are.
fn can_be_read(path: &Path) -> Result<(), Failure> {
    let what = path.display().to_string();
    match path.metadata() {
        Ok(facts) if facts.is_dir() => Err(Failure::usage(format!("{what} is a directory")).hint(format!(
            "pack it: tar -c {0} | s3seal put - s3://BUCKET/KEY",
            super::foreign::shell_word(&what)
        ))),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::NotFound { what, source: None }.into())
        }
        Err(error) => Err(Error::local(format!("cannot read {what}"))(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_a_name_takes_the_files() {
        let target = |uri: &str, file: Option<&str>| {
            object(uri.parse().unwrap(), file.map(Path::new)).map(|uri| uri.to_string()).ok()
        };
        assert_eq!(target("s3://bkt/k", Some("/a/b.txt")).as_deref(), Some("s3://bkt/k"));
        assert_eq!(target("s3://bkt", Some("/a/b.txt")).as_deref(), Some("s3://bkt/b.txt"));
        assert_eq!(target("s3://bkt/dir/", Some("b.txt")).as_deref(), Some("s3://bkt/dir/b.txt"));
        assert_eq!(target("s3://bkt/dir/", Some("..")), None);
        assert_eq!(target("s3://bkt/dir/", None), None);
        assert_eq!(target("s3://bkt/k", None).as_deref(), Some("s3://bkt/k"));
    }
}
