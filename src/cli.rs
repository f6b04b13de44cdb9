//! The edge: the only room that knows flags, terminals, config files and exit codes.
//!
//! What was typed becomes a request here, once; what comes back is printed here, once. Nothing is encrypted and
//! nothing is sent from this room.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::Builder;

mod aws_flags;
mod cleanup;
mod complete;
mod config;
mod config_args;
mod connection_args;
mod decryption_args;
mod deletion;
mod doctor;
mod document;
mod duration;
mod encryption_args;
mod error_report;
mod exit;
mod failure;
mod filter_args;
mod generate;
mod get;
mod hints;
mod inspect;
mod key_bytes;
mod key_command;
mod key_reader;
mod key_source;
mod keygen;
mod lock_args;
mod lost_envelope;
mod manifest_args;
mod manual;
mod object_args;
mod opening_args;
mod other_tools;
mod outcome;
mod output;
mod places;
mod process;
mod progress;
mod prompt;
mod put;
mod remedies;
mod reporter;
mod rotate;
mod sanitize;
mod separate_source;
mod session;
mod signals;
mod standard_error;
mod standard_output;
mod state_directory;
mod transfer_args;
mod unhidden;
mod unsuitable_key;
mod update_args;
mod value_names;
mod waiting;

use config::apply::{self, InForce};
use config::{Config, Flags};
use config_args::ConfigArgs;
use connection_args::ConnectionArgs;
use exit::Exit;
use failure::Failure;
use output::{OutputArgs, Printer};
use session::Session;

use crate::aws::OpenUploads;
use crate::error::Error;

const LONG_VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), "\nTLS and bulk ciphers: AWS-LC (rustls, aws-lc-rs)");

