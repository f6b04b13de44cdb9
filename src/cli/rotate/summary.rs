//! Prints the summary of a rotation of many objects; `reporter` prints each object.

use crate::cli::document::rotation::{RotationSummary, Strategy};
use crate::cli::document::{self, Command, Document, Record, Summaries};
use crate::cli::failure::Failure;
use crate::cli::outcome::of_rules;
use crate::cli::progress::amounts::{count, counted, sum};
use crate::cli::session::Session;
use crate::commands::rotate::Summary;

/// Prints the summary of what was done in `seconds`, with `of_none` if that is nothing: a run that was stopped may not have
/// seen any object.
pub(crate) async fn print(
    summary: &Summary,
    session: &Session,
    seconds: f64,
    of_none: &str,
) -> Result<(), Failure> {
    if session.json {
        let sum = document::Summary::Rotation(RotationSummary {
            objects: summary.selected() - summary.failed,
            strategies: summary
                .strategies
                .iter()
                .map(|(strategy, count)| (Strategy::from(*strategy), *count))
                .collect(),
            skipped: summary.skipped,
            failed: summary.failed,
            previous_versions: summary.old_versions,
        });
        let document = Document::new(Command::Rotate, Record::Summary(Summaries { summary: sum }));
        return Ok(session.stdout.write(format!("{}\n", document.text())).await?);
    }
    let mut parts: Vec<String> = summary
        .strategies
        .iter()
        .map(|(strategy, number)| format!("{} {}", count(*number), Strategy::from(*strategy).past()))
        .collect();
    if summary.skipped > 0 {
        parts.push(format!("{} skipped or done before", summary.skipped));
    }
    if summary.failed > 0 {
        parts.push(format!("{} failed", summary.failed));
    }
    if parts.is_empty() {
        parts.push(of_none.to_owned());
    }
    let sum = if summary.bytes > 0 { format!(": {}", sum(summary.bytes, seconds)) } else { String::new() };
    let done = format!("{}{sum}", parts.join(", "));
    let said = [done].into_iter().chain(of_rules(&session.rules));
    session.printer.say(&said.collect::<Vec<_>>().join(", "));
    if summary.old_versions > 0 {
        let old = summary.old_versions;
        let [stay, their, keys] = if old == 1 { ["stays", "its", "key"] } else { ["stay", "their", "keys"] };
        let versions = counted(old, "older version");
        session.printer.say(&format!("{versions} {stay} in the bucket under {their} old {keys}"));
    }
    Ok(())
}
