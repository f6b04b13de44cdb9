//! `s3seal generate`: writes completions and man pages from the single definition of the command line.
//!
//! The output does not depend on the date, the machine or the terminal, so it can be compared with the files in the
//! repository.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Command, CommandFactory, ValueEnum, ValueHint};
use clap_complete::{Generator, Shell};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::Exit;
use super::failure::Failure;
use super::manual::verbs::{PROGRAM, VERBS};
use super::unhidden::unhidden;
use super::{Cli, key_source, manual};
use crate::commands::permissions::documented_policies::{self, DocumentedPolicy};
use crate::commands::permissions::{self, Places};
use crate::error::Error;
use crate::transfer::sink;

/// The pages of section 7.
const SECTION_7: &str = "s3seal-recipes(7), s3seal-config(7), s3seal-iam(7), s3seal-security(7), s3seal-formats(7), \
                         s3seal-json(7), s3seal-benchmarks(7)";

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

/// A file's name, and what is in it.
type Generated = (String, Vec<u8>);

/// Runs the verb.
///
/// # Errors
/// What the system refuses; a file that cannot be written whole stays as it was.
pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let cli = unhidden(&Cli::command());
    let generated = match args.what {
        What::Completions => Ok(completions(cli)),
        What::Man => man_pages(cli),
        What::Policies => policies(),
    };
    let refused = || Error::local("write into", &args.dir);
    let generated = generated.map_err(refused())?;
    fs::create_dir_all(&args.dir).map_err(refused())?;
    for (name, content) in generated {
        sink::replace(&args.dir.join(name), &content)?;
    }
    Ok(())
}

/// The completions that ask the program itself.
const SCRIPTS: [(&str, &str); 3] = [
    ("s3seal.bash", include_str!("../../completions/s3seal.bash")),
    ("_s3seal", include_str!("../../completions/_s3seal")),
    ("s3seal.fish", include_str!("../../completions/s3seal.fish")),
];

fn completions(mut cli: Command) -> Vec<Generated> {
    let generated = [Shell::Elvish, Shell::PowerShell].map(|shell| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut cli, "s3seal", &mut script);
        (shell.file_name("s3seal"), script)
    });
    let written = SCRIPTS.map(|(name, script)| (name.to_owned(), script.as_bytes().to_vec()));
    generated.into_iter().chain(written).collect()
}

/// The policies for one and the same made-up account.
fn policies() -> io::Result<Vec<Generated>> {
    let places = Places {
        bucket: "arn:aws:s3:::amzn-s3-demo-bucket",
        key_prefix: "db/",
        key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        key_at_rest: "",
        old_key: "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321",
        role: "arn:aws:iam::111122223333:role/batch",
    };
    let policy = |case: DocumentedPolicy| {
        let policy = permissions::policy(case.task, &case.extras, &places);
        let json = serde_json::to_string_pretty(&policy)?;
        Ok((format!("{}.json", case.name), format!("{json}\n").into_bytes()))
    };
    documented_policies::all().into_iter().map(policy).collect()
}

fn man_pages(cli: Command) -> io::Result<Vec<Generated>> {
    let mut cli = cli.disable_help_subcommand(true);
    cli.build();
    let mut pages = Vec::new();
    for verb in cli.get_subcommands() {
        let page = VERBS.iter().find(|page| page.verb == verb.get_name());
        let (description, files) = page.map_or((&[][..], &[][..]), |page| (page.description, page.files));
        pages.push(man_page(verb.clone(), description, |roff| {
            examples(roff, verb);
            reference(roff, files);
            see(roff, &format!("s3seal(1), {SECTION_7}"));
        })?);
    }
    let verbs: Vec<String> =
        cli.get_subcommands().map(|verb| format!("s3seal-{}(1)", verb.get_name())).collect();
    pages.push(man_page(cli, PROGRAM, |roff| {
        section(roff, "KEY SOURCES");
        roff.text([roman(manual::SOURCES_INTRO)]);
        rows(roff, key_source::FORMS.map(|(form, meaning)| (form.to_owned(), meaning.to_owned())));
        reference(roff, &[]);
        see(roff, &format!("{}, {SECTION_7}", verbs.join(", ")));
    })?);
    Ok(pages)
}

