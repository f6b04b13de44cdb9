//! `s3seal put`: its arguments, the request for `commands::put` that is made from them, and the outcomes.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::ValueHint;

use super::deletion::{self, Answer};
use super::document::Command;
use super::encryption_args::{Choice, EncryptionArgs};
use super::failure::{Failure, OwnHints};
use super::filter_args::FilterArgs;
use super::hints;
use super::key_reader::KeyReader;
use super::manifest_args::ManifestArgs;
use super::object_args::ObjectArgs;
use super::outcome;
use super::places::{address, can_be_read, is_no_file, object, refuse_keys};
use super::process;
use super::progress::Unit;
use super::reporter::{Reporter, Verb};
use super::sanitize::shell_word;
use super::session::Session;
use super::transfer_args::{ResumeArgs, TransferArgs};
use super::update_args::{DeleteOptions, UpdateArgs};
use crate::aws::Connection;
use crate::byte_size::ByteSize;
use crate::checksum::Algorithm;
use crate::commands::bulk::Row;
use crate::commands::changes::Change;
use crate::commands::put::bulk::{PutMany, PutRow};
use crate::commands::put::{self, PutOptions, PutRequest};
use crate::defaults;
use crate::error::Subject;
use crate::location::{S3Uri, Source};
use crate::object::WriteCondition;
use crate::rules::Requirements;
use crate::transfer::walk::{Sources, WalkOptions};

const EXAMPLES: &str = "\
Examples:
  s3seal put backup.tar s3://bucket/backup.tar
  s3seal put backup.tar s3://bucket/daily/ -e sse-kms --kms-key alias/backup
  s3seal put backup.tar s3://bucket/daily/ --sse-c-key file:/etc/backup.key
  s3seal put -r photos s3://bucket/photos/ --public-key backup.pem
  s3seal put -r photos s3://bucket/photos/ --exclude '*' --include '*.jpg'
  s3seal put - s3://bucket/home.tar --public-key backup.pem < home.tar
  s3seal put --from-command s3://bucket/db.sql -e sse-s3 -- pg_dump db

After each client-side object, one HEAD request checks that the server kept its
envelope. Without s3:GetObject the object is stored anyway, and the outcome
says: envelope not verified. With --instruction-file, which needs s3:GetObject
to keep an older file, one GET request checks the new file, too.";

/// Store files, directories, standard input or a command's output, encrypted
#[derive(clap::Args)]
#[command(
    after_help = EXAMPLES,
    override_usage = "s3seal put [OPTIONS] <SOURCE>... <s3://BUCKET/KEY>\n       \
                      s3seal put [OPTIONS] --from-command <s3://BUCKET/KEY> -- <COMMAND>..."
)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct PutArgs {
    /// Files, directories (-r) or - for standard input; the last one is the target: s3://BUCKET/KEY, or a bucket or a
    /// prefix ending in /, which takes the files' names
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath, num_args = 1..)]
    #[arg(required_unless_present = "command")]
    places: Vec<PathBuf>,

    /// The command whose output is stored
    #[arg(last = true, value_name = "COMMAND")]
    #[arg(value_hint = ValueHint::CommandWithArguments)]
    command: Vec<String>,

    /// Store all files in a directory, each under its path relative to the directory
    #[arg(short, long)]
    recursive: bool,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    update: UpdateArgs,

    /// With -r: skip symbolic links that lead to nothing, instead of failing
    #[arg(long)]
    skip_broken_links: bool,

    #[command(flatten)]
    manifest: ManifestArgs,

    /// Store a command's output, and only if the command succeeds
    #[arg(long, requires = "command")]
    from_command: bool,

    /// Fail and store nothing if the source is empty
    #[arg(long)]
    fail_if_empty: bool,

    /// The expected size of standard input or of the command's output, to choose the part size
    #[arg(long, value_name = "BYTES")]
    expected_size: Option<ByteSize>,

    #[command(flatten)]
    encryption: EncryptionArgs,

    #[command(flatten)]
    object: ObjectArgs,

    #[command(flatten)]
    transfer: TransferArgs,

    #[command(flatten)]
    resume: ResumeArgs,

    #[arg(long, value_name = "ALGORITHM", help_heading = "Transfer")]
    #[arg(help = format!("The checksum to compute, send and store [default: {}]", defaults::CHECKSUM))]
    checksum: Option<Algorithm>,
}

