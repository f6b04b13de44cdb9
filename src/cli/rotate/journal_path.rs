//! The path of a rotation's journal. `commands::rotate::journal` handles its content.

use super::RotateArgs;
use crate::cli::failure::Failure;
use crate::cli::state_directory::state_directory;
use crate::commands::rotate::journal::JournalLocation;

impl RotateArgs {
    /// The file given, or the state directory; one object needs neither.
    pub(super) fn journal_location(&self) -> Result<JournalLocation, Failure> {
        match (&self.journal, state_directory()) {
            (Some(path), _) => Ok(JournalLocation::File(path.clone())),
            (None, Some(folder)) => Ok(JournalLocation::Directory(folder)),
            // A plan is kept nowhere.
            (None, None) if self.dry_run || self.single().is_some() => Ok(JournalLocation::None),
            (None, None) => Err(Failure::usage("no directory for the journal: HOME is not set")
                .hint("name a file: --journal FILE")),
        }
    }
}
