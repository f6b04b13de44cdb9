//! Rows as CSV (RFC 4180), for spreadsheets and scripts.
//!
//! A key may contain anything, so it appears only in the column `uri`, which always begins with `s3://`: no spreadsheet
//! takes it for a formula. Values are exact; they are escaped only on a terminal.

use std::borrow::Cow;

use super::document::client_state;
use super::verification::verified_by;
use crate::cli::document::inspection::ClientState;
use crate::cli::sanitize::escaped;
use crate::commands::bulk::Row;
use crate::commands::inspect::summary::{ShareName, Summary, key_of, mode_word};
use crate::commands::inspect::{InspectRow, reason};

pub(crate) const HEADER: &str = "uri,version_id,mode,client,encryption_key,at_rest,bucket_key,stored_bytes,bytes,last_modified,storage_class,etag,as_expected,error,verified_by";

/// One row, without its line end.
pub(crate) fn row(row: &InspectRow, terminal: bool) -> Option<String> {
    let fields: [Cow<'_, str>; 15] = match row {
        Row::Skipped { .. } | Row::Unselected => return None,
        Row::Done(outcome) => {
            let number =
                |number: Option<u64>| number.map_or(Cow::Borrowed(""), |number| number.to_string().into());
            let text = |text: Option<&String>| text.cloned().unwrap_or_default().into();
            [
                outcome.uri.to_string().into(),
                text(outcome.version_id.as_ref()),
                mode_word(&outcome.mode()).to_owned().into(),
                client_state(&outcome.client).map_or("", ClientState::as_str).into(),
                key_of(outcome).unwrap_or_default().into(),
                mode_word(&outcome.at_rest.applied.mode).into(),
                outcome.at_rest.applied.bucket_key.to_string().into(),
                number(outcome.stored_len),
                number(outcome.plain_len()),
                text(outcome.last_modified.as_ref()),
                outcome.storage_class.as_deref().unwrap_or("STANDARD").into(),
                outcome.etag.as_deref().unwrap_or_default().trim_matches('"').into(),
                outcome.as_expected.map_or(Cow::Borrowed(""), |is| is.to_string().into()),
                Cow::Borrowed(""),
                outcome.data.as_ref().map_or(Cow::Borrowed(""), |data| match verified_by(data).as_slice() {
                    [] => "none".into(),
                    words => words.join(" ").into(),
                }),
            ]
        }
        Row::Failed { name, version_id, error } => {
            let mut fields: [Cow<'_, str>; 15] = Default::default();
            fields[0] = name.into();
            fields[1] = version_id.as_deref().unwrap_or_default().into();
            fields[13] = reason(error).into();
            fields
        }
    };
    let fields = fields.iter().map(|field| safe(field, terminal));
    Some(record(fields))
}

/// The summary by mode and key, with its header; what is in no share is `others`.
pub(crate) fn shares(summary: &Summary, terminal: bool) -> String {
    let mut text = "mode,encryption_key,objects,stored_bytes\n".to_owned();
    let others = ShareName { mode: "others".to_owned(), key: None };
    let shares = summary.largest_first();
    let rest = (summary.others.objects > 0).then_some((&others, summary.others));
    for (name, amount) in shares.into_iter().chain(rest) {
        let key = name.key.as_deref().unwrap_or_default();
        let numbers = [amount.objects.to_string(), amount.bytes.to_string()];
        let fields = [name.mode.as_str(), key, &numbers[0], &numbers[1]];
        text += &record(fields.iter().map(|field| safe(field, terminal)));
        text.push('\n');
    }
    text
}

/// Escapes a field for terminals and spreadsheets.
pub(super) fn safe(field: &str, terminal: bool) -> Cow<'_, str> {
    let field = if terminal { escaped(field) } else { Cow::Borrowed(field) };
    // Formulas begin so in spreadsheets; no value of ours does, but a server's might.
    if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{field}").into() } else { field }
}

/// Writes fields as a line, without its end.
pub(super) fn record<'a>(fields: impl Iterator<Item = Cow<'a, str>>) -> String {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for field in fields {
        // Memory takes whatever it is given.
        let _ = writer.write_field(field.as_ref());
    }
    let _ = writer.write_record(None::<&[u8]>);
    let line = String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default();
    line.trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_field_is_one_field_whatever_it_holds() {
        let written = |field: &str, terminal| record([safe(field, terminal)].into_iter());
        assert_eq!(written("plain", false), "plain");
        assert_eq!(written("s3://b/a,\"b\"\n", false), "\"s3://b/a,\"\"b\"\"\n\"");
        assert_eq!(written("s3://b/\x1b[2J", true), r"s3://b/\u{1b}[2J");
    }

    #[test]
    fn no_field_is_a_formula_whatever_else_it_holds() {
        for field in ["=cmd()", "=1,2", "=\"a\"", "+1", "-1\n", "@a,b", "\t=1", "\r=1", "\n=1"] {
            let line = record([safe(field, false)].into_iter());
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
            let read = reader.records().next().unwrap().unwrap();
            assert_eq!(read.iter().collect::<Vec<_>>(), [format!("'{field}")], "{line}");
        }
    }

    #[test]
    fn every_row_has_the_headers_columns() {
        let error = Error::unsupported("x", "no");
        let line = row(&Row::failed("s3://b/k", None, error), false).unwrap();
        assert_eq!(line.split(',').count(), HEADER.split(',').count());
        assert_eq!(line, "s3://b/k,,,,,,,,,,,,,no,");
    }
}
