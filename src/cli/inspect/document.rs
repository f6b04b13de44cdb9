//! Findings as JSON, for programs: one shape for one object and for a row of many.
//!
//! Nothing is cut or escaped away: a key is in it as it is, in JSON's own escapes. `schema_version` is that of all
//! documents.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::aws::bucket::BucketFacts;
use crate::aws::inventory::Manifest;
use crate::aws::policy::{PolicyFacts, TlsDemand};
use crate::aws::seen::Seen;
use crate::aws::transport::{TlsFacts, Transport};
use crate::cli::outcome::{SCHEMA_VERSION, opened_by_json};
use crate::commands::inspect::finding::{
    AtRest, ClientSeen, CustomerKeyFit, EnvelopeFacts, Finding, Opens, RecipientFacts,
};
use crate::commands::inspect::summary::{Offenders, Summary, kind_word, mode_word};
use crate::commands::inspect::{KmsKeySeen, ObjectReport, Row, reason};
use crate::encryption::BoundName;
use crate::location::S3Uri;

/// The document of one object.
#[must_use]
pub fn object(report: &ObjectReport) -> Value {
    let mut document = head("object");
    document.insert("command".to_owned(), json!("inspect"));
    fill(&mut document, &report.finding, report.as_expected);
    document.insert("kms".to_owned(), report.kms_key.as_ref().map_or(Value::Null, kms_key));
    document.insert("transport".to_owned(), report.transport.as_ref().map_or(Value::Null, transport));
    Value::Object(document)
}

/// The document of one of many.
#[must_use]
pub fn row(row: &Row) -> Value {
    let mut document = head("object");
    match row {
        Row::Found { finding, as_expected } => fill(&mut document, finding, *as_expected),
        Row::Failed { name, version_id, error } => {
            document.insert("uri".to_owned(), json!(name));
            document.insert("version_id".to_owned(), json!(version_id));
            document.insert("error".to_owned(), json!(reason(error)));
        }
    }
    Value::Object(document)
}

/// The document of a bucket's own facts.
#[must_use]
pub fn bucket(facts: &BucketFacts) -> Value {
    let mut document = head("bucket");
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("bucket", json!(facts.bucket.as_str()));
    put("region", seen(&facts.region, |region| json!(region)));
    put(
        "default_encryption",
        seen(&facts.default, |default| {
            default.as_ref().map_or(Value::Null, |default| {
                json!({
                    "mode": mode_word(&default.mode),
                    "kms_key": default.kms_key,
                    "bucket_key": default.bucket_key,
                    "blocked": default.blocked,
                })
            })
        }),
    );
    put("policy", seen(&facts.policy, |found| found.as_ref().map_or(Value::Null, policy)));
    put("versioning", seen(&facts.versioning, |status| json!(status)));
    put(
        "incomplete_uploads",
        seen(&facts.incomplete_uploads, |rule| {
            rule.as_ref().map_or(
                Value::Null,
                |rule| json!({ "aborted_after_days": rule.days, "whole_bucket": rule.whole }),
            )
        }),
    );
    Value::Object(document)
}

/// The document of a report of S3 Inventory.
#[must_use]
pub fn inventory(manifest: &Manifest) -> Value {
    let mut document = head("inventory");
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("bucket", json!(manifest.source.as_str()));
    put("created", json!(manifest.created));
    put("format", json!(manifest.format.as_str()));
    put("files", json!(manifest.files.len()));
    put("cannot_know", json!(["keys", "client_side"]));
    Value::Object(document)
}

/// The document of the sum.
#[must_use]
pub fn summary(summary: &Summary, expected: &[String], complete: bool) -> Value {
    let mut document = head("summary");
    let shares = summary.largest_first().into_iter().map(|(name, amount)| {
        json!({ "mode": name.mode, "key": name.key, "objects": amount.objects, "bytes": amount.bytes })
    });
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("complete", json!(complete));
    put("objects", json!(summary.all.objects));
    put("bytes", json!(summary.all.bytes));
    put("shares", shares.collect());
    if summary.others.objects > 0 {
        put("others", json!({ "objects": summary.others.objects, "bytes": summary.others.bytes }));
    }
    put("claimed_client", json!(summary.claimed));
    if summary.delete_markers > 0 {
        put("delete_markers", json!(summary.delete_markers));
    }
    if let Some(unexpected) = &summary.unexpected {
        put("expected", json!(expected));
        put("unexpected", offenders(unexpected, "found"));
    }
    put("failed", offenders(&summary.failed, "why"));
    Value::Object(document)
}

