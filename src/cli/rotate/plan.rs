//! Prints the plan of a rotation, before the rotation or instead of it.

use crate::byte_size::ByteSize;
use crate::cli::document::rotation::{Plan, PlannedCost, RefusedObject, Strategy};
use crate::cli::document::{Command, Document, Record};
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::remedies;
use crate::cli::session::Session;
use crate::commands::rotate::bulk::{Plans, Refused};
use crate::commands::rotate::strategy::{self, Cost};
use crate::error::Error;

/// Prints the lines or, of a dry run, the document.
pub(crate) fn print(plans: &Plans, dry_run: bool, session: &Session) -> Result<(), Failure> {
    if session.json {
        // Before a question there is no document.
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

/// What makes possible what is refused, as the end of a line.
fn remedy(error: &Error) -> String {
    remedies::of(error).map_or_else(String::new, |remedy| format!("; {remedy}"))
}

fn plan_lines(plans: &Plans) -> Vec<String> {
    let mut lines: Vec<String> =
        plans.strategies.iter().map(|(strategy, cost)| plan_line(*strategy, *cost)).collect();
    if plans.skipped > 0 {
        lines.push(format!("skipped: {}", objects(plans.skipped)));
    }
    for refused in &plans.refused {
        let Refused { name, version_id, error } = refused;
        let remedy = remedy(error);
        lines.push(if error.names(name, version_id.as_deref()) {
            format!("cannot: {error}{remedy}")
        } else {
            format!("cannot: {refused}: {error}{remedy}")
        });
    }
    if plans.more_refused > 0 {
        lines.push(format!("cannot: {} more", plans.more_refused));
    }
    if lines.is_empty() {
        lines.push("no object matches".to_owned());
    }
    lines
}

fn plan_line(strategy: strategy::Strategy, cost: Cost) -> String {
    let mut parts = vec![objects(cost.objects), ByteSize(cost.stored).to_string()];
    if strategy != strategy::Strategy::Nothing {
        let moved = if cost.moved == 0 {
            "no bytes through this machine".to_owned()
        } else {
            format!("{} through this machine", ByteSize(cost.moved))
        };
        parts.push(moved);
        parts.push(format!("{} requests", cost.requests));
        let calls = if cost.kms_calls == 1 { "call" } else { "calls" };
        parts.push(format!("{} KMS {calls}", cost.kms_calls));
    }
    format!("{}: {}", Strategy::from(strategy).as_str(), parts.join(", "))
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
    let refused = |refused: &Refused| {
        let error = &refused.error;
        let why = match error {
            Error::Unsupported { why, .. } => why.to_string(),
            error => error.to_string(),
        };
        RefusedObject { name: refused.to_string(), reason: format!("{why}{}", remedy(error)) }
    };
    let plan = Plan {
        strategies: plans
            .strategies
            .iter()
            .map(|(strategy, found)| (Strategy::from(*strategy), cost(found)))
            .collect(),
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
    fn a_plan_has_a_line_for_each_strategy() {
        let mut plans = Plans::default();
        let cost = Cost { objects: 2, stored: 2048, moved: 4096, requests: 8, kms_calls: 1 };
        plans.strategies.insert(strategy::Strategy::Reencrypt, cost);
        plans.strategies.insert(
            strategy::Strategy::Nothing,
            Cost { objects: 1, stored: 1, requests: 1, ..Cost::default() },
        );
        let error = Error::unsupported("s3://bkt/k", "archived");
        plans.refuse(Refused { name: "s3://bkt/k".to_owned(), version_id: None, error });
        assert_eq!(
            plan_lines(&plans),
            [
                "none: 1 object, 1 B",
                "re-encrypt: 2 objects, 2 KiB, 4 KiB through this machine, 8 requests, 1 KMS call",
                "cannot: s3://bkt/k: archived",
            ]
        );
        assert_eq!(plans.to_do().map(|(_, cost)| cost.objects).sum::<u64>(), 2);
        let document = serde_json::to_value(plan_document(&plans)).unwrap();
        assert_eq!(document["strategies"]["re-encrypt"]["moved_bytes"], 4096);
        assert_eq!(document["refused"][0]["name"], "s3://bkt/k");
        assert_eq!(plan_lines(&Plans::default()), ["no object matches"]);
    }
}
