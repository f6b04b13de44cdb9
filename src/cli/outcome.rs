//! Formats the outcome of a verb for one object: a line for people, or a JSON document for programs.
//!
//! Outcomes are formatted only after everything was checked. They contain no secret: fingerprints and MD5s of keys are
//! public.

use std::fmt;
use std::path::Path;

use super::aws_flags::AwsFlags;
use super::config::apply::InForce;
use super::document::inspection::ObjectLock;
use super::document::transfer::{Check, FetchedObject, StoredObject};
use super::document::{self, Command, Document, Encryption, Object, Proof, Record};
use super::exit::Exit;
use super::failure::Failure;
use super::output;
use super::sanitize::shell_word;
use super::session::Session;
use crate::aws::probe::Probe;
use crate::aws::sse::Applied;
use crate::byte_size::ByteSize;
use crate::commands::changes::{Action, Planned};
use crate::commands::get::{ChecksumSeen, GetOutcome};
use crate::commands::put::PutOutcome;
use crate::commands::put::bulk::Stored;
use crate::commands::unwrapped_envelope::DecryptedBy;
use crate::commands::verify_lock;
use crate::encryption::{KeyArn, StoredFormat};
use crate::error::WrapKind;
use crate::keys::Fingerprint;
use crate::location::{S3Uri, Target};

mod planned;
mod rotation;

pub(crate) use planned::change;
pub(crate) use rotation::rotated;

/// Reports the outcome of `put`; `file` is its source.
pub(crate) fn put(outcome: &PutOutcome, file: Option<&Path>, session: &Session) -> Result<(), Failure> {
    let line = put_line(outcome, &session.rules);
    if session.json {
        return document(&put_document(outcome, file, &session.rules).text(), &line);
    }
    session.printer.say(&line);
    Ok(())
}

/// Writes the document of what is done; where it cannot be written, the error says so with the line.
fn document(text: &str, line: &str) -> Result<(), Failure> {
    output::document(text)
        .map_err(|error| Failure::from(error).hint(format!("it is done all the same: {line}")))
}

/// Reports the outcome of `get`.
pub(crate) fn get(outcome: &GetOutcome, session: &Session) -> Result<(), Failure> {
    let line = get_line(outcome, &session.rules);
    match (&outcome.target, session.json) {
        (Target::File(_) | Target::FileInNewDirectory(_), true) => {
            return document(&get_document(outcome, &session.rules).text(), &line);
        }
        // Standard output has carried the object.
        (Target::Stdout | Target::Terminal, true) => {
            session.printer.line(&get_document(outcome, &session.rules).text());
        }
        (_, false) => session.printer.say(&line),
    }
    Ok(())
}

/// The text of one of many outcomes.
pub(crate) struct OutcomeText {
    /// A line, or a JSON document.
    pub(crate) text: String,
    pub(crate) bytes: u64,
    pub(crate) kind: OutcomeKind,
}

/// As what an outcome counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    Done,
    Unchanged,
    Planned(Action),
    Deleted,
}

/// Reports what a dry run of one object would do.
pub(crate) fn planned(planned: &Planned, command: Command, session: &Session) -> Result<(), Failure> {
    if session.json {
        output::document(&planned::document(planned, command).text())?;
    } else {
        session.printer.say(&planned::line(planned));
    }
    Ok(())
}

/// The text for one of many files.
pub(crate) fn stored(stored: &Stored, session: &Session) -> OutcomeText {
    let Stored { path, outcome } = stored;
    let rules = &session.rules;
    let text =
        if session.json { put_document(outcome, Some(path), rules).text() } else { put_line(outcome, rules) };
    OutcomeText { text, bytes: outcome.plain_len, kind: OutcomeKind::Done }
}

/// The text for one of many objects.
pub(crate) fn fetched(outcome: &GetOutcome, session: &Session) -> OutcomeText {
    let rules = &session.rules;
    let text = if session.json { get_document(outcome, rules).text() } else { get_line(outcome, rules) };
    OutcomeText { text, bytes: outcome.plain_len, kind: OutcomeKind::Done }
}

