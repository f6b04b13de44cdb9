//! Which rules of the configuration files are in force for a place, and where they stand.

use crate::cli::config::apply::{self, InForce};
use crate::cli::config::{Rule, SettingValue};
use crate::commands::doctor::{Check, Name};
use crate::location::S3Uri;

/// A line for each rule, or one that says that there is none.
pub(super) fn checks(in_force: &InForce, place: &S3Uri) -> Vec<Check> {
    let set_aside = &in_force.set_aside;
    let checks: Vec<Check> = in_force
        .config
        .rules_for(place)
        .map(|rule| {
            let seen = described(rule);
            if set_aside.contains(&rule.origin) {
                Check::warning(Name::Rule, format!("{seen}, set aside by --override-rules"))
            } else {
                Check::ok(Name::Rule, seen)
            }
        })
        .collect();
    if !checks.is_empty() {
        return checks;
    }
    let none = format!("none for {place}");
    vec![match in_force.config.of_object_beside(place) {
        None => Check::ok(Name::Rule, none),
        Some(Rule { origin, place, .. }) => {
            let why = format!("{none}: the one at {origin} is for the object {place}, not for {place}/");
            Check::warning(Name::Rule, why)
        }
    }]
}

/// The place that it is for, where it stands, and what it says.
fn described(rule: &Rule) -> String {
    let mut says = Vec::new();
    says.extend(apply::mode(rule).map(|mode| format!("encrypts with {mode}")));
    if !rule.must_encrypt.is_empty() {
        let modes: Vec<_> = rule.must_encrypt.iter().map(ToString::to_string).collect();
        says.push(format!("demands {}", modes.join(" or ")));
    }
    if !rule.kms_keys.is_empty() {
        let keys: Vec<_> = rule.kms_keys.iter().map(ToString::to_string).collect();
        says.push(format!("permits the KMS keys {}", keys.join(" and ")));
    }
    if let Some(SettingValue::Values(owner)) = rule.owner.as_ref().map(|setting| &setting.value) {
        says.push(format!("demands that {} owns the bucket", owner.join(", ")));
    }
    let says = if says.is_empty() { "says nothing of encryption".to_owned() } else { says.join(", ") };
    format!("{} ({}): {says}", rule.origin, rule.place)
}