fn offenders(list: &Offenders, why: &str) -> Value {
    let first = list.first.iter().map(|one| json!({ "uri": one.name, why: one.why }));
    json!({ "count": list.count, "first": first.collect::<Vec<_>>() })
}

fn head(record: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("schema_version".to_owned(), json!(SCHEMA_VERSION));
    head.insert("record".to_owned(), json!(record));
    head
}

fn fill(document: &mut Map<String, Value>, finding: &Finding, as_expected: Option<bool>) {
    let mut put = |name: &str, value: Value| document.insert(name.to_owned(), value);
    put("uri", json!(finding.uri.to_string()));
    put("bucket", json!(finding.uri.bucket.as_str()));
    put("key", json!(finding.uri.key));
    put("version_id", json!(finding.version_id));
    if let Some(latest) = finding.latest {
        put("is_latest", json!(latest));
    }
    put("mode", json!(mode_word(&finding.mode())));
    put("at_rest", at_rest(&finding.at_rest));
    put("client", client(&finding.client, &finding.uri));
    put("stored_bytes", json!(finding.stored_len));
    put("plain_bytes", json!(plain_len(finding)));
    put("etag", json!(finding.etag));
    put("last_modified", json!(finding.marks.last_modified));
    put("storage_class", json!(finding.storage_class.as_deref().unwrap_or("STANDARD")));
    put("content_type", json!(finding.content_type));
    put("checksum", checksum(finding));
    put(
        "lock",
        finding.marks.lock.as_ref().map_or(
            Value::Null,
            |lock| json!({ "mode": lock.mode, "until": lock.until, "legal_hold": lock.legal_hold }),
        ),
    );
    put("tags", json!(finding.marks.tags));
    put("marked_instruction_file", json!(finding.marked_instruction_file));
    put("archive", json!(finding.marks.archive));
    put("replication", json!(finding.marks.replication));
    if let Some(as_expected) = as_expected {
        put("as_expected", json!(as_expected));
    }
}

/// The plain length, where it is known: what is not sealed by a client is as long as it is stored.
pub(super) fn plain_len(finding: &Finding) -> Option<u64> {
    match &finding.client {
        ClientSeen::NoSign | ClientSeen::InstructionFile => finding.stored_len,
        ClientSeen::Sealed(envelope) => envelope.plain_len,
        ClientSeen::Elsewhere | ClientSeen::Broken(_) | ClientSeen::OutOfSight => None,
    }
}

fn at_rest(at_rest: &AtRest) -> Value {
    let applied = &at_rest.applied;
    let fit = at_rest.customer_key.as_ref().map(|fit| match fit {
        CustomerKeyFit::Fits { fingerprint } => json!({ "state": "fits", "fingerprint": fingerprint }),
        CustomerKeyFit::NotGiven => json!({ "state": "not_given" }),
        CustomerKeyFit::NoneFits { tried } => json!({ "state": "none_fits", "tried": tried }),
        CustomerKeyFit::NotSaid => json!({ "state": "not_said" }),
    });
    json!({
        "mode": mode_word(&applied.mode),
        "kms_key": applied.kms_key,
        "bucket_key": applied.bucket_key,
        "customer_key_md5": applied.customer_key_md5,
        "customer_key": fit,
    })
}

fn client(client: &ClientSeen, uri: &S3Uri) -> Value {
    let Some(state) = client_state(client) else { return Value::Null };
    match client {
        ClientSeen::Sealed(found) => envelope(found, state, uri),
        ClientSeen::Broken(why) => json!({ "state": state, "why": why }),
        _ => json!({ "state": state }),
    }
}

/// The word for what is known of client-side encryption: `claimed` until a key at hand has opened it.
pub(super) fn client_state(client: &ClientSeen) -> Option<&'static str> {
    match client {
        ClientSeen::NoSign => None,
        ClientSeen::Sealed(envelope) if matches!(envelope.opens, Opens::With(_)) => Some("opened"),
        ClientSeen::Sealed(_) => Some("claimed"),
        ClientSeen::Elsewhere => Some("in_instruction_file"),
        ClientSeen::InstructionFile => Some("instruction_file"),
        ClientSeen::Broken(_) => Some("broken"),
        ClientSeen::OutOfSight => Some("out_of_sight"),
    }
}

