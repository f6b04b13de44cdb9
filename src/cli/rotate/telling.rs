//! How a rotation is told: the plan, a line or a JSON document for each object, and the sum.
//!
//! No secret is in an outcome; fingerprints and MD5s of keys are public.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::lost_envelope;
use crate::cli::outcome::{SCHEMA_VERSION, encryption_json, encryption_words, opened_by_json, opened_words};
use crate::cli::output;
use crate::cli::session::Session;
use crate::commands::rotate::many::{Plans, Row};
use crate::commands::rotate::way::{Cost, Way};
use crate::commands::rotate::{RotateOutcome, Summary};
use crate::commands::sealed::Opened;
use crate::error::{Error, Result};
use crate::keys::Fingerprint;
use crate::tuning::ByteSize;

/// Tells one object.
///
/// # Errors
/// What standard output says.
pub fn row(row: &Row, session: &Session) -> Result<()> {
    let printer = &session.printer;
    match row {
        Row::Skipped => {}
        Row::Done(outcome) => {
            if session.json {
                printer.beside_bar(|| output::document(&document(outcome).to_string()))?;
            } else {
                printer.say(&line(outcome));
            }
        }
        Row::Failed { name, version_id, error } => {
            if session.json {
                let mut document = json!({
                    "schema_version": SCHEMA_VERSION,
                    "command": "rotate",
                    "object": name,
                    "version_id": version_id,
                    "error": error.to_string(),
                });
                if let Error::EnvelopeLost(lost) = &**error {
                    document["envelope"] = lost.document();
                }
                printer.beside_bar(|| output::document(&document.to_string()))?;
            } else {
                let version = version_id.as_ref().map_or_else(String::new, |id| format!(" (version {id})"));
                printer.line(&crate::cli::foreign::escaped(&format!("failed: {name}{version}: {error}")));
                if let Error::EnvelopeLost(lost) = &**error {
                    printer.line(&format!("  envelope: {}", lost_envelope::line(lost)));
                }
            }
        }
    }
    Ok(())
}

/// Tells the sum.
///
/// # Errors
/// What standard output says.
pub fn summary(summary: &Summary, session: &Session) -> Result<(), Failure> {
    if session.json {
        let document = json!({
            "schema_version": SCHEMA_VERSION,
            "command": "rotate",
            "summary": {
                "ways": summary.ways,
                "skipped": summary.skipped,
                "failed": summary.failed,
                "old_versions": summary.old_versions,
            },
        });
        output::document(&document.to_string())?;
        return Ok(());
    }
    let mut words: Vec<String> =
        summary.ways.iter().map(|(way, count)| format!("{count} {}", in_words(way))).collect();
    if summary.skipped > 0 {
        words.push(format!("{} left out or done before", summary.skipped));
    }
    if summary.failed > 0 {
        words.push(format!("{} failed", summary.failed));
    }
    if words.is_empty() {
        words.push("no object there".to_owned());
    }
    session.printer.say(&words.join(", "));
    if summary.old_versions > 0 {
        session
            .printer
            .say(&format!("{} older versions stay in the bucket under their old keys", summary.old_versions));
    }
    Ok(())
}

/// A way as the sum names it.
fn in_words(way: &str) -> &str {
    match way {
        "nothing" => "there already",
        "update-in-place" => "updated in place",
        "server-copy" => "copied within S3",
        "rewrap" => "rewrapped",
        "rewrap-instruction-file" => "rewrapped beside the object",
        "share" => "shared",
        "reseal" => "resealed",
        other => other,
    }
}

fn line(outcome: &RotateOutcome) -> String {
    let mut facts = vec![in_words(outcome.way.as_str()).to_owned()];
    facts.extend(encryption_words(
        &outcome.applied,
        outcome.format.as_deref(),
        outcome.fingerprint.as_deref(),
        &outcome.kms_keys,
    ));
    facts.push(ByteSize(outcome.stored_len).to_string());
    facts.extend(outcome.source.as_ref().map(|source| format!("was {}", opened_words(source))));
    if outcome.opened == Some(true) {
        facts.push("opens with the new key".to_owned());
    }
    if outcome.checksum_compared && outcome.way != Way::Nothing {
        facts.push("checksum compared".to_owned());
    }
    if outcome.verified {
        facts.push("verified".to_owned());
    }
    let version = outcome.changed_version.as_ref().or(outcome.version_id.as_ref());
    facts.extend(version.map(|id| format!("version {id}")));
    if let Some(old) = &outcome.old_version {
        facts.push(format!("version {old} stays under the old key"));
    }
    format!("{}: {}", outcome.uri, facts.join(", "))
}

/// How it was encrypted before, under the key that opened it.
fn before_json(outcome: &RotateOutcome) -> Value {
    let source = outcome.source.as_ref();
    let fingerprint = source.and_then(|source| source.with.fingerprint.as_ref()).map(Fingerprint::as_str);
    let kms_key = source.map_or(&[][..], |source| source.kms_key.as_slice());
    encryption_json(&outcome.before, outcome.format_before.as_deref(), fingerprint, kms_key)
}

