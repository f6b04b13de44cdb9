//! `--delete` of `put` and `get`: checks the number of deletions, and asks for confirmation, before anything is
//! transferred.

use std::convert::Infallible;

use super::document::Command;
use super::failure::Failure;
use super::outcome;
use super::progress::amounts;
use super::prompt;
use super::reporter::Reporter;
use super::session::Session;
use super::update_args::DeleteOptions;
use crate::commands::bulk::Row;
use crate::commands::changes::Change;
use crate::commands::deletions::Deletions;
use crate::error::{Error, Subject};

/// Whether the run goes on, and with it the deletion.
pub(super) enum Answer<T> {
    Delete(Vec<T>),
    /// More than is allowed would go, but this run only says what.
    TooMuch(Vec<T>, Error),
    /// Something could not be read, so it is not known what the source has.
    DeleteNothing,
    /// Nothing at all is done.
    Stop,
}

/// Whether the deletion follows: only if all the rest went well.
pub(super) fn is_due(
    ended: &Result<(), Error>,
    reporter: &Reporter<'_>,
    is_empty: bool,
    session: &Session,
) -> bool {
    if is_empty || ended.is_err() {
        return false;
    }
    if reporter.has_failures() {
        session.printer.line("nothing deleted, because of the failures named above");
    }
    !reporter.has_failures()
}

/// Reports one deletion, or what would be one.
pub(super) async fn report(
    row: &Row<Change<Infallible>>,
    reporter: &mut Reporter<'_>,
    command: Command,
    session: &Session,
) -> Result<(), Error> {
    reporter.deletes();
    let text =
        |change: &_| outcome::change(change, command, session.json, |never: &Infallible| match *never {});
    reporter.report(row, text).await
}

/// Asks whether what only the target has is to be deleted. `noun` is what goes, `source` where it is no longer.
///
/// # Errors
/// `DeletesTooMuch`; a usage failure where there is nobody to ask.
pub(super) async fn agree<T>(
    found: Deletions<T>,
    options: DeleteOptions,
    target: Subject,
    noun: &str,
    source: &str,
    session: &Session,
) -> Result<Answer<T>, Failure> {
    if found.unread > 0 {
        let files = if found.unread == 1 { "file" } else { "files" };
        let unread = amounts::count(found.unread);
        session
            .printer
            .line(&format!("nothing will be deleted: {unread} {files} in {source} cannot be read"));
        return Ok(Answer::DeleteNothing);
    }
    match found.check(target.clone(), options.max) {
        Err(error) if options.dry_run => return Ok(Answer::TooMuch(found.extra, error)),
        Err(error) => return Err(Failure::from(error).hint("--dry-run shows what would be deleted")),
        Ok(()) => {}
    }
    let count = found.extra.len() as u64;
    if count == 0 || options.is_confirmed || options.dry_run {
        return Ok(Answer::Delete(found.extra));
    }
    let noun = if count == 1 { noun.to_owned() } else { format!("{noun}s") };
    let question =
        format!("Delete {} {noun} below {target} that {source} does not have?", amounts::count(count));
    if session.ask(move || prompt::confirm(&question)).await? {
        return Ok(Answer::Delete(found.extra));
    }
    session.printer.say("nothing changed");
    Ok(Answer::Stop)
}
