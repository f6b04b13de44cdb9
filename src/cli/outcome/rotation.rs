//! The outcome of `rotate` for one object, as a line and as a document.

use super::{OutcomeKind, OutcomeText, chosen_by, describe_encryption, describe_opened, overridden, proof};
use crate::byte_size::ByteSize;
use crate::cli::config::apply::InForce;
use crate::cli::document::rotation::{RotatedObject, Strategy};
use crate::cli::document::{Command, Document, Encryption, Object, Record};
use crate::cli::session::Session;
use crate::commands::rotate::{RotateOutcome, strategy};
use crate::keys::Fingerprint;

/// The text of an object that was rotated, or that needed no change.
pub(crate) fn rotated(outcome: &RotateOutcome, session: &Session) -> OutcomeText {
    let rules = &session.rules;
    let text = if session.json { document(outcome, rules).text() } else { line(outcome, rules) };
    OutcomeText { text, bytes: outcome.stored_len, kind: OutcomeKind::Done }
}

fn line(outcome: &RotateOutcome, rules: &InForce) -> String {
    let mut parts = vec![Strategy::from(outcome.strategy).past().to_owned()];
    parts.extend(describe_encryption(
        &outcome.applied,
        outcome.format,
        outcome.fingerprint.as_deref(),
        &outcome.kms_keys,
    ));
    parts.push(ByteSize(outcome.stored_len).to_string());
    parts.extend(outcome.source.as_ref().map(|source| format!("was {}", describe_opened(source))));
    if outcome.opened == Some(true) {
        parts.push("opens with the new key".to_owned());
    }
    if outcome.found_by_comparison {
        parts.push("answer lost; found stored by comparing size and checksum".to_owned());
    }
    if outcome.checksum_compared && outcome.strategy != strategy::Strategy::Nothing {
        parts.push("checksum compared".to_owned());
    }
    if outcome.verified {
        parts.push("verified".to_owned());
    }
    let version = outcome.changed_version.as_ref().or(outcome.version_id.as_ref());
    parts.extend(version.map(|id| format!("version {id}")));
    if let Some(old) = &outcome.old_version {
        parts.push(format!("version {old} stays under the old key"));
    }
    parts.extend(chosen_by(rules));
    parts.extend(overridden(rules, &outcome.uri));
    format!("{}: {}", outcome.uri, parts.join(", "))
}

/// The encryption before the rotation, with the key that decrypted the object.
fn previous_encryption(outcome: &RotateOutcome) -> Encryption {
    let source = outcome.source.as_ref();
    let fingerprint = match source {
        Some(source) => source.with.fingerprint.as_ref().map(Fingerprint::as_str),
        None => outcome.customer_key_before.as_deref(),
    };
    let kms_key = source.map_or(&[][..], |source| source.kms_key.as_slice());
    Encryption::of(&outcome.before, outcome.format_before, fingerprint, kms_key)
}

fn document(outcome: &RotateOutcome, rules: &InForce) -> Document {
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
        strategy: Strategy::from(outcome.strategy),
        previous_encryption: previous_encryption(outcome),
        proof: proof(outcome.source.as_ref()),
        previous_version_id: outcome.old_version.clone(),
        opens_with_new_key: outcome.opened,
        found_by_comparison: outcome.found_by_comparison,
        checksum_compared: outcome.checksum_compared,
        verified: outcome.verified,
        encryption_rule: rules.encryption.as_ref().map(ToString::to_string),
        overridden_rules: rules.overridden(&outcome.uri),
    };
    Document::new(Command::Rotate, Record::Rotated(Box::new(rotated)))
}
