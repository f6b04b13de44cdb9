//! The summary as one self-contained HTML page, for the screen and for print.
//!
//! The page has no script and loads nothing, and its policy forbids both. All text that others chose is escaped here.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::page::bucket_lines;
use super::table::percent;
use super::verification;
use crate::aws::bucket::BucketFacts;
use crate::aws::inventory::Manifest;
use crate::aws::timestamp::{local_now, rfc3339_of_seconds};
use crate::byte_size::ByteSize;
use crate::cli::progress::amounts;
use crate::cli::sanitize::escaped;
use crate::commands::inspect::InspectRow;
use crate::commands::inspect::summary::{Amount, Offenders, ShareName, Summary};

mod objects;

pub(crate) use objects::ObjectsByKey;

const STYLE: &str = include_str!("html.css");

/// The modes with a colour of their own, in the order in which they are shown.
const MODES: [&str; 6] = ["client", "sse-c", "dsse-kms", "sse-kms", "sse-s3", "none"];

/// The content of a page in addition to the summary.
#[derive(Default)]
pub(crate) struct Report {
    /// The places inspected, as typed.
    pub(crate) places: Vec<String>,
    /// What the run covers, and where: labels and values.
    pub(crate) scope: Vec<(&'static str, String)>,
    /// The expectation as typed; empty without one.
    pub(crate) expected: String,
    /// The settings of buckets.
    pub(crate) buckets: Vec<BucketFacts>,
    /// The S3 Inventory report, if it is one of these.
    pub(crate) inventory: Option<Manifest>,
    /// The objects of each key.
    pub(crate) objects: Option<ObjectsByKey>,
}

impl Report {
    /// Takes an object, if a page is written.
    pub(crate) fn add(&mut self, row: &InspectRow) {
        if let Some(objects) = &mut self.objects {
            objects.add(row);
        }
    }
}

/// Makes the page; `names` are aliases of keys.
pub(crate) fn page(report: &Report, summary: &Summary, names: &[(String, String)]) -> String {
    let title = format!("Encryption of {}", report.places.join(", "));
    let mut html = String::new();
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        safe(&title)
    );
    let _ = write!(html, "<header>\n<h1>{}</h1>\n", safe(&title));
    let _ = writeln!(
        html,
        "<p class=\"soft\">Inspected on {}</p>",
        safe(&rfc3339_of_seconds(local_now()).unwrap_or_default())
    );
    if let Some(manifest) = &report.inventory {
        let made = manifest.created.as_deref().unwrap_or("on an unknown date");
        let _ = writeln!(
            html,
            "<p class=\"odd\">From an S3 Inventory report of {}: it does not show keys, client-side encryption or \
             later changes.</p>",
            safe(made)
        );
    }
    html += "</header>\n";
    verdict(&mut html, report, summary);
    tiles(&mut html, summary);
    chart(&mut html, summary);
    shares(&mut html, report, summary, names);
    let unexpected = summary.unexpected.as_ref();
    offenders(&mut html, "Not as expected", "Found", unexpected);
    offenders(&mut html, verification::failed_title(summary), "Reason", Some(&summary.failed));
    skipped(&mut html, summary);
    facts(&mut html, "What was inspected", &report.scope);
    objects_by_key(&mut html, report, summary, names);
    for settings in &report.buckets {
        bucket(&mut html, settings);
    }
    let _ = write!(
        html,
        "<footer>Made by s3seal {}. Stored bytes are what S3 reports.</footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION")
    );
    html
}