/// Encrypt objects in Amazon S3, in every way S3 knows
#[derive(Parser)]
#[command(name = "s3seal", version, long_version = LONG_VERSION, max_term_width = 80)]
#[command(after_long_help = manual::after_long_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Subcommand)]
enum Command {
    Put(Box<put::PutArgs>),
    Get(Box<get::GetArgs>),
    Inspect(Box<inspect::InspectArgs>),
    Rotate(Box<rotate::RotateArgs>),
    Keygen(keygen::KeygenArgs),
    Doctor(Box<doctor::DoctorArgs>),
    Cleanup(cleanup::CleanupArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

impl Command {
    fn name(&self) -> document::Command {
        match self {
            Self::Put(_) => document::Command::Put,
            Self::Get(_) => document::Command::Get,
            Self::Inspect(_) => document::Command::Inspect,
            Self::Rotate(_) => document::Command::Rotate,
            Self::Keygen(_) => document::Command::Keygen,
            Self::Doctor(_) => document::Command::Doctor,
            Self::Cleanup(_) => document::Command::Cleanup,
            Self::Generate(_) => document::Command::Generate,
        }
    }
}

/// Runs a command line and returns its exit code. Neither generic nor `async`, so that all it calls is compiled with
/// this crate, and not once more with whoever calls it.
///
/// # Errors
///
/// The runtime could not be started.
pub fn run(argv: Vec<OsString>) -> io::Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let code = runtime.block_on(run_command(argv));
    // A thread that still waits for standard input or a key command must not hold up the end.
    runtime.shutdown_background();
    Ok(code)
}

async fn run_command(argv: Vec<OsString>) -> ExitCode {
    if let Some(question) = complete::question(&argv) {
        question.answer().await;
        return Exit::Done.into();
    }
    let (argv, rules) = match configured(argv) {
        Ok(configured) => configured,
        Err((failure, argv)) => return error_report::unparsed(&failure, &argv).into(),
    };
    let cli = match Cli::try_parse_from(&argv) {
        Ok(cli) => cli,
        Err(error) => return error_report::refusal(error, &argv, &rules).into(),
    };
    let printer = Printer::new(&cli.output);
    let aws_flags = cli.connection.aws_cli_flags();
    let verb = cli.command.name();
    let json = cli.output.json.then_some(verb);
    if let Some(answer) = separate_source::answer(&argv) {
        return error_report::failure(&Failure::usage(answer), &printer, json, &aws_flags).into();
    }
    let open_uploads = OpenUploads::default();
    let left = {
        let (open_uploads, aws_flags) = (open_uploads.clone(), aws_flags.clone());
        move || {
            let uploads = hints::left_uploads(&open_uploads.left(), &aws_flags);
            let files = open_uploads.replaced_instruction_files();
            let files = hints::replaced_instruction_files(&files, &aws_flags);
            [uploads, hints::kept_downloads(&open_uploads.kept_downloads()), files].concat()
        }
    };
    match dispatch(cli, &printer, open_uploads, rules.clone(), left.clone()).await {
        Ok(()) => {
            for line in left() {
                printer.say(&line);
            }
            Exit::Done
        }
        Err(mut failure) => {
            rules.explain(&mut failure);
            let error = failure.error.downcast_ref::<Error>();
            let looks = error.and_then(|error| hints::doctor(verb, error, &aws_flags));
            failure.hints.extend(looks);
            failure.hints.extend(left());
            error_report::failure(&failure, &printer, json, &aws_flags)
        }
    }
    .into()
}

/// Adds to the command line what the configuration files say. Help and what clap refuses need no file.
fn configured(argv: Vec<OsString>) -> Result<(Vec<OsString>, InForce), (Failure, Vec<OsString>)> {
    let mut command = Cli::command();
    command.build();
    let typed = match command.clone().try_get_matches_from(&argv) {
        // A profile may have what is missing.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            command.clone().ignore_errors(true).try_get_matches_from(&argv)
        }
        typed => typed,
    };
    let Ok(typed) = typed else { return Ok((argv, InForce::default())) };
    let (_, of_verb) = typed.subcommand().unzip();
    // Key files and completions have no rules; a broken file must not be in their way.
    let is_asked = of_verb
        .is_some_and(|verb| verb.try_contains_id("places").is_ok() || verb.contains_id("config_profile"));
    if !is_asked {
        return Ok((argv, InForce::default()));
    }
    let in_force = Config::load(&Flags::of(&command));
    match in_force.and_then(|config| apply::apply(config, &command, &typed, &argv)) {
        Ok(configured) => Ok(configured),
        Err(failure) => Err((failure, argv)),
    }
}

/// Runs the verb; `left` says which of the uploads in `open_uploads` are still there, should all end at once.
async fn dispatch(
    cli: Cli,
    printer: &Printer,
    open_uploads: OpenUploads,
    rules: InForce,
    left: impl Fn() -> Vec<String> + Send + 'static,
) -> Result<(), Failure> {
    process::keep_memory_private().map_err(|error| {
        Failure::new(Exit::Failed, anyhow::Error::new(error).context("cannot turn core dumps off"))
    })?;
    process::allow_many_open_files();
    let last_words = {
        let printer = printer.clone();
        move || {
            printer.remove_bar();
            for line in left() {
                printer.line(&sanitize::escaped(&line));
            }
        }
    };
    let stop = signals::listen(last_words).map_err(|error| {
        Failure::new(Exit::Failed, anyhow::Error::new(error).context("cannot catch signals"))
    })?;
    printer.heed(&stop);
    let session = Session::new(cli.connection, &cli.output, printer.clone(), stop, open_uploads, rules);
    match cli.command {
        Command::Put(args) => put::run(*args, &session).await,
        Command::Get(args) => get::run(*args, &session).await,
        Command::Inspect(args) => inspect::run(*args, &session).await,
        Command::Rotate(args) => Box::pin(rotate::run(*args, &session)).await,
        Command::Keygen(args) => keygen::run(&args, &session),
        Command::Doctor(args) => Box::pin(doctor::run(*args, &session)).await,
        Command::Cleanup(args) => cleanup::run(args, &session).await,
        Command::Generate(args) => generate::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds() {
        Cli::command().debug_assert();
    }
}
