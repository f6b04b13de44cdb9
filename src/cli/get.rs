//! `s3seal get`: its arguments, and the request for `commands::get` that is made from them.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::ValueHint;

use super::deletion::{self, Answer};
use super::document::Command;
use super::failure::{Failure, OwnHints};
use super::filter_args::FilterArgs;
use super::hints;
use super::opening_args::OpeningArgs;
use super::outcome;
use super::places::{address, refuse_keys};
use super::process;
use super::progress::Unit;
use super::reporter::{Reporter, Verb};
use super::sanitize::shell_word;
use super::session::Session;
use super::transfer_args::{ResumeArgs, TransferArgs};
use super::update_args::{DeleteOptions, UpdateArgs};
use crate::aws::Connection;
use crate::byte_size::ByteSize;
use crate::commands::decryption_keys::DecryptionKeys;
use crate::commands::get::bulk::{GetMany, GetRow};
use crate::commands::get::selection::Selection;
use crate::commands::get::{self, GetOptions, GetRequest};
use crate::defaults::PART_SIZE;
use crate::error::Subject;
use crate::limits::{MAX_PARTS_IN_RANGE, MIN_RANGE_BYTES};
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

fn part_size_help() -> String {
    format!(
        "Bytes of each request, such as 16MiB [default: {:#} to {:#} into a file, or else up to {:#}]",
        ByteSize(MIN_RANGE_BYTES),
        ByteSize(MAX_PARTS_IN_RANGE * PART_SIZE.0),
        PART_SIZE
    )
}

/// Fetch objects, or everything under a prefix, decrypted and verified
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "s3seal get [OPTIONS] <s3://BUCKET/KEY>... [DEST]")]
#[command(mut_arg("part_size", |arg| arg.help(part_size_help())))]
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

    #[command(flatten)]
    update: UpdateArgs,

    /// The version to fetch
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,

    /// Bytes to fetch: FIRST-LAST, FIRST- or -COUNT; not of objects in format s3ec
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

    #[command(flatten)]
    resume: ResumeArgs,
}