fn put_line(outcome: &PutOutcome, rules: &InForce) -> String {
    let mut parts = describe_encryption(
        &outcome.applied,
        outcome.format.map(StoredFormat::from),
        outcome.fingerprint.as_deref(),
        &outcome.kms_keys,
    );
    parts.extend(outcome.key_names.iter().map(|name| format!("key name {name}")));
    if outcome.name_bound {
        parts.push("name bound".to_owned());
    }
    parts.push(ByteSize(outcome.plain_len).to_string());
    if outcome.parts > 1 {
        parts.push(format!("{} parts", outcome.parts));
    }
    if let Some((algorithm, value)) = &outcome.checksum {
        parts.push(format!("{algorithm} {value}"));
    }
    parts.extend(outcome.version_id.as_ref().map(|id| format!("version {id}")));
    parts.extend(
        outcome
            .envelope
            .as_ref()
            .and_then(Probe::why_not)
            .map(|why| format!("envelope not verified ({why})")),
    );
    if let Some(lock) = &outcome.lock {
        parts.push(verify_lock::describe(&lock.asked));
        parts.extend(lock.seen.why_not().map(|why| format!("lock not verified ({why})")));
    }
    if outcome.compared {
        parts.push("answer lost; found stored by comparing size and checksum".to_owned());
    }
    parts.extend(chosen_by(rules));
    parts.extend(overridden(rules, &outcome.target));
    format!("{}: {}", outcome.target, parts.join(", "))
}

/// The rule that chose the encryption.
fn chosen_by(rules: &InForce) -> Option<String> {
    rules.encryption.as_ref().map(|origin| format!("encryption by rule {origin}"))
}

/// What the end of a run says of rules: the one that chose the encryption, and those that were set aside.
pub(crate) fn of_rules(rules: &InForce) -> impl Iterator<Item = String> {
    let set_aside = rules.set_aside.iter().map(set_aside);
    chosen_by(rules).into_iter().chain(set_aside)
}

fn set_aside(origin: impl fmt::Display) -> String {
    format!("RULE {origin} OVERRIDDEN")
}

/// The rules that were set aside for an object.
fn overridden(rules: &InForce, uri: &S3Uri) -> impl Iterator<Item = String> {
    rules.overridden(uri).into_iter().map(set_aside)
}

/// The end of a run that could not verify the lock of an object, which is stored.
pub(crate) fn lock_not_verified(outcome: &PutOutcome, aws: &AwsFlags) -> Option<Failure> {
    let seen = &outcome.lock.as_ref()?.seen;
    let why = seen.why_not()?;
    let exit = if matches!(seen, Probe::AccessDenied(_)) { Exit::Denied } else { Exit::Untrusted };
    let message = format!("{} is stored, but its lock is not verified: {why}", outcome.target);
    let failure = Failure::new(exit, anyhow::anyhow!(message));
    Some(match seen {
        Probe::AccessDenied(action) => aws.of_alias(&outcome.target.bucket).into_iter().fold(
            failure.hint(format!("a policy must allow {action} on {}", aws.object_arn(&outcome.target))),
            Failure::hint,
        ),
        _ => failure.hint(format!("`s3seal inspect {}` shows it", shell_word(&outcome.target.to_string()))),
    })
}

fn get_line(outcome: &GetOutcome, rules: &InForce) -> String {
    let mut parts = vec![format!("from {}", outcome.source)];
    parts.extend(describe_encryption(
        &outcome.applied,
        outcome.format,
        fingerprint(outcome),
        kms_key(outcome),
    ));
    parts.push(ByteSize(outcome.plain_len).to_string());
    parts.push(match &outcome.checksum {
        ChecksumSeen::Verified(algorithm, _) => format!("{algorithm} verified"),
        ChecksumSeen::NotKept => "no checksum kept by S3".to_owned(),
        ChecksumSeen::NotComparable(why) => format!("checksum not compared ({why})"),
    });
    if let Some(opened) = &outcome.opened {
        parts.push(describe_proof(opened).to_owned());
        if opened.name_bound {
            parts.push("name bound".to_owned());
        }
    }
    parts.extend(overridden(rules, &outcome.source));
    format!("{}: {}", outcome.target, parts.join(", "))
}