pub(crate) async fn run(args: PutArgs, session: &Session) -> Result<(), Failure> {
    let args = args.with_files_after_dashes();
    let options = args.transfer.limit(session.options()?)?;
    let ParsedArgs { scope, how, choice, keys } = args.parse()?;
    let rules = session.rules.requirements.clone();
    let names = args.update.names(session).await?;
    session.printer.detail(&scope.describe(choice.as_ref()));
    let how = session
        .ask(move || {
            let encryption = choice.map(|choice| choice.with_keys(&keys)).transpose()?;
            Ok(PutOptions { encryption, rules, ..how })
        })
        .await?;
    let connection = session.connect(options).await?;
    match scope {
        Scope::One(Source::File(file), target) if args.update.dry_run => {
            let planned = put::plan(&connection, file, target, how, &session.cancellation).await?;
            outcome::planned(&planned, Command::Put, session)
        }
        Scope::One(source, target) => {
            let is_typed = matches!(how.condition, WriteCondition::Matches(_));
            let stored = one(session, &connection, PutRequest { source, target, options: how }).await;
            let hints = is_typed.then_some(hints::of_typed_etag as OwnHints);
            stored.map_err(|failure| failure.with_own_hints(hints))
        }
        Scope::Many(sources, target) => {
            let delete = args.update.delete_options();
            let walk = WalkOptions {
                filter: args.filter.filter(),
                skip_broken_links: args.skip_broken_links,
                stays_inside: false,
            };
            let sources = match (names, sources) {
                (Some(names), mut sources) => Sources::Names { folder: sources.remove(0), names },
                (None, sources) => Sources::Trees(sources),
            };
            let (update, dry_run) = (args.update.is_update(), args.update.dry_run);
            let again = args.update.again(args.recursive, how.condition == WriteCondition::Absent);
            let manifest = args.manifest.place;
            let request = PutMany { sources, walk, target, update, dry_run, manifest, options: how };
            many(session, &connection, request, delete, again).await
        }
    }
}

async fn one(session: &Session, connection: &Connection, request: PutRequest) -> Result<(), Failure> {
    let is_typed = request.source == Source::Stdin && io::stdin().is_terminal();
    if is_typed {
        session.printer.say("reading from the terminal; end with Ctrl-D");
    }
    let progress = session.progress_beside(is_typed, Unit::Bytes, &request.target.to_string());
    let file = if let Source::File(path) = &request.source { Some(path.clone()) } else { None };
    let outcome = Box::pin(put::run(connection, request, progress.meter(), &session.cancellation)).await;
    progress.finish();
    let outcome = outcome?;
    outcome::put(&outcome, file.as_deref(), session)?;
    outcome::lock_not_verified(&outcome, &session.aws_flags()).map_or(Ok(()), Err)
}

async fn many(
    session: &Session,
    connection: &Connection,
    request: PutMany,
    delete: Option<DeleteOptions>,
    again: &'static str,
) -> Result<(), Failure> {
    let (target, dry_run, manifest) =
        (request.target.clone(), request.dry_run, request.manifest.as_ref().map(ToString::to_string));
    let (jobs, cancellation) = (request.options.transfer_options.objects, &session.cancellation);
    let (mut extra, mut too_much) = (Vec::new(), None);
    let folder = match (&request.sources, delete) {
        (Sources::Trees(trees), Some(options)) if let [folder] = trees.as_slice() => {
            let found =
                put::delete::plan(connection, folder, request.walk.clone(), &target, cancellation).await?;
            let (below, from) = (Subject::prefix(&target), folder.display().to_string());
            match deletion::agree(found, options, below, "object", &from, session).await? {
                Answer::Delete(names) => extra = names,
                Answer::TooMuch(names, error) => (extra, too_much) = (names, Some(error)),
                Answer::DeleteNothing => {}
                Answer::Stop => return Ok(()),
            }
            folder.clone()
        }
        _ => PathBuf::new(),
    };
    let progress = session.progress(Unit::ObjectsAndBytes, "files");
    let mut reporter = Reporter::new(Verb::Put, session).dry_run(dry_run).continues(again);
    let mut lock_not_verified = None;
    let report = async |row: PutRow| {
        progress.meter().end_object();
        if let (Row::Done(done), None) = (&row, &lock_not_verified)
            && let Change::Transferred(stored) = done.as_ref()
        {
            lock_not_verified = outcome::lock_not_verified(&stored.outcome, &session.aws_flags());
        }
        let text = |done: &_| {
            outcome::change(done, Command::Put, session.json, |stored| outcome::stored(stored, session))
        };
        reporter.report(&row, text).await
    };
    let ended = put::bulk::run(connection, request, progress.meter(), cancellation, report).await;
    progress.finish();
    reporter.manifest(manifest, matches!(ended, Ok(true)));
    let mut ended = ended.map(|_| ());
    if deletion::is_due(&ended, &reporter, extra.is_empty(), session) {
        let report = async |row| deletion::report(&row, &mut reporter, Command::Put, session).await;
        ended = put::delete::delete(connection, folder, &target, extra, dry_run, jobs, cancellation, report)
            .await;
        ended = ended.and(too_much.map_or(Ok(()), Err));
    }
    reporter.end(ended).await?;
    lock_not_verified.map_or(Ok(()), Err)
}

