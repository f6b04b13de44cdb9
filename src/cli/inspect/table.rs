//! Rows and their summary as a table, whose column widths do not depend on the rows to come.
//!
//! The object is in the last column, so it need not be truncated. All text that others chose is escaped.

use std::fmt::Write;

use super::page::Tone;
use super::verification;
use crate::aws::sse::AppliedMode;
use crate::byte_size::ByteSize;
use crate::cli::progress::amounts;
use crate::cli::sanitize::escaped;
use crate::commands::bulk::Row;
use crate::commands::inspect::outcome::ClientSeen;
use crate::commands::inspect::summary::{Amount, Offenders, ShareName, Summary, key_of, mode_word, name_of};
use crate::commands::inspect::{InspectRow, reason};
use crate::encryption::KeyArn;

const MODE: usize = 9;
const SIZE: usize = 10;
const KEY: usize = 26;
/// What verified the data, where it is read.
const VERIFIED: usize = 14;
/// Cells of a bar.
const BAR: u64 = 20;
/// The maximum number of offenders listed after the summary; the rows have all of them.
const LISTED: usize = 20;

/// The columns that not every run has.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    /// Whether objects are as expected.
    pub(crate) expected: bool,
    /// What verified their data.
    pub(crate) verified: bool,
}

/// The line above the rows.
pub(crate) fn header(columns: Columns, color: bool) -> String {
    let mark = if columns.expected { "  " } else { "" };
    let verified = if columns.verified { format!("  {:VERIFIED$}", "VERIFIED BY") } else { String::new() };
    let line = format!("{mark}{:MODE$} {:KEY$} {:>SIZE$}{verified}  OBJECT", "MODE", "KEY", "SIZE");
    if color { format!("\x1b[2m{line}\x1b[0m") } else { line }
}

/// One row.
pub(crate) fn row(row: &InspectRow, columns: Columns, color: bool) -> Option<String> {
    Some(match row {
        Row::Skipped { .. } | Row::Unselected => return None,
        Row::Done(outcome) => {
            let mark = match outcome.as_expected {
                None => String::new(),
                Some(true) => format!("{} ", Tone::Good.paint(color, "✓")),
                Some(false) => format!("{} ", Tone::Bad.paint(color, "✗")),
            };
            let mode = outcome.mode();
            let tone = match (&mode, &outcome.client) {
                (_, ClientSeen::Broken(_)) | (AppliedMode::NotSaid, _) => Tone::Bad,
                (AppliedMode::Other(_), _) => Tone::Odd,
                _ => Tone::Good,
            };
            let mode = tone.paint(color, &format!("{:MODE$}", escaped(mode_word(&mode))));
            let key = match &outcome.client {
                ClientSeen::Broken(_) => "broken envelope".to_owned(),
                ClientSeen::InstructionFile => "instruction file".to_owned(),
                _ if outcome.marked_instruction_file => "marked instruction file".to_owned(),
                _ => key_of(outcome).unwrap_or_else(|| "-".to_owned()),
            };
            let key = short(&escaped(&key), KEY);
            let size = outcome.stored_len.map_or_else(|| "?".to_owned(), |len| ByteSize(len).to_string());
            let verified = outcome.data.as_ref().map(|data| {
                let tone = if data.is_verified() { Tone::Good } else { Tone::Odd };
                format!("  {}", tone.paint(color, &format!("{:VERIFIED$}", verification::in_short(data))))
            });
            let verified = verified.unwrap_or_default();
            format!("{mark}{mode} {key:KEY$} {size:>SIZE$}{verified}  {}", escaped(&name_of(outcome)))
        }
        Row::Failed { name, error, .. } => {
            let mark = if columns.expected { "? " } else { "" };
            let word = Tone::Odd.paint(color, &format!("{:MODE$}", "?"));
            let gap = KEY + SIZE + 3 + if columns.verified { VERIFIED + 2 } else { 0 };
            format!("{mark}{word} {:gap$}{}: {}", "", escaped(name), escaped(&reason(error)))
        }
    })
}

/// Shortens a key's name in the middle: the end of an ARN identifies it.
fn short(text: &str, width: usize) -> String {
    if let Some(arn) = KeyArn::parse(text) {
        return short(&format!("…{}", arn.id()), width);
    }
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= width {
        return text.to_owned();
    }
    let head = width / 2;
    let tail = width - head - 1;
    letters[..head].iter().chain(&['…']).chain(&letters[letters.len() - tail..]).collect()
}

/// The summary by mode and key, a line each.
pub(crate) fn shares(summary: &Summary, names: &[(String, String)], color: bool) -> String {
    let mut text = String::new();
    let all = summary.all;
    let shares = summary.largest_first();
    for (name, amount) in &shares {
        text += &share(name, *amount, all, names, color);
    }
    if summary.others.objects > 0 {
        let name = ShareName { mode: "others".to_owned(), key: None };
        text += &share(&name, summary.others, all, names, color);
    }
    text
}