fn document(outcome: &RotateOutcome) -> Value {
    json!({
        "schema_version": SCHEMA_VERSION,
        "command": "rotate",
        "object": outcome.uri.to_string(),
        "bucket": outcome.uri.bucket.as_str(),
        "key": outcome.uri.key,
        "way": outcome.way.as_str(),
        "before": before_json(outcome),
        "opened_by": outcome.source.as_ref().map(|source| opened_by_json(&source.with)),
        "intact": outcome.source.as_ref().and_then(|source| source.intact),
        "authenticated": outcome.source.as_ref().is_some_and(Opened::is_authenticated),
        "encryption": encryption_json(
            &outcome.applied,
            outcome.format.as_deref(),
            outcome.fingerprint.as_deref(),
            &outcome.kms_keys,
        ),
        "stored_bytes": outcome.stored_len,
        "etag": outcome.etag,
        "version_id": outcome.changed_version.as_ref().or(outcome.version_id.as_ref()),
        "old_version_id": outcome.old_version,
        "opened": outcome.opened,
        "checksum_compared": outcome.checksum_compared,
        "verified": outcome.verified,
    })
}

/// Tells what would be done.
///
/// # Errors
/// What standard output says.
pub fn plans(plans: &Plans, dry_run: bool, session: &Session) -> Result<(), Failure> {
    if session.json {
        // A question is no document.
        if dry_run {
            output::document(&plans_json(plans).to_string())?;
        }
        return Ok(());
    }
    for line in plan_lines(plans) {
        session.printer.say(&line);
    }
    Ok(())
}

fn plan_lines(plans: &Plans) -> Vec<String> {
    let mut lines: Vec<String> = plans.ways.iter().map(|(way, cost)| plan_line(way, *cost)).collect();
    if plans.skipped > 0 {
        lines.push(format!("left out: {}", objects(plans.skipped)));
    }
    for (name, why) in &plans.refused {
        lines.push(if why.starts_with(name) {
            format!("cannot: {why}")
        } else {
            format!("cannot: {name}: {why}")
        });
    }
    if plans.more_refused > 0 {
        lines.push(format!("cannot: {} more", plans.more_refused));
    }
    if lines.is_empty() {
        lines.push("no object there".to_owned());
    }
    lines
}

fn plan_line(way: &str, cost: Cost) -> String {
    let mut facts = vec![objects(cost.objects), ByteSize(cost.stored).to_string()];
    if way != "nothing" {
        let moved = if cost.moved == 0 {
            "no bytes through this machine".to_owned()
        } else {
            format!("{} through this machine", ByteSize(cost.moved))
        };
        facts.push(moved);
        facts.push(format!("{} requests", cost.requests));
        facts.push(format!("{} KMS calls", cost.kms_calls));
    }
    format!("{way}: {}", facts.join(", "))
}

fn objects(count: u64) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

fn plans_json(plans: &Plans) -> Value {
    let ways: serde_json::Map<String, Value> = plans
        .ways
        .iter()
        .map(|(way, cost)| {
            let cost = json!({
                "objects": cost.objects,
                "stored_bytes": cost.stored,
                "moved_bytes": cost.moved,
                "requests": cost.requests,
                "kms_calls": cost.kms_calls,
            });
            ((*way).to_owned(), cost)
        })
        .collect();
    let refused: Vec<Value> =
        plans.refused.iter().map(|(name, why)| json!({ "object": name, "why": why })).collect();
    json!({
        "schema_version": SCHEMA_VERSION,
        "command": "rotate",
        "dry_run": true,
        "ways": ways,
        "refused": refused,
        "refused_more": plans.more_refused,
        "left_out": plans.skipped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_by_way() {
        let mut plans = Plans::default();
        let cost = Cost { objects: 2, stored: 2048, moved: 4096, requests: 8, kms_calls: 1 };
        plans.ways.insert("reseal", cost);
        plans.ways.insert("nothing", Cost { objects: 1, stored: 1, requests: 1, ..Cost::default() });
        plans.refuse("s3://bkt/k".to_owned(), "archived".to_owned());
        assert_eq!(
            plan_lines(&plans),
            [
                "nothing: 1 object, 1 B",
                "reseal: 2 objects, 2 KiB, 4 KiB through this machine, 8 requests, 1 KMS calls",
                "cannot: s3://bkt/k: archived",
            ]
        );
        assert_eq!(plans.to_do(), 2);
        let document = plans_json(&plans);
        assert_eq!(document["ways"]["reseal"]["moved_bytes"], 4096);
        assert_eq!(document["refused"][0]["object"], "s3://bkt/k");
        assert_eq!(plan_lines(&Plans::default()), ["no object there"]);
    }
}
