//! The flags for comparing files with objects: what to transfer, what to delete, and whether only to report it.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use clap::ValueHint;

use super::failure::Failure;
use super::sanitize::escaped;
use super::session::Session;
use crate::commands::changes::MaxDelete;
use crate::defaults;
use crate::error::Error;

#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "one for each switch of the command line")]
pub(crate) struct UpdateArgs {
    /// With -r: only what is missing at the target, newer at the source, or of another size
    #[arg(long)]
    update: bool,

    /// With -r: delete what the source no longer has; asks first
    #[arg(long)]
    delete: bool,

    #[arg(long, value_name = "N|P%")]
    #[arg(help = format!(
        "With --delete: do nothing if more than N, or P% of what the target has, would be deleted [default: {}%]",
        defaults::MAX_DELETE_PERCENT
    ))]
    max_delete: Option<MaxDelete>,

    /// With --delete: do not ask
    #[arg(long)]
    yes: bool,

    /// With -r: only the names in FILE, or - for standard input, one a line, below the directory or prefix
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files_from: Option<PathBuf>,

    /// With --files-from: names end with NUL, as `find -print0` writes them
    #[arg(short = '0', long = "null")]
    null: bool,

    /// Only say what would be done, and why
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What is deleted, and whether somebody is asked first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeleteOptions {
    pub(crate) max: MaxDelete,
    pub(crate) is_confirmed: bool,
    pub(crate) dry_run: bool,
}

impl UpdateArgs {
    /// Refuses what does not fit together.
    pub(crate) fn check(&self, recursive: bool, no_clobber: bool, has_filter: bool) -> Result<(), Failure> {
        let of_many = [
            (self.update, "--update", "compares the files of a directory with objects"),
            (self.delete, "--delete", "compares the files of a directory with objects"),
            (
                self.files_from.is_some(),
                "--files-from",
                "names files of a directory, or objects under a prefix",
            ),
        ];
        if let Some((_, flag, what)) = of_many.into_iter().find(|(given, ..)| *given && !recursive) {
            return Err(Failure::usage(format!("{flag} {what}")).hint("add -r, or leave it out"));
        }
        let of_delete = [(self.max_delete.is_some(), "--max-delete"), (self.yes, "--yes")];
        if let Some((_, flag)) = of_delete.into_iter().find(|(given, _)| *given && !self.delete) {
            return Err(
                Failure::usage(format!("{flag} goes with --delete")).hint("add --delete, or leave it out")
            );
        }
        if self.null && self.files_from.is_none() {
            return Err(
                Failure::usage("-0 goes with --files-from").hint("add --files-from FILE, or leave it out")
            );
        }
        if self.update && no_clobber {
            return Err(Failure::usage(
                "--update replaces what has changed, and --no-clobber replaces nothing",
            )
            .hint("leave out one of them"));
        }
        if self.files_from.is_some() && has_filter {
            return Err(Failure::usage("--files-from names what is taken; patterns choose it")
                .hint("leave out --files-from, or --include and --exclude"));
        }
        if self.delete && (has_filter || self.files_from.is_some()) {
            return Err(Failure::usage(
                "--delete would delete what --include, --exclude or --files-from only hides",
            )
            .hint("leave them out, or leave out --delete"));
        }
        Ok(())
    }

    /// How a run that has done only some of it goes on. Never with `--no-clobber` where it was not given: it leaves what an
    /// earlier run has stored, also where that is older.
    pub(crate) fn again(&self, recursive: bool, no_clobber: bool) -> &'static str {
        if self.update || no_clobber {
            "the same command continues with the rest"
        } else if recursive {
            "the same command with --update continues with the rest"
        } else {
            "run the same command again"
        }
    }

    pub(crate) fn is_update(&self) -> bool {
        self.update
    }

    pub(crate) fn names_files(&self) -> bool {
        self.files_from.is_some()
    }

    /// Whether standard input has the names.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.files_from.as_deref() == Some(Path::new("-"))
    }

    pub(crate) fn delete_options(&self) -> Option<DeleteOptions> {
        let max = self.max_delete.unwrap_or(MaxDelete::Percent(defaults::MAX_DELETE_PERCENT));
        let (is_confirmed, dry_run) = (self.yes, self.dry_run);
        self.delete.then_some(DeleteOptions { max, is_confirmed, dry_run })
    }

    /// Reads the names of `--files-from`, sorted and each once.
    pub(crate) async fn names(&self, session: &Session) -> Result<Option<Vec<String>>, Failure> {
        let Some(from) = self.files_from.clone() else { return Ok(None) };
        let end = if self.null { b'\0' } else { b'\n' };
        session.ask(move || read_names(&from, end).map(Some)).await
    }
}

fn read_names(from: &Path, end: u8) -> Result<Vec<String>, Failure> {
    let mut bytes = Vec::new();
    let is_stdin = from == Path::new("-");
    let read = if is_stdin {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(from).map(|read| bytes = read)
    };
    read.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { subject: from.into(), source: None },
        _ => Error::local("read", from)(error),
    })?;
    names(&bytes, end).map_err(|(number, why)| {
        let from = if is_stdin { "standard input".into() } else { from.display().to_string() };
        Failure::usage(format!("--files-from: name {number} in {} {why}", escaped(&from)))
            .hint("names are paths below the directory or prefix, such as inner/file, one a line, or with -0 before a NUL")
    })
}

/// Splits a list; of a name that cannot be meant it returns the number, counted from 1, and why.
fn names(bytes: &[u8], end: u8) -> Result<Vec<String>, (usize, &'static str)> {
    let mut names = Vec::new();
    for (number, name) in bytes.split(|byte| *byte == end).enumerate() {
        let refused = |why| (number + 1, why);
        let name = std::str::from_utf8(name).map_err(|_| refused("is not UTF-8, and a key must be"))?;
        let name = name.strip_prefix("./").unwrap_or(name);
        if name.is_empty() {
            continue;
        }
        let is_plain = |component| matches!(component, Component::Normal(_));
        let path = Path::new(name);
        // Slashes that a path does not keep would be part of a key.
        let is_clean = path.components().all(is_plain)
            && path.components().as_path().as_os_str() == name
            && !name.contains("//")
            && !name.contains("/./")
            && !name.ends_with('/')
            && !name.ends_with("/.");
        if !is_clean || name.contains('\0') {
            return Err(refused("is no path of a file below a directory"));
        }
        names.push(name.to_owned());
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_come_once() {
        let found = names(b"b\n./a/x\n\na-b\nb\nwith blank \n", b'\n').unwrap();
        assert_eq!(found, ["a-b", "a/x", "b", "with blank "]);
        assert_eq!(names(b"new\nline\0a\0", b'\0').unwrap(), ["a", "new\nline"]);
        assert!(names(b"", b'\n').unwrap().is_empty());
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused_with_their_number() {
        for name in ["/etc/passwd", "../a", "a/../b", "a//b", "a/./b", "a/", "a/.", ".", ".."] {
            let (number, _) = names(format!("fine\n{name}\n").as_bytes(), b'\n').unwrap_err();
            assert_eq!(number, 2, "{name}");
        }
        assert_eq!(names(b"a\n\xff\n", b'\n').unwrap_err().0, 2);
        assert!(names(b"a\0b\n", b'\n').is_err());
    }
}
