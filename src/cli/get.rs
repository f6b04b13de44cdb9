//! `s3seal get`: its arguments, and the request made of them for `commands::get`.

use std::fmt;
use std::io;
use std::path::PathBuf;

use clap::ValueHint;

use super::decryption_args::{LocalKeyArgs, TrustArgs};
use super::failure::Failure;
use super::filter_args::FilterArgs;
use super::key_reader::KeyFileArgs;
use super::key_source::SourceText;
use super::outcome;
use super::process;
use super::progress::Unit;
use super::reporter::{Reporter, Verb};
use super::sanitize::shell_word;
use super::session::Session;
use super::transfer_args::TransferArgs;
use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::get::bulk::{GetMany, GetRow};
use crate::commands::get::{self, GetRequest};
use crate::encryption::{KmsKey, Mode, pair};
use crate::location::{ByteRange, S3Uri, Target};

const EXAMPLES: &str = "\
Examples:
  s3seal get s3://bucket/backup.tar
  s3seal get s3://bucket/backup.tar /srv/restore/
  s3seal get s3://bucket/backup.tar --key file:/etc/backup.key
  s3seal get s3://bucket/home.tar - --private-key backup.key.pem | tar -x
  s3seal get s3://bucket/db.sql --sse-c-key old.key --sse-c-key new.key
  s3seal get -r s3://bucket/photos/ /srv/restore/photos --private-key backup.key.pem";

/// Fetch an object, or everything under a prefix, decrypted and verified
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct GetArgs {
    /// The object; with -r a bucket or a prefix ending in /
    #[arg(value_name = "s3://BUCKET/KEY")]
    source: S3Uri,

    /// The file or directory to write to; - for standard output [default: the object's name]
    #[arg(value_name = "DEST", value_hint = ValueHint::AnyPath)]
    dest: Option<PathBuf>,

    /// Fetch all objects under a prefix, each to its relative path in the directory
    #[arg(short, long)]
    #[arg(conflicts_with_all = ["version_id", "range", "if_match", "unproven"])]
    recursive: bool,

    #[command(flatten)]
    filter: FilterArgs,

    /// The version to fetch
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,

    /// Bytes to fetch: FIRST-LAST, FIRST- or -COUNT
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true)]
    range: Option<ByteRange>,

    /// Do not replace existing files
    #[arg(long)]
    no_clobber: bool,

    /// Fetch only if the object still has this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,

    /// Let bytes go to standard output before they are proven
    #[arg(long)]
    unproven: bool,

    /// Fetch the ciphertext of a client-side object as stored, for other programs
    #[arg(long, conflicts_with = "require_bound_name")]
    raw: bool,

    #[command(flatten)]
    opening: OpeningArgs,

    #[command(flatten)]
    transfer: TransferArgs,
}

/// How the object is decrypted.
#[derive(clap::Args)]
#[command(next_help_heading = "Encryption")]
struct OpeningArgs {
    /// Fail unless the object is encrypted in this mode; use keys for no other mode
    #[arg(short = 'e', long = "encrypt", value_name = "MODE")]
    mode: Option<Mode>,

    #[command(flatten)]
    keys: LocalKeyArgs<false>,

    /// Accepted only to say that --private-key decrypts.
    #[arg(long, hide = true, value_name = "SOURCE")]
    public_key: Vec<SourceText>,

    /// A KMS key that may decrypt the object; repeatable
    #[arg(long, value_name = "KEY")]
    kms_key: Vec<KmsKey>,

    /// A pair that the object's encryption context must contain; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    #[command(flatten)]
    trust: TrustArgs,

    #[command(flatten)]
    key_file: KeyFileArgs,
}