pub(crate) async fn run(args: GetArgs, session: &Session) -> Result<(), Failure> {
    let options = args.transfer.limit(session.options()?)?;
    args.update.check(args.recursive, args.no_clobber, !args.filter.is_empty())?;
    let scope = args.scope(None)?;
    args.opening.only_what_fits()?;
    let scope = match args.update.names(session).await? {
        None => scope,
        Some(names) => args.scope(Some(&names))?,
    };
    let OpeningArgs { mode: expect, keys, kms_key, context, trust, key_file, .. } = args.opening;
    let keys = keys.sources(key_file.allow_open_key_file)?;
    let settings = trust.settings(("--kms-key", &kms_key), ("--context", &context))?;
    let how = GetOptions {
        raw: args.raw,
        expect,
        rules: session.rules.requirements.clone(),
        no_clobber: args.no_clobber,
        records: args.resume.records(),
        transfer_options: args.transfer.options(None)?,
    };
    let decryption_keys = settings.with_keys(session.ask(move || keys.read()).await?);
    let names = args.places.iter().filter(|place| is_address(place)).map(|place| place.to_string_lossy());
    let names = names.collect::<Vec<_>>().join(", ");
    session.printer.detail(&format!("get {names} to {scope}"));
    let connection = session.connect(options).await?;
    match scope {
        Scope::One(source, target) => {
            let (version_id, range, if_match) = (args.version_id, args.range, args.if_match);
            let unverified = args.unverified;
            let request =
                GetRequest { source, target, version_id, range, if_match, unverified, options: how };
            if args.update.dry_run {
                let planned =
                    get::plan(&connection, request, &decryption_keys, &session.cancellation).await?;
                return outcome::planned(&planned, Command::Get, session);
            }
            let hints = request.if_match.is_some().then_some(hints::of_typed_etag as OwnHints);
            one(session, &connection, request, &decryption_keys).await.map_err(|it| it.with_own_hints(hints))
        }
        Scope::Many(selections, target) => {
            let (update, dry_run) = (args.update.is_update(), args.update.dry_run);
            let request = GetMany { selections, target, update, dry_run, options: how };
            let delete = args.update.delete_options();
            let again = args.update.again(args.recursive, args.no_clobber);
            many(session, &connection, request, &decryption_keys, delete, again).await
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
        Box::pin(get::run(connection, request, decryption_keys, progress.meter(), &session.cancellation))
            .await;
    progress.finish();
    outcome::get(&outcome?, session)
}

async fn many(
    session: &Session,
    connection: &Connection,
    request: GetMany,
    decryption_keys: &DecryptionKeys,
    delete: Option<DeleteOptions>,
    again: &'static str,
) -> Result<(), Failure> {
    let dry_run = request.dry_run;
    let (mut extra, mut too_much) = (Vec::new(), None);
    if let (Some(options), [selection]) = (delete, request.selections.as_slice())
        && let Some(source) = selection.whole()
    {
        let found = get::delete::plan(connection, source, &request.target, &session.cancellation).await?;
        let below = Subject::Folder(request.target.clone());
        match deletion::agree(found, options, below, "file", &source.to_string(), session).await? {
            Answer::Delete(files) => extra = files,
            Answer::TooMuch(files, error) => (extra, too_much) = (files, Some(error)),
            Answer::DeleteNothing => {}
            Answer::Stop => return Ok(()),
        }
    }
    let progress = session.progress(Unit::ObjectsAndBytes, "objects");
    let mut reporter = Reporter::new(Verb::Get, session).dry_run(dry_run).continues(again);
    let report = async |row: GetRow| {
        progress.meter().end_object();
        let text = |done: &_| {
            outcome::change(done, Command::Get, session.json, |fetched| outcome::fetched(fetched, session))
        };
        reporter.report(&row, text).await
    };
    let mut ended =
        get::bulk::run(connection, request, decryption_keys, progress.meter(), &session.cancellation, report)
            .await;
    progress.finish();
    if deletion::is_due(&ended, &reporter, extra.is_empty(), session) {
        let report = async |row| deletion::report(&row, &mut reporter, Command::Get, session).await;
        ended = get::delete::delete(extra, dry_run, &session.cancellation, report).await;
        ended = ended.and(too_much.map_or(Ok(()), Err));
    }
    reporter.end(ended).await
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
    /// `names` are those of `--files-from`.
    fn scope(&self, names: Option<&[String]>) -> Result<Scope, Failure> {
        let (sources, dest) = self.places()?;
        if self.recursive {
            return self.under(sources, dest, names);
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
        Ok((sources.iter().map(|source| address(source)).collect::<Result<_, _>>()?, dest))
    }

    fn under(
        &self,
        sources: Vec<S3Uri>,
        dest: Option<&Path>,
        names: Option<&[String]>,
    ) -> Result<Scope, Failure> {
        if let Some(source) = sources.iter().find(|source| source.is_object()) {
            return Err(Failure::usage(format!(
                "-r takes a bucket or a prefix, but {source} names one object"
            ))
            .hint(format!("end it in /: {source}/")));
        }
        let Some(dest) = dest else {
            let sources = sources.iter().map(|source| shell_word(&source.to_string()).into_owned());
            let sources = sources.collect::<Vec<_>>().join(" ");
            return Err(Failure::usage("-r needs a directory to write to")
                .hint(format!("s3seal get -r {sources} DIRECTORY")));
        };
        let of_one = [
            (self.update.delete_options().is_some(), "--delete"),
            (self.update.names_files(), "--files-from"),
        ];
        if let Some((_, flag)) = of_one.into_iter().find(|(is_given, _)| *is_given)
            && sources.len() > 1
        {
            return Err(
                Failure::usage(format!("{flag} goes with one bucket or prefix")).hint("get them one by one")
            );
        }
        let filter = self.filter.clone().filter();
        let is_listed = self.update.is_update();
        let selections = sources.into_iter().map(|source| match names {
            Some(names) => Selection::named(source, names.to_vec(), is_listed),
            None => Selection::under(source, filter.clone()),
        });
        let selections = selections.collect();
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
        // A key that ends in / names no file, but its object can be read.
        let is_read = !source.key.is_empty() && dest.is_some_and(|dest| dest.as_os_str() == "-");
        if !source.is_object() && !is_read {
            return Err(no_object(source));
        }
        let name = source.name();
        let named = !matches!(name, "." | "..") && !name.contains('\0');
        let as_named = |folder: Option<&Path>| {
            if !named {
                return Err(Failure::usage(format!("'{name}' cannot be a file's name"))
                    .hint(format!("name the file: s3seal get {} FILE", shell_word(&source.to_string()))));
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