/// The checked arguments; keys are not read yet.
struct ParsedArgs {
    scope: Scope,
    /// Without the encryption, which needs the keys, and without the rules.
    how: PutOptions,
    choice: Option<Choice>,
    keys: KeyReader,
}

/// One object, or many.
enum Scope {
    One(Source, S3Uri),
    /// Under a bucket or a prefix.
    Many(Vec<PathBuf>, S3Uri),
}

impl Scope {
    fn describe(&self, choice: Option<&Choice>) -> String {
        let mode = choice.map_or("the bucket's default", |choice| choice.mode().title());
        match self {
            Self::One(source, target) => format!("put {source} to {target}, encryption: {mode}"),
            Self::Many(sources, target) => {
                let sources = match sources.as_slice() {
                    [source] => source.display().to_string(),
                    sources => format!("{} sources", sources.len()),
                };
                format!("put files of {sources} to {target}, encryption: {mode}")
            }
        }
    }
}

impl PutArgs {
    /// Takes what follows `--` for files, as other programs do, where nothing is before it and no command is asked for.
    fn with_files_after_dashes(mut self) -> Self {
        if self.places.is_empty() && !self.from_command {
            self.places = std::mem::take(&mut self.command).into_iter().map(PathBuf::from).collect();
        }
        self
    }

    /// Checks the arguments, before a key is read or a request is sent.
    fn parse(&self) -> Result<ParsedArgs, Failure> {
        self.update.check(self.recursive, self.object.no_clobber(), !self.filter.is_empty())?;
        let scope = self.scope()?;
        let of_files = !matches!(scope, Scope::One(Source::Stdin | Source::Command(_), _));
        let keys = self.encryption.reader(!of_files || self.update.reads_stdin());
        let choice = self.encryption.choose(&keys)?;
        if self.expected_size.is_some() && of_files {
            return Err(Failure::usage("--expected-size is for standard input and commands")
                .hint("leave it out: the size of a file is known"));
        }
        if self.update.dry_run && !of_files {
            return Err(
                Failure::usage("--dry-run is for files: a stream can be read only once").hint("leave it out")
            );
        }
        let settings = self.object.settings()?;
        let settings = match &scope {
            Scope::One(Source::File(path), _) => settings.of_file(path.to_str().unwrap_or_default()),
            Scope::One(_, target) => settings.of_file(target.name()),
            Scope::Many(..) => settings,
        };
        let transfer_options = self.transfer.options(self.expected_size)?;
        match &scope {
            Scope::One(Source::File(path), _) => can_be_read(path, self.recursive)?,
            Scope::One(..) => {}
            Scope::Many(paths, _) => paths.iter().try_for_each(|path| can_be_read(path, self.recursive))?,
        }
        let how = PutOptions {
            encryption: None,
            rules: Requirements::default(),
            settings,
            condition: self.object.condition(),
            checksum: self.checksum.unwrap_or(defaults::CHECKSUM),
            transfer_options,
            fail_if_empty: self.fail_if_empty,
            records: self.resume.records(),
        };
        Ok(ParsedArgs { scope, how, choice, keys })
    }

