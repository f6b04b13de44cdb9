//! `s3seal generate`: completions and man pages, written from the one definition of the command line.
//!
//! Nothing depends on the day, the machine or the terminal, so that what is checked in can be compared.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, ValueEnum, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::Exit;
use super::failure::Failure;
use super::{Cli, key_source, manual};
use crate::commands::permissions::{self, Places};
use crate::error::Error;

/// Write completions and man pages, for whoever packages s3seal
#[derive(Debug, clap::Args)]
pub(crate) struct GenerateArgs {
    /// What to write
    what: What,

    /// The directory to write into; it is made if need be
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    dir: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Completions for bash, elvish, fish, PowerShell and zsh
    Completions,
    /// A man page for the program and one for each verb
    Man,
    /// The IAM policies of the manual, one a file
    Policies,
}

/// Runs the verb.
///
/// # Errors
/// What the system refuses.
pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let written = fs::create_dir_all(&args.dir).and_then(|()| {
        let cli = visible(&Cli::command());
        match args.what {
            What::Completions => completions(cli, &args.dir),
            What::Man => man_pages(cli, &args.dir),
            What::Policies => policies(&args.dir),
        }
    });
    Ok(written.map_err(Error::local(format!("cannot write into {}", args.dir.display())))?)
}

/// Copies a command without what is hidden, which completions would show.
fn visible(command: &Command) -> Command {
    // clap keeps names as static text; this runs once and the program ends.
    let name: &'static str = Box::leak(command.get_name().to_owned().into_boxed_str());
    let mut copy = Command::new(name)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned())
        .subcommands(command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(visible));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        copy = copy.long_about(about.clone());
    }
    if let Some(examples) = command.get_after_help() {
        copy = copy.after_help(examples.clone());
    }
    if let Some(details) = command.get_after_long_help() {
        copy = copy.after_long_help(details.clone());
    }
    if let Some(usage) = command.get_overridden_usage() {
        copy = copy.override_usage(usage.clone());
    }
    if command.get_version().is_some() {
        copy = copy.version(env!("CARGO_PKG_VERSION"));
    }
    copy
}

fn completions(mut cli: Command, dir: &Path) -> io::Result<()> {
    for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
        clap_complete::generate_to(shell, &mut cli, "s3seal", dir)?;
    }
    Ok(())
}

/// Writes the policies for one and the same made-up account.
fn policies(dir: &Path) -> io::Result<()> {
    let places = Places {
        bucket: "arn:aws:s3:::amzn-s3-demo-bucket",
        prefix: "db/",
        key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        old_key: "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
        role: "arn:aws:iam::111122223333:role/batch",
    };
    for case in permissions::cases::all() {
        let policy = permissions::policy(case.task, &case.extras, &places);
        fs::write(dir.join(format!("{}.json", case.name)), format!("{policy:#}\n"))?;
    }
    Ok(())
}

fn man_pages(cli: Command, dir: &Path) -> io::Result<()> {
    let mut cli = cli.disable_help_subcommand(true);
    cli.build();
    for verb in cli.get_subcommands() {
        write_page(verb.clone(), dir, |roff| {
            examples(roff, verb);
            see(roff, "s3seal(1), for key sources, exit codes and the environment");
        })?;
    }
    let verbs: Vec<String> =
        cli.get_subcommands().map(|verb| format!("s3seal-{}(1)", verb.get_name())).collect();
    write_page(cli, dir, |roff| {
        section(roff, "KEY SOURCES");
        roff.text([roman(manual::SOURCES_INTRO)]);
        rows(roff, key_source::FORMS.map(|(form, meaning)| (form.to_owned(), meaning)));
        section(roff, "EXIT STATUS");
        rows(roff, Exit::ALL.map(|exit| (exit.code().to_string(), exit.when())));
        section(roff, "ENVIRONMENT");
        rows(roff, manual::ENVIRONMENT.map(|(name, meaning)| (name.to_owned(), meaning)));
        see(roff, &verbs.join(", "));
    })
}

/// Writes one page: what clap knows, then what `more` adds.
fn write_page(command: Command, dir: &Path, more: impl FnOnce(&mut Roff)) -> io::Result<()> {
    let is_program = command.has_subcommands();
    let page = Man::new(command).manual("User Commands");
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    if is_program {
        page.render_subcommands_section(&mut out)?;
    }
    page.render_options_section(&mut out)?;
    let mut roff = Roff::new();
    more(&mut roff);
    roff.to_writer(&mut out)?;
    fs::write(dir.join(page.get_filename()), out)
}

fn section(roff: &mut Roff, name: &str) {
    roff.control("SH", [name]);
}

fn rows(roff: &mut Roff, rows: impl IntoIterator<Item = (String, &'static str)>) {
    for (left, right) in rows {
        roff.control("TP", []);
        roff.text([bold(left)]);
        roff.text([roman(right)]);
    }
}

/// What stands below the help, as it is: paragraphs whose first lines are their titles, the examples among them.
fn examples(roff: &mut Roff, verb: &Command) {
    let text = verb.get_after_long_help().or_else(|| verb.get_after_help());
    let Some(text) = text.map(ToString::to_string) else { return };
    for paragraph in text.split("\n\n") {
        let mut lines = paragraph.lines();
        section(roff, &lines.next().unwrap_or_default().trim_end_matches(':').to_uppercase());
        roff.control("nf", []);
        for line in lines {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
}

fn see(roff: &mut Roff, others: &str) {
    section(roff, "SEE ALSO");
    roff.text([roman(others)]);
}
