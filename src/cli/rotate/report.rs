//! How a rotation is told: the plan, a line or a JSON document for each object, and the sum.
//!
//! No secret is in an outcome; fingerprints and MD5s of keys are public.

use crate::cli::document::rotation::{
    Plan, PlannedCost, RefusedObject, RotatedObject, RotationSummary, Strategy,
};
use crate::cli::document::transfer::FailedObject;
use crate::cli::document::{self, Command, Document, Encryption, Object, Record, Summaries};
use crate::cli::failure::Failure;
use crate::cli::lost_envelope;
use crate::cli::outcome::{self, encryption_words, opened_words};
use crate::cli::output;
use crate::cli::session::Session;
use crate::commands::rotate::bulk::{Plans, Row};
use crate::commands::rotate::strategy::{self, Cost};
use crate::commands::rotate::{RotateOutcome, Summary};
use crate::error::{Error, Result};
use crate::keys::Fingerprint;
use crate::tuning::ByteSize;

/// Tells one object.
///
/// # Errors
/// What standard output says.
pub(crate) fn row(row: &Row, session: &Session) -> Result<()> {
    let printer = &session.printer;
    match row {
        Row::Skipped => {}
        Row::Done(outcome) => {
            if session.json {
                printer.beside_bar(|| output::document(&document(outcome).text()))?;
            } else {
                printer.say(&line(outcome));
            }
        }
        Row::Failed { name, version_id, error } => {
            if session.json {
                let failed = FailedObject {
                    uri: Some(name.clone()),
                    version_id: version_id.clone(),
                    error: document::Error::of(error),
                    ..FailedObject::default()
                };
                let document = Document::new(Command::Rotate, Record::Failed(failed));
                printer.beside_bar(|| output::document(&document.text()))?;
            } else {
                let version = version_id.as_ref().map_or_else(String::new, |id| format!(" (version {id})"));
                printer.line(&crate::cli::sanitize::escaped(&format!("failed: {name}{version}: {error}")));
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
pub(crate) fn summary(summary: &Summary, session: &Session) -> Result<(), Failure> {
    if session.json {
        let sum = document::Summary::Rotation(RotationSummary {
            objects: summary.selected() - summary.failed,
            strategies: summary.strategies.iter().map(|(way, count)| (strategy(way), *count)).collect(),
            skipped: summary.skipped,
            failed: summary.failed,
            previous_versions: summary.old_versions,
        });
        let document = Document::new(Command::Rotate, Record::Summary(Summaries { summary: sum }));
        output::document(&document.text())?;
        return Ok(());
    }
    let mut words: Vec<String> = summary
        .strategies
        .iter()
        .map(|(way, count)| format!("{count} {}", in_words(strategy(way))))
        .collect();
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

/// A strategy as the sum names it.
fn in_words(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::None => "already done",
        Strategy::UpdateInPlace => "updated in place",
        Strategy::ServerCopy => "copied within S3",
        Strategy::Rewrap => "rewrapped",
        Strategy::RewrapInstructionFile => "rewrapped beside the object",
        Strategy::Share => "shared",
        Strategy::ReEncrypt => "re-encrypted",
    }
}

fn line(outcome: &RotateOutcome) -> String {
    let mut facts = vec![in_words(strategy(outcome.strategy.as_str())).to_owned()];
    facts.extend(encryption_words(
        &outcome.applied,
        outcome.format,
        outcome.fingerprint.as_deref(),
        &outcome.kms_keys,
    ));
    facts.push(ByteSize(outcome.stored_len).to_string());
    facts.extend(outcome.source.as_ref().map(|source| format!("was {}", opened_words(source))));
    if outcome.opened == Some(true) {
        facts.push("opens with the new key".to_owned());
    }
    if outcome.found_by_comparison {
        facts.push("answer lost; found stored by comparing size and checksum".to_owned());
    }
    if outcome.checksum_compared && outcome.strategy != strategy::Strategy::Nothing {
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
fn previous_encryption(outcome: &RotateOutcome) -> Encryption {
    let source = outcome.source.as_ref();
    let fingerprint = source.and_then(|source| source.with.fingerprint.as_ref()).map(Fingerprint::as_str);
    let kms_key = source.map_or(&[][..], |source| source.kms_key.as_slice());
    Encryption::of(&outcome.before, outcome.format_before, fingerprint, kms_key)
}

fn document(outcome: &RotateOutcome) -> Document {
    let encryption =
        Encryption::of(&outcome.applied, outcome.format, outcome.fingerprint.as_deref(), &outcome.kms_keys);
    let version_id = outcome.changed_version.as_ref().or(outcome.version_id.as_ref());
    let object = Object::of(&outcome.uri, version_id, outcome.etag.as_ref(), encryption);
    let rotated = RotatedObject {
        object: Object {
            // What client-side encryption adds is not known here.
            bytes: outcome.format.is_none().then_some(outcome.stored_len),
            stored_bytes: Some(outcome.stored_len),
            ..object
        },
        strategy: strategy(outcome.strategy.as_str()),
        previous_encryption: previous_encryption(outcome),
        proof: outcome::proof(outcome.source.as_ref()),
        previous_version_id: outcome.old_version.clone(),
        opens_with_new_key: outcome.opened,
        found_by_comparison: outcome.found_by_comparison,
        checksum_compared: outcome.checksum_compared,
        verified: outcome.verified,
    };
    Document::new(Command::Rotate, Record::Rotated(Box::new(rotated)))
}

/// The public word for what the journal calls `way`.
fn strategy(way: &str) -> Strategy {
    match way {
        "nothing" => Strategy::None,
        "update-in-place" => Strategy::UpdateInPlace,
        "server-copy" => Strategy::ServerCopy,
        "rewrap" => Strategy::Rewrap,
        "rewrap-instruction-file" => Strategy::RewrapInstructionFile,
        "share" => Strategy::Share,
        _ => Strategy::ReEncrypt,
    }
}

/// Tells what would be done.
///
/// # Errors
/// What standard output says.
pub(crate) fn plans(plans: &Plans, dry_run: bool, session: &Session) -> Result<(), Failure> {
    if session.json {
        // A question is no document.
        if dry_run {
            output::document(&plan_document(plans).text())?;
        }
        return Ok(());
    }
    for line in plan_lines(plans) {
        session.printer.say(&line);
    }
    Ok(())
}

fn plan_lines(plans: &Plans) -> Vec<String> {
    let mut lines: Vec<String> = plans.strategies.iter().map(|(way, cost)| plan_line(way, *cost)).collect();
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
    format!("{}: {}", strategy(way).as_str(), facts.join(", "))
}

fn objects(count: u64) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

fn plan_document(plans: &Plans) -> Document {
    let cost = |cost: &Cost| PlannedCost {
        objects: cost.objects,
        stored_bytes: cost.stored,
        moved_bytes: cost.moved,
        requests: cost.requests,
        kms_calls: cost.kms_calls,
    };
    let refused = |(name, why): &(String, String)| RefusedObject { name: name.clone(), reason: why.clone() };
    let plan = Plan {
        strategies: plans.strategies.iter().map(|(way, found)| (strategy(way), cost(found))).collect(),
        refused: plans.refused.iter().map(refused).collect(),
        refused_unlisted: plans.more_refused,
        skipped: plans.skipped,
    };
    Document::new(Command::Rotate, Record::Plan(plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_told_by_way() {
        let mut plans = Plans::default();
        let cost = Cost { objects: 2, stored: 2048, moved: 4096, requests: 8, kms_calls: 1 };
        plans.strategies.insert("reseal", cost);
        plans.strategies.insert("nothing", Cost { objects: 1, stored: 1, requests: 1, ..Cost::default() });
        plans.refuse("s3://bkt/k".to_owned(), "archived".to_owned());
        assert_eq!(
            plan_lines(&plans),
            [
                "none: 1 object, 1 B",
                "re-encrypt: 2 objects, 2 KiB, 4 KiB through this machine, 8 requests, 1 KMS calls",
                "cannot: s3://bkt/k: archived",
            ]
        );
        assert_eq!(plans.to_do(), 2);
        let document = serde_json::to_value(plan_document(&plans)).unwrap();
        assert_eq!(document["strategies"]["re-encrypt"]["moved_bytes"], 4096);
        assert_eq!(document["refused"][0]["name"], "s3://bkt/k");
        assert_eq!(plan_lines(&Plans::default()), ["no object there"]);
    }
}