pub(crate) async fn run(args: GetArgs, session: &Session) -> Result<(), Failure> {
    let options = session.options()?;
    let scope = args.scope()?;
    args.opening.only_what_fits()?;
    let OpeningArgs { mode: expect, keys, kms_key, context, trust, key_file, .. } = args.opening;
    let keys = keys.sources(key_file.allow_open_key_file)?;
    let settings = trust.settings(("--kms-key", &kms_key), ("--context", &context))?;
    let tuning = args.transfer.tuning(None)?;
    let decryption_keys = settings.with_keys(session.ask(move || keys.read()).await?);
    let (raw, no_clobber, source) = (args.raw, args.no_clobber, args.source);
    session.printer.detail(&format!("get {source} to {scope}"));
    let connection = session.connect(options).await?;
    match scope {
        Scope::One(target) => {
            let (version_id, range, if_match) = (args.version_id, args.range, args.if_match);
            let unproven = args.unproven;
            let request = GetRequest {
                source,
                target,
                raw,
                expect,
                version_id,
                range,
                no_clobber,
                if_match,
                unproven,
                tuning,
            };
            one(session, &connection, request, &decryption_keys).await
        }
        Scope::Many(target) => {
            let filter = args.filter.filter();
            let request = GetMany { source, filter, target, raw, expect, no_clobber, tuning };
            many(session, &connection, request, &decryption_keys).await
        }
    }
}

async fn one(
    session: &Session,
    connection: &Connection,
    request: GetRequest,
    decryption_keys: &DecryptionKeys,
) -> Result<(), Failure> {
    let progress = session.progress(Unit::Bytes, &request.source.to_string());
    let outcome =
        Box::pin(get::run(connection, request, decryption_keys, progress.bytes(), &session.stop)).await;
    progress.finish();
    outcome::get(&outcome?, session)
}

async fn many(
    session: &Session,
    connection: &Connection,
    request: GetMany,
    decryption_keys: &DecryptionKeys,
) -> Result<(), Failure> {
    let progress = session.progress(Unit::ObjectsAndBytes, &request.source.to_string());
    let mut reporter = Reporter::new(Verb::Get, session);
    let report = |row: GetRow| {
        progress.objects().add(1);
        reporter.report(&row, |fetched| outcome::fetched(fetched, session.json))
    };
    let ended =
        get::bulk::run(connection, request, decryption_keys, progress.bytes(), &session.stop, report).await;
    progress.finish();
    reporter.end(ended)
}

/// One object, or many.
enum Scope {
    One(Target),
    /// Into a directory.
    Many(PathBuf),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(target) => target.fmt(f),
            Self::Many(folder) => folder.display().fmt(f),
        }
    }
}

impl GetArgs {
    fn scope(&self) -> Result<Scope, Failure> {
        if !self.recursive {
            if !self.filter.is_empty() {
                return Err(Failure::usage(
                    "--include and --exclude choose among the objects under a prefix or in a bucket",
                )
                .hint("add -r, or leave them out"));
            }
            return self.target().map(Scope::One);
        }
        if self.source.is_object() {
            return Err(Failure::usage(format!(
                "-r takes a bucket or a prefix, but {} names one object",
                self.source
            ))
            .hint(format!("end it in /: {}/", self.source)));
        }
        match &self.dest {
            None => Err(Failure::usage("-r needs a directory to write to")
                .hint(format!("s3seal get -r {} DIRECTORY", self.source))),
            Some(dest) if dest.as_os_str() == "-" => {
                Err(Failure::usage("-r cannot write to standard output")
                    .hint("name a directory, or get the objects one by one"))
            }
            Some(dest) if dest.as_os_str().as_encoded_bytes().starts_with(b"s3://") => Err(to_s3()),
            Some(dest) => Ok(Scope::Many(dest.clone())),
        }
    }

