//! Where a rotation keeps its journal, and what helps when an object refuses.
//!
//! What stands in a journal is `commands::rotate::journal`'s.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::RotateArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::foreign::shell_word;
use crate::commands::rotate::identity::Identity;
use crate::commands::rotate::journal::Journal;
use crate::commands::rotate::many::{Chosen, Plans};
use crate::commands::rotate::target::Target;
use crate::error::Error;
use crate::location::S3Uri;

impl RotateArgs {
    /// Opens the journal, unless nothing will be written.
    ///
    /// # Errors
    /// What the journal says; a usage failure where there is no place for it.
    pub(super) fn journal(&self, target: &Target, chosen: &Chosen) -> Result<Option<Journal>, Failure> {
        if self.dry_run {
            return Ok(None);
        }
        let suffix = self.old.instruction_suffix.as_deref();
        let name = Identity::new(&self.places, chosen, self.version_id.as_deref(), suffix, target).name();
        let path = match &self.journal {
            Some(path) => path.clone(),
            None => match state_directory() {
                Some(folder) => {
                    keep_private(&folder)?;
                    folder.join(format!("rotate-{name}.ndjson"))
                }
                None if self.single().is_some() => return Ok(None),
                None => {
                    return Err(Failure::usage("there is no place for the journal: HOME is not set")
                        .hint("name one: --journal FILE"));
                }
            },
        };
        match Journal::open(&path, &name) {
            Ok(journal) => Ok(Some(journal)),
            // One object needs none; it only helps to clear up after a crash.
            Err(Error::Local { .. }) if self.single().is_some() && self.journal.is_none() => Ok(None),
            Err(error @ (Error::Local { .. } | Error::Tampered { .. })) => {
                Err(Failure::from(error).hint("name another place for it: --journal FILE"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl RotateArgs {
    /// What a plan comes to, where nothing is done about it.
    ///
    /// # Errors
    /// Exit 3 if nothing was found; for what cannot be done, the code that doing it would end with.
    pub(super) fn verdict(&self, plans: &Plans) -> Result<(), Failure> {
        if plans.counted() == 0 && !self.allow_empty {
            return Err(self.nothing_found());
        }
        let message = match (plans.cannot(), self.single()) {
            (0, _) => return Ok(()),
            (_, Some(uri)) => return Err(Failure::usage(format!("{uri} cannot be rotated so"))),
            (refused, None) => format!("{refused} of {} objects cannot be rotated so", plans.counted()),
        };
        Err(Failure::new(Exit::Some, anyhow::anyhow!(message)).hint("each of them is named above"))
    }

    pub(super) fn nothing_found(&self) -> Failure {
        let places: Vec<String> = self.places.iter().map(ToString::to_string).collect();
        Failure::new(Exit::NotFound, anyhow::anyhow!("nothing found under {}", places.join(", ")))
            .hint("check the prefix, and --include and --exclude; --allow-empty takes it for success")
    }
}

/// Closes a folder to others that an earlier version, or somebody else's program, has made open.
fn keep_private(folder: &Path) -> Result<(), Failure> {
    match std::fs::metadata(folder) {
        Ok(facts) if facts.mode() & 0o077 != 0 => {
            let closed = std::fs::set_permissions(folder, Permissions::from_mode(0o700));
            closed.map_err(Error::local(format!("cannot close {} to others", folder.display())))?;
        }
        _ => {}
    }
    Ok(())
}

/// Where programs keep what they must not forget (XDG Base Directory Specification).
fn state_directory() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("s3seal"))
}

/// Adds what helps with this object.
pub(super) fn failure(error: Error, uri: &S3Uri) -> Failure {
    let archived = matches!(&error, Error::Unsupported { why, .. } if why.contains("restored first"));
    let failure = Failure::from(error);
    if !archived {
        return failure;
    }
    failure.hint(format!(
        "aws s3api restore-object --bucket {} --key {} --restore-request Days=7",
        shell_word(uri.bucket.as_str()),
        shell_word(&uri.key)
    ))
}