fn verdict(html: &mut String, report: &Report, summary: &Summary) {
    let failed = match summary.failed.count {
        0 => String::new(),
        count => format!("; {} {}", amounts::count(count), verification::failed_words(summary)),
    };
    let (class, words) = match &summary.unexpected {
        None if failed.is_empty() => return,
        None => ("bad", failed.trim_start_matches("; ").to_owned()),
        Some(list) if list.count == 0 => {
            let class = if failed.is_empty() { "good" } else { "bad" };
            (class, format!("All objects are as expected: {}{failed}", report.expected))
        }
        Some(list) => {
            let verb = if list.count == 1 { "is" } else { "are" };
            let of = amounts::count(summary.all.objects);
            (
                "bad",
                format!(
                    "{} of {of} objects {verb} not as expected: {}{failed}",
                    amounts::count(list.count),
                    report.expected
                ),
            )
        }
    };
    let _ = writeln!(html, "<p class=\"verdict {class}\">{}</p>", safe(&words));
}

fn tiles(html: &mut String, summary: &Summary) {
    let none = by_mode(summary).get("none").copied().unwrap_or_default();
    let encrypted = summary.all.objects - none.objects;
    let mut tiles = vec![
        ("Objects", amounts::count(summary.all.objects)),
        ("Stored", ByteSize(summary.all.bytes).to_string()),
        ("Encrypted", percent(encrypted, summary.all.objects)),
    ];
    if summary.delete_markers > 0 {
        tiles.push(("Delete markers", amounts::count(summary.delete_markers)));
    }
    html.push_str("<dl class=\"tiles\">\n");
    for (name, value) in tiles {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html.push_str("</dl>\n");
    if summary.claimed > 0 {
        let _ = writeln!(
            html,
            "<p class=\"odd\">Claimed to be client-side, not decrypted: {}. Anyone who can write an object can write \
             such a claim.</p>",
            amounts::count(summary.claimed)
        );
    }
}

/// The shares without their keys.
fn by_mode(summary: &Summary) -> BTreeMap<&str, Amount> {
    let mut modes: BTreeMap<&str, Amount> = BTreeMap::new();
    for (name, amount) in &summary.shares {
        let sum = modes.entry(&name.mode).or_default();
        sum.objects += amount.objects;
        sum.bytes = sum.bytes.saturating_add(amount.bytes);
    }
    if summary.others.objects > 0 {
        modes.insert("others", summary.others);
    }
    modes
}

fn class(mode: &str) -> &str {
    MODES.into_iter().find(|known| *known == mode).unwrap_or("other")
}

fn chart(html: &mut String, summary: &Summary) {
    let modes = by_mode(summary);
    if modes.is_empty() {
        return;
    }
    let known = MODES.into_iter().filter_map(|mode| modes.get(mode).map(|amount| (mode, *amount)));
    let unknown =
        modes.iter().filter(|(mode, _)| !MODES.contains(*mode)).map(|(mode, amount)| (*mode, *amount));
    let parts: Vec<(&str, Amount)> = known.chain(unknown).collect();
    html.push_str("<h2>Shares</h2>\n<figure class=\"chart\">\n");
    for (title, whole, of) in [
        ("by objects", summary.all.objects, (|amount| amount.objects) as fn(&Amount) -> u64),
        ("by stored bytes", summary.all.bytes, |amount| amount.bytes),
    ] {
        let _ = writeln!(
            html,
            "<figcaption>{title}</figcaption>\n<div class=\"stack\" role=\"img\" aria-label=\"{title}\">"
        );
        for (mode, amount) in &parts {
            let share = percent(of(amount), whole);
            let _ = writeln!(
                html,
                "<span class=\"{}\" style=\"flex:{} 0 0\" title=\"{}: {share}\"></span>",
                class(mode),
                of(amount),
                safe(mode)
            );
        }
        html.push_str("</div>\n");
    }
    html.push_str("</figure>\n<table class=\"modes\">\n<thead><tr><th>Mode</th>");
    html.push_str(AMOUNT_HEADERS);
    for (mode, amount) in &parts {
        let (class, mode, cells) = (class(mode), safe(mode), amount_cells(*amount, summary.all));
        let _ = writeln!(
            html,
            "<tr><td class=\"mode\"><span class=\"dot {class}\"></span>{mode}</td>{cells}</tr>"
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

const AMOUNT_HEADERS: &str = "<th class=\"number\">Objects</th><th class=\"number share\">Share</th>\
     <th class=\"number\">Stored</th><th class=\"number share\">Share</th></tr></thead>\n<tbody>\n";

/// Objects and bytes, each with its share.
fn amount_cells(amount: Amount, all: Amount) -> String {
    format!(
        "<td class=\"number\">{}</td><td class=\"number share\">{}</td><td class=\"number\">{}</td>\
         <td class=\"number share\">{}</td>",
        amounts::count(amount.objects),
        percent(amount.objects, all.objects),
        ByteSize(amount.bytes),
        percent(amount.bytes, all.bytes),
    )
}

fn shares(html: &mut String, report: &Report, summary: &Summary, names: &[(String, String)]) {
    let _ = write!(
        html,
        "<h2>By mode and key</h2>\n<table class=\"keys\">\n<thead><tr><th>Mode</th><th>Key</th>{AMOUNT_HEADERS}"
    );
    for (number, (name, amount)) in summary.largest_first().into_iter().enumerate() {
        let (class, mode, cells) = (class(&name.mode), safe(&name.mode), amount_cells(amount, summary.all));
        let key = key_lines(name, names);
        let key = match &report.objects {
            Some(objects) if objects.has(name) => {
                let shown = if key.is_empty() { "its objects" } else { &key };
                format!("<a href=\"#objects-{number}\">{shown}</a>")
            }
            _ => key,
        };
        let _ = writeln!(
            html,
            "<tr id=\"key-{number}\"><td class=\"mode\"><span class=\"dot {class}\"></span>{mode}</td>\
             <td class=\"name\">{key}</td>{cells}</tr>"
        );
    }
    html.push_str("</tbody>\n</table>\n");
}

/// A key and its alias, escaped.
fn key_lines(name: &ShareName, names: &[(String, String)]) -> String {
    let key = name.key.as_deref().unwrap_or_default();
    match names.iter().find(|(known, _)| known == key) {
        Some((_, alias)) => format!("{}<br>{}", safe(alias), safe(key)),
        None => safe(key),
    }
}

/// A section for each key, to which the table of the keys leads.
fn objects_by_key(html: &mut String, report: &Report, summary: &Summary, names: &[(String, String)]) {
    let Some(objects) = &report.objects else { return };
    html.push_str("<h2>Objects by key</h2>\n");
    for (number, (name, amount)) in summary.largest_first().into_iter().enumerate() {
        let key = key_lines(name, names);
        let title = format!("<span class=\"dot {}\"></span>{} {key}", class(&name.mode), safe(&name.mode));
        objects.section(html, number, name, &title, amount.objects);
    }
}

/// What was listed and not inspected, and why.
fn skipped(html: &mut String, summary: &Summary) {
    let skipped = [
        (summary.filtered_out, "excluded by the filters or the choice of versions"),
        (summary.delete_markers, "delete markers, which have no content"),
        (summary.deleted_meanwhile, "deleted after they were listed"),
    ];
    let lines = skipped.into_iter().filter(|(count, _)| *count > 0);
    let lines =
        lines.map(|(count, why)| ("", format!("{}: {why}", amounts::count(count)))).collect::<Vec<_>>();
    facts(html, "Skipped", &lines);
}

fn facts(html: &mut String, title: &str, lines: &[(&str, String)]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(html, "<h2>{title}</h2>\n<table class=\"facts\">\n<tbody>\n");
    for (label, fact) in lines {
        let label =
            if label.is_empty() { String::new() } else { format!("<th scope=\"row\">{}</th>", safe(label)) };
        let _ = writeln!(html, "<tr>{label}<td>{}</td></tr>", safe(fact));
    }
    html.push_str("</tbody>\n</table>\n");
}

fn offenders(html: &mut String, title: &str, column: &str, list: Option<&Offenders>) {
    let Some(list) = list.filter(|list| list.count > 0) else { return };
    let _ = write!(
        html,
        "<h2>{title} ({})</h2>\n<table>\n<thead><tr><th>Object</th><th>{column}</th></tr></thead>\n<tbody>\n",
        amounts::count(list.count)
    );
    for one in &list.first {
        let _ =
            writeln!(html, "<tr><td class=\"name\">{}</td><td>{}</td></tr>", safe(&one.name), safe(&one.why));
    }
    html.push_str("</tbody>\n</table>\n");
    if list.unlisted() > 0 {
        let _ = writeln!(html, "<p class=\"soft\">and {} more</p>", amounts::count(list.unlisted()));
    }
}

fn bucket(html: &mut String, bucket: &BucketFacts) {
    let title = format!("The bucket s3://{}", safe(bucket.bucket.as_str()));
    let lines = bucket_lines(bucket);
    let lines: Vec<_> = lines.iter().map(|(label, fact)| (label.trim(), fact.clone())).collect();
    facts(html, &title, &lines);
}

/// Escapes text for HTML; control characters become visible, as on a terminal.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::inspect::summary::ShareName;
    use crate::encryption::Mode;

    #[test]
    fn every_mode_has_a_colour() {
        for mode in Mode::ALL {
            assert!(MODES.contains(&mode.as_str()), "{mode}");
        }
        for mode in MODES {
            assert!(
                STYLE.contains(&format!("--{mode}: ")) && STYLE.contains(&format!(".{mode} {{")),
                "{mode}"
            );
        }
    }

    fn summary() -> Summary {
        let mut summary = Summary::new(true);
        let share =
            |mode: &str, key: Option<&str>| ShareName { mode: mode.to_owned(), key: key.map(str::to_owned) };
        summary.shares.insert(share("sse-kms", Some("arn:k<1>")), Amount { objects: 3, bytes: 4096 });
        summary.shares.insert(share("none", None), Amount { objects: 1, bytes: 1 });
        summary.shares.insert(share("<future>", None), Amount { objects: 1, bytes: 1 });
        summary.all = Amount { objects: 5, bytes: 4098 };
        summary.fail("s3://b/<script>alert(1)</script>".to_owned(), "\"quoted\" & \u{202e}turned".to_owned());
        summary
    }

    #[test]
    fn what_others_chose_is_text_and_nothing_else() {
        let report = Report { places: vec!["s3://b/<i>".to_owned()], ..Report::default() };
        let html = page(&report, &summary(), &[("arn:k<1>".to_owned(), "alias/<b>".to_owned())]);
        for shown in [
            "&lt;script&gt;",
            "alias/&lt;b&gt;",
            "arn:k&lt;1&gt;",
            "&lt;future&gt;",
            r"\u{202e}turned",
            "s3://b/&lt;i&gt;",
        ] {
            assert!(html.contains(shown), "{shown}");
        }
        for live in ["<script", "<i>", "<b>", "<future>", "\u{202e}", "http:", "https:", "src=", "url("] {
            assert!(!html.contains(live), "{live}");
        }
    }

    #[test]
    fn the_numbers_are_in_it() {
        let report = Report {
            places: vec!["s3://b/".to_owned()],
            expected: "sse-kms".to_owned(),
            ..Report::default()
        };
        let html = page(&report, &summary(), &[]);
        for shown in ["<dd>5</dd>", "<dd>4 KiB</dd>", "<dd>80 %</dd>", "60 %", "Not inspected (1)"] {
            assert!(html.contains(shown), "{shown}\n{html}");
        }
    }

    #[test]
    fn a_page_without_objects_is_a_page() {
        let html = page(&Report::default(), &Summary::new(false), &[]);
        assert!(html.ends_with("</html>\n") && html.contains("<dd>0</dd>"));
    }
}