/// The fingerprint of the local key that decrypted it, or with which S3 did.
fn fingerprint(outcome: &GetOutcome) -> Option<&str> {
    match &outcome.opened {
        Some(opened) => opened.with.fingerprint.as_ref().map(Fingerprint::as_str),
        None => outcome.customer_key.as_deref(),
    }
}

/// The key in AWS KMS that decrypted it.
fn kms_key(outcome: &GetOutcome) -> &[KeyArn] {
    outcome.opened.as_ref().map_or(&[], |opened| opened.kms_key.as_slice())
}

/// What the decryption of a client-side object proves.
fn describe_proof(opened: &DecryptedBy) -> &'static str {
    match opened.with.kind {
        WrapKind::Rsa if opened.intact.is_none() => {
            "content not read; anyone with the public key could have encrypted it"
        }
        _ if opened.intact.is_none() => "content not read",
        _ if opened.intact == Some(false) => "NOT AUTHENTICATED",
        WrapKind::Aes => "authenticated: encrypted by a holder of this key",
        WrapKind::Passphrase => "authenticated: encrypted by a holder of this passphrase",
        WrapKind::Kms => "authenticated: encrypted by a user of this KMS key",
        WrapKind::Rsa => "intact; anyone with the public key could have encrypted it",
    }
}

/// The key that decrypted an object, and what that proves.
pub(super) fn describe_opened(opened: &DecryptedBy) -> String {
    let key = match opened.with.kind {
        WrapKind::Aes => "key",
        WrapKind::Passphrase => "passphrase",
        WrapKind::Kms => "KMS key",
        WrapKind::Rsa => "private key",
    };
    let name = opened.with.fingerprint.as_ref().map(ToString::to_string);
    let key = match name.or(opened.kms_key.as_ref().map(ToString::to_string)) {
        Some(name) => format!("{key} {name}"),
        None => format!("a {key}"),
    };
    format!("opened with {key} ({})", describe_proof(opened))
}

/// What the decryption of an object proves, for documents.
pub(super) fn proof(opened: Option<&DecryptedBy>) -> Proof {
    Proof {
        opened_by: opened.map(|opened| (&opened.with).into()),
        intact: opened.and_then(|opened| opened.intact),
        authenticated: opened.is_some_and(DecryptedBy::is_authenticated),
        name_bound: opened.is_some_and(|opened| opened.name_bound),
    }
}

/// How an object is encrypted, the outer layer last.
pub(super) fn describe_encryption(
    applied: &Applied,
    format: Option<StoredFormat>,
    fingerprint: Option<&str>,
    wrapping_keys: &[KeyArn],
) -> Vec<String> {
    let mut parts = match format {
        Some(format) => vec![format!("client-side ({format}) in {}", applied.mode)],
        None => vec![applied.mode.to_string()],
    };
    parts.extend(fingerprint.map(|print| format!("key {print}")));
    parts.extend(wrapping_keys.iter().map(|key| format!("data key under {key}")));
    parts.extend(applied.kms_key.as_ref().map(|key| format!("key {key}")));
    // Beside the fingerprint of the same key.
    let md5_of = if fingerprint.is_some() && format.is_none() { "MD5" } else { "key MD5" };
    parts.extend(applied.customer_key_md5.as_ref().map(|md5| format!("{md5_of} {md5}")));
    if applied.bucket_key {
        parts.push("bucket key".to_owned());
    }
    parts
}

fn put_document(outcome: &PutOutcome, file: Option<&Path>, rules: &InForce) -> Document {
    let encryption = Encryption::of(
        &outcome.applied,
        outcome.format.map(StoredFormat::from),
        outcome.fingerprint.as_deref(),
        &outcome.kms_keys,
    );
    let object = Object::of(&outcome.target, outcome.version_id.as_ref(), outcome.etag.as_ref(), encryption);
    let stored = StoredObject {
        object: Object { bytes: Some(outcome.plain_len), stored_bytes: Some(outcome.stored_len), ..object },
        file: file.map(|path| path.to_string_lossy().into_owned()),
        checksum: outcome.checksum.as_ref().map(|(algorithm, value)| document::Checksum {
            algorithm: Some(algorithm.as_str().to_owned()),
            value: Some(value.clone()),
            ..document::Checksum::default()
        }),
        parts: outcome.parts,
        envelope_check: outcome.envelope.as_ref().map(|envelope| {
            let reason = envelope.why_not();
            Check { verified: reason.is_none(), reason }
        }),
        object_lock: outcome.lock.as_ref().and_then(|lock| ObjectLock::of(&lock.asked)),
        lock_check: outcome.lock.as_ref().map(|lock| {
            let reason = lock.seen.why_not();
            Check { verified: reason.is_none(), reason }
        }),
        found_by_comparison: outcome.compared,
        name_bound: outcome.name_bound,
        key_names: outcome.key_names.clone(),
        encryption_rule: rules.encryption.as_ref().map(ToString::to_string),
        overridden_rules: rules.overridden(&outcome.target),
    };
    Document::new(Command::Put, Record::Stored(stored))
}

