//! A page for one object or bucket: labels on the left, values on the right, nothing truncated.
//!
//! All text that others chose is escaped here.

use std::fmt::Write;

use crate::aws::probe::Probe;
use crate::cli::sanitize::escaped;

mod bucket;
mod object;

pub(crate) use bucket::{bucket, bucket_lines, inventory};
pub(crate) use object::object;

/// The column of the values: the widest label and two spaces.
const INDENT: usize = 14;

pub(crate) struct Page {
    text: String,
    color: bool,
    /// Labels and values, unescaped, for the HTML page.
    lines: Vec<(String, String)>,
}

/// The meaning of a colour.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Worth attention.
    Odd,
    /// Not protected.
    Bad,
}

impl Tone {
    /// Paints a word for a terminal.
    pub(crate) fn paint(self, color: bool, word: &str) -> String {
        let code = match self {
            Self::Good => "32",
            Self::Odd => "33",
            Self::Bad => "1;31",
        };
        if color { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
    }
}

impl Page {
    pub(crate) fn new(title: &str, color: bool) -> Self {
        let title = escaped(title);
        let title = if color { format!("\x1b[1m{title}\x1b[0m") } else { title.into_owned() };
        Self { text: format!("{title}\n"), color, lines: Vec::new() }
    }

    pub(crate) fn text(self) -> String {
        self.text
    }

    /// Adds a value with its label; without one it continues the row above.
    pub(crate) fn row(&mut self, label: &str, fact: &str) {
        self.lines.push((label.to_owned(), fact.to_owned()));
        self.painted(label, &escaped(fact));
    }

    /// Adds a value in a colour.
    pub(crate) fn toned(&mut self, label: &str, tone: Tone, fact: &str) {
        self.lines.push((label.to_owned(), fact.to_owned()));
        self.painted(label, &tone.paint(self.color, &escaped(fact)));
    }

    fn painted(&mut self, label: &str, fact: &str) {
        let label = format!("{label:INDENT$}");
        let label = if self.color { format!("\x1b[2m{label}\x1b[0m") } else { label };
        let _ = writeln!(self.text, "  {label}{fact}");
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn probe<T>(&mut self, label: &str, seen: &Probe<T>, tell: impl FnOnce(&mut Self, &T)) {
        match seen {
            Probe::Known(fact) => tell(self, fact),
            Probe::AccessDenied(action) => {
                self.toned(label, Tone::Odd, &format!("access denied ({action})"));
            }
            Probe::Unavailable(why) => self.toned(label, Tone::Odd, &format!("not available: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_chose_cannot_play_with_the_terminal() {
        let mut page = Page::new("s3://bkt/\x1b[2J", true);
        page.row("type", "a\nat rest       SSE-KMS");
        let text = page.text();
        assert!(text.contains(r"\u{1b}[2J") && text.contains(r"a\nat rest"), "{text}");
        assert_eq!(text.lines().count(), 2);
    }
}
