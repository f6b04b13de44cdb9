//! `s3seal get`: its arguments, and the request made of them for `commands::get`.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::decryption_args::{LocalKeyArgs, TrustArgs};
use super::failure::Failure;
use super::filter_args::FilterArgs;
use super::key_reader::KeyFileArgs;
use super::key_source::SourceText;
use super::outcome;
use super::process;
use super::progress::Unit;
use super::put::refuse_keys;
use super::reporter::{Reporter, Verb};
use super::sanitize::shell_word;
use super::session::Session;
use super::transfer_args::TransferArgs;
use crate::aws::Connection;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::get::bulk::{GetMany, GetRow};
use crate::commands::get::selection::Selection;
use crate::commands::get::{self, GetRequest};
use crate::encryption::{KmsKey, Mode, pair};
use crate::location::{ByteRange, S3Uri, Target};
use crate::pattern::has_wildcard;

const EXAMPLES: &str = "\
Examples:
  s3seal get s3://bucket/backup.tar
  s3seal get s3://bucket/backup.tar /srv/restore/
  s3seal get s3://bucket/backup.tar --key file:/etc/backup.key
  s3seal get s3://bucket/home.tar - --private-key backup.key.pem | tar -x
  s3seal get s3://bucket/db.sql --sse-c-key old.key --sse-c-key new.key
  s3seal get 's3://bucket/daily/*.tar' /srv/restore/
  s3seal get -r s3://bucket/photos/ /srv/restore/photos --private-key backup.key.pem";

/// Fetch objects, or everything under a prefix, decrypted and verified
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "s3seal get [OPTIONS] <s3://BUCKET/KEY>... [DEST]")]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct GetArgs {
    /// Objects, patterns of keys in quotes (with a *, which matches / too), or with -r a bucket, or a prefix that ends in /;
    /// then the file or directory to write to, or - for standard output [default: the object's name]
    #[arg(value_name = "s3://BUCKET/KEY", value_hint = ValueHint::AnyPath, required = true, num_args = 1..)]
    places: Vec<PathBuf>,

    /// Fetch all objects under a prefix, each to its relative path in the directory
    #[arg(short, long)]
    #[arg(conflicts_with_all = ["version_id", "range", "if_match", "unverified"])]
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

    /// Let bytes go to standard output before they are verified
    #[arg(long)]
    unverified: bool,

    /// Let binary data go to a terminal
    #[arg(long)]
    force: bool,

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
    let options = args.transfer.limit(session.options()?)?;
    let scope = args.scope()?;
    args.opening.only_what_fits()?;
    let OpeningArgs { mode: expect, keys, kms_key, context, trust, key_file, .. } = args.opening;
    let keys = keys.sources(key_file.allow_open_key_file)?;
    let settings = trust.settings(("--kms-key", &kms_key), ("--context", &context))?;
    let transfer_options = args.transfer.options(None)?;
    let decryption_keys = settings.with_keys(session.ask(move || keys.read()).await?);
    let (raw, no_clobber) = (args.raw, args.no_clobber);
    let rules = session.rules.requirements.clone();
    let names = args.places.iter().filter(|place| is_address(place)).map(|place| place.to_string_lossy());
    let names = names.collect::<Vec<_>>().join(", ");
    session.printer.detail(&format!("get {names} to {scope}"));
    let connection = session.connect(options).await?;
    match scope {
        Scope::One(source, target) => {
            let (version_id, range, if_match) = (args.version_id, args.range, args.if_match);
            let unverified = args.unverified;
            let request = GetRequest {
                source,
                target,
                raw,
                expect,
                rules,
                version_id,
                range,
                no_clobber,
                if_match,
                unverified,
                transfer_options,
            };
            one(session, &connection, request, &decryption_keys).await
        }
        Scope::Many(selections, target) => {
            let request = GetMany { selections, target, raw, expect, rules, no_clobber, transfer_options };
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
    let is_shown = matches!(request.target, Target::Stdout | Target::Terminal) && io::stdout().is_terminal();
    let progress = session.progress_beside(is_shown, Unit::Bytes, &request.source.to_string());
    let outcome =
        Box::pin(get::run(connection, request, decryption_keys, progress.meter(), &session.stop)).await;
    progress.finish();
    outcome::get(&outcome?, session)
}

async fn many(
    session: &Session,
    connection: &Connection,
    request: GetMany,
    decryption_keys: &DecryptionKeys,
) -> Result<(), Failure> {
    let progress = session.progress(Unit::ObjectsAndBytes, "objects");
    let mut reporter = Reporter::new(Verb::Get, session);
    let report = |row: GetRow| {
        progress.meter().end_object();
        reporter.report(&row, |fetched| outcome::fetched(fetched, session))
    };
    let ended =
        get::bulk::run(connection, request, decryption_keys, progress.meter(), &session.stop, report).await;
    progress.finish();
    reporter.end(ended)
}

/// One object, or many.
enum Scope {
    One(S3Uri, Target),
    /// Into a directory.
    Many(Vec<Selection>, PathBuf),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(_, target) => target.fmt(f),
            Self::Many(_, folder) => folder.display().fmt(f),
        }
    }
}

impl GetArgs {
    fn scope(&self) -> Result<Scope, Failure> {
        let (sources, dest) = self.places()?;
        if self.recursive {
            return self.under(sources, dest);
        }
        if !self.filter.is_empty() {
            return Err(Failure::usage(
                "--include and --exclude choose among the objects under a prefix or in a bucket",
            )
            .hint("add -r, or leave them out"));
        }
        if let [source] = sources.as_slice()
            && !has_wildcard(&source.key)
        {
            let target = self.of_terminal(self.target(source, dest)?);
            return Ok(Scope::One(source.clone(), target));
        }
        self.many(sources, dest)
    }