/// The last line of the summary, without its line end: how many there are, and what is wrong with them.
pub(crate) fn total(summary: &Summary, complete: bool, color: bool) -> String {
    let (mut text, all) = (String::new(), summary.all);
    let objects = if all.objects == 1 { "object" } else { "objects" };
    let _ = write!(text, "{} {objects}, {}", amounts::count(all.objects), ByteSize(all.bytes));
    if summary.delete_markers > 0 {
        let markers = if summary.delete_markers == 1 { "delete marker" } else { "delete markers" };
        let _ = write!(text, "; {} {markers}", amounts::count(summary.delete_markers));
    }
    if summary.claimed > 0 {
        let _ =
            write!(text, "; {} claimed to be client-side, not decrypted", amounts::count(summary.claimed));
    }
    if summary.failed.count > 0 {
        let _ = write!(text, "; {} {}", summary.failed.count, verification::failed_words(summary));
    }
    if let Some(sum) = verification::sum(summary) {
        let _ = write!(text, "; {sum}");
    }
    if let Some(unexpected) = summary.unexpected.as_ref().filter(|_| all.objects > 0) {
        let words = match (unexpected.count, summary.failed.count) {
            (0, 0) => Tone::Good.paint(color, "all as expected"),
            (0, _) => Tone::Good.paint(color, "the others as expected"),
            (count, _) => Tone::Bad.paint(color, &format!("{count} not as expected")),
        };
        let _ = write!(text, "; {words}");
    }
    if !complete {
        let _ = write!(text, "; {}", Tone::Odd.paint(color, "not complete"));
    }
    text
}

fn share(name: &ShareName, amount: Amount, all: Amount, names: &[(String, String)], color: bool) -> String {
    let tone = if name.mode == "none" { Tone::Bad } else { Tone::Good };
    let cells = (amount.objects * BAR).div_ceil(all.objects.max(1));
    let bar: String = (0..BAR).map(|cell| if cell < cells { '█' } else { '░' }).collect();
    let percent = percent(amount.objects, all.objects);
    let key = name.key.as_deref().unwrap_or_default();
    let alias = names.iter().find(|(known, _)| known == key).map(|(_, alias)| alias);
    let key = match (alias, KeyArn::parse(key)) {
        // The alias and the id say it all, and fit on a line.
        (Some(alias), Some(arn)) => format!("{alias}  {}", arn.id()),
        _ => key.to_owned(),
    };
    let line = format!(
        "{} {} {percent:>6} {:>9} {:>SIZE$}  {}",
        tone.paint(color, &format!("{:MODE$}", escaped(&name.mode))),
        tone.paint(color, &bar),
        amounts::count(amount.objects),
        ByteSize(amount.bytes).to_string(),
        escaped(&key),
    );
    format!("{}\n", line.trim_end())
}

/// A share in percent, never rounded to 100 or to 0.
pub(crate) fn percent(part: u64, all: u64) -> String {
    if all == 0 {
        return "0 %".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(all);
    match tenths {
        0 if part > 0 => "<0.1 %".to_owned(),
        999.. if part < all => ">99.8 %".to_owned(),
        tenths if tenths % 10 == 0 => format!("{} %", tenths / 10),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// The first offenders, a line each, with the count of the rest.
pub(crate) fn offenders(list: &Offenders) -> Vec<String> {
    up_to(LISTED, list)
}

/// All offenders that were kept, a line each, with the count of the rest and where it is named.
pub(crate) fn all_offenders(list: &Offenders) -> Vec<String> {
    let mut lines = up_to(list.first.len(), list);
    if list.count > list.first.len() as u64 {
        lines.push("  --format ndjson names them all".to_owned());
    }
    lines
}

fn up_to(most: usize, list: &Offenders) -> Vec<String> {
    let mut lines: Vec<String> = list
        .first
        .iter()
        .take(most)
        .map(|one| format!("  {}: {}", escaped(&one.name), escaped(&one.why)))
        .collect();
    let rest = list.count.saturating_sub(lines.len() as u64);
    if rest > 0 {
        lines.push(format!("  and {rest} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shortened_so_that_they_can_be_told_apart() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        assert_eq!(short(arn, 40), "…1234abcd-12ab-34cd-56ef-1234567890ab");
        assert_eq!(short(arn, 21), "…1234abcd-…34567890ab");
        assert_eq!(short(arn, 26).chars().count(), 26);
        assert_eq!(short("größe", 26), "größe");
    }

    #[test]
    fn shares_are_never_rounded_to_all_or_nothing() {
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 2), "50 %");
        assert_eq!(percent(1, 1_000_000), "<0.1 %");
        assert_eq!(percent(999_999, 1_000_000), ">99.8 %");
        assert_eq!(percent(3, 3), "100 %");
        assert_eq!(percent(0, 0), "0 %");
    }
}
