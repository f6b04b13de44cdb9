//! What came of a verb: one line for people, or one JSON document for programs.
//!
//! Said only after everything was checked. No secret is in an outcome; fingerprints and MD5s of keys are public.

use serde_json::{Value, json};

use super::failure::Failure;
use super::output;
use super::session::Session;
use crate::aws::sse::{Applied, AppliedMode};
use crate::commands::get::{ChecksumSeen, GetOutcome};
use crate::commands::put::PutOutcome;
use crate::encryption::Mode;
use crate::location::Target;
use crate::tuning::ByteSize;

/// The version of all JSON documents; raised when a field changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// Tells the outcome of `put`.
///
/// # Errors
/// What standard output says.
pub fn put(outcome: &PutOutcome, session: &Session) -> Result<(), Failure> {
    if session.json {
        output::document(&put_json(outcome).to_string())?;
    } else {
        session.printer.say(&put_line(outcome));
    }
    Ok(())
}

/// Tells the outcome of `get`.
///
/// # Errors
/// What standard output says.
pub fn get(outcome: &GetOutcome, session: &Session) -> Result<(), Failure> {
    match (&outcome.target, session.json) {
        (Target::File(_), true) => output::document(&get_json(outcome).to_string())?,
        // Standard output has carried the object.
        (Target::Stdout, true) => session.printer.line(&get_json(outcome).to_string()),
        (_, false) => session.printer.say(&get_line(outcome)),
    }
    Ok(())
}

fn put_line(outcome: &PutOutcome) -> String {
    let mut facts = encryption_words(
        &outcome.applied,
        outcome.format.map(|format| format.to_string()).as_deref(),
        outcome.fingerprint.as_deref(),
    );
    facts.push(ByteSize(outcome.plain_len).to_string());
    if outcome.parts > 1 {
        facts.push(format!("{} parts", outcome.parts));
    }
    if let Some((algorithm, value)) = &outcome.checksum {
        facts.push(format!("{algorithm} {value}"));
    }
    facts.extend(outcome.version_id.as_ref().map(|id| format!("version {id}")));
    format!("{}: {}", outcome.target, facts.join(", "))
}

fn get_line(outcome: &GetOutcome) -> String {
    let mut facts = vec![format!("from {}", outcome.source)];
    facts.extend(encryption_words(
        &outcome.applied,
        outcome.format.as_deref(),
        outcome.fingerprint.as_deref(),
    ));
    facts.push(ByteSize(outcome.plain_len).to_string());
    facts.push(match &outcome.checksum {
        ChecksumSeen::Verified(algorithm, _) => format!("{algorithm} verified"),
        ChecksumSeen::NotKept => "no checksum kept by S3".to_owned(),
        ChecksumSeen::NotComparable(why) => format!("checksum not compared ({why})"),
    });
    if outcome.format.is_some() {
        facts.push(if outcome.authenticated { "authenticated" } else { "NOT AUTHENTICATED" }.to_owned());
    }
    format!("{}: {}", outcome.target, facts.join(", "))
}

/// How it is encrypted, the outermost last.
fn encryption_words(applied: &Applied, format: Option<&str>, fingerprint: Option<&str>) -> Vec<String> {
    let mut words = match format {
        Some(format) => vec![format!("client-side ({format}) in {}", applied.mode)],
        None => vec![applied.mode.to_string()],
    };
    words.extend(fingerprint.map(|print| format!("key {print}")));
    words.extend(applied.kms_key.as_ref().map(|key| format!("key {key}")));
    words.extend(applied.customer_key_md5.as_ref().map(|md5| format!("key MD5 {md5}")));
    if applied.bucket_key {
        words.push("bucket key".to_owned());
    }
    words
}

fn put_json(outcome: &PutOutcome) -> Value {
    let format = outcome.format.map(|format| format.to_string());
    json!({
        "schema_version": SCHEMA_VERSION,
        "command": "put",
        "target": outcome.target.to_string(),
        "bucket": outcome.target.bucket.as_str(),
        "key": outcome.target.key,
        "version_id": outcome.version_id,
        "etag": outcome.etag,
        "encryption": encryption_json(&outcome.applied, format.as_deref(), outcome.fingerprint.as_deref()),
        "plain_bytes": outcome.plain_len,
        "stored_bytes": outcome.stored_len,
        "parts": outcome.parts,
        "checksum": outcome.checksum.as_ref().map(|(algorithm, value)| {
            json!({ "algorithm": algorithm.as_str(), "value": value })
        }),
    })
}

fn get_json(outcome: &GetOutcome) -> Value {
    let target = match &outcome.target {
        Target::File(path) => Some(path.to_string_lossy()),
        Target::Stdout => None,
    };
    json!({
        "schema_version": SCHEMA_VERSION,
        "command": "get",
        "source": outcome.source.to_string(),
        "bucket": outcome.source.bucket.as_str(),
        "key": outcome.source.key,
        "target": target,
        "version_id": outcome.version_id,
        "etag": outcome.etag,
        "encryption": encryption_json(
            &outcome.applied,
            outcome.format.as_deref(),
            outcome.fingerprint.as_deref(),
        ),
        "authenticated": outcome.authenticated,
        "plain_bytes": outcome.plain_len,
        "stored_bytes": outcome.stored_len,
        "checksum": match &outcome.checksum {
            ChecksumSeen::Verified(algorithm, value) => {
                json!({ "algorithm": algorithm.as_str(), "value": value, "verified": true })
            }
            ChecksumSeen::NotKept => Value::Null,
            ChecksumSeen::NotComparable(why) => json!({ "verified": false, "why": why }),
        },
    })
}

fn encryption_json(applied: &Applied, format: Option<&str>, fingerprint: Option<&str>) -> Value {
    let at_rest = match &applied.mode {
        AppliedMode::Known(mode) => Some(mode.as_str()),
        AppliedMode::NotSaid => None,
        AppliedMode::Other(word) => Some(word.as_str()),
    };
    json!({
        "mode": if format.is_some() { Some(Mode::Client.as_str()) } else { at_rest },
        "at_rest": at_rest,
        "format": format,
        "fingerprint": fingerprint,
        "kms_key": applied.kms_key,
        "bucket_key": applied.bucket_key,
        "customer_key_md5": applied.customer_key_md5,
    })
}