    /// The addresses, and the file or directory after them.
    fn places(&self) -> Result<(Vec<S3Uri>, Option<&Path>), Failure> {
        refuse_keys(&self.places)?;
        let (dest, sources) = match self.places.split_last() {
            Some((last, before)) if !before.is_empty() && !is_address(last) => (Some(last.as_path()), before),
            _ => (None, self.places.as_slice()),
        };
        let sources = sources.iter().map(|source| source.to_string_lossy().parse().map_err(Failure::usage));
        Ok((sources.collect::<Result<_, _>>()?, dest))
    }

    fn under(&self, sources: Vec<S3Uri>, dest: Option<&Path>) -> Result<Scope, Failure> {
        if let Some(source) = sources.iter().find(|source| source.is_object()) {
            return Err(Failure::usage(format!(
                "-r takes a bucket or a prefix, but {source} names one object"
            ))
            .hint(format!("end it in /: {source}/")));
        }
        let Some(dest) = dest else {
            let sources = sources.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            return Err(Failure::usage("-r needs a directory to write to")
                .hint(format!("s3seal get -r {sources} DIRECTORY")));
        };
        let filter = self.filter.clone().filter();
        let selections = sources.into_iter().map(|source| Selection::under(source, filter.clone())).collect();
        Ok(Scope::Many(selections, directory(dest)?))
    }

    /// Several objects, or those that match a pattern.
    fn many(&self, sources: Vec<S3Uri>, dest: Option<&Path>) -> Result<Scope, Failure> {
        let of_one = [
            (self.version_id.is_some(), "--version-id"),
            (self.range.is_some(), "--range"),
            (self.if_match.is_some(), "--if-match"),
            (self.unverified, "--unverified"),
        ];
        if let Some((_, flag)) = of_one.into_iter().find(|(is_given, _)| *is_given) {
            return Err(Failure::usage(format!("{flag} is for one object, and many may come"))
                .hint("leave it out, or get them one by one"));
        }
        let selections = sources.into_iter().map(|source| {
            if !source.is_object() && !has_wildcard(&source.key) {
                return Err(no_object(&source));
            }
            Selection::of(source).map_err(Failure::usage)
        });
        let selections = selections.collect::<Result<_, _>>()?;
        Ok(Scope::Many(selections, directory(dest.unwrap_or(Path::new(".")))?))
    }

    /// Standard output takes only text if it is a terminal.
    fn of_terminal(&self, target: Target) -> Target {
        if target == Target::Stdout && !self.force && io::stdout().is_terminal() {
            Target::Terminal
        } else {
            target
        }
    }

    fn target(&self, source: &S3Uri, dest: Option<&Path>) -> Result<Target, Failure> {
        if !source.is_object() {
            return Err(no_object(source));
        }
        let name = source.name();
        let named = !matches!(name, "." | "..") && !name.contains('\0');
        let as_named = |folder: Option<&Path>| {
            if !named {
                return Err(Failure::usage(format!("'{name}' cannot be a file's name"))
                    .hint(format!("name the file: s3seal get {source} FILE")));
            }
            Ok(folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name)))
        };
        let target = match dest {
            None => Target::File(as_named(None)?),
            Some(dest) if dest.as_os_str() == "-" => Target::Stdout,
            Some(dest) if dest.is_dir() => Target::File(as_named(Some(dest))?),
            Some(dest) if dest.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Target::FileInNewDirectory(as_named(Some(dest))?)
            }
            Some(dest) => Target::File(dest.to_owned()),
        };
        match &target {
            Target::Stdout if process::was_closed(io::stdout()) => {
                Err(Failure::usage("standard output is closed; nothing fetched")
                    .hint(format!(
                        "to verify the object without keeping it: s3seal get {} - >/dev/null",
                        shell_word(&source.to_string())
                    ))
                    .hint("/dev/null opened for reading and writing counts as closed"))
            }
            Target::Stdout if self.no_clobber => {
                Err(Failure::usage("--no-clobber does not go with standard output").hint("leave it out"))
            }
            Target::File(_) | Target::FileInNewDirectory(_) if self.unverified => Err(Failure::usage(
                "--unverified is for standard output; a file appears only when everything is verified",
            )
            .hint("leave it out")),
            _ => Ok(target),
        }
    }
}

fn is_address(place: &Path) -> bool {
    place.as_os_str().as_encoded_bytes().starts_with(b"s3://")
}

/// The directory that many objects go into.
fn directory(dest: &Path) -> Result<PathBuf, Failure> {
    if dest.as_os_str() == "-" {
        return Err(Failure::usage("several objects cannot go to standard output")
            .hint("name a directory, or get the objects one by one"));
    }
    Ok(dest.to_owned())
}

fn no_object(source: &S3Uri) -> Failure {
    Failure::usage(format!("{source} names no object"))
        .hint("write the whole key: s3://BUCKET/KEY")
        .hint("or add -r for all objects under it")
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
        let line = Line::try_parse_from(["get"].iter().chain(words)).unwrap();
        let (sources, dest) = line.args.places().unwrap();
        line.args.target(&sources[0], dest).ok()
    }

    fn file(path: &str) -> Target {
        Target::File(path.into())
    }

    #[test]
    fn a_target_takes_the_objects_name_where_it_has_none() {
        assert_eq!(target(&["s3://bkt/a/b.txt"]), Some(file("b.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "c.txt"]), Some(file("c.txt")));
        assert_eq!(target(&["s3://bkt/a/b.txt", "src"]), Some(file("src/b.txt")));
        assert_eq!(
            target(&["s3://bkt/a/b.txt", "new/"]),
            Some(Target::FileInNewDirectory("new/b.txt".into()))
        );
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