fn get_document(outcome: &GetOutcome, rules: &InForce) -> Document {
    let encryption = Encryption::of(&outcome.applied, outcome.format, fingerprint(outcome), kms_key(outcome));
    let object = Object::of(&outcome.source, outcome.version_id.as_ref(), outcome.etag.as_ref(), encryption);
    let fetched = FetchedObject {
        object: Object { bytes: Some(outcome.plain_len), stored_bytes: Some(outcome.stored_len), ..object },
        file: match &outcome.target {
            Target::File(path) | Target::FileInNewDirectory(path) => {
                Some(path.to_string_lossy().into_owned())
            }
            Target::Stdout | Target::Terminal => None,
        },
        checksum: checksum(&outcome.checksum),
        proof: proof(outcome.opened.as_ref()),
        overridden_rules: rules.overridden(&outcome.source),
    };
    Document::new(Command::Get, Record::Fetched(fetched))
}

fn checksum(compared: &ChecksumSeen) -> Option<document::Checksum> {
    let checksum = document::Checksum::default();
    match compared {
        ChecksumSeen::Verified(algorithm, value) => Some(document::Checksum {
            algorithm: Some(algorithm.as_str().to_owned()),
            value: Some(value.clone()),
            verified: Some(true),
            ..checksum
        }),
        ChecksumSeen::NotKept => None,
        ChecksumSeen::NotComparable(why) => {
            Some(document::Checksum { verified: Some(false), reason: Some(why.clone()), ..checksum })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::sse::AppliedMode;
    use crate::checksum::Algorithm;
    use crate::encryption::{Format, Mode};
    use crate::seal::OpenedWith;

    fn put_line(outcome: &PutOutcome) -> String {
        super::put_line(outcome, &InForce::default())
    }

    fn get_line(outcome: &GetOutcome) -> String {
        super::get_line(outcome, &InForce::default())
    }

    fn put_json(outcome: &PutOutcome) -> Value {
        serde_json::to_value(put_document(outcome, None, &InForce::default())).unwrap()
    }

    fn get_json(outcome: &GetOutcome) -> Value {
        serde_json::to_value(get_document(outcome, &InForce::default())).unwrap()
    }

    fn applied(mode: Mode) -> Applied {
        Applied { mode: AppliedMode::Known(mode), kms_key: None, bucket_key: false, customer_key_md5: None }
    }

    fn stored(applied: Applied) -> PutOutcome {
        PutOutcome {
            target: "s3://bkt/k".parse().unwrap(),
            applied,
            plain_len: 12 << 20,
            stored_len: (12 << 20) + 16,
            etag: Some("\"e\"".to_owned()),
            version_id: None,
            checksum: Some((Algorithm::Crc64Nvme, "rosUhgp5mIg=".to_owned())),
            compared: false,
            envelope: None,
            lock: None,
            parts: 2,
            format: None,
            fingerprint: None,
            kms_keys: Vec::new(),
            name_bound: false,
            key_names: Vec::new(),
        }
    }

    fn fetched(checksum: ChecksumSeen, kind: WrapKind, intact: bool) -> GetOutcome {
        GetOutcome {
            source: "s3://bkt/k".parse().unwrap(),
            target: Target::Stdout,
            plain_len: 5,
            stored_len: 21,
            applied: applied(Mode::SseS3),
            format: Some(Format::S3ec.into()),
            etag: None,
            version_id: None,
            checksum,
            customer_key: None,
            opened: Some(DecryptedBy {
                with: OpenedWith { kind, fingerprint: None },
                kms_key: None,
                intact: Some(intact),
                name_bound: false,
            }),
        }
    }

    #[test]
    fn one_line_says_how_it_is_stored() {
        assert_eq!(
            put_line(&stored(applied(Mode::SseS3))),
            "s3://bkt/k: SSE-S3, 12 MiB, 2 parts, crc64nvme rosUhgp5mIg="
        );
        let kms = Applied { kms_key: Some("arn:x".to_owned()), bucket_key: true, ..applied(Mode::SseKms) };
        assert_eq!(
            put_line(&PutOutcome { parts: 1, version_id: Some("v1".to_owned()), ..stored(kms) }),
            "s3://bkt/k: SSE-KMS, key arn:x, bucket key, 12 MiB, crc64nvme rosUhgp5mIg=, version v1"
        );
        let client = PutOutcome {
            format: Some(Format::S3ec),
            fingerprint: Some("22a48051594c1949".to_owned()),
            ..stored(applied(Mode::SseS3))
        };
        assert!(
            put_line(&client)
                .starts_with("s3://bkt/k: client-side (s3ec) in SSE-S3, key 22a48051594c1949, 12 MiB")
        );
        assert_eq!(put_json(&client)["encryption"]["mode"], "client");
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
        let kms =
            PutOutcome { fingerprint: None, kms_keys: vec![KeyArn::parse(arn).unwrap()], ..client.clone() };
        let text = format!("s3://bkt/k: client-side (s3ec) in SSE-S3, data key under {arn}, 12 MiB");
        assert!(put_line(&kms).starts_with(&text), "{}", put_line(&kms));
        assert_eq!(put_json(&kms)["encryption"]["wrapping_kms_keys"], json!([arn]));
        assert_eq!(put_json(&client)["encryption"]["at_rest"], "sse-s3");
    }

    #[test]
    fn what_is_not_proven_is_said_aloud() {
        let verified = ChecksumSeen::Verified(Algorithm::Crc64Nvme, "rosUhgp5mIg=".to_owned());
        for (kind, text, authenticated) in [
            (WrapKind::Aes, "authenticated: encrypted by a holder of this key", true),
            (WrapKind::Passphrase, "authenticated: encrypted by a holder of this passphrase", true),
            (WrapKind::Kms, "authenticated: encrypted by a user of this KMS key", true),
            (WrapKind::Rsa, "intact; anyone with the public key could have encrypted it", false),
        ] {
            let outcome = fetched(verified.clone(), kind, true);
            assert!(get_line(&outcome).ends_with(&format!("5 B, crc64nvme verified, {text}")));
            assert_eq!(get_json(&outcome)["authenticated"], authenticated);
        }
        let range = fetched(ChecksumSeen::NotComparable("a range".to_owned()), WrapKind::Aes, false);
        assert!(get_line(&range).ends_with("checksum not compared (a range), NOT AUTHENTICATED"));
        let document = get_json(&range);
        assert_eq!(document["authenticated"], false);
        assert_eq!(document["checksum"]["verified"], false);
        assert_eq!(document["file"], Value::Null);
        assert_eq!(get_json(&fetched(ChecksumSeen::NotKept, WrapKind::Aes, true))["checksum"], Value::Null);
    }

    /// Programs rely on these names: one that goes or changes its meaning takes a new schema version.
    #[test]
    fn documents_keep_their_fields() {
        let fields =
            |document: &Value| document.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let put = put_json(&stored(applied(Mode::SseC)));
        assert_eq!(
            fields(&put),
            "bucket bytes checksum command encryption encryption_rule envelope_check etag file found_by_comparison key \
             key_names lock_check name_bound object_lock overridden_rules parts record schema_version stored_bytes uri \
             version_id"
        );
        assert_eq!(put["etag"], "e");
        assert_eq!(
            fields(&put["encryption"]),
            "at_rest bucket_key customer_key_md5 format key_fingerprint kms_key mode wrapping_kms_keys"
        );
        assert_eq!(
            fields(&get_json(&fetched(ChecksumSeen::NotKept, WrapKind::Aes, true))),
            "authenticated bucket bytes checksum command encryption etag file intact key name_bound opened_by \
             overridden_rules record schema_version stored_bytes uri version_id"
        );
    }
}
