//! The objects of the report, grouped by key: collected row by row up to a limit, and written as a section for each
//! key.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::safe;
use crate::byte_size::ByteSize;
use crate::cli::progress::amounts;
use crate::commands::bulk::Row;
use crate::commands::inspect::InspectRow;
use crate::commands::inspect::summary::{ShareName, name_of};
use crate::limits::{MAX_REPORT_OBJECTS, MAX_REPORT_OBJECTS_OF_KEY};

/// The objects under each key, as many as the page lists.
#[derive(Default)]
pub(crate) struct ObjectsByKey {
    keys: BTreeMap<ShareName, Vec<(String, Option<u64>)>>,
    listed: usize,
}

impl ObjectsByKey {
    /// Takes an object, unless the page has enough.
    pub(crate) fn add(&mut self, row: &InspectRow) {
        let Row::Done(outcome) = row else { return };
        if self.listed >= MAX_REPORT_OBJECTS {
            return;
        }
        let objects = self.keys.entry(ShareName::of(outcome)).or_default();
        if objects.len() < MAX_REPORT_OBJECTS_OF_KEY {
            objects.push((name_of(outcome), outcome.stored_len));
            self.listed += 1;
        }
    }

    /// Whether there is a section for a key.
    pub(super) fn has(&self, name: &ShareName) -> bool {
        self.keys.contains_key(name)
    }

    /// Writes the section of a key, the `number`th of the table; `all` counts its objects.
    pub(super) fn section(&self, html: &mut String, number: usize, name: &ShareName, title: &str, all: u64) {
        let Some(objects) = self.keys.get(name) else { return };
        let _ = write!(
            html,
            "<section id=\"objects-{number}\">\n<h3>{title} <a class=\"back\" href=\"#key-{number}\">back to the key</a></h3>\n\
             <table>\n<thead><tr><th>Object</th><th class=\"number\">Stored</th></tr></thead>\n<tbody>\n"
        );
        for (object, bytes) in objects {
            let bytes = bytes.map_or_else(|| "?".to_owned(), |bytes| ByteSize(bytes).to_string());
            let _ = writeln!(
                html,
                "<tr><td class=\"name\">{}</td><td class=\"number\">{bytes}</td></tr>",
                safe(object)
            );
        }
        html.push_str("</tbody>\n</table>\n");
        let rest = all.saturating_sub(objects.len() as u64);
        if rest > 0 {
            let _ = writeln!(html, "<p class=\"soft\">and {} more</p>", amounts::count(rest));
        }
        html.push_str("</section>\n");
    }
}