    fn scope(&self) -> Result<Scope, Failure> {
        if !self.recursive && !self.filter.is_empty() {
            return Err(Failure::usage("--include and --exclude choose among the files in a directory")
                .hint("add -r, or leave them out"));
        }
        if !self.recursive && self.skip_broken_links {
            return Err(Failure::usage("--skip-broken-links is about the links in a directory")
                .hint("add -r, or leave it out"));
        }
        refuse_keys(&self.places)?;
        if !self.from_command && !self.command.is_empty() {
            return Err(Failure::usage("what follows -- is a command, or the files if nothing is before it")
                .hint("to store a command's output: s3seal put --from-command s3://BUCKET/KEY -- COMMAND"));
        }
        self.manifest.check(&self.places, self.recursive, self.update.dry_run, self.object.no_clobber())?;
        if self.from_command {
            return self.command();
        }
        let (target, sources) = match self.places.split_last() {
            Some((target, sources)) if !sources.is_empty() => (target, sources),
            _ => {
                return Err(Failure::usage("put needs a source and a target")
                    .hint("s3seal put SOURCE s3://BUCKET/KEY"));
            }
        };
        if let Some(from) =
            sources.iter().find(|path| path.as_os_str().as_encoded_bytes().starts_with(b"s3://"))
        {
            let (from, target) = (from.to_string_lossy(), target.to_string_lossy());
            let (from, to) = (shell_word(&from), shell_word(&target));
            let failure = Failure::usage("put stores local files; its source cannot be in S3");
            return Err(if target.starts_with("s3://") {
                failure
                    .hint(format!("to copy within S3: aws s3 cp {from} {to}"))
                    .hint(format!("or through this machine: s3seal get {from} - | s3seal put - {to}"))
            } else {
                failure.hint(format!("to fetch: s3seal get {from} {to}"))
            });
        }
        let target = address(target)?;
        match sources {
            [source] if !self.recursive && source.as_os_str() == "-" => {
                let target = object(target, None)?;
                if process::was_closed(io::stdin()) {
                    return Err(Failure::usage("standard input is closed; nothing stored")
                        .hint(format!(
                            "to store an empty object: s3seal put - {} </dev/null",
                            shell_word(&target.to_string())
                        ))
                        .hint("/dev/null opened for reading and writing counts as closed"));
                }
                Ok(Scope::One(Source::Stdin, target))
            }
            [source] if !self.recursive => {
                let target = object(target, Some(source))?;
                Ok(Scope::One(Source::File(source.clone()), target))
            }
            sources => self.many(sources, target),
        }
    }

    /// With a command there is only the target, in the position of the source.
    fn command(&self) -> Result<Scope, Failure> {
        let ([target], false) = (self.places.as_slice(), self.recursive) else {
            return Err(Failure::usage("--from-command takes a target and no other source")
                .hint("s3seal put --from-command s3://BUCKET/KEY -- COMMAND"));
        };
        Ok(Scope::One(Source::Command(self.command.clone()), object(address(target)?, None)?))
    }

    fn many(&self, sources: &[PathBuf], target: S3Uri) -> Result<Scope, Failure> {
        if sources.iter().any(|source| source.as_os_str() == "-") {
            return Err(Failure::usage("standard input cannot be stored together with files")
                .hint("s3seal put - s3://BUCKET/KEY"));
        }
        if target.is_object() {
            return Err(Failure::usage(format!("{target} names one object, but there may be many files"))
                .hint(format!("end it in /: {target}/")));
        }
        if matches!(self.object.condition(), WriteCondition::Matches(_)) {
            return Err(Failure::usage("--if-match is for one object").hint("leave it out"));
        }
        let one_directory = [
            (self.update.delete_options().is_some(), "--delete"),
            (self.update.names_files(), "--files-from"),
        ];
        if let Some((_, flag)) = one_directory.into_iter().find(|(is_given, _)| *is_given)
            && !matches!(sources, [source] if is_no_file(source))
        {
            return Err(Failure::usage(format!("{flag} goes with one directory"))
                .hint("store the directories one by one, each under a prefix of its own"));
        }
        Ok(Scope::Many(sources.to_vec(), target))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