/// Makes one page: the description, what clap knows, then what `more` adds.
fn man_page(
    mut command: Command,
    description: &[&str],
    more: impl FnOnce(&mut Roff),
) -> io::Result<Generated> {
    let is_program = command.has_subcommands();
    let usage = command.render_usage().to_string();
    let page =
        Man::new(command).manual("User Commands").source(concat!("s3seal ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    let mut before = Roff::new();
    synopsis(&mut before, &usage);
    section(&mut before, "DESCRIPTION");
    for (number, paragraph) in description.iter().enumerate() {
        if number > 0 {
            before.control("PP", []);
        }
        before.text([roman(*paragraph)]);
    }
    before.to_writer(&mut out)?;
    if is_program {
        page.render_subcommands_section(&mut out)?;
    }
    page.render_options_section(&mut out)?;
    let mut after = Roff::new();
    more(&mut after);
    after.to_writer(&mut out)?;
    Ok((page.get_filename(), out))
}

/// The usage as `--help` has it: all the options in one line would hide it.
fn synopsis(roff: &mut Roff, usage: &str) {
    section(roff, "SYNOPSIS");
    for (number, line) in usage.lines().enumerate() {
        if number > 0 {
            roff.control("br", []);
        }
        let line = line.trim_start_matches("Usage:").trim();
        let (program, arguments) = line.split_once(" [").unwrap_or((line, ""));
        let arguments = if arguments.is_empty() { String::new() } else { format!(" [{arguments}") };
        roff.text([bold(program), roman(arguments)]);
    }
}

/// What every page has: files, environment and exit codes.
fn reference(roff: &mut Roff, files: &[(&str, &str)]) {
    section(roff, "FILES");
    rows(
        roff,
        files.iter().chain(&manual::FILES).map(|(path, what)| ((*path).to_owned(), (*what).to_owned())),
    );
    section(roff, "ENVIRONMENT");
    rows(roff, manual::environment().into_iter().map(|(name, what)| (name.to_owned(), what)));
    roff.control("PP", []);
    roff.text([roman(manual::waits())]);
    section(roff, "EXIT STATUS");
    rows(roff, Exit::ALL.map(|exit| (exit.code().to_string(), exit.when().to_owned())));
}

fn section(roff: &mut Roff, name: &str) {
    roff.control("SH", [name]);
}

fn rows(roff: &mut Roff, rows: impl IntoIterator<Item = (String, String)>) {
    for (left, right) in rows {
        roff.control("TP", []);
        roff.text([bold(left)]);
        roff.text([roman(right)]);
    }
}

/// What stands below the help: paragraphs with a title, the examples among them, then the others as notes.
fn examples(roff: &mut Roff, verb: &Command) {
    let text = verb.get_after_long_help().or_else(|| verb.get_after_help());
    let Some(text) = text.map(ToString::to_string) else { return };
    let is_titled = |paragraph: &&str| paragraph.lines().next().is_some_and(is_title);
    let (titled, notes): (Vec<_>, Vec<_>) = text.split("\n\n").partition(is_titled);
    for paragraph in titled {
        let (title, lines) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
        section(roff, &title.trim_end_matches(':').to_uppercase());
        block(roff, lines);
    }
    for (number, note) in notes.into_iter().enumerate() {
        if number == 0 {
            section(roff, "NOTES");
        } else {
            roff.control("PP", []);
        }
        block(roff, note);
    }
}

/// Whether a line is the title of the paragraph that it begins.
fn is_title(line: &str) -> bool {
    line.ends_with(':') && line.split_whitespace().count() <= 3
}

/// A paragraph: what is indented is kept line by line, what is not is filled.
fn block(roff: &mut Roff, text: &str) {
    let mut is_kept = false;
    for line in text.lines() {
        if line.starts_with("  ") != is_kept {
            is_kept = !is_kept;
            roff.control(if is_kept { "nf" } else { "fi" }, []);
        }
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    if is_kept {
        roff.control("fi", []);
    }
}

fn see(roff: &mut Roff, others: &str) {
    section(roff, "SEE ALSO");
    roff.text([roman(others)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The flags that a text names.
    fn flags(text: &str) -> impl Iterator<Item = &str> {
        let is_flag = |c: char| c.is_ascii_lowercase() || c == '-';
        let words = text.split(move |c| !is_flag(c)).filter(|word| word.starts_with("--") && word.len() > 2);
        words.map(|word| word.trim_start_matches('-')).filter(|word| !word.ends_with('-'))
    }

    #[test]
    fn each_verb_has_a_description_that_names_flags_which_exist() {
        let mut cli = unhidden(&Cli::command());
        cli.build();
        for verb in cli.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let name = verb.get_name();
            let page = VERBS.iter().find(|page| page.verb == name).unwrap_or_else(|| panic!("{name}"));
            let texts = page.description.iter().chain(page.files.iter().map(|(_, what)| what));
            for flag in texts.flat_map(|text| flags(text)) {
                let exists = verb.get_arguments().any(|arg| arg.get_long() == Some(flag));
                assert!(exists, "{name} has no --{flag}");
            }
        }
    }
}
