//! The outcome of `rotate` for one object, as a line and as a document.

use super::{OutcomeText, describe_encryption, describe_opened, proof};
use crate::byte_size::ByteSize;
use crate::cli::document::rotation::{RotatedObject, Strategy};
use crate::cli::document::{Command, Document, Encryption, Object, Record};
use crate::commands::rotate::{RotateOutcome, strategy};
use crate::keys::Fingerprint;

/// The text of an object that was rotated, or that needed no change.
pub(crate) fn rotated(outcome: &RotateOutcome, json: bool) -> OutcomeText {
    let text = if json { document(outcome).text() } else { line(outcome) };
    OutcomeText { text, bytes: outcome.stored_len }
}

fn line(outcome: &RotateOutcome) -> String {
    let mut parts = vec![Strategy::of(outcome.strategy.as_str()).past().to_owned()];
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
        strategy: Strategy::of(outcome.strategy.as_str()),
        previous_encryption: previous_encryption(outcome),
        proof: proof(outcome.source.as_ref()),
        previous_version_id: outcome.old_version.clone(),
        opens_with_new_key: outcome.opened,
        found_by_comparison: outcome.found_by_comparison,
        checksum_compared: outcome.checksum_compared,
        verified: outcome.verified,
    };
    Document::new(Command::Rotate, Record::Rotated(Box::new(rotated)))
}