fn envelope(envelope: &EnvelopeFacts, state: &str, uri: &S3Uri) -> Value {
    let content = envelope.content.as_ref();
    let (opens, opened_by) = match &envelope.opens {
        Opens::NotTried => (None, None),
        Opens::WithNone => (Some(false), None),
        Opens::With(key) => (Some(true), Some(opened_by_json(key))),
    };
    json!({
        "state": state,
        "format": envelope.format,
        "title": envelope.title,
        "suite": content.map(|content| &content.suite),
        "key_committing": content.map(|content| content.committing),
        "authenticated": content.map(|content| content.authenticated),
        "signed": content.map(|content| content.signed),
        "frame_bytes": content.and_then(|content| content.frame_length),
        "recipients": envelope.recipients.iter().map(recipient).collect::<Vec<_>>(),
        "context": envelope.context,
        "bound_name": BoundName::of(&envelope.context).map(|name| {
            json!({ "uri": name.to_string(), "is_this": name.is(uri) })
        }),
        "description": envelope.description,
        "envelope_in": envelope.place.as_str(),
        "claimed_plain_bytes": envelope.claimed_len,
        "legacy": envelope.legacy.as_ref().map(|(legacy, why)| json!({ "allow": legacy.as_str(), "why": why })),
        "key_given_opens": opens,
        "opened_by": opened_by,
    })
}

fn recipient(recipient: &RecipientFacts) -> Value {
    json!({
        "kind": kind_word(recipient.kind),
        "wrap": recipient.wrap,
        "key": recipient.key,
        "fingerprint": recipient.fingerprint,
        "passphrase": recipient.passphrase,
    })
}

fn checksum(finding: &Finding) -> Value {
    match (&finding.checksum, &finding.marks.other_checksum) {
        (Some(sum), _) => json!({
            "algorithm": sum.algorithm.as_str(),
            "value": sum.value,
            "type": if sum.composite { "COMPOSITE" } else { "FULL_OBJECT" },
        }),
        (None, Some((algorithm, value))) => json!({ "algorithm": algorithm, "value": value }),
        (None, None) => Value::Null,
    }
}

fn kms_key(key: &KmsKeySeen) -> Value {
    json!({
        "key": key.key,
        "description": seen(&key.facts, |facts| json!({
            "arn": facts.arn,
            "state": facts.state,
            "manager": facts.manager,
            "deletion": facts.deletion,
        })),
        "aliases": seen(&key.aliases, |aliases| json!(aliases)),
    })
}

fn transport(transport: &Transport) -> Value {
    json!({
        "scheme": transport.scheme,
        "host": transport.host,
        "tls": transport.tls.as_ref().map(|facts| seen(facts, tls)),
    })
}

fn tls(tls: &TlsFacts) -> Value {
    json!({
        "version": tls.version,
        "cipher": tls.cipher,
        "key_exchange": tls.key_exchange,
        "certificate_issuer": tls.issuer,
    })
}

fn policy(policy: &PolicyFacts) -> Value {
    json!({
        "demands_tls": match policy.tls {
            TlsDemand::NotSeen => "not_seen",
            TlsDemand::ForSome => "for_some",
            TlsDemand::ForAll => "for_all",
        },
        "least_tls_version": policy.tls_version,
        "demands_modes": policy.modes,
        "demands_kms_keys": policy.keys,
        "demands_header": policy.header,
        "denies_sse_c": policy.denies_sse_c,
        "best_effort": true,
    })
}

fn seen<T>(seen: &Seen<T>, fact: impl FnOnce(&T) -> Value) -> Value {
    match seen {
        Seen::Is(found) => fact(found),
        Seen::NotAllowed(action) => json!({ "not_allowed": action }),
        Seen::NotToBeHad(why) => json!({ "not_to_be_had": why }),
    }
}

/// Writes a document so that it also does no harm on a terminal: what a terminal would act on is escaped as JSON does.
#[must_use]
pub fn text(document: &Value) -> String {
    let plain = document.to_string();
    if !plain.contains(super::super::foreign::harmful) {
        return plain;
    }
    // Such characters stand only inside of strings.
    let mut out = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        if super::super::foreign::harmful(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_harmless_on_a_terminal_and_say_the_same() {
        let value = json!({ "key": "a\u{9b}31m\u{202e}gpj.\u{1b}[2J\n\u{e0001}ä" });
        let text = text(&value);
        assert!(!text.contains(super::super::super::foreign::harmful), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