    fn target(&self) -> Result<Target, Failure> {
        if !self.source.is_object() {
            return Err(Failure::usage(format!("{} names no object", self.source))
                .hint("write the whole key: s3://BUCKET/KEY")
                .hint("or add -r for all objects under it"));
        }
        let name = self.source.name();
        let named = !matches!(name, "." | "..") && !name.contains('\0');
        let as_named = |folder: Option<&PathBuf>| {
            if !named {
                return Err(Failure::usage(format!("'{name}' cannot be a file's name"))
                    .hint(format!("name the file: s3seal get {} FILE", self.source)));
            }
            Ok(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
        };
        let target = match &self.dest {
            None => Target::File(as_named(None)?),
            Some(dest) if dest.as_os_str() == "-" => Target::Stdout,
            Some(dest) if dest.is_dir() || dest.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Target::File(as_named(Some(dest))?)
            }
            Some(dest) if dest.as_os_str().as_encoded_bytes().starts_with(b"s3://") => {
                return Err(to_s3());
            }
            Some(dest) => Target::File(dest.clone()),
        };
        match &target {
            Target::Stdout if process::was_closed(io::stdout()) => {
                Err(Failure::usage("standard output is closed; nothing fetched")
                    .hint(format!(
                        "to verify the object without keeping it: s3seal get {} - >/dev/null",
                        shell_word(&self.source.to_string())
                    ))
                    .hint("/dev/null opened for reading and writing counts as closed"))
            }
            Target::Stdout if self.no_clobber => {
                Err(Failure::usage("--no-clobber does not go with standard output").hint("leave it out"))
            }
            Target::File(_) if self.unproven => Err(Failure::usage(
                "--unproven is for standard output; a file appears only when all is proven",
            )
            .hint("leave it out")),
            _ => Ok(target),
        }
    }
}

fn to_s3() -> Failure {
    Failure::usage("get writes to a file or to standard output, not to S3")
}

impl OpeningArgs {
    fn only_what_fits(&self) -> Result<(), Failure> {
        if !self.public_key.is_empty() {
            return Err(
                Failure::usage("--public-key encrypts; it cannot decrypt").hint("decrypt with --private-key")
            );
        }
        let Some(mode) = self.mode else { return Ok(()) };
        let [sse_c_key, key, private_key, passphrase] = self.keys.are_given();
        if mode == Mode::SseC && key.0 {
            return Err(Failure::usage("--key does not go with -e sse-c")
                .hint("sse-c sends its key to S3: pass it with --sse-c-key"));
        }
        if mode == Mode::SseC && !sse_c_key.0 {
            return Err(Failure::usage("-e sse-c needs the key that the object was encrypted with")
                .hint("add --sse-c-key SOURCE"));
        }
        let envelope = &self.trust.envelope;
        let client_side = [
            key,
            private_key,
            passphrase,
            (!self.kms_key.is_empty(), "--kms-key"),
            (self.trust.kms_discovery, "--kms-discovery"),
            (!self.context.is_empty(), "--context"),
            (self.trust.require_bound_name, "--require-bound-name"),
            (envelope.allow_legacy.is_some(), "--allow-legacy"),
            (envelope.instruction_suffix.is_some(), "--instruction-suffix"),
        ];
        let mut given =
            [(Mode::SseC, sse_c_key)].into_iter().chain(client_side.map(|flag| (Mode::Client, flag)));
        let Some((fitting, (_, flag))) = given.find(|(of, (is_given, _))| *is_given && *of != mode) else {
            return Ok(());
        };
        let failure = Failure::usage(format!("{flag} does not go with -e {mode}"));
        Err(if matches!(mode, Mode::SseS3 | Mode::SseKms | Mode::DsseKms) {
            failure.hint("S3 decrypts these objects itself; leave it out")
        } else {
            failure.hint(format!("leave it out, or use -e {fitting}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: GetArgs,
    }

    fn target(words: &[&str]) -> Option<Target> {
        Line::try_parse_from(["get"].iter().chain(words)).unwrap().args.target().ok()
    }

    fn file(path: &str) -> Target {
        Target::File(path.into())
    }

    #[test]
    fn a_target_takes_the_objects_name_where_it_has_none() {
        assert_eq!(target(&["s3://bkt/a/b.txt"]), Some(file("b.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "c.txt"]), Some(file("c.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "src"]), Some(file("src/b.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "new/"]), Some(file("new/b.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "-"]), Some(Target::Stdout));
    }

    #[test]
    fn a_name_never_climbs_out_of_its_directory() {
        for uri in ["s3://bkt/..", "s3://bkt/a/.", "s3://bkt/a/.."] {
            assert_eq!(target(&[uri]), None);
            assert_eq!(target(&[uri, "src"]), None);
            assert_eq!(target(&[uri, "c.txt"]), Some(file("c.txt")));
        }
        assert_eq!(target(&["s3://bkt//etc/passwd", "src"]), Some(file("src/passwd")));
    }
}
